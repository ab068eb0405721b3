"""What a codec's networks work on: the waveform itself, or its MDCT, which is exact, sharp in time and cheap."""

import math

import torch
from torch import Tensor, nn

from mediagen.grid import SOUND_RATE
from mediagen.nn.spectral import HIGHEST, spectrum

_AROUND = 8  # tones on both sides that one is compared with


class Waveform(nn.Module):
    """The identity: (B, 1, S) <-> (B, 1, S), with a tanh at the way out as in DAC (arXiv 2306.06546, section 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.hop, self.channels_in, self.channels_out, self.waves = 1, 1, 1, True

    def analyse(self, sound: Tensor) -> Tensor:
        return sound

    def synthesise(self, features: Tensor, first: int | Tensor = 0) -> Tensor:
        return features.tanh()

    def far(self, features: Tensor, analysed: Tensor) -> Tensor:
        return features.new_zeros(())


class Mdct(nn.Module):
    """The modified discrete cosine transform with a sine slope, exact for any whole number of blocks of `hop` samples.

    waves: whether a network gives coefficients; without, sound is noise and tones.  tones: steady tones, see `Tones`.

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

    def __init__(self, hop: int, waves: bool = True, tones: int = 0) -> None:
        super().__init__()
        self.hop, self.waves = hop, waves
        self.channels_in, self.channels_out = 2 * hop + tones, (1 + waves) * hop + tones
        self.tones = Tones(tones, hop) if tones else None
        n = torch.arange(hop, dtype=torch.float64, device="cpu") + 0.5
        dct = math.sqrt(2 / hop) * torch.cos(math.pi / hop * n[:, None] * n)
        angle = math.pi / 2 * (torch.arange(hop // 2, dtype=torch.float64, device="cpu") + 0.5) / hop
        noise = torch.randn(hop, self.NOISE_FRAMES, generator=torch.Generator("cpu").manual_seed(0), device="cpu")
        noise[round(hop * HIGHEST / (SOUND_RATE / 2)) :] = 0  # no loss hears what is above
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
        heard = [] if self.tones is None else [self.tones.scaled(self.tones.held(sound))]
        return torch.cat([coefficients, coefficients.abs(), *heard], 1)

    def synthesise(self, features: Tensor, first: int | Tensor = 0) -> Tensor:
        waves, gains, tones = features.tensor_split((self.waves * self.hop, (1 + self.waves) * self.hop), 1)
        index = (first + torch.arange(features.shape[-1], device=features.device)) % self.NOISE_FRAMES
        coefficients = _loudness(gains) * self.noise[:, index]
        if self.waves:
            coefficients = coefficients + 0.02 * waves * (1 + waves.square())
        sound = self.inverse_transform(coefficients)
        return sound if self.tones is None else sound + self.tones.play(_loudness(tones).detach(), first)

    def far(self, features: Tensor, analysed: Tensor) -> Tensor:
        """Mean squared distance of the tones that a network gives to `synthesise` from those that `analyse` found."""
        if self.tones is None:
            return features.new_zeros(())
        given, found = features[:, (1 + self.waves) * self.hop :], analysed[:, 2 * self.hop :]
        return (self.tones.scaled(_loudness(given.float())) - found).square().mean()


class Tones(nn.Module):
    """A bank of steady tones, a quarter tone apart from C2 (65 Hz) on, that only change in loudness: held notes.

    A network of 25 latent frames a second cannot follow the phase of a chord; without tones, music would come back as
    bands of noise. Harmonic synthesis as in DDSP (arXiv 2001.04643, section 3.2), with fixed pitches in place of a
    fundamental. Every tone repeats after PERIOD frames, so that its phase is exact after hours.
    """

    fit: Tensor
    turns: Tensor
    waves: Tensor
    LOWEST, PER_OCTAVE, PERIOD, SIZE = 65.406, 24, 1000, 8192
    SCALE = 0.002  # amplitude at which what is heard turns from linear to logarithmic

    def __init__(self, count: int, hop: int) -> None:
        super().__init__()
        self.hop = hop
        grid = SOUND_RATE / (hop * self.PERIOD)  # Hz: every tone is a multiple of it
        steps = torch.arange(count, dtype=torch.float64, device="cpu")
        turns = (self.LOWEST * 2 ** (steps / self.PER_OCTAVE) / grid).round()  # of each tone in PERIOD frames
        angle = 2 * math.pi * grid / SOUND_RATE * turns[:, None] * torch.arange(2 * hop, device="cpu")
        ramp = torch.arange(2 * hop, dtype=torch.float64, device="cpu") / hop
        waves = torch.cat([angle.cos(), -angle.sin()]) * torch.minimum(ramp, 2 - ramp)
        begun = 2 * math.pi * ((turns[:, None] * torch.arange(self.PERIOD, device="cpu")) % self.PERIOD) / self.PERIOD
        bins = torch.arange(self.SIZE // 2 + 1, dtype=torch.float64, device="cpu") * SOUND_RATE / self.SIZE
        near = (1 - (turns[:, None] * grid - bins).abs() * self.SIZE / SOUND_RATE).clamp_min(0)
        self.register_buffer("fit", near[:, : int(near.any(0).nonzero().max()) + 1].float(), persistent=False)
        self.register_buffer("turns", torch.stack([begun.cos(), begun.sin()]).float(), persistent=False)
        self.register_buffer("waves", waves.float(), persistent=False)

    def scaled(self, amplitude: Tensor) -> Tensor:
        """Amplitudes on the scale that networks see."""
        return torch.asinh(amplitude / self.SCALE) / 2

    def listen(self, sound: Tensor) -> Tensor:
        """How loud each tone is in (B, 1, F * hop), as amplitude: (B, count, F), looked at over 171 ms."""
        return self._spread(self._heard(sound), sound)

    def held(self, sound: Tensor) -> Tensor:
        """As `listen`, but 0 for all that does not stand out.

        What stands out is louder than both neighbours, and than three times what is usual within four semitones.
        """
        heard = self._heard(sound)
        beside = nn.functional.max_pool1d(heard.transpose(1, 2), 3, 1, 1).transpose(1, 2)
        padded = nn.functional.pad(heard, (0, 0, _AROUND, _AROUND))
        floor = padded.unfold(1, 2 * _AROUND + 1, 1).median(-1).values
        return self._spread(torch.where((heard >= beside) & (heard > 3 * floor), heard, 0.0), sound)

    def _heard(self, sound: Tensor) -> Tensor:
        heard = spectrum(sound[:, 0], self.SIZE, 2 * self.hop)[:, : self.fit.shape[1]].abs()
        return math.sqrt(6 / self.SIZE) * (self.fit @ heard)  # a sine of 1 has sqrt(SIZE / 6) in a window of unit power

    def _spread(self, heard: Tensor, sound: Tensor) -> Tensor:
        """What is heard at every second frame, for every frame."""
        return heard.repeat_interleave(2, dim=-1)[..., : sound.shape[-1] // self.hop]

    def play(self, gains: Tensor, first: int | Tensor = 0) -> Tensor:
        """Sound (B, 1, F * hop) of amplitudes (B, count, F), reached at the end of each frame; first: see `Mdct`."""
        index = (first + torch.arange(gains.shape[-1], device=gains.device)) % self.PERIOD
        turned = (gains[:, None] * self.turns[:, :, index]).flatten(1, 2).transpose(1, 2)
        rising, falling = (turned @ self.waves).chunk(2, dim=-1)
        fallen = nn.functional.pad(falling, (0, 0, 1, -1))
        return (rising + fallen).reshape(len(gains), 1, -1)


def _loudness(gains: Tensor) -> Tensor:
    """Log gains as a network gives them to amplitudes: exponential, from 0.0007 at 0 on, then straight."""
    gains = 3 * gains - 1
    return 0.002 * (gains.clamp(max=5.0).exp() + 148 * (gains - 5.0).clamp_min(0))
