"""The trainings of editing, for the table of trainings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mediagen.sdk.models.training import Ingredients, Place, Training

if TYPE_CHECKING:
    from mediagen.train.stages import Stage


def _edit() -> Ingredients:
    from mediagen.edit.model import EditModel
    from mediagen.edit.train import EditTask, EditTaskConfig
    from mediagen.sdk.models.folder import ModelFolder

    def task(model: EditModel, config: EditTaskConfig, at: Place) -> EditTask:
        judge = None
        if config.back and ModelFolder.of(at.models, at.device).has("recogniser"):
            judge = at.frozen("recogniser")
        return EditTask(model, at.frozen("tae"), at.frozen("prompt"), config, at.folder / "cache", at.device, judge)

    return Ingredients(EditModel.PRESETS, EditModel, EditTaskConfig, task)


def _edit_tasks() -> Ingredients:
    from mediagen.edit.tasks import TaskReader, TaskReading, TaskReadingConfig

    def task(model: TaskReader, config: TaskReadingConfig, at: Place) -> TaskReading:
        return TaskReading(model, at.frozen("prompt"), config, at.device)

    return Ingredients(TaskReader.PRESETS, TaskReader, TaskReadingConfig, task)


def _edit_stages() -> "Sequence[Stage]":
    """Movie Gen Edit's three (section 5.1.2); the first is given the weights of a video model by --start."""
    from mediagen.train.stages import Stage

    none = {"frames": 0.0, "animated": 0.0, "marks": 0.0, "clips": 0.0, "back": 0.0}
    return (
        Stage(name="frames", what="edited single frames, five times as often as clips without a film"),
        Stage(
            name="films",
            what="frames that are moved alike, films in which a thing is marked, and clips",
            settings={**none, "animated": 1.0, "marks": 1.0, "clips": 1.0, "pairs": 2_048, "steps": 2_000, "lr": 3e-4},
        ),
        Stage(
            name="back",
            what="true clips out of what the stage before made of them",
            settings={**none, "back": 1.0, "pairs": 2_048, "steps": 1_000, "lr": 2e-4},
        ),
    )


EDITING: dict[str, Training] = {
    "edit": Training(
        "transformer that edits pictures by instruction; begins with a video model's weights (--start)",
        "edit",
        _edit,
        work=130,
        stages=_edit_stages,
        course=("frames", "films", "back"),
        loop={"steps": 4_000, "lr": 6e-4, "warmup": 200, "ema": 0.998, "lr_last": 0.02},
    ),
    "edit-tasks": Training(
        "says what kind of edit an instruction asks for",
        "edit_tasks",
        _edit_tasks,
        work=0.02,
        loop={"steps": 2_500, "lr": 2e-3, "warmup": 50, "ema": 0.99},
    ),
}
