"""A plain convolutional net that makes pictures twice as large, of the upsampler's cost, trained on the same pairs.

    python benchmarks/plain_upsampler.py MODELS CACHE --minutes 30 [--threads 1] [--count 48]

MODELS: a model folder with an upsampler; CACHE: an empty folder.  It trains for so many minutes, then both, and bicubic
interpolation, make validation films larger: true ones after the autoencoder, and degraded ones.  Equal cost: the net's
2 million weights on the small picture's pixels take 17 GFLOP a frame of 128x128, as the upsampler's eight steps with
overlaps and its autoencoder of frames do.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.judge.measures import psnr
from mediagen.media.clip import to_uint8
from mediagen.sdk.models.folder import ModelFolder
from mediagen.train.tasks.upsample import Damage, UpsampleTask, UpsampleTaskConfig, bicubic
from mediagen.upsample import UpsampleModels, UpsampleWay, decode_large, upscale_latents

PATCH = 32  # pixels of a side of the small squares that it learns from


class Plain(nn.Module):
    """Residual blocks on the small picture, then its four pixels of each, added to bicubic interpolation."""

    def __init__(self, width: int = 96, blocks: int = 12) -> None:
        super().__init__()
        self.read = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))
            for _ in range(blocks)
        )
        self.write = nn.Conv2d(width, 12, 3, padding=1)
        nn.init.zeros_(self.write.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, h, w) in [-1, 1] to twice the size."""
        y = self.read(x)
        for block in self.blocks:
            y = y + 0.1 * block(y)
        return F.interpolate(x, scale_factor=2, mode="bicubic") + F.pixel_shuffle(self.write(y), 2)


def floats(frames: Tensor) -> Tensor:
    return frames.permute(0, 3, 1, 2).float() / 127.5 - 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("models")
    parser.add_argument("cache", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=160)
    parser.add_argument("--count", type=int, default=48)
    told = parser.parse_args()
    torch.set_num_threads(told.threads)
    torch.manual_seed(0)
    folder = ModelFolder(told.models)
    size = (folder.limits.width, folder.limits.height)
    damage = Damage(folder.get("tae"), folder.get("prompt"), folder.get("video"), size)
    upsampler, frames = folder.get("upsample"), folder.get("upsample_tae")
    task = UpsampleTask(upsampler, frames, damage, UpsampleTaskConfig(clips=1), told.cache)
    pairs = [task.pair(number) for number in range(told.pairs)]
    print(f"{len(pairs)} pairs", flush=True)  # noqa: T201 (what the script is for, as below)
    net, chance = Plain(), np.random.default_rng(0)
    optimiser = torch.optim.Adam(net.parameters(), 4e-4)
    began, steps = time.monotonic(), 0
    while (share := (time.monotonic() - began) / (60 * told.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 4e-4 * (0.5 + 0.5 * np.cos(np.pi * share))
        small, large = [], []
        for _ in range(16):
            seen, true = pairs[chance.integers(len(pairs))]
            frame, top, left = chance.integers(len(seen)), *chance.integers(0, seen.shape[1] - PATCH + 1, 2)
            small.append(seen[frame, top : top + PATCH, left : left + PATCH])
            large.append(true[frame, 2 * top : 2 * (top + PATCH), 2 * left : 2 * (left + PATCH)])
        with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu.get_capabilities().get("avx512_bf16", False)):
            made = net(floats(torch.stack(small)))
        loss = (made.float() - floats(torch.stack(large))).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
        if steps % 500 == 0:
            print(f"step {steps}, {share:.0%}, loss {float(loss.detach()):.4f}", flush=True)  # noqa: T201
    models, found = UpsampleModels(upsampler, frames), dict[str, list[float]]()
    for number in range(told.count):
        for name, wishes in (("after the autoencoder", (0.0, 1.0, 0.0)), ("degraded", (1.0, 0.0, 0.0))):
            shares = dict(zip(("degraded", "rebuilt", "made"), wishes, strict=True))
            task.config = UpsampleTaskConfig(clips=1, **shares)
            seen, true = task.pair(number, "validation")
            with torch.no_grad():
                plain = to_uint8(net(floats(seen)).movedim(0, 1)[None])[0]
            rng = torch.Generator().manual_seed(number)
            latents = upscale_latents(models, [seen], rng=rng, way=UpsampleWay(steps=folder.limits.upscale_steps))
            ours = torch.cat(list(decode_large(frames, latents, (true.shape[2], true.shape[1]))))
            for way, pictures in (("bicubic", bicubic(seen)), ("plain net", plain), ("upsampler", ours)):
                found.setdefault(f"{name}: {way}", []).append(float(psnr(true[None], pictures[None]).mean()))
    for name, values in found.items():
        spread = 1.96 * np.std(values) / len(values) ** 0.5
        print(f"{name}: {np.mean(values):.2f} dB +- {spread:.2f} ({len(values)} films, {steps} steps)")  # noqa: T201


if __name__ == "__main__":
    main()
