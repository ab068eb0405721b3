"""`mediagen sound`: a soundtrack for a video that exists, or sound from a prompt alone."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mediagen.sdk.cli.clock import seconds_of
from mediagen.sdk.cli.console import FLAGS, Bar, reporting, speaking
from mediagen.sdk.cli.options import Dtype, Force, Guidance, Json, Model, Quiet, Steps
from mediagen.sdk.cli.output import check_output, finish, unused
from mediagen.sdk.errors import RequestError

FILMS = (".mp4", ".mov", ".webm", ".mkv", ".wav")  # those of mediagen.media.soundtrack, which would bring torch


def sound(
    video: Annotated[Path | None, typer.Argument(help="Film to make sound for. Without one: sound alone.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File to write: mp4, mov, webm, mkv, or wav for sound alone.")
    ] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", help="What is heard, or seen. Default: the pictures say it.")
    ] = None,
    music: Annotated[str | None, typer.Option("--music", metavar="TEXT", help="Make music too, of this kind.")] = None,
    no_effects: Annotated[bool, typer.Option("--no-effects", help="Nothing but music.")] = False,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Begin there: 70, 01:10 or 0:01:10.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="End there.")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Length of sound without a film.")] = None,
    keep_audio: Annotated[
        float | None, typer.Option("--keep-audio", help="How much of the film's own sound stays under it, 0 to 1.")
    ] = None,
    candidates: Annotated[
        int | None, typer.Option("--candidates", help="Make so many of each window and keep the best, 1 to 16.")
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="How windows become long sound: segments or blend.")
    ] = None,
    steps: Steps = None,
    guidance_scale: Guidance = None,
    picture_guidance_scale: Annotated[
        float | None, typer.Option("--picture-guidance-scale", help="How closely to follow the pictures.")
    ] = None,
    negative: Annotated[str | None, typer.Option("--negative", help="What not to sound like.")] = None,
    lufs: Annotated[float | None, typer.Option("--lufs", help="Loudness by EBU R128. Default: -16.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed makes the same sound.")] = None,
    model: Model = None,
    dtype: Dtype = None,
    json_out: Json = False,
    quiet: Quiet = False,
    force: Force = False,
) -> None:
    """Make sound for a film of any length, or from a prompt alone."""
    with reporting(flags={**FLAGS, "prompt": "--prompt"}), speaking(quiet or json_out):
        asked: dict[str, Any] = {
            "prompt": prompt,
            "music_prompt": music or None,
            "music": True if music is not None else None,
            "effects": False if no_effects else None,
            "start": seconds_of("--from", start),
            "end": seconds_of("--to", end),
            "seconds": seconds,
            "keep_audio": keep_audio,
            "candidates": candidates,
            "method": method,
            "num_inference_steps": steps,
            "guidance_scale": guidance_scale,
            "picture_guidance_scale": picture_guidance_scale,
            "negative_prompt": negative,
            "lufs": lufs,
            "seed": seed,
        }
        asked = {key: value for key, value in asked.items() if value is not None}
        _check(video, asked)
        target = out or unused(Path("sound.wav" if video is None else f"{video.stem}-sound{_ending(video)}"))
        check_output(target, force=force, endings=(".wav",) if video is None else FILMS)
        from mediagen.sdk.tasks.sound_requests import SoundRequest

        SoundRequest.of(asked)
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.sdk.engine import Engine
            from mediagen.sdk.tasks.soundtracks import check_film

            if video is not None:
                check_film(video, target)
            engine = Engine.from_pretrained(model, dtype=dtype)
            if video is None:
                made = engine.generate_audio(asked.pop("prompt", None), asked.pop("seconds"), **asked, on_progress=bar)
            else:
                made = engine.add_audio(video, **asked, on_progress=bar)
            bar.show("Writing")
            made.save(target)
        finish([(target, made)], bar.elapsed, json_out)


def _ending(film: Path) -> str:
    """That of the film, or one that can hold its pictures."""
    if film.suffix.lower() in FILMS or not film.is_file():
        return film.suffix
    from mediagen.sdk.tasks.soundtracks import able

    return next(iter(able(film)), film.suffix)


def _check(video: Path | None, asked: dict[str, Any]) -> None:
    if video is None:
        if "prompt" not in asked and "music" not in asked:
            raise RequestError(
                "got no film and no prompt, expected one of them; write for example: "
                'mediagen sound --prompt "waves" --seconds 10.'
            )
        if "seconds" not in asked:
            raise RequestError("got no --seconds for sound without a film, expected a length; give one.")
        given = [flag for flag in ("start", "end", "keep_audio") if flag in asked]
        if given:
            raise RequestError(f"got {FLAGS[given[0]]} without a film, which has no meaning there; leave it out.")
