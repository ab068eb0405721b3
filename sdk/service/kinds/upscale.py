"""Larger pictures of a film, where the model folder has an upsampler."""

from typing import Any

from mediagen.sdk.models.catalog import UPSCALE_FAMILIES
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.kind import Kind, Outcome, Start
from mediagen.sdk.tasks.progress import UPSCALING, Stages
from mediagen.sdk.tasks.upscale_requests import UpscaleRequest


class Upscale(Kind):
    """A film with twice the pixels each way, or four times."""

    name, what, method = "upscale", "making pictures larger", "upscale"
    made = "larger"
    families, request = UPSCALE_FAMILIES, UpscaleRequest
    hidden = ("negative_prompt", "guidance_scale")
    starts = (Start("video", "film"),)
    routes, summary, rank = ("/v1/videos/upscales",), ("Make the pictures of a film larger",), 5
    tab = tabs.Tab(
        "Enlarge",
        "Make it larger",
        "",
        "",
        (
            tabs.Field("factor", "Times as wide and high", "select", value="2", choices=("2", "4")),
            tabs.Field("keep", "Keep what it shows", empty="as it needs, 0 to 1", low=0, high=1),
            tabs.Field("num_inference_steps", "Steps", limit="upscale_steps", low=1, high=1000, step="1"),
            tabs.SEED,
        ),
        optional=True,
        use="a larger film",
        compares=True,
    )

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        return request.fit(engine.limits, tuple(about["size"])) if about.get("size") else request

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> cost.Cost:
        """See Kind."""
        return cost.estimate_upscale(full, about["size"], about["fps"], about["seconds"])

    def outcome(self, full: Any, about: dict[str, Any]) -> Outcome:
        """See Kind."""
        width, height = about["size"]
        return Outcome((full.factor * width, full.factor * height), about["fps"], about["seconds"])

    def caption(self, values: dict[str, Any]) -> str | None:
        """See Kind."""
        return f"{values.get('factor', 2)} times as large"

    def make(self, engine: Any, given: dict[str, Any], values: dict[str, Any], **calls: Any) -> Any:
        """See Kind."""
        return super().make(engine, given, {name: values[name] for name in self.fields if name in values}, **calls)

    def stages(self, values: dict[str, Any]) -> Stages:
        """See Kind."""
        return UPSCALING


KIND = Upscale()
