"""Cost: what a job will take, estimated before anything is allocated."""

import math
from dataclasses import dataclass

from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.requests import Request
from mediagen.sdk.tasks.sound_requests import SoundRequest

RATE = 0.2  # seconds that a unit takes, until the service has measured it
_BYTES = 600  # of memory per pixel of a window while it is made: three times what the built-in models take on a CPU
_KEPT = 16  # of memory per pixel of the whole clip: its frames, and the copies that reading and writing take
_BASE = 64 * 2**20  # of memory that any job takes
_HEARD = 2 * 2**20  # of memory per second of sound while it is made: what is seen, its latent, its samples
_SOUND = 0.13  # units of a step of a second of sound, measured on the built-in models


@dataclass(frozen=True)
class Cost:
    """units: a million pixels through one pass of the model each.  bytes: most memory at once."""

    units: float
    bytes: int


def estimate(request: Request, limits: Limits, size: tuple[int, int], fps: float, already: float = 0.0) -> Cost:
    """The cost of a request that was filled in (`fit`), for pictures of `size` = (width, height).

    already: seconds of the clip that it goes on from.
    """
    assert request.seconds is not None and request.num_inference_steps is not None
    pixels = size[0] * size[1] * fps  # of a second
    # More of a clip is made in windows of full length, of which half or more is new.
    made = math.ceil(2 * request.seconds / limits.max_seconds) * limits.max_seconds if already else request.seconds
    passes = request.num_inference_steps * (1 if request.guidance_scale == 1 else 2)
    units = made * pixels * passes / 1e6
    if request.sound:
        units += _SOUND * limits.sound_steps * (request.seconds + already)
    window = min(made, limits.max_seconds) * pixels * (limits.pixel_bytes or _BYTES)
    return Cost(units, round(_BASE + window + (already + request.seconds) * pixels * _KEPT))


def estimate_sound(request: SoundRequest, seconds: float, channels: int = 1, kept: float = 0.0) -> Cost:
    """The cost of sound, of a request that was filled in, for a film of so many seconds, or of a sound of so many.

    channels: each is made by itself.  kept: seconds of the sound that it starts from, held while it is made.
    """
    assert request.num_inference_steps is not None and request.candidates is not None
    window = min(seconds, seconds if request.end is None else request.end) - (request.start or 0.0)
    units = _SOUND * request.num_inference_steps * request.candidates * window * channels
    return Cost(units, round(_BASE + _HEARD * (window + kept)))
