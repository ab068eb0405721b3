"""The things' outlines as signed distance fields, and their colouring. Local coordinates: the radius is 1, y down."""

import math

import torch
from torch import Tensor

RGB = tuple[float, float, float]


def circle(x: Tensor, y: Tensor, cx: float, cy: float, radius: float) -> Tensor:
    return torch.hypot(x - cx, y - cy) - radius


def ellipse(x: Tensor, y: Tensor, cx: float, cy: float, rx: float, ry: float) -> Tensor:
    """Distance to an ellipse, to first order."""
    u, v = (x - cx) / rx, (y - cy) / ry
    norm = torch.hypot(u, v)
    return norm * (norm - 1) / torch.hypot(u / rx, v / ry).clamp_min(1e-4)


def box(x: Tensor, y: Tensor, cx: float, cy: float, half_w: float, half_h: float, corner: float = 0.0) -> Tensor:
    dx, dy = (x - cx).abs() - half_w + corner, (y - cy).abs() - half_h + corner
    return torch.hypot(dx.clamp_min(0), dy.clamp_min(0)) + torch.maximum(dx, dy).clamp_max(0) - corner


def polygon(x: Tensor, y: Tensor, corners: list[tuple[float, float]]) -> Tensor:
    """A convex polygon, its corners clockwise on the screen."""
    distance = None
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = math.hypot(bx - ax, by - ay)
        side = ((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / length
        distance = side if distance is None else torch.maximum(distance, side)
    assert distance is not None, "a polygon needs corners"
    return distance


def star(x: Tensor, y: Tensor) -> Tensor:
    """A five-pointed star of outer radius 1.05, one point up."""
    wedge = math.pi / 5
    angle = torch.atan2(x, -y)
    folded = (torch.remainder(angle + wedge, 2 * wedge) - wedge).abs()
    radius = torch.hypot(x, y)
    px, py = radius * torch.sin(folded), radius * torch.cos(folded)
    inner = 0.5
    (ax, ay), (bx, by) = (0.0, 1.05), (inner * math.sin(wedge), inner * math.cos(wedge))
    length = math.hypot(bx - ax, by - ay)
    return ((px - ax) * (ay - by) + (py - ay) * (bx - ax)) / length


def outline(kind: str, x: Tensor, y: Tensor, beat: Tensor) -> Tensor:
    """Signed distance to the outline of `kind`; `beat` in [-1, 1] moves wings and tails."""
    if kind == "ball":
        return circle(x, y, 0, 0, 1)
    if kind == "cube":
        return box(x, y, 0, 0, 0.86, 0.86, 0.08)
    if kind == "star":
        return star(x, y)
    if kind == "ring":
        return (torch.hypot(x, y) - 0.72).abs() - 0.28
    if kind == "triangle":
        return polygon(x, y, [(0, -1.05), (1.0, 0.8), (-1.0, 0.8)])
    if kind == "car":
        cabin = box(x, y, -0.1, -0.28, 0.6, 0.36, 0.2)
        return torch.minimum(box(x, y, 0, 0.3, 1.15, 0.36, 0.16), cabin)
    if kind == "boat":
        hull = polygon(x, y, [(-1.1, 0.35), (1.1, 0.35), (0.7, 0.95), (-0.7, 0.95)])
        sail = polygon(x, y, [(0.05, -1.0), (0.8, 0.2), (0.05, 0.2)])
        return torch.minimum(torch.minimum(hull, sail), box(x, y, 0.0, -0.3, 0.06, 0.75))
    if kind == "bird":
        body = torch.minimum(ellipse(x, y, 0, 0.1, 0.85, 0.42), circle(x, y, 0.7, -0.2, 0.33))
        wing = ellipse(x, y + 0.45 * beat, -0.1, -0.1, 0.35, 0.6)
        return torch.minimum(body, wing)
    if kind == "fish":
        swing = y + 0.2 * beat * (x < -0.5)
        tail = polygon(x, swing, [(-1.15, -0.55), (-0.45, 0.0), (-1.15, 0.55)])
        return torch.minimum(ellipse(x, y, 0.1, 0, 0.85, 0.55), tail)
    if kind == "rocket":
        body = ellipse(x, y, 0.05, 0, 1.05, 0.42)
        fins = polygon(x, y, [(-1.0, -0.75), (-0.3, 0.0), (-1.0, 0.75)])
        return torch.minimum(body, fins)
    raise ValueError(f"got a thing '{kind}' that has no outline; add it to shapes.outline.")


def details(kind: str, x: Tensor, y: Tensor) -> list[tuple[Tensor, RGB]]:
    """Small parts in other colours: (signed distance, rgb), drawn in order over the thing."""
    dark, glass = (0.13, 0.13, 0.16), (0.75, 0.88, 0.95)
    if kind == "car":
        wheels = torch.minimum(circle(x, y, -0.6, 0.66, 0.3), circle(x, y, 0.6, 0.66, 0.3))
        return [(box(x, y, -0.1, -0.26, 0.42, 0.2, 0.1), glass), (wheels, dark)]
    if kind == "bird":
        beak = polygon(x, y, [(1.0, -0.3), (1.3, -0.18), (1.0, -0.06)])
        return [(beak, (0.95, 0.65, 0.1)), (circle(x, y, 0.78, -0.26, 0.08), dark)]
    if kind == "fish":
        return [(circle(x, y, 0.6, -0.12, 0.1), dark)]
    if kind == "rocket":
        return [(circle(x, y, 0.35, 0, 0.2), glass)]
    return []


def shade(kind: str, x: Tensor, y: Tensor, turned_x: Tensor, turned_y: Tensor) -> tuple[Tensor, Tensor]:
    """Brightness factor and added highlight. (x, y) are upright, for light from the upper left; the others turn."""
    if kind == "ball":
        depth = (1 - x**2 - y**2).clamp_min(0).sqrt()
        facing = 0.62 + 0.45 * (-0.45 * x - 0.6 * y + 0.66 * depth).clamp_min(0)
        stripe = torch.sigmoid((0.16 - (turned_y - 0.1).abs()) * 14)
        highlight = 0.5 * torch.exp(-((x + 0.38) ** 2 + (y + 0.42) ** 2) / 0.05)
        return facing * (1 - 0.25 * stripe), highlight
    if kind == "cube":
        edge = torch.sigmoid((turned_x.abs().maximum(turned_y.abs()) - 0.62) * 14)
        return 1.0 - 0.14 * x - 0.18 * y * 0.8 - 0.2 * edge, torch.zeros_like(x)
    if kind == "ring":
        tube = 1 - ((torch.hypot(x, y) - 0.72) / 0.28).clamp(-1, 1) ** 2
        return 0.78 + 0.3 * tube - 0.1 * y - 0.06 * x, torch.zeros_like(x)
    return 1.0 - 0.12 * x - 0.2 * y, torch.zeros_like(x)
