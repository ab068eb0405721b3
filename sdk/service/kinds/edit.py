"""Edits of a clip by an instruction, where the model folder has an editing model."""

from typing import Any

from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.kind import Kind, Start
from mediagen.sdk.tasks.requests import Request


class Edit(Kind):
    """A clip with one thing changed."""

    name, what, method = "edit", "editing clips by instruction", "edit"
    made = "edited"
    families, request, starts = ("edit",), Request, (Start("video", "clip"),)
    routes = ("/v1/videos/edits", "/v1/videos/{id}/remix")
    summary = ("Edit a clip by an instruction", "Edit a clip of this server")
    hidden, rank = ("seconds", "sound", "sound_prompt"), 4
    tab = tabs.Tab(
        "Edit",
        "Edit",
        "What changes?",
        "For example: make the ball blue",
        (tabs.STEPS, tabs.GUIDANCE, tabs.SEED, tabs.NEGATIVE),
        use="an edit",
    )

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        return request.with_defaults(engine.limits)

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> cost.Cost:
        """See Kind."""
        return cost.estimate(full, limits, about["size"], about["fps"], about["seconds"])

    def told(self, job: Any, store: Any) -> dict[str, Any]:
        """See Kind."""
        return {"remixed_from_video_id": job.parent}


KIND = Edit()
