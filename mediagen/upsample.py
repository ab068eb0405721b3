"""Twice the pixels: UpsampleModel, and the story of one film, from bilinear frames to sharp ones, section by section.

As in Movie Gen (arXiv 2410.13720, section 3.1.5): every frame is made larger by bilinear interpolation and encoded
alone, its latent stands beside the noisy one in channels, and a long film is made in windows of 14 frames that overlap
by 4, whose velocities are averaged at every step (MultiDiffusion, arXiv 2302.08113). Ours does the same in space, so
that no picture is too large. It reads no words: it needs no encoder of prompts, and takes any film. What it denoises is
the difference of the two latents, of which the larger part is known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from mediagen.media.clip import to_float, to_uint8
from mediagen.nn.denoiser import Conditions
from mediagen.sampling import OnStep, euler, linear
from mediagen.tae import TAE
from mediagen.text.text import Text
from mediagen.video import PreparedVideo, VideoConfig, VideoModel

FACTOR = 2
SPREAD = 0.36  # standard deviation of a sharp frame's latent minus the interpolated one's, over the training's pairs
_WORDLESS = 8  # width of the text that says nothing
_TOGETHER = 4  # windows that go through the model at once, and frames through the autoencoder


def upsample_config(base: VideoConfig) -> VideoConfig:
    """The config of an upsampler of the size of a video model of `base`."""
    return base.replace(patch=(1, 2, 2), beside_channels=base.latent_channels, text_widths=(_WORDLESS,))


class UpsampleModel(VideoModel):
    """A video model whose `beside` is the latent of the film made large by interpolation; latent frames are frames."""

    what = "upsample"
    PRESETS: ClassVar[dict[str, VideoConfig]] = {
        name: upsample_config(base) for name, base in VideoModel.PRESETS.items()
    } | {"tiny": upsample_config(VideoConfig(width=192, depth=6, heads=3, hidden=512, mixing=True))}

    def ready(self, conditions: Conditions, shape: tuple[int, int, int], times: list[float] | None = None
              ) -> PreparedVideo:  # fmt: skip
        """`prepare` without words."""
        assert conditions.beside is not None
        count, device = len(conditions.beside), conditions.beside.device
        blank = torch.zeros(count, 1, self.config.text_widths[0], device=device)
        text = Text((blank,), (torch.ones(count, 1, dtype=torch.bool, device=device),))
        return self.prepare(replace(conditions, text=text), shape, times)


def frames_of(tae: TAE) -> TAE:
    """The autoencoder of single frames that is folded out of one of films, on its device and in eval mode.

    Its latent of a frame is that of a film in which the frame stands still; see `TAE.grow`.
    """
    folded = TAE(tae.config.replace(stem=(1, *tae.config.stem[1:]), time=False))
    folded.load_state_dict(folded.grow(tae.state_dict(), tae.config))
    return folded.to(next(tae.parameters()).device).eval()


@dataclass(frozen=True)
class UpsampleModels:
    """The models that upsample, on one device and in eval mode. tae: of single frames (`TAEConfig.time` is false)."""

    model: UpsampleModel
    tae: TAE


@dataclass(frozen=True, kw_only=True)
class UpsampleWay:
    """How a film is made larger.

    steps: of the solver.  window, overlap: frames.  side, margin: of the square tiles, and how far they overlap, in
    latent cells.  section: windows that are solved together; the next section knows its first frames, so that a film of
    any length takes the memory of one.  average: whether velocities are averaged where windows overlap; without, each
    cell has that of the window in whose middle it lies (for comparison).
    """

    steps: int = 8
    window: int = 14
    overlap: int = 4
    side: int = 16
    margin: int = 4
    section: int = 3
    average: bool = True

    @property
    def frames(self) -> int:
        """Of a section."""
        return self.window + (self.section - 1) * (self.window - self.overlap)


def enlarged(frames: Tensor) -> Tensor:
    """uint8 (F, h, w, 3) at twice the size by bilinear interpolation, in [-1, 1] as (1, 3, F, 2h, 2w)."""
    wide = F.interpolate(to_float(frames[None])[0].movedim(1, 0), scale_factor=FACTOR, mode="bilinear")
    return wide.movedim(0, 1)[None]


@torch.no_grad()
def upscale_latents(models: UpsampleModels, film: Iterable[Tensor], *, rng: torch.Generator,
                    way: UpsampleWay | None = None, on_step: OnStep | None = None) -> Iterator[Tensor]:  # fmt: skip
    """The latents (1, C, F, h, w) of a film's frames at twice the size, in pieces; all of them, in order.

    film: uint8 (F, H, W, 3) in pieces of any length, all of one size.  on_step: as in `generate_video`, its index going
    on from section to section (`count_sections`).
    """
    way = way or UpsampleWay()
    before: Tensor | None = None
    for index, (frames, fresh) in enumerate(sections(film, way)):

        def counted(step: int, t: float, x: Tensor, done: int = index * way.steps) -> None:
            if on_step is not None:
                on_step(done + step, t, x)

        beside = _beside(models, frames, way)
        latent = upsample_latent(models.model, beside, rng=rng, way=way, known=before, on_step=counted)
        before = latent[:, :, -way.overlap :]
        yield latent[:, :, latent.shape[2] - fresh :]


@torch.no_grad()
def decode_large(tae: TAE, latents: Iterable[Tensor], size: tuple[int, int], film: Iterable[Tensor] = (),
                 keep: float = 0.0) -> Iterator[Tensor]:  # fmt: skip
    """Pictures, uint8 (F, H, W, 3) on the CPU and a few at a time, of the latents of `upscale_latents`.

    size: (width, height) of the pictures, without what filled them up.  film: the small pictures that they were made
    of.  keep: how far they are led back to these (1: made small again they are the film's, but for rounding), which an
    autoencoder alone does not do: right for a film that is sharp and clean, wrong for one with faults to be mended.
    """
    small = (frame for piece in film for frame in piece)
    for latent in latents:
        for part in latent.to(next(tae.parameters()).device).split(_TOGETHER, dim=2):
            made = to_uint8(tae.decode(part.float())[..., : size[1], : size[0]])[0].cpu()
            yield kept(made, torch.stack(list(islice(small, len(made)))), keep) if keep else made


def kept(large: Tensor, small: Tensor, keep: float) -> Tensor:
    """Large pictures (F, 2H, 2W, 3) led back to small ones (F, H, W, 3) by what they differ from them, made large."""
    wide, seen = (frames.permute(0, 3, 1, 2).float() for frames in (large, small))
    apart = seen - F.avg_pool2d(wide, FACTOR)
    wide += keep * F.interpolate(apart, scale_factor=FACTOR, mode="bicubic")
    return wide.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def sections(film: Iterable[Tensor], way: UpsampleWay) -> Iterator[tuple[Tensor, int]]:
    """Pieces of a film as sections (F, H, W, 3), and how many frames of each are new: the last ones.

    Each begins `overlap` frames before the end of the one before it.
    """
    held: Tensor | None = None
    known = 0
    for piece in film:
        held = piece if held is None else torch.cat((held, piece))
        while len(held) >= way.frames:
            yield held[: way.frames], way.frames - known
            held, known = held[way.frames - way.overlap :], way.overlap
    if held is None:
        raise ValueError("got a film without pictures, expected some; give another.")
    if len(held) > known:
        yield held, len(held) - known


def count_sections(frames: int, way: UpsampleWay) -> int:
    """How many sections a film of so many frames takes."""
    return 1 + max(0, -(-(frames - way.frames) // (way.frames - way.overlap)))


@torch.no_grad()
def upsample_latent(model: UpsampleModel, beside: Tensor, *, rng: torch.Generator, way: UpsampleWay,
                    known: Tensor | None = None, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """The latent (1, C, F, h, w) of sharp frames, out of that of interpolated ones, of at least a tile in size.

    known: of the result, its first latent frames.
    """
    begin, clean = torch.zeros_like(beside), torch.zeros_like(beside[:, :1])
    if known is not None:
        count = known.shape[2]
        begin[:, :, :count], clean[:, :, :count] = difference(known, beside[:, :, :count]), 1.0
    told = torch.cat((begin, clean, beside), dim=1)
    length, height, width = beside.shape[2:]
    times, channels = linear(way.steps), beside.shape[1]
    axes = [starts_of(length, way.window, way.overlap), starts_of(height, way.side, way.margin)]
    axes.append(starts_of(width, way.side, way.margin))
    shape = min(length, way.window), way.side, way.side
    weights = [_weights(size, way.average) for size in shape]
    weight = weights[0].view(-1, 1, 1) * weights[1].view(-1, 1) * weights[2]
    weight = weight.to(beside.device)
    windows = [tuple(slice(at, at + size) for at, size in zip(start, shape, strict=True)) for start in product(*axes)]
    groups = [windows[first : first + _TOGETHER] for first in range(0, len(windows), _TOGETHER)]
    prepared: list[PreparedVideo] = []
    for group in groups:
        parts = torch.cat([told[(..., *window)] for window in group]).split((channels, 1, channels), dim=1)
        conditions = Conditions(known=parts[0], clean=parts[1], beside=parts[2])
        prepared.append(model.ready(conditions, shape, times))
    total = torch.zeros_like(clean)
    for window in windows:
        total[(..., *window)] += weight

    def velocity(x: Tensor, t: float) -> Tensor:
        made = torch.zeros_like(x)
        for group, ready in zip(groups, prepared, strict=True):
            seen = torch.cat([x[(..., *window)] for window in group])
            for window, one in zip(group, model(seen, t, ready), strict=True):
                made[(..., *window)] += weight * one
        return made / total

    noise = torch.randn(beside.shape, generator=rng, device=rng.device)
    return beside + SPREAD * euler(velocity, noise, times, on_step)


def difference(sharp: Tensor, beside: Tensor) -> Tensor:
    """What the model denoises: a sharp latent minus the interpolated one's, in units of its spread."""
    return (sharp - beside) / SPREAD


def _beside(models: UpsampleModels, frames: Tensor, way: UpsampleWay) -> Tensor:
    """The latent of the frames made large; what is smaller than a tile, or no multiple of a token, is filled up."""
    device = next(models.tae.parameters()).device
    height, width = (FACTOR * size for size in frames.shape[1:3])
    unit, cell = models.tae.stride[1] * models.model.config.patch[1], models.tae.stride[1]
    wanted = [max(-(-size // unit) * unit, way.side * cell) for size in (height, width)]
    fill = (0, wanted[1] - width, 0, wanted[0] - height)
    latents = []
    for part in frames.split(_TOGETHER):
        wide = F.pad(enlarged(part.to(device))[0], fill, mode="replicate")[None]
        latents.append(models.tae.encode(wide).float())
    return torch.cat(latents, dim=2)


def starts_of(length: int, size: int, overlap: int) -> list[int]:
    """Where windows of `size` begin that cover `length`; the last ends with it."""
    if length <= size:
        return [0]
    return [*range(0, length - size, size - overlap), length - size]


def _weights(size: int, average: bool) -> Tensor:
    """How much a window counts along one axis: most in its middle; not averaged, hardly elsewhere."""
    distance = torch.minimum(torch.arange(size), torch.arange(size).flip(0)) + 1.0
    return (distance / distance.max()) ** (1 if average else 8)
