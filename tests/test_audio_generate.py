"""Making sound and learning to: exact lengths, known sound kept, seeds, time, and a loss that falls."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.conditions import at_sound_rate
from mediagen.audio.extend import Extension, Pictures
from mediagen.audio.generate import (
    SoundModels,
    SoundWay,
    Words,
    extend_sound,
    fill_sound,
    generate_sound,
    see_pictures,
)
from mediagen.audio.model import AudioModel
from mediagen.audio.sampler import generate_latents
from mediagen.audio.train.audio import AudioBatch, AudioTask, AudioTaskConfig, SoundEncoders
from mediagen.audio.train.mixes import mixes_of
from mediagen.tae import TAE, TAEConfig
from mediagen.text.aligned import PRESETS as ALIGNED
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import Text, TextEncoder
from mediagen.weights import load_model, save_model
from mediagen.world.draw import render
from mediagen.world.scene import draw_scene


@pytest.fixture(scope="module")
def models() -> SoundModels:
    torch.manual_seed(0)
    text, aligned = TextEncoder.from_preset("debug"), AlignedEncoder(ALIGNED["debug"])
    codec, audio = Codec.from_preset("debug"), AudioModel.from_preset("debug")
    torch.nn.init.normal_(audio.write.weight, std=0.2)
    return SoundModels(text.eval(), aligned.eval(), codec.eval(), audio.eval())


BALL = Words(effects="a ball")


def way(steps: int) -> SoundWay:
    return SoundWay(plan=Extension(window=8.0), steps=steps)


@pytest.fixture(scope="module")
def pictures(models: SoundModels) -> Pictures:
    return see_pictures(models.aligned, render([draw_scene(3)])[0], 16)


@pytest.mark.parametrize("samples", [96_000, 95_999, 1, 1920, 1921])
def test_lengths_are_exact(models: SoundModels, pictures: Pictures, samples: int) -> None:
    sound = generate_sound(models, pictures, BALL, samples=samples, seed=0, way=way(1))
    assert sound.shape == (1, samples) and sound.dtype == torch.float32
    assert sound.abs().max() <= 1


def test_a_seed_is_a_sound(models: SoundModels, pictures: Pictures) -> None:
    def make(seed: int, prompt: str = "a ball", seen: Pictures | None = pictures) -> Tensor:
        return generate_sound(models, seen, Words(effects=prompt), samples=30_000, seed=seed, way=way(2))

    state = torch.get_rng_state()
    first = make(4)
    assert torch.equal(first, make(4))
    assert torch.equal(state, torch.get_rng_state()), "the global random state is nobody's"
    assert not torch.equal(first, make(5))
    assert not torch.equal(first, make(4, prompt="a rocket roars"))
    assert not torch.equal(first, make(4, seen=None))


def test_known_sound_is_kept_and_gone_on_from(models: SoundModels, pictures: Pictures) -> None:
    known = torch.sin(torch.arange(20_000) * 0.05)[None] * 0.5
    sound = extend_sound(models, pictures, BALL, known, samples=48_000, seed=0, way=way(2))
    assert sound.shape == (1, 48_000) and torch.equal(sound[:, :20_000], known)
    loud = extend_sound(models, pictures, BALL, known * 1.9, samples=48_000, seed=0, way=way(2))
    assert not torch.equal(loud[:, 30_000:], sound[:, 30_000:]), "what follows depends on what was"


@pytest.mark.parametrize("gap", [(20_000, 45_000), (0, 9_000), (1_000_000, 1_048_000)])
def test_a_gap_is_filled_and_all_else_is_kept(models: SoundModels, gap: tuple[int, int]) -> None:
    samples = max(gap) + 96_000
    known = torch.sin(torch.arange(samples) * 0.05)[None] * 0.5
    hole = known.clone()
    hole[:, slice(*gap)] = 0.9
    sound, same = (fill_sound(models, None, BALL, given, gap, seed=0, way=way(1)) for given in (known, hole))
    first, last = gap
    assert torch.equal(sound[:, :first], known[:, :first]) and torch.equal(sound[:, last:], known[:, last:])
    assert torch.equal(sound, same), "what was there is not looked at"
    assert sound[:, first:last].abs().max() < 0.9 and sound[:, first:last].std() > 0
    for joint in (j for j in gap if 0 < j < samples):  # no step larger than those of the sound beside it
        assert sound[0, joint - 4 : joint + 4].diff().abs().max() < 0.05


@pytest.mark.parametrize(
    ("known", "gap"),
    [
        (torch.zeros(9600), (9600, 19_200)),
        (torch.zeros(1, 100), (100, 9600)),
        (torch.zeros(1, 48_000), (9_000, 8_000)),
        (torch.zeros(1, 48_000), (9_000, 49_000)),
        (torch.zeros(1, 30_000), (31_000, 40_000)),
        (torch.zeros(1, 30_000), (-5, 20_000)),
    ],
)
def test_known_sound_must_fit(models: SoundModels, known: Tensor, gap: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="known sound"):
        fill_sound(models, None, BALL, known, gap, seed=0, way=way(1))


def test_each_channel_is_filled_from_its_own_sound_and_goes_on_alike(models: SoundModels) -> None:
    left, right = (torch.sin(torch.arange(60_000) * pace)[None] * 0.5 for pace in (0.05, 0.3))
    both, gap, told = torch.cat((left, right)), (20_000, 40_000), list[int]()
    note = lambda index, t, x: told.append(index)  # noqa: E731
    filled = fill_sound(models, None, BALL, both, gap, seed=0, way=way(2), on_step=note)
    alone = [fill_sound(models, None, BALL, one, gap, seed=0, way=way(2)) for one in (left, right)]
    assert torch.equal(filled, torch.cat(alone)) and told == [0, 1, 2, 3]
    longer = extend_sound(models, None, BALL, both, samples=90_000, seed=0, way=way(1))
    assert torch.equal(longer[:, :60_000], both) and torch.equal(longer[0, 60_000:], longer[1, 60_000:])
    assert torch.equal(extend_sound(models, None, BALL, both, samples=50_000, seed=0), both[:, :50_000])


def test_candidates_are_held_against_the_pictures_of_their_own_time(models: SoundModels) -> None:
    shown: list[Tensor] = []

    class Scorer(torch.nn.Module):
        """Notes what it is shown; every sound is as good."""

        def text_score(self, sounds: Tensor, words: list[str]) -> Tensor:
            return torch.zeros(len(sounds))

        def picture_score(self, sounds: Tensor, pictures: Tensor, rate: float) -> Tensor:
            shown.append(pictures)
            return torch.zeros(len(sounds))

    judged, features = (
        replace(models, scorer=Scorer()),
        torch.arange(30.0)[None, :, None].expand(1, 30, models.audio.config.picture_width),
    )
    films, plan = Pictures(features, 1.0), Extension(window=4.0, context=1.0, hop=3.0)
    how = SoundWay(plan=plan, steps=1, candidates=2)
    known = 0.1 * torch.randn(1, 20 * 48_000, generator=torch.Generator().manual_seed(0))
    extend_sound(judged, films, BALL, known, samples=22 * 48_000, seed=0, way=how)
    last = shown[-1][0, :, 0]
    torch.testing.assert_close(last[[0, -1]], films.window(18 * 25, 100)[0, [0, -1], 0])


def test_guidance_leads_away_from_the_null(models: SoundModels) -> None:
    text, null = models.text.encode(["a red ball"]), models.text.encode([""])

    def make(prompt: Text, guidance: float) -> Tensor:
        rng = torch.Generator().manual_seed(0)
        return generate_latents(models.audio, prompt, null, 10, rng=rng, steps=1, guidance=guidance)

    torch.testing.assert_close(make(null, 5.0), make(null, 1.0), rtol=1e-5, atol=1e-5)
    plain, none = make(text, 1.0), make(null, 1.0)
    assert (make(text, 4.0) - none).norm() > 2 * (plain - none).norm()


def test_a_callback_can_cancel(models: SoundModels) -> None:
    seen: list[int] = []

    def stop(index: int, t: float, x: Tensor) -> None:
        seen.append(index)
        if index == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        generate_sound(models, None, BALL, samples=9600, seed=0, way=way(5), on_step=stop)
    assert seen == [0, 1]


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


def test_the_model_survives_the_disk(models: SoundModels, tmp_path: Path) -> None:
    save_model(models.audio, models.audio.config, tmp_path, half=False)
    again = load_model(AudioModel, tmp_path)
    for mine, theirs in zip(models.audio.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_weights_of_bfloat16_make_the_same_sound_and_the_solver_adds_up_in_float32(models: SoundModels) -> None:
    def make(audio: AudioModel) -> Tensor:
        text, kept = models.text.encode(["a ball", ""]), torch.arange(40) < 10
        rng, known = torch.Generator().manual_seed(1), torch.ones(1, 8, 40)
        seen: list[torch.dtype] = []
        made = generate_latents(
            audio, text[:1], text[1:], 40, rng=rng, known=known, clean=kept[None], pictures=torch.ones(1, 40, 272),
            steps=2, on_step=lambda i, t, x: seen.append(x.dtype),
        )  # fmt: skip
        assert set(seen) == {torch.float32} and (made[..., :10] == 1).all()
        return made

    exact, half = make(models.audio), make(copy.deepcopy(models.audio).bfloat16())
    assert (half - exact).square().mean() < 0.02 * exact.square().mean()
