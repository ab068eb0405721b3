"""People of a service: kept from a picture or a film with consent, put into clips by id, listed, and forgotten."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import torch
from PIL import Image
from service_toy import ToyEngine, ask, error, serving
from torch import Tensor

from mediagen.media.clip import Clip
from mediagen.personalize.arcface import ArcFace
from mediagen.personalize.character import Character, make_character
from mediagen.personalize.faces import Face
from mediagen.personalize.store import Store
from mediagen.sdk.tasks.people import shown

pytestmark = pytest.mark.filterwarnings("ignore:.*Sora API:DeprecationWarning")
POINTS = np.array([[26.0, 34], [58, 34], [42, 50], [30, 66], [54, 66]])


class Seer:
    def find(self, frames: Tensor) -> list[list[Face]]:
        return [[Face((10.0, 10, 74, 86), POINTS)] if frame.float().mean() > 20 else [] for frame in frames]


class PeopleEngine(ToyEngine):
    """The toy with people: what it was asked to show is in `cast`."""

    def __init__(self) -> None:
        super().__init__()
        self.cast: list[Character] = []
        self.kept: Store | None = None
        torch.manual_seed(0)
        self.encoder = ArcFace.from_preset("debug").eval()

    def create_character(self, source: Any, *, name: str, consent: bool, face: int | None, drawn: bool) -> Character:
        return make_character(Seer(), self.encoder, shown(source), name, consent=consent, face=face, drawn=False)

    def generate(self, prompt: str, *, character: Character | None = None, **wishes: Any) -> Clip:
        if character is not None:
            self.cast.append(character)
        return super().generate(prompt, **wishes)


def picture(level: int = 120) -> bytes:
    rng = np.random.default_rng(level)
    pixels = np.clip(rng.normal(level, 30 if level else 0, (96, 96, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(buffer := io.BytesIO(), "png")
    return buffer.getvalue()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Any, PeopleEngine, str, Path]]:
    engine = PeopleEngine()
    with (
        serving(engine, tmp_path / "data") as (url, _),
        openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as api,
    ):
        yield api, engine, url, tmp_path / "data"


def add(api: Any, name: str = "Ana", **more: Any) -> Any:
    return api.videos.create_character(name=name, video=("ana.png", picture()), extra_body={"consent": True, **more})


def test_a_person_is_kept_put_into_a_clip_and_forgotten(served: tuple[Any, PeopleEngine, str, Path]) -> None:
    api, engine, url, folder = served
    made = add(api)
    assert made.id.startswith("char_") and made.name == "ana"
    assert engine.kept is not None and engine.kept.names() == [made.id], "who is known to extensions and edits"
    assert api.videos.get_character(made.id).created_at == made.created_at
    listed = json.loads(ask(url, "GET", "/v1/videos/characters")[2])
    assert [one["id"] for one in listed["data"]] == [made.id]
    job = api.videos.create(prompt="@ana nods", seconds="0.5", extra_body={"characters": [{"id": made.id}]})
    assert api.videos.poll(job.id, poll_interval_ms=20).status == "completed"
    (shown_one,) = engine.cast
    assert shown_one.name == "ana"
    secret = shown_one.crop.numpy().tobytes()[6000:6064], shown_one.vector.numpy().tobytes()[:64]
    kept = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert any(part in content for part in secret for content in kept)
    status, _, answer = ask(url, "DELETE", f"/v1/videos/characters/{made.id}")
    assert status == 200 and json.loads(answer)["deleted"]
    left = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(part in content for part in secret for content in left), "in a store, a table, an upload"
    with pytest.raises(openai.NotFoundError):
        api.videos.get_character(made.id)
    again = api.videos.create(prompt="@ana nods", extra_body={"characters": [{"id": made.id}]})
    assert api.videos.poll(again.id, poll_interval_ms=20).status == "failed"


def test_without_consent_or_a_face_nothing_is_kept(served: tuple[Any, PeopleEngine, str, Path]) -> None:
    api, _, url, folder = served
    for said in ({}, {"consent": False}, {"consent": "maybe"}):
        with pytest.raises(openai.BadRequestError, match="consent: got none"):
            api.videos.create_character(name="ana", video=("ana.png", picture()), extra_body=said)
    with pytest.raises(openai.BadRequestError, match="without a face"):
        api.videos.create_character(name="ana", video=("dark.png", picture(0)), extra_body={"consent": True})
    with pytest.raises(openai.BadRequestError, match="name: got"):
        add(api, name="1st!")
    assert json.loads(ask(url, "GET", "/v1/videos/characters")[2])["data"] == []
    assert not list((folder / "files").iterdir()), "no upload stays"


def test_prompts_name_only_the_person_of_the_job(
    served: tuple[Any, PeopleEngine, str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is kept by the user that runs the server is nobody's business who asks it."""
    api, engine, url, _ = served
    refused = ask(url, "POST", "/v1/videos", {"prompt": "@bob nods"})
    assert refused[0] == 400 and "who is nobody here" in error(refused)["message"]
    made = add(api)
    job = api.videos.create(prompt="@bob nods", extra_body={"characters": [{"id": made.id}]})
    assert api.videos.poll(job.id, poll_interval_ms=20).status == "failed" and not engine.cast
    several = ask(url, "POST", "/v1/videos", {"prompt": "two", "characters": [{"id": made.id}, {"id": made.id}]})
    assert several[0] == 400 and "expected one person" in error(several)["message"]
