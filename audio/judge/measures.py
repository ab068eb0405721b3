"""Measures of sound that need no ear: onsets, distances, and how much of a recording is where it should be."""

import torch
from torch import Tensor

from mediagen.nn.spectral import log_mel, mel_filters, spectrum

_HOP = 240  # samples between looks at the spectrum: 5 ms at 48 kHz
_SIZE = 1024
_BANDS = 40
_RISE = 0.5  # mean rise of the compressed bands that makes an onset
_RELATIVE = 0.16  # and its least share of the clip's strongest rise
_APART = 0.05  # seconds between two onsets at least


def flux(sound: Tensor, rate: int = 48_000) -> Tensor:
    """How fast a spectrum grows: the mean over mel bands of the rise of compressed magnitude within 10 ms.

    sound (..., S) -> (..., frames), frames 5 ms apart at 48 kHz; frame i is centred on sample 240 i.
    """
    filters = mel_filters(_BANDS, _SIZE, rate, low=100.0).to(sound.device, sound.dtype)
    bands = torch.log1p(300 * (filters @ spectrum(sound, _SIZE, _HOP).abs()))
    before = torch.nn.functional.pad(bands, (3, 0))[..., :-3]
    before[..., :3] = bands[..., :1]
    # against the loudest neighbour band before, so that a gliding tone is no onset (SuperFlux, Boeck and Widmer 2013)
    before = torch.nn.functional.max_pool1d(before.transpose(-1, -2), 3, 1, 1).transpose(-1, -2)
    return (bands - before).clamp_min(0).mean(-2)


def onsets(sound: Tensor, rate: int = 48_000) -> list[float]:
    """Seconds at which something strikes in `sound` (S,) or (1, S), by peaks of its spectral flux."""
    if sound.numel() != sound.shape[-1]:
        raise ValueError(f"got sound of shape {tuple(sound.shape)}, expected (S,) or (1, S); measure one channel.")
    rise = flux(sound.reshape(-1).float(), rate)
    rise = rise[: max(1, (sound.numel() - _SIZE // 2) // _HOP)]  # a window over the cut at the end hears a click
    reach = max(1, round(_APART * rate / _HOP))
    around = torch.nn.functional.max_pool1d(rise[None], 2 * reach + 1, 1, reach)[0]
    local = torch.nn.functional.avg_pool1d(rise[None], 8 * reach + 1, 1, 4 * reach, count_include_pad=False)[0]
    threshold = torch.clamp(2.0 * local, min=max(_RISE, _RELATIVE * float(rise.max())))
    found: list[float] = []
    for index in ((rise >= around) & (rise > threshold)).nonzero().flatten().tolist():
        time = index * _HOP / rate
        if not found or time - found[-1] >= _APART:
            found.append(time)
    return found


def onset_f1(found: list[float], truth: list[float], tolerance: float = 0.08) -> float:
    """F1 of one-to-one matches within `tolerance` seconds; 1 where both are empty."""
    if not found and not truth:
        return 1.0
    return 2 * len(_matches(found, truth, tolerance)) / (len(found) + len(truth))


def onset_f1_by_thirds(
    found: list[float], truth: list[float], seconds: float, tolerance: float = 0.08
) -> tuple[float, float, float]:
    """`onset_f1` in the first, middle and last third of `seconds`, which tells a drift; NaN where there is nothing.

    Onsets are matched over the whole, so that a pair at a border counts, once, in the third of its true time.
    """
    pairs = _matches(found, truth, tolerance)
    matched = [time for _, time in pairs]
    false = list(found)
    for time, _ in pairs:
        false.remove(time)

    def thirds(times: list[float]) -> list[int]:
        places = [min(2, max(0, int(3 * time / seconds))) for time in times]
        return [places.count(third) for third in range(3)]

    scores = [
        2 * both / total if (total := both + wrong + true) else float("nan")
        for both, wrong, true in zip(thirds(matched), thirds(false), thirds(truth), strict=True)
    ]
    return scores[0], scores[1], scores[2]


def _matches(found: list[float], truth: list[float], tolerance: float) -> list[tuple[float, float]]:
    """The pairs of a largest one-to-one matching of times; walking both in order is optimal on a line."""
    a, b = sorted(found), sorted(truth)
    pairs: list[tuple[float, float]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if abs(a[i] - b[j]) <= tolerance:
            pairs.append((a[i], b[j]))
            i, j = i + 1, j + 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return pairs


def si_sdr(found: Tensor, truth: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB of (..., S) against (..., S): (...) (arXiv 1811.02508)."""
    found, truth = found - found.mean(-1, keepdim=True), truth - truth.mean(-1, keepdim=True)
    energy = truth.square().sum(-1, keepdim=True) + 1e-8
    target = (found * truth).sum(-1, keepdim=True) / energy * truth
    return 10 * torch.log10((target.square().sum(-1) + 1e-8) / ((found - target).square().sum(-1) + 1e-8))


def log_mel_distance(found: Tensor, truth: Tensor, rate: int = 48_000) -> Tensor:
    """Mean absolute difference of log-mel spectra in dB of (..., S) and (..., S): (...)."""
    return 8.686 * (log_mel(found, rate) - log_mel(truth, rate)).abs().mean((-2, -1))
