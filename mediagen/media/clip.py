"""Clip: THE record that travels through the project."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
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
            raise ValueError(f"got frames {self.frames.dtype} {tuple(self.frames.shape)}, expected uint8 (F, H, W, 3).")
        if self.sound is not None and self.sound.ndim != 2:
            raise ValueError(f"got sound of shape {tuple(self.sound.shape)}, expected (channels, S).")

    @property
    def seconds(self) -> float:
        """Length in seconds: of the pictures, or of the sound where there are none."""
        if self.frames is not None:
            return len(self.frames) / self.fps
        return 0.0 if self.sound is None else self.sound.shape[-1] / self.rate

    def save(self, path: str | Path) -> Path:
        """Writes an mp4 (H.264 + AAC), webm, wav, png or gif, by the name's ending; it appears whole or not at all."""
        from mediagen.media.write import write_clip

        return write_clip(self, path)


def to_float(frames: torch.Tensor) -> torch.Tensor:
    """uint8 (..., F, H, W, 3) to float32 (..., 3, F, H, W) in [-1, 1], the range of every network here."""
    return frames.movedim(-1, -4).float() / 127.5 - 1


def to_uint8(video: torch.Tensor) -> torch.Tensor:
    """float (..., 3, F, H, W) in [-1, 1] to uint8 (..., F, H, W, 3), clamped and rounded."""
    return ((video.movedim(-4, -1).float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
