"""`mediagen codec`: a model folder in which a published codec stands in place of the own one."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediagen.sdk.cli.console import Bar, reporting, say
from mediagen.sdk.errors import ModelError, RequestError

if TYPE_CHECKING:
    from torch import Tensor

_TIED = ("codec", "audio")  # what hears and speaks the latent of the own codec


def codec(
    source: Annotated[str, typer.Argument(help="EnCodec at 48 kHz: a folder, or facebook/encodec_48khz.")],
    into: Annotated[Path, typer.Option("--into", help="Model folder to make; it must not exist yet.")],
    model: Annotated[
        str | None, typer.Option("--model", help="Folder that all other models come from. Default: built in.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of videos to measure the latent on. Default: the drawn world.")
    ] = None,
    sounds: Annotated[int, typer.Option("--sounds", min=1, help="How many sounds of 2 s to measure it on.")] = 256,
    download: Annotated[bool, typer.Option("--download", help="Fetch the codec where it is missing.")] = False,
) -> None:
    """Make a model folder with EnCodec as its codec, for 'mediagen train audio'. Mind the licence of its weights."""
    with reporting(), Bar() as bar:
        if into.exists():
            raise RequestError(f"got --into '{into}', which exists, expected a new folder; give another name.")
        bar.show("Loading")
        from mediagen.audio.codec.encodec import EncodecCodec
        from mediagen.sdk.models.catalog import FAMILIES
        from mediagen.sdk.models.folder import ENGINE
        from mediagen.sdk.models.info import locate
        from mediagen.weights import save_model

        base = locate(model)
        if not (base / ENGINE).is_file():
            raise ModelError(f"got the model folder '{base}' without {ENGINE}, expected one of mediagen; give another.")
        try:
            made = EncodecCodec.from_source(source, download)
            heard = _sounds(data, sounds)
            made.fit(_shown(bar, heard, sounds))
        except ValueError as error:
            raise RequestError(str(error)) from None
        part = into.with_name(f"{into.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        shutil.copy(base / ENGINE, part)
        for name, family in FAMILIES.items():
            if name not in _TIED and (base / family.folder).is_dir():
                shutil.copytree(base / family.folder, part / family.folder)
        save_model(made, made.config, part / FAMILIES["codec"].folder, half=False)
        part.rename(into)
        channels = made.config.latent
    say(f"The models are in {into}; train their sound: --model {into} --set latent_channels={channels}.")


def _sounds(data: Path | None, count: int) -> "Iterator[Tensor]":
    """Training sounds (1, S)."""
    from mediagen.audio.train.codec import layered
    from mediagen.data.folder import FolderStream
    from mediagen.data.stream import open_stream
    from mediagen.data.survey import Needs

    if data is not None and not data.is_dir():
        raise RequestError(f"got the data folder '{data}', expected one that exists; give a folder of videos.")
    needs = Needs(captions=False, sound=True, seconds=2.0)
    stream = open_stream(None if data is None else str(data), "train", sound=True, needs=needs)
    if isinstance(stream, FolderStream):
        return (stream.sound_at(number) for number in range(count))
    return (layered(number, standard=0.1)[None] for number in range(count))


def _shown(bar: Bar, sounds: "Iterator[Tensor]", count: int) -> "Iterator[Tensor]":
    for number, sound in enumerate(sounds):
        bar.show("Measuring", number, count)
        yield sound
