"""Clips with a person: a request that was checked, a character, and the models that a folder has for people."""

from dataclasses import dataclass

from mediagen.generate import VideoModels
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Film
from mediagen.personalize.character import Character
from mediagen.personalize.generate import Judged, PersonGenerator, generate_person
from mediagen.personalize.store import Store
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks import people, results
from mediagen.sdk.tasks.clips import ClipWork
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.requests import MAX_SEED, GenerateRequest
from mediagen.sdk.tasks.work import StepCallback

FAMILIES = ("personalize", *people.FACES)
MOST = 16  # candidates
SCALE = 1.0  # of guidance by the person, of that by the words


class PersonWork(ClipWork):
    """Makes pictures with a person."""

    def with_person(
        self, character: Character, scale: float, seeds: list[int], seconds: float, size: tuple[int, int], fps: float
    ) -> Judged:
        """The best of one candidate for each seed."""
        if not all(self.models.loaded(name) for name in ("prompt", "tae", *FAMILIES)):
            self._stage("Loading")
        text, tae, video, finder, encoder = (self.models.get(n) for n in ("prompt", "tae", *FAMILIES))
        models = VideoModels(PersonGenerator(text, video, character, scale), tae, self._decoder("tae"))
        on_step = self._steps("Making the pictures", self._count)
        return generate_person(
            models,
            finder,
            encoder,
            character,
            self.request.prompt,
            models.grid(seconds, size, fps),
            rngs=[self._rng(seed) for seed in seeds],
            negative=self.request.negative_prompt,
            way=self._how,
            on_step=on_step,
            on_decode=self._decoding,
        )


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

    RequestError for an unknown name, and for wishes about a person where there is none.
    """
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
    full, notes = request.fit(models.limits)
    full = results.seeded(full)
    assert full.fps and full.width and full.height and full.seconds and full.seed is not None
    work = PersonWork(models, full, on_step, on_progress)
    if full.sound:
        work.check_sound()
    seeds = [(full.seed + index) % (MAX_SEED + 1) for index in range(count)]
    made = work.with_person(character, float(scale), seeds, full.seconds, (full.width, full.height), full.fps)
    sound = work.sound(made.frames, full.fps) if full.sound else None
    settings = results.settings_of_work(work, request, notes)
    settings |= {"character": character.fingerprint, "person_scale": scale, "likeness": made.likeness}
    settings |= {"candidates": count} if count > 1 else {}
    return Film(made.frames, full.fps, sound, SOUND_RATE, full.prompt, settings)
