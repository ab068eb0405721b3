"""The sound codec: 48 kHz sound <-> latent frames at 25 Hz."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from mediagen.audio.codec.frontend import Mdct, Waveform
from mediagen.config import Config
from mediagen.grid import SOUND_HOP


@dataclass(frozen=True, kw_only=True)
class CodecConfig(Config):
    """Shape of a codec. hop * product(strides) must be 1920, the samples per latent frame."""

    hop: int = 240  # samples per frame of the front end: 1 is the waveform itself, more is an MDCT of that many bands
    waves: bool = True  # whether the decoder gives MDCT coefficients beside noise; a small one cannot follow phases
    tones: int = 0  # steady tones beside the MDCT: 24 to the octave from 65 Hz on
    strides: tuple[int, ...] = (2, 2, 2)
    encoder: tuple[int, ...] = (160, 192, 224, 256)  # widths, from the sound to the latent: one more than strides
    decoder: tuple[int, ...] = (256, 224, 208, 192)  # widths, from the latent to the sound
    latent: int = 48
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 3)  # one residual unit each, per stage

    def __post_init__(self) -> None:
        product = self.hop * math.prod(self.strides)
        if product != SOUND_HOP:
            raise ValueError(f"got hop * strides = {product}, expected {SOUND_HOP}; change hop or strides.")
        if self.hop == 1 and (self.tones or not self.waves):
            raise ValueError(f"got tones={self.tones}, waves={self.waves} and hop=1, expected 0 and True; raise hop.")
        for name in ("encoder", "decoder"):
            if len(getattr(self, name)) != len(self.strides) + 1:
                raise ValueError(f"got {name}={getattr(self, name)}, expected {len(self.strides) + 1} widths.")


PRESETS: dict[str, CodecConfig] = {
    "debug": CodecConfig(
        encoder=(16, 16, 16, 16), decoder=(16, 16, 16, 16), latent=8, dilations=(1,), waves=False, tones=24
    ),
    "tiny": CodecConfig(waves=False, tones=168),
    # Rates, widths and channels as released with SAM Audio, of the same family as Movie Gen Audio's DAC-VAE.
    "paper": CodecConfig(
        hop=1,
        strides=(2, 8, 10, 12),
        encoder=(64, 128, 256, 512, 1024),
        decoder=(1536, 768, 384, 192, 96),
        latent=128,
        kernel=7,
        dilations=(1, 3, 9),
    ),
}


class Codec(nn.Module):
    """A variational autoencoder of sound: DAC without its quantiser (Movie Gen, arXiv 2410.13720, section 6.1.1).

    encode (B, 1, S) -> (B, C, L), L = ceil(S / 1920), each channel of unit variance over the training sounds.
    decode (B, C, L) -> (B, 1, samples). Deterministic; any S >= 1.
    """

    Config = CodecConfig
    latent_mean: Tensor
    latent_std: Tensor
    seen: Tensor

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.frontend = Waveform() if config.hop == 1 else Mdct(config.hop, config.waves, config.tones)
        kernel, dilations, widths = config.kernel, config.dilations, config.encoder
        active = Snake if config.hop == 1 else _silu  # a spectrum has no period that a snake could follow
        layers: list[nn.Module] = [_conv(self.frontend.channels_in, widths[0], kernel)]
        for stride, a, b in zip(config.strides, widths, widths[1:], strict=False):
            layers += [Residual(a, kernel, d, active) for d in dilations]
            layers += [active(a), _Down(a, b, stride)]
        layers += [Residual(widths[-1], kernel, 1, active), Norm(widths[-1]), _conv(widths[-1], 2 * config.latent, 3)]
        self.encoder = nn.Sequential(*layers)
        with torch.no_grad():  # nearly deterministic at first: at unit variance the decoder would hear only noise
            layers[-1].get_parameter("bias")[config.latent :] = -5.0
        widths = config.decoder
        layers = [_conv(config.latent, widths[0], kernel), Residual(widths[0], kernel, 1, active)]
        for stride, a, b in zip(reversed(config.strides), widths, widths[1:], strict=False):
            layers += [active(a), Up(a, b, stride)]
            layers += [Residual(b, kernel, d, active) for d in dilations]
        layers += [Norm(widths[-1]), active(widths[-1]), _conv(widths[-1], self.frontend.channels_out, kernel)]
        self.decoder = nn.Sequential(*layers)
        # it starts near silence
        nn.init.normal_(layers[-1].get_parameter("weight"), std=0.1 * (kernel * widths[-1]) ** -0.5)
        self.register_buffer("latent_mean", torch.zeros(config.latent))
        self.register_buffer("latent_std", torch.ones(config.latent))
        self.register_buffer("seen", torch.zeros(()))

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """An untrained codec: "debug", "tiny" (a CPU's) or "paper"."""
        if name not in PRESETS:
            raise ValueError(f"got the codec preset '{name}', expected one of {', '.join(PRESETS)}.")
        return cls(PRESETS[name])

    def encode(self, sound: Tensor) -> Tensor:
        """(B, 1, S) at 48 kHz -> (B, C, L): the posterior's mean, normalised."""
        mean, _ = self.posterior(sound)
        return (mean - self.latent_mean[:, None]) / self.latent_std[:, None]

    def decode(self, latent: Tensor, samples: int | None = None, *, first: int = 0) -> Tensor:
        """(B, C, L) -> (B, 1, samples); without `samples`, all L * 1920 of them.

        first: frame of the whole sound at which this part of its latent begins.
        """
        check_latent(latent, self.config.latent)
        return cut(self._sound(self._features(latent), first), samples, latent.shape[-1])

    def _features(self, latent: Tensor) -> Tensor:
        return self.decoder(latent * self.latent_std[:, None] + self.latent_mean[:, None]).float()

    def _sound(self, features: Tensor, first: int = 0) -> Tensor:
        with _full_precision(features):
            return self.frontend.synthesise(features, first * SOUND_HOP // self.frontend.hop)

    def posterior(self, sound: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (B, C, L) of the raw latent of (B, 1, S); the end is padded with silence."""
        check_sound(sound)
        return self._posterior(self._analyse(sound))

    def _analyse(self, sound: Tensor) -> Tensor:
        with _full_precision(sound):
            return self.frontend.analyse(nn.functional.pad(sound, (0, -sound.shape[-1] % SOUND_HOP)))

    def _posterior(self, analysed: Tensor) -> tuple[Tensor, Tensor]:
        mean, variance = self.encoder(analysed).float().chunk(2, dim=1)
        return mean, variance.clamp(-14, 4)

    def reconstruct(self, sound: Tensor, noise: float, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """One pass in training: the decoded sound (B, 1, S) of a sampled latent, the KL term, and that of the tones.

        noise: standard deviation, in units of each channel's own, of what is added before decoding, so that small
        errors of a generated latent stay small in the sound. In training mode the running statistics are updated.
        """
        analysed = self._analyse(sound)
        mean, variance = self._posterior(analysed)
        if self.training:
            self._observe(mean.detach())
        kl = 0.5 * (mean.square() + variance.exp() - 1 - variance).mean()
        raw = mean + (0.5 * variance).exp() * _randn_like(mean, rng)
        latent = (raw - self.latent_mean[:, None]) / self.latent_std[:, None] + noise * _randn_like(mean, rng)
        features = self._features(latent)
        return self._sound(features)[..., : sound.shape[-1]], kl, self.frontend.far(features, analysed)

    @torch.no_grad()
    def _observe(self, mean: Tensor) -> None:
        self.seen += 1
        share = torch.clamp(1 / self.seen, min=0.01)
        self.latent_mean.lerp_(mean.mean((0, 2)), share)
        about = (mean - self.latent_mean[:, None]).square().mean((0, 2)) + 1e-8
        self.latent_std.copy_(self.latent_std.square().lerp(about, share).sqrt())


def check_sound(sound: Tensor) -> None:
    """ValueError for sound that is not (B, 1, S) with S >= 1."""
    if sound.ndim != 3 or sound.shape[1] != 1 or sound.shape[2] < 1:
        raise ValueError(f"got sound of shape {tuple(sound.shape)}, expected (B, 1, S); mix it down to one channel.")


def check_latent(latent: Tensor, channels: int) -> None:
    """ValueError for a latent that is not (B, channels, L)."""
    if latent.ndim != 3 or latent.shape[1] != channels:
        raise ValueError(f"got a latent of shape {tuple(latent.shape)}, expected (B, {channels}, L).")


def cut(sound: Tensor, samples: int | None, frames: int) -> Tensor:
    """The first `samples`, or all, of sound (B, 1, S) made of so many latent frames; ValueError for more than S."""
    if samples is not None and samples > sound.shape[-1]:
        raise ValueError(f"got samples={samples}, expected at most {sound.shape[-1]} from {frames} frames.")
    return sound[..., :samples]


class Snake(nn.Module):
    """x + sin(a x)^2 / a with a learned `a` per channel, biased to periodic signals (arXiv 2006.08195)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.ones(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.a * x).sin().square() / (self.a + 1e-9)


class Norm(nn.Module):
    """Root-mean-square normalisation over the channels of each frame, (B, C, F) -> (B, C, F)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.gain * (x.square().mean(1, keepdim=True) + 1e-4).rsqrt())


class Residual(nn.Module):
    """x + conv1(active(conv_k(active(norm(x))))): DAC's unit (arXiv 2306.06546, section 3.1).

    Normed where DAC norms its weights, which takes learning rates several times as high.
    """

    def __init__(self, width: int, kernel: int, dilation: int, active: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Norm(width), active(width), _conv(width, width, kernel, dilation), active(width), _conv(width, width, 1)
        )
        nn.init.zeros_(self.body[-1].get_parameter("weight"))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class _Down(nn.Sequential):
    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__(
            nn.ConstantPad1d((math.ceil(stride / 2), stride // 2), 0.0), nn.Conv1d(width, out, 2 * stride, stride)
        )


class Up(nn.Module):
    """A transposed convolution of twice the stride, cut to exactly stride times the length."""

    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.ConvTranspose1d(width, out, 2 * stride, stride)

    def forward(self, x: Tensor) -> Tensor:
        left = self.stride // 2
        return self.conv(x)[..., left : left + x.shape[-1] * self.stride]


def _full_precision(x: Tensor) -> contextlib.AbstractContextManager[object]:
    """No autocast: the transform's exactness is worth more than its speed."""
    return contextlib.nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


def _silu(width: int) -> nn.Module:
    return nn.SiLU()


def _conv(width: int, out: int, kernel: int, dilation: int = 1) -> nn.Conv1d:
    return nn.Conv1d(width, out, kernel, padding=dilation * (kernel - 1) // 2, dilation=dilation)


def _randn_like(x: Tensor, rng: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=rng, device=rng.device).to(x.device, x.dtype)
