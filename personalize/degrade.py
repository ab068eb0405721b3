"""Wear: what light, lenses, networks and encoders do to a picture, drawn by chance; faces are to be known in spite."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


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
    x = _blurred(x, strength * (0.2 + 1.6 * draw(count)), draw(count) < 0.5)
    noise = torch.randn(x.shape, generator=rng, device=rng.device).to(x.device)
    x = x + noise * (strength * 0.05 * draw(count, 1, 1, 1) * (draw(count, 1, 1, 1) < 0.5))
    return encoded(x.clamp(0, 1), strength * 0.12 * draw(count) * (draw(count) < 0.6)) * 2 - 1


def encoded(pictures: Tensor, step: Tensor) -> Tensor:
    """Pictures (N, 3, S, S) in [0, 1] as block encoders return them: cosines of 8 x 8 blocks in steps, (N,) each.

    The steps grow with the frequency, as JPEG's do; where one is 0 the picture stays.
    """
    k = torch.arange(8, dtype=torch.float32, device=pictures.device)
    cosines = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * 0.5
    cosines[0] /= math.sqrt(2)
    blocks = pictures.unflatten(-1, (-1, 8)).unflatten(-3, (-1, 8)).transpose(-3, -2)  # (N, 3, b, b, 8, 8)
    found = cosines @ blocks @ cosines.T
    steps = (1 + (k[:, None] + k[None]) / 2) * step.view(-1, 1, 1, 1, 1, 1)
    quantised = torch.where(steps > 0, (found / steps.clamp_min(1e-6)).round() * steps, found)
    return (cosines.T @ quantised @ cosines).transpose(-3, -2).flatten(-4, -3).flatten(-2, -1).clamp(0, 1)


def _blurred(x: Tensor, sigma: Tensor, hit: Tensor) -> Tensor:
    """Gaussian blur, one sigma each, in pixels."""
    offsets = torch.arange(-4, 5, device=x.device, dtype=torch.float32)
    taps = torch.exp(-(offsets**2) / (2 * sigma.clamp_min(0.05).view(-1, 1) ** 2))
    taps = torch.where(hit.view(-1, 1), taps / taps.sum(1, keepdim=True), (offsets == 0).float())
    kernel = taps.repeat_interleave(3, 0)
    flat = F.pad(x, (4,) * 4, mode="reflect").flatten(0, 1)[None]
    flat = F.conv2d(flat, kernel[:, None, :, None], groups=len(kernel))
    return F.conv2d(flat, kernel[:, None, None, :], groups=len(kernel))[0].unflatten(0, (-1, 3))


def _coarse(x: Tensor, factor: Tensor, hit: Tensor) -> Tensor:
    """Made smaller by a factor each, and large again."""
    made, side = x.clone(), x.shape[-1]
    for row, by in enumerate(factor.tolist()):
        if bool(hit[row]) and by > 1:
            small = F.interpolate(x[row : row + 1], (round(side / by),) * 2, mode="area")
            made[row] = F.interpolate(small, (side, side), mode="bilinear", align_corners=False)[0]
    return made
