"""Variants: a folder of models may hold a larger sibling, and a machine takes the largest that it runs in a minute."""

from pathlib import Path

import torch

from mediagen.grid import Grid
from mediagen.sdk.errors import ModelError
from mediagen.sdk.models.info import WEIGHTS, parameters
from mediagen.sdk.models.limits import Limits

LARGER = "small"  # sub-folder of a model folder that holds a whole one of its own, with engine.json
PATIENCE = 60.0  # seconds that a clip may take on a CPU
A_THREAD = 60e9  # operations a second of one CPU thread: what the tiny models reach on a Xeon, without its AMX


def choose(folder: Path, device: torch.device) -> Path:
    """`folder`/small where it is there and makes a clip within a minute on `device`, else `folder` itself.

    A GPU always does. Of a CPU only the number of threads is looked at, so that the same machine always answers alike.
    """
    larger = folder / LARGER
    if not (larger / "engine.json").is_file():
        return folder
    quick = device.type != "cpu" or seconds_per_clip(larger, torch.get_num_threads()) <= PATIENCE
    return larger if quick else folder


def seconds_per_clip(folder: Path, threads: int) -> float:
    """How long a CPU takes for the pictures of one clip at the folder's defaults, estimated from its JSON and headers.

    Counts the products of the video model, guided; decoding and sound are a tenth of that at these sizes, or less.
    Raises ModelError where a file is missing or damaged.
    """
    from mediagen.tae import TAEConfig
    from mediagen.video import VideoConfig

    try:
        limits = Limits.load(folder / "engine.json")
        video, tae = VideoConfig.load(folder / "video" / "config.json"), TAEConfig.load(folder / "tae" / "config.json")
        grid = Grid.of(limits.seconds, (limits.width, limits.height), limits.fps, tae.stride, video.patch)
    except ValueError as error:
        raise ModelError(str(error)) from None
    weights = 2 * parameters(folder / "video" / WEIGHTS) * grid.tokens
    attention = 4 * grid.tokens**2 * video.width * video.depth
    return 2 * limits.steps * (weights + attention) / (A_THREAD * max(1, threads))
