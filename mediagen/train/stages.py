"""Stages: the trainings that one model goes through, each from the weights of another, run and resumed as one."""

import hashlib
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mediagen.parallel.ranks import Ranks
from mediagen.train.average import average_weights
from mediagen.train.checkpoint import checkpoints
from mediagen.train.loop import train
from mediagen.train.settings import Settings, changes, record, refuse_changes
from mediagen.train.task import Task, TrainConfig
from mediagen.weights import FILE, save_model, write_atomic

DONE = "finished"  # beside the export of a stage that has nothing left to train
OnStep = Callable[["Stage", int, dict[str, float | Tensor]], None]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One of the trainings that a model goes through.

    name: its folder in the run's.  what: a line for people.  settings: where it differs from the training's own, with
    the keys that `mediagen train --set` takes.  start: the stage whose weights it begins with; None: the one before it.
    average: stages of whose weights it is the mean (Movie Gen, section 3.2.4); it trains nothing then.
    """

    name: str = ""
    what: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    start: str | None = None
    average: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """A stage and what it comes to. make(folder, start): builds its task, from the weights in `start` or fresh ones.

    model: the class of what is trained.  settings: all that it is told, as `Run` writes it down.
    """

    stage: Stage
    config: TrainConfig
    settings: Settings
    model: type[nn.Module]
    make: Callable[[Path, Path | None], Task]


def run_stages(
    planned: Sequence[Planned],
    folder: Path,
    ranks: Ranks,
    *,
    start: Path | None = None,
    resume: bool = True,
    allow: Collection[str] = (),
    on_stage: Callable[[Stage, bool], None] | None = None,
    on_step: OnStep | None = None,
) -> Path:
    """Trains stage after stage in folder/NAME and returns folder/export, the last one's averaged weights.

    What is finished is passed over, what was begun goes on; a single stage without a name stands in `folder` itself.
    start: weights that the first stage begins with.  resume, allow: as of `train`.
    on_stage(stage, whether it is finished) is called before each, on_step(stage, steps done, figures) after every step.
    Raises ValueError, before any work, where a stage was told otherwise before or there is nothing that it starts from.
    """
    with ranks.as_one():
        _check(planned, folder, resume, allow)
    made: dict[str, Path] = {}
    last = start
    for one in planned:
        where = folder / one.stage.name
        sources = [_made(name, made, folder) for name in one.stage.average or filter(None, [one.stage.start])]
        sources = sources or ([last] if last is not None else [])
        about: Settings = {"start": {"start": [str(s.resolve()) if s == start else _digest(s) for s in sources]}}
        with ranks.as_one():
            _check_start(where, about)
            done = (where / DONE).exists() and not {"steps", "max_seconds"} & {*changes(where, one.settings)}
        if on_stage is not None:
            on_stage(one.stage, done)
        if not done:
            if one.stage.average:
                _average(one, sources, where, about, ranks)
            else:
                task = one.make(where, sources[0] if sources else None)
                train(task, one.config, where, resume=resume, allow=allow, about=about, on_step=_of(one.stage, on_step))
            _finish(where, ranks)
        last = made[one.stage.name] = where / "export"
    assert last is not None
    if last != folder / "export" and ranks.rank == 0:
        shutil.copytree(last, folder / "export", dirs_exist_ok=True)
    ranks.wait()
    return folder / "export"


def _check(planned: Sequence[Planned], folder: Path, resume: bool, allow: Collection[str]) -> None:
    named = [one.stage.name for one in planned]
    assert named and len(set(named)) == len(named), named
    if named != [""] and checkpoints(folder / "checkpoints"):
        raise ValueError(f"got {folder} with a run that has no stages, expected none or one of stages; use another.")
    for one in planned:
        where = folder / one.stage.name
        if not resume and (checkpoints(where / "checkpoints") or (where / DONE).exists()):
            raise ValueError(f"got an earlier run in {where}, expected none; delete it or use another folder.")
        refuse_changes(where, one.settings, allow)


def _made(name: str, made: Mapping[str, Path], folder: Path) -> Path:
    """The weights of another stage: of this call, or of an earlier one."""
    found = made.get(name, folder / name / "export")
    if not (found / FILE).is_file():
        raise ValueError(
            f"got no weights of the stage '{name}' in {folder}, which is to be gone on from; run it first."
        )
    return found


def _check_start(where: Path, about: Settings) -> None:
    if changes(where, about):
        raise ValueError(
            f"got other weights to begin with than the run in {where} began with, expected the same; delete that "
            "folder to train anew from these, or give the old ones."
        )


def _average(one: Planned, sources: Sequence[Path], where: Path, about: Settings, ranks: Ranks) -> None:
    with ranks.as_one():
        if ranks.rank == 0:
            model = average_weights(one.model, sources)
            save_model(model, model.config, where / "export")  # pyright: ignore[reportArgumentType] (any Config will do)
            record(where, one.settings | about)


def _finish(where: Path, ranks: Ranks) -> None:
    if ranks.rank == 0:
        write_atomic(where / DONE, b"")
    ranks.wait()


def _of(stage: Stage, on_step: OnStep | None) -> Callable[[int, dict[str, float | Tensor]], None] | None:
    return None if on_step is None else lambda step, figures: on_step(stage, step, figures)


def _digest(folder: Path) -> str:
    """Of the weights in a folder."""
    return hashlib.sha256((folder / FILE).read_bytes()).hexdigest()[:16]
