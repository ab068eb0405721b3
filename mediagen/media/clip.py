"""Clip: THE record that travels through the project."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from mediagen.errors import OutputError, RequestError


@dataclass(frozen=True, repr=False)
class Clip:
    """A stretch of film.

    frames: uint8 (F, H, W, 3) RGB, or None for sound alone.  fps: frames per second.
    sound: float32 (channels, S) in [-1, 1], or None for silence.  rate: samples per second, Hz.
    caption: what it shows.  settings: what made it (stored in the file, so that it can be made again).
    """

    frames: torch.Tensor | None
    fps: float = 16.0
    sound: torch.Tensor | None = None
    rate: int = 48_000
    caption: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.frames is not None and (
            self.frames.ndim != 4 or self.frames.shape[-1] != 3 or self.frames.dtype != torch.uint8
        ):
            raise RequestError(
                f"got frames {self.frames.dtype} {tuple(self.frames.shape)}, expected uint8 (F, H, W, 3)."
            )
        if self.sound is not None and self.sound.ndim != 2:
            raise RequestError(f"got sound of shape {tuple(self.sound.shape)}, expected (channels, S).")

    @property
    def seconds(self) -> float:
        """Length in seconds: of the pictures, or of the sound where there are none."""
        if self.frames is not None:
            return len(self.frames) / self.fps
        return 0.0 if self.sound is None else self.sound.shape[-1] / self.rate

    def __repr__(self) -> str:
        parts = []
        if self.frames is not None:
            count, height, width, _ = self.frames.shape
            parts.append(f"{count} frames of {width}x{height} at {self.fps:g} fps")
        if self.sound is None:
            parts.append("no sound")
        else:
            parts.append(f"{len(self.sound)} x {self.sound.shape[-1]} samples at {self.rate} Hz")
        caption = self.caption if len(self.caption) <= 60 else f"{self.caption[:57]}..."
        parts += [repr(caption)] if caption else []
        return f"<{type(self).__name__} of {self.seconds:.3g} s: {', '.join(parts)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the film, or the sound, to be played on the page."""
        from mediagen.media.show import page

        return {"text/plain": repr(self), "text/html": page(self)}

    def save(self, path: str | Path) -> Path:
        """Writes an mp4 (H.264 + AAC), webm, wav, png or gif, by the name's ending; it appears whole or not at all.

        Raises RequestError for a name or a clip that does not fit, OutputError where the disk does not take it.
        """
        from mediagen.media.write import write_clip

        try:
            return write_clip(self, path)
        except ValueError as error:
            raise RequestError(str(error)) from None
        except OSError as error:
            told = (str(error),) if error.errno is None else (error.errno, error.strerror, str(path))
            raise OutputError(*told) from error


@dataclass(frozen=True, repr=False)
class Film(Clip):
    """A clip that has pictures."""

    frames: torch.Tensor


def to_float(frames: torch.Tensor) -> torch.Tensor:
    """uint8 (..., F, H, W, 3) to float32 (..., 3, F, H, W) in [-1, 1], the range of every network here."""
    return frames.movedim(-1, -4).float() / 127.5 - 1


def to_uint8(video: torch.Tensor) -> torch.Tensor:
    """float (..., 3, F, H, W) in [-1, 1] to uint8 (..., F, H, W, 3), clamped and rounded."""
    return ((video.movedim(-4, -1).float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
