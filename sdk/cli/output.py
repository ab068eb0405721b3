"""The output file, looked at before any work: what could not be written is refused at once, not at the end."""

import os
from pathlib import Path

from mediagen.media.names import check_name
from mediagen.sdk.errors import RequestError

ENDINGS = (".mp4", ".webm", ".wav", ".png", ".gif")  # those of mediagen.media.write, which would bring torch


def check_output(path: Path, *, sound: bool = True, endings: tuple[str, ...] = ENDINGS) -> None:
    """RequestError where nothing could be written to `path`; sound: whether there will be some.  endings: allowed."""
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
