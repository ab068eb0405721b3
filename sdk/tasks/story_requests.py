"""StoryRequest: several scenes as one request, checked at the door."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from mediagen.personalize.store import mentioned, spoken
from mediagen.sdk.errors import RequestError, nearest
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.requests import (
    MAX_SEED,
    Asked,
    Fps,
    GenerateRequest,
    Pixels,
    Seconds,
    Seed,
    Text,
    number,
    sentence,
    text,
    whole_frames,
)
from mediagen.story import TRANSITIONS, Timeline, Transition
from mediagen.text.following import follow
from mediagen.text.prompts.meaning import Meaning

MOST = 64  # scenes


def _transition(value: Any) -> Any:
    if value is None or value in TRANSITIONS:
        return value
    raise ValueError(f"transition: got {value!r}, expected {', '.join(TRANSITIONS)}; give one, or leave it out.")


class SceneRequest(BaseModel):
    """A scene. transition: into it; None for "continue", and nothing for the first.  seconds, seed: its own; None for
    the story's, whose seed grows by one with each scene.  character: who is in it, by name.  sound_prompt: what it
    sounds like, where that is not the prompt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: Text
    seconds: Seconds = None
    transition: Annotated[Transition | None, BeforeValidator(_transition)] = None
    seed: Seed = None
    character: Annotated[str | None, BeforeValidator(text)] = None
    sound_prompt: Annotated[str | None, BeforeValidator(text)] = None
    prompt_rewritten: Annotated[str | None, BeforeValidator(text)] = None

    @property
    def words(self) -> str:
        """The prompt as the models read it."""
        return self.prompt_rewritten or self.prompt


class StoryRequest(Asked):
    """A film of several scenes.

    seconds: of a scene that says none.  music: that goes through the whole film; None for none.  dissolve: seconds that
    two scenes share where one dissolves into the next.  The rest as in `GenerateRequest`.
    """

    task: ClassVar[str] = "story"

    scenes: tuple[SceneRequest, ...]
    seconds: Seconds = None
    music: Annotated[str | None, BeforeValidator(text)] = None
    sound: bool | None = None
    dissolve: Annotated[float, number(0, 10)] = 0.5
    fps: Fps = None
    width: Pixels = None
    height: Pixels = None
    rewrite: bool = True
    strict: bool = False

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not 1 <= len(self.scenes) <= MOST:
            raise ValueError(
                f"scenes: got {len(self.scenes)}, expected 1 to {MOST}; write for example "
                '"a red ball rolls right in a meadow | it bounces | night falls".'
            )
        return self

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """As of `Asked`; scenes: a text with | between them, or a list of texts and of tables (`SceneRequest`)."""
        return super().of({**values, "scenes": scenes_of(values.get("scenes"))})

    def scene(self, index: int) -> GenerateRequest:
        """The request for the pictures of one scene, as `fit` has filled it in."""
        one = self.scenes[index]
        shared = {"negative_prompt", "num_inference_steps", "guidance_scale", "fps", "width", "height", "rewrite"}
        values = {**self.model_dump(include=shared), **one.model_dump(include={"prompt", "seconds", "seed"})}
        return GenerateRequest.of({**values, "sound": self.sound, "prompt_rewritten": one.prompt_rewritten})

    def with_defaults(self, limits: Limits) -> Self:
        """See `Asked`."""
        shared = GenerateRequest(prompt="-", **{n: getattr(self, n) for n in _SHARED}).with_defaults(limits)
        return self.model_copy(update={name: getattr(shared, name) for name in _SHARED})

    def fit(self, limits: Limits) -> tuple[Self, list[str]]:
        """The request with every number filled in, scene by scene, and sentences for the user; it has a seed.

        RequestError, which names the scene, where the model folder was not trained for what is asked.
        """
        full, notes, made = self.with_defaults(limits), list[str](), list[SceneRequest]()
        assert self.seed is not None
        before: Meaning | None = None
        for index, one in enumerate(full.scenes):
            seconds = full.seconds if one.seconds is None else one.seconds
            assert seconds is not None and full.fps is not None
            try:
                short = min(max(seconds, limits.min_seconds), limits.max_seconds)
                GenerateRequest.of({**full.model_dump(include=set(_SIZES)), "prompt": one.prompt, "seconds": short,
                                    "rewrite": False}).fit(limits.replace(upscale=1))  # fmt: skip
                words, before, told = self._worded(one, before, limits)
            except RequestError as error:
                raise RequestError(f"scene {index + 1}: {error}", "scenes") from None
            if seconds < limits.min_seconds:
                raise RequestError(
                    f"scene {index + 1}: got {seconds:g} seconds, expected at least {limits.min_seconds:g}; ask for "
                    "more.",
                    "scenes",
                )
            seconds, rounded = whole_frames(seconds, full.fps, limits.frame_step)
            notes += [f"scene {index + 1}: {note}" for note in [*rounded, *told]]
            seed = (self.seed + index) % (MAX_SEED + 1) if one.seed is None else one.seed
            transition = (one.transition or "continue") if index else "cut"
            update = {"seconds": seconds, "seed": seed, "transition": transition, "prompt_rewritten": words}
            made.append(one.model_copy(update=update))
        full = full.model_copy(update={"scenes": tuple(made)})
        total = full.timeline.frames / (full.fps or 1)
        if total > limits.max_story_seconds:
            raise RequestError(
                f"got a story of {total:g} seconds, expected at most {limits.max_story_seconds:g}; tell less, or in "
                "several films.",
                "scenes",
            )
        return full, notes

    @property
    def timeline(self) -> Timeline:
        """Where the scenes lie, of a request that `fit` has filled in."""
        fps = self.fps or 0
        return Timeline(
            tuple(round((one.seconds or 0) * fps) for one in self.scenes),
            tuple(one.transition or "continue" for one in self.scenes),
            round(self.dissolve * fps),
        )

    def _worded(
        self, one: SceneRequest, before: Meaning | None, limits: Limits
    ) -> tuple[str | None, Meaning | None, list[str]]:
        """The words of a scene for the models (None: as it is), what they mean, and what to say of that."""
        if one.character or mentioned(one.prompt):  # of people nothing is made up
            return spoken(one.prompt), None, []
        if not limits.rewrite or not (self.rewrite or self.strict):
            return one.prompt_rewritten, None, []
        try:
            made = follow(one.prompt, before, limits.difficulty)
        except ValueError as error:
            raise RequestError(str(error), "prompt") from None
        if self.strict and made.unknown:
            words = ", ".join(word for word, _ in made.unknown)
            raise RequestError(f"prompt: got {words}, which the models don't know; change the prompt.", "prompt")
        words = made.text if self.rewrite else None
        return one.prompt_rewritten or words, made.made, [made.note] if made.note and self.rewrite else []


