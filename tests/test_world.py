"""The procedural world: scenes are data from a seed, pictures follow the physics, splits share nothing."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch

from mediagen.audio.judge.measures import onset_f1
from mediagen.world.draw import COLOUR_RGB, render
from mediagen.world.motion import GROUND, contacts, path
from mediagen.world.scene import (
    COLOURS,
    KINDS,
    MOTIONS,
    PLACES,
    RADIUS,
    SIMPLE_KINDS,
    SUITS,
    UNSEEN,
    draw_scene,
    is_held_out,
)


def test_a_seed_is_a_scene_and_a_scene_is_its_pixels() -> None:
    first, again = draw_scene(7, difficulty="standard"), draw_scene(7, difficulty="standard")
    assert first == again
    assert torch.equal(render([first]), render([again]))
    assert draw_scene(8, difficulty="standard") != first


def test_a_clip_does_not_depend_on_what_it_is_rendered_with() -> None:
    scenes = [draw_scene(i, difficulty="standard") for i in range(8)]
    together = render(scenes)
    for i in (0, 5):
        assert (render(scenes[i : i + 1])[0].int() - together[i].int()).abs().max() <= 1


def test_frames_can_be_drawn_alone() -> None:
    scenes = [draw_scene(3, difficulty="standard")]
    assert torch.equal(render(scenes, frames=[4, 9])[0], render(scenes)[0][[4, 9]])


def test_splits_are_disjoint_and_held_out_triples_stay_out_of_training() -> None:
    splits = ("train", "validation", "test", "held-out")
    drawn = {split: [draw_scene(i, split, "standard") for i in range(300)] for split in splits}
    assert len({repr((s.place, s.shown)) for scenes in drawn.values() for s in scenes}) == 1200

    def held(scene) -> list[bool]:
        return [is_held_out(one.kind, one.colour, scene.place) for one in scene.shown]

    assert not any(any(held(s)) for split in ("train", "validation") for s in drawn[split])
    assert all(held(s)[0] for s in drawn["held-out"])
    triples = [is_held_out(k, c, p) for k in KINDS for c in COLOURS for p in PLACES]
    assert 0.03 < np.mean(triples) < 0.1


def test_simple_is_simple_and_standard_is_everything() -> None:
    simple = [draw_scene(i) for i in range(400)]
    assert {s.things[0].kind for s in simple} == set(SIMPLE_KINDS)
    assert all(len(s.things) == 1 for s in simple)
    assert {(s.weather, s.camera, s.style) for s in simple} == {("clear", "still", "plain")}
    standard = [draw_scene(i, difficulty="standard") for i in range(1500)]
    assert {t.motion for s in standard for t in s.things} == set(MOTIONS)
    assert {s.place for s in standard} == set(PLACES)
    assert any(len(s.things) == 2 for s in standard)
    assert all(t.motion in SUITS[t.kind] and (t.colour, s.place) not in UNSEEN for s in standard for t in s.things)


@pytest.mark.parametrize("size", [(64, 64), (112, 64), (64, 112), (8, 8)])
def test_every_size_is_drawn(size: tuple[int, int]) -> None:
    scenes = [draw_scene(i, difficulty="standard", seconds=0.5, aspect=size[0] / size[1]) for i in range(6)]
    frames = render(scenes, size)
    assert frames.shape == (6, 8, size[1], size[0], 3) and frames.dtype == torch.uint8


def test_a_thing_touches_the_ground_at_its_contacts_and_nowhere_between() -> None:
    found = 0
    for seed in range(200):
        scene = draw_scene(seed)
        thing = scene.things[0]
        floor = GROUND - RADIUS[thing.size]
        for contact in contacts(scene):
            assert path(scene, thing, np.array([contact.time])).y[0] == pytest.approx(floor, abs=1e-6)
            found += 1
        if thing.motion == "bounces":
            times = [c.time for c in contacts(scene)]
            for a, b in pairwise(times):
                assert path(scene, thing, np.array([(a + b) / 2])).y[0] < floor - 0.01
    assert found > 50


def test_impacts_come_at_any_time() -> None:
    times = [[c.time for c in contacts(scene)] for scene in map(draw_scene, range(1500))]
    times = [one for one in times if one]
    assert len(times) > 200
    counts, _ = np.histogram(np.concatenate(times), bins=8, range=(0, 2))
    assert counts.min() > 0.3 * counts.mean()
    # So the impacts of one clip say little of another's: what a sound model could score that does not look is small.
    assert np.mean([onset_f1(a, b) for a, b in pairwise(times)]) < 0.25


def test_the_thing_is_where_its_path_says_and_has_its_colour() -> None:
    checked = 0
    for seed in range(60):
        scene = draw_scene(seed)
        thing = scene.things[0]
        if thing.kind != "ball" or scene.time == "night" or thing.colour in ("white", "black"):
            continue
        frames, state = render([scene])[0], path(scene, thing, np.arange(scene.frames) / scene.fps)
        for f in range(0, scene.frames, 8):
            x, y = int(state.x[f] * 64), int(state.y[f] * 64)
            if 2 < x < 62 and 2 < y < 62:
                rgb = frames[f, y, x].float() / 255
                want = torch.tensor(COLOUR_RGB[thing.colour])
                assert torch.nn.functional.cosine_similarity(rgb, want, dim=0) > 0.95
                checked += 1
    assert checked > 5


def test_pan_moves_near_more_than_far() -> None:
    wanted = ("meadow", "pan right", "clear")
    scenes = (draw_scene(i, difficulty="standard") for i in range(4000))
    base = next(s for s in scenes if (s.place, s.camera, s.weather) == wanted and s.person is None)
    frames = render([dataclasses.replace(base, things=())], (64, 64))[0].float()
    top, bottom = frames[:, :6], frames[:, 36:48]
    change = [(part[-1] - part[0]).abs().mean() for part in (top, bottom)]
    assert change[1] > change[0]


def test_wrong_requests_say_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="expected one of train"):
        draw_scene(0, "trian")
    with pytest.raises(ValueError, match="separate calls"):
        render([draw_scene(0), draw_scene(0, fps=8)])
    with pytest.raises(ValueError, match="at least one"):
        render([])
