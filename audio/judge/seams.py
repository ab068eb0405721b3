"""Whether joints are heard: how a sound changes where windows were joined, against how it changes anywhere."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mediagen.nn.spectral import mel_filters

_SIZE = 2048  # samples of the spectra before and after a joint: 43 ms at 48 kHz
_BANDS = 40
_FLOOR = 1e-4  # magnitude below which nothing is heard, -80 dB
_PLACES = 400  # random places that the joints are compared with
_CLICK = 64  # samples on each side of a joint in which a click would be


def joint_distance(sound: Tensor, rate: int, joints: Sequence[float], rng: torch.Generator) -> tuple[float, float]:
    """Log-spectral distance in dB from just before to just after a place: the mean over `joints`, and at random places.

    sound (S,) or (1, S).  joints: seconds; those nearer than 43 ms to an end do not count.  rng: draws the random
    places, none of them within 43 ms of a joint.  Root mean square over 40 mel bands of Hann-windowed spectra. Raises
    ValueError where no joint counts, or there is no room beside the joints.
    """
    filters = mel_filters(_BANDS, _SIZE, rate, low=100.0).to(sound.device)
    window = torch.hann_window(_SIZE, device=sound.device)

    def distance(before: Tensor, after: Tensor) -> Tensor:
        bands = [
            (torch.fft.rfft(part * window).abs() / window.square().sum().sqrt()) @ filters.T for part in (before, after)
        ]
        levels = [20 * band.clamp_min(_FLOOR).log10() for band in bands]
        return (levels[1] - levels[0]).square().mean(-1).sqrt()

    return _compare(distance, sound, joints, rate, rng)


def seam_energy(sound: Tensor, rate: int, joints: Sequence[float], rng: torch.Generator) -> tuple[float, float]:
    """How much a click or a step of level stands out, in dB: the mean over `joints`, and at random places.

    The louder of two: the energy of the steps from sample to sample within 1.3 ms of the place against that of the 43
    ms on both sides, where a click shows; and the difference of RMS before and after. Arguments as `joint_distance`.
    """

    def stands_out(before: Tensor, after: Tensor) -> Tensor:
        steps = torch.cat([before, after], -1).diff(dim=-1).square()
        near = steps[:, _SIZE - 1 - _CLICK : _SIZE - 1 + _CLICK]
        click = 10 * ((near.mean(-1) + _FLOOR**2) / (steps.mean(-1) + _FLOOR**2)).log10()
        levels = [10 * (part.square().mean(-1) + _FLOOR**2).log10() for part in (before, after)]
        return torch.maximum(click, (levels[1] - levels[0]).abs())

    return _compare(stands_out, sound, joints, rate, rng)


def _compare(
    measure: Callable[[Tensor, Tensor], Tensor], sound: Tensor, joints: Sequence[float], rate: int, rng: torch.Generator
) -> tuple[float, float]:
    """Means of measure((N, 2048) samples before, (N, 2048) after) over the joints and over random places."""
    if sound.numel() != sound.shape[-1]:
        raise ValueError(f"got sound of shape {tuple(sound.shape)}, expected (S,) or (1, S); measure one channel.")
    sound = sound.reshape(-1).float()
    count = sound.numel()
    places = [place for place in (round(time * rate) for time in joints) if _SIZE <= place <= count - _SIZE]
    drawn = torch.randint(_SIZE, max(_SIZE, count - _SIZE) + 1, (8 * _PLACES,), generator=rng, device=rng.device)
    at = torch.tensor(places, device=sound.device, dtype=torch.long)
    drawn = drawn.to(sound.device)
    free = drawn[((drawn[:, None] - at).abs() >= _SIZE).all(1)][:_PLACES]
    if not places or not len(free):
        raise ValueError(
            f"got {len(joints)} joints in {count} samples, expected one that is {_SIZE} samples or more away from both "
            "ends, and room beside it; give the times of the joints in seconds, and a longer sound."
        )

    def mean(starts: Tensor) -> float:
        around = sound[starts[:, None] + torch.arange(-_SIZE, _SIZE, device=sound.device)]
        return float(measure(around[:, :_SIZE], around[:, _SIZE:]).mean())

    return mean(at), mean(free)
