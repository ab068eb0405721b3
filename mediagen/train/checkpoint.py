"""Checkpoints: folders step-000123/ with tensors and a manifest of checksums, whole or not there at all. No pickle."""

import hashlib
import json
import logging
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediagen.weights import Tensors, load_tensors, save_tensors, sync_folder, write_atomic

MANIFEST = "manifest.json"
_NAME = re.compile(r"step-(\d{6,})")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """All that a run needs to go on. step: steps done, which is also the data position and fixes the random numbers."""

    step: int
    tensors: dict[str, Tensors]  # one file per part: model, optimiser, ema, critic, ...
    values: dict[str, Any]  # plain JSON values: counters, the config
    mark: str = ""  # checksum of the manifest that it was read from, and so of all of it


def save_checkpoint(root: Path, state: State, keep: int) -> Path:
    """Writes root/step-N by way of root/step-N.tmp and one rename, then deletes all but the `keep` newest checkpoints.

    Raises FloatingPointError, and writes nothing, where a tensor has a NaN: a broken run keeps its last good state.
    """
    for part, tensors in state.tensors.items():
        for name, value in tensors.items():
            if value.is_floating_point() and value.isnan().any():
                raise FloatingPointError(
                    f"got NaN in {part}/{name} at step {state.step}; train on from the last checkpoint."
                )
    folder = root / f"step-{state.step:06d}"
    part_folder = root / f"{folder.name}.tmp"
    shutil.rmtree(part_folder, ignore_errors=True)
    part_folder.mkdir(parents=True)
    for part, tensors in state.tensors.items():
        save_tensors(tensors, part_folder / f"{part}.safetensors")
    files = {path.name: _sha256(path.read_bytes()) for path in sorted(part_folder.iterdir())}
    body = {"step": state.step, "values": state.values, "files": files}
    manifest = {**body, "sha256": _sha256(json.dumps(body, sort_keys=True).encode())}
    write_atomic(part_folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
    for later in checkpoints(root):
        if _step_of(later) >= state.step:  # damaged ones, from which the run stepped back
            _discard(later)
    part_folder.rename(folder)
    sync_folder(root)
    for old in checkpoints(root)[: -max(1, keep)]:
        _discard(old)
    return folder


def load_checkpoint(folder: Path) -> State:
    """Reads a checkpoint; raises ValueError that names the file where anything is missing or damaged."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        body = {key: manifest[key] for key in ("step", "values", "files")}
        sound = manifest["sha256"] == _sha256(json.dumps(body, sort_keys=True).encode())
    except (OSError, ValueError, KeyError, TypeError):
        sound, body, manifest = False, {}, {}
    if not sound:
        raise ValueError(f"{path}: got a missing or damaged manifest; delete this checkpoint or restore it.")
    tensors = {}
    for name, expected in body["files"].items():
        if not (folder / name).is_file() or _sha256((folder / name).read_bytes()) != expected:
            raise ValueError(f"{folder / name}: got a missing or damaged file, expected sha256 {expected}; restore it.")
        tensors[name.removesuffix(".safetensors")] = load_tensors(folder / name)
    return State(body["step"], tensors, body["values"], manifest["sha256"])


def load_latest(root: Path) -> State | None:
    """The newest checkpoint that is sound, or None where there is none at all.

    A damaged one is reported to the log and stepped over; raises ValueError where all are damaged.
    """
    found = checkpoints(root)
    errors = []
    for folder in reversed(found):
        try:
            return load_checkpoint(folder)
        except ValueError as error:
            _log.warning("skipped a damaged checkpoint: %s", error)
            errors.append(str(error))
    if errors:
        raise ValueError(f"got only damaged checkpoints in {root}; delete them to start anew. The newest: {errors[0]}")
    return None


def checkpoints(root: Path) -> list[Path]:
    """The checkpoint folders under `root`, oldest first."""
    return sorted((path for path in root.glob("step-*") if _NAME.fullmatch(path.name)), key=_step_of)


def _step_of(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def _discard(folder: Path) -> None:
    """Renames first, so that no half-deleted folder is ever taken for a checkpoint."""
    gone = folder.with_name(f"{folder.name}.{os.getpid()}.old.tmp")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
