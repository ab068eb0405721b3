"""Layout: what a folder in diffusers' layout says of itself, read from its JSON alone, without torch or diffusers."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.hub.entry import Entry
from mediagen.sdk.hub.table import ENTRIES, SETTINGS
from mediagen.sdk.models.limits import Limits

INDEX = "model_index.json"


def is_pipeline(folder: Path) -> bool:
    """Whether a folder is in diffusers' layout, and not one of ours that tells diffusers of itself."""
    return (folder / INDEX).is_file() and not (folder / "engine.json").is_file()


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; ModelError where it is none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: got no JSON ({error}), expected an object; fetch the model again.") from None
    if not isinstance(found, dict):
        raise ModelError(f"{path}: got a JSON {type(found).__name__}, expected an object; fetch the model again.")
    return found


def require_hub() -> None:
    """RequestError where diffusers is not installed."""
    if find_spec("diffusers") is None or find_spec("accelerate") is None:
        raise RequestError(
            'got a model in diffusers\' layout without diffusers; install it: pip install "mediagen[hub]".'
        )


class Layout:
    """One folder. entry: what its class can do, with what the folder says of its own weights.

    name: of its class.  variant: which weights of it they are.  random: whether it says that they were never trained.
    Raises ModelError for a class that is not known and a damaged folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = read_json(folder / INDEX)
        self.name = str(self.index.get("_class_name"))
        if self.name not in ENTRIES:
            raise ModelError(
                f"got a pipeline of the class '{self.name[:80]}' in '{folder}', which mediagen does not know; "
                f"give one of {', '.join(ENTRIES)}."
            )
        self.parts = [
            part for part, told in self.index.items()
            if not part.startswith("_") and isinstance(told, list) and told[:1] != [None]
        ]  # fmt: skip
        configs = {part: read_json(path) for part in self.parts if (path := folder / part / "config.json").is_file()}
        found, self.variant = ENTRIES[self.name].found(configs)
        said = read_json(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}
        self.random = bool(said.get("random", False))
        self.call: dict[str, Any] = said.get("call", {})
        self.licence = str(said.get("licence", found.licence))
        self.entry: Entry = found
        try:
            self.limits = Limits.of({**found.limits.to_dict(), "upscale": 1, **said.get("limits", {})})
        except ValueError as error:
            raise ModelError(f"{folder / SETTINGS}: {error}") from None

    def missing(self) -> list[str]:
        """Files that the folder lacks, by the index of each part."""
        lacking = []
        for part in self.parts:
            folder, (_, kind) = self.folder / part, self.index[part]
            if not folder.is_dir():
                lacking.append(part)
                continue
            indexes = sorted(folder.glob("*.safetensors.index.json"))
            names = {shard for one in indexes for shard in read_json(one).get("weight_map", {}).values()}
            lacking += [f"{part}/{name}" for name in sorted(names) if not (folder / name).is_file()]
            model = (folder / "config.json").is_file() and not str(kind).endswith(
                ("Processor", "Extractor", "Guidance")
            )
            if model and not any(folder.glob("*.safetensors")):
                lacking.append(f"the weights of {part} as safetensors")
        return lacking

    @property
    def bytes(self) -> int:
        """Bytes of its weights."""
        return sum(path.stat().st_size for part in self.parts for path in (self.folder / part).glob("*.safetensors"))

    @property
    def transformers(self) -> list[str]:
        """The parts that are transformers, where nearly all of the weights lie."""
        return [part for part in self.parts if part.startswith("transformer")]

    def require_packages(self) -> None:
        """RequestError where a package is missing that the class needs."""
        require_hub()
        lacking = [name for module, name in self.entry.packages.items() if find_spec(module) is None]
        if lacking:
            raise RequestError(
                f"got a {self.name}, which needs {' and '.join(lacking)}; install: pip install {' '.join(lacking)}."
            )
