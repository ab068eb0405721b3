"""Sources: what a job starts from, read back in the form that the engine takes."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediagen.sdk.errors import RequestError
from mediagen.sdk.service.intake.uploads import DECODED
from mediagen.sdk.tasks.replay import read

if TYPE_CHECKING:
    from mediagen.media.clip import Clip


def read_clip(path: Path) -> "Clip":
    """The clip of a source file: a film of the service's own, or what the decoder left of an upload."""
    if path.suffix != DECODED:
        return read(path)
    from mediagen.media.clip import Clip

    tensors, about = _opened(path)
    return Clip(frames=tensors.get("frames"), sound=tensors.get("sound"), **about)


def read_sound(path: Path) -> "Clip":
    """The same of a source file that is to be heard alone: a sound or a film of the service's own, or an upload."""
    if path.suffix == DECODED:
        return read_clip(path)
    from mediagen.media import read
    from mediagen.media.clip import Clip

    try:
        return Clip(frames=None, sound=read.read_sound(path, max_seconds=math.inf))
    except ValueError as error:
        raise RequestError(str(error)) from None


def read_picture(path: Path) -> Any:
    """uint8 (1, H, W, 3) of a source file that is a picture."""
    return _opened(path)[0]["frames"]


READ: dict[str, Callable[[Path], Any]] = {  # by how a file is read; see `Start`
    "picture": read_picture,
    "clip": read_clip,
    "sound": read_sound,
    "film": lambda path: path,
}


def _opened(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["about"])  # noqa: SIM118
