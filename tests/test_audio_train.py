"""Learning to make sound: batches that depend on the step alone, windows in time, and a loss that falls."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.conditions import at_sound_rate
from mediagen.audio.generate import (
    SoundModels,
)
from mediagen.audio.model import AudioModel
from mediagen.audio.train.audio import AudioBatch, AudioTask, AudioTaskConfig, SoundEncoders
from mediagen.audio.train.mixes import mixes_of
from mediagen.tae import TAE, TAEConfig
from mediagen.text.aligned import PRESETS as ALIGNED
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import TextEncoder


@pytest.fixture(scope="module")
def models() -> SoundModels:
    torch.manual_seed(0)
    text, aligned = TextEncoder.from_preset("debug"), AlignedEncoder(ALIGNED["debug"])
    codec, audio = Codec.from_preset("debug"), AudioModel.from_preset("debug")
    torch.nn.init.normal_(audio.write.weight, std=0.2)
    return SoundModels(text.eval(), aligned.eval(), codec.eval(), audio.eval())


@pytest.fixture(scope="module")
def task(models: SoundModels, tmp_path_factory: pytest.TempPathFactory) -> AudioTask:
    encoders = SoundEncoders(models.text, models.aligned, models.codec)
    config = AudioTaskConfig(clips=6, seconds=4, windows=(1.0, 2.0), singles=0.4, batch=2, check=2, preview_steps=2)
    torch.manual_seed(1)
    return AudioTask(AudioModel.from_preset("debug"), encoders, config, tmp_path_factory.mktemp("cache"))


def test_a_batch_is_a_function_of_its_step(task: AudioTask) -> None:
    one, again, other = task.batch(3, 0, 1), task.batch(3, 0, 1), task.batch(4, 0, 1)
    assert torch.equal(one.latent, again.latent) and torch.equal(one.text.parts[0], again.text.parts[0])
    assert one.latent.shape != other.latent.shape or not torch.equal(one.latent, other.latent)
    batches = [task.batch(step, 0, 1) for step in range(12)]
    assert {(len(batch.latent), batch.latent.shape[-1]) for batch in batches} == {(8, 25), (4, 50)}, "equal work"
    for batch in batches:
        assert batch.pictures.shape[:2] == (len(batch.latent), batch.latent.shape[-1])


def test_the_pool_holds_what_a_film_sounds_and_looks_like(task: AudioTask) -> None:
    for name, values in task.encode_films([4, 5]).items():
        torch.testing.assert_close(task.pool[name][4:].float(), values, rtol=2e-3, atol=2e-3)


def test_a_window_has_the_pictures_of_its_sound_and_stays_in_its_part(task: AudioTask) -> None:
    def seen(row: int, first: int, length: int) -> Tensor:
        return at_sound_rate(task.pool["pictures"][row : row + 1].float(), 16, 100)[0, first : first + length]

    for step in range(8):
        batch = task.batch(step, 0, 1)
        length = batch.latent.shape[-1]
        for latent, pictures in zip(batch.latent, batch.pictures, strict=True):
            windows = task.pool["latent"].float().flatten(0, 1).unfold(2, length, 1)
            distance = (windows - latent[None, :, None]).abs().mean((1, 3))
            found = [(mix // task.mixes, first) for mix, first in (distance == 0).nonzero().tolist()]
            own = [(row, first) for row, first in found if torch.allclose(seen(row, first, length), pictures)]
            assert any(
                part.row == row and part.first <= first and first + length <= part.first + part.length
                for row, first in own
                for part in task.stretches
            )


def test_single_shots_have_sounds_of_their_own(task: AudioTask) -> None:
    rows = [part.row for part in task.stretches]
    assert {rows.count(row) for row in range(6)} == {1, 4}, "films, and four single shots of a second each"
    row = next(row for row in rows if rows.count(row) == 4)
    films = [part.film for part in task.stretches if part.row == row]
    assert len({film.seed for film in films if film}) == 4
    last = films[-1]
    assert last is not None and last.samples == 48_000
    for mix, latent in zip(mixes_of(last), task.pool["latent"][row], strict=True):
        alone = task.encoders.codec.encode(mix.sound(last)[None])[0]
        torch.testing.assert_close(latent[:, 75:].float(), alone, rtol=2e-3, atol=2e-3)


def test_every_second_clip_is_seen_through_the_autoencoder(task: AudioTask, tmp_path: Path) -> None:
    tae = TAE(TAEConfig(widths=(8, 8, 8), encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1), attention=False))
    encoders = replace(task.encoders, tae=tae)
    worn = AudioTask(task.model, encoders, task.config.replace(clips=2), tmp_path)
    torch.testing.assert_close(worn.pool["pictures"][0], task.pool["pictures"][0], rtol=2e-2, atol=2e-2)
    assert not torch.equal(worn.pool["pictures"][1], task.pool["pictures"][1])
    torch.testing.assert_close(worn.pool["latent"][1], task.pool["latent"][1], rtol=2e-3, atol=2e-3)


def test_a_pool_of_other_encoders_is_refused(task: AudioTask, tmp_path: Path) -> None:
    small = task.config.replace(clips=1)
    AudioTask(task.model, task.encoders, small, tmp_path)
    torch.manual_seed(9)
    other = SoundEncoders(task.encoders.text, task.encoders.aligned, Codec.from_preset("debug"))
    with pytest.raises(ValueError, match="another cache"):
        AudioTask(task.model, other, small, tmp_path)


def test_encoders_that_do_not_fit_are_refused_before_clips_are_encoded(task: AudioTask, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"text_widths.*set those of the model"):
        AudioTask(AudioModel(AudioModel.PRESETS["tiny"]), task.encoders, task.config, tmp_path / "cache")
    assert not list(tmp_path.iterdir())


def test_the_loss_falls_on_one_batch(task: AudioTask) -> None:
    torch.manual_seed(0)
    model, batch = AudioModel.from_preset("debug"), task.batch(0, 0, 1)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2)

    def judged() -> float:
        with torch.no_grad():
            return float(
                np.mean([float(task.loss(model, batch, torch.Generator().manual_seed(s))[0]) for s in range(8)])
            )

    before = judged()
    for step in range(150):
        optimiser.zero_grad()
        task.loss(model, batch, torch.Generator().manual_seed(100 + step))[0].backward()
        optimiser.step()
    assert judged() < 0.8 * before


def test_it_learns_in_bfloat16_too(task: AudioTask) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AudioModel.from_preset("debug")
        torch.nn.init.normal_(model.write.weight, std=0.2)
    losses = []
    for half in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss, _ = task.loss(model, task.batch(0, 0, 1), torch.Generator().manual_seed(0))
        loss.backward()
        slope = model.see_norm.weight.grad
        assert slope is not None and slope.any()
        losses.append((float(loss.detach()), float(slope.norm())))
    assert losses[1] == pytest.approx(losses[0], rel=0.1)


def test_a_share_of_prompts_and_pictures_is_hidden_from_training(
    task: AudioTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where guidance is to lead, the model must have seen sounds without their words, and without their pictures."""
    model, batch, told = AudioModel.from_preset("debug"), task.batch(1, 0, 1), []
    prepare = AudioModel.prepare
    monkeypatch.setattr(AudioModel, "prepare", lambda self, given, *a: told.append(given) or prepare(self, given, *a))
    many = AudioBatch(torch.randn(200, 8, 25), torch.ones(200, 25, 272), batch.text[[0] * 200], batch.null)
    task.loss(model, many, torch.Generator().manual_seed(0))
    null, given = batch.null, told[0]
    words = int(null.masks[0].sum())
    wordless = (given.text.masks[0].sum(1) == words) & torch.isclose(
        given.text.parts[0][:, :words], null.parts[0][:, :words], atol=1e-5
    ).flatten(1).all(1)
    sightless = (given.pictures == 0).flatten(1).all(1)
    assert abs(wordless.float().mean() - 0.28) < 0.1 and abs(sightless.float().mean() - 0.28) < 0.1
    assert (wordless & sightless).any() and (wordless ^ sightless).any()


@torch.no_grad()
def test_known_frames_are_not_judged(task: AudioTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a model that says 0 the loss is the mean square of the target over what is made: 2 for unit data."""
    silent, batch = AudioModel.from_preset("debug"), task.batch(1, 0, 1)
    latent = torch.randn(64, 8, 50, generator=torch.Generator().manual_seed(3))
    latent[..., :10] = 100.0
    known = torch.arange(50)[None].expand(64, -1) < 10
    monkeypatch.setattr("mediagen.audio.train.audio.draw_clean", lambda *_, **__: known)
    loud = AudioBatch(latent, torch.zeros(64, 50, 272), batch.text[[0] * 64], batch.null)
    assert float(task.loss(silent, loud, torch.Generator().manual_seed(0))[0]) == pytest.approx(2.0, abs=0.1)


def test_a_preview_writes_pictures_and_figures(task: AudioTask, tmp_path: Path) -> None:
    figures = task.preview(task.model, tmp_path, 7)
    assert {"validation_loss", "onset_f1", "onset_f1_codec"} <= set(figures)
    assert (tmp_path / "audio-000007.png").stat().st_size > 0
    assert figures == task.preview(task.model, tmp_path, 7)
