"""Brush: flat, softly shaded parts laid over the frames of one clip, each within a small box of its own."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from mediagen.world.backdrops import colour_of

RGB = tuple[float, float, float]
Number = float | Tensor


@dataclass(frozen=True)
class View:
    """How pixels of each frame lie in units of a thing, as arrays (F,).

    A pixel (column, row) is, in picture heights, x = (column / height - 0.5 aspect) / zoom + 0.5 aspect + pan, and so
    on for y; from there (x - left) / unit and (y - top) / unit are turned by -roll about (0, pivot).
    """

    height: int
    aspect: float
    pan: np.ndarray
    zoom: np.ndarray
    left: np.ndarray
    top: np.ndarray
    unit: float
    roll: np.ndarray | None = None
    pivot: float = 0.0

    def pixels(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns and rows (F, N) of points (N,) in own units."""
        u, v = np.broadcast_to(x, (len(self.left), len(x))), np.broadcast_to(y, (len(self.left), len(y)))
        if self.roll is not None:
            cos, sin = np.cos(self.roll)[:, None], np.sin(self.roll)[:, None]
            u, v = u * cos - (v - self.pivot) * sin, (v - self.pivot) * cos + u * sin + self.pivot
        x, y = self.left[:, None] + self.unit * u, self.top[:, None] + self.unit * v
        x = (x - self.pan[:, None] - 0.5 * self.aspect) * self.zoom[:, None] + 0.5 * self.aspect
        return x * self.height, ((y - 0.5) * self.zoom[:, None] + 0.5) * self.height

    def coordinates(self, rows: slice, columns: slice, device: torch.device) -> tuple[Tensor, Tensor]:
        """x and y of the pixels of a window in own units, each (F, h, w)."""

        def column(values: np.ndarray) -> Tensor:
            return torch.from_numpy(values.astype(np.float32)).to(device).view(-1, 1, 1)

        scale = 1 / (self.height * self.zoom * self.unit)
        x = (torch.arange(columns.start, columns.stop, device=device) + 0.5).view(1, 1, -1) * column(scale)
        y = (torch.arange(rows.start, rows.stop, device=device) + 0.5).view(1, -1, 1) * column(scale)
        half = 0.5 * self.aspect
        x = x + column((half - half / self.zoom + self.pan - self.left) / self.unit)
        y = y + column((0.5 - 0.5 / self.zoom - self.top) / self.unit)
        shape = (len(self.left), rows.stop - rows.start, columns.stop - columns.start)
        if self.roll is None:
            return x.expand(shape), y.expand(shape)
        cos, sin = column(np.cos(self.roll)), column(np.sin(self.roll))
        y = y - self.pivot
        return x * cos + y * sin, y * cos - x * sin + self.pivot


@dataclass
class Brush:
    """Paints into a window of a clip's frames and, where asked for, notes what it covers.

    canvas: (F, 3, H, W).  mask: (F, H, W) or None.  soft: how many pixels an edge takes.  edge: width of a dark outline
    in own units; 0 for none.  tint: (1, 3, 1, 1), what light leaves of each colour.
    """

    canvas: Tensor
    mask: Tensor | None
    view: View
    soft: float = 1.0
    edge: float = 0.0
    tint: Tensor | None = None
    rows: slice = field(default_factory=lambda: slice(0, 0))
    columns: slice = field(default_factory=lambda: slice(0, 0))
    x: Tensor = field(default_factory=lambda: torch.zeros(0))  # (F, h, w) of the window's pixels, in own units
    y: Tensor = field(default_factory=lambda: torch.zeros(0))

    def near(self, left: float, top: float, right: float, bottom: float) -> "Brush":
        """A brush for the part of the picture where something within this box (in own units) can be in any frame."""
        columns, rows = self.view.pixels(np.array([left, right, left, right]), np.array([top, top, bottom, bottom]))
        height, width = self.canvas.shape[-2:]

        def span(values: np.ndarray, size: int) -> slice:
            low = min(max(int(values.min()) - 2, 0), size)
            return slice(low, max(low, min(int(values.max()) + 3, size)))

        rows, columns = span(rows, height), span(columns, width)
        x, y = self.view.coordinates(rows, columns, self.canvas.device)
        return replace(self, rows=rows, columns=columns, x=x, y=y)

    def around(self, pad: float, *points: tuple[Number, Number]) -> "Brush":
        """A brush for what lies within `pad` of some points, whose coordinates may change over the frames."""

        def ends(values: list[Number]) -> tuple[float, float]:
            low = min(float(v.min()) if isinstance(v, Tensor) else v for v in values)
            return low, max(float(v.max()) if isinstance(v, Tensor) else v for v in values)

        (left, right), (top, bottom) = ends([x for x, _ in points]), ends([y for _, y in points])
        return self.near(left - pad, top - pad, right + pad, bottom + pad)

    @property
    def unit(self) -> Tensor:
        """Pixels in one unit, (F, 1, 1)."""
        values = (self.view.height * self.view.zoom * self.view.unit).astype(np.float32)
        return torch.from_numpy(values).to(self.canvas.device).view(-1, 1, 1)

    @property
    def empty(self) -> bool:
        return self.x.numel() == 0

    def fill(self, distance: Tensor, rgb: RGB | Tensor, alpha: Number = 1.0, line: bool = True) -> None:
        """Lays a colour where `distance` (own units, negative inside) says; line: outlined if the style is."""
        if self.empty:
            return
        at = (..., self.rows, self.columns)
        cover = (0.5 - distance * (self.unit / self.soft)).clamp_(0, 1)
        if not (isinstance(alpha, float) and alpha == 1.0):
            cover = cover * alpha
        colour = rgb if isinstance(rgb, Tensor) else colour_of(rgb, self.canvas.device)[0]
        if self.tint is not None:
            colour = colour * self.tint
        canvas = self.canvas[at]
        if self.edge and line:
            inner = (0.5 - (distance + self.edge) * self.unit).clamp_(0, 1).unsqueeze(1)
            colour = torch.full_like(canvas, 0.1).lerp_(colour.expand_as(canvas), inner)
        canvas.lerp_(colour.expand_as(canvas), cover.unsqueeze(1))
        if self.mask is not None:
            mask = self.mask[at]
            torch.maximum(mask, cover, out=mask)


def oval(x: Tensor, y: Tensor, cx: Number, cy: Number, rx: Number, ry: Number, power: float = 2.0) -> Tensor:
    """Distance to a superellipse, to first order: 2 is an ellipse, more is boxier."""
    u, v = ((x - cx) / rx).abs(), ((y - cy) / ry).abs()
    if power == 2.0:
        norm = torch.hypot(u, v)
        return norm * (norm - 1) / torch.hypot(u / rx, v / ry).clamp_min(1e-3)
    norm = (u.pow(power) + v.pow(power)).clamp_min(1e-6).pow(1 / power)
    slope = torch.hypot((u / norm).pow(power - 1) / rx, (v / norm).pow(power - 1) / ry)
    return (norm - 1) / slope.clamp_min(1e-3)


def capsule(x: Tensor, y: Tensor, ax: Number, ay: Number, bx: Number, by: Number, radius: Number) -> Tensor:
    """Distance to a thick line from a to b with round ends."""
    dx, dy = bx - ax, by - ay
    along = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + 1e-9)).clamp(0, 1)
    return torch.hypot(x - ax - along * dx, y - ay - along * dy) - radius
