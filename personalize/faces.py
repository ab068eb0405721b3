"""Faces: where they are in pictures and films, by a box and five landmarks each; the network that finds them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Protocol, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.personalize.align import FACE, Frame, align

STRIDE = 4  # pixels of a cell of the finder's answer
_LAP = 0.4  # boxes that share more than this of their union are one face
_CHUNK = 16


@dataclass(frozen=True)
class Face:
    """A face in a picture, in pixels. box: left, top, right, bottom.  points: (5, 2), as `world.head.LANDMARKS`: eyes,
    nose, corners of the mouth, each first the one on the left.  score: 0 to 1."""

    box: tuple[float, float, float, float]
    points: np.ndarray
    score: float = 1.0

    @property
    def height(self) -> float:
        """Pixels from the top to the bottom of the box."""
        return self.box[3] - self.box[1]

    @property
    def turned(self) -> float:
        """How far the nose stands beside the middle of the eyes, in distances of the eyes: 0 straight, 0.5 sideways."""
        between = self.points[1] - self.points[0]
        wide = float(np.linalg.norm(between))
        off = self.points[2] - (self.points[0] + self.points[1]) / 2
        return abs(float(off @ between)) / max(wide * wide, 1e-6)

    def aligned(self, picture: Tensor, frame: Frame = FACE) -> Tensor:
        """The face of a picture, uint8 (H, W, 3), in place: uint8 (side, side, 3)."""
        return align(picture[None], self.points[None], frame)[0]


class Finder(Protocol):
    """What finds faces: ours, or an adapter of another's."""

    def find(self, frames: Tensor) -> list[list[Face]]:
        """The faces of each of the frames, uint8 (F, H, W, 3), from the left to the right."""
        ...


@dataclass(frozen=True, kw_only=True)
class FinderConfig(Config):
    """A finder. widths: of its five layers of pictures, each half as large as the one before.  size: pixels of the
    longer side at which it looks.  threshold: the score from which on something is a face."""

    widths: tuple[int, ...] = (16, 24, 48, 64)
    size: int = 128
    threshold: float = 0.4


class FaceFinder(nn.Module):
    """Boxes and landmarks of faces: a score for each cell of 4 x 4 pixels, and from the best a box and five points.

    Centres as points (CenterNet, arXiv 1904.07850) on one map that joins four scales. Pictures of more than twice its
    size are looked at in several sizes.
    """

    Config: ClassVar = FinderConfig
    PRESETS: ClassVar[dict[str, FinderConfig]] = {"tiny": FinderConfig(), "debug": FinderConfig(widths=(8, 8, 8, 8))}

    def __init__(self, config: FinderConfig) -> None:
        super().__init__()
        self.config = config
        widths, joined = config.widths, config.widths[-2]
        self.stem = _layer(3, widths[0], 2)
        self.down = nn.ModuleList(nn.Sequential(_layer(a, b, 2), _layer(b, b)) for a, b in pairwise(widths))
        self.across = nn.ModuleList(nn.Conv2d(width, joined, 1) for width in widths[1:])
        self.head = nn.Sequential(_layer(joined, joined), _layer(joined, joined), nn.Conv2d(joined, 15, 1))
        last = self.head[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.normal_(last.weight, std=0.01)
        with torch.no_grad():
            last.bias.zero_()
            last.bias[0] = -4.0  # faces are rare

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [-1, 1], of multiples of 16, to (N, 15, H / 4, W / 4).

        Channels: the score's logit; logarithms of the distances to the box's four sides, in cells; five points, in
        halves of the box from its middle.
        """
        x = self.stem(pictures.contiguous(memory_format=torch.channels_last))
        seen = []
        for down in self.down:
            x = down(x)
            seen.append(x)
        joined = self.across[-1](seen[-1])
        for across, finer in zip(list(self.across)[-2::-1], seen[-2::-1], strict=True):
            joined = across(finer) + F.interpolate(joined, scale_factor=2.0, mode="nearest")
        return self.head(joined)

    @torch.no_grad()
    def find(self, frames: Tensor) -> list[list[Face]]:
        """See `Finder`."""
        if frames.ndim != 4 or frames.dtype != torch.uint8 or frames.shape[-1] != 3:
            raise ValueError(f"got pictures {frames.dtype} {tuple(frames.shape)}, expected uint8 (F, H, W, 3).")
        longest, size = max(frames.shape[1:3]), self.config.size
        scales = [size] + [size * by for by in (2, 4) if longest > 1.5 * size * by / 2]
        found: list[list[Face]] = [[] for _ in frames]
        for scale in scales:
            for start in range(0, len(frames), _CHUNK):
                for row, faces in enumerate(self._find_at(frames[start : start + _CHUNK], scale)):
                    found[start + row] += faces
        return [sorted(_apart(faces), key=lambda face: face.box[0]) for faces in found]

    def _find_at(self, frames: Tensor, size: int) -> list[list[Face]]:
        weight = self.across[0].weight
        height, width = frames.shape[1:3]
        scale = size / max(height, width)
        shape = max(16, round(height * scale)), max(16, round(width * scale))
        video = frames.to(weight.device).permute(0, 3, 1, 2).to(weight.dtype) / 127.5 - 1  # type: ignore[arg-type]
        video = F.interpolate(video, shape, mode="bilinear", align_corners=False, antialias=scale < 1)
        video = F.pad(video, (0, -shape[1] % 16, 0, -shape[0] % 16))
        boxes, points, scores = read(self(video).float())
        peaks = (scores == F.max_pool2d(scores[:, None], 3, 1, 1)[:, 0]) & (scores > self.config.threshold)
        ratio = torch.tensor([width / shape[1], height / shape[0]], device=boxes.device)
        found: list[list[Face]] = []
        for row, peak in enumerate(peaks):
            which = peak.nonzero(as_tuple=True)
            box = (boxes[row][which].unflatten(-1, (2, 2)) * ratio).flatten(1).tolist()
            dots = (points[row][which] * ratio).cpu().double().numpy()
            score = scores[row][which].tolist()
            faces = zip(box, dots, score, strict=True)
            found.append([Face((b[0], b[1], b[2], b[3]), p, s) for b, p, s in faces])
        return found

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """A new, untrained finder."""
        return cls(cls.PRESETS[name])


def read(answer: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of a finder's answer: boxes (N, h, w, 4), points (N, h, w, 5, 2), in pixels that it saw, scores (N, h, w)."""
    height, width = answer.shape[-2:]
    x = (torch.arange(width, device=answer.device) + 0.5) * STRIDE
    y = (torch.arange(height, device=answer.device) + 0.5) * STRIDE
    reach = answer[:, 1:5].clamp(-4, 5).exp() * STRIDE
    left, top, right, bottom = reach.unbind(1)
    boxes = torch.stack((x - left, y[:, None] - top, x + right, y[:, None] + bottom), dim=-1)
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    half = (boxes[..., 2:] - boxes[..., :2]) / 2
    dots = answer[:, 5:].permute(0, 2, 3, 1).unflatten(-1, (5, 2))
    return boxes, middle[..., None, :] + dots * half[..., None, :], answer[:, 0].sigmoid()


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes."""
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = wide * high
    return both / max((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both, 1e-9)


def _apart(faces: list[Face]) -> list[Face]:
    """The best of those that lie over each other."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) < _LAP for other in kept):
            kept.append(face)
    return kept


def _layer(width: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.SiLU())
