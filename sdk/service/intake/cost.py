"""Cost: what a job will take, estimated before anything is allocated."""

import math
from dataclasses import dataclass

from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.requests import Request
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.upscale_requests import UpscaleRequest

RATE = 0.2  # seconds that a unit takes, until the service has measured it
_BYTES = 600  # of memory per pixel of a window while it is made: three times what the built-in models take on a CPU
_KEPT = 16  # of memory per pixel of the whole clip: its frames, and the copies that reading and writing take
_BASE = 64 * 2**20  # of memory that any job takes
_HEARD = 2 * 2**20  # of memory per second of sound while it is made: what is seen, its latent, its samples
_HELD = 512  # of memory per pixel of a film's picture, while some are laid over
_TILE, _WINDOW = 128, 34  # of the upsampler: pixels of a side, and frames that it solves together
_TILES = 256 * 2**20  # of memory that its windows take on their way through the model and the autoencoder
_LATENT = 12  # of memory per pixel of the larger frames that are solved together: their latents, and all beside
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


def estimate_edit(request: EditRequest, limits: Limits, size: tuple[int, int], seconds: float) -> Cost:
    """The cost of an edit that was filled in, of a film of pictures of `size` and so many seconds.

    It is made at the models' own size, three passes a step, in windows of which half is new; of the film itself some
    pictures are held.
    """
    assert request.num_inference_steps is not None
    pixels = limits.width * limits.height * limits.fps
    window = min(seconds, (seconds if request.end is None else request.end)) - (request.start or 0.0)
    made = max(limits.max_seconds, 2 * window)
    units = made * pixels * 3 * request.num_inference_steps / 1e6
    if request.sound == "remake":
        units += _SOUND * limits.sound_steps * window
    return Cost(units, round(_BASE + min(made, limits.max_seconds) * pixels * _BYTES + _HELD * size[0] * size[1]))


def estimate_upscale(request: UpscaleRequest, size: tuple[int, int], fps: float, seconds: float) -> Cost:
    """The cost of making pictures of `size` larger, of a request that was filled in.

    Tiles and windows overlap, so that each pixel is made two and a half times; some windows are held at once.
    """
    assert request.num_inference_steps is not None
    units = most = 0.0
    factor = 2
    while factor <= request.factor:
        pixels = max(_TILE, factor * size[0]) * max(_TILE, factor * size[1])
        units += 2.5 * pixels * fps * seconds * request.num_inference_steps / 1e6
        most, factor = pixels * _WINDOW, 2 * factor
    return Cost(units, round(_BASE + _TILES + most * _LATENT))
