"""The world's sounds: in time with the motion, within range, the same every time, and told apart."""

import dataclasses

import pytest
import torch

from mediagen.nn.spectral import log_mel
from mediagen.world.motion import contacts
from mediagen.world.scene import MOODS, PLACES, WEATHERS, Scene, Thing, draw_scene
from mediagen.world.sounds import SOUND_CLASSES, foreground_class, synthesise


def scene_of(kind: str, motion: str, *, place: str = "room", seed: int = 3, **changes: object) -> Scene:
    thing = Thing(kind, "red", "medium", motion, 0.5, 1.0, 0.4, 1)
    plain = Scene(seed, place, (thing,), "clear", "day", "still", "plain", None, 2.0, 16.0, 1.0)
    return dataclasses.replace(plain, **changes)


@pytest.mark.parametrize(
    ("kind", "motion"), [("ball", "bounces"), ("star", "falls"), ("car", "bounces"), ("cube", "falls")]
)
def test_impacts_start_at_the_contact_and_stand_above_the_place(kind: str, motion: str) -> None:
    for place in PLACES:
        scene = scene_of(kind, motion, place=place)
        first = contacts(scene)[0]
        at = round(first.time * 48_000)
        effects = synthesise(scene, ambience=False, music=False)[0]
        if motion == "bounces":
            assert not effects[:at].any()  # not one sample too early
        assert effects[at : at + 240].abs().max() > 0.2  # within 5 ms
        ambience = synthesise(scene, effects=False)[0]
        for contact in contacts(scene):
            at = round(contact.time * 48_000)
            if at + 1440 < len(effects):
                ratio = effects[at : at + 1440].square().mean() / ambience[at : at + 1440].square().mean()
                assert 10 * ratio.log10() >= 15


def test_length_range_and_determinism() -> None:
    for seed in range(12):
        scene = draw_scene(seed, "train", "standard", seconds=1.1, fps=24.0)
        sound = synthesise(scene)
        assert sound.shape == (1, round(26 / 24 * 48_000)) and sound.dtype == torch.float32
        assert sound.isfinite().all() and 0.001 < sound.abs().max() <= 0.951
        assert torch.equal(sound, synthesise(scene))


def test_layers_add_up_and_none_of_them_is_silence() -> None:
    scene = scene_of("ring", "bounces", weather="rain", mood="happy", place="seaside")
    on = {"effects": False, "ambience": False, "music": False}
    layers = [synthesise(scene, **{**on, name: True}) for name in on]
    assert all(layer.square().mean().sqrt() > 0.003 for layer in layers)
    torch.testing.assert_close(sum(layers), synthesise(scene), atol=1e-5, rtol=0)
    assert not synthesise(scene, **on).any()


def test_places_weathers_and_moods_sound_different() -> None:
    variants = [scene_of("cube", "rests", place=place) for place in PLACES]
    variants += [scene_of("cube", "rests", place="meadow", weather=weather) for weather in WEATHERS[1:]]
    variants += [scene_of("cube", "rests", mood=mood) for mood in MOODS]
    means = torch.stack([log_mel(synthesise(scene)[0]).mean(-1) for scene in variants])
    apart = torch.cdist(means, means, p=1) / means.shape[1] + torch.eye(len(means)) * 9
    assert apart.min() > 0.15  # 1.3 dB on average over the bands


def test_every_source_is_heard_and_has_its_own_class() -> None:
    wanted = {
        ("ball", "bounces"): "impact", ("star", "falls"): "impact", ("ball", "rolls left"): "roll",
        ("car", "crosses"): "engine", ("car", "rests"): "engine", ("cube", "spins"): "whirr",
        ("ring", "orbits"): "whoosh", ("triangle", "floats up"): "rise", ("bird", "crosses"): "wings",
        ("boat", "crosses"): "water", ("rocket", "floats up"): "roar", ("star", "rests"): "ambience",
    }  # fmt: skip
    assert set(wanted.values()) == set(SOUND_CLASSES) - {"steps", "claps", "hum"}  # of people: test_people.py
    for (kind, motion), name in wanted.items():
        scene = scene_of(kind, motion)
        assert foreground_class(scene) == name
        loud = synthesise(scene, ambience=False).abs().max() > 0.05
        assert loud == (name != "ambience")


def test_large_things_sound_lower() -> None:
    def centre(size: str) -> float:
        scene = scene_of("ring", "bounces")
        scene = dataclasses.replace(scene, things=(dataclasses.replace(scene.things[0], size=size),))
        power = torch.fft.rfft(synthesise(scene, ambience=False)[0]).abs().square()
        return float((power * torch.arange(len(power))).sum() / power.sum())

    assert centre("large") < 0.85 * centre("medium") < 0.85 * centre("small")
