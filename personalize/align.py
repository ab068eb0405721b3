"""Alignment: a face by its five landmarks to the place in a square picture where ArcFace expects it."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 112  # pixels of an aligned face
# Eyes, nose and corners of the mouth in an aligned face: ArcFace's five points (arXiv 1801.07698, section 3.1), as
# centres of pixels counted from 0.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


@dataclass(frozen=True)
class Frame:
    """A square window on an aligned face. side: pixels.  share: of the aligned face's scale.  up: of the side, by which
    the face's middle stands above or below the window's."""

    side: int = SIDE
    share: float = 1.0
    up: float = 0.0

    @property
    def template(self) -> np.ndarray:
        """Where the five landmarks belong, (5, 2)."""
        middle = (SIDE - 1) / 2
        scaled = (TEMPLATE - middle) * self.share * self.side / SIDE + (self.side - 1) / 2
        return scaled + np.array([0.0, self.up * self.side])


FACE = Frame()
BUST = Frame(side=96, share=0.5, up=0.08)  # with hair, hat and shoulders


def similarity(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The turn, scale and shift (2, 3) that bring `points` (N, 2) nearest to `onto` in the sense of least squares.

    Umeyama, IEEE TPAMI 13(4), 1991, equations 40 to 42, without reflections.
    """
    middle, target = points.mean(0), onto.mean(0)
    a, b = points - middle, onto - target
    spread = float((a * a).sum())
    if spread < 1e-9:
        raise ValueError("got five landmarks in one place, expected those of a face; give others.")
    left, sizes, right = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, np.sign(np.linalg.det(left @ right))])
    turn = (left * sign) @ right
    scale = float((sizes * sign).sum()) / spread
    return np.concatenate((scale * turn, (target - scale * turn @ middle)[:, None]), axis=1)


def align(pictures: Tensor, points: np.ndarray, frame: Frame = FACE) -> Tensor:
    """uint8 (N, side, side, 3): each of the pictures, uint8 (N, H, W, 3), with the face of landmarks (5, 2) in place.

    points: (N, 5, 2) in pixels from the upper left corner.  What lies outside of a picture is black.
    """
    made = [_warped(picture, each, frame) for picture, each in zip(pictures, points, strict=True)]
    return torch.stack(made) if made else pictures.new_zeros(0, frame.side, frame.side, 3)


def _warped(picture: Tensor, points: np.ndarray, frame: Frame) -> Tensor:
    source = picture.permute(2, 0, 1)[None].float()
    points = np.asarray(points, dtype=np.float64)
    while True:  # halved until the warp does not skip pixels
        to_template = similarity(points - 0.5, frame.template)  # centres of pixels count from 0 there
        if np.linalg.det(to_template[:, :2]) > 0.3 or min(source.shape[-2:]) < 4:
            break
        source, points = F.avg_pool2d(source, 2, ceil_mode=True, count_include_pad=False), points / 2
    back = np.linalg.inv(np.concatenate((to_template, [[0.0, 0.0, 1.0]])))[:2]
    height, width = source.shape[-2:]
    steps = torch.arange(frame.side, dtype=torch.float64)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    turn = torch.from_numpy(back)
    u, v = (turn[row, 0] * x + turn[row, 1] * y + turn[row, 2] for row in (0, 1))
    grid = torch.stack(((2 * u + 1) / width - 1, (2 * v + 1) / height - 1), -1)[None].float().to(source.device)
    warped = F.grid_sample(source, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return warped[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8)
