"""ONNX decoders against torch's own, on the CPU: seconds of each, their ratio, and how much the results differ.

    python benchmarks/onnx_decoders.py [--model FOLDER] [--onnx EXPORTED] [--threads 2] [--repeats 15]

Both decode the default clip (the model folder's size and seconds) in turns within one run, so that other work on the
machine hits both; the ratio is the median over the turns. EXPORTED: what `mediagen export -o EXPORTED` wrote; without
it, the decoders are exported to a temporary folder first. Ends with 1 where a ratio is below 1.5 or a difference above
1e-4.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from mediagen.export.runtime import OnnxDecoder
from mediagen.grid import Grid
from mediagen.sdk import Engine
from mediagen.sdk.models.catalog import FAMILIES


def in_turns(works: list[Callable[[], object]], repeats: int) -> list[list[tuple[float, float]]]:
    """(wall, processor) seconds of each work, `repeats` times in turns after two rounds to warm up."""
    made: list[list[tuple[float, float]]] = [[] for _ in works]
    for turn in range(repeats + 2):
        for series, work in zip(made, works, strict=True):
            wall, processor = time.perf_counter(), time.process_time()
            work()
            if turn > 1:
                series.append((time.perf_counter() - wall, time.process_time() - processor))
    return made


def main() -> int:
    """Prints a line for each decoder; the exit code says whether both held."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("--onnx", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=15)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    engine = Engine.from_pretrained(asked.model, device="cpu", decoder="torch")
    with tempfile.TemporaryDirectory() as name:
        folder = asked.onnx or Path(name)
        if asked.onnx is None:
            engine.export_onnx(folder)
        return max(compare(engine, folder, family, asked) for family in engine.models.exportable())


@torch.no_grad()
def compare(engine: Engine, folder: Path, family: str, asked: argparse.Namespace) -> int:
    """One decoder: 0 where it is fast and right enough."""
    limits, model = engine.limits, engine.models.get(family)
    decoder = OnnxDecoder(folder / FAMILIES[family].folder, threads=asked.threads)
    grid = Grid.of(limits.seconds, (limits.width, limits.height), limits.fps)
    lengths = grid.latent if "height" in decoder.card["input"]["axes"] else (grid.sound_latents,)
    latent = torch.randn(1, decoder.card["input"]["shape"][1], *lengths, generator=torch.Generator().manual_seed(0))
    worst = (decoder.decode(latent) - model.decode(latent)).abs().max().item()
    own, onnx = in_turns([lambda: model.decode(latent), lambda: decoder.decode(latent)], asked.repeats)
    ratios = [statistics.median(a[i] / b[i] for a, b in zip(own, onnx, strict=True)) for i in (0, 1)]
    print(  # noqa: T201
        f"{family}: latent {tuple(latent.shape)}, {asked.threads} threads, {decoder.provider}: "
        f"torch {1000 * statistics.median(a[0] for a in own):.1f} ms, onnx "
        f"{1000 * statistics.median(b[0] for b in onnx):.1f} ms, ratio {ratios[0]:.2f} "
        f"(of processor time {ratios[1]:.2f}; medians of {asked.repeats}), largest difference {worst:.1e}"
    )
    return int(not (ratios[0] >= 1.5 and worst <= 1e-4))


if __name__ == "__main__":
    sys.exit(main())
