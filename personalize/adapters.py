"""Adapters: others' finders and encoders behind our two calls, for real photos and for who has their weights."""

import logging
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.errors import ModelError
from mediagen.personalize.faces import Face

log = logging.getLogger(__name__)
INSIGHT_LICENCE = "insightface's model packs are for non-commercial research only, as their authors say; ours are not."


class InsightFace:
    """A model pack of insightface that a user has: `find` by its detector, `embed` by its recogniser.

    name: of the pack.  root: folder whose models/NAME has its ONNX files; nothing is downloaded.
    Raises ModelError where the package (extra `face`) or the files are missing. Its licence is said when it loads.
    """

    def __init__(self, name: str = "buffalo_l", root: str | Path = "~/.insightface") -> None:
        if find_spec("insightface") is None:
            raise ModelError("got no package 'insightface', expected one; install mediagen with the extra 'face'.")
        folder = Path(root).expanduser() / "models" / name
        if not list(folder.glob("*.onnx")):
            raise ModelError(f"got no ONNX files in {folder}, expected a pack of insightface; put one there.")
        from insightface.app import FaceAnalysis  # pyright: ignore[reportMissingImports]

        log.warning(INSIGHT_LICENCE)
        try:
            wanted = ["detection", "recognition"]
            self._all: Any = FaceAnalysis(name, str(Path(root).expanduser()), allowed_modules=wanted)
        except AssertionError:
            raise ModelError(f"got the pack in {folder} without a detector, expected one; use a whole pack.") from None
        self._all.prepare(ctx_id=-1, det_size=(640, 640))
        self._lock = threading.Lock()  # its detector keeps sizes of the last picture

    def find(self, frames: Tensor) -> list[list[Face]]:
        """See `Finder`."""
        return [sorted(self._find(picture), key=lambda face: face.box[0]) for picture in frames]

    def _find(self, picture: Tensor) -> list[Face]:
        with self._lock:
            boxes, points = self._all.det_model.detect(_bgr(picture), max_num=0, metric="default")
        rows = zip(boxes, points, strict=True)  # it counts from the centres of pixels
        return [Face(tuple(float(v) + 0.5 for v in box[:4]), dots + 0.5, float(box[4])) for box, dots in rows]  # type: ignore[arg-type]

    def embed(self, faces: Tensor) -> Tensor:
        """See `FaceEncoder`."""
        recogniser = self._all.models.get("recognition")
        if recogniser is None:
            raise ModelError("got a pack of insightface without a recogniser, expected one; use a whole pack.")
        vectors = recogniser.get_feat([_bgr(face) for face in faces])
        return F.normalize(torch.from_numpy(np.asarray(vectors, dtype=np.float32)), dim=1)


def _bgr(picture: Tensor) -> np.ndarray:
    return np.ascontiguousarray(picture.cpu().numpy()[..., ::-1])


class MTCNN:
    """The cascade of three networks (arXiv 1604.02878) with the weights in the package facenet-pytorch (MIT).

    Only the package's files of weights are read, so it may be installed without its dependencies (`pip install
    --no-deps facenet-pytorch`).  least: pixels of the smallest face.  Raises ModelError where it is not installed.
    """

    THRESHOLDS = (0.6, 0.7, 0.7)
    FACTOR = 0.709

    def __init__(self, least: int = 20) -> None:
        spec = find_spec("facenet_pytorch")
        if spec is None or not spec.submodule_search_locations:
            raise ModelError(
                "got no package 'facenet-pytorch', expected its weights; run pip install --no-deps facenet-pytorch."
            )
        folder = Path(next(iter(spec.submodule_search_locations))) / "data"
        self.least = least
        self._nets = [net.eval() for net in (_proposal(), _refining(), _output())]
        for net, file in zip(self._nets, ("pnet.pt", "rnet.pt", "onet.pt"), strict=True):
            net.load_state_dict(torch.load(folder / file, weights_only=True, map_location="cpu"))

    @torch.no_grad()
    def find(self, frames: Tensor) -> list[list[Face]]:
        """See `Finder`."""
        return [sorted(self._find(picture), key=lambda face: face.box[0]) for picture in frames]

    def _find(self, picture: Tensor) -> list[Face]:
        x = (picture.permute(2, 0, 1)[None].float() - 127.5) / 128
        boxes = self._propose(x)
        refine, output = self._nets[1:]
        if len(boxes):
            told = refine(_cut(x, boxes, 24))
            kept = told["score"] > self.THRESHOLDS[1]
            boxes = _moved(boxes[kept], told["move"][kept])
            boxes = _square(boxes[_best(boxes, told["score"][kept], 0.7)])
        if not len(boxes):
            return []
        told = output(_cut(x, boxes, 48))
        kept = told["score"] > self.THRESHOLDS[2]
        boxes, score, dots = boxes[kept], told["score"][kept], told["points"][kept].unflatten(1, (2, 5))
        sides = boxes[:, 2:] - boxes[:, :2]
        points = (dots * sides[..., None] + boxes[:, :2, None]).transpose(1, 2)
        boxes = _moved(boxes, told["move"][kept])
        chosen = _best(boxes, score, 0.7, smaller=True)
        rows = zip(boxes[chosen].tolist(), points[chosen].double().numpy(), score[chosen].tolist(), strict=True)
        return [Face((b[0], b[1], b[2], b[3]), p, s) for b, p, s in rows]

    def _propose(self, x: Tensor) -> Tensor:
        scale, found, scores = 12 / self.least, list[Tensor](), list[Tensor]()
        height, width = x.shape[-2:]
        while min(height, width) * scale >= 12:
            small = F.interpolate(x, (int(height * scale + 1), int(width * scale + 1)), mode="area")
            told = self._nets[0](small)
            score = told["score"][0]
            y, column = (score > self.THRESHOLDS[0]).nonzero(as_tuple=True)
            corner = torch.stack((column, y), 1) * 2.0
            boxes = torch.cat((corner, corner + 12), 1) / scale
            boxes, score = _moved(boxes, told["move"][0, :, y, column].T), score[y, column]
            chosen = _best(boxes, score, 0.5)
            found.append(boxes[chosen])
            scores.append(score[chosen])
            scale *= self.FACTOR
        if not found:
            return x.new_zeros(0, 4)
        boxes = torch.cat(found)
        return _square(boxes[_best(boxes, torch.cat(scores), 0.7)])


