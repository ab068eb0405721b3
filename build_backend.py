"""setuptools as it is, and for `pip install -e .` a tree that type checkers and editors can read.

The folders audio/, edit/, personalize/ and sdk/ are imported as parts of mediagen by a finder, which runs; checkers
only look along sys.path. So an editable install makes .editable/mediagen, in which each of them and each module of
mediagen is a link in its place, and a .pth that puts .editable on sys.path. Its second line lets the finder go first:
what runs is imported from where it stands, and a debugger stops there.
"""

import base64
import hashlib
import os
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403

_ROOT = Path(__file__).resolve().parent
_TREE = _ROOT / ".editable"
_PTH = "__editable__.mediagen_types.pth"


def build_editable(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """As setuptools, with the .pth in the wheel where the system allows links."""
    name = build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
    if _link():
        first = (
            'import sys; sys.meta_path.sort(key=lambda f: "__editable___mediagen" not in getattr(f, "__module__", ""))'
        )
        _add(Path(wheel_directory) / name, _PTH, f"{_TREE}\n{first}\n")
    return name


def _link() -> bool:
    """Makes the tree; False where links are not allowed, as on Windows without its developer mode."""
    beside = tomllib.loads((_ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    places = {path.name: path for path in (_ROOT / "mediagen").iterdir() if path.name != "__pycache__"}
    places |= {name.removeprefix("mediagen."): _ROOT / folder for name, folder in beside.items()}
    (_TREE / "mediagen").mkdir(parents=True, exist_ok=True)
    for old in (_TREE / "mediagen").iterdir():
        old.unlink()
    try:
        for name, place in places.items():
            (_TREE / "mediagen" / name).symlink_to(os.path.relpath(place, _TREE / "mediagen"), place.is_dir())
    except OSError:
        return False
    return True


def _add(wheel: Path, name: str, text: str) -> None:
    """Puts a file into a wheel, and its line into the wheel's RECORD."""
    with zipfile.ZipFile(wheel) as old:
        files = [(info, old.read(info)) for info in old.infolist()]
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for info, data in files:
            line = f"{name},sha256={digest},{len(text)}\n".encode() if info.filename.endswith("/RECORD") else b""
            new.writestr(info, data + line)
        new.writestr(name, text)
