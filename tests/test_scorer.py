"""The sound scorer: its scores are of pairs, in time, of any length; its words tell what is heard."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mediagen.audio.codec.model import Codec
from mediagen.audio.judge.scorer import PRESETS, SoundScorer, signature
from mediagen.audio.train.scorer import MIXES, SoundScorerTask, SoundScorerTaskConfig, tell, worn
from mediagen.nn.spectral import log_mel
from mediagen.sdk.models.catalog import FAMILIES
from mediagen.sdk.models.info import built_in
from mediagen.text.aligned import PRESETS as ALIGNED
from mediagen.text.aligned import AlignedEncoder
from mediagen.weights import load_model, save_model
from mediagen.world.draw import render
from mediagen.world.film import draw_film
from mediagen.world.motion import contacts
from mediagen.world.scene import draw_scene
from mediagen.world.sounds import synthesise
from mediagen.world.words import music_caption, sound_caption

RATE = 48_000


@pytest.fixture(scope="module")
def small() -> SoundScorer:
    torch.manual_seed(0)
    return SoundScorer(PRESETS["debug"]).eval()


@pytest.fixture(scope="module")
def shipped() -> SoundScorer:
    return load_model(SoundScorer, built_in() / FAMILIES["sound_scorer"].folder)


def noise(batch: int, samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(batch, 1, samples, generator=torch.Generator().manual_seed(0))


def test_any_length_has_scores_and_long_sounds_are_the_mean_of_their_pieces(small: SoundScorer) -> None:
    features = torch.randn(1, 160, 272, generator=torch.Generator().manual_seed(0))
    for samples in (1, 1919, 96_000, 96_001, 480_000):
        sound = noise(2, samples)
        scores = (small.text_score(sound, ["rain"]), small.picture_score(sound, features, 16.0))
        assert all(score.shape == (2,) and score.abs().max() <= 1.001 for score in scores)
        assert 0 <= float(small.music_probability(sound).min()) <= float(small.effects_probability(sound).max()) <= 1
    sound = noise(2, 10 * RATE)  # three pieces, 83, 84 and 83 frames of 1920 samples
    pieces = [sound[..., first * 1920 : last * 1920] for first, last in ((0, 83), (83, 167), (167, 250))]
    torch.testing.assert_close(
        small.music_probability(sound), torch.stack([small.music_probability(piece) for piece in pieces]).amax(0)
    )
    shares = torch.tensor([83, 84, 83]) / 250
    # picture i of 25 fps is frame i; the first and the last picture hold, and a piece sees the pictures around it
    features = torch.randn(2, 250, 272, generator=torch.Generator().manual_seed(1))
    around = torch.arange(-small.reach, 250 + small.reach).clamp(0, 249)
    scores = []
    with torch.no_grad():
        seen = small.look_at(features[:, around])[..., small.reach : -small.reach]
        for piece, (first, last) in zip(pieces, ((0, 83), (83, 167), (167, 250)), strict=True):
            heard = small.heard_when(small.listen(piece))
            scores.append((signature(heard) * signature(seen[..., first:last])).sum(-1))
    torch.testing.assert_close(
        small.picture_score(sound, features, 25.0), (torch.stack(scores) * shares[:, None]).sum(0)
    )


def test_a_signature_has_both_what_and_when() -> None:
    events = torch.randn(3, 4, 20, generator=torch.Generator().manual_seed(0))
    marks = signature(events)
    assert (marks @ marks.T).diagonal().min() > 0.9 and marks.norm(dim=-1).max() <= 1
    late = (marks * signature(events.roll(3, -1))).sum(-1)  # what there is stays, when it is goes
    torch.testing.assert_close(late, torch.full((3,), 0.5), atol=0.15, rtol=0)
    still = signature(torch.ones(1, 4, 20) + 0.01 * events[:1])  # nothing happens, so nothing is late
    assert float((still - signature(torch.ones(1, 4, 20))).norm()) < 0.05


def test_one_prompt_or_one_film_serves_all_candidates(small: SoundScorer) -> None:
    sound, features = noise(3, RATE), torch.randn(1, 16, 272, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(small.text_score(sound, ["rain"]), small.text_score(sound, ["rain"] * 3))
    torch.testing.assert_close(
        small.picture_score(sound, features, 16.0), small.picture_score(sound, features.expand(3, -1, -1), 16.0)
    )
    assert small.embed_sound(sound).norm(dim=-1).allclose(torch.ones(3))


def test_pairs_that_do_not_fit_are_refused(small: SoundScorer) -> None:
    sound = noise(3, RATE)
    with pytest.raises(ValueError, match="got 2 prompts for 3 sounds"):
        small.text_score(sound, ["rain", "wind"])
    with pytest.raises(ValueError, match="expected a list"):
        small.embed_text("rain")
    with pytest.raises(ValueError, match=r"expected \(B, 1, S\)"):
        small.music_probability(torch.zeros(2, RATE))
    with pytest.raises(ValueError, match="aligned encoder"):
        small.picture_score(sound, torch.zeros(3, 16, 5), 16.0)
    with pytest.raises(ValueError, match="got 2 rows of features for 3 sounds"):
        small.picture_score(sound, torch.zeros(2, 16, 272), 16.0)


def test_words_tell_the_layers_that_are_heard() -> None:
    rng = np.random.default_rng(0)
    film = draw_film(3, music=1.0)
    every, music, effects = ([tell(film, mix, rng, 0.0, 4.0).lower() for _ in range(60)] for mix in MIXES)
    colours = [thing.colour for shot in film.shots for thing in shot.things]
    told = [[any(colour in text for colour in colours) for text in texts] for texts in (every, effects, music)]
    assert 10 < sum(told[0]) < 60 and 10 < sum(told[1]) < 60 and not any(told[2])
    beds = {music_caption(replace(film.shots[0], mood=film.mood), rng) for _ in range(99)}
    named = [[any(bed.rstrip(".").lower() in text for bed in beds) for text in texts] for texts in (effects, music)]
    assert not any(named[0]) and all(named[1]), "music is named where it is heard, and only there"
    assert 5 < sum("no music" in text for text in effects) < 40


def test_worn_spectra_are_those_of_a_louder_sound() -> None:
    spectra = log_mel(noise(4, RATE), bands=16)
    one, two = (worn(spectra, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert one.shape == spectra.shape and not torch.equal(one, two)
    shift = (one - spectra).mean((1, 2, 3))
    assert shift.abs().max() < 2.6 and shift.std() > 0.05


def test_the_task_learns_and_its_batches_depend_on_the_step_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = SoundScorerTaskConfig(batch=6, films=8, check=6, size=(32, 32), fps=8.0)
    task = SoundScorerTask(
        SoundScorer(PRESETS["debug"]), Codec.from_preset("debug"), AlignedEncoder(ALIGNED["debug"]), config, tmp_path
    )
    steps = range(8)
    lengths = {task.batch(step, 0, 1).pictures.shape[1] for step in steps}
    assert min(lengths) == 100 and max(lengths) > 110
    for step in steps:
        batch, again = task.batch(step, 0, 1), task.batch(step, 0, 1)
        torch.testing.assert_close(batch.spectra, again.spectra)
        assert batch.spectra.shape[-1] == 4 * (batch.pictures.shape[1] - 50) + 1
        assert len(batch.shifts) == 8 and min(abs(shift) for shift in batch.shifts) >= 4
        assert batch.layers.shape == (6, 2) and batch.timed.dtype == torch.bool
    batch, rng = task.batch(1, 0, 1), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(task.model.parameters(), 3e-3)
    losses, figures = [], {}
    for _ in range(30):
        loss, figures = task.loss(task.model, batch, rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.75 * losses[0] and 0 <= float(figures["in_sync"]) <= 1
    found = task.preview(task.model.eval(), tmp_path, 0)
    assert {"text_found", "sound_found_codec", "in_sync_0.2", "music", "effects_codec"} <= set(found)
    with pytest.raises(ValueError, match="picture_width"):
        SoundScorerTask(SoundScorer(), task.codec, task.aligned, config, tmp_path)


def test_a_scorer_comes_back_from_disk(small: SoundScorer, tmp_path: Path) -> None:
    again = load_model(SoundScorer, save_model(small, small.config, tmp_path, half=False))
    sound = noise(1, RATE)
    torch.testing.assert_close(again.text_score(sound, ["rain"]), small.text_score(sound, ["rain"]))


def test_the_built_in_scorer_is_small() -> None:
    folder = built_in() / FAMILIES["sound_scorer"].folder
    assert (folder / "model.safetensors").stat().st_size < 3e6
    assert sum(p.numel() for p in SoundScorer().parameters()) < 1.5e6


def test_the_built_in_scorer_hears_music_words_and_lateness(shipped: SoundScorer) -> None:
    scenes = [scene for seed in range(400) if len((scene := draw_scene(seed, "test", "simple")).things) == 1]
    moody = [scene for scene in scenes if scene.mood is not None][:12]
    whole, bare, music = (
        torch.stack([synthesise(scene, effects=rest, ambience=rest, music=bed) for scene in moody])
        for rest, bed in ((True, True), (True, False), (False, True))
    )
    assert (shipped.music_probability(music) > 0.5).float().mean() >= 0.9
    assert (shipped.music_probability(whole) > 0.5).float().mean() >= 0.9
    assert (shipped.music_probability(bare) > 0.5).float().mean() <= 0.1
    assert (shipped.effects_probability(whole) > 0.5).float().mean() >= 0.8
    assert (shipped.effects_probability(music) > 0.5).float().mean() <= 0.2
    places = {scene.place: scene for scene in scenes if not contacts(scene)}
    sounds = torch.stack([synthesise(scene, music=False) for scene in places.values()])
    words = [sound_caption(scene, np.random.default_rng(1)) for scene in places.values()]
    found = (shipped.embed_sound(sounds) @ shipped.embed_text(words).T).argmax(1)
    assert (found == torch.arange(len(words))).float().mean() >= 0.5
    aligned = load_model(AlignedEncoder, built_in() / "aligned")
    hits = [scene for scene in scenes if len(contacts(scene)) > 1][:10]
    features = aligned.picture_features(render(hits, (64, 64)))
    sounds = torch.stack([synthesise(scene) for scene in hits])
    late = sounds.roll(round(0.4 * RATE), -1)
    right = shipped.picture_score(sounds, features, 16.0) > shipped.picture_score(late, features, 16.0)
    assert right.float().mean() >= 0.7
