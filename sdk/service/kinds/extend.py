"""More of a clip that exists."""

from typing import Any

from mediagen.personalize.store import mentioned
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.generate import PICTURES
from mediagen.sdk.service.kinds.kind import Kind, Outcome, Start, check_sound
from mediagen.sdk.service.kinds.sounds import FAMILIES
from mediagen.sdk.tasks.person_clips import worded
from mediagen.sdk.tasks.progress import SILENT, WITH_SOUND, Stages
from mediagen.sdk.tasks.requests import ExtendRequest


class Extend(Kind):
    """A clip, and more that goes on from its end."""

    name, what, method = "extend", "continuing clips", "extend"
    made = "extended"
    hidden = ("prompt_rewritten",)
    families, request, starts = PICTURES, ExtendRequest, (Start("video", "clip"),)
    routes, summary, rank = ("/v1/videos/extensions",), ("Continue a clip",), 2
    tab = tabs.Tab(
        "Extend",
        "Extend",
        "What happens next?",
        "The film goes on from its end.",
        (
            tabs.SECONDS,
            tabs.STEPS,
            tabs.GUIDANCE,
            tabs.SEED,
            tabs.NEGATIVE,
            tabs.REWRITE,
            tabs.STRICT,
            tabs.SOUND_PROMPT,
            tabs.SOUND,
        ),
        use="a longer film",
    )

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        check_sound(request, engine, FAMILIES)
        if mentioned(request.prompt):
            request = worded(request, engine.limits)
        return request.fit(engine.limits, about["fps"], about["size"], about["seconds"])[0]

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> cost.Cost:
        """See Kind."""
        return cost.estimate(full, limits, about["size"], about["fps"], about["seconds"])

    def outcome(self, full: Any, about: dict[str, Any]) -> Outcome:
        """See Kind."""
        return Outcome(about["size"], about["fps"], about["seconds"] + full.seconds)

    def stages(self, values: dict[str, Any]) -> Stages:
        """See Kind."""
        return WITH_SOUND if values.get("sound", True) else SILENT


KIND = Extend()
