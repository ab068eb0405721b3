"""Grid: seconds <-> frames <-> latent frames <-> tokens <-> samples. Nobody else divides by 8 or by 1920."""

import math
from dataclasses import dataclass
from typing import Self

SOUND_RATE = 48_000  # Hz
SOUND_HOP = 1_920  # samples per latent frame of sound: 25 Hz (Movie Gen Audio)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The sizes of one clip in every space. Movie Gen (arXiv 2410.13720) compresses time, height, width by 8 each."""

    frames: int
    height: int
    width: int
    fps: float
    stride: tuple[int, int, int] = (8, 8, 8)  # pixels per latent cell: time, height, width
    patch: tuple[int, int, int] = (1, 2, 2)  # latent cells per token

    @classmethod
    def of(
        cls,
        seconds: float,
        size: tuple[int, int],
        fps: float,
        stride: tuple[int, int, int] = (8, 8, 8),
        patch: tuple[int, int, int] = (1, 2, 2),
    ) -> Self:
        """The grid of `seconds` at `size` = (width, height) pixels; raises ValueError where the size does not fit."""
        width, height = size
        unit = (stride[1] * patch[1], stride[2] * patch[2])
        if height % unit[0] or width % unit[1] or height <= 0 or width <= 0:
            near = (max(1, round(width / unit[1])) * unit[1], max(1, round(height / unit[0])) * unit[0])
            raise ValueError(
                f"got a size of {width}x{height}, expected multiples of {unit[1]}x{unit[0]}; use {near[0]}x{near[1]}."
            )
        frames = max(1, round(seconds * fps))
        return cls(frames=frames, height=height, width=width, fps=fps, stride=stride, patch=patch)

    @property
    def latent(self) -> tuple[int, int, int]:
        """Latent frames, rows and columns; the last latent frames may stand for fewer frames than they could."""
        length = math.ceil(self.frames / (self.stride[0] * self.patch[0])) * self.patch[0]
        return length, self.height // self.stride[1], self.width // self.stride[2]

    @property
    def tokens(self) -> int:
        """Tokens of the video transformer."""
        return math.prod(math.ceil(cells / patch) for cells, patch in zip(self.latent, self.patch, strict=True))

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    @property
    def samples(self) -> int:
        """Samples of sound at 48 kHz that cover exactly the pictures."""
        return round(self.seconds * SOUND_RATE)

    @property
    def sound_latents(self) -> int:
        """Latent frames of sound that cover the pictures."""
        return sound_latents(self.samples)


def sound_latents(samples: int) -> int:
    """Latent frames (25 Hz) that cover `samples` of 48 kHz sound."""
    return math.ceil(samples / SOUND_HOP)
