"""Outlines: which of five plain shapes a thing has, by the geometry of its pixels alone; no network.

A recogniser also reads size, spin and motion, and so credits lumps; this reads holes, corners and straight sides.
"""

import numpy as np
import torch

from mediagen.judge.whole_objects import colour_mask, hull_of, largest_regions

SHAPES = ("ball", "cube", "star", "ring", "triangle")
HOLE = 0.08  # share of the filled outline that is hole: a ring has 0.19
SOLID = 0.82  # region over convex hull: a star has 0.66, the others about 1
FULL, ROUND = 0.89, 0.66  # region over smallest box: cube 1, ball 0.79, triangle 0.5
SMALLEST = 40  # pixels; of less nothing can be said


def outline_of(frames: torch.Tensor, colour: str) -> str | None:
    """The shape that most frames of a clip show for the thing of `colour`, None where none can be read.

    frames: uint8 (F, H, W, 3).  colour: one of mediagen.world.scene.COLOURS.
    """
    masks = colour_mask(frames, colour)
    votes = [shape for mask in masks if (shape := _shape(mask)) is not None]
    return max(SHAPES, key=votes.count) if votes else None


def _shape(mask: np.ndarray) -> str | None:
    region = largest_regions(mask[None])[0]
    if region is None or region.area < SMALLEST:
        return None
    left, top, right, bottom = region.box
    height, width = mask.shape
    if left == 0 or top == 0 or right == width or bottom == height:
        return None  # cut by the picture's border
    inside = mask[top:bottom, left:right]
    around = largest_regions(np.pad(~inside, 1, constant_values=True)[None])[0]
    assert around is not None, "a padded box has an outside"
    hole = around.total - around.area
    if hole > HOLE * (region.area + hole):
        return "ring"
    if region.area < SOLID * region.hull:
        return "star"
    fill = region.area / _smallest_box(inside)
    return "cube" if fill > FULL else "ball" if fill > ROUND else "triangle"


def _smallest_box(inside: np.ndarray) -> float:
    """Area of the smallest turned rectangle around the set pixels."""
    rows, columns = np.nonzero(inside)
    corners = [(int(x) + dx, int(y) + dy) for x, y in zip(columns, rows, strict=True) for dx in (0, 1) for dy in (0, 1)]
    points = np.asarray(hull_of(corners), dtype=np.float64)
    angles = np.arange(0, np.pi / 2, np.pi / 90)
    along = points[:, :1] * np.cos(angles) + points[:, 1:] * np.sin(angles)
    across = points[:, 1:] * np.cos(angles) - points[:, :1] * np.sin(angles)
    return float((np.ptp(along, axis=0) * np.ptp(across, axis=0)).min())


def squares(frames: torch.Tensor, cell: int = 8) -> float:
    """How much steeper clips are across the borders of latent cells than elsewhere: mean square step of brightness.

    frames: uint8 (..., H, W, 3).  1 for pictures that know nothing of cells; compare with the same of true clips.
    """
    grey = frames.float().mean(-1)
    ratios = []
    for axis in (-1, -2):
        steps = grey.diff(dim=axis).square().movedim(axis, -1)
        border = torch.arange(1, steps.shape[-1] + 1) % cell == 0
        ratios.append(float(steps[..., border].mean() / steps[..., ~border].mean()))
    return sum(ratios) / 2
