"""The eight places, painted back to front. Their colours are muted, so that every thing stands out from its place.

A painter gets a `Stage`; depths run from 0 (sky, never moves) to 1 (the ground under the things), which makes parallax.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mediagen.world.motion import GROUND

RGB = tuple[float, float, float]


@dataclass
class Stage:
    """Coordinates of a batch of pictures. x, y: (B, F, H, W) in picture heights; chance: (B, 8, 1, 1, 1) in [0, 1)."""

    x: Tensor
    y: Tensor
    pan: Tensor
    aspect: float
    pixel: float
    chance: Tensor
    canvas: Tensor  # (B, F, 3, H, W)

    def at(self, depth: float) -> Tensor:
        """x as seen in a layer."""
        return self.x + self.pan * depth

    def random(self, index: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """One number per clip, (B, 1, 1, 1)."""
        return low + (high - low) * self.chance[:, index]

    def fill(self, top: RGB, bottom: RGB, start: float = 0.0, end: float = 1.0) -> None:
        """A vertical gradient over everything."""
        mix = ((self.y - start) / (end - start)).clamp(0, 1).unsqueeze(2)
        self.canvas = _colour(self.canvas, top) * (1 - mix) + _colour(self.canvas, bottom) * mix

    def paint(self, alpha: Tensor, rgb: RGB, far: RGB | None = None) -> None:
        """Lays a colour over the canvas, alpha (B, F, H, W); with `far`, it fades to that colour towards the top."""
        colour = _colour(self.canvas, rgb)
        if far is not None:
            mix = ((self.y - 0.3) / 0.7).clamp(0, 1).unsqueeze(2)
            colour = _colour(self.canvas, far) * (1 - mix) + colour * mix
        self.canvas = torch.lerp(self.canvas, colour.expand_as(self.canvas), alpha.unsqueeze(2))

    def below(self, line: Tensor | float) -> Tensor:
        """Coverage of what lies below a line of height y, anti-aliased."""
        return ((self.y - line) / self.pixel + 0.5).clamp(0, 1)

    def inside(self, distance: Tensor, soft: float = 1.0) -> Tensor:
        """Coverage of a signed distance (picture heights)."""
        return (0.5 - distance / (self.pixel * soft)).clamp(0, 1)


def _colour(like: Tensor, rgb: RGB) -> Tensor:
    return colour_of(rgb, like.device)


@functools.lru_cache(maxsize=1024)
def colour_of(rgb: RGB, device: torch.device) -> Tensor:
    """A colour as (1, 1, 3, 1, 1) on a device; sent there once, for each sending makes a GPU wait."""
    return torch.tensor(rgb, device=device, dtype=torch.float32).view(1, 1, 3, 1, 1)


def _sun(s: Stage, rgb: RGB = (1.0, 0.95, 0.78)) -> None:
    x, y = s.random(0, 0.12, 0.88) * s.aspect, s.random(1, 0.12, 0.22)
    distance = torch.hypot(s.at(0.05) - x, s.y - y)
    s.paint(0.35 * torch.exp(-((distance / 0.16) ** 2)), rgb)
    s.paint(s.inside(distance - 0.065), rgb)


def _cloud(s: Stage, rgb: RGB = (0.96, 0.97, 0.98)) -> None:
    x, y = s.at(0.15) - s.random(2, 0.15, 0.85) * s.aspect, s.y - s.random(3, 0.14, 0.3)
    puff = torch.minimum(torch.hypot(x / 1.9, y) - 0.05, torch.hypot(x / 1.2 - 0.02, y + 0.03) - 0.05)
    s.paint(0.75 * s.inside(puff, 3), rgb)


def _ridge(s: Stage, depth: float, base: float, tall: float, rate: float, index: int) -> Tensor:
    """A rolling skyline's height."""
    phase = 6.28 * s.random(index)
    x = s.at(depth)
    return base - tall * (0.6 * torch.sin(rate * x + phase) + 0.4 * torch.sin(1.7 * rate * x + 2 * phase))


def _ground(s: Stage, near: RGB, far: RGB) -> None:
    s.paint(s.below(GROUND - 0.1), near, far)


def meadow(s: Stage) -> None:
    s.fill((0.52, 0.72, 0.90), (0.83, 0.91, 0.95), 0, 0.65)
    _sun(s)
    _cloud(s)
    s.paint(s.below(_ridge(s, 0.3, 0.56, 0.05, 4.0, 4)), (0.56, 0.70, 0.55))
    s.paint(s.below(_ridge(s, 0.6, 0.66, 0.03, 5.0, 5)), (0.50, 0.66, 0.43))
    _ground(s, (0.40, 0.56, 0.30), (0.55, 0.70, 0.42))


