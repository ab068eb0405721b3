"""People of the world: a number is a person, poses do what captions say, and the truth fits the picture."""

import dataclasses

import numpy as np
import pytest
import torch

from mediagen.world import people
from mediagen.world.draw import render, truth
from mediagen.world.motion import PERSON, contacts
from mediagen.world.people import BODY_MOTIONS, HEAD_MOTIONS, draw_identity, pose
from mediagen.world.scene import Scene, draw_scene
from mediagen.world.sounds import foreground_class, synthesise
from mediagen.world.words import tell


def scenes_of(shot: str, count: int, split: str = "train") -> list[Scene]:
    found = (draw_scene(seed, split, "standard") for seed in range(4000))
    return [scene for scene in found if scene.person and scene.person.shot == shot][:count]


def doing(scene: Scene, motion: str) -> Scene:
    assert scene.person
    return dataclasses.replace(scene, person=dataclasses.replace(scene.person, motion=motion))


def plain(scene: Scene) -> Scene:
    return dataclasses.replace(scene, weather="clear", camera="still", style="plain", time="day", things=())


def test_a_number_is_a_person_and_no_split_shares_one() -> None:
    assert draw_identity(5) == draw_identity(5) != draw_identity(6)
    drawn = {draw_identity(number, split) for number in range(300) for split in range(3)}
    assert len(drawn) == 900


def test_people_of_each_kind_are_drawn() -> None:
    crowd = [draw_identity(number) for number in range(600)]
    assert {who.hair_style for who in crowd} == set(people.HAIR_STYLES)
    assert {who.glasses for who in crowd} == set(people.GLASSES)
    assert not any(who.beard != "none" for who in crowd if who.woman or who.age == "child")
    found = [draw_scene(seed, "train", "standard") for seed in range(900)]
    assert 0.3 < np.mean([scene.person is not None for scene in found]) < 0.42
    motions = {scene.person.motion for scene in found if scene.person}
    assert motions == {*HEAD_MOTIONS, *BODY_MOTIONS}


def test_two_strangers_differ_more_than_one_person_in_two_poses() -> None:
    base = plain(scenes_of("portrait", 1)[0])
    assert base.person
    sitter = base.person

    def picture(number: int, phase: float) -> torch.Tensor:
        person = dataclasses.replace(
            sitter, identity=draw_identity(number), phase=phase, motion="looks ahead", hat="none"
        )
        return render([dataclasses.replace(base, person=person)], (64, 64), frames=[0])[0, 0].float()

    same = [(picture(n, 0.1) - picture(n, 0.6)).abs().mean() for n in range(12)]
    other = [(picture(n, 0.1) - picture(n + 50, 0.1)).abs().mean() for n in range(12)]
    assert np.median(other) > 2 * np.median(same)


def test_poses_do_what_the_motion_says() -> None:
    times = np.arange(32) / 16
    portrait, figure = plain(scenes_of("portrait", 1)[0]), plain(scenes_of("figure", 1)[0])

    def moved(scene: Scene, motion: str) -> people.Pose:
        person = doing(scene, motion).person
        assert person
        return pose(person, 2.0, 1.0, times)

    assert np.ptp(moved(portrait, "nods").pitch) > 0.5 > np.ptp(moved(portrait, "nods").yaw)
    assert np.ptp(moved(portrait, "shakes the head").yaw) > 0.5 > np.ptp(moved(portrait, "shakes the head").pitch)
    smile = moved(portrait, "smiles").smile
    assert smile[-1] > smile[0] + 0.5 and moved(portrait, "opens the mouth").mouth.max() > 0.8
    left, right = moved(figure, "walks left").x, moved(figure, "walks right").x
    assert left[-1] < left[0] - 0.3 and right[-1] > right[0] + 0.3
    assert np.ptp(moved(figure, "jumps").y) > 0.1 > np.ptp(moved(figure, "stands").y)


def test_masks_and_landmarks_lie_where_the_person_is_drawn() -> None:
    for scene in scenes_of("portrait", 8) + scenes_of("figure", 8):
        assert scene.person
        nobody = dataclasses.replace(scene, person=None, weather="clear")
        there = dataclasses.replace(scene, weather="clear")
        found = truth(there, (96, 96), [3, 20])
        changed = (
            render([there], (96, 96), frames=[3, 20])[0].int() - render([nobody], (96, 96), frames=[3, 20])[0].int()
        )
        changed = changed.abs().amax(-1) > 24
        mask = found.masks["person"]
        assert mask.any(-1).any(-1).all()
        assert not (changed & ~mask)[:, :60].any(-1).any(-1).any() or (changed & ~mask)[:, :60].float().mean() < 0.01
        assert found.face is not None
        box, points = found.face.box, found.face.points
        middle = points.mean(1)
        assert ((box[:, :2] < middle) & (middle < box[:, 2:])).all()
        if scene.camera == "still":
            rows, columns = (middle[:, 1] * 96).astype(int), (middle[:, 0] * 96).astype(int)
            assert all(mask[f, r, c] for f, (r, c) in enumerate(zip(rows, columns, strict=True)))


def test_a_thing_in_front_hides_what_is_behind_it() -> None:
    found = (draw_scene(seed, "train", "standard") for seed in range(3000))
    scene = next(scene for scene in found if scene.person and scene.things)
    thing = dataclasses.replace(
        scene.things[0], x=scene.person.x if scene.person else 0.5, motion="rests", size="large"
    )
    masks = truth(dataclasses.replace(scene, things=(thing,)), (96, 96), [10]).masks
    assert list(masks) == ["person", "thing0"] and not (masks["person"] & masks["thing0"]).any()


@pytest.mark.parametrize(("motion", "name"), [("walks left", "steps"), ("jumps", "steps"), ("claps", "claps")])
def test_what_people_do_is_heard_at_its_moment(motion: str, name: str) -> None:
    scene = doing(plain(scenes_of("figure", 1)[0]), motion)
    hits = [hit for hit in contacts(scene) if hit.thing == PERSON]
    sound = synthesise(scene, ambience=False, music=False)[0]
    assert foreground_class(scene) == name and len(hits) >= 2
    for hit in hits:
        at = round(hit.time * 48_000)
        if at > 500:
            assert sound[at : at + 2400].abs().max() > 0.05
            assert sound[max(0, at - 480) : at].abs().max() < 0.5 * sound[at : at + 2400].abs().max()


def test_humming_is_a_voice_and_looking_is_silent() -> None:
    base = plain(scenes_of("portrait", 1)[0])
    assert synthesise(doing(base, "hums"), ambience=False, music=False).abs().max() > 0.1
    assert synthesise(doing(base, "looks ahead"), ambience=False, music=False).abs().max() == 0


def test_captions_tell_looks_or_leave_them_all_open() -> None:
    told = 0
    for scene in scenes_of("portrait", 120):
        assert scene.person
        text, said = tell(scene, np.random.default_rng(scene.seed))
        text, who = text.lower(), scene.person.identity
        assert ("looks" in said) == any(word in text for word in (" with ",)) or "with" in text
        if "looks" in said:
            told += 1
            assert ("glasses" in text) == (who.glasses != "none")
            assert any(word in text for word in ("beard", "goatee")) == (who.beard != "none")
        assert any(word in text for word in ("woman", "lady", "girl", "man", "guy", "boy"))
    assert told > 80
