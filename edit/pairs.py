"""Pairs to learn editing from: frames before and after, frames that are moved alike, marks, clips without a film.

None of them is a film before and after. Movie Gen Edit (arXiv 2410.13720, section 5.1.2) learns from edited single
frames, from those animated by one affine motion, and from films in which a thing is marked; a test holds this file to
it. Films before and after exist in `measure`, for the test split alone.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from mediagen.media.clip import to_float, to_uint8
from mediagen.world.draw import render
from mediagen.world.edit_names import TASKS
from mediagen.world.edits import Edit, alike, draw_edit, render_edits
from mediagen.world.instructions import instruct
from mediagen.world.motion import camera
from mediagen.world.people import Person
from mediagen.world.scene import draw_scene
from mediagen.world.words import caption

STILL_TASKS = tuple(task for task in TASKS if task != "camera")  # what one frame can show
NONE = -1  # in place of a task's number: a clip that is no edit


@dataclass(frozen=True)
class Pair:
    """before, after: uint8 (F, H, W, 3); before is None where there is no film.  texts: phrasings of what is asked.

    task: its number in `TASKS`, or NONE.
    """

    before: Tensor | None
    after: Tensor
    texts: tuple[str, ...]
    task: int


class Pairs(Protocol):
    """An endless stream of pairs by number, each a pure function of it; `mark` changes with what the stream is."""

    @property
    def mark(self) -> str: ...

    def pair(self, number: int) -> Pair: ...


@dataclass(frozen=True)
class Frames:
    """Edited single frames of the world. size: (width, height) in pixels.  texts: phrasings of each instruction."""

    split: str
    size: tuple[int, int]
    seconds: float
    fps: float
    texts: int = 8

    @property
    def mark(self) -> str:
        """See Pairs."""
        return repr(self)

    def pair(self, number: int) -> Pair:
        """A frame that shows the change, at a time of its own."""
        rng = np.random.default_rng((number, 71))
        while True:
            edit = self._edit(rng, STILL_TASKS[rng.integers(len(STILL_TASKS))])
            before, after = render_edits([edit], self.size, [int(rng.integers(edit.before.frames))])
            if not alike(before, after).any():
                return Pair(before[0], after[0], phrasings(edit, rng, self.texts), TASKS.index(edit.task))

    def _edit(self, rng: np.random.Generator, task: str) -> Edit:
        aspect = self.size[0] / self.size[1]
        return draw_edit(int(rng.integers(2**40)), self.split, task, seconds=self.seconds, fps=self.fps, aspect=aspect)


@dataclass(frozen=True)
class Animated(Frames):
    """Such frames moved by one random affine motion, the same before and after; cameras are motions themselves."""

    def pair(self, number: int) -> Pair:
        """A film of a still picture, and of the same edited, moved alike."""
        rng = np.random.default_rng((number, 73))
        count = max(1, round(self.seconds * self.fps))
        if rng.random() < 1 / len(TASKS):
            return self._camera(rng, count)
        still = super().pair(int(rng.integers(2**40)))
        assert still.before is not None
        moves = random_moves(rng, count)
        return replace(still, before=animate(still.before[0], moves), after=animate(still.after[0], moves))

    def _camera(self, rng: np.random.Generator, count: int) -> Pair:
        edit = self._edit(rng, "camera")
        scene = replace(edit.before, camera="still")
        picture = render([scene], self.size, frames=[int(rng.integers(scene.frames))])[0, 0]
        times = np.arange(count) / self.fps
        wide = self.size[0] / self.size[1]
        films = [animate(picture, camera_moves(*camera(one, times), wide)) for one in (edit.before, edit.after)]
        return Pair(films[0], films[1], phrasings(edit, rng, self.texts), TASKS.index("camera"))


@dataclass(frozen=True)
class Marks(Frames):
    """Films of the world, and the same films with one thing painted over: segmentation by instruction.

    absent: share of films in which what is to be marked is not there, so that nothing is painted.
    """

    absent: float = 0.2

    def pair(self, number: int) -> Pair:
        """A film and its mark."""
        rng = np.random.default_rng((number, 79))
        edit = asked = self._edit(rng, "mark")
        before, after = render_edits([edit], self.size)
        if rng.random() < self.absent:
            after = before
            while _shown(asked) & _shown(edit):
                asked = self._edit(rng, "mark")
        return Pair(before[0], after[0], phrasings(asked, rng, self.texts), TASKS.index("mark"))


@dataclass(frozen=True)
class Clips(Frames):
    """Captioned clips of the world without a film beside, so that the model goes on making clips."""

    def pair(self, number: int) -> Pair:
        """A clip and its captions."""
        rng = np.random.default_rng((number, 83))
        scene = draw_scene(
            int(rng.integers(2**40)),
            self.split,
            "standard",
            seconds=self.seconds,
            fps=self.fps,
            aspect=self.size[0] / self.size[1],
        )
        return Pair(None, render([scene], self.size)[0], tuple(caption(scene, rng) for _ in range(self.texts)), NONE)


class OwnFrames:
    """A user's own edited frames: in `folder`, at any depth, folders with a.png, b.png and edit.txt.

    edit.txt: one phrasing a line; a first line "task: NAME" says which of `TASKS` it is.  Raises ValueError for a
    folder without any, and for one of the three files that is missing, cannot be read or is of another shape.
    """

    def __init__(self, folder: str | Path, size: tuple[int, int]) -> None:
        self.folder, self.size = Path(folder), size
        self.places = sorted(path.parent for path in self.folder.rglob("a.png"))
        if not self.places:
            raise ValueError(
                f"got {folder} without a.png in any folder of it, expected a.png, b.png and edit.txt; add some."
            )
        for place in self.places:
            for name in ("b.png", "edit.txt"):
                if not (place / name).is_file():
                    raise ValueError(f"got {place} with a.png and no {name}, expected both; add it.")
            self._told(place)

    @property
    def mark(self) -> str:
        """See Pairs."""
        return repr([(place.name, (place / "a.png").stat().st_size, self._told(place)) for place in self.places])

    def pair(self, number: int) -> Pair:
        """Pair number so and so, round and round."""
        place = self.places[number % len(self.places)]
        task, texts = self._told(place)
        before, after = (self._read(place / name) for name in ("a.png", "b.png"))
        return Pair(before, after, texts, task)

    def _told(self, place: Path) -> tuple[int, tuple[str, ...]]:
        lines = [line.strip() for line in (place / "edit.txt").read_text("utf-8").splitlines() if line.strip()]
        task = NONE
        if lines and lines[0].startswith("task:"):
            name = lines.pop(0).removeprefix("task:").strip()
            if name not in TASKS:
                raise ValueError(f"got the task '{name}' in {place}/edit.txt, expected one of {', '.join(TASKS)}.")
            task = TASKS.index(name)
        if not lines:
            raise ValueError(f"got {place}/edit.txt without an instruction, expected one a line; write one.")
        return task, tuple(lines)

    def _read(self, path: Path) -> Tensor:
        try:
            with Image.open(path) as picture:
                shown = picture.convert("RGB").resize(self.size, Image.Resampling.LANCZOS)
        except OSError as error:
            raise ValueError(f"got {path}, which cannot be read ({error}), expected a picture; replace it.") from None
        return torch.from_numpy(np.asarray(shown).copy())[None]


def _shown(edit: Edit) -> set[str]:
    """What a film shows before an edit, people as one kind."""
    return {"person" if isinstance(one, Person) else one.kind for one in edit.before.shown}


def phrasings(edit: Edit, rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """Instructions for one edit, in the phrasings of the training."""
    return tuple(instruct(edit, rng) for _ in range(count))


def random_moves(rng: np.random.Generator, count: int) -> Tensor:
    """One smooth affine motion as matrices (count, 2, 3), from output to input in units of half a picture."""
    begin, end = rng.uniform(-1, 1, (2, 4)) * (0.08, 0.08, 0.09, 0.07)  # of it: shift across and down, zoom, turn
    share = np.linspace(0, 1, count)[:, None]
    return _matrices(*(begin + (end - begin) * share).T)


def camera_moves(pan: np.ndarray, zoom: np.ndarray, aspect: float) -> Tensor:
    """The matrices of the world's camera, whose pan is in picture heights; aspect: width / height."""
    return _matrices(2 * pan / aspect, 0 * pan, np.log(zoom), 0 * pan)


def animate(picture: Tensor, moves: Tensor) -> Tensor:
    """A picture (H, W, 3) under an affine motion (F, 2, 3), mirrored beyond its edges: uint8 (F, H, W, 3)."""
    seen = to_float(picture[None])[:, 0].expand(len(moves), -1, -1, -1)
    grid = F.affine_grid(moves, list(seen.shape), align_corners=False)
    moved = F.grid_sample(seen, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return to_uint8(moved.movedim(1, 0))


def _matrices(across: np.ndarray, down: np.ndarray, zoom: np.ndarray, turn: np.ndarray) -> Tensor:
    scale = np.exp(-zoom)
    rows = (
        (scale * np.cos(turn), -scale * np.sin(turn), across),
        (scale * np.sin(turn), scale * np.cos(turn), down),
    )
    return torch.from_numpy(np.stack([np.stack(row, -1) for row in rows], 1).astype(np.float32))
