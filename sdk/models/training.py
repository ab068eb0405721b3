"""What one training is: where it happens, what it is made of, and its defaults; `trainings` is the table of them."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from mediagen.config import Config
    from mediagen.train.stages import Stage


@dataclass(frozen=True)
class Place:
    """Where a training happens. device: of the model.  folder: of the run.  models: folder of those used as is.
    tell: hears sentences for the user about the data, as it is prepared."""

    device: str
    folder: Path
    models: str | None
    tell: Callable[[str], object] = str  # which only says it to itself

    def frozen(self, name: str) -> Any:
        """One of the models that the training needs as they are."""
        from mediagen.sdk.models.folder import ModelFolder

        return ModelFolder.of(self.models, self.device).get(name)


@dataclass(frozen=True)
class Ingredients:
    """What a training is made of.

    presets: sizes of the model, by name.  model: its class.  task_config: the settings of the task.
    task: builds the task from the model, its settings and the place.
    """

    presets: "Mapping[str, Config]"
    model: "type[nn.Module]"
    task_config: "type[Config]"
    task: Callable[[Any, Any, Place], Any]


def _keep_all(exported: Path, folder: Path) -> None:
    shutil.copytree(exported, folder, dirs_exist_ok=True)


@dataclass(frozen=True)
class Training:
    """One thing to train.

    folder: its place in a model folder.  loop, task: its defaults where they differ from the classes' own.
    keep: writes what is kept of an exported model to a folder; all of it, if not given.
    stages: every stage that it may go through, in order.  course: names of those that it does where none are named; ()
    trains it in one.  work: 1e9 operations of a step at the default preset and settings, backwards included.
    """

    what: str
    folder: str
    load: Callable[[], Ingredients]
    loop: dict[str, Any] = field(default_factory=dict)
    task: dict[str, Any] = field(default_factory=dict)
    preset: str = "tiny"
    keep: Callable[[Path, Path], object] = _keep_all
    stages: "Callable[[], Sequence[Stage]]" = tuple
    course: tuple[str, ...] = ()
    work: float = 1.0

    def place(self, exported: Path, models: Path) -> Path:
        """Puts an exported model where a model folder has it, and returns its folder there."""
        folder = models / self.folder
        self.keep(exported, folder)
        return folder
