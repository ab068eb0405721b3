"""Strict objects: whether decoded pixels hold exactly one coherent thing of the colour that was asked for.

A recogniser credits fragments; this does not. It knows colours, connectedness, area and shape, and no network.
"""

from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import torch

from mediagen.world.draw import COLOUR_RGB
from mediagen.world.scene import RADIUS

SHARE = 0.8  # of the colour's pixels that the one region must hold
SMALLEST = RADIUS["medium"] ** 2  # area in picture heights squared; two thirds of a medium star
LARGEST = 0.2  # area in picture heights squared; the world's largest car, with room for a zoom
SOLID = 0.5  # region over convex hull: a star has 0.6, a ring 0.7, scattered blocks joined by a corner less
SATURATION = 0.78  # of the colour's own, that its pixels must have; places are painted in muted colours
WHITE = 0.07  # saturation below which a bright pixel is white
FRAMES = 0.7  # share of frames that must pass


@dataclass(frozen=True)
class Region:
    """The largest 4-connected region of a mask: pixels, pixels of the whole mask, its convex hull's area in pixels,
    and its box (left, top, right, bottom), right and bottom exclusive."""

    area: int
    total: int
    hull: float
    box: tuple[int, int, int, int]


def smallest_area(size: str) -> float:
    """The least area, in picture heights squared, that a thing of `size` can have: two thirds of a star's."""
    return RADIUS[size] ** 2


def shows_whole_object(frames: torch.Tensor, colour: str, smallest: float = SMALLEST) -> bool:
    """Whether a clip shows exactly one coherent thing of `colour` in at least 70 % of its frames.

    frames: uint8 (F, H, W, 3).  colour: one of mediagen.world.scene.COLOURS.  smallest: least area of the thing in
    picture heights squared, by default that of a medium one; see `smallest_area`.
    """
    return float(frames_with_whole_object(frames, colour, smallest).float().mean()) >= FRAMES


def frames_with_whole_object(frames: torch.Tensor, colour: str, smallest: float = SMALLEST) -> torch.Tensor:
    """Whether each frame holds exactly one coherent thing of `colour`: bool (F,) for uint8 frames (F, H, W, 3).

    One 4-connected region holds 80 % of that colour's pixels, is as large as a thing can be, and fills half of its
    convex hull. Colours are told apart by direction in RGB, so that light and shade do not matter.
    """
    height = frames.shape[1]
    passed = [_coherent(region, height, smallest) for region in largest_regions(colour_mask(frames, colour))]
    return torch.tensor(passed, dtype=torch.bool)


def lowest_points(frames: torch.Tensor, colour: str, smallest: float = SMALLEST) -> torch.Tensor:
    """The bottom edge of the thing of `colour` in each frame, in picture heights from the top, NaN where none is whole.

    frames: uint8 (F, H, W, 3). Returns float32 (F,).
    """
    height = frames.shape[1]
    found = largest_regions(colour_mask(frames, colour))
    return torch.tensor([r.box[3] / height if _coherent(r, height, smallest) else float("nan") for r in found])


def colour_mask(frames: torch.Tensor, colour: str) -> np.ndarray:
    """Pixels that are of `colour` under any shading: bool (F, H, W) for uint8 frames (F, H, W, 3)."""
    if colour not in COLOUR_RGB:
        raise ValueError(f"got the colour '{colour}', expected one of {', '.join(COLOUR_RGB)}; use one of those.")
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != torch.uint8:
        raise ValueError(f"got {frames.dtype} {tuple(frames.shape)}, expected uint8 (F, H, W, 3) as in Clip.frames.")
    rgb = frames.cpu().numpy().astype(np.float32) / 255
    low, high = rgb.min(-1), rgb.max(-1)
    chroma = high - low
    if colour == "white":
        return (high > 0.6) & (chroma < WHITE * high)
    if colour == "black":
        return (high < 0.2) & (chroma < 0.1)
    own, strength = _hue(np.asarray(COLOUR_RGB[colour], dtype=np.float32))
    hue, saturation = _hue(rgb)
    away = np.abs((hue - own + 3) % 6 - 3)
    return (away < HUES[colour]) & (saturation > SATURATION * strength) & (high > 0.25)


