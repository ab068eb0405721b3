"""The story of one clip: words to text, noise to latent, latent to frames."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mediagen.grid import Grid
from mediagen.guidance import cfg
from mediagen.media.clip import to_float, to_uint8
from mediagen.sampling import OnStep, euler, linear_quadratic
from mediagen.tae import TAE
from mediagen.text.text import TextEncoder, with_fps
from mediagen.video import VideoModel

STILL = (
    0.5  # in a `clean` mask: a picture that the clip starts from, which the first latent frame holds still; 1: exact
)


class FrameDecoder(Protocol):
    """What makes frames of a latent, as `TAE` does: torch's own, or one in an ONNX file."""

    def decode(self, latent: Tensor, frames: int | None = None) -> Tensor: ...

    def decode_tiled(self, latent: Tensor, frames: int | None = None) -> Tensor: ...


@dataclass(frozen=True)
class VideoModels:
    """The models that make pictures, all on one device and in eval mode. decoder: in place of the `tae`'s own."""

    text: TextEncoder
    tae: TAE
    video: VideoModel
    decoder: FrameDecoder | None = None


@torch.no_grad()
def generate_latent(models: VideoModels, prompts: list[str], grid: Grid, *,
                    rng: torch.Generator | list[torch.Generator], negative: str = "",
                    steps: int = 50, scale: float = 3.0, times: list[float] | None = None, known: Tensor | None = None,
                    clean: Tensor | None = None, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Latents (B, C, L, h, w) of one clip per prompt.

    rng: for all together, or one each, with which every clip has the noise that it would have alone.
    scale: of classifier-free guidance.  times: the schedule; linear-quadratic over `steps` by default.  known: latent
    (B, C, L, h, w) that the clip agrees with, where clean (B, 1, L, h, w) is above 0 (`known_start` makes both).
    on_step(index, t, x) is called after each step; what it raises cancels.
    """
    guided = scale != 1.0
    words = [with_fps(prompt, grid.fps) for prompt in prompts] + [negative] * (len(prompts) * guided)
    times = times or linear_quadratic(steps)
    if guided and known is not None and clean is not None:
        known, clean = torch.cat((known, known)), torch.cat((clean, clean))
    prepared = models.video.prepare(models.text.encode(words), grid.latent, known, clean, times)
    velocity = cfg(models.video, prepared, scale)
    shape = (len(prompts), models.video.config.latent_channels, *grid.latent)
    each = rng if isinstance(rng, list) else [rng]
    one = (len(prompts) // len(each), *shape[1:])
    noise = torch.cat([torch.randn(one, generator=own, device=own.device) for own in each])
    return euler(velocity, noise, times, on_step)


@torch.no_grad()
def decode_frames(models: VideoModels, latent: Tensor, frames: int) -> Tensor:
    """Latents to uint8 pictures (B, F, H, W, 3); clips above eight latent frames in tiles."""
    decoder = models.decoder or models.tae
    decode = decoder.decode if latent.shape[2] <= 8 else decoder.decode_tiled
    return to_uint8(decode(latent, frames))


@torch.no_grad()
def known_start(models: VideoModels, frames: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """What a clip must begin with, as (known, clean): one picture (1, H, W, 3), or the last frames of a clip.

    frames: uint8 (F, H, W, 3) at the grid's size; of several frames the whole latent frames at the end are kept.
    """
    time = models.tae.stride[0]
    count = 1 if len(frames) == 1 else len(frames) // time
    if count < 1 or (count >= max(2, grid.latent[0]) and len(frames) > 1):
        raise ValueError(
            f"got {len(frames)} frames to begin a clip of {grid.frames}, "
            f"expected 1 or from {time} to {grid.frames - time}."
        )
    begin = models.tae.encode(to_float(frames[-count * time :] if len(frames) > 1 else frames).unsqueeze(0))
    known = torch.zeros(1, begin.shape[1], *grid.latent, device=begin.device)
    clean = torch.zeros(1, 1, *grid.latent, device=begin.device)
    known[:, :, :count] = begin
    clean[:, :, :count] = STILL if len(frames) == 1 else 1.0
    return known, clean
