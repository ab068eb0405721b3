"""`mediagen story`: several scenes become one film, whose scenes stand on disk as they are made."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediagen.sdk.cli.console import Bar, reporting, say, speaking
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
    Steps,
    Strict,
    sized,
)
from mediagen.sdk.cli.output import SILENT, check_output, finish, unused
from mediagen.sdk.errors import RequestError

if TYPE_CHECKING:
    from mediagen.sdk.tasks.story_requests import StoryRequest

FILE = "story.json"


def story(
    scenes: Annotated[
        str,
        typer.Argument(help='A TOML file with [[scene]] tables, or scenes with | between: "a ball rolls | it falls".'),
    ],
    out: Out = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Length of a scene that says none.")] = None,
    music: Annotated[str | None, typer.Option("--music", help="Music that goes through the whole film.")] = None,
    dissolve: Annotated[float | None, typer.Option("--dissolve", help="Seconds that a dissolve takes.")] = None,
    remake: Annotated[
        int | None,
        typer.Option("--remake", metavar="N", help="Make scene N of this film again, and what goes on from it."),
    ] = None,
    fps: Annotated[float | None, typer.Option("--fps", help="Frames per second.")] = None,
    size: Annotated[str | None, typer.Option("--size", metavar="WxH", help="Width x height in pixels.")] = None,
    steps: Steps = None,
    guidance_scale: Guidance = None,
    seed: Seed = None,
    negative: Negative = None,
    no_sound: NoSound = False,
    no_rewrite: NoRewrite = False,
    strict: Strict = False,
    model: Model = None,
    decoder: Decoder = None,
    dtype: Dtype = None,
    json_out: Json = False,
    quiet: Quiet = False,
    force: Force = False,
) -> None:
    """Make a film of several scenes with one soundtrack.

    Scenes stand in OUT.scenes/ as they are made: the same command goes on where it was killed.
    """
    with reporting(), speaking(quiet or json_out):
        target = out or unused(Path("story.mp4"))
        folder = target.with_name(f"{target.stem}.scenes")
        own = (folder / FILE).is_file()  # a film whose scenes stand beside it is written over by its next making
        sounding = not no_sound and target.suffix.lower() not in SILENT
        check_output(target, sound=sounding, force=force or own)
        width, height = sized(size)
        asked: dict[str, Any] = {
            "seconds": seconds,
            "music": music,
            "dissolve": dissolve,
            "fps": fps,
            "width": width,
            "height": height,
            "num_inference_steps": steps,
            "guidance_scale": guidance_scale,
            "seed": seed,
            "negative_prompt": negative,
            "sound": None if sounding else False,
            "rewrite": False if no_rewrite else None,
            "strict": strict or None,
        }
        asked = {key: value for key, value in asked.items() if value is not None}
        with Bar() as bar:
            bar.show("Loading")
            from mediagen.media.clip import Clip
            from mediagen.sdk.engine import Engine
            from mediagen.sdk.tasks.results import seeded
            from mediagen.sdk.tasks.story_requests import StoryRequest, read_story
            from mediagen.weights import write_atomic

            told = read_story(Path(scenes)) if scenes.lower().endswith(".toml") else {"scenes": scenes}
            before = _earlier(folder / FILE, StoryRequest)
            request = seeded(_as_before(StoryRequest.of({**told, **asked}), before))
            if remake is not None:
                request = _again(request, remake, before)
            engine = Engine.from_pretrained(model, decoder=decoder, dtype=dtype)
            count = len(request.fit(engine.limits)[0].scenes)
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(folder / FILE, (json.dumps(request.model_dump(), indent=1) + "\n").encode())

            def on_scene(index: int, clip: Clip) -> None:
                say(f"Scene {index + 1} of {count}: {clip.caption}")

            made = engine.run_story(request, folder=folder, on_scene=on_scene, on_progress=bar)
            bar.show("Writing")
            made.save(target)
        finish([(target, made.clip)], bar.elapsed, json_out)


def _earlier(path: Path, kind: "type[StoryRequest]") -> "StoryRequest | None":
    """The story of this name as it was last asked for."""
    try:
        return kind.of(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return None


def _as_before(request: "StoryRequest", before: "StoryRequest | None") -> "StoryRequest":
    """The request with the seeds that the story had before, where none are given and the words are the same."""
    if before is None or request.seed not in (None, before.seed):
        return request
    scenes = [
        one.model_copy(update={"seed": old.seed}) if one.seed is None and one.prompt == old.prompt else one
        for one, old in zip(request.scenes, [*before.scenes, *request.scenes[len(before.scenes) :]], strict=False)
    ]
    return request.model_copy(update={"seed": before.seed, "scenes": tuple(scenes)})


def _again(request: "StoryRequest", number: int, before: "StoryRequest | None") -> "StoryRequest":
    from mediagen.sdk.tasks.stories import remade

    if before is None:
        raise RequestError("--remake: got a film that was not made here yet, expected one; leave the option out first.")
    if not 1 <= number <= len(request.scenes):
        raise RequestError(f"--remake: got {number}, expected 1 to {len(request.scenes)}; give a scene's number.")
    return remade(request, number - 1)
