"""TAE: the temporal autoencoder. Videos of any length and size to latents 8x smaller in time and space, and back.

2.5D as in Movie Gen (arXiv 2410.13720, section 3.1.1): after every convolution over space one over time, symmetric
replicate padding, stride-2 down in time, nearest-neighbour up; an image is a one-frame video; tiled decoding.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.nn.conv import ConvBlock, FrameAttention, SpaceConv, TimeConv, upsample


@dataclass(frozen=True, kw_only=True)
class TAEConfig(Config):
    """Sizes of a temporal autoencoder.

    stem: pixels (time, height, width) folded into channels before the first convolution, 1 in the report; the tiny
    preset folds 2x2x2, which costs a CPU eight times less.  widths, blocks: channels and residual blocks per level,
    finest first; each level after the first halves time, height and width.  attention: at the coarsest level.
    skip: a linear path beside the convolutions, set by PCA over patches of a latent cell (`TAE.fit_linear`).
    blend: whether the decoder's finest level is told what the linear path gives, so that its convolutions can clear
    the borders of the patches; it starts without influence.
    noise: standard deviation, in units of the latent's own, of noise added before decoding in training (drawn from 0
    to this), which makes the latent space smooth: a variational autoencoder of fixed variance.
    time: whether frames are read together; without, each has a latent frame of its own, as one that stands still.
    """

    latent_channels: int = 16
    stem: tuple[int, int, int] = (2, 2, 2)
    widths: tuple[int, ...] = (32, 112, 192)
    encoder_blocks: tuple[int, ...] = (1, 1, 1)
    decoder_blocks: tuple[int, ...] = (1, 2, 2)
    attention: bool = True
    skip: bool = True
    blend: bool = False
    replicate: bool = True  # borders of pictures are padded with their nearest pixels, not with zeros
    noise: float = 0.3
    time: bool = True

    def __post_init__(self) -> None:
        if not self.time and self.stem[0] != 1:
            raise ValueError(f"got time=false and stem={self.stem}, expected a stem of 1 in time; set it.")

    @property
    def stride(self) -> tuple[int, int, int]:
        """Pixels per latent cell: time, height, width."""
        down = 2 ** (len(self.widths) - 1)
        return self.stem[0] * down if self.time else 1, self.stem[1] * down, self.stem[2] * down


class TAE(nn.Module):
    """The temporal autoencoder. Latents have zero mean and unit variance per channel over the training data."""

    Config = TAEConfig
    PRESETS: ClassVar[dict[str, TAEConfig]] = {
        "tiny": TAEConfig(),
        "standard": TAEConfig(
            stem=(1, 2, 2), widths=(48, 112, 192), decoder_blocks=(2, 2, 2), blend=True, replicate=False
        ),
        "frames": TAEConfig(
            stem=(1, 2, 2), widths=(48, 112, 192), decoder_blocks=(2, 2, 2), blend=True, replicate=False, time=False
        ),
        "standard-8x8x8": TAEConfig(widths=(48, 112, 192), decoder_blocks=(2, 2, 2), blend=True, replicate=False),
        "small": TAEConfig(
            widths=(64, 144, 224),
            encoder_blocks=(1, 1, 2),
            decoder_blocks=(2, 2, 2),
        ),
        "base": TAEConfig(
            stem=(1, 1, 1),
            widths=(128, 256, 512, 512),
            encoder_blocks=(2, 2, 2, 2),
            decoder_blocks=(3, 3, 3, 3),
            skip=False,
            noise=0.1,
        ),
    }

    def __init__(self, config: TAEConfig):
        super().__init__()
        self.config = config
        self.stride = config.stride
        pixels = 3 * math.prod(config.stem)
        widths, top = config.widths, config.widths[-1]
        self.read = nn.Conv2d(pixels, widths[0], 1)
        self.encoder = nn.ModuleList(
            _Down(widths[i - 1] if i else None, width, config.encoder_blocks[i], config.replicate)
            for i, width in enumerate(widths)
        )
        self.encoder_attention = FrameAttention(top) if config.attention else None
        self.to_latent = nn.Conv2d(top, config.latent_channels, 1)
        self.from_latent = nn.Conv2d(config.latent_channels, top, 1)
        self.decoder_attention = FrameAttention(top) if config.attention else None
        self.decoder = nn.ModuleList(
            _Up(widths[i], widths[i - 1] if i else None, config.decoder_blocks[i], config.replicate, config.time)
            for i in reversed(range(len(widths)))
        )
        self.write = SpaceConv(widths[0], pixels, replicate=config.replicate)
        if config.skip:
            patch = 3 * math.prod(self.stride)
            self.linear_in = nn.Linear(patch, config.latent_channels)
            self.linear_out = nn.Linear(config.latent_channels, patch)
            for parameter in (*self.linear_in.parameters(), *self.linear_out.parameters()):
                parameter.lr_scale = 0.07  # type: ignore[attr-defined]  # Adam at full rate wrecks the wide PCA matrices
            if config.blend:
                self.blend = nn.Conv2d(pixels, widths[0], 1)
                nn.init.zeros_(self.blend.weight)
                nn.init.zeros_(self.blend.bias)  # type: ignore[arg-type]
        self.register_buffer("latent_mean", torch.zeros(config.latent_channels))
        self.register_buffer("latent_std", torch.ones(config.latent_channels))
        self.latent_mean: Tensor
        self.latent_std: Tensor

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """A new, untrained model of a preset: tiny, small or base."""
        if name not in cls.PRESETS:
            raise ValueError(f"got the TAE preset '{name}', expected one of {', '.join(cls.PRESETS)}.")
        return cls(cls.PRESETS[name])

    def encode(self, video: Tensor) -> Tensor:
        """(B, 3, F, H, W) in [-1, 1] to a normalised latent (B, C, ceil(F / 8), H / 8, W / 8)."""
        return (self.encode_raw(video) - _per_channel(self.latent_mean)) / _per_channel(self.latent_std)

    def encode_raw(self, video: Tensor) -> Tensor:
        """The latent before its normalisation, as the training sees it."""
        time, height, width = self.stride
        if video.ndim != 5 or video.shape[1] != 3 or video.shape[3] % height or video.shape[4] % width:
            raise ValueError(
                f"got a video of shape {tuple(video.shape)}, "
                f"expected (B, 3, F, H, W) with H a multiple of {height} and W of {width}."
            )
        missing = -video.shape[2] % time
        if missing:  # the last frame stands still for what the latent frame lacks
            video = torch.cat((video, video[:, :, -1:].expand(-1, -1, missing, -1, -1)), dim=2)
        a, b, c = self.config.stem
        frames = video.shape[2] // a
        frames = frames if self.config.time else 1  # each alone, in the batch
        x = rearrange(video, "B C (F a) (H b) (W c) -> (B F) (C a b c) H W", a=a, b=b, c=c)
        x = self.read(x.contiguous(memory_format=torch.channels_last))
        for level in self.encoder:
            x, frames = level(x, frames)
        if self.encoder_attention is not None:
            x = self.encoder_attention(x, frames)
        latent = rearrange(self.to_latent(x), "(B L) C H W -> B C L H W", B=len(video))
        if self.config.skip:
            patches = rearrange(video, "B C (L a) (H b) (W c) -> B L H W (C a b c)", a=time, b=height, c=width)
            latent = latent + self.linear_in(patches).movedim(-1, 1)
        return latent

    def decode(self, latent: Tensor, frames: int | None = None) -> Tensor:
        """A normalised latent (B, C, L, h, w) to (B, 3, F, 8h, 8w) in about [-1, 1]; F = 8L, or its first `frames`."""
        raw = latent * _per_channel(self.latent_std) + _per_channel(self.latent_mean)
        return self.decode_raw(raw)[:, :, :frames]

    def decode_raw(self, latent: Tensor) -> Tensor:
        """Decodes a latent that is not normalised, all 8L frames of it."""
        time, height, width = self.stride
        frames = latent.shape[2] if self.config.time else 1
        x = rearrange(latent, "B C L H W -> (B L) C H W").contiguous(memory_format=torch.channels_last)
        x = self.from_latent(x)
        if self.decoder_attention is not None:
            x = self.decoder_attention(x, frames)
        for level in self.decoder[:-1]:
            x, frames = level(x, frames)
        a, b, c = self.config.stem
        plain = None
        if self.config.skip:
            plain = rearrange(
                self.linear_out(latent.movedim(1, -1)),
                "B L H W (C t p x q y r) -> (B L t) (C p q r) (H x) (W y)",
                C=3,
                t=time // a,
                x=height // b,
                y=width // c,
                p=a,
                q=b,
                r=c,
            ).contiguous(memory_format=torch.channels_last)
            if self.config.blend:
                x = x + self.blend(plain)
        x, frames = self.decoder[-1](x, frames)
        folded = self.write(x) if plain is None else self.write(x) + plain
        return rearrange(folded, "(B F) (C a b c) H W -> B C (F a) (H b) (W c)", B=len(latent), a=a, b=b, c=c)

    def decode_tiled(self, latent: Tensor, frames: int | None = None, *, tile: int = 4, overlap: int = 2) -> Tensor:
        """As `decode`, in tiles of `tile` latent frames blended linearly over `overlap`, in memory that does not grow.

        Movie Gen (section 3.1.1): tiles of 32 frames (4 latent), decoder overlap of 16 frames (2 latent).
        """
        return decode_in_tiles(self.decode, latent, frames, self.stride[0], tile, overlap)

    def grow(self, tensors: dict[str, Tensor], old: TAEConfig) -> dict[str, Tensor]:
        """The tensors of an autoencoder of films as those of one of single frames (`time`): what each makes is equal.

        A frame that stands still is the same in each of its latent frame's pictures but for the linear path, of whose
        pictures the mean is taken.
        """
        if self.config.time or not old.time:
            return tensors
        grown = dict(tensors)
        for name, times, axis in (
            ("read.weight", old.stem[0], 1),
            ("blend.weight", old.stem[0], 1),
            ("linear_in.weight", old.stride[0], 1),
            ("write.weight", old.stem[0], 0),
            ("write.bias", old.stem[0], 0),
            ("linear_out.weight", old.stride[0], 0),
            ("linear_out.bias", old.stride[0], 0),
        ):
            if name in grown:  # the axis is of colour, time, height and width
                parts = grown[name].unflatten(axis, (3, times, -1))
                part = parts.sum(axis + 1) if axis else parts.mean(axis + 1)
                grown[name] = part.flatten(axis, axis + 1)
        return grown

    @torch.no_grad()
    def fit_linear(self, videos: Tensor) -> None:
        """Sets the linear path by PCA over the latent-sized patches of `videos` (B, 3, F, H, W), outputs whitened."""
        if not self.config.skip:
            raise ValueError("got a TAE without a linear path; set skip=true in its config.")
        time, height, width = self.stride
        rows = rearrange(videos, "B C (L a) (H b) (W c) -> (B L H W) (C a b c)", a=time, b=height, c=width).double()
        mean = rows.mean(0)
        values, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
        basis = vectors[:, -self.config.latent_channels :]
        scale = values[-self.config.latent_channels :].clamp_min(1e-8).sqrt()
        self.linear_in.weight.copy_((basis / scale).T)
        self.linear_in.bias.copy_(-(mean @ (basis / scale)))
        self.linear_out.weight.copy_(basis * scale)
        self.linear_out.bias.copy_(mean)
        for last in (self.to_latent, self.write):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]


class _Down(nn.Module):
    """One encoder level: halves time, height and width when it has a level before it, then residual blocks."""

    def __init__(self, cin: int | None, width: int, blocks: int, replicate: bool):
        super().__init__()
        self.space = SpaceConv(cin, width, 2, replicate) if cin else None
        self.time = TimeConv(width, stride=2) if cin else None
        self.blocks = nn.ModuleList(ConvBlock(width, replicate) for _ in range(blocks))

    def forward(self, x: Tensor, frames: int) -> tuple[Tensor, int]:
        if self.space is not None and self.time is not None:
            x, frames = self.time(self.space(x), frames)
        for block in self.blocks:
            x = block(x, frames)
        return x, frames


class _Up(nn.Module):
    """One decoder level: residual blocks, then doubles time, height and width towards the next level's width."""

    def __init__(self, width: int, cout: int | None, blocks: int, replicate: bool, doubles: bool):
        super().__init__()
        self.doubles = doubles
        self.blocks = nn.ModuleList(ConvBlock(width, replicate) for _ in range(blocks))
        self.narrow = nn.Conv2d(width, cout, 1) if cout else None
        self.space = SpaceConv(cout, cout, replicate=replicate) if cout else None
        self.time = TimeConv(cout) if cout else None

    def forward(self, x: Tensor, frames: int) -> tuple[Tensor, int]:
        for block in self.blocks:
            x = block(x, frames)
        if self.narrow is not None and self.space is not None and self.time is not None:
            x, frames = upsample(self.narrow(x), frames, self.doubles)
            x, frames = self.time(self.space(x), frames)
        return x, frames


