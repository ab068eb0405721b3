"""Plan: a training of the table with a preset and settings, checked before anything is built."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch

from mediagen.config import Config
from mediagen.data.folder import videos_in
from mediagen.data.needs import captions_amiss, look_at, usable
from mediagen.sdk.errors import RequestError, nearest
from mediagen.sdk.models.trainings import Ingredients, Place, Training
from mediagen.train.settings import Settings
from mediagen.train.stages import Planned, Stage
from mediagen.train.task import Task, TrainConfig
from mediagen.weights import FILE, start_from

OnStart = Callable[[Path, list[str]], None]


@dataclass(frozen=True)
class Plan:
    """One training with every setting known. loop: values of its TrainConfig, which may still be changed."""

    ingredients: Ingredients
    model: Config
    task: Config
    loop: dict[str, Any]

    def make(self, place: Place, start: Path | None = None, on_start: OnStart | None = None) -> Task:
        """Builds model and task. The seed decides fresh weights; the global random state is left as it was.

        start: weights to go on from; RequestError where they are not there or of another kind.
        on_start(start, names of the tensors that stay as built) is called when the weights are read.
        """
        gpu = [torch.device(place.device)] if place.device.startswith("cuda") else []
        with torch.random.fork_rng(devices=gpu):
            torch.manual_seed(TrainConfig.of({"steps": 1, **self.loop}).seed)
            model = self.ingredients.model(self.model)
            if start is not None:
                try:
                    built = start_from(model, start)
                except ValueError as error:
                    raise RequestError(str(error)) from None
                if on_start is not None:
                    on_start(start, built)
            return self.ingredients.task(model, self.task, place)

    def settings(self) -> Settings:
        """All that is told, as a run writes it down."""
        told = {"loop": TrainConfig.of(self.loop), "task": self.task, "model": self.model}
        return {name: config.to_dict() for name, config in told.items()}


def plan(training: Training, preset: str | None, given: Mapping[str, Any]) -> Plan:
    """The training with `given` settings: each key goes wherever it is known, to the loop, the task, or the model.

    RequestError for a key that nobody knows, a preset that the model lacks, or data that the task does not take.
    """
    ingredients, size = training.load(), preset or training.preset
    if size not in ingredients.presets:
        raise RequestError(f"got the preset '{size}'; {nearest(size, list(ingredients.presets))}")
    model = ingredients.presets[size]
    loop_keys, task_keys, model_keys = (
        [f.name for f in dataclasses.fields(of)] for of in (TrainConfig, ingredients.task_config, model)
    )
    known = [*loop_keys, *task_keys, *model_keys]
    for key in given:
        if key not in known and key in ("data", "skip_unusable"):
            raise RequestError(
                "got --data, which this model does not take: it learns from the drawn world; leave it out."
            )
        if key not in known:
            raise RequestError(f"got the unknown setting '{key}'; {nearest(key, known)}")
    task_values = {**training.task, **{key: value for key, value in given.items() if key in task_keys}}
    model_values = {key: value for key, value in given.items() if key not in (*loop_keys, *task_keys)}
    task = ingredients.task_config.of(task_values)
    loop = {key: getattr(task, key) for key in ("batch",) if key in task_keys}  # the loop only counts them
    loop |= {"precision": "auto", **training.loop, **{key: value for key, value in given.items() if key in loop_keys}}
    return Plan(ingredients, model.replace(**model_values), task, loop)


def course(training: Training, named: Sequence[str], folder: Path | None = None) -> list[Stage]:
    """The stages that are asked for by name, in their order, or the training's own; one without a name for none.

    The first of them goes on from the last stage before it that `folder` has weights of already.
    """
    stages = {stage.name: stage for stage in training.stages()}
    for name in named:
        if name not in stages:
            told = nearest(name, list(stages)) if stages else "this training has no stages; leave it out."
            raise RequestError(f"got the stage '{name}'; {told}")
    chosen = [stage for name, stage in stages.items() if name in (named or training.course)] or [Stage()]
    before = list(takewhile(lambda name: name != chosen[0].name, stages)) if folder is not None else []
    there = [name for name in before if folder is not None and (folder / name / "export" / FILE).is_file()]
    if there and chosen[0].start is None and not chosen[0].average:
        chosen[0] = dataclasses.replace(chosen[0], start=there[-1])
    return chosen


def settings_of(stage: Stage, stages: Sequence[Stage], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of one of the stages: its own, what is given for all, what is given for it alone as NAME.KEY."""
    names = [one.name for one in stages]
    for key in given:
        name, dot, _ = key.rpartition(".")
        if dot and name not in names:
            raise RequestError(f"got the setting '{key}'; {nearest(name, names)} Stages are written before the dot.")
    ours = {key: value for key, value in given.items() if "." not in key}
    alone = {key.rpartition(".")[2]: value for key, value in given.items() if key.rpartition(".")[0] == stage.name}
    return {**stage.settings, **ours, **{key: value for key, value in alone.items() if "." not in key}}


def planned(training: Training, preset: str | None, stages: Sequence[Stage], given: Mapping[str, Any], place: Place,
            on_start: OnStart | None = None) -> list[Planned]:  # fmt: skip
    """The stages as `run_stages` takes them; on_start: as of `Plan.make`."""
    made = []
    for stage in stages:
        one = plan(training, preset, settings_of(stage, stages, given))

        def make(folder: Path, start: Path | None, one: Plan = one) -> Task:
            return one.make(dataclasses.replace(place, folder=folder), start, on_start)

        made.append(Planned(stage, TrainConfig.of(one.loop), one.settings(), one.ingredients.model, make))
    return made


def check_data(training: Training, preset: str | None, stages: Sequence[Stage], given: Mapping[str, Any]) -> list[str]:
    """Looks at all of a folder that is given as data, before any work; returns notes on what is left out.

    Raises ValueError that lists everything that some stage cannot use, unless that is to be skipped.
    """
    notes: list[str] = []
    for stage in stages:
        task: Any = plan(training, preset, settings_of(stage, stages, given)).task
        folder = getattr(task, "data", None)
        if folder is None or not hasattr(task, "needs"):  # what is no folder of captioned films is judged by its task
            continue
        videos = videos_in(Path(folder))
        films = usable(Path(folder), videos, task.needs, task.skip_unusable)
        if not films:
            usable(Path(folder), videos, task.needs)  # says why
        if len(films) < len(videos):
            out = [film.why for film in (look_at(path, task.needs) for path in videos) if film.why]
            notes.append(f"{len(out)} of {len(videos)} films are left out: {'; '.join(out)}.")
        if not task.needs.captions and (amiss := captions_amiss(videos)):
            notes.append(f"Captions are not read here; other trainings will refuse {'; '.join(amiss)}.")
    return list(dict.fromkeys(notes))
