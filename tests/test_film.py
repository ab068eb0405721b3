"""Films of the world: shots of one place, sound in time over the cuts, and takes of that sound."""

import dataclasses

import numpy as np
import pytest
import torch

from mediagen.audio.judge.measures import onset_f1, onsets
from mediagen.audio.train.mixes import EFFECTS, SHARES, Mix, film_prompt, mixes_of
from mediagen.world.draw import render
from mediagen.world.film import draw_film, draw_turning, film_contacts, film_pictures, film_sound, render_films
from mediagen.world.motion import path
from mediagen.world.people import Person, pose
from mediagen.world.scene import UNSEEN, is_held_out

FILMS = [draw_film(seed) for seed in range(40)]


def test_a_film_is_shots_of_one_place_that_fill_its_time() -> None:
    for film in FILMS:
        assert film.frames == 160 and film.samples == 480_000 and len(film.shots) >= 3
        assert len({(shot.place, shot.time, shot.weather) for shot in film.shots}) == 1
        assert all(1 <= shot.seconds <= 4 for shot in film.shots)
        for thing in (thing for shot in film.shots for thing in shot.things):
            assert (thing.colour, film.shots[0].place) not in UNSEEN
            assert not is_held_out(thing.kind, thing.colour, film.shots[0].place)
            assert not (thing.colour == "black" and film.shots[0].time == "night")
    assert draw_film(7) == FILMS[7] != draw_film(7, "validation")
    assert 0.3 < np.mean([film.mood is not None for film in FILMS]) < 0.7


def test_the_held_out_split_holds_only_what_training_lacks() -> None:
    film = draw_film(3, "held-out")
    assert all(is_held_out(s.things[0].kind, s.things[0].colour, s.place) for s in film.shots)


def test_pictures_are_those_of_the_shots_in_order() -> None:
    films = FILMS[:3]
    whole = render_films(films, (32, 32))
    for film, pictures in zip(films, whole, strict=True):
        assert torch.equal(pictures, torch.cat([render([shot], (32, 32))[0] for shot in film.shots]))
        assert torch.equal(pictures, torch.cat(list(film_pictures(film, (32, 32)))))


def test_impacts_are_heard_where_they_are_seen_and_cuts_are_not() -> None:
    hit = [film for film in FILMS if film_contacts(film)][:12]
    scores = []
    for film in hit:
        times = [contact.time for contact in film_contacts(film)]
        assert times == sorted(times) and times[0] >= 0 and times[-1] < 10
        scores.append(onset_f1(onsets(film_sound(film, music=False)), times))
    assert np.mean(scores) > 0.85


def test_layers_add_up_and_the_place_does_not_stop_at_a_cut() -> None:
    film = next(film for film in FILMS if film.mood is not None)
    on = {"effects": False, "ambience": False, "music": False}
    layers = [film_sound(film, **{**on, name: True}) for name in on]
    torch.testing.assert_close(sum(layers), film_sound(film), atol=1e-5, rtol=0)
    assert torch.equal(film_sound(film), film_sound(film))
    for start in film.starts()[1:]:
        at = round(start * 48_000)
        before, after = (layers[1][0, part].std() for part in (slice(at - 4800, at), slice(at, at + 4800)))
        assert 0.2 < before / after < 5


def test_takes_have_the_layers_that_they_say() -> None:
    film = next(film for film in FILMS if film.mood is not None)
    assert torch.equal(Mix(effects=False).sound(film), film_sound(film, effects=False, ambience=False))
    assert torch.equal(EFFECTS.sound(film), film_sound(film, music=False))
    poor, clean = Mix(quality=2.0).sound(film), Mix().sound(film)
    assert 0.02 < (poor - clean).std() / clean.std() < 2 and poor.abs().max() < clean.abs().max()


def test_a_film_is_heard_in_takes_of_every_layer_and_one_of_them_is_poor() -> None:
    assert sum(SHARES) == pytest.approx(1)
    for film in FILMS:
        *clean, poor = mixes_of(film)
        assert [(mix.effects, mix.music) for mix in clean] == [(True, False), (True, True), (False, True)]
        assert all(mix.quality >= 6.5 for mix in clean) and poor.quality < 6
        assert mixes_of(film) == mixes_of(film) and len(mixes_of(film)) == len(SHARES)


