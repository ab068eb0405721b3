"""Joints: a cut between two sounds is heard, a place in one sound is like any other, drift shows by thirds."""

import math

import pytest
import torch

from mediagen.audio.judge.measures import onset_f1_by_thirds
from mediagen.audio.judge.seams import joint_distance, seam_energy

RATE = 48_000


def noise(seconds: float, seed: int, low: float = 1.0) -> torch.Tensor:
    """Noise of unit RMS with a slope: each octave is quieter by 6 dB times `low`."""
    white = torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(seed))
    spectrum = torch.fft.rfft(white) / torch.arange(1, white.numel() // 2 + 2) ** low
    shaped = torch.fft.irfft(spectrum, white.numel())
    return shaped / shaped.square().mean().sqrt()


def test_a_joint_inside_one_sound_is_like_any_other_place() -> None:
    sound, joints = 0.1 * noise(10, 0, low=0.3), [0.25 * index for index in range(1, 40)]
    for measure in (joint_distance, seam_energy):
        at, elsewhere = measure(sound, RATE, joints, torch.Generator().manual_seed(0))
        assert abs(at - elsewhere) < 0.35 * elsewhere + 0.5


def test_a_change_of_tone_at_the_joints_is_a_distance() -> None:
    parts = [0.1 * noise(1, seed, low=seed % 2) for seed in range(6)]
    joints = [1.0, 2.0, 3.0, 4.0, 5.0]
    at, elsewhere = joint_distance(torch.cat(parts)[None], RATE, joints, torch.Generator().manual_seed(0))
    assert at > 2 * elsewhere


def test_clicks_and_steps_of_level_are_seams() -> None:
    time = torch.arange(4 * RATE) / RATE
    tone = 0.2 * torch.sin(2 * math.pi * 220 * time)
    clicking, louder = tone.clone(), tone.clone()
    clicking[2 * RATE :] = 0.2 * torch.cos(2 * math.pi * 220 * time[2 * RATE :])  # same spectrum, another phase
    louder[2 * RATE :] *= 2
    rng = torch.Generator().manual_seed(0)
    assert max(seam_energy(tone, RATE, [2.0], rng)) < 1.0
    at, elsewhere = seam_energy(clicking, RATE, [2.0], rng)
    assert at > 10 and elsewhere < 1.0
    at, elsewhere = seam_energy(louder, RATE, [2.0], rng)
    assert at == pytest.approx(6.02, abs=0.2) and elsewhere < 1.0


def test_joints_that_cannot_be_measured_are_refused() -> None:
    rng = torch.Generator().manual_seed(0)
    for joints in ([], [0.001], [1.999]):
        with pytest.raises(ValueError, match="expected one that is"):
            joint_distance(torch.zeros(2 * RATE), RATE, joints, rng)
    with pytest.raises(ValueError, match="one channel"):
        seam_energy(torch.zeros(2, RATE), RATE, [0.5], rng)
    assert joint_distance(torch.zeros(RATE), RATE, [0.5], rng) == (0.0, 0.0)


def test_onset_f1_by_thirds_tells_a_drift() -> None:
    truth = [0.5 + 0.5 * index for index in range(58)]  # 0.5 to 29 s
    assert onset_f1_by_thirds(truth, truth, 30.0) == (1.0, 1.0, 1.0)
    drifting = [time * 1.008 for time in truth]  # 80 ms late after 10 s
    first, middle, last = onset_f1_by_thirds(drifting, truth, 30.0)
    assert first > 0.9 and middle < 0.2 and last < 0.2
    # a pair across a border is one hit, in the third of the truth
    assert onset_f1_by_thirds([10.02], [9.98], 30.0)[0] == 1.0
    assert all(math.isnan(score) for score in onset_f1_by_thirds([10.02], [9.98], 30.0)[1:])
    assert onset_f1_by_thirds([25.0], [], 30.0)[2] == 0.0
