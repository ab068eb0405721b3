"""Films of another hand are edited as they come: a gif, a turned phone clip of a varying rate."""

from pathlib import Path

import pytest
import torch
from edit_toy import edit_folder
from films import VARIABLE, shoot
from PIL import Image

from mediagen.media.footage import Footage
from mediagen.media.remux.anew import own_pictures
from mediagen.sdk import Engine


@pytest.fixture(scope="module")
def engine(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.from_pretrained(edit_folder(model_folder, tmp_path_factory.mktemp("edit") / "models"))


def test_a_gif(engine: Engine, tmp_path: Path) -> None:
    shades = [Image.new("RGB", (50, 38), (20 * i, 90, 200 - 10 * i)) for i in range(8)]
    shades[0].save(tmp_path / "a.gif", save_all=True, append_images=shades[1:], duration=[60, 120] * 4)
    made = engine.edit(tmp_path / "a.gif", "let it snow", task="weather", region=(0, 0, 20, 20), seed=1)
    source = torch.cat(list(own_pictures(Footage(tmp_path / "a.gif"))))
    assert torch.equal(made.frames[~made.mask], source[~made.mask]) and not torch.equal(made.frames, source)
    again = Footage(made.save(tmp_path / f"out{made.ending}"))
    assert made.ending == ".mp4" and again.size == (50, 38) and abs(again.seconds - made.seconds) < 0.02


def test_a_turned_phone_clip_whose_rate_varies(engine: Engine, tmp_path: Path) -> None:
    path = shoot(tmp_path / "phone.mp4", VARIABLE, sound=2.0, turned=90)
    footage = Footage(path)
    made = engine.edit(path, "make it day", task="time", start=1.0, end=2.0, seed=1, num_inference_steps=2)
    assert footage.fps is None and made.frames.shape[1:3] == (64, 48) == footage.size[::-1]
    source = torch.cat(list(own_pictures(footage)))
    outside = [i for i, mask in enumerate(made.mask) if not mask.any()]
    assert 0 < len(outside) < len(source) and torch.equal(made.frames[outside], source[outside])
    out = Footage(made.save(tmp_path / "out.mp4"))
    was, now = ((one.timeline.times - one.timeline.times[0]) * float(one.timeline.tick) for one in (footage, out))
    assert out.size == footage.size and abs(was - now).max() < 1e-3
