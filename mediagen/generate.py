"""The story of one clip: words to latent, latent to frames; from nothing, from a picture, or on from its own end."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mediagen.generator import Generator
from mediagen.grid import Grid
from mediagen.media.clip import to_float, to_uint8
from mediagen.nn.denoiser import Conditions
from mediagen.sampling import OnStep
from mediagen.tae import TAE

STILL = 0.5  # in a `clean` mask: a picture that the clip starts from, which the first latent frame holds; 1: exact


class FrameDecoder(Protocol):
    """What makes frames of a latent, as `TAE` does: torch's own, or one in an ONNX file."""

    def decode(self, latent: Tensor, frames: int | None = None) -> Tensor: ...

    def decode_tiled(self, latent: Tensor, frames: int | None = None) -> Tensor: ...


@dataclass(frozen=True)
class VideoModels:
    """The models that make pictures, all on one device and in eval mode. decoder: in place of the `tae`'s own."""

    generator: Generator
    tae: TAE
    decoder: FrameDecoder | None = None

    def grid(self, seconds: float, size: tuple[int, int], fps: float) -> Grid:
        """The grid of a clip of these models; size: (width, height) in pixels."""
        return Grid.of(seconds, size, fps, self.tae.stride, self.generator.patch)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How pictures are made. steps: of the solver.  scale: of guidance, which leads away from the negative prompt."""

    steps: int = 50
    scale: float = 3.0


@torch.no_grad()
def generate_video(models: VideoModels, prompt: str, grid: Grid, *, rngs: list[torch.Generator], negative: str = "",
                   begin: Tensor | None = None, way: Way | None = None, on_step: OnStep | None = None,
                   on_decode: Callable[[], None] | None = None) -> Tensor:  # fmt: skip
    """uint8 frames (B, F, H, W, 3) on the CPU, of as many clips as there are `rngs`, each with the noise of its own.

    begin: uint8 frames of the grid's size that they begin with, see `known_start`.  on_step(index, t, latent) is called
    after each step of the solver and on_decode() before the frames are decoded; what they raise cancels.
    """
    way, count = way or Way(), len(rngs)
    conditions = None if begin is None else known_start(models.tae, begin, grid).repeat(count)
    latent = models.generator.latents([prompt] * count, grid, rng=rngs, steps=way.steps, scale=way.scale,
                                      negative=negative, conditions=conditions, on_step=on_step)  # fmt: skip
    if on_decode is not None:
        on_decode()
    return torch.cat([decode_frames(models, one[None], grid.frames).cpu() for one in latent])


def extend_video(models: VideoModels, frames: Tensor, prompt: str, grid: Grid, count: int, *, rng: torch.Generator,
                 negative: str = "", way: Way | None = None, on_step: OnStep | None = None,
                 on_decode: Callable[[], None] | None = None) -> Tensor:  # fmt: skip
    """`frames` (F, H, W, 3) and `count` more that go on from them, window by window.

    grid: of one window, the longest clip that the model was trained for; the first half of it is known, from the end of
    what is there.  on_step is called way.steps times in each of `count_windows`, its index going on.
    """
    way, half, made = way or Way(), grid.latent[0] // 2, 0
    for window in range(count_windows(grid, count)):
        whole = min(len(frames) // grid.stride[0], half)  # latent frames of the clip that the window can know
        begin = frames[-whole * grid.stride[0] :] if whole else frames[-1:]

        def counted(index: int, t: float, x: Tensor, done: int = window * way.steps) -> None:
            if on_step is not None:
                on_step(done + index, t, x)

        seen = generate_video(models, prompt, grid, rngs=[rng], negative=negative, begin=begin, way=way,
                              on_step=counted, on_decode=on_decode)[0]  # fmt: skip
        new = seen[len(begin) :][: min(_fresh(grid), count - made)]
        frames, made = torch.cat((frames, new)), made + len(new)
    return frames


def count_windows(grid: Grid, count: int) -> int:
    """How many windows make `count` frames more."""
    return math.ceil(count / _fresh(grid))


def _fresh(grid: Grid) -> int:
    """New frames of a window, of which half of the latent frames are known, or a picture where there is but one."""
    if grid.frames < 2:
        raise ValueError(
            "got windows of 1 frame, expected 2 or more; give a model of clips, which can go on from a frame."
        )
    return grid.frames - max(1, grid.latent[0] // 2 * grid.stride[0])


@torch.no_grad()
def known_start(tae: TAE, frames: Tensor, grid: Grid) -> Conditions:
    """What a clip must begin with, as known and clean: one picture (1, H, W, 3), or the last frames of a clip.

    frames: uint8 (F, H, W, 3) at the grid's size; of several frames the whole latent frames at the end are kept.
    """
    time, device = tae.stride[0], next(tae.parameters()).device
    count = 1 if len(frames) == 1 else len(frames) // time
    if count < 1 or (count >= max(2, grid.latent[0]) and len(frames) > 1):
        raise ValueError(
            f"got {len(frames)} frames to begin a clip of {grid.frames}, "
            f"expected 1 or from {time} to {grid.frames - time}."
        )
    picture = to_float((frames[-count * time :] if len(frames) > 1 else frames).to(device).unsqueeze(0))
    begin = tae.encode(picture)
    known = torch.zeros(1, begin.shape[1], *grid.latent, device=device)
    clean = torch.zeros(1, 1, *grid.latent, device=device)
    known[:, :, :count] = begin
    clean[:, :, :count] = STILL if len(frames) == 1 else 1.0
    return Conditions(known=known, clean=clean)


@torch.no_grad()
def decode_frames(models: VideoModels, latent: Tensor, frames: int) -> Tensor:
    """Latents to uint8 pictures (B, F, H, W, 3); clips above eight latent frames in tiles."""
    decoder = models.decoder or models.tae
    decode = decoder.decode if latent.shape[2] <= 8 else decoder.decode_tiled
    return to_uint8(decode(latent, frames))
