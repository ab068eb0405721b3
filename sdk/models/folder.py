"""ModelFolder: the models of one folder, each loaded when first needed, once, and shared by every request."""

import hashlib
import logging
import threading
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from torch import nn

from mediagen.export.card import CARD, why_not
from mediagen.export.runtime import OnnxDecoder
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.models.catalog import EDIT_FAMILIES, EDITS, FAMILIES, SOUND_FAMILIES, UPSCALE_FAMILIES
from mediagen.sdk.models.choice import choose
from mediagen.sdk.models.info import WEIGHTS, locate
from mediagen.sdk.models.limits import Limits
from mediagen.weights import load_model

ENGINE = "engine.json"
WORDS = "words.json"  # of models that learned other words than the world's: {"things": ["ball", ...], ...}
DECODERS = ("onnx", "torch")
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
log = logging.getLogger(__name__)
_COUNTED = (".json", ".safetensors")  # decoders in ONNX files are made of these, and stand in a clip's settings by name
_EDGE = 1 << 16  # bytes read from each end of a weights file for the fingerprint: all of a 30B model would take minutes


def device_of(name: str | None) -> torch.device:
    """The device of that name, or a GPU where there is one (None); RequestError for one that this machine lacks."""
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):  # the latter where torch was built without it
        raise RequestError(
            f"got the device '{name}', which torch does not have here; give cpu, or leave it out."
        ) from None
    return device


def dtype_of(name: str | None, device: torch.device) -> torch.dtype:
    """The type of weights of that name, or (None) what suits the device; RequestError for another."""
    if name is None:
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    if name not in DTYPES:
        raise RequestError(f"got the dtype '{name}', expected {' or '.join(DTYPES)}; give one, or leave it out.")
    return DTYPES[name]