def test_prompts_tell_the_take() -> None:
    silent, seen = 0, 0
    rng = np.random.default_rng(0)
    films = [draw_film(seed, music=1.0) for seed in range(100)]
    assert all(film.mood is not None for film in films)
    for film in films:
        for mix in mixes_of(film):
            prompt = film_prompt(film, mix, rng)
            assert prompt.startswith(f"quality {mix.quality}")
            assert prompt.endswith("no effects") == (not mix.effects)
            if "music: " in prompt:
                assert ("music: no music." in prompt) == (not mix.music)
            silent += prompt.endswith("music: no music.")
            seen += any(thing.colour in prompt.lower() for shot in film.shots for thing in shot.things)
    assert 5 < silent < 40 and 80 < seen < 280


@pytest.mark.parametrize(("start", "seconds"), [(0.0, 2.0), (3.3, 1.0), (8.0, 2.0)])
def test_a_window_is_told_by_its_own_shots(start: float, seconds: float) -> None:
    film = dataclasses.replace(FILMS[0], mood=None)
    rng = np.random.default_rng(1)
    inside = [
        s for s, at in zip(film.shots, film.starts(), strict=True) if at < start + seconds and at + s.seconds > start
    ]
    told = [film_prompt(film, EFFECTS, rng, start, seconds).lower() for _ in range(60)]
    colours = {thing.colour for shot in film.shots for thing in shot.things}
    own = {thing.colour for shot in inside for thing in shot.things}
    assert any(colour in text for text in told for colour in own)
    assert not any(f" {colour} " in text for text in told for colour in colours - own)


def test_a_shot_that_goes_on_moves_without_a_jump_and_its_caption_tells_the_last_motion() -> None:
    times = np.arange(96) / 16
    for seed in range(120):
        scene = draw_turning(seed, seconds=6.0, times=(2.0, 4.0))
        subject = scene.subject
        assert [turn.time for turn in subject.turns] == [2.0, 4.0]
        assert scene.ending.subject.motion == subject.turns[-1].motion and scene.ending.place == scene.place
        if isinstance(subject, Person):
            where = pose(subject, 6.0, 1.0, times)
            assert np.abs(np.diff(where.x)).max() < 0.06 and np.abs(np.diff(where.yaw)).max() < 0.6
        else:
            track = path(scene, subject, times)
            assert np.abs(np.diff(track.x)).max() < 0.16 and np.abs(np.diff(track.y)).max() < 0.25
    assert {turn.motion for seed in range(120) for turn in draw_turning(seed).subject.turns} >= {
        "rests",
        "falls",
        "nods",
    }


def test_before_its_turn_a_shot_is_the_one_without_it() -> None:
    scene = draw_turning(3, times=(1.0,))
    subject = dataclasses.replace(scene.subject, turns=())
    plain = (
        dataclasses.replace(scene, person=subject) if scene.person else dataclasses.replace(scene, things=(subject,))
    )
    shown = render([scene], (64, 64), frames=[0, 5, 10])
    assert scene == draw_turning(3, times=(1.0,)) and scene.subject.turns
    if not scene.subject.motion.startswith(
        ("rolls", "walks", "crosses")
    ):  # which pass the middle in half of their time
        assert (shown.int() - render([plain], (64, 64), frames=[0, 5, 10]).int()).abs().max() <= 1


def test_films_of_the_standard_world_have_people() -> None:
    films = [draw_film(seed, difficulty="standard") for seed in range(30)]
    assert any(shot.person for film in films for shot in film.shots)
    assert film_sound(films[0]).shape == (1, films[0].samples)


def test_who_turns_goes_where_there_is_room() -> None:
    asked = 0
    for seed in range(300):
        scene = draw_turning(seed, times=(1.0,))
        subject, now = scene.subject, np.array([1.0])
        turn = subject.turns[0]
        if turn.motion.endswith((" left", " right")):
            where = pose(subject, 2.0, 1.0, now).x if isinstance(subject, Person) else path(scene, subject, now).x
            assert (turn.motion.endswith("left")) == (where[0] > 0.5), (seed, turn.motion)
            asked += 1
    assert asked > 10
