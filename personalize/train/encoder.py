"""The Task that trains the face encoder on the world's people, and the figures by which encoders are judged."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.media.sheets import save_sheet
from mediagen.personalize.align import SIDE
from mediagen.personalize.arcface import ArcFace, FaceEncoder, margin_loss, standard
from mediagen.personalize.degrade import wear
from mediagen.personalize.portraits import face_pool


@dataclass(frozen=True, kw_only=True)
class EncoderTaskConfig(Config):
    """What the encoder is trained on. first: number of the first identity of the split for training; the model says how
    many.  takes: of each, with two pictures.  scale, margin: of ArcFace; the margin grows over the first `rise` steps.
    wear: see `degrade`.  check: identities that the preview is measured on, never seen in training."""

    batch: int = 96
    first: int = 0
    takes: int = 3
    scale: float = 32.0
    margin: float = 0.3
    rise: int = 600
    wear: float = 0.8
    check: int = 200
    pairs: int = 6_000


@dataclass(frozen=True)
class FaceBatch:
    """faces: uint8 (B, 112, 112, 3).  who: int64 (B,).  margin: of this step."""

    faces: Tensor
    who: Tensor
    margin: float


class EncoderTask:
    """Trains an ArcFace; see `mediagen.train.task.Task`."""

    name = "face-encoder"

    def __init__(self, model: ArcFace, config: EncoderTaskConfig | None = None, device: str = "cpu") -> None:
        self.config, self.device = config or EncoderTaskConfig(), device
        if model.centres is None:
            raise ValueError("got an encoder of no identities, expected some to tell apart; set identities.")
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        numbers = range(self.config.first, self.config.first + model.config.identities)
        self.pool, _ = face_pool(numbers, self.config.takes)

    def batch(self, step: int, rank: int, world: int) -> FaceBatch:
        rng = np.random.default_rng((step, rank, world, 47))
        who = torch.from_numpy(rng.permutation(len(self.pool))[: self.config.batch])
        which = torch.from_numpy(rng.integers(0, self.pool.shape[1], len(who)))
        margin = self.config.margin * min(1.0, step / max(1, self.config.rise))
        return FaceBatch(self.pool[who, which], who, margin)

    def loss(
        self, model: nn.Module, batch: FaceBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        assert self.model.centres is not None
        faces = worn(standard(batch.faces.to(self.device)), rng, self.config.wear)
        centres = model.get_parameter("centres")
        loss, right = margin_loss(model(faces), centres, batch.who.to(self.device), batch.margin, self.config.scale)
        return loss, {"right": right.mean()}

    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Verification and identification on held-out identities, whose faces are worn; a sheet of the faces."""
        assert isinstance(model, ArcFace)
        was_training = model.training
        model.eval()
        faces = held_out_faces(self.config.check, self.config.wear)
        figures = judge(model, faces, self.config.pairs)
        model.train(was_training)
        save_sheet([row[:, None].flatten(0, 1) for row in faces[:8, :6]], folder / f"encoder-{step:06d}.png", 1)
        return figures


def worn(faces: Tensor, rng: torch.Generator, strength: float) -> Tensor:
    """Faces (N, 3, 112, 112) mirrored or not, a little out of place as finders leave them, and worn."""
    count = len(faces)

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=rng, device=rng.device).to(faces.device) - 0.5

    angle, grow, shift = 0.16 * draw(count), 1 + 0.12 * draw(count), 0.08 * draw(count, 2)
    flip = torch.where(draw(count) < 0, -1.0, 1.0)  # a mirrored face is taken for the same person's
    cos, sin = torch.cos(angle) * grow, torch.sin(angle) * grow
    turn = torch.stack((cos * flip, -sin, shift[:, 0], sin * flip, cos, shift[:, 1]), 1).view(-1, 2, 3)
    grid = F.affine_grid(turn, [count, 3, SIDE, SIDE], align_corners=False)
    moved = F.grid_sample(faces, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return wear(moved, rng, strength)


def held_out_faces(count: int, strength: float, takes: int = 4) -> Tensor:
    """Faces of `count` identities of the test split, uint8 (count, 2 * takes, 112, 112, 3), worn but not moved."""
    faces, _ = face_pool(range(count), takes, "test")
    rng = torch.Generator().manual_seed(5)
    made = wear(standard(faces.flatten(0, 1)), rng, strength)
    return ((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).reshape(faces.shape)


@torch.autocast("cpu", enabled=False)
def judge(encoder: FaceEncoder, faces: Tensor, pairs: int = 6_000) -> dict[str, float]:
    """Figures of an encoder on faces of N identities, uint8 (N, K, 112, 112, 3), two of each take side by side.

    verification: share of right answers on so many pairs, half of one identity in different takes, at the threshold
    that the other nine tenths choose (as LFW does).  tar: of the same pairs at a false accept rate of 0.1 %, over all
    pairs of different identities.  rank1: share of identities whose reference, of the first take, is the nearest of all
    to a picture of the last.
    """
    count, each = faces.shape[:2]
    vectors = encoder.embed(faces.flatten(0, 1)).unflatten(0, (count, each))
    rng = np.random.default_rng(53)
    who = rng.integers(0, count, pairs // 2)
    half = each // 2
    one, two = rng.integers(0, half, len(who)) * 2, rng.integers(1, half, len(who)) * 2
    two = (one + two) % each
    same = (vectors[who, one + rng.integers(0, 2, len(who))] * vectors[who, two]).sum(1).numpy()
    other = (who + rng.integers(1, count, len(who))) % count
    apart = (vectors[who, one] * vectors[other, rng.integers(0, each, len(who))]).sum(1).numpy()
    cosines, truth = np.concatenate((same, apart)), np.repeat([True, False], len(who))
    fold = rng.integers(0, 10, len(cosines))
    right = 0
    for held in range(10):
        mine = fold == held
        choices = np.unique(np.quantile(cosines[~mine], np.linspace(0, 1, 400)))
        rates = [((cosines[~mine] > c) == truth[~mine]).mean() for c in choices]
        right += int(((cosines[mine] > choices[int(np.argmax(rates))]) == truth[mine]).sum())
    every = (vectors[:, 0] @ vectors[:, each - 1].T).numpy()
    strangers = np.concatenate(
        [(vectors[:, 0] @ vectors[:, k].T).numpy()[~np.eye(count, dtype=bool)] for k in range(each)]
    )
    threshold = np.sort(strangers)[-max(1, math.floor(0.001 * len(strangers)))]
    return {
        "verification": right / len(cosines),
        "tar": float((same > threshold).mean()),
        "rank1": float((every.argmax(0) == np.arange(count)).mean()),
        "same": float(same.mean()),
        "apart": float(apart.mean()),
    }
