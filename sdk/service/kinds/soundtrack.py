"""Sound for a film that exists, whose pictures stay as they are."""

from typing import Any

from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.kind import Kind, Start
from mediagen.sdk.service.kinds.sounds import FAMILIES
from mediagen.sdk.tasks.progress import SOUND_ALONE, Stages
from mediagen.sdk.tasks.sound_requests import SoundRequest


class Soundtrack(Kind):
    """A film with new sound."""

    name, what, method = "soundtrack", "giving clips a soundtrack", "add_audio"
    made = "new sound"
    families, request, hidden = FAMILIES, SoundRequest, ("seconds",)
    starts = (Start("video", "film"),)
    routes, summary, rank = ("/v1/audio/soundtracks",), ("Give a clip a soundtrack",), 1
    tab = tabs.Tab(
        "Sound",
        "Make the sound",
        "What is heard? (may stay empty)",
        "Empty leaves it to the pictures, which stay as they are.",
        (
            tabs.EFFECTS,
            tabs.MUSIC,
            tabs.MUSIC_PROMPT,
            tabs.SOUND_STEPS,
            tabs.SOUND_GUIDANCE,
            tabs.SEED,
            tabs.Field("start", "From second", empty="the beginning", low=0),
            tabs.Field("end", "To second", empty="the end", low=0),
            tabs.Field("keep_audio", "Original sound kept", empty="0, none, to 1", low=0, high=1),
            tabs.TRIES,
            tabs.NEGATIVE,
        ),
        optional=True,
        use="a soundtrack",
    )

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        full, seconds = request.for_film(engine.limits), about["seconds"]
        start, end = full.start or 0.0, seconds if full.end is None else full.end
        if start >= seconds or end > seconds + 0.05:
            raise RequestError(f"got {start:g} s to {end:g} s, but the film lasts {seconds:g} s; move them.", "end")
        return full

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> cost.Cost:
        """See Kind."""
        return cost.estimate_sound(full, about["seconds"])

    def stages(self, values: dict[str, Any]) -> Stages:
        """See Kind."""
        return SOUND_ALONE


KIND = Soundtrack()
