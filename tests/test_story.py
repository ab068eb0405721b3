"""The whole story once, as a user lives it: a prompt, a film with sound, the same film again, and how it goes on."""

from pathlib import Path

import torch

from mediagen.media.read import read_clip
from mediagen.sdk import Engine
from mediagen.sdk.tasks.replay import again


def test_a_prompt_becomes_a_film_that_can_be_made_again_and_gone_on_with(model_folder: Path, tmp_path: Path) -> None:
    engine = Engine.from_pretrained(model_folder, device="cpu")
    clip = engine.generate("a red ball bounces in a meadow", seconds=1.25, seed=7)
    first = clip.save(tmp_path / "first.mp4")

    film = read_clip(first)
    assert clip.frames is not None and film.frames is not None and film.sound is not None
    assert film.frames.shape == clip.frames.shape == (20, 32, 32, 3) and film.fps == 16
    light = [frames.float().mean((1, 2, 3)) for frames in (film.frames, clip.frames)]
    assert (light[0] - light[1]).abs().max() < 8, "the codec keeps the light of each picture, and their order"
    assert film.sound.shape == (1, 60_000) and film.rate == 48_000 and film.sound.std() > 1e-4
    assert film.caption == "a red ball bounces in a meadow" and film.settings == clip.settings

    fresh = Engine.from_pretrained(model_folder, device="cpu")  # another day: nothing but the file and the models
    second = fresh.run(again(first)).save(tmp_path / "second.mp4")
    assert second.read_bytes() == first.read_bytes()

    longer = fresh.extend(first, seconds=0.75, seed=5)
    third = read_clip(longer.save(tmp_path / "longer.mp4"))
    assert longer.frames is not None and third.frames is not None and third.sound is not None
    assert torch.equal(longer.frames[:20], film.frames) and len(third.frames) == 32
    assert third.sound.shape == (1, 96_000) and third.settings["source"] == clip.settings
    assert third.caption == clip.caption, "without a prompt the film's own is used"
