"""`mediagen edit`: one instruction, any film, and everything else stays as it was."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mediagen.sdk.cli.clock import seconds_of
from mediagen.sdk.cli.console import Bar, reporting, say, speaking
from mediagen.sdk.cli.output import FILMS, check_output, finish, named_after, unused
from mediagen.sdk.errors import RequestError

_KEEP = {"on": True, "off": False}


def edit(
    film: Annotated[Path, typer.Argument(help="Film to edit, of any size, rate and length.")],
    prompt: Annotated[str | None, typer.Argument(help='What changes: "make the ball blue".')] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write: mp4, mov, webm or mkv.")] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="The kind of edit, where the instruction is not read rightly.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Change nothing before: 70, 01:10 or 0:01:10.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Change nothing after.")] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="X,Y,W,H", help="Change nothing outside of this box, in pixels.")
    ] = None,
    mask: Annotated[Path | None, typer.Option("--mask", help="Change only where this picture is white.")] = None,
    keep_rest: Annotated[
        str | None, typer.Option("--keep-rest", metavar="on|off", help="Whether all else stays byte for byte.")
    ] = None,
    sound: Annotated[str, typer.Option("--sound", metavar="keep|remake|none", help="The film's sound.")] = "keep",
    lossless: Annotated[bool, typer.Option("--lossless", help="Write every pixel as it is, in an mkv.")] = False,
    replay: Annotated[
        Path | None, typer.Option("--replay", help="Make this file's edits again, on the film that they began with.")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Sampling steps, 1 to 1000.")] = None,
    guidance_scale: Annotated[
        float | None, typer.Option("--guidance-scale", help="How closely to follow the instruction.")
    ] = None,
    picture_guidance_scale: Annotated[
        float | None, typer.Option("--picture-guidance-scale", help="How closely to keep to the film.")
    ] = None,
    negative: Annotated[str | None, typer.Option("--negative", help="What not to show.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed makes the same edit.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Model folder, or a name on the Hugging Face hub. Default: built in.")
    ] = None,
    decoder: Annotated[str | None, typer.Option("--decoder", help="onnx or torch.")] = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="Of the weights, bfloat16 or float32. Default: bfloat16 on a GPU.")
    ] = None,
    json_out: Annotated[
        bool, typer.Option("--json", help="One object on stdout: path, seed, seconds, settings, notes.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing but errors.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Change one thing in a film by an instruction; the rest stays as it was."""
    with reporting(), speaking(quiet or json_out):
        if sound not in ("keep", "remake", "none"):
            raise RequestError(f"--sound: got '{sound}', expected keep, remake or none; give one of them.")
        if keep_rest not in (None, *_KEEP):
            raise RequestError(f"--keep-rest: got '{keep_rest}', expected on or off; give one of them.")
        asked: dict[str, Any] = {
            "prompt": prompt,
            "task": task,
            "start": seconds_of("--from", start),
            "end": seconds_of("--to", end),
            "region": region,
            "mask": mask,
            "keep_rest": None if keep_rest is None else _KEEP[keep_rest],
            "sound": sound,
            "num_inference_steps": steps,
            "guidance_scale": guidance_scale,
            "picture_guidance_scale": picture_guidance_scale,
            "negative_prompt": negative,
            "seed": seed,
        }
        asked = {key: value for key, value in asked.items() if value is not None}
        _check(asked, replay)
        target = out or unused(named_after(film, "edit", lossless))
        check_output(target, force=force, endings=FILMS)
        from mediagen.sdk.tasks.edit_requests import EditRequest

        request = None if replay is not None else EditRequest.of(asked)
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.sdk.engine import Engine
            from mediagen.sdk.tasks.edit_replay import replay as made_again
            from mediagen.sdk.tasks.edited import EditedFilm
            from mediagen.sdk.tasks.new_pictures import check_target
            from mediagen.sdk.tasks.replay import differences, settings_of

            check_target(film, target, sound=sound == "keep", lossless=lossless)
            before = {} if replay is None else settings_of(replay)
            repeat = replay is not None and decoder is None and dtype is None
            chosen: Any = {"decoder": decoder, "dtype": dtype}
            engine = Engine.to_repeat(before, model) if repeat else Engine.from_pretrained(model, **chosen)
            lost: list[float] = []

            def write(made: EditedFilm, _: Path | None = None) -> None:
                bar.show("Writing")
                made.save(target, lossless=lossless)
                if not lossless:
                    lost.append(made.encoding(target))

            if request is None:
                edited, notes = made_again(engine, film, before, mask, bar, write)
                notes += differences(before, edited.settings)
            else:
                edited, notes = engine.run_edit(film, request, on_progress=bar), []
                assert isinstance(edited, EditedFilm)
                write(edited)
        for note in dict.fromkeys(notes):
            say(f"note: {note}")
        _say_kept(edited.settings.get("kept"), lost)
        finish([(target, edited)], bar.elapsed, json_out)


def _check(asked: dict[str, Any], replay: Path | None) -> None:
    if replay is None and "prompt" not in asked:
        raise RequestError(
            'got no instruction, expected one; write for example: mediagen edit film.mp4 "make the ball blue".'
        )
    given = [name for name in asked if name not in ("mask", "sound")]
    if replay is not None and given:
        raise RequestError(
            f"got --replay and {given[0]}, expected nothing else of the edit, which the file tells; leave it out."
        )


def _say_kept(kept: dict[str, float | None] | None, lost: list[float]) -> None:
    """What of the film was left alone, and what writing it has cost."""
    if kept is not None and kept["model_psnr"] is not None:
        say(
            f"Outside of the mask the pictures are equal to the film's; the model alone kept them to "
            f"{kept['model_psnr']:.1f} dB (SSIM {kept['model_ssim'] or 0:.3f})."
        )
    if lost:
        say(f"The file holds them to {lost[0]:.1f} dB; --lossless, in an mkv, keeps every pixel.")
