"""`mediagen train`: a name from the table of trainings, a preset and settings become a run of the one loop."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mediagen.sdk.cli.console import Bar, reporting, say
from mediagen.sdk.errors import MediagenError, RequestError
from mediagen.sdk.models.trainings import TRAININGS, Place, Training

_NAMES = ", ".join(TRAININGS)


def train(
    name: Annotated[str, typer.Argument(metavar="MODEL", help=f"What to train: {_NAMES}.")],
    preset: Annotated[str | None, typer.Option("--preset", help="Size of the model.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of videos with .txt captions. Default: the drawn world.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the run; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder of the run. Default: runs/MODEL.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Folder of the models that are used as they are. Default: built in.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", help="Model folder that takes the trained model, for the next training.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--start", help="Folder of a trained model to go on from, with a new optimiser.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="cpu, cuda, ... Default: a GPU where there is one.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Refuse a folder that has an earlier run.")] = False,
) -> None:
    """Train one of the models; a run that was stopped goes on where it was."""
    folder = out or Path("runs") / name
    with reporting(f"Stopped; run the same command again to go on from {folder}."):
        if name not in TRAININGS:
            from mediagen.sdk.tasks.requests import nearest

            raise RequestError(f"got the model '{name}'; {nearest(name, list(TRAININGS))}")
        if data is not None and not data.is_dir():
            raise RequestError(f"got the data folder '{data}', expected one that exists; give a folder of videos.")
        if into is not None and into.exists() and not into.is_dir():
            raise RequestError(f"got --into '{into}', which is a file, expected a model folder; give another.")
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.config import parse_settings
            from mediagen.data.folder import FolderStream
            from mediagen.parallel.ranks import local_device
            from mediagen.sdk.models.folder import device_of
            from mediagen.train.loop import TrainConfig
            from mediagen.train.loop import train as run

            place = Place(str(local_device() if device is None else device_of(device)), folder, model)
            training = TRAININGS[name]
            try:
                given = parse_settings(settings or [])
                loop, make = plan(training, preset, data, given, [f.name for f in dataclasses.fields(TrainConfig)])
                config = TrainConfig.of(loop)
                if data is not None:
                    FolderStream(data)  # a folder that cannot be used is refused before anything is made
            except MediagenError:
                raise
            except ValueError as error:
                raise RequestError(str(error)) from None
            bar.show("Preparing data")
            task = make(place, start)

            def on_step(step: int, _: Any) -> None:
                bar.show(f"Training {name}", step, config.steps)

            exported = run(task, config, folder, resume=not fresh, on_step=on_step)
            if into is not None:
                exported = training.place(exported, into)
        say(f"The trained model is in {exported}, made in {bar.elapsed:.1f} s.")


def plan(
    training: Training, preset: str | None, data: Path | None, given: dict[str, Any], loop_keys: list[str]
) -> tuple[dict[str, Any], Callable[..., Any]]:
    """The values of the loop's TrainConfig, and make(place, start) -> task, start: weights to go on from or None.

    given: each key goes wherever it is known: to the loop (whose keys are `loop_keys`), the task, or else the model.
    RequestError for a key that nobody knows, a preset that the model lacks, or data that the task does not take.
    """
    from mediagen.sdk.tasks.requests import nearest

    parts = training.load()
    size = preset or training.preset
    if size not in parts.presets:
        raise RequestError(f"got the preset '{size}'; {nearest(size, list(parts.presets))}")
    model_config = parts.presets[size]
    task_keys = [f.name for f in dataclasses.fields(parts.task_config)]
    model_keys = [f.name for f in dataclasses.fields(model_config)]
    known = [*loop_keys, *task_keys, *model_keys]
    for key in given:
        if key not in known:
            raise RequestError(f"got the unknown setting '{key}'; {nearest(key, known)}")
    if data is not None:
        if "data" not in task_keys:
            raise RequestError(
                "got --data, which this model does not take: it learns from the drawn world; leave it out."
            )
        given = {**given, "data": str(data)}
    task_values = {**training.task, **{key: value for key, value in given.items() if key in task_keys}}
    model_values = {key: value for key, value in given.items() if key not in (*loop_keys, *task_keys)}
    task_config = parts.task_config.of(task_values)
    model_config = model_config.replace(**model_values)
    loop = {key: getattr(task_config, key) for key in ("batch",) if key in task_keys}  # the loop only counts them
    loop |= {"precision": "auto", **training.loop, **{key: value for key, value in given.items() if key in loop_keys}}

    def make(place: Place, start: Path | None = None) -> Any:
        model = parts.model(model_config)
        if start is not None:
            from mediagen.weights import start_from

            try:
                start_from(model, start)
            except ValueError as error:
                raise RequestError(str(error)) from None
        return parts.task(model, task_config, place)

    return loop, make
