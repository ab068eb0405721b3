"""The kinds of jobs: every file of this folder that has a KIND."""

import pkgutil
from importlib import import_module
from typing import Any

from mediagen.sdk.service import kinds
from mediagen.sdk.service.kinds.kind import Kind


def read() -> dict[str, Kind]:
    """The kinds in the folder by name, in the order of their tabs."""
    modules = [import_module(f"{kinds.__name__}.{found.name}") for found in pkgutil.iter_modules(kinds.__path__)
               if f"{kinds.__name__}.{found.name}" != __name__]  # fmt: skip
    found = [module.KIND for module in modules if hasattr(module, "KIND")]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: (kind.rank, kind.name))}


KINDS = read()


def available(engine: Any, name: str) -> bool:
    """Whether the engine's folder holds the models of a kind, and the engine has the method."""
    kind = KINDS[name]
    makes = getattr(engine.models, "makes", None)  # of models that have all the families, and are not for everything
    able = hasattr(engine, kind.method) and all(map(engine.models.has, kind.families))
    return able and (makes is None or makes(name))
