"""Requests to edit: what may be asked of a film that is there."""

from typing import Any, ClassVar

from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.requests import Asked, Text


class EditRequest(Asked):
    """A film changed by an instruction."""

    task: ClassVar[str] = "edit"

    prompt: Text

    def _defaults(self, limits: Limits) -> dict[str, Any]:
        return {"num_inference_steps": limits.steps, "guidance_scale": limits.guidance_scale}