def room(s: Stage) -> None:
    s.fill((0.90, 0.84, 0.73), (0.82, 0.75, 0.64), 0, 0.7)
    x, y = s.at(0.6) - s.random(4, 0.25, 0.75) * s.aspect, s.y - 0.3
    frame = torch.maximum(x.abs() - 0.15, y.abs() - 0.16)
    s.paint(s.inside(frame), (0.62, 0.52, 0.42))
    s.paint(s.inside(frame + 0.025), (0.72, 0.84, 0.90))
    s.paint(s.inside(torch.minimum(x.abs(), y.abs()) - 0.008) * s.inside(frame + 0.02), (0.62, 0.52, 0.42))
    s.paint(s.below(GROUND - 0.12), (0.94, 0.91, 0.85))
    s.paint(s.below(GROUND - 0.09), (0.50, 0.36, 0.25), (0.68, 0.52, 0.38))
    away = (s.y - 0.3).clamp_min(0.05)
    plank = torch.cos(6.283 * 4 * ((s.at(1.0) - 0.5 * s.aspect) / away) * 0.55)
    s.paint(s.below(GROUND - 0.09) * (plank - 0.8).clamp_min(0) * 1.6, (0.40, 0.28, 0.20))


def desert(s: Stage) -> None:
    s.fill((0.62, 0.78, 0.88), (0.96, 0.88, 0.72), 0, 0.6)
    _sun(s)
    s.paint(s.below(_ridge(s, 0.3, 0.56, 0.05, 3.2, 4)), (0.87, 0.73, 0.54))
    x = s.at(0.55) - s.random(6, 0.1, 0.9) * s.aspect
    trunk = torch.maximum(x.abs() - 0.025, (s.y - 0.58).abs() - 0.13)
    arm = torch.minimum(
        torch.maximum((x - 0.06).abs() - 0.016, (s.y - 0.53).abs() - 0.05),
        torch.maximum((x - 0.04).abs() - 0.035, (s.y - 0.575).abs() - 0.016),
    )
    s.paint(s.inside(torch.minimum(trunk, arm) - 0.008), (0.44, 0.54, 0.40))
    s.paint(s.below(_ridge(s, 0.6, 0.67, 0.025, 4.5, 5)), (0.84, 0.68, 0.48))
    _ground(s, (0.74, 0.58, 0.40), (0.86, 0.71, 0.52))


def snowy_mountains(s: Stage) -> None:
    s.fill((0.60, 0.72, 0.84), (0.86, 0.90, 0.94), 0, 0.65)
    _cloud(s)
    for index, (depth, base, tall, wide) in enumerate(((0.2, 0.66, 0.42, 0.5), (0.35, 0.68, 0.30, 0.36))):
        x = s.at(depth) - s.random(4 + index, 0.15, 0.85) * s.aspect
        peak = base - tall * (1 - x.abs() / wide)
        slope = (x > 0).to(x.dtype) * 0.5
        s.paint(s.below(peak), (0.50, 0.56, 0.66))
        s.paint(s.below(peak) * slope, (0.42, 0.48, 0.59))
        cap = base - tall * 0.62 + 0.03 * torch.sin(40 * x)
        s.paint(s.below(peak) * (1 - s.below(cap)), (0.90, 0.93, 0.96))
    _ground(s, (0.74, 0.80, 0.88), (0.87, 0.90, 0.94))


def seaside(s: Stage) -> None:
    s.fill((0.55, 0.76, 0.90), (0.88, 0.93, 0.94), 0, 0.5)
    _sun(s)
    _cloud(s)
    s.paint(s.below(0.46), (0.38, 0.62, 0.68), (0.34, 0.55, 0.66))
    wave = torch.sin(18 * s.at(0.5) + 60 * s.y + 6.28 * s.random(4)) * torch.sin(9 * s.at(0.5) - 30 * s.y)
    s.paint(s.below(0.48) * 0.3 * (wave - 0.2).clamp_min(0), (0.85, 0.93, 0.94))
    shore = 0.66 + 0.012 * torch.sin(9 * s.at(0.8) + 6.28 * s.random(5))
    s.paint(s.below(shore - 0.02), (0.90, 0.94, 0.93))
    s.paint(s.below(shore), (0.78, 0.70, 0.54), (0.88, 0.81, 0.66))