_SIZES = ("fps", "width", "height")
_SHARED = (*_SIZES, "seconds", "sound", "negative_prompt", "num_inference_steps", "guidance_scale")


def scenes_of(value: Any) -> Any:
    """Scenes as a user may write them, as plain tables; RequestError for what is none."""
    if isinstance(value, str):
        value = [part for part in value.split("|") if part.strip()]
    if not isinstance(value, list | tuple) or not value:
        raise RequestError(
            'got no scenes, expected some; write for example "a red ball rolls right in a meadow | it bounces".',
            "scenes",
        )
    made = []
    for index, one in enumerate(value):
        plain = {"prompt": one} if isinstance(one, str) else one.model_dump() if isinstance(one, SceneRequest) else one
        if not isinstance(plain, dict):
            raise RequestError(f"scene {index + 1}: got {one!r}, expected a text or a table; write one.", "scenes")
        try:
            SceneRequest.model_validate(plain)
        except ValidationError as error:
            told = sentence(error, list(SceneRequest.model_fields))
            raise RequestError(f"scene {index + 1}: {told}", "scenes") from None
        made.append(plain)
    return made


def read_story(path: Path) -> dict[str, Any]:
    """What a story's TOML file says, as `StoryRequest.of` takes it: [[scene]] tables, and settings above them."""
    try:
        told = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise RequestError(f"got {path}, which cannot be read ({error.strerror}); give another file.") from None
    except UnicodeDecodeError:
        raise RequestError(
            f"got {path.name} in another encoding than UTF-8, expected TOML; save it as UTF-8."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"got {path.name}, which is no TOML ({error}); see docs/stories.md for one.") from None
    scenes = told.pop("scene", None)
    for key in told:
        if key not in StoryRequest.model_fields or key == "scenes":
            given = nearest(key, ["scene", *(f for f in StoryRequest.model_fields if f != "scenes")])
            raise RequestError(f"{path.name}: got the unknown setting '{key}'; {given}")
    return {**told, "scenes": scenes}
