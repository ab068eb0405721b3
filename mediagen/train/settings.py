"""What a run was told, kept beside it: the same folder with other settings is refused, unless that is allowed."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from mediagen.weights import write_atomic

FILE = "settings.json"
# What changes how long a run is, what it costs or how it is watched, and not what it learns from or how.
HARMLESS = frozenset(
    [
        *("steps", "max_seconds", "log_every", "preview_every", "save_every", "keep", "threads", "workers"),
        *("processes", "tensorboard", "check", "preview_steps", "guidance", "compile", "graphs", "skip_unusable"),
    ]
)
Settings = dict[str, dict[str, Any]]  # by what they are of: "loop", "task", "model", "start"


def changes(folder: Path, settings: Settings) -> dict[str, tuple[Any, Any]]:
    """Of each setting that the run in `folder` has otherwise: what it is there, and what it is here.

    A setting that only one of them knows is none: another version of the program wrote the other.
    """
    try:
        there = json.loads((folder / FILE).read_bytes())
    except FileNotFoundError:
        return {}
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ValueError(f"{folder / FILE}: got a damaged file; delete it to go on, or use another folder.") from None
    return dict(_changes(there, json.loads(json.dumps(settings))))


def _changes(there: Settings, here: Settings) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for group, values in here.items():
        for name, value in values.items():
            old = there.get(group, {}).get(name, value)
            if old != value:
                yield name, (old, value)


def refuse_changes(folder: Path, settings: Settings, allow: Collection[str] = ()) -> None:
    """ValueError where the run in `folder` was told otherwise, in more than is HARMLESS or in `allow`."""
    found = changes(folder, settings)
    wrong = {name: both for name, both in found.items() if name not in HARMLESS and name not in allow}
    if wrong:
        told = ", ".join(f"{name}={json.dumps(new)} (there {json.dumps(old)})" for name, (old, new) in wrong.items())
        raise ValueError(
            f"got {told} for the run in {folder}, expected the settings that it began with; give them, use another "
            f"folder, or allow the change (--allow {','.join(wrong)})."
        )


def record(folder: Path, settings: Settings) -> None:
    """Writes down what the run in `folder` is told."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / FILE, (json.dumps(settings, indent=1) + "\n").encode())
