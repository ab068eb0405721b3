"""What each of two processes does that train together: python tests/train_ranks.py FOLDER MODELS

Each check leaves what it saw in FOLDER/RANK.json; tests/test_train_ranks.py compares.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from train_toy import Toy, settings

from mediagen.data.cache import build_cache
from mediagen.parallel.ranks import Ranks
from mediagen.sdk.cli.app import main
from mediagen.train.loop import train

RANK = int(os.environ.get("RANK", "0"))
ITEMS, SHARD = 22, 2


class Centred(Toy):
    """The same, of numbers that are centred by the model's running mean: each rank has its own between checkpoints."""

    def loss(self, model: nn.Module, batch: Tensor, rng: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        return super().loss(model, batch - model.get_buffer("mean"), rng)


class Encoder:
    """Encodes numbers, a bit otherwise on every rank, as GPUs of two kinds do. fail: the item that it cannot."""

    def __init__(self, fail: int = -1) -> None:
        self.asked: list[int] = []
        self.fail = fail

    def __call__(self, items: range) -> tuple[dict[str, Tensor], list[str]]:
        if self.fail in items:
            raise ValueError(f"item {self.fail} is damaged")
        self.asked += items
        return {"latent": torch.tensor([[item + RANK / 16] for item in items])}, [str(item) for item in items]


def said(work: Callable[[], Any]) -> str:
    """What ValueError `work` ends in; "" for none."""
    try:
        work()
    except ValueError as error:
        return str(error)
    return ""


def cache(folder: Path) -> dict[str, Any]:
    """A cache that both encode; one that dies on the way, and goes on; one where each has a folder of its own."""
    first, broken, last = Encoder(), Encoder(fail=13), Encoder()
    whole = build_cache(folder / "whole", ITEMS, first, shard=SHARD)
    error = said(lambda: build_cache(folder / "broken", ITEMS, broken, shard=SHARD))
    mended = build_cache(folder / "broken", ITEMS, last, shard=SHARD)
    return {
        "asked": first.asked,
        "latent": whole.tensors["latent"].flatten().tolist(),
        "captions": whole.captions,
        "error": error,
        "asked_again": last.asked,
        "before": broken.asked,
        "mended": mended.captions,
        "apart": said(lambda: build_cache(folder / f"of-rank-{RANK}", ITEMS, Encoder(), shard=SHARD)),
    }


def resume(folder: Path) -> dict[str, Any]:
    """A run whose folders are each machine's own, gone on with; and one that is stopped, in a folder of both."""
    own = folder / f"node-{RANK}"
    train(Toy(), settings(), own)
    error = said(lambda: train(Toy(), settings(steps=20), own))
    train(Centred(), settings(), folder / "centred")
    stop = signal.raise_signal if RANK else lambda number: None
    try:
        train(
            Centred(), settings(), folder / "cut", on_step=lambda step, _: stop(signal.SIGTERM) if step == 6 else None
        )
    except SystemExit:
        train(Centred(), settings(), folder / "cut")
    return {"apart": error}


def command(folder: Path, models: str) -> dict[str, Any]:
    """`mediagen train video`, of two stages."""
    sizes = "latent_channels=4 width=32 depth=1 heads=2 hidden=32 text_widths=[32] longest=[4,4,4] size=[32,32]"
    run = "clips=130 batch=2 steps=2 seconds=0.5 preview_every=0 again.first=500"
    told = [word for one in f"{sizes} {run}".split() for word in ("--set", one)]
    places = ["--model", models, "-o", str(folder / "video"), "--into", str(folder / "into")]
    sys.argv = ["mediagen", "train", "video", *places, *told]
    try:
        main()
    except SystemExit as ended:
        return {"code": int(ended.code or 0)}  # pyright: ignore[reportArgumentType]
    return {"code": 0}


def refused() -> int:
    """The same command with a setting that its run has otherwise."""
    sys.argv += ["--set", "lr=0.5"]
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)  # pyright: ignore[reportArgumentType]
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    place, seen = Path(sys.argv[1]), {}
    Ranks(torch.device("cpu"))
    seen["cache"] = cache(place)
    seen["resume"] = resume(place)
    seen["command"] = command(place, sys.argv[2])
    seen["refused"] = refused()
    (place / f"{RANK}.json").write_text(json.dumps(seen))