def night_city(s: Stage) -> None:
    s.fill((0.07, 0.08, 0.17), (0.24, 0.21, 0.34), 0, 0.7)
    moon = torch.hypot(s.at(0.05) - s.random(0, 0.15, 0.85) * s.aspect, s.y - 0.15)
    s.paint(s.inside(moon - 0.05), (0.90, 0.88, 0.78))
    for depth, width, tall, rgb in ((0.3, 0.17, 0.5, (0.16, 0.16, 0.27)), (0.6, 0.25, 0.36, (0.11, 0.11, 0.20))):
        x = s.at(depth) + 2.0
        block = torch.floor(x / width)
        level = torch.frac(torch.sin(block * 12.9898 + 4.1) * 43758.5453).abs()
        top = GROUND - 0.1 - tall * (0.45 + 0.55 * level) - s.y
        tower = torch.maximum(top, (x - (block + 0.5) * width).abs() - 0.46 * width)
        s.paint(s.inside(tower), rgb)
        wx, wy = x / (width / 3), s.y / 0.085
        lit = torch.frac(torch.sin(torch.floor(wx) * 7.13 + torch.floor(wy) * 3.71) * 951.135).abs() > 0.6
        pane = torch.maximum((torch.frac(wx.abs()) - 0.5).abs() - 0.24, (torch.frac(wy) - 0.5).abs() - 0.22)
        s.paint(0.75 * s.inside(tower + 0.02) * (0.5 - pane * 6).clamp(0, 1) * lit, (0.86, 0.74, 0.46))
    _ground(s, (0.19, 0.19, 0.23), (0.26, 0.26, 0.31))


def forest(s: Stage) -> None:
    s.fill((0.48, 0.60, 0.52), (0.66, 0.74, 0.62), 0, 0.7)
    far, near = (0.3, 0.19, 0.022, (0.46, 0.50, 0.42), 4), (0.6, 0.34, 0.038, (0.36, 0.31, 0.25), 5)
    for depth, spacing, width, rgb, index in (far, near):
        x = torch.remainder(s.at(depth) + s.random(index), spacing) - spacing / 2
        s.paint(s.inside(x.abs() - width), rgb)
    leaves = _ridge(s, 0.45, 0.20, 0.05, 9.0, 6)
    s.paint(1 - s.below(leaves), (0.32, 0.45, 0.32))
    s.paint(1 - s.below(leaves - 0.09), (0.25, 0.37, 0.26))
    _ground(s, (0.32, 0.37, 0.24), (0.46, 0.52, 0.36))


def outer_space(s: Stage) -> None:
    s.fill((0.03, 0.03, 0.09), (0.10, 0.07, 0.18), 0, 0.8)
    x, y = s.at(0.02), s.y
    cell_x, cell_y = torch.floor(x / 0.17), torch.floor(y / 0.17)
    jitter_x = torch.frac(torch.sin(cell_x * 12.99 + cell_y * 78.23) * 43758.55).abs() * 0.6 - 0.3
    jitter_y = torch.frac(torch.sin(cell_x * 39.35 + cell_y * 11.14) * 24634.63).abs() * 0.6 - 0.3
    star = torch.hypot(x / 0.17 - cell_x - 0.5 - jitter_x, y / 0.17 - cell_y - 0.5 - jitter_y) * 0.17
    s.paint(0.8 * torch.exp(-((star / 0.012) ** 2)), (0.95, 0.95, 1.0))
    px, py = s.at(0.1) - s.random(4, 0.2, 0.8) * s.aspect, s.y - s.random(5, 0.2, 0.34)
    planet = torch.hypot(px, py) - 0.13
    s.paint(s.inside(planet), (0.62, 0.52, 0.60))
    s.paint(s.inside(planet) * (0.5 + 4 * (px + py)).clamp(0, 0.8), (0.22, 0.18, 0.30))
    ground = _ridge(s, 0.9, GROUND - 0.1, 0.012, 8.0, 7)
    s.paint(s.below(ground), (0.42, 0.42, 0.46), (0.58, 0.58, 0.62))


PAINTERS: dict[str, Callable[[Stage], None]] = {
    "meadow": meadow,
    "room": room,
    "desert": desert,
    "snowy mountains": snowy_mountains,
    "seaside": seaside,
    "night city": night_city,
    "forest": forest,
    "outer space": outer_space,
}
