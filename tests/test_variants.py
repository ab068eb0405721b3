"""Which built-in models a machine takes: fakes of a few bytes, of the sizes that matter."""

import json
from pathlib import Path

import pytest
import torch

from mediagen.sdk import Engine, ModelError
from mediagen.sdk.models.choice import choose, seconds_per_clip
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.models.info import locate
from mediagen.tae import TAE
from mediagen.video import VideoModel
from mediagen.weights import save_tensors

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def fake(folder: Path, preset: str, size: int, seconds: float, numbers: int) -> Path:
    """A model folder with configs and a video model of so many numbers, none of which can be used."""
    for name, config in (("video", VideoModel.PRESETS[preset]), ("tae", TAE.PRESETS[preset])):
        (folder / name).mkdir(parents=True)
        config.save(folder / name / "config.json")
    limits = {"width": size, "height": size, "seconds": seconds, "max_seconds": seconds}
    (folder / "engine.json").write_text(json.dumps(limits))
    save_tensors({"w": torch.zeros(numbers, dtype=torch.uint8)}, folder / "video" / "model.safetensors")
    return folder


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = fake(tmp_path / "models", "tiny", 64, 2, 9_100_000)
    monkeypatch.setattr("mediagen.sdk.models.info.built_in", lambda: root)
    return root


def test_the_larger_models_are_taken_where_a_clip_takes_less_than_a_minute(models, monkeypatch):
    assert choose(models, GPU) == models
    small = fake(models / "small", "small", 128, 4, 20_000_000)
    assert choose(models, GPU) == small
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert choose(models, CPU) == small
    (models / "small" / "engine.json").write_text(json.dumps({"width": 256, "height": 256, "steps": 100}))
    assert seconds_per_clip(small, 2) > 60
    assert choose(models, CPU) == models and choose(models, GPU) == small
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert choose(models, CPU) == small


def test_the_estimate_is_what_was_measured_and_grows_with_the_tokens(models):
    assert 0.7 < seconds_per_clip(models, 2) < 1.3  # 0.9 s on two cores, model card
    small = fake(models / "small", "small", 128, 4, 9_100_000)
    assert 8 * seconds_per_clip(models, 1) < seconds_per_clip(small, 1)
    (small / "video" / "config.json").unlink()
    with pytest.raises(ModelError, match=r"video/config\.json"):
        seconds_per_clip(small, 1)


def test_only_the_default_is_chosen_by_the_machine_a_name_or_a_path_is_taken_at_its_word(models):
    before = ModelFolder(models).fingerprint
    small = fake(models / "small", "small", 128, 4, 1_000)
    assert Engine.from_pretrained(device="cpu").limits.width == 128
    assert Engine.from_pretrained(models, device="cpu").limits.width == 64
    assert Engine.from_pretrained("tiny", device="cpu").limits.width == 64
    assert Engine.from_pretrained("small", device="cpu").limits.width == 128
    assert (locate("tiny"), locate("small"), locate(None)) == (models, small, models)
    assert ModelFolder(models).fingerprint == before, "another folder inside changed what these models are"
