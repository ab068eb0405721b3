"""Characters: made with consent from pictures of one face, kept, named in prompts, and forgotten without a trace."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from mediagen.errors import ModelError, RequestError
from mediagen.media.clip import Clip, Film
from mediagen.personalize.arcface import ArcFace
from mediagen.personalize.character import Character, SeveralFaces, likeness_of, make_character, masked
from mediagen.personalize.faces import Face
from mediagen.personalize.portraits import portrait_scene, takes
from mediagen.personalize.store import Store, mentioned, spoken
from mediagen.sdk.cli.app import app
from mediagen.sdk.engine import Engine
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks import person_clips
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.edited import EditedClip
from mediagen.sdk.tasks.people import meant, shown
from mediagen.sdk.tasks.requests import ExtendRequest

torch.set_num_threads(1)
SIZE = 128


class Told:
    """A finder that was told the faces."""

    def __init__(self, *faces: Face) -> None:
        self.faces = list(faces)

    def find(self, frames: Tensor) -> list[list[Face]]:
        return [self.faces for _ in frames]


@pytest.fixture(scope="module")
def encoder() -> ArcFace:
    torch.manual_seed(0)
    return ArcFace.from_preset("debug").eval()


@pytest.fixture(scope="module")
def portrait() -> tuple[Tensor, Face]:
    take = takes([portrait_scene(1, 0, "test")], SIZE, [4])[0]
    left, top, right, bottom = (take.face.box[0] * SIZE).tolist()
    return take.pictures[0], Face((left, top, right, bottom), take.face.points[0] * SIZE)


@pytest.fixture
def ana(encoder: ArcFace, portrait: tuple[Tensor, Face]) -> Character:
    return make_character(Told(portrait[1]), encoder, [portrait[0]], "ana", consent=True)


def face_at(left: float, size: float, turned: float = 0.0) -> Face:
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5 + 0.4 * turned, 0.6], [0.35, 0.75], [0.65, 0.75]]) * size
    return Face((left, 10.0, left + size, 10.0 + size), points + np.array([left, 10.0]))


def test_without_consent_there_is_one_sentence_and_no_file(encoder: ArcFace, portrait: tuple[Tensor, Face]) -> None:
    for said in (False, "yes", 1, None):  # it must be True, not what passes for it
        with pytest.raises(RequestError, match=r"^consent: got none"):
            make_character(Told(portrait[1]), encoder, [portrait[0]], "ana", consent=said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("faces", "sentence"),
    [
        ([], "without a face"),
        ([face_at(5, 39)], "a face 39 pixels high, expected at least 40"),
        ([face_at(5, 60, 0.6)], "a face from the side"),
    ],
)
def test_wrong_pictures_are_refused_in_one_sentence(encoder: ArcFace, faces: list[Face], sentence: str) -> None:
    picture = torch.zeros(SIZE, SIZE, 3, dtype=torch.uint8)
    with pytest.raises(RequestError, match=sentence) as refused:
        make_character(Told(*faces), encoder, [picture], "ana", consent=True)
    assert str(refused.value).count(".") == 1 or "expected" in str(refused.value)


def test_of_several_faces_a_number_chooses_and_a_picture_shows_them(encoder: ArcFace) -> None:
    picture = torch.zeros(SIZE, SIZE, 3, dtype=torch.uint8)
    picture[:, SIZE // 2 :] = 200
    two = Told(face_at(5, 50), face_at(70, 50))
    with pytest.raises(SeveralFaces, match="2 faces, expected one") as several:
        make_character(two, encoder, [picture], "ana", consent=True)
    drawn = np.asarray(several.value.numbered)
    assert drawn.shape == (SIZE, SIZE, 3) and (drawn != picture.numpy()).any()
    second = make_character(two, encoder, [picture], "ana", consent=True, face=2)
    first = make_character(two, encoder, [picture], "ana", consent=True, face=1)
    assert second.crop[56, 56, 0] == 200 and first.crop[56, 56, 0] < 200
    with pytest.raises(RequestError, match="face: got 3, expected 1 to 2"):
        make_character(two, encoder, [picture], "ana", consent=True, face=3)


def test_a_character_holds_the_face_alone_and_comes_back_as_it_was(ana: Character, tmp_path: Path) -> None:
    again = Character.load(ana.save(tmp_path / "ana"))
    assert torch.equal(again.crop, ana.crop) and torch.equal(again.vector, ana.vector)
    assert (again.fingerprint, again.name, again.consent, again.made) == (ana.fingerprint, "ana", True, ana.made)
    assert {path.suffix for path in (tmp_path / "ana").iterdir()} == {".safetensors", ".json"}
    assert ana.crop[0, 0].tolist() == [128] * 3 and torch.equal(masked(ana.crop), ana.crop)
    assert again.thumbnail.size == (96, 96) and abs(float(ana.vector.norm()) - 1) < 1e-5
    (tmp_path / "ana" / "character.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match="damaged character"):
        Character.load(tmp_path / "ana")


def test_pictures_of_two_people_are_refused(portrait: tuple[Tensor, Face]) -> None:
    class Strangers:
        def embed(self, faces: Tensor) -> Tensor:
            return torch.eye(512)[: len(faces)]

    with pytest.raises(RequestError, match="several people"):
        make_character(Told(portrait[1]), Strangers(), [portrait[0]] * 2, "ana", consent=True)


def test_removing_leaves_no_byte_of_the_face(ana: Character, tmp_path: Path) -> None:
    store = Store(tmp_path / "characters")
    store.add(ana)
    kept = store.folder / "ana" / "character.safetensors"
    link = tmp_path / "disk"
    os.link(kept, link)  # what stays of the file on the disk after its name is gone
    secret = ana.crop.numpy().tobytes()[5000:5064], ana.vector.numpy().tobytes()[:64]
    assert all(part in link.read_bytes() for part in secret)
    leftover = store.folder / ".ana.tmp"
    leftover.mkdir()
    (leftover / "character.safetensors").write_bytes(secret[0])
    store.remove("@Ana")
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(part in content for part in secret for content in left)
    assert store.names() == [] and list(store.folder.iterdir()) == []
    with pytest.raises(RequestError, match="unknown character '@ana'"):
        store.remove("ana")


def test_names_are_checked_and_not_taken_twice(ana: Character, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(ana)
    with pytest.raises(RequestError, match="is taken"):
        store.add(ana)
    for wrong in ("", "../x", "1st", "a" * 33, "a b", "ä"):
        with pytest.raises(RequestError, match=r"^name: got"):
            store.add(Character(wrong, ana.vector, ana.crop, ana.bust, True))
    assert store.names() == ["ana"]


def test_a_prompt_names_people_and_the_model_reads_a_person() -> None:
    assert mentioned("@Ana meets @bob and @ana; mail me@home.org @ noon") == ["ana", "bob"]
    assert spoken("@ana nods in a snowy forest") == "A person nods in a snowy forest"
    assert spoken("in a forest @ana nods") == "in a forest a person nods"


def test_who_is_meant(ana: Character, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(ana)
    found = meant("@ana nods", None, store)
    assert found is not None and found.fingerprint == ana.fingerprint
    assert meant("a ball", None, store) is None and meant("a ball", ana, store) is ana
    with pytest.raises(RequestError, match=r"unknown character '@bob'; use one of @ana"):
        meant("@bob nods", None, store)
    bob = Character("bob", ana.vector, ana.crop, ana.bust, True)
    with pytest.raises(RequestError, match="2 people, expected one"):
        meant("@ana nods", bob, store)


def test_pictures_come_in_every_form(portrait: tuple[Tensor, Face], tmp_path: Path) -> None:
    Image.fromarray(portrait[0].numpy()).save(path := tmp_path / "ana.png")
    with Image.open(path) as image:
        for source in (path, str(path), image, portrait[0], portrait[0].numpy()):
            assert torch.equal(shown(source)[0], portrait[0])
    film = Clip(portrait[0].expand(40, -1, -1, -1).clone(), fps=16.0)
    assert len(shown(film)) == 3  # one a second
    with pytest.raises(RequestError):
        shown(tmp_path / "none.png")


def test_the_likeness_of_a_clip_is_its_faces_cosine(
    ana: Character, encoder: ArcFace, portrait: tuple[Tensor, Face]
) -> None:
    same = likeness_of(Told(portrait[1]), encoder, portrait[0][None], ana)
    assert same == {"cosine": 1.0, "faces": 1.0}
    assert likeness_of(Told(), encoder, portrait[0][None], ana) == {"cosine": 0.0, "faces": 0.0}


def test_the_built_in_models_say_that_they_know_no_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No face model is built in yet: nothing may pretend that there is one."""
    monkeypatch.setenv("MEDIAGEN_CHARACTERS", str(tmp_path / "kept"))
    engine = Engine.from_pretrained("tiny")
    if engine.models.has("faces"):
        pytest.skip("this folder has face models")
    picture = torch.zeros(SIZE, SIZE, 3, dtype=torch.uint8)
    with pytest.raises(RequestError, match=r"^consent"):
        engine.create_character(picture, name="ana")
    with pytest.raises(ModelError, match="without faces, face_encoder"):
        engine.create_character(picture, name="ana", consent=True)
    assert not (tmp_path / "kept").exists()