def decode_in_tiles(
    decode: Callable[[Tensor], Tensor], latent: Tensor, frames: int | None, time: int, tile: int, overlap: int
) -> Tensor:
    """What `decode_tiled` does, for any decoder that makes `time` frames of a latent frame."""
    if not 0 <= overlap < tile:
        raise ValueError(f"got an overlap of {overlap} and tiles of {tile}, expected 0 <= overlap < tile.")
    parts: list[Tensor] = []
    for start in range(0, max(1, latent.shape[2] - overlap), tile - overlap):
        video = decode(latent[:, :, start : start + tile])
        if parts and overlap:
            blend, tail = overlap * time, parts[-1]
            weight = ((torch.arange(blend, device=video.device) + 0.5) / blend).view(1, 1, -1, 1, 1)
            seam = torch.lerp(tail[:, :, -blend:], video[:, :, :blend], weight.to(video.dtype))
            parts[-1], video = tail[:, :, :-blend], torch.cat((seam, video[:, :, blend:]), dim=2)
        parts.append(video)
    return torch.cat(parts, dim=2)[:, :, :frames]


def _per_channel(values: Tensor) -> Tensor:
    return values.view(1, -1, 1, 1, 1)


def outlier_penalty(latent: Tensor, r: float = 3.0) -> Tensor:
    """Mean excess of each position's norm over r times the RMS radius of its frame (Movie Gen, outlier penalty loss).

    latent: (B, C, L, h, w).  Returns a scalar; the report weights it by 1e5.
    """
    mean = latent.mean((-2, -1), keepdim=True)
    radius = latent.std((-2, -1), correction=0).norm(dim=1)
    distance = (latent - mean).norm(dim=1)
    return F.relu(distance - r * radius[..., None, None]).mean()
