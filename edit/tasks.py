"""Which kind of edit an instruction asks for: a small head on the states of the text encoder, and its training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.text.text import Text, TextEncoder
from mediagen.world.edit_names import TASKS
from mediagen.world.edits import draw_edit
from mediagen.world.instructions import instruct

ROWS = 4096  # of the table of words; a larger vocabulary shares them


@dataclass(frozen=True)
class Told:
    """Instructions as a reader takes them. text: as encoded.  ids, shown: tokens of the first encoder, (B, M)."""

    text: Text
    ids: Tensor
    shown: Tensor

    @classmethod
    def of(cls, encoder: TextEncoder, instructions: Sequence[str]) -> Self:
        """Instructions by the encoder of the prompts."""
        text = encoder.encode(instructions)
        ids, mask, _ = encoder.parts[0].tokenize(instructions)
        device = text.parts[0].device
        return cls(text, ids.to(device), mask.to(device).bool())


@dataclass(frozen=True, kw_only=True)
class TaskReaderConfig(Config):
    """text_widths: of the encoder's parts.  width: of what is read of each token.  names: of the tasks."""

    text_widths: tuple[int, ...] = (128,)
    width: int = 128
    names: tuple[str, ...] = TASKS


class TaskReader(nn.Module):
    """Logits of the tasks, from what the encoder says of each token, and from the words themselves, three at a time.

    The encoder has learnt what captions say; words that no caption has, such as "erase", are learnt here. Of both the
    mean and the largest over the tokens count.
    """

    Config = TaskReaderConfig
    PRESETS: ClassVar[dict[str, TaskReaderConfig]] = {
        "tiny": TaskReaderConfig(),
        "standard": TaskReaderConfig(text_widths=(192,), width=192),
    }

    def __init__(self, config: TaskReaderConfig) -> None:
        super().__init__()
        self.config = config
        self.read = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(part), nn.Linear(part, config.width), nn.GELU()) for part in config.text_widths
        )
        self.words = nn.Embedding(ROWS, config.width)
        nn.init.normal_(self.words.weight, std=0.5)
        self.phrases = nn.Conv1d(config.width, config.width, 3, padding=1)
        self.out = nn.Linear(2 * config.width * (len(config.text_widths) + 2), len(config.names))

    def forward(self, told: Told) -> Tensor:
        """Logits (B, tasks) of instructions."""
        pairs = list(
            zip(
                (read(part.to(self.out.weight.dtype)) for read, part in zip(self.read, told.text.parts, strict=True)),
                told.text.masks,
                strict=True,
            )
        )
        words = self.words(told.ids % ROWS) * told.shown[..., None]
        phrases = F.gelu(self.phrases(words.transpose(1, 2)).transpose(1, 2))
        found: list[Tensor] = []
        for seen, mask in (*pairs, (words, told.shown), (phrases, told.shown)):
            there = mask[..., None]
            found += [(seen * there).sum(1) / there.sum(1).clamp_min(1), seen.masked_fill(~there, -1.0).amax(1)]
        return self.out(torch.cat(found, dim=1))

    @torch.no_grad()
    def task_of(self, told: Told) -> list[str]:
        """The likeliest task of each instruction, by name."""
        return [self.config.names[index] for index in self(told).argmax(1).tolist()]


@dataclass(frozen=True, kw_only=True)
class TaskReadingConfig(Config):
    """batch: instructions a step, a third of them backward ones.  hidden: share of their tokens that is not shown, so
    that no one word decides.  check: instructions of a preview."""

    batch: int = 64
    hidden: float = 0.2
    check: int = 480


class TaskReading:
    """Trains a TaskReader on the world's instructions; see `mediagen.train.task.Task`. The encoder stays as it is."""

    name = "edit-tasks"

    def __init__(self, model: TaskReader, text: TextEncoder, config: TaskReadingConfig, device: str = "cpu") -> None:
        if model.config.text_widths != text.widths or model.config.names != TASKS:
            raise ValueError(
                f"got a reader of text of widths {model.config.text_widths} and {len(model.config.names)} tasks, "
                f"expected {text.widths} and {len(TASKS)}; set text_widths, and leave the names."
            )
        self.model, self.text, self.config = model.to(device), text.to(device).eval(), config

    def batch(self, step: int, rank: int, world: int) -> tuple[Told, Tensor]:
        """Encoded instructions of the training's phrasings, and the index of the task of each."""
        first = (step * world + rank) * self.config.batch
        return self._instructions("train", range(first, first + self.config.batch), held_out=False)

    def loss(
        self, model: TaskReader, batch: tuple[Told, Tensor], rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Cross entropy, and the share that is right."""
        told, tasks = batch
        text = told.text
        shares = [torch.rand(mask.shape, generator=rng, device=rng.device) for mask in (*text.masks, told.shown)]
        *masks, shown = (
            mask & (share >= self.config.hidden).to(mask.device)
            for mask, share in zip((*text.masks, told.shown), shares, strict=True)
        )
        logits = model(Told(Text(text.parts, tuple(masks)), told.ids, shown))
        return F.cross_entropy(logits, tasks), {"right": (logits.argmax(1) == tasks).float().mean()}

    @torch.no_grad()
    def preview(self, model: TaskReader, folder: Path, step: int) -> dict[str, float]:
        """The share read rightly in held-out phrasings of held-out combinations; what is misread goes to a file."""
        numbers, wrong = range(self.config.check), list[str]()
        told, tasks = self._instructions("held-out", numbers, held_out=True)
        read = model.task_of(told)
        for number, found, task in zip(numbers, read, tasks.tolist(), strict=True):
            if found != TASKS[task]:
                wrong.append(f"{TASKS[task]} read as {found}: {_instruction('held-out', number, True)[0]}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "misread.txt").write_text("\n".join(wrong) + "\n")
        return {"right": 1 - len(wrong) / len(numbers)}

    def _instructions(self, split: str, numbers: range, held_out: bool) -> tuple[Told, Tensor]:
        told = [_instruction(split, number, held_out) for number in numbers]
        device = next(self.model.parameters()).device
        tasks = torch.tensor([TASKS.index(task) for _, task in told], device=device)
        return Told.of(self.text, [text for text, _ in told]), tasks


def _instruction(split: str, number: int, held_out: bool) -> tuple[str, str]:
    """Instruction number so and so of a split, and its task."""
    edit = draw_edit(number, split)
    rng = np.random.default_rng((number, held_out, 59))
    if edit.task != "mark" and rng.random() < 1 / 3:
        edit = edit.reversed
    return instruct(edit, rng, held_out), edit.task
