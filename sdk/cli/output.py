"""The output file, looked at before any work: what could not be written is refused at once; and what is said of it."""

import json
import os
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from mediagen.media.names import check_name
from mediagen.sdk.cli.console import say
from mediagen.sdk.errors import RequestError

if TYPE_CHECKING:
    from mediagen.media.clip import Clip
    from mediagen.sdk.tasks.edited import EditedFilm
    from mediagen.sdk.tasks.soundtracks import Soundtrack
    from mediagen.sdk.tasks.upscaled import UpscaledFilm

ENDINGS = (".mp4", ".webm", ".wav", ".png", ".gif")  # those of mediagen.media.write, which would bring torch
FILMS = (".mp4", ".mov", ".webm", ".mkv")  # those of mediagen.media.remux.targets, of films with new pictures
SILENT = (".gif", ".png")  # of these no sound is made: they hold none


def check_output(path: Path, *, sound: bool = True, force: bool = True, endings: tuple[str, ...] = ENDINGS) -> None:
    """RequestError where nothing could be written to `path`; sound: whether there will be some.  endings: allowed.

    force: whether a file that is there may be written over.
    """
    ending = path.suffix.lower()
    if ending not in endings:
        raise RequestError(
            f"got the output '{path.name}', expected an ending of {', '.join(endings)}; "
            f"name it '{path.stem}{endings[0]}'."
        )
    try:
        check_name(path)
    except ValueError as error:
        raise RequestError(str(error)) from None
    if path.is_dir():
        raise RequestError(f"got the output '{path}', which is a folder, expected a file name; choose another name.")
    if not path.parent.is_dir():
        raise RequestError(
            f"got the output folder '{path.parent}', expected one that exists; create it or write elsewhere."
        )
    if not os.access(path.parent, os.W_OK):
        raise RequestError(
            f"got the output folder '{path.parent}', expected one that may be written to; write elsewhere."
        )
    if ending == ".wav" and not sound:
        raise RequestError(
            "got a .wav output for a clip without sound, expected sound; leave out --no-sound or name an .mp4."
        )
    if path.exists() and not force:
        raise RequestError(f"got the output '{path}', which exists, expected a new name; choose one, or give --force.")


def unused(path: Path) -> Path:
    """The name itself, or with the first number that makes it a new one."""
    names = (path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(1))
    return next(name for name in names if not name.exists())


def named_after(film: Path, word: str, lossless: bool) -> Path:
    """The usual name of what is made of a film, beside where the user is: of its own kind, if that can be written."""
    own = film.suffix.lower() if film.suffix.lower() in FILMS else FILMS[0]
    return Path(f"{film.stem}-{word}{'.mkv' if lossless else own}")


def numbered(out: Path, clips: int) -> list[Path]:
    """The names of so many `clips`; of several each has its number, and their contact sheet's comes last."""
    if clips == 1:
        return [out]
    names = [out.with_name(f"{out.stem}-{number}{out.suffix}") for number in range(1, clips + 1)]
    return [*names, out.with_name(f"{out.stem}-sheet.png")]


def overview(clips: "Sequence[Clip]", path: Path) -> None:
    """Writes a contact sheet: a row for each clip, of five of its frames, with its seed."""
    import numpy as np

    from mediagen.media.sheets import save_sheet

    strips = []
    for clip in clips:
        assert clip.frames is not None
        strips.append(clip.frames[np.linspace(0, len(clip.frames) - 1, 5).round().astype(int)])
    save_sheet(strips, path, captions=[f"seed {clip.settings['seed']}" for clip in clips])


def finish(
    made: "Sequence[tuple[Path, Clip | Soundtrack | EditedFilm | UpscaledFilm]]",
    elapsed: float,
    as_json: bool,
    sheet: Path | None = None,
) -> None:
    """Says where what was made is; as_json: as one object on stdout, with all of several in "clips"."""
    told = [
        {
            "path": str(path),
            "seed": one.settings["seed"],
            "seconds": round(one.seconds, 6),
            "settings": one.settings,
            "notes": one.settings.get("notes", []),
        }
        for path, one in made
    ]
    if as_json:
        several = {"clips": told, "sheet": str(sheet)} if sheet is not None else told[0]
        sys.stdout.write(json.dumps({**several, "made_in": round(elapsed, 3)}) + "\n")
        return
    for note in dict.fromkeys(note for one in told for note in one["notes"]):
        say(f"note: {note}")
    for one in told:
        say(f"Wrote {one['path']}: {one['seconds']:g} s, seed {one['seed']}, made in {elapsed:.1f} s.")
    if sheet is not None:
        say(f"Wrote {sheet}: five frames of each, with its seed.")
