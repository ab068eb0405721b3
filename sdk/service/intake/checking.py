"""Checking: a request of any kind held against the models and against what it starts from, before any work."""

from typing import Any

from mediagen.grid import SOUND_RATE
from mediagen.sdk.errors import RequestError
from mediagen.sdk.service.kinds.table import KINDS, Kind
from mediagen.sdk.service.refusals import of_request
from mediagen.sdk.tasks.requests import ExtendRequest, GenerateRequest
from mediagen.sdk.tasks.sound_requests import SoundRequest


def checked(engine: Any, name: str, values: dict[str, Any], about: dict[str, Any]) -> tuple[Any, Any]:
    """The request as it was asked, and as it will be made; Refused where it cannot be."""
    try:
        asked = KINDS[name].request
        if "prompt" not in values and about.get("caption") and asked.model_fields["prompt"].is_required():
            values = {**values, "prompt": about["caption"]}
        request = asked.of(values)
        if isinstance(request, SoundRequest):
            limits = engine.limits
            if KINDS[name].alone:
                return request, request.alone(limits, about.get("samples"))
            return request, _within(request.for_film(limits), about["seconds"])
        lacking = [family for family in KINDS["soundtrack"].families if not engine.models.has(family)]
        if isinstance(request, GenerateRequest | ExtendRequest) and request.sound and lacking:
            raise RequestError(
                f"sound: got a request with sound, for which this server lacks {', '.join(lacking)}; ask for none."
            )
        if isinstance(request, GenerateRequest):
            return request, request.fit(engine.limits)[0]
        if isinstance(request, ExtendRequest):
            size = tuple(about["size"])
            return request, request.fit(engine.limits, about["fps"], size, about["seconds"])[0]
        return request, request.with_defaults(engine.limits)
    except RequestError as error:
        raise of_request(error) from None


def measured(kind: Kind, about: dict[str, Any]) -> dict[str, Any]:
    """What is known about the start of a job, with its size, fps and seconds; 0 where there is none."""
    seconds = about.get("seconds")
    if seconds is None and "samples" in about:
        seconds = about["samples"] / SOUND_RATE
    elif seconds is None:
        seconds = about["frames"] / about["fps"] if about.get("fps") else 0.0
    told = {**about, "size": tuple(about.get("size", (0, 0))), "fps": about.get("fps") or 0.0, "seconds": seconds}
    if kind.alone and about:  # pictures that a sound comes from are no more
        told |= {"samples": about.get("samples", round(seconds * SOUND_RATE)), "size": (0, 0), "fps": 0.0}
    return told


def _within(request: SoundRequest, seconds: float) -> SoundRequest:
    """The request; RequestError where its window leaves a film of so many seconds."""
    start, end = request.start or 0.0, seconds if request.end is None else request.end
    if start >= seconds or end > seconds + 0.05:
        raise RequestError(f"got {start:g} s to {end:g} s, but the film lasts {seconds:g} s; move them.")
    return request
