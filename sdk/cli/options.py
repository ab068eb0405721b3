"""Options that several commands share; what each takes of its own stands in its file."""

from pathlib import Path
from typing import Annotated

import typer

from mediagen.sdk.errors import RequestError

Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out", help="File to write; its ending says what: mp4, webm, gif, wav, png. Default: a new mp4."
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", help="Model folder, or a name on the Hugging Face hub. Default: the one that is built in."),
]
Steps = Annotated[int | None, typer.Option("--steps", help="Sampling steps, 1 to 1000.")]
Guidance = Annotated[float | None, typer.Option("--guidance-scale", help="How closely to follow the prompt.")]
Seed = Annotated[
    int | None, typer.Option("--seed", help="The same seed makes the same clip. Default: drawn by chance.")
]
Negative = Annotated[str | None, typer.Option("--negative", help="What not to show.")]
NoSound = Annotated[bool, typer.Option("--no-sound", help="Pictures only.")]
Decoder = Annotated[
    str | None,
    typer.Option("--decoder", help="onnx or torch. Default: onnx on a CPU, where the model folder has it."),
]
Dtype = Annotated[
    str | None, typer.Option("--dtype", help="Of the weights, bfloat16 or float32. Default: bfloat16 on a GPU.")
]
Json = Annotated[bool, typer.Option("--json", help="One object on stdout: path, seed, seconds, settings, notes.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing but errors.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
SoundPrompt = Annotated[str | None, typer.Option("--sound-prompt", help="What it sounds like. Default: the prompt.")]
NoRewrite = Annotated[bool, typer.Option("--no-rewrite", help="Give the models the prompt as it is written.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse words that the models don't know.")]


def sized(text: str | None) -> tuple[int | None, int | None]:
    """Width and height of a --size; RequestError for one that is none."""
    if text is None:
        return None, None
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise RequestError(f"--size: got '{text}', expected WIDTHxHEIGHT; write for example 64x64.")
    return int(width), int(height)
