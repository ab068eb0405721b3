"""Figures about edits of films whose truth the world knows: success, what is preserved, masks; and films to measure on.

Films before and after exist here alone, and for the test split alone: no training sees one.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mediagen.edit.back import read_as_asked
from mediagen.judge.recogniser import Recogniser
from mediagen.world.edit_names import TASKS
from mediagen.world.edits import Edit, changed, draw_edit, render_edits
from mediagen.world.instructions import instruct
from mediagen.world.palette import COLOUR_RGB

TEST_SPLITS = ("test", "held-out")


@dataclass(frozen=True)
class FilmPair:
    """A film before and after, uint8 (F, H, W, 3), the instruction, and where the two may differ, bool (F, H, W)."""

    edit: Edit
    before: Tensor
    after: Tensor
    instruction: str
    mask: Tensor


@dataclass(frozen=True)
class FilmPairs:
    """Films of a test split before and after, in held-out phrasings, task after task; ValueError for another split."""

    split: str
    size: tuple[int, int]
    seconds: float
    fps: float

    def __post_init__(self) -> None:
        if self.split not in TEST_SPLITS:
            raise ValueError(
                f"got the split '{self.split}', expected {' or '.join(TEST_SPLITS)}: films before and after are for "
                "measuring alone; train on frames."
            )

    def pair(self, number: int) -> FilmPair:
        """Film number so and so."""
        task, aspect = TASKS[number % len(TASKS)], self.size[0] / self.size[1]
        edit = draw_edit(number, self.split, task, seconds=self.seconds, fps=self.fps, aspect=aspect)
        before, after = (films[0] for films in render_edits([edit], self.size))
        said = instruct(edit, np.random.default_rng((number, 97)), held_out=True)
        return FilmPair(edit, before, after, said, changed(edit, self.size))


def preserved(before: Tensor, made: Tensor, mask: Tensor) -> float:
    """PSNR (dB, at most 99) of `made` to `before`, uint8 (F, H, W, 3), outside a mask, bool (F, H, W); nan where the
    mask leaves nothing."""
    rest = ~mask
    if not bool(rest.any()):
        return float("nan")
    error = (before.float() - made.float()).square().mean(-1)[rest].mean()
    return min(99.0, float(10 * torch.log10(255**2 / error.clamp_min(1e-9))))


def structure(before: Tensor, made: Tensor, mask: Tensor) -> float:
    """SSIM of grey pictures over windows of 7x7, the mean of those that lie outside the mask; nan where none does."""
    a, b = (film.float().mean(-1)[:, None] for film in (before, made))
    mean = torch.nn.AvgPool2d(7, 1)
    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    score = ((2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2)))[:, 0]
    outside = torch.nn.MaxPool2d(7, 1)(mask.float()[:, None])[:, 0] == 0
    return float(score[outside].mean()) if bool(outside.any()) else float("nan")


def overlap(found: Tensor, true: Tensor) -> float:
    """Intersection over union of two masks, bool (F, H, W); 1 where both are empty."""
    union = (found | true).sum()
    return float((found & true).sum() / union) if union else 1.0


def marked(before: Tensor, made: Tensor, colour: tuple[float, float, float]) -> Tensor:
    """The mask that a marked film shows, bool (F, H, W): near the colour of the mark, and nearer than the film was.

    before, made: uint8 (F, H, W, 3).  colour: RGB, 0 to 1.
    """
    wanted = torch.tensor(colour, device=made.device) * 255
    now, was = ((film.float() - wanted).square().mean(-1).sqrt() for film in (made, before))
    return (now < 60) & (now < was - 12)


def success(pair: FilmPair, made: Tensor, recogniser: Recogniser) -> bool:
    """Whether a film, uint8 (F, H, W, 3), was edited as asked.

    The recogniser reads all that was to change as asked, and kind, colour and place of the rest as in the film before;
    what it has no attribute for is at least half as far from the truth, in the mask, as the film before was.  Of a
    mark: whether it covers what it should by half (IoU).
    """
    if pair.edit.task == "mark":
        return overlap(marked(pair.before, made, COLOUR_RGB[pair.edit.colour]), pair.mask) >= 0.5
    read = read_as_asked(pair.edit, pair.before, made, recogniser)
    if read is not None:
        return read
    return closer(pair, made)


def closer(pair: FilmPair, made: Tensor) -> bool:
    """Whether a film, uint8 (F, H, W, 3), is at most half as far from the truth in the mask as the film before was."""
    now, was = ((film.float() - pair.after.float()).abs().mean(-1)[pair.mask].mean() for film in (made, pair.before))
    return bool(now < 0.5 * was)


def interval(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson)."""
    if not count:
        return 0.0, 1.0
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return middle - half, middle + half
