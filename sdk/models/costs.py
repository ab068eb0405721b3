"""What a training costs, before it is begun: parameters, memory, and about how long it takes on this machine."""

import time
from collections.abc import Sequence
from typing import Any

import torch

from mediagen.config import Config
from mediagen.parallel.ranks import local_device
from mediagen.sdk.models.plan import Plan, course, plan, settings_of
from mediagen.sdk.models.trainings import TRAININGS, Training
from mediagen.train.stages import Stage
from mediagen.train.task import multiplies_bf16_fast

COPIES = 5  # of the weights, in float32: themselves, gradients, two moments, the average
# Of the rate of one large product that whole trainings reached: 0.2 to 0.5 in float32 on a CPU, 0.1 to 0.2 with AMX.
SHARE, SHARE_BF16 = 0.3, 0.15
SIZE = 1024  # of that product


def listing(name: str) -> list[str]:
    """Lines about the presets and stages of a training, for people."""
    training, rate = TRAININGS[name], products_per_second()
    own = course(training, [])
    lines = [f"{name}: {training.what}", "", f"{'preset':10}{'parameters':>12}{'memory':>12}{'time here':>12}"]
    for preset in training.load().presets:
        count = parameters(plan(training, preset, {}))
        seconds = sum(stage_seconds(training, preset, stage, rate) for stage in own)
        default = "  (default)" if preset == training.preset else ""
        lines.append(f"{preset:10}{_short(count):>12}{_bytes(4 * COPIES * count):>12}{_time(seconds):>12}{default}")
    lines += [
        "",
        "memory: of weights, gradients, moments and average alone; what a step holds comes on top.",
        f"time: estimated from {_short(rate)} operations/s, timed just now; it may be off by a factor of two.",
    ]
    stages = training.stages()
    if stages:
        lines += ["", f"stages (--stages NAME,...; by default {', '.join(training.course)}):"]
    for stage in stages:
        took = "" if stage.average else f", {_time(stage_seconds(training, training.preset, stage, rate))}"
        steps = "" if stage.average else f", {plan(training, None, stage.settings).loop['steps']:,} steps"
        lines.append(f"  {stage.name:10}{stage.what}{steps}{took}")
    return lines


def parameters(chosen: Plan) -> int:
    """Of a model that is not built: only its shapes are."""
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        return sum(parameter.numel() for parameter in chosen.ingredients.model(chosen.model).parameters())


def stage_seconds(training: Training, preset: str, stage: Stage, rate: float) -> float:
    """How long a stage takes where products run at `rate` operations a second; 0 for a mean of others."""
    if stage.average:
        return 0.0
    usual, chosen = plan(training, None, {}), plan(training, preset, settings_of(stage, [stage], stage.settings))
    larger = parameters(chosen) / parameters(usual) * _amount(chosen.task) / _amount(usual.task)
    return chosen.loop["steps"] * training.work * 1e9 * larger / rate


def products_per_second() -> float:
    """Operations a second that a training may reach: a share of those of one product, timed for a moment.

    Of bfloat16 where that is fast, as trainings have it by default, on the device that would train.
    """
    device = local_device()
    half = multiplies_bf16_fast(device)
    a = torch.ones(SIZE, SIZE, device=device, dtype=torch.bfloat16 if half else torch.float32)
    times: list[float] = []
    for _ in range(6):
        began = time.perf_counter()
        float((a @ a)[0, 0])
        times.append(time.perf_counter() - began)
    return 2 * SIZE**3 / min(times[1:]) * (SHARE_BF16 if half else SHARE)


def _amount(task: Config) -> float:
    """What a step looks at, in items of one picture element and second."""
    size: Sequence[float] = getattr(task, "size", (1, 1))
    seconds: Any = getattr(task, "frames", None) or getattr(task, "seconds", 1)
    if hasattr(task, "windows"):  # of the sound: as much in each step, whatever the window
        return float(getattr(task, "batch", 1) * seconds)
    return float(getattr(task, "batch", 1) * size[0] * size[1] * seconds)


def _short(value: float) -> str:
    for unit, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.0f}"


def _bytes(value: float) -> str:
    return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:,.0f} days"
