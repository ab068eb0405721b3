"""Sound of what was edited: made anew for the new pictures, or as it was."""

from dataclasses import replace
from typing import Any

import torch

from mediagen.media.clip import Clip, Film
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.edited import EditedClip, Laying
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.sounds import SoundWork


def sound_of_edit(request: EditRequest, limits: Limits) -> SoundRequest:
    """The request for the sound of an edit: as the pictures have it, in the part that was edited."""
    asked = SoundRequest.of({"start": request.start, "end": request.end, "seed": request.seed})
    return asked.for_film(limits)


def in_memory(
    clip: Clip,
    laying: Laying,
    sounding: SoundWork | None,
    request: EditRequest,
    settings: dict[str, Any],
    kept: float | None,
) -> EditedClip:
    """The edit of a clip, as a clip. sounding: makes its sound anew; None keeps it, or leaves it out."""
    pieces = list(laying.pieces())
    frames, mask = (torch.cat(parts) for parts in zip(*pieces, strict=True))
    sound, rate = (clip.sound, clip.rate) if request.sound == "keep" else (None, clip.rate)
    if sounding is not None:
        heard = sounding.score(replace(Film(frames, clip.fps), sound=clip.sound, rate=clip.rate), {})
        sound, rate = heard.sound, heard.rate
    return EditedClip(frames, clip.fps, sound, rate, request.prompt, settings, mask, kept)
