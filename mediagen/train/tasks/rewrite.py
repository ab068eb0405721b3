"""The Task of the rewriter's student: reading free prompts as a teacher puts them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from mediagen.config import Config
from mediagen.text.prompts.meaning import Meaning
from mediagen.text.prompts.student import Student, classes_of
from mediagen.text.prompts.teachers import Instruct, Rules, Teacher, pairs


@dataclass(frozen=True, kw_only=True)
class RewriteTaskConfig(Config):
    """What a student is taught. teacher: "rules", or an instruct model, by name on the hub or folder.

    batch: captions a step, of which the filter keeps some.  taught: captions that an instruct model puts in other words
    before the training begins; the rules do it as they go.  check: prompts of a preview.
    """

    teacher: str = "rules"
    batch: int = 96
    taught: int = 20_000
    check: int = 256

    def __post_init__(self) -> None:
        if min(self.batch, self.taught, self.check) < 1:
            raise ValueError(
                f"got batch={self.batch}, taught={self.taught}, check={self.check}, expected at least 1; raise it."
            )


@dataclass(frozen=True)
class RewriteBatch:
    """prompts, and the classes (B, heads) that they mean."""

    prompts: list[str]
    classes: Tensor


class RewriteTask:
    """Trains a Student on pairs that a teacher made and a filter kept; see mediagen.train.loop."""

    name = "rewrite"

    def __init__(self, model: Student, config: RewriteTaskConfig | None = None, teacher: Teacher | None = None) -> None:
        self.model = model
        self.config = config or RewriteTaskConfig()
        self._given = teacher

    @cached_property
    def teacher(self) -> Teacher:
        """The one that the settings name."""
        if self._given is not None:
            return self._given
        if self.config.teacher == "rules":
            return Rules()
        return Instruct.from_pretrained(self.config.teacher, str(next(self.model.parameters()).device))

    @cached_property
    def taught(self) -> list[tuple[str, Meaning]]:
        """The pairs of a teacher that is too slow to ask at every step."""
        made = pairs(self.teacher, "train", 0, self.config.taught)
        if not made:
            raise ValueError(
                f"teacher: got '{self.config.teacher}', of whose {self.config.taught} answers the filter kept none, "
                "expected some that mean what their captions say; give another teacher."
            )
        return made

    def batch(self, step: int, rank: int, world: int) -> RewriteBatch:
        """What the teacher makes of the next captions of the training split."""
        number = step * world + rank
        if isinstance(self.teacher, Rules):
            some = pairs(self.teacher, "train", number * self.config.batch, self.config.batch)
        else:
            some = [self.taught[(number * self.config.batch + i) % len(self.taught)] for i in range(self.config.batch)]
        return RewriteBatch([prompt for prompt, _ in some], torch.tensor([classes_of(truth) for _, truth in some]))

    def loss(
        self, model: Student, batch: RewriteBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Mean cross entropy over the heads."""
        logits = model(model.encode(batch.prompts))
        classes = batch.classes.to(logits[0].device)
        loss = torch.stack([F.cross_entropy(part, classes[:, i]) for i, part in enumerate(logits)]).mean()
        return loss, {"kept": len(batch.prompts) / self.config.batch}

    @torch.no_grad()
    def preview(self, model: Student, folder: Path, step: int) -> dict[str, float]:
        """The share of validation prompts that are read right in every head; the misread ones go to misread.txt."""
        some = pairs(Rules(), "validation", 0, self.config.check)
        read = model.read([prompt for prompt, _ in some])
        wrong = [
            prompt for (prompt, truth), got in zip(some, read, strict=True) if classes_of(truth) != classes_of(got)
        ]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "misread.txt").write_text("\n".join(wrong) + "\n")
        return {"right": 1 - len(wrong) / len(some)}
