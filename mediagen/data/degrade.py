"""Degradations: what lenses, cameras, networks and encoders do to pictures, one after the other, and once more."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def second_order(pictures: Tensor, size: tuple[int, int], rng: torch.Generator) -> Tensor:
    """Pictures of one clip (N, 3, H, W) in [0, 1] as bad films at (height, width) `size` show them.

    Blurred, resized, noised and encoded, then the same once more, by amounts drawn for the whole clip; noise is each
    picture's own (Real-ESRGAN, arXiv 2107.10833, section 3.2, by whose chances, with amounts for small pictures).
    """

    def draw() -> float:
        return float(torch.rand((), generator=rng, device=rng.device))

    x = pictures
    for strength in (1.0, 0.6):
        if draw() < 0.8:
            wide = torch.tensor([[0.2 + 1.6 * draw(), 0.2 + 1.6 * draw()]], device=x.device) * strength
            x = blurred(x, (wide if draw() < 0.3 else wide[:, :1].expand(1, 2)).expand(len(x), 2))
        kind, by = draw(), draw()
        scale = 1.0 + 0.5 * by if kind < 0.2 else 1.0 - 0.5 * strength * by if kind < 0.9 else 1.0
        x = _resized(x, (max(8, round(x.shape[2] * scale)), max(8, round(x.shape[3] * scale))), draw())
        if draw() < 0.5:
            noise = torch.randn(x.shape, generator=rng, device=rng.device).to(x)
            grey = draw() < 0.4
            shot = x.clamp(0, 1).sqrt() if draw() < 0.5 else 1.0  # grows with the light, or not
            level = shot * 0.06 * strength * draw()
            x = x + (noise[:, :1] if grey else noise) * level
        x = _encoded_any(x.clamp(0, 1), strength * 0.15 * draw()) if draw() < 0.5 else x.clamp(0, 1)
    x = _resized(x, size, draw()).clamp(0, 1)
    return _encoded_any(x, 0.08 * draw()) if draw() < 0.5 else x


def blurred(x: Tensor, sigma: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) under a Gaussian blur; sigma (N, 2): of each in height and width, in pixels; 0 for none."""
    offsets = torch.arange(-4, 5, device=x.device, dtype=torch.float32)
    taps = torch.exp(-(offsets**2) / (2 * sigma.clamp_min(0.05)[..., None] ** 2))  # (N, 2, 9)
    kernel = (taps / taps.sum(-1, keepdim=True)).repeat_interleave(3, 0)
    flat = F.pad(x, (4,) * 4, mode="replicate").flatten(0, 1)[None]
    flat = F.conv2d(flat, kernel[:, 0][:, None, :, None], groups=len(kernel))
    return F.conv2d(flat, kernel[:, 1][:, None, None, :], groups=len(kernel))[0].unflatten(0, (-1, 3))


def encoded(pictures: Tensor, step: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) in [0, 1] as block encoders return them: cosines of 8 x 8 blocks in steps, (N,) each.

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


def _resized(x: Tensor, size: tuple[int, int], chance: float) -> Tensor:
    """One of three ways to another size."""
    if tuple(x.shape[2:]) == size:
        return x
    if chance < 1 / 3:
        return F.interpolate(x, size, mode="area")
    mode = "bilinear" if chance < 2 / 3 else "bicubic"
    return F.interpolate(x, size, mode=mode, align_corners=False, antialias=True)


def _encoded_any(x: Tensor, step: float) -> Tensor:
    """`encoded` for pictures of any size."""
    height, width = x.shape[2:]
    padded = F.pad(x, (0, -width % 8, 0, -height % 8), mode="replicate")
    return encoded(padded, torch.full((len(x),), step, device=x.device))[:, :, :height, :width]
