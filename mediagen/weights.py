"""Weights on disk: one folder per model with model.safetensors and config.json, whole or not there at all."""

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from mediagen.config import Config

FILE = "model.safetensors"
CONFIG = "config.json"
Tensors = dict[str, torch.Tensor]
M = TypeVar("M", bound=nn.Module)
_log = logging.getLogger(__name__)
_FUSED = {  # matrices of a transformer's block in folders from before they were split, and what each became
    ".attention.qkv.weight": (".attention.query.weight", ".attention.key.weight", ".attention.value.weight"),
    ".text.key_value.weight": (".text.key.weight", ".text.value.weight"),
    ".mlp.gate_up.weight": (".mlp.gate.weight", ".mlp.up.weight"),
}


def save_model(module: nn.Module, config: Config, folder: str | Path, half: bool = True) -> Path:
    """Writes parameters and buffers to `folder`/model.safetensors and `config` to `folder`/config.json.

    half: floating tensors are stored as float16; a tensor with a value that float16 cannot hold keeps its own type.
    The weights are written last, so a folder with weights is complete. Returns the folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: _halved(value) if half else value for name, value in module.state_dict().items()}
    write_atomic(folder / CONFIG, (json.dumps(config.to_dict(), indent=2) + "\n").encode())
    save_tensors(tensors, folder / FILE)
    return folder


def load_model(
    cls: type[M], folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype | None = None
) -> M:
    """Builds `cls(config)` from the folder's config.json, fills in the weights and returns it in eval mode on `device`.

    cls: a module class with an attribute `Config`, its Config subclass.  dtype: of its floating tensors; None leaves
    them as the class builds them. The global random state is left as it was.
    Raises ValueError where a file is missing, damaged or does not fit the class.
    """
    folder = Path(folder)
    config_class = getattr(cls, "Config", None)
    if not (isinstance(config_class, type) and issubclass(config_class, Config)):
        raise ValueError(f"got the class {cls.__name__} without a Config; expected an attribute `Config`, set it.")
    config = config_class.load(folder / CONFIG)
    with torch.random.fork_rng(devices=[]):  # building a module draws its initial weights, which are thrown away here
        module = cls(config).to(dtype)
    load_weights(module, folder)
    return module.to(device).eval()


def load_weights(module: nn.Module, folder: str | Path) -> None:
    """Fills `module` with the weights in `folder`; every name and shape must match, floats take the module's dtype.

    Raises ValueError, and leaves the module as it was, where the file is missing, damaged or does not fit.
    """
    path = Path(folder) / FILE
    fit_tensors(module, _split_fused(load_tensors(path)), str(path))


def fit_tensors(module: nn.Module, tensors: Tensors, where: str) -> None:
    """Copies `tensors` into the module's parameters and buffers; raises ValueError, before any copy, on a mismatch."""
    own = module.state_dict()
    wrong = [f"'{name}' is missing" for name in own if name not in tensors]
    wrong += [f"'{name}' is unknown" for name in tensors if name not in own]
    for name, value in own.items():
        if name in tensors and tensors[name].shape != value.shape:
            wrong.append(f"'{name}' is {tuple(tensors[name].shape)} instead of {tuple(value.shape)}")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ValueError(
            f"{where}: got weights that do not fit {type(module).__name__} ({', '.join(wrong[:3])}{more}), "
            f"expected {len(own)} matching tensors; use weights and config.json of the same model."
        )
    module.load_state_dict(tensors)


@torch.no_grad()
def start_from(module: nn.Module, folder: str | Path) -> list[str]:
    """Fills `module` from weights of its kind, to train on from there; returns, and logs, what stays as built.

    A tensor that only `module` has stays as built. One of another shape is for the module to say: `grow(tensors,
    config)`, where it has it, takes the old tensors and their config, raises ValueError where the two cannot agree, and
    returns the tensors as its own, without those that are to stay as built.
    Raises ValueError, before any copy, where the file is missing or damaged or a tensor of it has no place.
    """
    path = Path(folder) / FILE
    tensors, own = _split_fused(load_tensors(path)), module.state_dict()
    if not tensors.keys() & own.keys():
        raise ValueError(f"got weights in {folder} that have nothing of {type(module).__name__}; give its own kind.")
    if hasattr(module, "grow"):
        config: type[Config] = module.Config  # type: ignore[assignment]
        tensors = module.grow(tensors, config.load(Path(folder) / CONFIG))  # type: ignore[operator]
    left = [name for name in own if name not in tensors]
    kept = {name: value for name, value in own.items() if name in left}
    fit_tensors(module, {**tensors, **kept}, str(path))
    if left:
        _log.warning("%s: %d tensors start as built: %s", folder, len(left), ", ".join(left))
    return left


def save_tensors(tensors: Tensors, path: Path) -> None:
    """Writes named tensors as one safetensors file with a checksum inside; atomic; equal tensors give equal bytes."""
    kept = {
        name: value.detach().to("cpu").clone().contiguous() for name, value in tensors.items()
    }  # clone: tied weights
    write_atomic(path, save(kept, metadata={"sha256": _digest(kept)}))


def load_tensors(path: Path) -> Tensors:
    """Reads a safetensors file, to the CPU; raises ValueError where it is missing, damaged or fails its checksum."""
    if not path.is_file():
        raise ValueError(f"got no weights at {path}; expected a safetensors file, give a folder that has one.")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            expected = (file.metadata() or {}).get("sha256")
            tensors: Tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path}: got a damaged file ({error}), expected safetensors; restore the file.") from None
    if expected is not None and _digest(tensors) != expected:  # files of other programs carry no checksum
        raise ValueError(f"{path}: got a damaged file (wrong checksum), expected sha256 {expected}; restore the file.")
    return tensors


def write_atomic(path: Path, content: bytes) -> None:
    """Writes a file that is there whole or not at all, whenever the process dies: temporary file, fsync, rename."""
    part = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sweep(root: Path) -> None:
    """Deletes what a killed process left half-written: everything named *.tmp."""
    for path in root.rglob("*.tmp"):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes renames in `folder` survive a power cut, where the system can."""
    if os.name != "posix":  # other systems cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _split_fused(tensors: Tensors) -> Tensors:
    """The tensors with each fused matrix as the plain ones it is made of, as models have them now."""
    made: Tensors = {}
    for name, value in tensors.items():
        fused = next((end for end in _FUSED if name.endswith(end)), None)
        if fused is None:
            made[name] = value
        else:
            names = (name.removesuffix(fused) + end for end in _FUSED[fused])
            made |= dict(zip(names, value.chunk(len(_FUSED[fused])), strict=True))
    return made


def _halved(value: torch.Tensor) -> torch.Tensor:
    if not value.is_floating_point():
        return value
    halved = value.detach().half()
    return halved if torch.equal(halved.isfinite(), value.isfinite()) else value


def _digest(tensors: Tensors) -> str:
    total = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        total.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