def _cut(x: Tensor, boxes: Tensor, side: int) -> Tensor:
    """The windows of a picture as squares; black outside."""
    height, width = x.shape[-2:]
    made = []
    for left, top, right, bottom in boxes.round().int().tolist():
        inner = x[:, :, max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        around = (max(0, -left), max(0, right - width), max(0, -top), max(0, bottom - height))
        whole = F.pad(inner, around, value=-127.5 / 128)
        made.append(F.interpolate(whole, (side, side), mode="area") if whole.numel() else x.new_zeros(1, 3, side, side))
    return torch.cat(made)


def _moved(boxes: Tensor, by: Tensor) -> Tensor:
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + by * torch.cat((sides, sides), 1)


def _square(boxes: Tensor) -> Tensor:
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    return torch.cat((middle - half, middle + half), 1)


def _best(boxes: Tensor, scores: Tensor, most: float, smaller: bool = False) -> list[int]:
    """Rows of boxes that no better one covers; smaller: as a share of the smaller box, not of the union."""
    order, kept = scores.argsort(descending=True).tolist(), list[int]()
    area = (boxes[:, 2:] - boxes[:, :2]).clamp_min(0).prod(1)
    for row in order:
        if kept:
            corner = torch.minimum(boxes[row, 2:], boxes[kept, 2:]) - torch.maximum(boxes[row, :2], boxes[kept, :2])
            both = corner.clamp_min(0).prod(1)
            other = torch.minimum(area[row], area[kept]) if smaller else area[row] + area[kept] - both
            if bool((both / other.clamp_min(1e-6) > most).any()):
                continue
        kept.append(row)
    return kept


class _Net(nn.Module):
    """One of the cascade; convolutions, then answers by name, under the names that the files of weights have."""

    def __init__(self, body: dict[str, nn.Module], answers: dict[str, tuple[str, nn.Module]]) -> None:
        super().__init__()
        self.order = list(body)
        for name, module in body.items():
            self.add_module(name, module)
        self.answers = {what: name for what, (name, _) in answers.items()}
        for name, module in answers.values():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        for name in self.order:
            if name.startswith("dense") and x.ndim == 4:
                x = x.permute(0, 3, 2, 1).flatten(1)  # the order of the cells that the weights were trained with
            x = self.get_submodule(name)(x)
        told = {what: self.get_submodule(name)(x) for what, name in self.answers.items()}
        told["score"] = told["score"].softmax(1)[:, 1]
        return told


def _convs(*plan: tuple[int, int, int, nn.Module | None]) -> dict[str, nn.Module]:
    """conv1, prelu1, pool1 and so on from (channels in, out, kernel, pool)."""
    body: dict[str, nn.Module] = {}
    for index, (width, out, kernel, pool) in enumerate(plan, 1):
        body |= {f"conv{index}": nn.Conv2d(width, out, kernel), f"prelu{index}": nn.PReLU(out)}
        body |= {} if pool is None else {f"pool{index}": pool}
    return body


def _pool(side: int) -> nn.Module:
    return nn.MaxPool2d(side, 2, ceil_mode=True)


def _proposal() -> nn.Module:
    body = _convs((3, 10, 3, _pool(2)), (10, 16, 3, None), (16, 32, 3, None))
    return _Net(body, {"score": ("conv4_1", nn.Conv2d(32, 2, 1)), "move": ("conv4_2", nn.Conv2d(32, 4, 1))})


def _refining() -> nn.Module:
    body = _convs((3, 28, 3, _pool(3)), (28, 48, 3, _pool(3)), (48, 64, 2, None))
    body |= {"dense4": nn.Linear(576, 128), "prelu4": nn.PReLU(128)}
    return _Net(body, {"score": ("dense5_1", nn.Linear(128, 2)), "move": ("dense5_2", nn.Linear(128, 4))})


def _output() -> nn.Module:
    body = _convs((3, 32, 3, _pool(3)), (32, 64, 3, _pool(3)), (64, 64, 3, _pool(2)), (64, 128, 2, None))
    body |= {"dense5": nn.Linear(1152, 256), "prelu5": nn.PReLU(256)}
    answers = {"score": ("dense6_1", nn.Linear(256, 2)), "move": ("dense6_2", nn.Linear(256, 4))}
    return _Net(body, {**answers, "points": ("dense6_3", nn.Linear(256, 10))})
