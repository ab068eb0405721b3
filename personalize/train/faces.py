"""The Task that trains the finder of faces, on the world's truth about them, and its recall and precision."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.judge.measures import wilson
from mediagen.media.clip import to_float
from mediagen.media.sheets import save_sheet
from mediagen.personalize.degrade import wear
from mediagen.personalize.faces import STRIDE, Face, FaceFinder, overlap, read
from mediagen.personalize.portraits import face_of
from mediagen.world.draw import render
from mediagen.world.scene import Scene, draw_scene

FOUND = 0.5  # intersection over union with the true box from which on a face counts as found


@dataclass(frozen=True, kw_only=True)
class FinderTaskConfig(Config):
    """What the finder is trained on. scenes: drawn once, two pictures of each.  side: pixels of a picture.
    pairs: share of pictures that are two halves of others, so that there may be several faces.  wear: see `degrade`."""

    batch: int = 32
    scenes: int = 6_000
    side: int = 128
    pairs: float = 0.3
    wear: float = 0.8
    check: int = 256


@dataclass(frozen=True)
class Seen:
    """Pictures uint8 (N, S, S, 3) and their faces: boxes (N, K, 4) and points (N, K, 5, 2) in pixels, there (N, K)."""

    pictures: Tensor
    boxes: Tensor
    points: Tensor
    there: Tensor

    def __getitem__(self, rows: Tensor | slice) -> "Seen":
        return Seen(self.pictures[rows], self.boxes[rows], self.points[rows], self.there[rows])


class FinderTask:
    """Trains a FaceFinder; see `mediagen.train.task.Task`."""

    name = "faces"

    def __init__(self, model: FaceFinder, config: FinderTaskConfig | None = None, device: str = "cpu") -> None:
        self.config, self.device = config or FinderTaskConfig(), device
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pool = draw_seen(range(self.config.scenes), "train", self.config.side)

    def batch(self, step: int, rank: int, world: int) -> Seen:
        """Pictures of the pool; some are mirrored, some made of two, some smaller on a plain ground."""
        rng = np.random.default_rng((step, rank, world, 43))
        one, two = (
            self.pool[torch.from_numpy(rng.integers(0, len(self.pool.pictures), self.config.batch))] for _ in "ab"
        )
        seen = _joined(one, two, torch.from_numpy(rng.random(self.config.batch) < self.config.pairs))
        return _shrunk(_mirrored(seen, torch.from_numpy(rng.random(self.config.batch) < 0.5)), rng)

    def loss(self, model: nn.Module, batch: Seen, rng: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Focal loss of the scores (CenterNet, section 3), intersection over union of boxes, distance of points."""
        video = to_float(batch.pictures[:, None].to(self.device))[:, :, 0]
        answer = model(wear(video, rng, self.config.wear)).float()
        heat, owner = targets(batch, answer.shape[-1])
        heat, owner = heat.to(answer.device), owner.to(answer.device)
        boxes, points, _ = read(answer)
        logits = answer[:, 0]
        share = logits.sigmoid()
        is_centre = heat == 1
        faces = is_centre.sum().clamp_min(1)
        hit = (F.softplus(-logits) * (1 - share) ** 2 * is_centre).sum()
        missed = (F.softplus(logits) * share**2 * (1 - heat) ** 4 * ~is_centre).sum()
        where = owner >= 0
        rows = where.nonzero(as_tuple=True)[0]
        true_box = batch.boxes.to(answer.device)[rows, owner[where]]
        true_points = batch.points.to(answer.device)[rows, owner[where]]
        shared = _iou(boxes[where], true_box)
        side = (true_box[:, 2:] - true_box[:, :2]).clamp_min(1)
        off = ((points[where] - true_points) / side[:, None]).abs().mean((1, 2))
        count = max(1, len(rows))
        box_loss, point_loss = (1 - shared).sum() / count, off.sum() / count
        score_loss = (hit + missed) / faces
        figures: dict[str, float | Tensor] = {"score": score_loss.detach(), "box": box_loss.detach()}
        return score_loss + 2 * box_loss + 4 * point_loss, {**figures, "points": point_loss.detach()}

    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Recall and precision on validation scenes, and a sheet of pictures with what was found."""
        assert isinstance(model, FaceFinder)
        was_training = model.training
        model.eval()
        seen = draw_seen(range(self.config.check), "validation", self.config.side)
        found = model.find(seen.pictures)
        model.train(was_training)
        shown = [drawn(picture, faces)[None] for picture, faces in zip(seen.pictures[:32], found, strict=False)]
        save_sheet(shown, folder / f"faces-{step:06d}.png", 8)
        return score(found, seen)


def draw_seen(numbers: range, split: str, size: int) -> Seen:
    """Two pictures of each standard scene of a split; every second scene without people is left out."""
    pictures: list[Tensor] = []
    boxes: list[np.ndarray] = []
    points: list[np.ndarray] = []
    there: list[bool] = []
    scenes = [scene for number in numbers if _wanted(scene := draw_scene(number, split, "standard"), number)]
    for start in range(0, len(scenes), 64):
        some = scenes[start : start + 64]
        rng = np.random.default_rng((numbers.start + start, 41))
        frames = [int(rng.integers(0, 16)), int(rng.integers(16, 32))]
        pictures.append(render(some, (size, size), frames=frames).flatten(0, 1))
        for scene in some:
            face = face_of(scene, frames) if scene.person else None
            boxes += list(face.box * size) if face else [np.zeros(4)] * 2
            points += list(face.points * size) if face else [np.zeros((5, 2))] * 2
            there += [_inside(face.box[row], face.points[row]) for row in (0, 1)] if face else [False] * 2
    clipped = torch.from_numpy(np.stack(boxes)).float().clamp(0, size)
    dots = torch.from_numpy(np.stack(points)).float()
    return Seen(torch.cat(pictures), clipped[:, None], dots[:, None], torch.tensor(there)[:, None])


def _wanted(scene: Scene, number: int) -> bool:
    return scene.person is not None or number % 2 == 0


def _inside(box: np.ndarray, points: np.ndarray) -> bool:
    """Whether what is left of a face at the border is a face: its eyes and most of its box."""
    cut = np.clip(box, 0, 1)
    whole = (box[2] - box[0]) * (box[3] - box[1])
    return bool(((points > 0) & (points < 1)).all()) and (cut[2] - cut[0]) * (cut[3] - cut[1]) > 0.7 * whole


def _joined(one: Seen, two: Seen, pairs: Tensor) -> Seen:
    """Where `pairs`, the middle half of two pictures side by side; faces that the cut would meet are painted over."""
    size = one.pictures.shape[2]
    quarter, half = size // 4, size // 2
    pictures = one.pictures.clone()
    pictures[pairs, :, :half] = one.pictures[pairs, :, quarter : quarter + half]
    pictures[pairs, :, half:] = two.pictures[pairs, :, quarter : quarter + half]
    boxes, points = torch.cat((one.boxes, two.boxes), 1), torch.cat((one.points, two.points), 1)
    there = torch.cat((one.there, two.there & pairs[:, None]), 1)
    for column, shift in ((0, -quarter), (1, half - quarter)):
        low, high = (quarter, quarter + half)
        moved = boxes[pairs, column]
        cut = (moved[:, 0] < low - 1) | (moved[:, 2] > high + 1)
        boxes[pairs, column] = moved + torch.tensor([shift, 0, shift, 0])
        points[pairs, column] = points[pairs, column] + torch.tensor([shift, 0])
        for row in pairs.nonzero()[:, 0][cut & there[pairs, column]].tolist():
            first = 0 if column == 0 else half
            pictures[row, :, first : first + half] = pictures[row, :, first : first + 1]
            there[row, column] = False
    return Seen(pictures, boxes, points, there)


def _mirrored(seen: Seen, which: Tensor) -> Seen:
    size = seen.pictures.shape[2]
    pictures, boxes, points = seen.pictures.clone(), seen.boxes.clone(), seen.points.clone()
    pictures[which] = pictures[which].flip(2)
    boxes[which] = torch.stack((size - boxes[..., 2], boxes[..., 1], size - boxes[..., 0], boxes[..., 3]), -1)[which]
    turned = torch.stack((size - points[..., 0], points[..., 1]), -1)[..., [1, 0, 2, 4, 3], :]  # left stays left
    points[which] = turned[which]
    return Seen(pictures, boxes, points, seen.there)


def _shrunk(seen: Seen, rng: np.random.Generator) -> Seen:
    """A third of the pictures smaller, on grey ground, as wide and tall pictures come."""
    size = seen.pictures.shape[2]
    pictures, boxes, points = seen.pictures.clone(), seen.boxes.clone(), seen.points.clone()
    for row in np.flatnonzero(rng.random(len(pictures)) < 0.33).tolist():
        side = int(rng.integers(size // 2, size))
        small = F.interpolate(seen.pictures[row].permute(2, 0, 1)[None].float(), (side, side), mode="area")
        left, top = rng.integers(0, size - side + 1, 2).tolist()
        pictures[row] = 128
        pictures[row, top : top + side, left : left + side] = small[0].permute(1, 2, 0).round().to(torch.uint8)
        boxes[row] = boxes[row] * side / size + torch.tensor([left, top, left, top])
        points[row] = points[row] * side / size + torch.tensor([left, top])
    return Seen(pictures, boxes, points, seen.there)


def targets(seen: Seen, cells: int) -> tuple[Tensor, Tensor]:
    """What the scores should be, (N, h, w), 1 at centres, less around, and whose box each cell tells, -1 for none."""
    heat = torch.zeros(len(seen.boxes), cells, cells)
    owner = torch.full((len(seen.boxes), cells, cells), -1)
    place = (torch.arange(cells) + 0.5) * STRIDE
    for row, column in seen.there.nonzero().tolist():
        left, top, right, bottom = seen.boxes[row, column].tolist()
        x, y = (left + right) / 2, (top + bottom) / 2
        spread = max(0.6 * STRIDE, 0.12 * (bottom - top))
        bell = torch.exp(-((place[None] - x) ** 2 + (place[:, None] - y) ** 2) / (2 * spread**2))
        i, j = (min(cells - 1, max(0, int(v // STRIDE))) for v in (y, x))
        bell[i, j] = 1.0
        owner[row] = torch.where((bell > 0.5) & (bell > heat[row]), column, owner[row])
        heat[row] = torch.maximum(heat[row], bell.where(bell == 1, bell.clamp_max(0.99)))
    return heat, owner


def _iou(a: Tensor, b: Tensor) -> Tensor:
    both = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp_min(0).prod(1)
    return both / ((a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - both).clamp_min(1e-6)


def score(found: list[list[Face]], seen: Seen) -> dict[str, float]:
    """Recall and precision at an overlap of 0.5, each with the lower end of its 95 % interval, and the landmarks' mean
    distance in heights of the face."""
    true = hits = told = 0
    off: list[float] = []
    for row, faces in enumerate(found):
        told += len(faces)
        left = list(faces)
        for column in seen.there[row].nonzero()[:, 0].tolist():
            true += 1
            box = tuple(seen.boxes[row, column].tolist())
            best = max(left, key=lambda face: overlap(face.box, box), default=None)
            if best is not None and overlap(best.box, box) >= FOUND:
                hits += 1
                left.remove(best)
                points = seen.points[row, column].numpy()
                off.append(float(np.linalg.norm(best.points - points, axis=1).mean()) / (box[3] - box[1]))
    figures = {"recall": hits / max(true, 1), "precision": hits / max(told, 1)}
    low = {"recall_low": wilson(hits, max(true, 1))[0], "precision_low": wilson(hits, max(told, 1))[0]}
    return {**figures, **low, "landmarks": float(np.mean(off)) if off else 1.0, "faces": float(true)}


def drawn(picture: Tensor, faces: list[Face]) -> Tensor:
    """The picture with boxes and landmarks on it."""
    made = picture.clone()
    height, width = made.shape[:2]
    for face in faces:
        left, top, right, bottom = (round(v) for v in face.box)
        rows, columns = slice(max(0, top), bottom + 1), slice(max(0, left), right + 1)
        for line in (top, bottom):
            if 0 <= line < height:
                made[line, columns] = torch.tensor([255, 230, 0], dtype=torch.uint8)
        for line in (left, right):
            if 0 <= line < width:
                made[rows, line] = torch.tensor([255, 230, 0], dtype=torch.uint8)
        for x, y in face.points.round().astype(int).tolist():
            if 0 <= x < width and 0 <= y < height:
                made[y, x] = torch.tensor([0, 255, 0], dtype=torch.uint8)
    return made
