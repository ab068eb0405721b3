"""Disk: what must lie there before a row says so."""

import os
import shutil
from pathlib import Path


def settle(*paths: Path) -> None:
    """Brings files and the folders that name them to the disk, so that no power cut leaves a row without its file."""
    for path in {*paths, *(path.parent for path in paths)}:
        try:
            number = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)  # Windows syncs what may be written
        except PermissionError:  # it opens no folders
            continue
        try:
            os.fsync(number)
        finally:
            os.close(number)


def second_name(path: Path, name: Path) -> None:
    """Gives a file a second name, so that the first may be deleted; a copy where the system has no links."""
    try:
        os.link(path, name)
    except FileNotFoundError:
        raise
    except (AttributeError, OSError):
        shutil.copyfile(path, name)
