"""Disk: what must lie there before a row says so."""

import os
from pathlib import Path


def settle(*paths: Path) -> None:
    """Brings files and the folders that name them to the disk, so that no power cut leaves a row without its file."""
    for path in {*paths, *(path.parent for path in paths)}:
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
