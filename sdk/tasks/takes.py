"""Takes: what a story has made already, by a checksum of all that it was made from; in memory, or in a folder.

A folder outlives a kill: each take is written whole or not at all, and a damaged one is made again.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from torch import Tensor

from mediagen.weights import load_tensors, save_tensors, sweep


class Takes:
    """Tensors by key."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder, self._held = folder, dict[str, Tensor]()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)

    def get(self, key: str) -> Tensor | None:
        """What was made of `key`; None where nothing was, or nothing whole."""
        if self.folder is None:
            return self._held.get(key)
        try:
            return load_tensors(self._path(key))["made"]
        except (OSError, ValueError, KeyError):
            return None

    def put(self, key: str, made: Tensor) -> Tensor:
        """Keeps what was made."""
        if self.folder is None:
            self._held[key] = made
        else:
            save_tensors({"made": made.contiguous()}, self._path(key))
        return made

    def only(self, keys: set[str]) -> None:
        """Drops all else."""
        if self.folder is None:
            self._held = {key: made for key, made in self._held.items() if key in keys}
            return
        for path in self.folder.glob("*.safetensors"):
            if path.stem not in keys:
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{key}.safetensors"


def key_of(**parts: Any) -> str:
    """A checksum of plain values and tensors."""
    plain = {name: digest(part) if isinstance(part, Tensor) else part for name, part in parts.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:24]


def digest(tensor: Tensor) -> str:
    """A checksum of a tensor's values and shape."""
    return hashlib.sha256(repr(tuple(tensor.shape)).encode() + tensor.contiguous().numpy().tobytes()).hexdigest()
