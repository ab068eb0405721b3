"""Measures of people in clips: who is seen, how like, copied or turned freely, and whether the face stays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mediagen.judge.measures import wilson
from mediagen.personalize.arcface import SIZE, FaceEncoder
from mediagen.personalize.faces import Face, Finder


@dataclass(frozen=True)
class Watched:
    """The faces of one clip. vectors: (F, 512), 0 where a frame has none.  turned: signed `turn_of`, NaN likewise."""

    vectors: Tensor
    turned: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """Whether each frame has a face, (F,)."""
        return ~np.isnan(self.turned)

    @property
    def vector(self) -> Tensor:
        """Of the clip: the mean of its faces, of length one; 0 where there are none."""
        mean = self.vectors.sum(0)
        return F.normalize(mean, dim=0) if self.seen.any() else mean

    @property
    def first_to_last(self) -> float:
        """Cosine of the first face to the last; NaN of fewer than two."""
        ends = self.vectors[self.seen][[0, -1]] if self.seen.sum() > 1 else None
        return float("nan") if ends is None else float(ends[0] @ ends[1])


def watch(finder: Finder, encoder: FaceEncoder, frames: Tensor) -> Watched:
    """What is seen of the largest face in each of the frames, uint8 (F, H, W, 3)."""
    found = [max(faces, key=lambda face: face.height, default=None) for faces in finder.find(frames)]
    vectors, turned = torch.zeros(len(frames), SIZE), np.full(len(frames), np.nan)
    rows = [row for row, face in enumerate(found) if face is not None]
    if rows:
        aligned = torch.stack([face.aligned(frames[row]) for row, face in enumerate(found) if face is not None])
        vectors[rows] = encoder.embed(aligned)
        turned[rows] = [turn_of(face) for face in found if face is not None]
    return Watched(vectors, turned)


def turn_of(face: Face) -> float:
    """`Face.turned` with its side: above 0 to the right of the picture."""
    between = face.points[1] - face.points[0]
    off = face.points[2] - (face.points[0] + face.points[1]) / 2
    return float(off @ between) / max(float(between @ between), 1e-6)


def hits(clips: Sequence[Watched], references: Tensor, own: Tensor | None = None) -> list[bool]:
    """Whether each clip is nearest to its own of all references (N, 512); own: others that count as theirs.

    A clip without a face is a miss.
    """
    vectors = torch.stack([clip.vector for clip in clips])
    right = references if own is None else own
    nearest = references[(vectors @ references.T).argmax(1)]
    return [
        bool(clip.seen.any()) and torch.equal(found, wanted)
        for clip, found, wanted in zip(clips, nearest, right, strict=True)
    ]


def rank_one(clips: Sequence[Watched], references: Tensor) -> dict[str, float]:
    """Share of clips, one for each reference (N, 512), whose own is the nearest of all, with its 95 % interval."""
    right = sum(hits(clips, references))
    low, high = wilson(right, len(clips))
    return {"rank1": right / len(clips), "rank1_low": low, "rank1_high": high}


def likenesses(clips: Sequence[Watched], references: Tensor) -> list[float]:
    """Of each clip the mean cosine of its faces to its own reference; NaN without a face."""
    return [
        float((clip.vectors[clip.seen] @ own).mean()) if clip.seen.any() else float("nan")
        for clip, own in zip(clips, references, strict=True)
    ]


def cosines(clips: Sequence[Watched], references: Tensor, ceiling: Sequence[Watched] | None = None) -> dict[str, float]:
    """Mean cosine of the faces to the clip's own reference, and over that of the `ceiling`'s clips."""

    def mean(of: Sequence[Watched]) -> float:
        each = [value for value in likenesses(of, references) if value == value]
        return float(np.mean(each)) if each else 0.0

    figures = {"cosine": mean(clips)}
    return (
        figures if ceiling is None else {**figures, "cosine_of_ceiling": figures["cosine"] / max(mean(ceiling), 1e-6)}
    )


def turned(clips: Sequence[Watched], references: Sequence[float]) -> list[tuple[float, float]]:
    """How the head of each clip with a face is turned, and that of its reference."""
    return [
        (float(np.nanmean(clip.turned)), own) for clip, own in zip(clips, references, strict=True) if clip.seen.any()
    ]


def copying(clips: Sequence[Watched], references: Sequence[float]) -> float:
    """Correlation of how clips' heads are turned with how the references' are; 0 where nothing is copied."""
    pairs = turned(clips, references)
    if len(pairs) < 3:
        return 0.0
    told = np.asarray(pairs).T
    return 0.0 if min(told.std(1)) < 1e-9 else float(np.corrcoef(told)[0, 1])


def steadiness(clips: Sequence[Watched]) -> dict[str, float]:
    """Share of frames with a face, and the mean cosine of the first face to the last."""
    faces = float(np.mean(np.concatenate([clip.seen for clip in clips])))
    ends = [clip.first_to_last for clip in clips if clip.seen.sum() > 1]
    return {"faces": faces, "first_to_last": float(np.mean(ends)) if ends else 0.0}


def table(clips: Sequence[Watched], references: Sequence[Watched], ceiling: Sequence[Watched] | None = None) \
        -> dict[str, float]:  # fmt: skip
    """All figures of one clip for each reference picture."""
    vectors = torch.stack([one.vector for one in references])
    turned = [float(np.nanmean(one.turned)) if one.seen.any() else 0.0 for one in references]
    figures = {**rank_one(clips, vectors), **cosines(clips, vectors, ceiling), **steadiness(clips)}
    return {**figures, "copying": copying(clips, turned)}
