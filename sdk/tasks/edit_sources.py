"""Sources of an edit: a clip in memory or a film's file, looked at alike; neither is held whole."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from mediagen.edit.rest import sized
from mediagen.media.clip import Clip
from mediagen.media.footage import Footage
from mediagen.media.read import read_settings
from mediagen.media.remux.anew import own_pictures
from mediagen.sdk.errors import RequestError

_PIXELS = 2**22  # of pictures that are held at once


class Source(Protocol):
    """size: (width, height).  times: seconds at which each picture is shown, from 0 on.  settings: what made it."""

    size: tuple[int, int]
    seconds: float
    times: np.ndarray
    settings: dict[str, Any]

    def small(self, rate: float, size: tuple[int, int], start: float, end: float) -> Iterator[Tensor]:
        """Pictures of a part at a steady rate, squeezed to a size, as `Footage.pictures` gives them."""
        ...

    def whole(self) -> Iterator[Tensor]:
        """Every picture as it is, uint8 (N, H, W, 3), few at a time."""
        ...


class ClipSource:
    """A clip in memory; RequestError for one without pictures."""

    def __init__(self, clip: Clip) -> None:
        if clip.frames is None or not len(clip.frames):
            raise RequestError("got a clip without pictures, expected some; give another clip.")
        self.clip, self.frames = clip, clip.frames
        self.size = (clip.frames.shape[2], clip.frames.shape[1])
        self.seconds, self.settings = clip.seconds, clip.settings
        self.times = np.arange(len(clip.frames)) / clip.fps

    def small(self, rate: float, size: tuple[int, int], start: float, end: float) -> Iterator[Tensor]:
        """See Source."""
        count = max(1, int(np.ceil((end - start) * rate - 1e-6)))
        shown = start + (np.arange(count) + 0.5) / rate
        chosen = np.clip(np.floor(shown * self.clip.fps + 1e-6).astype(int), 0, len(self.frames) - 1)
        for part in torch.from_numpy(chosen).split(64):
            yield sized(self.frames[part].cpu(), size)

    def whole(self) -> Iterator[Tensor]:
        """See Source."""
        yield from (part.cpu() for part in self.frames.split(held(self.size)))


class FileSource:
    """A film's file; RequestError where it cannot be read or has no pictures."""

    def __init__(self, path: str | Path, max_seconds: float) -> None:
        self.path = Path(path)
        try:
            self.footage = Footage(self.path, max_seconds=max_seconds)
            self.settings: dict[str, Any] = read_settings(self.path)
        except (ValueError, OSError) as error:
            raise RequestError(str(error)) from None
        self.size, self.seconds = self.footage.size, self.footage.seconds
        shown = self.footage.timeline
        self.times = (shown.times - shown.times[0]) * float(shown.tick)

    def small(self, rate: float, size: tuple[int, int], start: float, end: float) -> Iterator[Tensor]:
        """See Source."""
        yield from self.footage.pictures(rate, size, start, end)

    def whole(self) -> Iterator[Tensor]:
        """See Source."""
        yield from own_pictures(self.footage, batch=held(self.size))


def source_of(video: "Clip | str | Path", max_seconds: float) -> "ClipSource | FileSource":
    """The source that a video is; RequestError where it cannot be edited."""
    made = ClipSource(video) if isinstance(video, Clip) else FileSource(video, max_seconds)
    if made.seconds > max_seconds:
        raise RequestError(f"got a film of {made.seconds:g} s, expected at most {max_seconds:g} s; cut it first.")
    return made


def held(size: tuple[int, int]) -> int:
    """How many pictures of a size are held at once."""
    return max(1, min(16, _PIXELS // (size[0] * size[1])))


def digest(pieces: Iterator[Tensor]) -> str:
    """Twelve hex digits that change with any pixel of some pictures."""
    total = hashlib.sha256()
    for piece in pieces:
        total.update(piece.numpy().tobytes())
    return total.hexdigest()[:12]
