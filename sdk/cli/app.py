"""The command line: words become a request, the engine makes it, one sentence says where it is.

torch and transformers are imported inside the commands only, so that `mediagen --help` answers at once.
"""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from mediagen.sdk.cli.character import character
from mediagen.sdk.cli.check import check
from mediagen.sdk.cli.codec import codec
from mediagen.sdk.cli.console import Bar, console, reporting, say, speaking
from mediagen.sdk.cli.edit import edit
from mediagen.sdk.cli.hub import Lora, Offload, Quantize, SoundModel, Tiling, licence, wishes
from mediagen.sdk.cli.models import fetch, models
from mediagen.sdk.cli.options import (
    Decoder,
    Dtype,
    Force,
    Guidance,
    Json,
    Model,
    Negative,
    NoRewrite,
    NoSound,
    Out,
    Quiet,
    Seed,
    SoundPrompt,
    Steps,
    Strict,
    sized,
)
from mediagen.sdk.cli.output import SILENT, check_output, finish, numbered, overview, unused
from mediagen.sdk.cli.serve import serve
from mediagen.sdk.cli.sound import sound
from mediagen.sdk.cli.story import story
from mediagen.sdk.cli.train import train
from mediagen.sdk.cli.upscale import upscale
from mediagen.sdk.cli.verify import verify
from mediagen.sdk.errors import RequestError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Generated film: a prompt becomes a clip with its soundtrack.",
)


@app.command()
def generate(
    prompt: Annotated[str | None, typer.Argument(help="What happens in the clip.")] = None,
    out: Out = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Length of the clip.")] = None,
    fps: Annotated[float | None, typer.Option("--fps", help="Frames per second.")] = None,
    size: Annotated[str | None, typer.Option("--size", metavar="WxH", help="Width x height in pixels.")] = None,
    steps: Steps = None,
    guidance_scale: Guidance = None,
    seed: Seed = None,
    negative: Negative = None,
    no_sound: NoSound = False,
    sound_prompt: SoundPrompt = None,
    no_rewrite: NoRewrite = False,
    strict: Strict = False,
    image: Annotated[Path | None, typer.Option("--image", help="Picture that becomes the first frame.")] = None,
    model: Model = None,
    decoder: Decoder = None,
    dtype: Dtype = None,
    offload: Offload = None,
    quantize: Quantize = None,
    tiling: Tiling = False,
    lora: Lora = None,
    sound_model: SoundModel = None,
    again: Annotated[
        Path | None, typer.Option("--from", help="Make this file's clip again; other options change a setting of it.")
    ] = None,
    count: Annotated[
        int, typer.Option("--count", min=1, max=64, help="So many clips, with the seeds from --seed on, and a sheet.")
    ] = 1,
    json_out: Json = False,
    quiet: Quiet = False,
    force: Force = False,
) -> None:
    """Make a clip from a prompt."""
    with reporting(), speaking(quiet or json_out):
        out = out or unused(Path("clip.mp4"))
        width, height = sized(size)
        asked = {
            "prompt": prompt,
            "negative_prompt": negative,
            "seconds": seconds,
            "fps": fps,
            "width": width,
            "height": height,
            "num_inference_steps": steps,
            "guidance_scale": guidance_scale,
            "seed": seed,
            "sound": False if no_sound or out.suffix.lower() in SILENT else None,
            "sound_prompt": sound_prompt,
            "image": image,
            "rewrite": False if no_rewrite else None,
            "strict": strict or None,
        }
        asked = {key: value for key, value in asked.items() if value is not None}
        if prompt is None and again is None:
            raise RequestError(
                'got no prompt, expected one; write for example: mediagen generate "a red ball bounces".'
            )
        targets = numbered(out, count)
        for target in targets:
            check_output(target, sound=not no_sound, force=force)
        from mediagen.sdk.tasks.requests import GenerateRequest

        GenerateRequest.of({"prompt": "", **asked} if again is None else {"prompt": "-", **asked})
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.sdk.engine import Engine
            from mediagen.sdk.tasks.replay import differences, request_of, settings_of

            before = {} if again is None else settings_of(again)
            stored = {} if again is None else request_of(before, again.name, image)
            if {"prompt", "rewrite"} & set(asked):
                stored.pop("prompt_rewritten", None)
            repeat = again is not None and decoder is None and dtype is None
            hub = wishes(offload, quantize, tiling, lora, sound_model)
            engine = (Engine.to_repeat(before, model, **hub) if repeat
                      else Engine.from_pretrained(model, decoder=decoder, dtype=dtype, **hub))  # fmt: skip
            licence(engine)
            clips = engine.run_several(GenerateRequest.of({**stored, **asked}), count, on_progress=bar)
            bar.show("Writing")
            made = [(clip.save(target), clip) for target, clip in zip(targets, clips, strict=False)]
            if count > 1:
                overview(clips, targets[-1])
        for note in differences(before, clips[0].settings) if before else []:
            say(f"note: {note}")
        finish(made, bar.elapsed, json_out, targets[-1] if count > 1 else None)


