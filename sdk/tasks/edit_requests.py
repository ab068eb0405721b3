"""Requests for an edit of a film by an instruction, checked at the door."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ValidationInfo

from mediagen.sdk.errors import RequestError, nearest
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.requests import Asked, Guidance, number, text
from mediagen.world.edit_names import TASKS

Time = Annotated[float | None, number(0, 86_400)]
_EXAMPLE = 'write for example "make the ball blue"'


def _instruction(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError(f"prompt: got an empty text, expected an instruction; {_EXAMPLE}.")
    return text(value, info)


def _task(value: Any) -> Any:
    if value is not None and value not in TASKS:
        raise ValueError(f"task: got '{value}', expected one of {', '.join(TASKS)}; {nearest(str(value), list(TASKS))}")
    return value


def _region(value: Any) -> Any:
    if value is None:
        return None
    numbers = list(value) if isinstance(value, list | tuple) else value.split(",") if isinstance(value, str) else []
    try:
        left, top, width, height = (int(part) for part in numbers)
    except (TypeError, ValueError):
        raise ValueError(
            f"region: got {value!r}, expected four whole numbers of pixels; write left,top,width,height."
        ) from None
    if left < 0 or top < 0 or width < 1 or height < 1:
        raise ValueError(f"region: got {value!r}, expected a place from 0,0 on and a size of 1x1 or more; correct it.")
    return left, top, width, height


def _sound(value: Any) -> Any:
    if value not in ("keep", "remake", "none"):
        raise ValueError(f"sound: got {value!r}, expected keep, remake or none; give one of them.")
    return value


class EditRequest(Asked):
    """One thing changed in a film, the rest as it was.

    prompt: the instruction.  task: one of `TASKS`; None leaves it to the instruction.  mask: where it may change, a
    picture (a path, a PIL image or an array) of the film's size, white there.  region: the same as left, top, width and
    height in pixels.  start, end: seconds outside of which nothing changes.  keep_rest: whether everything outside of
    the mask, the region or what the model finds stays byte for byte; None: where the task is about one thing, or a
    place is given.  guidance_scale: how closely the instruction is followed.  picture_guidance_scale: how closely the
    film is kept to.  sound: "keep", "remake" for the new pictures, or "none".
    """

    prompt: Annotated[str, BeforeValidator(_instruction)]
    task: Annotated[str | None, BeforeValidator(_task)] = None  # pyright: ignore (others have theirs in the class)
    mask: Any = None
    region: Annotated[tuple[int, int, int, int] | None, BeforeValidator(_region)] = None
    start: Time = None
    end: Time = None
    keep_rest: bool | None = None
    picture_guidance_scale: Guidance = None
    sound: Annotated[Literal["keep", "remake", "none"], BeforeValidator(_sound)] = "keep"

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """See Asked."""
        made = super().of(values)
        if made.mask is not None and made.region is not None:
            raise RequestError("got a mask and a region, expected one of them; leave one out.")
        if made.keep_rest is False and (made.mask is not None or made.region is not None):
            raise RequestError("got a place to change with keep_rest=False, which leaves none out; leave one away.")
        if made.start is not None and made.end is not None and made.end <= made.start:
            raise RequestError(
                f"got an end of {made.end:g} s, expected one after the start at {made.start:g} s; swap or move them."
            )
        return made

    def _defaults(self, limits: Limits) -> dict[str, Any]:
        return {
            "num_inference_steps": limits.edit_steps,
            "guidance_scale": limits.edit_guidance_scale,
            "picture_guidance_scale": limits.edit_picture_guidance_scale,
        }

    def settings(self) -> dict[str, Any]:
        """See Asked; a mask is left out (the work adds its fingerprint)."""
        told = self.model_dump(mode="json", exclude={"mask", "task"})
        return {"task": "edit", "edit_task": self.task, **told}

    def inside(self, size: tuple[int, int], seconds: float) -> tuple[float, float]:
        """Seconds from and to which the film is edited; RequestError where the time or the region leaves the film."""
        start, end = self.start or 0.0, seconds if self.end is None else self.end
        if start >= seconds or end > seconds + 0.05:
            raise RequestError(f"got {start:g} s to {end:g} s, but the film lasts {seconds:g} s; move them.")
        if self.region is not None:
            left, top, width, height = self.region
            if left + width > size[0] or top + height > size[1]:
                raise RequestError(
                    f"region: got {left},{top},{width},{height}, but the film is {size[0]}x{size[1]}; move it inside."
                )
        return start, min(end, seconds)
