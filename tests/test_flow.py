"""Flow, schedules, solvers and guidance: identities and golden values."""

from itertools import pairwise

import pytest
import torch

from mediagen.flow import draw_t, flow_loss, interpolate, noise_like, velocity
from mediagen.guidance import cfg
from mediagen.sampling import euler, linear, linear_quadratic, midpoint

GOLDEN = {  # N emulated -> the times 25, 26, 27 of 50 (variant A of the report's schedule)
    250: (0.1, 0.10528, 0.11312),
    1000: (0.025, 0.02752, 0.03308),
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_path_runs_from_noise_to_data() -> None:
    data, noise = torch.randn(2, 3, 4, generator=rng(1)), torch.randn(2, 3, 4, generator=rng(2))
    assert torch.equal(interpolate(data, noise, torch.zeros(2)), noise)
    assert torch.allclose(interpolate(data, noise, torch.ones(2)), data, atol=3e-5)
    a, b = interpolate(data, noise, torch.full((2,), 0.4)), interpolate(data, noise, torch.full((2,), 0.6))
    assert torch.allclose((b - a) / 0.2, velocity(data, noise), atol=1e-5)


def test_each_sample_has_its_own_t() -> None:
    data, noise = torch.ones(2, 1), torch.zeros(2, 1)
    assert interpolate(data, noise, torch.tensor([0.25, 0.75])).flatten().tolist() == [0.25, 0.75]


def test_the_true_velocity_has_no_loss() -> None:
    data = torch.randn(4, 3, generator=rng())
    noise = noise_like(data, rng(1))
    assert flow_loss(lambda x, t: velocity(data, noise), data, torch.rand(4, generator=rng()), noise).max() == 0


def test_t_is_logit_normal() -> None:
    t = draw_t(20_000, rng(), mean=-0.5, std=1.2)
    logits = torch.logit(t.double())
    assert abs(logits.mean() + 0.5) < 0.03 and abs(logits.std() - 1.2) < 0.03


@pytest.mark.parametrize("emulate", [250, 1000])
def test_linear_quadratic_has_the_reports_times(emulate: int) -> None:
    times = linear_quadratic(50, emulate)
    assert len(times) == 51 and times[0] == 0 and times[-1] == 1
    assert times[25:28] == pytest.approx(GOLDEN[emulate], abs=1e-5)
    assert times[:25] == pytest.approx(linear(emulate)[:25])
    assert all(a < b for a, b in pairwise(times))


def test_a_power_crowds_times_at_the_noise() -> None:
    assert linear(4) == [0, 0.25, 0.5, 0.75, 1]
    assert linear(4, 2) == [0, 0.0625, 0.25, 0.5625, 1]


def test_linear_quadratic_250_ends_as_published() -> None:
    assert linear_quadratic(50, 250)[49] == pytest.approx(0.93328, abs=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 300])
def test_any_number_of_steps_makes_a_schedule(steps: int) -> None:
    times = linear_quadratic(steps)
    assert len(times) == steps + 1 and times[-1] == 1 and all(a < b for a, b in pairwise(times))


def test_a_straight_path_is_solved_exactly_in_any_steps() -> None:
    noise, data = torch.randn(5, generator=rng()), torch.randn(5, generator=rng(1))
    for solve in (euler, midpoint):
        assert torch.allclose(solve(lambda x, t: data - noise, noise, linear_quadratic(6)), data, atol=1e-6)


def test_midpoint_is_of_second_order() -> None:
    """dx/dt = x over [0, 1] is e; halving the step divides Euler's error by 2, midpoint's by 4."""
    start = torch.ones(1, dtype=torch.double)

    def error(solve, steps: int) -> float:
        return float((solve(lambda x, t: x, start, linear(steps)) - torch.e).abs())

    assert error(euler, 20) / error(euler, 40) == pytest.approx(2, rel=0.1)
    assert error(midpoint, 20) / error(midpoint, 40) == pytest.approx(4, rel=0.1)


def test_a_step_can_be_watched_and_cancelled() -> None:
    seen = []

    def watch(index: int, t: float, x: torch.Tensor) -> None:
        seen.append((index, t))
        if index == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        euler(lambda x, t: x, torch.ones(1), linear(10), watch)
    assert seen == [(0, 0.1), (1, 0.2), (2, pytest.approx(0.3))]


def test_guidance_is_one_forward_and_follows_the_formula() -> None:
    calls = []

    def model(x: torch.Tensor, t: float, prepared: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        return x * t + prepared

    x, prepared = torch.randn(2, 3, generator=rng()), torch.randn(4, 3, generator=rng(1))
    got = cfg(model, prepared, 3.0)(x, 0.5)
    prompt, null = x * 0.5 + prepared[:2], x * 0.5 + prepared[2:]
    assert calls == [4] and torch.allclose(got, null + 3.0 * (prompt - null), atol=1e-6)
    assert torch.equal(cfg(model, prepared[:2], 1.0)(x, 0.5), prompt)


def test_midpoint_asks_in_the_middle_of_its_step() -> None:
    """So that a velocity that is linear in time is met exactly, whatever the steps are."""
    made = midpoint(lambda x, t: torch.full_like(x, 2 * t), torch.zeros(3), [0.0, 0.3, 1.0])
    assert torch.allclose(made, torch.ones(3))
