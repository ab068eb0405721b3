"""Clips with a person: a request that was checked, a character, and the models that a folder has for people."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from mediagen.generate import VideoModels
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip, Film
from mediagen.personalize.character import Character, likeness_of
from mediagen.personalize.generate import Judged, PersonGenerator, generate_person
from mediagen.personalize.store import Store, mentioned, spoken
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks import people, results
from mediagen.sdk.tasks.clips import ClipWork
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.edited import EditedClip, EditedFilm
from mediagen.sdk.tasks.progress import SMALL, ProgressCallback, part_of
from mediagen.sdk.tasks.requests import MAX_SEED, ExtendRequest, GenerateRequest, Request
from mediagen.sdk.tasks.upscales import enlarged
from mediagen.sdk.tasks.wording import reword
from mediagen.sdk.tasks.work import StepCallback

FAMILIES = ("personalize", *people.FACES)
MOST = 16  # candidates
R = TypeVar("R", bound=Request)
SCALE = 1.0  # of guidance by the person, of that by the words


class PersonWork(ClipWork):
    """Makes pictures with a person. scale: how strongly they are followed."""

    def __init__(
        self,
        models: ModelFolder,
        request: Request,
        on_step: StepCallback | None,
        on_progress: ProgressCallback | None,
        *,
        character: Character,
        scale: float,
    ) -> None:
        super().__init__(models, request, on_step, on_progress)
        self.character, self.scale = character, scale

    def with_person(self, seeds: list[int], seconds: float, size: tuple[int, int], fps: float) -> Judged:
        """The best of one candidate for each seed."""
        models = self._video_models()
        return generate_person(
            models,
            self.models.get("faces"),
            self.models.get("face_encoder"),
            self.character,
            self.request.words,
            models.grid(seconds, size, fps),
            rngs=[self._rng(seed) for seed in seeds],
            negative=self.request.negative_prompt,
            way=self._how,
            on_step=self._steps("Making the pictures", self._count),
            on_decode=self._decoding,
        )

    def _video_models(self) -> VideoModels:
        if not all(self.models.loaded(name) for name in ("prompt", "tae", *FAMILIES)):
            self._stage("Loading")
        text, tae, video = (self.models.get(name) for name in ("prompt", "tae", "personalize"))
        return VideoModels(PersonGenerator(text, video, self.character, self.scale), tae, self._decoder("tae"))


def worded(request: R, limits: Limits) -> R:
    """The request in the words that a model with a person reads: "a person" in the place of a name, and nothing
    rewritten, for that would say a woman or a man of whoever it is.

    RequestError where a strict request has words that are not known.
    """
    said = spoken(request.prompt) if mentioned(request.prompt) else None
    if request.strict:
        reword(request.model_copy(update={"prompt": said or request.prompt}), limits)
    return request.model_copy(update={"rewrite": False, "strict": False, "prompt_rewritten": said})


@dataclass(frozen=True)
class Cast:
    """Who is in a clip, besides whom its prompt names: see `Engine.generate`."""

    character: Character | None = None
    person_scale: float | None = None
    candidates: int | None = None


def clips(
    models: ModelFolder,
    request: GenerateRequest,
    count: int,
    store: Store,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
    cast: Cast | None = None,
) -> list[Film]:
    """So many clips from a prompt; with a person where `cast` or the prompt has one, and then one alone.

    What is asked for larger than the models make at once is made larger afterwards.
    RequestError for an unknown name, and for wishes about a person where there is none.
    """
    small, factor = request.smaller(models.limits)
    if factor > 1:
        made = clips(models, small, count, store, on_step, part_of(on_progress, 0.0, SMALL), cast)
        last = part_of(on_progress, SMALL, 1.0)
        return [enlarged(models, clip, factor, on_step, last) for clip in made]
    cast = cast or Cast()
    who = people.meant(request.prompt, cast.character, store)
    if who is not None:
        if count != 1:
            raise RequestError("got several clips with a person, expected one; ask for candidates instead.")
        return [clip(models, request, who, cast.person_scale, cast.candidates, on_step, on_progress)]
    if not (cast.person_scale is None and cast.candidates is None):
        raise RequestError("got person_scale or candidates without a person, expected one; name them as @name.")
    return results.clips(models, request, count, on_step, on_progress)


def clip(
    models: ModelFolder,
    request: GenerateRequest,
    character: Character,
    person_scale: float | None,
    candidates: int | None,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> Film:
    """A clip from a prompt with a person in it; `settings` tell the character's fingerprint and the likeness."""
    scale, count = SCALE if person_scale is None else person_scale, 1 if candidates is None else candidates
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 <= scale <= 10:
        raise RequestError(f"person_scale: got {scale!r}, expected a number from 0 to 10; give one, or leave it out.")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise RequestError(f"candidates: got {count!r}, expected 1 to {MOST}; give fewer, or leave it out.")
    people.require(models, *FAMILIES)
    if request.image is not None:
        raise RequestError("image: got a picture to begin with and a person, expected one of them; leave one out.")
    request = worded(request, models.limits)
    full, notes = request.fit(models.limits)
    full = results.seeded(full)
    assert full.fps and full.width and full.height and full.seconds and full.seed is not None
    work = PersonWork(models, full, on_step, on_progress, character=character, scale=float(scale))
    if full.sound:
        work.check_sound()
    seeds = [(full.seed + index) % (MAX_SEED + 1) for index in range(count)]
    made = work.with_person(seeds, full.seconds, (full.width, full.height), full.fps)
    sound = work.sound(made.frames, full.fps) if full.sound else None
    settings = results.settings_of_work(work, request, notes)
    settings |= {"character": character.fingerprint, "person_scale": scale, "likeness": made.likeness}
    settings |= {"candidates": count} if count > 1 else {}
    return Film(made.frames, full.fps, sound, SOUND_RATE, full.prompt, settings)


