"""LatentCache: what frozen encoders made of the training data, computed once, kept on disk with checksums."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mediagen.parallel.ranks import Ranks
from mediagen.weights import Tensors, load_tensors, save_tensors, sweep, write_atomic

MANIFEST = "manifest.json"
Encode = Callable[[range], tuple[Tensors, list[str]]]


def build_cache(
    folder: str | Path,
    count: int,
    encode: Encode,
    *,
    shard: int = 256,
    about: dict[str, Any] | None = None,
    on_shard: Callable[[int, int], None] | None = None,
    device: str | torch.device = "cpu",
) -> "LatentCache":
    """Encodes items 0 to count - 1 in shards and opens the result; goes on where an earlier build was killed.

    encode(range) -> (tensors, captions): each tensor has the range's items first; floats are stored as float16.
    about: what the items depend on (models, split, size), as JSON values; other values in the folder are an error.
    on_shard(items done, count) is called after every round of shards.  device: of the process, whose group it is.
    Processes that train together must share the folder: each encodes every so manieth shard, and none twice.
    Raises ValueError where the folder holds another cache.
    """
    folder, ranks = Path(folder), Ranks(torch.device(device))
    ranks.see_one(folder)
    wanted = {"count": count, "shard": shard, "about": json.loads(json.dumps(about or {}))}
    shards: list[dict[str, str]] = []
    with ranks.as_one():
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / MANIFEST).exists():
            manifest = _read_manifest(folder)
            if {key: manifest[key] for key in wanted} != wanted:
                raise ValueError(f"got {folder} with another cache in it; delete it or use another folder.")
            shards = manifest["shards"]
        elif ranks.rank == 0:
            write_atomic(folder / MANIFEST, json.dumps({**wanted, "shards": []}, indent=1).encode())
    if ranks.rank == 0:
        sweep(folder)
    ranks.wait()
    needed = -(-count // shard)
    for first in range(len(shards), needed, ranks.world):  # a round: a shard of each rank
        made: dict[str, str] | None = None
        with ranks.as_one():
            if first + ranks.rank < needed:
                made = _encode_shard(folder, first + ranks.rank, count, shard, encode)
        shards += [sums for sums in ranks.gather(made) if sums is not None]
        if ranks.rank == 0:
            write_atomic(folder / MANIFEST, json.dumps({**wanted, "shards": shards}, indent=1).encode())
        if on_shard is not None:
            on_shard(min(count, len(shards) * shard), count)
    ranks.wait()
    return LatentCache(folder)


def _encode_shard(folder: Path, index: int, count: int, shard: int, encode: Encode) -> dict[str, str]:
    """Writes a shard and returns the checksums of its files."""
    items = range(index * shard, min(count, (index + 1) * shard))
    tensors, captions = encode(items)
    if len(captions) != len(items) or any(len(value) != len(items) for value in tensors.values()):
        raise ValueError(f"got {len(captions)} captions or other tensors for items {items}; expected {len(items)}.")
    name = f"shard-{index:05d}"
    save_tensors({key: _stored(value) for key, value in tensors.items()}, folder / f"{name}.safetensors")
    write_atomic(folder / f"{name}.json", json.dumps(captions).encode())
    return {end: _sha256(folder / f"{name}.{end}") for end in ("safetensors", "json")}


def still_to_come(items: range, count: int) -> list[int]:
    """The items that this process is asked for from `items` on, when `build_cache` asks for those of `count`.

    For an `encode` that has other processes work ahead of it.
    """
    world = Ranks(torch.device("cpu")).world
    starts = range(items.start, count, len(items) * world)
    return [item for start in starts for item in range(start, min(count, start + len(items)))]


def mark(module: nn.Module | None) -> str:
    """A few digits that change with the weights, so that clips encoded by other models are not mistaken for these."""
    tensors = [] if module is None else [value.detach().double().cpu() for value in module.state_dict().values()]
    return f"{sum(float(value.abs().sum()) for value in tensors):.9g}"


class LatentCache:
    """A finished cache in memory. tensors: name -> (count, ...), floats as float16. captions: one per item.

    Raises ValueError, which names the shard, where the cache is unfinished, missing or damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        manifest = _read_manifest(self.folder)
        self.about: dict[str, Any] = manifest["about"]
        done, needed = len(manifest["shards"]), -(-manifest["count"] // manifest["shard"])
        if done < needed:
            raise ValueError(f"got {self.folder} with {done} of {needed} shards; run the build again to finish it.")
        parts: list[Tensors] = []
        self.captions: list[str] = []
        for index, sums in enumerate(manifest["shards"]):
            for end, expected in sums.items():
                path = self.folder / f"shard-{index:05d}.{end}"
                if not path.is_file() or _sha256(path) != expected:
                    raise ValueError(
                        f"{path}: got a missing or damaged shard, expected sha256 {expected}; build it again."
                    )
            parts.append(load_tensors(self.folder / f"shard-{index:05d}.safetensors"))
            self.captions += json.loads((self.folder / f"shard-{index:05d}.json").read_bytes())
        self.tensors: Tensors = {name: torch.cat([part.pop(name) for part in parts]) for name in list(parts[0])}

    def __len__(self) -> int:
        return len(self.captions)


def _stored(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() else value


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return {key: manifest[key] for key in ("count", "shard", "about", "shards")}
    except FileNotFoundError:
        raise ValueError(f"got no cache in {folder}; expected {MANIFEST}, build it first.") from None
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError):
        raise ValueError(
            f"{folder / MANIFEST}: got a damaged manifest; delete the folder and build it again."
        ) from None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