def _hue(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hue in sixths of a turn, [0, 6), and saturation in [0, 1], of (..., 3) in [0, 1]."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    high, low = rgb.max(-1), rgb.min(-1)
    chroma = np.maximum(high - low, 1e-6)
    of_green, of_blue = 2 + (blue - red) / chroma, 4 + (red - green) / chroma
    sixth = np.where(high == red, (green - blue) / chroma, np.where(high == green, of_green, of_blue))
    return sixth % 6, (high - low) / np.maximum(high, 1e-6)


def _hue_widths() -> dict[str, float]:
    """Half of the way to the nearest other hue, but at most 0.4 sixths of a turn."""
    hues = {
        n: float(_hue(np.asarray(c, dtype=np.float32))[0]) for n, c in COLOUR_RGB.items() if n not in ("white", "black")
    }
    return {
        name: min(0.4, min(abs((hue - other + 3) % 6 - 3) for n, other in hues.items() if n != name) / 2)
        for name, hue in hues.items()
    }


HUES = _hue_widths()


def largest_regions(masks: np.ndarray) -> list[Region | None]:
    """The largest 4-connected region of each mask, None where a mask is empty; masks: bool (F, H, W)."""
    frames = len(masks)
    # Runs of set pixels, row by row: where the padded row rises and where it falls.
    edges = np.diff(np.pad(masks, ((0, 0), (0, 0), (1, 1))).astype(np.int8), axis=-1)
    frame, row, start = np.nonzero(edges == 1)
    stop = np.nonzero(edges == -1)[2]
    bounds = np.searchsorted(frame, np.arange(frames + 1))
    found: list[Region | None] = []
    for index in range(frames):
        part = slice(bounds[index], bounds[index + 1])
        found.append(_largest(row[part].tolist(), start[part].tolist(), stop[part].tolist()))
    return found


def _largest(rows: list[int], starts: list[int], stops: list[int]) -> Region | None:
    """The largest region of runs [start, stop) sorted by row and start: union-find over overlaps of adjacent rows."""
    if not rows:
        return None
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    above = 0  # first run that could still touch the current one from the row above
    for run in range(len(rows)):
        while rows[above] < rows[run] - 1 or (rows[above] == rows[run] - 1 and stops[above] <= starts[run]):
            above += 1
        other = above
        while rows[other] == rows[run] - 1 and starts[other] < stops[run]:
            parent[root(other)] = root(run)
            other += 1
    area: dict[int, int] = {}
    for run in range(len(rows)):
        label = root(run)
        area[label] = area.get(label, 0) + stops[run] - starts[run]
    best = max(area, key=lambda label: area[label])
    members = [run for run in range(len(rows)) if root(run) == best]
    left, right = min(starts[run] for run in members), max(stops[run] for run in members)
    corners = [(x, y) for run in members for x in (starts[run], stops[run]) for y in (rows[run], rows[run] + 1)]
    box = (left, rows[members[0]], right, rows[members[-1]] + 1)
    return Region(area[best], sum(area.values()), _hull_area(corners), box)


def _hull_area(points: list[tuple[int, int]]) -> float:
    """Area of the convex hull, by Andrew's monotone chain and the shoelace formula."""
    ordered = sorted(set(points))

    def chain(path: list[tuple[int, int]]) -> list[tuple[int, int]]:
        made: list[tuple[int, int]] = []
        for x, y in path:
            while len(made) > 1:
                (ax, ay), (bx, by) = made[-2], made[-1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                made.pop()
            made.append((x, y))
        return made[:-1]

    hull = chain(ordered) + chain(ordered[::-1])
    return 0.5 * abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(hull, hull[1:] + hull[:1], strict=True)))


def _coherent(region: Region | None, height: int, smallest: float) -> TypeGuard[Region]:
    return region is not None and (
        region.area >= SHARE * region.total
        and smallest <= region.area / height**2 <= LARGEST
        and region.area >= SOLID * region.hull
    )
