"""The captions: they say what is in the scene, always the same from one seed, and never something else."""

import dataclasses

import numpy as np
import pytest

from mediagen.world.scene import KINDS, MOODS, Scene, draw_scene
from mediagen.world.vocabulary import CAMERA_WORDS, COLOUR_WORDS, KIND_WORDS, PLACE_WORDS
from mediagen.world.words import caption, music_caption, sound_caption, tell


def some(count: int, difficulty: str) -> list[tuple[Scene, str]]:
    scenes = [draw_scene(seed, "train", difficulty) for seed in range(count)]
    return [(scene, caption(scene, np.random.default_rng(seed))) for seed, scene in enumerate(scenes)]


def has(text: str, words: tuple[str, ...]) -> bool:
    return any(word.lower() in text.lower() for word in words)


@pytest.mark.parametrize("difficulty", ["simple", "standard", "standard"])
def test_every_caption_names_colour_kind_and_place(difficulty: str) -> None:
    for scene, text in some(600, difficulty):
        assert has(text, tuple(word.split("|")[1].strip() for word in PLACE_WORDS[scene.place])), (scene.place, text)
        for thing in scene.things:
            assert has(text, COLOUR_WORDS[thing.colour]) and has(text, KIND_WORDS[thing.kind]), (thing, text)


def test_a_caption_names_no_second_kind_that_is_not_there() -> None:
    for scene, text in some(600, "standard"):
        words = set(text.lower().replace(",", " ").replace(".", " ").replace(":", " ").split())
        there = {word for thing in scene.things for words in KIND_WORDS[thing.kind] for word in words.split()}
        assert not (words & set(KINDS)) - there, text


def test_captions_are_drawn_from_the_generator_alone() -> None:
    assert some(50, "standard") == some(50, "standard")
    scene = draw_scene(1)
    assert len({caption(scene, np.random.default_rng(seed)) for seed in range(200)}) > 120


def test_short_prompts_as_people_type_them_are_among_the_captions() -> None:
    scene = draw_scene(0)
    thing = dataclasses.replace(scene.things[0], kind="ball", colour="red", motion="bounces")
    scene = dataclasses.replace(scene, place="meadow", things=(thing,), time="day")
    found = {caption(scene, np.random.default_rng(seed)) for seed in range(6000)}
    assert "red ball, meadow, bouncing" in found
    assert {"a red ball bounces in a meadow", "A red ball bounces in a meadow."} <= found
    assert "a red ball bounces in a green meadow" in {text.lower().rstrip(".") for text in found}
    assert any(text.isupper() for text in found)


def test_camera_motion_comes_first() -> None:
    for scene, text in some(400, "standard"):
        if scene.camera != "still":
            starts = (*CAMERA_WORDS[scene.camera], f"The camera {scene.camera.replace('zoom', 'zooms')}")
            assert text.lower().startswith(tuple(word.lower() for word in starts)), text


def test_sunshine_is_never_said_of_the_night_nor_of_rain() -> None:
    for scene, text in some(1500, "standard"):
        if has(text, ("sunny", "sunshine")):
            assert scene.time == "day" and scene.weather == "clear", text


def test_what_is_told_is_what_is_said() -> None:
    for seed in range(300):
        scene = draw_scene(seed, "train", "standard")
        text, said = tell(scene, np.random.default_rng(seed))
        assert ("colour1" in said) == (len(scene.shown) == 2)
        if "time" in said and scene.time == "night":
            assert has(text, ("night",)), text
        if "facing0" in said:
            assert has(text, ("left", "right")), text
        moved = text.lower().replace("at the camera", "")  # where people look
        assert ("camera" in said) == has(moved, ("pan", "zoom", "camera", "static shot")), text


def test_motion_is_nearly_always_named() -> None:
    told = [tell(draw_scene(seed), np.random.default_rng(seed))[1] for seed in range(600)]
    assert 0.90 < np.mean(["motion0" in said for said in told]) < 0.99


def test_music_is_described_where_there_is_music_and_sound_always() -> None:
    for seed in range(300):
        scene, rng = draw_scene(seed, "train", "standard"), np.random.default_rng(seed)
        assert sound_caption(scene, rng)
        assert bool(music_caption(scene, rng)) == (scene.mood is not None)
    moods = [dataclasses.replace(draw_scene(0), mood=mood) for mood in MOODS]
    assert len({music_caption(scene, np.random.default_rng(0)) for scene in moods}) == len(MOODS)
