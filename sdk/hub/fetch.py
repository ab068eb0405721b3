"""Fetching: models of the Hugging Face hub into its cache on this machine, tensors and text alone."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mediagen.sdk.errors import ModelError
from mediagen.sdk.hub.layout import INDEX, read_json

OURS = ["*.json", "*.safetensors"]  # of a folder of mediagen's
_PART = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")  # tokenizers have words and models of their own
_OTHERS = ["*.fp16*", "*.bf16*", "*.fp8*"]  # the same weights again
OnBytes = Callable[[int, int], None]  # done, of how many


def patterns(name: str, revision: str | None = None, endpoint: str | None = None) -> list[str]:
    """The files of a repository that are needed: of a pipeline those of its parts, for some keep other weights too."""
    from huggingface_hub import hf_hub_download

    try:
        index = hf_hub_download(name, INDEX, revision=revision, endpoint=endpoint)
    except Exception:  # it has none, or nobody can say: whoever fetches is told why
        return OURS
    parts = [part for part, told in read_json(Path(index)).items() if isinstance(told, list) and told[:1] != [None]]
    return ["*.json", *(f"{part}/{kind}" for part in parts for kind in _PART)] if parts else OURS


def fetch(name: str, revision: str | None = None, on_bytes: OnBytes | None = None,
          endpoint: str | None = None) -> Path:  # fmt: skip
    """The folder of a hub model in the cache, with what it lacked fetched; what is there is not fetched again.

    on_bytes(done, of) is called as they come.  ModelError where it cannot be fetched; what came is kept.
    """
    import huggingface_hub

    bars: dict[str, Any] = {} if on_bytes is None else {"tqdm_class": _bar(on_bytes)}
    wanted = patterns(name, revision, endpoint)
    asked: dict[str, Any] = {"revision": revision, "allow_patterns": wanted}
    if wanted != OURS:
        asked["ignore_patterns"] = _OTHERS
    if endpoint is not None:
        asked["endpoint"] = endpoint
    try:
        return Path(huggingface_hub.snapshot_download(name, **asked, **bars))
    except Exception as error:  # of the connection, the hub or the disk, each with errors of its own
        why = " ".join(str(error).split()).split(". ")[0]
        raise ModelError(
            f"got the model '{name}', which is neither a folder here nor could be fetched from the hub ({why[:200]}); "
            "check the name and the connection, and fetch again: what came is kept."
        ) from None


def _bar(on_bytes: OnBytes) -> type:
    """In the place of a progress bar: draws nothing, and tells of the bytes that came."""
    from tqdm.auto import tqdm

    class Bar(tqdm):
        def __init__(self, *given: Any, **named: Any) -> None:
            self._tells = "Downloading" in str(named.get("desc"))
            super().__init__(*given, **{**named, "disable": False, "file": io.StringIO()})

        def update(self, n: float | None = 1) -> bool | None:
            made = super().update(n)
            if self._tells:
                on_bytes(int(self.n), int(self.total or 0))
            return made

    return Bar
