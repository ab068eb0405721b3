"""Requests: what a user may ask for, checked at the door; the engine, the command line and a service share them."""

import math
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo

from mediagen.sdk.errors import RequestError, nearest
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.wording import reword

MAX_PROMPT = 2_000  # characters
MAX_SEED = 2**63 - 1


def text(value: Any, info: ValidationInfo) -> Any:
    name = str(info.field_name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name}: got {value!r}, expected text; give a sentence that says what happens.")
    said = value.strip()
    if len(said) > MAX_PROMPT:
        raise ValueError(f"{name}: got {len(said)} characters, expected at most {MAX_PROMPT}; shorten it.")
    if not all(c.isprintable() or c in "\n\t " for c in said):
        raise ValueError(f"{name}: got a character that cannot be printed, expected plain text; remove it.")
    if not said and name == "prompt":
        raise ValueError(
            'prompt: got an empty text, expected a sentence; write for example "a red ball bounces in a meadow".'
        )
    return said


def number(low: float, high: float, *, whole: bool = False) -> BeforeValidator:
    kind = "a whole number" if whole else "a number"

    def check(value: Any, info: ValidationInfo) -> Any:
        if value is None:
            return None
        right = isinstance(value, int) or (isinstance(value, float) and not whole)
        if isinstance(value, bool) or not right or not low <= value <= high:
            bounds = f"from {low:g} to {high:g}" if high < MAX_SEED else f"from {low:g} to 2^63 - 1"
            raise ValueError(f"{info.field_name}: got {value!r}, expected {kind} {bounds}; give one, or leave it out.")
        return value if whole else float(value)

    return BeforeValidator(check)


Text = Annotated[str, BeforeValidator(text)]
Steps = Annotated[int | None, number(1, 1_000, whole=True)]
Guidance = Annotated[float | None, number(0, 100)]
Seed = Annotated[int | None, number(0, MAX_SEED, whole=True)]
Seconds = Annotated[float | None, number(0.001, 86_400)]
Pixels = Annotated[int | None, number(1, 100_000, whole=True)]
Fps = Annotated[float | None, number(0.1, 1_000)]


class Asked(BaseModel):
    """What every request shares; None means the model folder's default.

    num_inference_steps: 1 to 1000.  guidance_scale: 0 to 100; 1 is no guidance.  seed: drawn by chance when None.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    task: ClassVar[str]

    negative_prompt: Text = ""
    num_inference_steps: Steps = None
    guidance_scale: Guidance = None
    seed: Seed = None

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Builds a checked request; RequestError with one sentence about the first thing that is wrong."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise RequestError(sentence(error, list(cls.model_fields))) from None

    def with_defaults(self, limits: Limits) -> Self:
        """A copy in which None has become the model folder's default."""
        return self.model_copy(update={k: v for k, v in self._defaults(limits).items() if getattr(self, k) is None})

    def _defaults(self, limits: Limits) -> dict[str, Any]:
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """Plain values that a file can carry; a picture is left out (the engine adds its fingerprint)."""
        return {"task": self.task, **self.model_dump(exclude={"image"})}


class Request(Asked):
    """What generating and extending pictures share.

    sound: whether to make it; None: where the model folder can.
    sound_prompt: what it sounds like, when that is not the prompt.
    rewrite: whether the prompt becomes a caption as the models were taught.  strict: refuse words that they don't know.
    prompt_rewritten: what `fit` made of the prompt, or an earlier one did, which then stays.
    """

    prompt: Text
    seconds: Seconds = None
    sound: bool | None = None
    sound_prompt: Annotated[str | None, BeforeValidator(text)] = None
    rewrite: bool = True
    strict: bool = False
    prompt_rewritten: Annotated[str | None, BeforeValidator(text)] = None

    @property
    def words(self) -> str:
        """The prompt as the models read it."""
        return self.prompt_rewritten or self.prompt

    def reworded(self, limits: Limits) -> tuple[Self, list[str]]:
        """The request with its prompt in the models' words, and what to tell of that; RequestError as in `reword`."""
        words, notes = reword(self, limits)
        return self.model_copy(update={"prompt_rewritten": words}), notes

    def _defaults(self, limits: Limits) -> dict[str, Any]:
        plain = self.num_inference_steps is None and self.guidance_scale is None and not self.negative_prompt
        fast = plain and limits.fast_steps
        steps, scale = (limits.fast_steps, 1.0) if fast else (limits.steps, limits.guidance_scale)
        return {
            "sound": limits.sound,
            "seconds": limits.seconds,
            "num_inference_steps": steps,
            "guidance_scale": scale,
        }

    def is_fast(self, limits: Limits) -> bool:
        """Whether the distilled model makes the pictures, which knows its own number of steps and no guidance."""
        asked = (self.num_inference_steps, self.guidance_scale, self.negative_prompt)
        return bool(limits.fast_steps) and asked == (limits.fast_steps, 1.0, "")