def test_the_command_line_lists_shows_and_removes(
    ana: Character, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAGEN_CHARACTERS", str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    Store(tmp_path / "kept").add(ana)
    listed = runner.invoke(app, ["character", "list"])
    assert "@ana" in listed.stdout and ana.fingerprint in listed.stdout
    assert runner.invoke(app, ["character", "show", "ana"]).exit_code == 0
    with Image.open(tmp_path / "ana.png") as image:
        assert image.size == (96, 96)
    bob = runner.invoke(app, ["character", "remove", "bob"])
    assert bob.exit_code == 2 and "@ana" in bob.stderr
    assert runner.invoke(app, ["character", "remove", "@ana"]).exit_code == 0
    assert "Nobody is kept" in runner.invoke(app, ["character", "list"]).stderr
    Image.fromarray(ana.bust.numpy()).save("ana.jpg")
    refused = runner.invoke(app, ["character", "add", "ana", "--image", "ana.jpg"])
    assert refused.exit_code == 2 and "--consent" in refused.stderr and not Store(tmp_path / "kept").names()


class Shown:
    """A model folder with toy models of people, whose work is only noted."""

    def __init__(self, encoder: ArcFace, face: Face, *lacking: str) -> None:
        self.models, self.lacking, self.limits = {"faces": Told(face), "face_encoder": encoder}, lacking, Limits()

    def has(self, name: str) -> bool:
        return name not in self.lacking

    def get(self, name: str) -> object:
        return self.models[name]


def test_whoever_is_in_a_clip_stays_in_what_goes_on_from_it(
    ana: Character, encoder: ArcFace, portrait: tuple[Tensor, Face], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Character | None] = []

    def longer(
        models: Any, start: Clip, request: ExtendRequest, on_step: Any, on_progress: Any, make: Any = None
    ) -> Film:
        made.append(make and make.keywords["character"])
        assert start.frames is not None
        frames = torch.cat((start.frames, portrait[0][None].repeat(4, 1, 1, 1)))
        return Film(frames, 16.0, settings={"source": start.settings})

    monkeypatch.setattr(person_clips.results, "longer", longer)
    store, models = Store(tmp_path), Shown(encoder, portrait[1])
    store.add(ana)
    settings = {"character": ana.fingerprint, "person_scale": 2.0}
    clip = Clip(torch.zeros(4, SIZE, SIZE, 3, dtype=torch.uint8), 16.0, settings=settings)

    def extend(clip: Clip, prompt: str, models: Any = models) -> Film:
        return person_clips.longer(models, clip, ExtendRequest.of({"prompt": prompt}), store, None, None)

    for prompt in ("she smiles", "@ana smiles"):
        film = extend(clip, prompt)
        assert made[-1] is not None and made[-1].fingerprint == ana.fingerprint
        assert film.settings["character"] == ana.fingerprint and film.settings["person_scale"] == 2.0
        assert film.settings["likeness"] == {"cosine": pytest.approx(1.0, abs=1e-3), "faces": 1.0}, "of what is new"
    assert extend(film, "she nods").settings["likeness"]["faces"] == 1.0, "and of that again"
    plain = Clip(clip.frames, 16.0)
    assert "character" not in extend(plain, "a ball rolls").settings and made[-1] is None
    extend(plain, "@ana comes in")
    assert made[-1] is not None
    lacking = extend(clip, "she smiles", Shown(encoder, portrait[1], "personalize"))
    assert made[-1] is None and "lacks" in lacking.settings["notes"][-1]
    store.remove("ana")
    assert "not kept here" in extend(clip, "she smiles").settings["notes"][-1] and made[-1] is None
    with pytest.raises(RequestError, match="unknown character '@ana'"):
        extend(clip, "@ana smiles")


def test_an_edit_keeps_who_is_in_the_film_and_brings_nobody_in(
    ana: Character, encoder: ArcFace, portrait: tuple[Tensor, Face], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def edited(models: Any, video: Clip, request: EditRequest, on_step: Any, on_progress: Any) -> EditedClip:
        asked.append(request.prompt)
        return EditedClip(portrait[0][None], 16.0, settings={"source": video.settings})

    monkeypatch.setattr(person_clips.results, "edited", edited)
    store = Store(tmp_path)
    store.add(ana)
    models: Any = Shown(encoder, portrait[1])
    clip = Clip(portrait[0][None], 16.0, settings={"source": {"character": ana.fingerprint}})

    def edit(clip: Clip, prompt: str) -> dict[str, Any]:
        return person_clips.edited(models, clip, EditRequest.of({"prompt": prompt}), store, None, None).settings

    settings = edit(clip, "put @ana in the desert")
    assert settings["character"] == ana.fingerprint and settings["likeness"]["cosine"] > 0.99
    assert edit(clip, "let it snow")["character"] == ana.fingerprint
    assert asked == ["put a person in the desert", "let it snow"]
    assert "character" not in edit(Clip(clip.frames, 16.0), "let it snow")
    for prompt, film in (("put @bob in the desert", clip), ("add @ana", Clip(clip.frames, 16.0))):
        with pytest.raises(RequestError, match="in an edit, expected nobody"):
            edit(film, prompt)
