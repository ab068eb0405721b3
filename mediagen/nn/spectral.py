"""Short-time spectra of sound, and the losses that compare them."""

import math
from functools import lru_cache

import torch
from torch import Tensor

_FLOOR = 1e-5
HIGHEST = 20_000.0  # Hz: nothing above is heard


def spectrum(sound: Tensor, size: int, hop: int) -> Tensor:
    """Complex short-time spectrum of (..., S): (..., size / 2 + 1, frames), Hann window, unit gain for noise."""
    window = torch.hann_window(size, device=sound.device, dtype=sound.dtype)
    window = window / window.square().sum().sqrt()
    padded = torch.nn.functional.pad(sound, (size // 2, size // 2))
    flat = torch.stft(padded.reshape(-1, padded.shape[-1]), size, hop, window=window, center=False, return_complex=True)
    return flat.reshape(*sound.shape[:-1], *flat.shape[-2:])


@lru_cache(maxsize=16)
def mel_filters(bands: int, size: int, rate: int, low: float = 40.0, high: float = HIGHEST) -> Tensor:
    """Triangular filters on the mel scale, each of unit sum: (bands, size / 2 + 1).

    A band narrower than one bin takes its nearest bins, so that no band is ever empty.
    """
    mel = torch.linspace(_mel(low), _mel(min(high, rate / 2)), bands + 2, dtype=torch.float64)
    hz = 700 * (10 ** (mel / 2595) - 1)
    bins = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)
    width = torch.clamp(hz[2:] - hz[1:-1], min=rate / size)[:, None]
    width_below = torch.clamp(hz[1:-1] - hz[:-2], min=rate / size)[:, None]
    offset = bins - hz[1:-1, None]
    filters = torch.clamp(1 - torch.where(offset > 0, offset / width, -offset / width_below), min=0)
    return (filters / filters.sum(1, keepdim=True)).float()


def _mel(hz: float) -> float:
    return 2595 * math.log10(1 + hz / 700)


def log_mel(sound: Tensor, rate: int = 48_000, bands: int = 64, size: int = 2048, hop: int = 480) -> Tensor:
    """Natural logarithm of mel magnitudes of (..., S): (..., bands, frames), frames = S / hop + 1, floor 1e-5."""
    filters = mel_filters(bands, size, rate).to(sound.device, sound.dtype)
    return (filters @ spectrum(sound, size, hop).abs()).clamp_min(_FLOOR).log()


def spectral_loss(found: Tensor, truth: Tensor, sizes: tuple[int, ...] = (256, 1024, 4096)) -> Tensor:
    """Mean over window sizes of an L1 distance of log mel power, plus five times one of mel magnitude: a scalar.

    found, truth: (B, 1, S). Hops are a quarter of the windows; 24, 48 and 96 bands for the three default sizes. Mel
    bands, as in DAC (arXiv 2306.06546, section 3.4), and not bins: two recordings of one wind differ in every bin by
    chance, far more than good and bad reconstructions of an impact do.
    """
    total = found.new_zeros(())
    for size in sizes:
        a, b = _mel_power(found, size), _mel_power(truth, size)
        total = total + 0.5 * (a.log() - b.log()).abs().mean() + 5 * (a.sqrt() - b.sqrt()).abs().mean()
    return total / len(sizes)


def _mel_power(sound: Tensor, size: int) -> Tensor:
    power = torch.view_as_real(spectrum(sound, size, size // 4)).square().sum(-1)
    filters = mel_filters(round(24 * 2 ** (math.log2(size / 256) / 2)), size, 48_000).to(sound.device, sound.dtype)
    return filters @ power + 1e-6  # the floor (-60 dB) keeps the slope finite and silence out of the logarithm
