"""Backtranslation: the model edits true clips, and learns to lead what came of it back to them.

Movie Gen Edit (arXiv 2410.13720, section 5.1.2): the target is always a true clip, so that nothing a model made is ever
learnt as an answer; the edited clip is noised and stands beside, the backward instruction is the text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mediagen.data.folder import FolderStream
from mediagen.data.needs import Needs
from mediagen.judge.recogniser import ATTRIBUTES, Recogniser, truth
from mediagen.world.draw import render
from mediagen.world.edit_names import TASKS, WHOLE
from mediagen.world.edits import Edit, alike, changed, draw_edit
from mediagen.world.instructions import instruct

REST = 20.0  # dB: what a local edit must keep outside of what it may change
BACK_TASKS = tuple(task for task in TASKS if task != "mark")  # what can be undone


@dataclass(frozen=True)
class Source:
    """A true clip, uint8 (F, H, W, 3), an instruction for it, and the phrasings of the one that undoes it.

    edit: of the world's clips, which know what is to be seen afterwards.
    """

    clip: Tensor
    forward: str
    backward: tuple[str, ...]
    task: int
    back_task: int
    edit: Edit | None = None


def world_source(number: int, split: str, size: tuple[int, int], seconds: float, fps: float, texts: int = 8) -> Source:
    """A clip of the world; what it looks like when it is edited is never drawn."""
    rng = np.random.default_rng((number, 89))
    task = BACK_TASKS[rng.integers(len(BACK_TASKS))]
    edit = draw_edit(int(rng.integers(2**40)), split, task, seconds=seconds, fps=fps, aspect=size[0] / size[1])
    back = edit.reversed
    clip = render([edit.before], size)[0]
    backward = tuple(instruct(back, rng) for _ in range(texts))
    return Source(clip, instruct(edit, rng), backward, TASKS.index(edit.task), TASKS.index(back.task), edit)


class OwnClips:
    """A user's clips: beside x.mp4 stands x.edit.txt, whose first line edits it and whose others undo that.

    A line may begin with "task: NAME, ".  Raises ValueError for a clip without such a file, or one of less than two
    lines.
    """

    def __init__(self, folder: str | Path, size: tuple[int, int], seconds: float, fps: float) -> None:
        needs = Needs(captions=False, seconds=seconds)
        self.stream = FolderStream(folder, size, seconds, fps, needs=needs)
        self.told = [_told(path) for path in self.stream.videos]

    @property
    def mark(self) -> str:
        """Changes with the clips and what is said of them."""
        return self.stream.mark + repr(self.told)

    def source(self, number: int) -> Source:
        """A window of clip number so and so, round and round."""
        clip = self.stream.clips_at([number])[0]
        assert clip.frames is not None
        (task, forward), *back = self.told[self.stream.file_of(number)]
        return Source(clip.frames, forward, tuple(text for _, text in back), task, back[0][0])


def worked(source: Source, made: Tensor, recogniser: Recogniser | None = None) -> bool:
    """Whether an edit of a true clip is good enough to learn from; made: uint8 (F, H, W, 3).

    It must be seen (`edits.alike`); a local edit of the world must keep what it is not about, by `REST`; and where
    there is a recogniser it must read all that the edit changes as asked, and all else as it does in the true clip.
    """
    if bool(alike(source.clip, made).all()):
        return False
    if source.edit is None:
        return True
    if source.edit.local and source.edit.task not in WHOLE:
        height, width = made.shape[1:3]
        rest = ~changed(source.edit, (width, height))
        error = (made.float() - source.clip.float()).square().mean(-1)[rest].mean()
        if not 10 * torch.log10(255**2 / error.clamp_min(1e-6)) >= REST:
            return False
    return recogniser is None or read_as_asked(source.edit, source.clip, made, recogniser) is not False


def read_as_asked(edit: Edit, clip: Tensor, made: Tensor, recogniser: Recogniser) -> bool | None:
    """Whether a recogniser reads all that the edit changes as asked, and kind, colour and place else as in the clip.

    clip, made: uint8 (F, H, W, 3). None where it has no attribute for what changes, as of an empty place.
    """
    if not all(scene.person or scene.things for scene in (edit.before, edit.after)):
        return None
    names, _ = recogniser.judge(torch.stack((clip, made)))
    was, asked = truth(edit.before), truth(edit.after)
    known = [name for name in recogniser.config.classes if name in ATTRIBUTES]
    new = [name for name in known if name in asked and asked[name] != was.get(name)]
    same = [name for name in ("kind", "colour", "place") if name in known and asked.get(name) == was.get(name)]
    if not new:
        return None
    return all(names[1][name] == asked[name] for name in new) and all(names[1][n] == names[0][n] for n in same)


@torch.no_grad()
def backtranslate(
    source_of: Callable[[int], Source],
    edit: Callable[[Tensor, str, int, int], Tensor],
    encode: Callable[[Tensor], Tensor],
    decode: Callable[[Tensor, int], Tensor],
    numbers: range,
    recogniser: Recogniser | None = None,
) -> tuple[dict[str, Tensor], list[str]]:
    """Items for a cache: the latents of edited clips (`before`) and of the true ones (`after`), and which worked.

    edit(latent, instruction, task, number): the latent (1, C, L, h, w) of an edit of a latent.  encode, decode(latent,
    frames): of pictures (1, F, H, W, 3).
    """
    made: dict[str, list[Any]] = {"before": [], "after": [], "task": [], "kept": []}
    texts: list[str] = []
    for number in numbers:
        source = source_of(number)
        true = encode(source.clip[None])
        edited = edit(true, source.forward, source.task, number)
        good = worked(source, decode(edited, len(source.clip))[0].cpu(), recogniser)
        made["before"].append(edited[0].half().cpu())
        made["after"].append(true[0].half().cpu())
        made["task"].append(source.back_task)
        made["kept"].append(good)
        texts.append("\n".join(source.backward))
    tensors = {name: torch.stack(made[name]) for name in ("before", "after")}
    return tensors | {name: torch.tensor(made[name]) for name in ("task", "kept")}, texts


def _told(video: Path) -> list[tuple[int, str]]:
    path = video.with_suffix(".edit.txt")
    if not path.is_file():
        raise ValueError(f"got {video} without {path.name}, expected what edits it and what undoes that; write it.")
    lines = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    if len(lines) < 2:
        raise ValueError(f"got {path} with {len(lines)} lines, expected an instruction and one that undoes it; add it.")
    return [_line(line, path) for line in lines]


def _line(line: str, path: Path) -> tuple[int, str]:
    if not line.startswith("task:"):
        return -1, line
    name, _, text = line.removeprefix("task:").partition(",")
    if name.strip() not in TASKS or not text.strip():
        raise ValueError(f"got '{line}' in {path}, expected 'task: NAME, INSTRUCTION' with one of {', '.join(TASKS)}.")
    return TASKS.index(name.strip()), text.strip()
