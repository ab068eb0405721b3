"""Models that edit in a folder of their own within a model folder: found, used, told, priced and shared from there."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from edit_toy import edit_folder
from test_anew import film
from upsample_toy import upsample_folder

from mediagen.media.clip import Clip
from mediagen.media.read import read_settings
from mediagen.sdk import Engine, ModelError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.models.info import overview
from mediagen.sdk.service.kinds.table import KINDS
from mediagen.sdk.tasks.edit_replay import replay
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.tae import TAE, TAEConfig
from mediagen.upsample import frames_of
from mediagen.weights import save_model


@pytest.fixture(scope="module")
def folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that makes clips, and within it one that edits, at other sizes and with other defaults."""
    outer = shutil.copytree(model_folder, tmp_path_factory.mktemp("outer") / "models")
    inner = edit_folder(model_folder, outer / "edits")
    for name in ("video", "audio"):
        shutil.rmtree(inner / name)
    told = json.loads((inner / "engine.json").read_text())
    told |= {"width": 16, "height": 32, "sizes": [], "edit_steps": 3, "max_edit_seconds": 5.0}
    (inner / "engine.json").write_text(json.dumps(told))
    return outer


def clip() -> Clip:
    rng = torch.Generator().manual_seed(1)
    frames = torch.randint(0, 256, (8, 36, 24, 3), generator=rng, dtype=torch.uint8)
    return Clip(frames, 8.0)


def test_edits_are_made_by_the_folder_within_and_told_of_it(folder: Path) -> None:
    engine = Engine.from_pretrained(folder)
    inner = engine.models.edits
    assert inner.path == folder / "edits" and engine.models.has("edit") and not ModelFolder(inner.path).has("video")
    assert engine.models.get("edit") is inner.get("edit")
    seen = []
    asked = {"task": "weather", "region": (0, 0, 24, 36), "seed": 2}
    made = engine.edit(clip(), "let it snow", callback_on_step_end=lambda *a: seen.append(a[1]), **asked)
    assert len(seen) == 3 and made.settings["num_inference_steps"] == 3
    assert made.settings["model"] == inner.fingerprint != engine.models.fingerprint
    alone = Engine.from_pretrained(inner.path).edit(clip(), "let it snow", **asked)
    assert torch.equal(made.frames, alone.frames)
    assert engine.limits.edit_steps == 3 and engine.limits.max_edit_seconds == 5.0 and engine.limits.width != 16
    engine.models.unload()
    assert not inner.loaded("edit")


def test_a_file_says_with_which_film_its_edit_began_at_their_size(folder: Path, tmp_path: Path) -> None:
    engine = Engine.from_pretrained(folder)
    source = film(tmp_path / "film.webm", (24, 36), codec="libvpx-vp9")
    made = engine.edit(source, "let it snow", task="weather", region=(0, 0, 24, 36), seed=2, end=0.5)
    target = made.save(tmp_path / "made.mkv", lossless=True)
    again, notes = replay(engine, source, read_settings(target))
    assert not notes and torch.equal(again.frames, made.frames)


def test_their_price_is_that_of_the_size_they_are_made_at(folder: Path) -> None:
    engine, kind = Engine.from_pretrained(folder), KINDS["edit"]
    full = kind.check(EditRequest.of({"prompt": "let it snow"}), engine, {"size": (24, 36), "seconds": 1.0})
    limits = kind.limits(engine)
    assert (limits.width, limits.height) == (16, 32) and full.num_inference_steps == 3
    about = {"size": (24, 36), "seconds": 1.0}
    twice = dataclasses.replace(limits, height=64)
    assert kind.price(full, twice, about).units == pytest.approx(2 * kind.price(full, limits, about).units)


def test_what_is_known_of_them_is_shown_and_they_are_shared(folder: Path, tmp_path: Path) -> None:
    assert "edits/edit" in dict(overview(folder))
    shared = Engine.from_pretrained(folder).save_pretrained(tmp_path / "shared")
    again = ModelFolder(shared)
    assert again.edits.fingerprint == ModelFolder(folder).edits.fingerprint
    assert "| edits/edit |" in (shared / "README.md").read_text()


def test_a_folder_that_edits_itself_has_none_within(model_folder: Path, tmp_path: Path) -> None:
    models = ModelFolder(edit_folder(model_folder, tmp_path / "models"))
    assert models.edits is models and models.has("edit_tasks")
    assert not ModelFolder(model_folder).has("edit")


def test_an_edit_model_of_the_folder_s_own_comes_before_the_one_within(folder: Path, tmp_path: Path) -> None:
    both = shutil.copytree(folder, tmp_path / "models")
    shutil.copytree(folder / "edits" / "edit", both / "edit")  # as a training --into it leaves it
    models = ModelFolder(both)
    assert models.edits is models and models.limits.edit_steps != 3
    shared = ModelFolder(Engine.from_pretrained(both).save_pretrained(tmp_path / "shared"))
    assert (shared.path / "edits" / "edit" / "config.json").is_file() and shared.edits is shared


def test_single_frames_have_the_autoencoder_of_the_films_that_are_edited_folded(folder: Path, tmp_path: Path) -> None:
    outer = upsample_folder(folder, tmp_path / "models")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        films = TAE(TAEConfig(latent_channels=4, stem=(1, 2, 2), widths=(8, 8, 8), blend=True, replicate=False)).eval()
        for parameter in films.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    save_model(films, films.config, outer / "edits" / "tae", half=False)
    folded = frames_of(films)
    save_model(folded, folded.config, outer / "upsample_tae")
    (outer / "upsample_tae" / "model.safetensors").unlink()
    found = ModelFolder(outer).get("upsample_tae")
    frame = torch.rand(1, 3, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        latent = found.encode(frame)
        assert torch.equal(latent, folded.encode(frame)) and latent.std() > 0.01
        still = films.encode(frame.expand(-1, -1, 16, -1, -1))
    assert (latent[:, :, 0] - still[:, :, 2]).abs().max() < 0.02 * latent.abs().max()
    shutil.copytree(outer / "edits" / "edit", outer / "edit")
    with torch.no_grad():
        assert torch.equal(ModelFolder(outer).get("upsample_tae").encode(frame), latent)
    shutil.rmtree(outer / "edits")
    with pytest.raises(ModelError, match="upsample_tae"):  # and never another autoencoder in its place
        ModelFolder(outer).get("upsample_tae")
