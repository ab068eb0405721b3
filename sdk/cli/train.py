"""`mediagen train`: a name from the table of trainings, a preset and settings become runs of the one loop."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mediagen.sdk.cli.console import Bar, lead, reporting, say
from mediagen.sdk.errors import MediagenError, RequestError
from mediagen.sdk.models.trainings import TRAININGS, Place

_NAMES = ", ".join(TRAININGS)


def train(
    name: Annotated[str, typer.Argument(metavar="MODEL", help=f"What to train: {_NAMES}.")],
    preset: Annotated[str | None, typer.Option("--preset", help="Size of the model; see --list.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of videos with .txt captions. Default: the drawn world.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting; STAGE.KEY=VALUE for one stage. May be repeated."),
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
    stages: Annotated[
        str | None, typer.Option("--stages", metavar="NAME,...", help="Which of its stages to run; see --list.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="cpu, cuda, ... Default: a GPU where there is one.")
    ] = None,
    allow: Annotated[
        str | None, typer.Option("--allow", metavar="KEY,...", help="Settings that may change in a run's folder.")
    ] = None,
    skip_unusable: Annotated[
        bool, typer.Option("--skip-unusable", help="With --data, train on what can be used and leave the rest.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Refuse a folder that has an earlier run.")] = False,
    show: Annotated[
        bool, typer.Option("--list", help="Show presets and stages, with size and time, and stop.")
    ] = False,
) -> None:
    """Train one of the models; a run that was stopped goes on where it was."""
    folder = out or Path("runs") / name
    with reporting(f"Stopped; run the same command again to go on from {folder}."):
        if name not in TRAININGS:
            from mediagen.sdk.tasks.requests import nearest

            raise RequestError(f"got the model '{name}'; {nearest(name, list(TRAININGS))}")
        if show:
            from mediagen.sdk.models.costs import listing

            print("\n".join(listing(name)))  # noqa: T201 (what was asked for, on stdout)
            return
        if data is not None and not data.is_dir():
            raise RequestError(f"got the data folder '{data}', expected one that exists; give a folder of videos.")
        if into is not None and into.exists() and not into.is_dir():
            raise RequestError(f"got --into '{into}', which is a file, expected a model folder; give another.")
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.config import parse_settings
            from mediagen.parallel.ranks import Ranks, local_device
            from mediagen.sdk.models.folder import device_of
            from mediagen.sdk.models.plan import check_data, course, planned
            from mediagen.train.stages import Stage, run_stages

            own = local_device(None if device is None else True) if device in (None, "cuda") else device
            where = device_of(str(own))
            heard: set[str] = set()  # stages prepare the same data

            def tell(text: str) -> None:
                if lead() and text not in heard:
                    heard.add(text)
                    say(text)

            place = Place(str(where), folder, model, tell)
            training = TRAININGS[name]
            try:
                given = parse_settings(settings or [])
                given |= {} if data is None else {"data": str(data)}
                given |= {"skip_unusable": True} if skip_unusable else {}
                chosen = course(training, stages.split(",") if stages else [], None if start else folder)
                todo = planned(training, preset, chosen, given, place, _tell_start)
                notes = check_data(training, preset, chosen, given)
            except MediagenError:
                raise
            except ValueError as error:
                raise RequestError(str(error)) from None
            for note in notes:
                say(note)
            configs = {one.stage.name: one.config for one in todo}
            ranks = Ranks(where)  # before any task: its caches are the work of all

            def on_stage(stage: Stage, done: bool) -> None:
                if done:
                    say(f"{folder / stage.name} is finished: nothing was trained; give it more steps to go on.")
                elif not stage.average:
                    bar.show(f"Preparing data{' of the stage ' * bool(stage.name)}{stage.name}")

            def on_step(stage: Stage, step: int, figures: dict[str, Any]) -> None:
                title = f"Training {name}{', stage ' * bool(stage.name)}{stage.name}"
                bar.train(title, step, configs[stage.name].steps, figures)

            exported = run_stages(
                todo,
                folder,
                ranks,
                start=start,
                resume=not fresh,
                allow=allow.split(",") if allow else (),
                on_stage=on_stage,
                on_step=on_step,
            )
            if into is not None and lead():
                from mediagen.sdk.models.sharing import keep_training

                exported = training.place(exported, into)
                keep_training(folder / todo[-1].stage.name, exported)
        say(f"The trained model is in {exported}, made in {bar.elapsed:.1f} s.")
        for note in notes:  # once more: a training is long
            say(note)


def _tell_start(start: Path, built: list[str]) -> None:
    """Says which tensors the weights that a training goes on from had nothing for."""
    if built:
        more = f" and {len(built) - 3} more" if len(built) > 3 else ""
        say(f"{len(built)} tensors start as built, for {start} has none of them: {', '.join(built[:3])}{more}.")
