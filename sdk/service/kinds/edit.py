"""Edits of a film by an instruction, where the model folder has an editing model."""

from typing import Any

from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.kind import Kind, Start, check_sound
from mediagen.sdk.service.kinds.sounds import FAMILIES
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.progress import EDITING, Stages


class Edit(Kind):
    """A film with one thing changed."""

    name, what, method = "edit", "editing clips by instruction", "edit"
    made = "edited"
    families, request = ("edit", "prompt", "tae"), EditRequest
    starts = (Start("video", "film"), Start("mask", "picture", needed=False, argument="mask"))
    routes = ("/v1/videos/edits", "/v1/videos/{id}/remix")
    summary = ("Edit a film by an instruction", "Edit a film of this server")
    rank = 4
    tab = tabs.Tab(
        "Edit",
        "Edit",
        "What changes?",
        "For example: make the ball blue",
        (
            tabs.Field("start", "From second", empty="the beginning", low=0),
            tabs.Field("end", "To second", empty="the end", low=0),
            tabs.Field("region", "Where: left, top, width, height", "box", empty="where the thing is"),
            tabs.Field("mask", "Where: a picture, white there", "file", accept="image/png,image/webp"),
            tabs.Field("sound", "Sound", "select", value="keep", choices=("keep", "remake", "none")),
            tabs.Field("num_inference_steps", "Steps", limit="edit_steps", low=1, high=1000, step="1"),
            tabs.Field("guidance_scale", "Follow the words", limit="edit_guidance_scale", low=0, high=100),
            tabs.Field(
                "picture_guidance_scale", "Keep to the film", limit="edit_picture_guidance_scale", low=0, high=100
            ),
            tabs.SEED,
            tabs.NEGATIVE,
        ),
        use="an edit",
        compares=True,
        examples=("make the ball blue", "let it snow", "make it night", "put her in the desert", "give him glasses"),
    )

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        full = request.with_defaults(self.limits(engine))
        if about.get("seconds"):
            full.inside(tuple(about["size"]), about["seconds"])
        mask = about.get("mask", {}).get("size")
        if mask and tuple(mask) != tuple(about["size"]):
            raise RequestError(
                f"mask: got a picture of {mask[0]}x{mask[1]}, but the film is {about['size'][0]}x{about['size'][1]}; "
                "scale it."
            )
        if full.sound == "remake":
            check_sound(full, engine, FAMILIES)
        return full

    def limits(self, engine: Any) -> Limits:
        """See Kind."""
        return engine.models.edits.limits

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> cost.Cost:
        """See Kind."""
        return cost.estimate_edit(full, limits, about["size"], about["seconds"])

    def stages(self, values: dict[str, Any]) -> Stages:
        """See Kind."""
        return EDITING

    def told(self, job: Any, store: Any) -> dict[str, Any]:
        """See Kind."""
        return {"remixed_from_video_id": job.parent}


KIND = Edit()
