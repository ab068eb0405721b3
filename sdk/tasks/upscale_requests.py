"""Requests to make a film's pictures larger, checked at the door."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator

from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import FACTORS, Limits
from mediagen.sdk.tasks.requests import Asked, number


def _factor(value: Any) -> Any:
    if isinstance(value, bool) or value not in FACTORS:
        raise ValueError(f"factor: got {value!r}, expected 2 or 4; give one of them.")
    return value


class UpscaleRequest(Asked):
    """A film with sharp pictures of `factor` times its width and height; its sound and times stay.

    keep: how far the larger pictures are led back to the small ones, 0 to 1: 1 for a film that is sharp and clean, 0
    for one with faults to be mended; None: 0 for what mediagen made, 1 for all else.
    negative_prompt, guidance_scale: not taken, for no words are followed.
    """

    task: ClassVar[str] = "upscale"

    factor: Annotated[int, BeforeValidator(_factor)] = 2
    keep: Annotated[float | None, number(0, 1)] = None

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """See Asked."""
        made = super().of(values)
        for name in ("negative_prompt", "guidance_scale"):
            if getattr(made, name):
                raise RequestError(f"{name}: got {getattr(made, name)!r}, but no words are followed; leave it out.")
        return made

    def _defaults(self, limits: Limits) -> dict[str, Any]:
        return {"num_inference_steps": limits.upscale_steps}

    def settings(self) -> dict[str, Any]:
        """See Asked."""
        return {
            "task": self.task,
            "factor": self.factor,
            "keep": self.keep,
            "num_inference_steps": self.num_inference_steps,
            "seed": self.seed,
        }

    def fit(self, limits: Limits, size: tuple[int, int]) -> Self:
        """The request with every number filled in, for a film of `size` = (width, height); RequestError where the
        larger pictures would be too large."""
        if self.factor > limits.upscale > 1:
            raise RequestError(f"factor: got {self.factor}, expected {limits.upscale} at most; give that.")
        width, height = (self.factor * side for side in size)
        if width * height > limits.max_upscale_pixels:
            raise RequestError(
                f"got pictures of {size[0]}x{size[1]} to become {width}x{height}, expected at most "
                f"{limits.max_upscale_pixels} pixels; give a smaller film{' or factor 2' * (self.factor > 2)}."
            )
        return self.with_defaults(limits)
