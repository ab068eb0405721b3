"""`mediagen upscale`: any film, with twice the pixels each way; its sound and times stay."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mediagen.sdk.cli.console import Bar, reporting, speaking
from mediagen.sdk.cli.options import Dtype, Force, Json, Model, Quiet, Seed, Steps
from mediagen.sdk.cli.output import FILMS, check_output, finish, named_after, unused


def upscale(
    film: Annotated[Path, typer.Argument(help="Film to make larger, of any rate and length.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write: mp4, mov, webm or mkv.")] = None,
    factor: Annotated[int, typer.Option("--factor", help="Times the width and the height: 2 or 4.")] = 2,
    keep: Annotated[
        float | None,
        typer.Option(
            "--keep",
            help="0 mends the film's faults, 1 keeps what it shows. Default: 0 for what mediagen made, else 1.",
        ),
    ] = None,
    lossless: Annotated[bool, typer.Option("--lossless", help="Write every pixel as it is, in an mkv.")] = False,
    steps: Steps = None,
    seed: Seed = None,
    model: Model = None,
    dtype: Dtype = None,
    json_out: Json = False,
    quiet: Quiet = False,
    force: Force = False,
) -> None:
    """Make the pictures of a film larger, and sharp; its sound and its times stay as they are."""
    with reporting(), speaking(quiet or json_out):
        asked = {"factor": factor, "keep": keep, "num_inference_steps": steps, "seed": seed}
        target = out or unused(named_after(film, "larger", lossless))
        check_output(target, force=force, endings=FILMS)
        from mediagen.sdk.tasks.upscale_requests import UpscaleRequest

        request = UpscaleRequest.of({name: value for name, value in asked.items() if value is not None})
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.sdk.engine import Engine
            from mediagen.sdk.tasks.new_pictures import check_target
            from mediagen.sdk.tasks.upscaled import UpscaledFilm

            check_target(film, target, lossless=lossless, factor=factor)
            chosen: Any = {"dtype": dtype}
            made = Engine.from_pretrained(model, **chosen).run_upscale(film, request, on_progress=bar)
            assert isinstance(made, UpscaledFilm)
            bar.show("Writing")
            made.save(target, lossless=lossless)
        finish([(target, made)], bar.elapsed, json_out)
