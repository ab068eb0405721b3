"""Measures of sound: they find what the world put there, and only that."""

import numpy as np
import pytest
import torch

from mediagen.audio.judge.measures import log_mel_distance, onset_f1, onsets, si_sdr
from mediagen.audio.judge.recogniser import SoundRecogniser
from mediagen.audio.train.recogniser import SoundRecogniserTask, SoundRecogniserTaskConfig, wear
from mediagen.world.motion import contacts
from mediagen.world.scene import draw_scene
from mediagen.world.sounds import foreground_class, synthesise


def impact_scenes(count: int) -> list:
    scenes = (draw_scene(seed, "test", "simple") for seed in range(1000))
    return [scene for scene in scenes if foreground_class(scene) == "impact"][:count]


def test_onsets_of_the_true_sound_are_its_contacts() -> None:
    scores, shifted = [], []
    for scene in impact_scenes(40):
        found, truth = onsets(synthesise(scene)), [contact.time for contact in contacts(scene)]
        scores.append(onset_f1(found, truth))
        shifted.append(onset_f1([time + 0.2 for time in found], truth))
    assert np.mean(scores) >= 0.9
    assert np.mean(shifted) < 0.5  # the measure does not forgive a lag of 0.2 s


def test_no_onsets_in_silence_noise_and_steady_tones() -> None:
    rng = torch.Generator().manual_seed(0)
    assert onsets(torch.zeros(1, 48_000)) == []
    assert onsets(0.1 * torch.randn(48_000, generator=rng)) == []
    assert onsets(torch.sin(torch.arange(48_000) * 0.05) * torch.linspace(0, 0.5, 48_000)) == []


def test_onset_f1() -> None:
    assert onset_f1([], []) == 1.0
    assert onset_f1([0.5], []) == 0.0
    assert onset_f1([0.5, 1.0], [0.51, 0.99]) == 1.0
    assert onset_f1([0.5, 0.52], [0.51]) == pytest.approx(2 / 3)  # one truth is matched once
    assert onset_f1([0.5], [0.6]) == 0.0
    assert onset_f1([0.1, 0.2], [0.15, 0.27]) == 1.0  # a greedy match to the nearest would leave one over


def test_si_sdr_and_log_mel_distance() -> None:
    rng = torch.Generator().manual_seed(0)
    truth, noise = torch.randn(2, 1, 24_000, generator=rng), torch.randn(2, 1, 24_000, generator=rng)
    torch.testing.assert_close(si_sdr(0.3 * (truth + 0.1 * noise), truth), torch.full((2, 1), 20.0), atol=0.3, rtol=0)
    assert log_mel_distance(truth, truth).max() == 0
    torch.testing.assert_close(log_mel_distance(0.5 * truth, truth), torch.full((2, 1), 6.02), atol=0.01, rtol=0)


def test_wearing_keeps_the_sound_recognisable_and_the_recogniser_learns() -> None:
    torch.manual_seed(0)
    task = SoundRecogniserTask(SoundRecogniser(), SoundRecogniserTaskConfig(batch=8, pool=24, check=8))
    sounds, classes = task.batch(0, 0, 1)
    rng = torch.Generator().manual_seed(0)
    assert wear(sounds, rng).shape == sounds.shape
    optimizer = torch.optim.Adam(task.model.parameters(), 3e-3)
    losses = []
    for _ in range(14):
        loss, _ = task.loss(task.model, (sounds, classes), rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]
    assert len(task.model.eval().classify(sounds)) == 8
