"""A person in clips, through an engine with toy models: made, extended, and what the settings tell of them."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from mediagen.personalize.arcface import ArcFace
from mediagen.personalize.character import Character
from mediagen.personalize.faces import FaceFinder
from mediagen.personalize.model import PersonalConfig, PersonalModel
from mediagen.personalize.store import Store
from mediagen.sdk import Engine
from mediagen.sdk.errors import RequestError
from mediagen.text.aligned import PRESETS
from mediagen.weights import save_model


@pytest.fixture(scope="module")
def engine(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The toy folder with a model of people, whose numbers at random follow whoever they are told."""
    folder = tmp_path_factory.mktemp("people") / "models"
    shutil.copytree(model_folder, folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        base = json.loads((folder / "video" / "config.json").read_text())
        model = PersonalModel(PersonalConfig.of({**base, "aligned": PRESETS["debug"].to_dict()}))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn(parameter.shape)
        save_model(model, model.config, folder / "personalize", half=False)
        for name, toy in (("faces", FaceFinder), ("face_encoder", ArcFace)):
            made = toy.from_preset("debug")
            save_model(made, made.config, folder / name)
    return Engine.from_pretrained(folder, device="cpu")


def someone(number: int) -> Character:
    rng = torch.Generator().manual_seed(number)
    vector = torch.nn.functional.normalize(torch.randn(512, generator=rng), dim=0)
    crop = torch.randint(0, 256, (112, 112, 3), generator=rng, dtype=torch.uint8)
    return Character("ana", vector, crop, crop[:96, :96].clone(), True)


def test_a_person_is_made_into_a_clip_and_stays_where_it_goes_on(engine: Engine, tmp_path: Path) -> None:
    engine.kept, ana = Store(tmp_path / "kept"), someone(1)
    engine.characters.add(ana)
    ask = {"seconds": 0.5, "seed": 3, "sound": False, "num_inference_steps": 2}
    clip = engine.generate("@ana nods", candidates=2, person_scale=2.0, **ask)
    assert clip.settings["character"] == ana.fingerprint and set(clip.settings["likeness"]) == {"cosine", "faces"}
    assert clip.settings["prompt"] == "@ana nods" and clip.settings["prompt_rewritten"] == "A person nods"
    again = engine.generate("@ana nods", candidates=2, person_scale=2.0, **ask)
    assert torch.equal(clip.frames, again.frames), "of the same seed"
    clip.save(tmp_path / "ana.mp4")

    def more(prompt: str | None) -> tuple[torch.Tensor, dict]:
        film = engine.extend(tmp_path / "ana.mp4", prompt, seconds=0.5, seed=4, sound=False, num_inference_steps=2)
        assert film.frames.shape[0] == 16
        return film.frames[8:], film.settings

    own, settings = more(None)
    named, _ = more("@ana nods")
    assert settings["character"] == ana.fingerprint and settings["person_scale"] == 2.0 and "likeness" in settings
    assert torch.equal(own, named), "the clip's own prompt names her"
    stays, _ = more("A person nods")
    assert torch.equal(stays, own), "the file's settings say who it is, and the model reads the same words"
    engine.characters.remove("ana")
    engine.characters.add(someone(2))  # another one of that name
    other, settings = more("@ana nods")
    assert not torch.equal(other, own) and settings["character"] != ana.fingerprint
    engine.characters.remove("ana")
    gone, settings = more("A person nods")
    assert not torch.equal(gone, own) and "is not kept here" in settings["notes"][-1]
    with pytest.raises(RequestError, match="snood"):
        engine.generate("@ana nods in a snood", character=someone(1), strict=True, **ask)


def test_a_person_goes_through_the_scenes_of_a_story(engine: Engine, tmp_path: Path) -> None:
    engine.kept, ana = Store(tmp_path / "kept"), someone(1)
    engine.characters.add(ana)
    asked = {"seconds": 0.5, "seed": 3, "sound": False, "num_inference_steps": 2}
    told = engine.story("@ana nods | @ana smiles", **asked)
    assert [scene.asked.words for scene in told.scenes] == ["A person nods", "A person smiles"]
    other = engine.story("@ana nods | @ana smiles", character=someone(1), **asked)
    assert torch.equal(told.clip.frames, other.clip.frames)
    named = engine.story([{"prompt": "a person nods", "character": "ana"}, "a ball falls"], **asked)
    plain = engine.story(["a person nods", "a ball falls"], rewrite=False, **asked)
    assert not torch.equal(named.scenes[0].clip.frames, plain.scenes[0].clip.frames)
    with pytest.raises(RequestError, match="@bob"):
        engine.story("a ball falls | @bob nods", **asked)
