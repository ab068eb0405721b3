"""What a codec's networks work on: the waveform itself, or its MDCT, which is exact, sharp in time and cheap."""

import math

import torch
from torch import Tensor, nn


class Waveform(nn.Module):
    """The identity: (B, 1, S) <-> (B, 1, S), with a tanh at the way out as in DAC (arXiv 2306.06546, section 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.hop, self.channels_in, self.channels_out = 1, 1, 1

    def analyse(self, sound: Tensor) -> Tensor:
        return sound

    def synthesise(self, features: Tensor, first: int | Tensor = 0) -> Tensor:
        return features.tanh()


class Mdct(nn.Module):
    """The modified discrete cosine transform with a sine slope, exact for any whole number of blocks of `hop` samples.

    Written as rotations across the borders of blocks followed by a DCT-IV inside each block. No rotation is made at the
    two ends, so F blocks give exactly F frames and the transform is orthogonal to the last sample.

    analyse (B, 1, F * hop) -> (B, 2 * hop, F): coefficients on an asinh scale, which holds quiet ambience and loud
    impacts alike, and their absolute values.
    synthesise (B, 2 * hop, F) -> (B, 1, F * hop): the first half of the channels are coefficients on a cubic scale (a
    sinh would do the same, until a large step of training throws it to where no slope leads back), the other half are
    log gains of a fixed noise, so that a network need not invent wind and rain sample by sample. first: the frame at
    which they begin in the whole sound, which says where in the noise they are.
    """

    dct: Tensor
    slope: Tensor
    noise: Tensor
    SCALE = 0.005  # where the asinh scale turns from linear to logarithmic
    NOISE_FRAMES = 1021  # the fixed noise repeats after this many frames

    def __init__(self, hop: int) -> None:
        super().__init__()
        self.hop, self.channels_in, self.channels_out = hop, 2 * hop, 2 * hop
        n = torch.arange(hop, dtype=torch.float64, device="cpu") + 0.5
        dct = math.sqrt(2 / hop) * torch.cos(math.pi / hop * n[:, None] * n)
        angle = math.pi / 2 * (torch.arange(hop // 2, dtype=torch.float64, device="cpu") + 0.5) / hop
        noise = torch.randn(hop, self.NOISE_FRAMES, generator=torch.Generator("cpu").manual_seed(0), device="cpu")
        self.register_buffer("dct", dct.float(), persistent=False)
        self.register_buffer("slope", torch.stack([angle.cos(), angle.sin()]).float(), persistent=False)
        self.register_buffer("noise", noise, persistent=False)

    def forward_transform(self, sound: Tensor) -> Tensor:
        """(B, 1, F * hop) -> (B, hop, F), orthonormal."""
        blocks = sound.reshape(sound.shape[0], -1, self.hop)
        return (self._rotate(blocks, 1.0) @ self.dct).transpose(1, 2)

    def inverse_transform(self, coefficients: Tensor) -> Tensor:
        """(B, hop, F) -> (B, 1, F * hop), the inverse of `forward_transform`."""
        blocks = coefficients.transpose(1, 2) @ self.dct
        return self._rotate(blocks, -1.0).reshape(len(blocks), 1, -1)

    def _rotate(self, blocks: Tensor, direction: float) -> Tensor:
        half = self.hop // 2
        cosine, sine = self.slope[0], direction * self.slope[1]
        head, tail = blocks[..., :half], blocks[..., half:].flip(-1)  # both run away from the border that they touch
        before, after = tail[:, :-1], head[:, 1:]
        # angle 0 is far from the border, 45 degrees at it: index 0 touches it, so the slope runs backwards
        cosine, sine = cosine.flip(-1), sine.flip(-1)
        new_before, new_after = cosine * before - sine * after, cosine * after + sine * before
        head = torch.cat([head[:, :1], new_after], 1)
        tail = torch.cat([new_before, tail[:, -1:]], 1)
        return torch.cat([head, tail.flip(-1)], -1)

    def analyse(self, sound: Tensor) -> Tensor:
        coefficients = torch.asinh(self.forward_transform(sound) / self.SCALE) / 2
        return torch.cat([coefficients, coefficients.abs()], 1)

    def synthesise(self, features: Tensor, first: int | Tensor = 0) -> Tensor:
        tones, gains = features.chunk(2, dim=1)
        index = (first + torch.arange(features.shape[-1], device=features.device)) % self.NOISE_FRAMES
        gains = 3 * gains - 1
        loud = gains.clamp(max=5.0).exp() + 148 * (gains - 5.0).clamp_min(0)  # exponential, then straight
        return self.inverse_transform(0.02 * tones * (1 + tones.square()) + 0.002 * loud * self.noise[:, index])
