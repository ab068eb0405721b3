"""What the kinds of sound without pictures share."""

from typing import Any

from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.kinds.kind import Kind, Outcome
from mediagen.sdk.tasks.progress import SOUND_ALONE, Stages
from mediagen.sdk.tasks.sound_requests import SoundRequest

FAMILIES = ("prompt", "aligned", "codec", "audio")


class SoundAlone(Kind):
    """A sound of its own, or one that goes on from another."""

    families, request = FAMILIES, SoundRequest

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        return request.alone(engine.limits, about.get("samples"))

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> cost.Cost:
        """See Kind."""
        already = about["seconds"]
        return cost.estimate_sound(full, full.seconds or already, about.get("channels", 1), already)

    def outcome(self, full: Any, about: dict[str, Any]) -> Outcome:
        """See Kind."""
        return Outcome((0, 0), 0.0, about["seconds"] + (full.seconds or 0.0))

    def stages(self, values: dict[str, Any]) -> Stages:
        """See Kind."""
        return SOUND_ALONE