class GenerateRequest(Request):
    """A clip from a prompt. image: the first frame, a path, a PIL image or uint8 (H, W, 3); None for none."""

    task: ClassVar[str] = "generate"

    fps: Fps = None
    width: Pixels = None
    height: Pixels = None
    image: Any = None

    def _defaults(self, limits: Limits) -> dict[str, Any]:
        return {**super()._defaults(limits), "fps": limits.fps, "width": limits.width, "height": limits.height}

    def smaller(self, limits: Limits) -> tuple[Self, int]:
        """The request for a size that the models make at once, and by what the clip is made larger afterwards.

        RequestError as in `fit`.
        """
        if self.width is None or self.height is None or (self.width, self.height) in limits.all_sizes:
            return self, 1
        self.fit(limits)
        (width, height), factor = limits.made_at((self.width, self.height))
        return self.model_copy(update={"width": width, "height": height}), factor

    def fit(self, limits: Limits) -> tuple[Self, list[str]]:
        """The request with every number filled in, and a sentence for each that had to be rounded.

        RequestError where the model folder was not trained for what is asked.
        """
        if (self.width is None) != (self.height is None):
            given, lacking = ("height", "width") if self.width is None else ("width", "height")
            raise RequestError(f"got a {given} without a {lacking}, expected both or neither; give both.", "size")
        full = self.with_defaults(limits)
        size, sizes = (full.width, full.height), (*limits.all_sizes, *limits.larger_sizes)
        if size not in sizes:
            known = " or ".join(f"{width}x{height}" for width, height in sizes)
            made = "which this model makes" if limits.larger_sizes else "for which this model was trained"
            raise RequestError(
                f"got a size of {size[0]}x{size[1]}, expected {known}, {made}; give that or leave it out.", "size"
            )
        assert full.fps is not None and full.seconds is not None
        if full.fps not in limits.all_rates:
            known = " or ".join(f"{fps:g}" for fps in limits.all_rates)
            raise RequestError(
                f"got {full.fps:g} fps, expected {known}, for which this model was trained; give that or leave it out.",
                "fps",
            )
        if not limits.min_seconds <= full.seconds <= limits.max_seconds:
            do = "ask for more" if full.seconds < limits.min_seconds else "ask for less, and extend the clip"
            raise RequestError(
                f"got {full.seconds:g} seconds, expected {limits.min_seconds:g} to {limits.max_seconds:g}, for which "
                f"this model was trained; {do}.",
                "seconds",
            )
        seconds, notes = whole_frames(full.seconds, full.fps, limits.frame_step)
        full, told = full.reworded(limits)
        return full.model_copy(update={"seconds": seconds}), [*notes, *told]


class ExtendRequest(Request):
    """More of a clip: `seconds` to add, with its pictures and sound going on from its end."""

    task: ClassVar[str] = "extend"

    def fit(self, limits: Limits, fps: float, size: tuple[int, int], already: float) -> tuple[Self, list[str]]:
        """As `GenerateRequest.fit`, for a clip of `size` = (width, height) that is `already` seconds long."""
        full = self.with_defaults(limits)
        if size not in limits.all_sizes or fps not in limits.all_rates:
            sizes = " or ".join(f"{width}x{height}" for width, height in limits.all_sizes)
            rates = " or ".join(f"{rate:g}" for rate in limits.all_rates)
            raise RequestError(
                f"got a clip of {size[0]}x{size[1]} at {fps:g} fps, expected {sizes} at {rates} fps, for which this "
                f"model was trained; {'change its rate' if size in limits.all_sizes else 'scale it'} first.",
                "video",
            )
        assert full.seconds is not None
        if already + full.seconds > limits.max_extended_seconds:
            raise RequestError(
                f"got {already:g} seconds to extend by {full.seconds:g}, expected at most "
                f"{limits.max_extended_seconds:g} in all; add less.",
                "seconds",
            )
        seconds, notes = whole_frames(full.seconds, fps)
        full, told = full.reworded(limits)
        return full.model_copy(update={"seconds": seconds}), [*notes, *told]


def whole_frames(seconds: float, fps: float, step: int = 1) -> tuple[float, list[str]]:
    """`seconds` rounded to whole frames (at least one), and a sentence that says so where it changed.

    step: the frames after the first are a multiple of it.
    """
    frames = max(1, round(seconds * fps)) if step == 1 else 1 + step * max(0, round((seconds * fps - 1) / step))
    rounded = frames / fps
    if math.isclose(rounded, seconds, abs_tol=1e-9):
        return rounded, []
    noun = "frame" if frames == 1 else "frames"
    form = "" if step == 1 else f", which are {step}k + 1 with this model"
    return rounded, [f"{seconds:g} seconds became {rounded:g}: {frames} whole {noun} at {fps:g} fps{form}."]


def sentence(error: ValidationError, known: list[str]) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"got the unknown setting '{name}'; {nearest(name, known)}"
    if first["type"] == "missing":
        return f"got no {name}, expected one; give it."
    if first["type"] == "value_error":
        return str(first.get("ctx", {}).get("error", first["msg"]))
    return f"{name}: got {first['input']!r}; {first['msg'][0].lower()}{first['msg'][1:]}."
