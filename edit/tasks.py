"""Which kind of edit an instruction asks for: a small head on the states of the text encoder, and its training."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.nn.conditions import Encoded
from mediagen.text.text import Text, TextEncoder
from mediagen.world.edit_names import TASKS
from mediagen.world.edits import draw_edit
from mediagen.world.instructions import instruct


@dataclass(frozen=True, kw_only=True)
class TaskReaderConfig(Config):
    """text_widths: of the encoder's parts.  width: of what is read of each token.  names: of the tasks."""

    text_widths: tuple[int, ...] = (128,)
    width: int = 128
    names: tuple[str, ...] = TASKS


class TaskReader(nn.Module):
    """Logits of the tasks, from the mean and the largest of what each token says."""

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
        self.out = nn.Linear(2 * config.width * len(config.text_widths), len(config.names))

    def forward(self, text: Encoded) -> Tensor:
        """Logits (B, tasks) of encoded instructions."""
        found: list[Tensor] = []
        for read, states, mask in zip(self.read, text.parts, text.masks, strict=True):
            seen, there = read(states), mask[..., None]
            found += [(seen * there).sum(1) / there.sum(1).clamp_min(1), seen.masked_fill(~there, -1.0).amax(1)]
        return self.out(torch.cat(found, dim=1))

    @torch.no_grad()
    def task_of(self, text: Encoded) -> list[str]:
        """The likeliest task of each instruction, by name."""
        return [self.config.names[index] for index in self(text).argmax(1).tolist()]


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

    def batch(self, step: int, rank: int, world: int) -> tuple[Text, Tensor]:
        """Encoded instructions of the training's phrasings, and the index of the task of each."""
        first = (step * world + rank) * self.config.batch
        return self._instructions("train", range(first, first + self.config.batch), held_out=False)

    def loss(
        self, model: TaskReader, batch: tuple[Text, Tensor], rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Cross entropy, and the share that is right."""
        text, tasks = batch
        hidden = [torch.rand(mask.shape, generator=rng, device=rng.device) < self.config.hidden for mask in text.masks]
        masks = tuple(mask & ~hide.to(mask.device) for mask, hide in zip(text.masks, hidden, strict=True))
        logits = model(Text(text.parts, masks))
        return F.cross_entropy(logits, tasks), {"right": (logits.argmax(1) == tasks).float().mean()}

    @torch.no_grad()
    def preview(self, model: TaskReader, folder: Path, step: int) -> dict[str, float]:
        """The share read rightly in held-out phrasings of held-out combinations; what is misread goes to a file."""
        numbers, wrong = range(self.config.check), list[str]()
        text, tasks = self._instructions("held-out", numbers, held_out=True)
        read = model.task_of(text)
        for number, found, task in zip(numbers, read, tasks.tolist(), strict=True):
            if found != TASKS[task]:
                wrong.append(f"{TASKS[task]} read as {found}: {_instruction('held-out', number, True)[0]}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "misread.txt").write_text("\n".join(wrong) + "\n")
        return {"right": 1 - len(wrong) / len(numbers)}

    def _instructions(self, split: str, numbers: range, held_out: bool) -> tuple[Text, Tensor]:
        told = [_instruction(split, number, held_out) for number in numbers]
        device = next(self.model.parameters()).device
        tasks = torch.tensor([TASKS.index(task) for _, task in told], device=device)
        return self.text.encode([text for text, _ in told]), tasks


def _instruction(split: str, number: int, held_out: bool) -> tuple[str, str]:
    """Instruction number so and so of a split, and its task."""
    edit = draw_edit(number, split)
    rng = np.random.default_rng((number, held_out, 59))
    if edit.task != "mark" and rng.random() < 1 / 3:
        edit = edit.reversed
    return instruct(edit, rng, held_out), edit.task
