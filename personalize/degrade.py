"""Wear: what light, lenses, networks and encoders do to a picture, drawn by chance; faces are to be known in spite."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mediagen.data.degrade import blurred, encoded


def wear(pictures: Tensor, rng: torch.Generator, strength: float = 1.0) -> Tensor:
    """Pictures (N, 3, S, S) in [-1, 1] relit, blurred, made coarse, noised and encoded; each by amounts of its own.

    S: a multiple of 8.  strength: 1 is what a bad photo has; 0 changes nothing.
    """
    count = len(pictures)

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=rng, device=rng.device).to(pictures.device)

    x = (pictures + 1) / 2
    light = 1 + strength * 0.7 * (draw(count, 1, 1, 1) - 0.5)
    tint = 1 + strength * 0.24 * (draw(count, 3, 1, 1) - 0.5)
    haze = strength * 0.25 * draw(count, 1, 1, 1) * (draw(count, 1, 1, 1) < 0.25)
    across = torch.linspace(-0.5, 0.5, x.shape[-1], device=x.device)
    side = 1 + strength * 0.4 * (draw(count, 1, 1, 1) - 0.5) * across
    x = (x * light * tint * side * (1 - haze) + haze * 0.8).clamp(0, 1)
    x = _coarse(x, 1 + strength * 1.8 * draw(count), draw(count) < 0.5)
    sigma = strength * (0.2 + 1.6 * draw(count)) * (draw(count) < 0.5)
    x = blurred(x, sigma[:, None].expand(-1, 2))
    noise = torch.randn(x.shape, generator=rng, device=rng.device).to(x.device)
    x = x + noise * (strength * 0.05 * draw(count, 1, 1, 1) * (draw(count, 1, 1, 1) < 0.5))
    return encoded(x.clamp(0, 1), strength * 0.12 * draw(count) * (draw(count) < 0.6)) * 2 - 1


def _coarse(x: Tensor, factor: Tensor, hit: Tensor) -> Tensor:
    """Made smaller by a factor each, and large again."""
    made, side = x.clone(), x.shape[-1]
    for row, by in enumerate(factor.tolist()):
        if bool(hit[row]) and by > 1:
            small = F.interpolate(x[row : row + 1], (round(side / by),) * 2, mode="area")
            made[row] = F.interpolate(small, (side, side), mode="bilinear", align_corners=False)[0]
    return made
