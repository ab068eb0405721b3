"""Schedules and solvers: plain functions of velocity(x, t). They know no network."""

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor

Velocity = Callable[[Tensor, float], Tensor]
OnStep = Callable[[int, float, Tensor], None]


def linear(steps: int, power: float = 1.0) -> list[float]:
    """steps + 1 times from 0 to 1: evenly spaced ones, raised to `power`; above 1 they crowd near the noise."""
    _check(steps)
    return [(i / steps) ** power for i in range(steps + 1)]


def linear_quadratic(steps: int, emulate: int | None = None) -> list[float]:
    """steps + 1 times: the first half are those of `emulate` uniform steps, the rest grow quadratically to 1.

    Movie Gen (arXiv 2410.13720, section 3.4.2); the quadratic part continues the slope of the linear one. emulate is
    250 by default, or `steps` where that is more.
    """
    _check(steps)
    emulate = max(250, steps) if emulate is None else emulate
    if emulate < steps:
        raise ValueError(
            f"got {steps} steps emulating {emulate}, expected at least as many emulated; use linear({steps})."
        )
    half = steps // 2
    rest = steps - half
    reached = half / emulate
    slope = 1 / emulate
    bend = (1 - reached - slope * rest) / rest**2
    early = [i / emulate for i in range(half)]
    return early + [reached + slope * i + bend * i * i for i in range(rest)] + [1.0]


def euler(velocity: Velocity, x: Tensor, times: list[float], on_step: OnStep | None = None) -> Tensor:
    """First-order solver from times[0] to times[-1]; on_step(index, t, x) after each step may raise to cancel."""
    for index, (t, after) in enumerate(pairwise(times)):
        x = x + (after - t) * velocity(x, t)
        if on_step is not None:
            on_step(index, after, x)
    return x


def midpoint(velocity: Velocity, x: Tensor, times: list[float], on_step: OnStep | None = None) -> Tensor:
    """Second-order solver, two evaluations a step; on_step as in `euler`."""
    for index, (t, after) in enumerate(pairwise(times)):
        half = (after - t) / 2
        x = x + 2 * half * velocity(x + half * velocity(x, t), t + half)
        if on_step is not None:
            on_step(index, after, x)
    return x


def _check(steps: int) -> None:
    if steps < 1:
        raise ValueError(f"got {steps} steps, expected at least 1; 50 is usual.")