def longer(
    models: ModelFolder,
    start: Clip,
    request: ExtendRequest,
    store: Store,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> Film:
    """The clip `start` and more; who is in it stays, where the store has them, unless the prompt names another.

    `settings` tell the likeness of what is new. Where the person cannot stay a note says why. Raises as `clip`.
    """
    who, named = people.known_in(start.settings, store), mentioned(request.prompt)
    if named and (who is None or named != [who.name]):
        who = people.meant(request.prompt, None, store)
    if who is not None and named:
        people.require(models, *FAMILIES)
    if who is None or not all(map(models.has, FAMILIES)):
        made = results.longer(models, start, request, on_step, on_progress)
        if people.in_clip(start.settings) is not None:
            why = "is not kept here" if who is None else "needs a model with people, which this folder lacks"
            made.settings["notes"] = [*made.settings.get("notes", []), f"the person of this clip {why}: drawn anew."]
        return made
    scale = start.settings.get("person_scale")
    scale = float(scale) if isinstance(scale, int | float) and 0 <= scale <= 10 else SCALE
    make = partial(PersonWork, character=who, scale=scale)
    made = results.longer(models, start, worded(request, models.limits), on_step, on_progress, make)
    assert made.frames is not None and start.frames is not None
    new = made.frames[len(start.frames) :]
    seen = likeness_of(models.get("faces"), models.get("face_encoder"), new, who)
    made.settings.update({"character": who.fingerprint, "person_scale": scale, "likeness": seen})
    return made


def edited(
    models: ModelFolder,
    video: Clip | str | Path,
    request: EditRequest,
    store: Store,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> EditedClip | EditedFilm:
    """An edit, in which whoever is in the video stays so by name; `settings` of a clip tell the likeness after it.

    The prompt may say their @name. RequestError for another one: an edit brings nobody in.
    """
    settings = video.settings if isinstance(video, Clip) else people.settings_of(video)
    who, named = people.known_in(settings, store), mentioned(request.prompt)
    if named and (who is None or named != [who.name]):
        raise RequestError(
            f"prompt: got '@{named[0]}' in an edit, expected nobody, or who is in the film; leave the name out.",
            "prompt",
        )
    made = results.edited(
        models, video, request.model_copy(update={"prompt": spoken(request.prompt)}) if named else request,
        on_step, on_progress,
    )  # fmt: skip
    if (fingerprint := people.in_clip(settings)) is not None:
        made.settings["character"] = fingerprint
    if who is not None and isinstance(made, EditedClip) and all(map(models.has, people.FACES)):
        assert made.frames is not None
        seen = likeness_of(models.get("faces"), models.get("face_encoder"), made.frames, who)
        made.settings["likeness"] = seen
    return made
