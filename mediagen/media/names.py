"""Names of files to write: what could not be written is refused before any work. Brings no torch."""

import os
import re
from pathlib import Path

_RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(\..*)?", re.IGNORECASE)  # devices of Windows


def check_name(path: Path, *, windows: bool = os.name == "nt") -> None:
    """Raises ValueError for a name that the file system of its folder does not take; windows: by the rules there."""
    name = path.name
    if "\0" in str(path):
        raise ValueError(f"got the name {name!r} with a NUL, expected a file name; leave it out.")
    if windows and (found := re.search(r'[<>:"|?*\x00-\x1f]', name)):
        raise ValueError(f"got the name '{name}' with '{found[0]}', which Windows does not take; leave it out.")
    if windows and (_RESERVED.fullmatch(name) or name.endswith((".", " "))):
        raise ValueError(f"got the name '{name}', which Windows keeps for itself; choose another.")
    long, most = len(os.fsencode(name)), longest(path.parent)
    if long > most:
        raise ValueError(
            f"got a name of {long} bytes, expected at most {most}; shorten it (letters beyond a-z take 2 to 4 bytes)."
        )


def longest(folder: Path) -> int:
    """Bytes that a name may have in a folder."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows has no such question
        return 255
