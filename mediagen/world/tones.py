"""The few building blocks of every sound of the world: shaped noise, damped modes, glides and slow random curves."""

from functools import lru_cache

import numpy as np

from mediagen.grid import SOUND_HOP, SOUND_RATE

# Bands of shaped noise: (centre in Hz, width in octaves, gain) each.
Bands = tuple[tuple[float, float, float], ...]


@lru_cache(maxsize=128)
def _weights(size: int, bands: Bands) -> np.ndarray:
    octave = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / SOUND_RATE), 1.0))
    weight = np.zeros_like(octave)
    for hz, width, gain in bands:
        weight += gain * np.exp(-0.5 * ((octave - np.log2(hz)) / width) ** 2)
    weight = np.where(weight > 1e-3, weight, 0.0)
    weight[0] = 0.0
    return (weight / np.sqrt((weight**2).sum()) * size / 2).astype(np.float32)


def noise(rng: np.random.Generator, samples: int, bands: Bands) -> np.ndarray:
    """Stationary noise of the given bands, float32 (samples,), RMS about 1."""
    size = max(1, -(-samples // SOUND_HOP)) * SOUND_HOP  # a length of small prime factors: a fast transform
    weight = _weights(size, bands)
    used = np.flatnonzero(weight)
    spectrum = np.zeros(len(weight), np.complex64)
    spectrum.real[used] = weight[used] * rng.standard_normal(len(used), np.float32)
    spectrum.imag[used] = weight[used] * rng.standard_normal(len(used), np.float32)
    return np.fft.irfft(spectrum, size).astype(np.float32)[:samples]


def curve(rng: np.random.Generator, samples: int, rate: float) -> np.ndarray:
    """A smooth random curve in 0..1 with about `rate` turns per second, float32 (samples,)."""
    knots = max(2, int(np.ceil(samples / SOUND_RATE * rate)) + 2)
    at = np.linspace(0, samples, 16 * knots)
    fine = np.interp(at, np.linspace(0, samples, knots), rng.random(knots))
    smooth = np.convolve(np.pad(fine, 8, "edge"), np.hanning(18)[1:-1] / np.hanning(18).sum(), "same")[8:-8]
    return np.interp(np.arange(samples), at, smooth).astype(np.float32)


def times(samples: int) -> np.ndarray:
    """Seconds of every sample, float32 (samples,)."""
    return np.arange(samples, dtype=np.float32) / np.float32(SOUND_RATE)


def glide(hz: np.ndarray, phase: float = 0.0) -> np.ndarray:
    """Radians of an oscillator whose frequency is the array `hz`, float32, same shape."""
    turns = np.cumsum(hz, dtype=np.float64) / SOUND_RATE + phase
    return ((turns - np.floor(turns)) * (2 * np.pi)).astype(np.float32)


def spread(samples: int, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Linear interpolation of `values` at the seconds `at` to every sample, float32 (samples,)."""
    return np.interp(np.arange(samples) / SOUND_RATE, at, values).astype(np.float32)


def modes(samples: int, hz: np.ndarray, seconds: np.ndarray, gains: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """A sum of damped sines, float32 (samples,): each falls to 1/e of its gain in its `seconds`."""
    # exp(a t) by one complex power per mode, built block by block: far cheaper than a sine and an exponential each.
    step = (2j * np.pi * hz - 1 / seconds) / SOUND_RATE
    inner = np.exp(step[:, None] * np.arange(256))
    outer = np.exp(step[:, None] * 256 * np.arange(-(-samples // 256)) + 1j * phases[:, None]) * gains[:, None]
    return np.einsum("mo,mi->oi", outer, inner, optimize=True).imag.reshape(-1)[:samples].astype(np.float32)


def add(sound: np.ndarray, piece: np.ndarray, start: int) -> None:
    """Adds `piece` into `sound` from sample `start` on, cut at the end of `sound`."""
    room = min(len(piece), len(sound) - start)
    if start >= 0 and room > 0:
        sound[start : start + room] += piece[:room]


def level(sound: np.ndarray, rms: float) -> np.ndarray:
    """`sound` scaled to the RMS `rms`; silence stays silence."""
    return sound * np.float32(rms / max(float(np.sqrt(np.mean(sound**2))), 1e-9))