class ModelFolder:
    """A folder with engine.json and one sub-folder for each family (see `catalog`).

    path: the folder.  device: where its models go.  runtime: what decodes, "onnx", "torch" or None for the better one
    (see `Engine.from_pretrained`).  dtype: of the weights of the families that may have others than float32.
    Raises ModelError where the folder or a decoder that was asked for is missing or damaged, RequestError for another
    runtime.
    """

    def __init__(
        self,
        path: str | Path,
        device: str | torch.device = "cpu",
        runtime: str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.path, self.dtype = Path(path), dtype
        self.device = torch.device(device)
        # Said aloud, the number of threads stays what it is: left alone, MKL uses fewer on a busy machine, and sums
        # made in another order are another clip.
        torch.set_num_threads(torch.get_num_threads())
        self._lock = threading.RLock()
        self._loaded: dict[str, nn.Module] = {}
        self._decoders: dict[str, OnnxDecoder] = {}
        if not (self.path / ENGINE).is_file():
            raise ModelError(
                f"got the model folder '{self.path}' without {ENGINE}, expected a folder of all the models; give "
                "another, such as 'mediagen train --into' makes for a model that was trained."
            )
        try:
            self._limits = Limits.load(self.path / ENGINE)
        except ValueError as error:
            raise ModelError(str(error)) from None
        self._runtime = runtime
        if runtime is not None:
            self._check(runtime)

    @classmethod
    def of(
        cls,
        model: str | Path | None,
        device: str | torch.device,
        revision: str | None = None,
        runtime: str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """The folder at a path, of a name "owner/model" on the Hugging Face hub, or a built-in one.

        "tiny" and "small" name the built-in ones; None takes what suits the device (`variants.choose`).
        """
        path = locate(model, revision)
        return cls(choose(path, torch.device(device)) if model is None else path, device, runtime, dtype)

    @property
    def limits(self) -> Limits:
        """What engine.json says; without sound, or larger sizes, where nothing in the folder makes them.

        Prompts are not rewritten where the folder has words of its own (see `vocabulary`). What is said of edits is
        what the folder says whose models edit.
        """
        heard = self._limits.sound and all(self.has(name) for name in SOUND_FAMILIES)
        worldly = self._limits.rewrite and not (self.path / WORDS).is_file()
        larger = self._limits.upscale if all(self.has(name) for name in UPSCALE_FAMILIES) else 1
        return replace(self._limits, **self.edits._limits.of_edits, sound=heard, rewrite=worldly, upscale=larger)

    @property
    def edits(self) -> "ModelFolder":
        """The folder whose models edit: this one where it has an edit model or none within, else the one within."""
        own = (self.path / FAMILIES["edit"].folder / "config.json").is_file()
        return self if own or self._within is None else self._within

    @cached_property
    def _within(self) -> "ModelFolder | None":
        inner = self.path / EDITS
        return ModelFolder(inner, self.device, dtype=self.dtype) if (inner / ENGINE).is_file() else None

    def has(self, name: str) -> bool:
        """Whether the folder holds the family `name`, or for one that edits, the folder within that edits."""
        if name not in FAMILIES:
            return False
        here = (self.path / FAMILIES[name].folder / "config.json").is_file()
        return here or (name in EDIT_FAMILIES and self.edits is not self and self.edits.has(name))

    def get(self, name: str) -> Any:
        """The model of a family, on the device and in eval mode; threads that ask at once get the same one."""
        with self._lock:
            if name not in self._loaded:
                if not self.has(name):
                    raise ModelError(
                        f"got the model folder '{self.path}' without '{name}' ({FAMILIES[name].what}), which this "
                        "request needs; add it, or give another folder."
                    )
                self._loaded[name] = self._read(name)
            return self._loaded[name]

    def _read(self, name: str) -> nn.Module:
        family = FAMILIES[name].found(self.path)
        path = self.path / family.folder
        if name in EDIT_FAMILIES and not path.is_dir():
            return self.edits.get(name)
        if name == "upsample_tae" and self._within and not (path / WEIGHTS).is_file():
            from mediagen.upsample import frames_of

            return frames_of(self._within.get("tae"))  # which has all that the one of single frames has
        try:
            return load_model(family.load(), path, self.device, self.dtype if family.half else None)
        except (ValueError, OSError) as error:
            raise ModelError(f"cannot load '{name}': {error}") from None

    def loaded(self, name: str) -> bool:
        """Whether the model of a family is in memory already."""
        return name in self._loaded

    @property
    def runtime(self) -> str:
        """What decodes: "onnx" or "torch". Where nobody chose, ONNX on a CPU where every decoder is there and fits."""
        with self._lock:
            if self._runtime is None:
                here = self.device.type == "cpu" and self.exportable()  # on a GPU torch is there already
                wrong = self._unfit() if here else []
                self._runtime = "onnx" if here and not wrong else "torch"
                for line in wrong:
                    if not line.endswith("is missing"):
                        log.warning("%s: torch decodes; run 'mediagen export' again.", line)
            return self._runtime

    def decoder(self, name: str) -> OnnxDecoder | None:
        """The ONNX decoder of a family, opened once and shared; None where torch decodes."""
        if self.runtime == "torch" or name not in self.exportable():
            return None
        with self._lock:
            if name not in self._decoders:
                try:
                    self._decoders[name] = OnnxDecoder(self.path / FAMILIES[name].folder, self.device.type)
                except (ValueError, OSError) as error:
                    raise ModelError(f"cannot load the decoder of '{name}': {error}") from None
            return self._decoders[name]

    def exportable(self) -> list[str]:
        """The families in the folder that have a decoder to export."""
        return [name for name, family in FAMILIES.items() if family.found(self.path).graph and self.has(name)]

    def _unfit(self) -> list[str]:
        """What keeps the folder's ONNX decoders from use, a line each."""
        folders = [self.path / FAMILIES[name].folder for name in self.exportable()]
        return [f"the ONNX decoder in '{folder}' {why}" for folder in folders if (why := why_not(folder))]

    def _check(self, runtime: str) -> None:
        if runtime not in DECODERS:
            raise RequestError(f"got the decoder '{runtime}', expected onnx or torch; give one, or leave it out.")
        wrong = self._unfit() if runtime == "onnx" else []
        if wrong:
            raise ModelError(
                f"got the decoder 'onnx', but {' and '.join(wrong)}; write it with "
                f"'mediagen export --model {self.path} -o {self.path}', or leave the decoder out."
            )

    @property
    def sound(self) -> "ModelFolder":
        """The folder whose models make sound."""
        return self

    def unload(self) -> None:
        """Frees the weights, which are read again when they are needed."""
        with self._lock:
            self._loaded.clear()
            self._decoders.clear()
            if self._within is not None:
                self._within.unload()

    def told(self) -> dict[str, Any]:
        """What a file says about the models that made it."""
        dtype = str(self.dtype).removeprefix("torch.")
        return {"model": self.fingerprint, "decoder": self.runtime, "dtype": dtype}

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change with the models: over the JSON files, and the size and ends of the weights."""
        total = hashlib.sha256()
        others = {path.parent for path in self.path.glob(f"*/{ENGINE}")}  # whole model folders of their own
        for path in sorted(p for p in self.path.rglob("*") if p.suffix in _COUNTED and p.name != CARD):
            if others.intersection(path.parents):
                continue
            total.update(path.relative_to(self.path).as_posix().encode())
            if path.suffix == ".json":
                total.update(path.read_bytes())
                continue
            size = path.stat().st_size
            total.update(str(size).encode())
            with path.open("rb") as file:
                total.update(file.read(_EDGE))
                file.seek(max(0, size - _EDGE))
                total.update(file.read(_EDGE))
        return total.hexdigest()[:12]
