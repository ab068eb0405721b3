"""Takes from mediagen, in every Python started with this folder on PYTHONPATH, what only Linux or only POSIX has.

Other packages keep it: they ask for the system's name, and would take what does not belong to it.
"""

import builtins
import io
import os
from typing import Any

MODULES = ("resource", "fcntl")
FUNCTIONS = ("fork", "forkpty", "link", "sched_getaffinity", "sched_setaffinity", "sysconf", "pathconf", "getuid")
_import, _open = builtins.__import__, io.open


def _closed(path: Any) -> None:
    if str(path).startswith("/proc/self"):
        raise FileNotFoundError(2, "there is no /proc here", str(path))


class _Os:
    """The module os without these."""

    def __getattr__(self, name: str) -> Any:
        if name in FUNCTIONS:
            raise AttributeError(f"module 'os' has no attribute '{name}'")
        return self._listdir if name == "listdir" else getattr(os, name)

    def _listdir(self, path: Any = ".") -> Any:
        _closed(path)
        return os.listdir(path)


def _imported(name: str, globals: Any = None, *rest: Any, **named: Any) -> Any:
    ours = str((globals or {}).get("__name__", "")).startswith(("mediagen", "__main__"))
    if ours and name in MODULES:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)
    return _Os() if ours and name == "os" else _import(name, globals, *rest, **named)


def _opened(file: Any, *rest: Any, **named: Any) -> Any:
    _closed(file)
    return _open(file, *rest, **named)


builtins.__import__, builtins.open, io.open = _imported, _opened, _opened  # type: ignore[assignment]