@app.command()
def extend(
    source: Annotated[Path, typer.Argument(help="Clip to continue.")],
    prompt: Annotated[str | None, typer.Argument(help="What happens next. Default: the clip's own prompt.")] = None,
    out: Out = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="How much to add.")] = None,
    steps: Steps = None,
    guidance_scale: Guidance = None,
    seed: Seed = None,
    negative: Negative = None,
    no_sound: NoSound = False,
    sound_prompt: SoundPrompt = None,
    no_rewrite: NoRewrite = False,
    strict: Strict = False,
    model: Model = None,
    decoder: Decoder = None,
    dtype: Dtype = None,
    offload: Offload = None,
    quantize: Quantize = None,
    tiling: Tiling = False,
    lora: Lora = None,
    sound_model: SoundModel = None,
    json_out: Json = False,
    quiet: Quiet = False,
    force: Force = False,
) -> None:
    """Continue a clip: more pictures and sound from its end."""
    with reporting(), speaking(quiet or json_out):
        out = out or unused(Path("longer.mp4"))
        check_output(out, sound=not no_sound, force=force)
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.sdk.engine import Engine
            from mediagen.sdk.tasks.replay import read
            from mediagen.sdk.tasks.requests import ExtendRequest

            clip = read(source)
            asked: dict[str, Any] = {
                "prompt": prompt or clip.caption or None,
                "seconds": seconds,
                "num_inference_steps": steps,
                "guidance_scale": guidance_scale,
                "seed": seed,
                "negative_prompt": negative,
                "sound": False if no_sound or out.suffix.lower() in SILENT else None,
                "sound_prompt": sound_prompt,
                "rewrite": not no_rewrite,
                "strict": strict,
            }
            request = ExtendRequest.of({key: value for key, value in asked.items() if value is not None})
            hub = wishes(offload, quantize, tiling, lora, sound_model)
            engine = Engine.from_pretrained(model, decoder=decoder, dtype=dtype, **hub)
            licence(engine)
            longer = engine.run_extend(clip, request, on_progress=bar)
            bar.show("Writing")
            made = [(longer.save(out), longer)]
        finish(made, bar.elapsed, json_out)


app.command()(sound)
app.command()(story)
app.command()(edit)
app.command()(upscale)
app.command()(check)
app.command()(train)
app.command()(codec)
app.command()(serve)
app.command()(verify)
app.add_typer(character, name="character")
app.command()(models)
app.command()(fetch)


@app.command()
def export(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for them; the model folder, to use them here.")],
    model: Model = None,
) -> None:
    """Write the decoders as ONNX files, for other programs and for faster decoding here."""
    with reporting():
        with Bar() as bar:
            bar.show("Exporting")
            from mediagen.export.card import read_card
            from mediagen.sdk.engine import Engine

            written = Engine.from_pretrained(model, device="cpu").export_onnx(out)
        for path in written:
            worst = read_card(path.parent)["checked"]["max_abs"]
            size = path.stat().st_size / 1e6
            say(f"Wrote {path}: {size:.1f} MB, within {worst:.0e} of torch at the three shapes that its card names.")
        say(f"Made in {bar.elapsed:.1f} s.")


@app.command()
def info(model: Model = None) -> None:
    """List the models of a folder: parameters, sizes, limits."""
    with reporting():
        from mediagen.sdk.hub import about
        from mediagen.sdk.hub.layout import is_pipeline
        from mediagen.sdk.models.info import locate, overview

        folder = locate(model)
        lines = about.overview(folder) if is_pipeline(folder) else overview(folder)
        width = max(len(name) for name, _ in lines) + 2
        for name, known in lines:
            typer.echo(f"{name:<{width}}{known}")


@app.command()
def bench(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the figures.")] = Path("runs/bench"),
    prompts: Annotated[int, typer.Option("--prompts", min=1, help="How many prompts to judge by.")] = 500,
    part: Annotated[
        list[str] | None, typer.Option("--part", help="Only this part; may be given more than once.")
    ] = None,
    person: Annotated[
        list[str] | None,
        typer.Option(
            "--person", metavar="NAME=FOLDER", help="A model with a person, for the part people; one a stage."
        ),
    ] = None,
    judge: Annotated[
        Path | None, typer.Option("--judge", help="Folder of a face encoder trained apart, for the part people.")
    ] = None,
    editor: Annotated[
        list[str] | None,
        typer.Option("--editor", metavar="NAME=FOLDER", help="A further edit model, for the part edits; one a stage."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Other prompts, and other noise.")] = 0,
    model: Model = None,
    dtype: Dtype = None,
) -> None:
    """Measure the models: speed and quality."""
    with reporting(f"Stopped; the parts that were finished are in {out}."):
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.sdk.bench.edits import editors_of
            from mediagen.sdk.bench.measure import PARTS, measure
            from mediagen.sdk.bench.people import stages_of
            from mediagen.sdk.engine import Engine
            from mediagen.sdk.errors import nearest

            for name in part or []:
                if name not in PARTS:
                    raise RequestError(f"got the part '{name}'; {nearest(name, list(PARTS))}")
            stages, editors = stages_of(person or [], judge), editors_of(editor or [])
            engine = Engine.from_pretrained(model, dtype=dtype)
            wishes = {"prompts": prompts, "out": out, "parts": part or PARTS, "seed": seed}
            report = measure(engine, **wishes, progress=bar.show, stages=stages, editors=editors)
        console().print(report.table())
        say(f"Figures are in {out}, made in {bar.elapsed:.1f} s.")


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        from mediagen import __version__

        typer.echo(f"mediagen {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the `mediagen` program."""
    logging.getLogger("mediagen").addHandler(logging.NullHandler())  # what matters to a user comes as a note
    with reporting():
        app()


if __name__ == "__main__":
    main()
