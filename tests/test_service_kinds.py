"""A kind of job is one file: what is written there is checked, priced, made, told and shown."""

import io
import json
import sys
from typing import Any

import openai
import pytest
from PIL import Image
from service_toy import ToyEngine, ask, error, finished, serving, wait

from mediagen.sdk.service import kinds
from mediagen.sdk.service.kinds import table

TINT = '''
"""Clips in one colour, where a mask says so."""

from typing import Annotated, Any

from pydantic import Field

from mediagen.media.clip import Clip
from mediagen.sdk.errors import RequestError
from mediagen.sdk.service.intake.cost import Cost
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.kind import Kind, Start
from mediagen.sdk.tasks.progress import Progress
from mediagen.sdk.tasks.requests import Asked


class TintRequest(Asked):
    """The colours to tint with, one after the other."""

    task = "tint"

    colours: list[str] = Field(default_factory=lambda: ["red"])
    strength: float = 1.0
    whom: list[dict[str, str]] = Field(default_factory=list)
    at: dict[str, Any] = Field(default_factory=dict)


class Tint(Kind):
    """A clip that is tinted."""

    name, what, method, families = "tint", "tinting clips", "generate", ()
    request = TintRequest
    starts = (Start("video", "clip"), Start("mask", "picture", needed=False, argument="mask"))
    routes, summary = ("/v1/videos/tints", "/v1/videos/{id}/tint"), ("Tint a clip", "Tint a clip of this server")
    tab = tabs.Tab("Tint", "Tint it", "Say why", "For fun", (tabs.Field("strength", "Strength", value="0.5"),),
                   optional=True, use="a tint")

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        if request.strength > 1:
            raise RequestError(f"strength: got {request.strength:g}, expected at most 1; give less.")
        return request

    def price(self, full: Any, limits: Any, about: dict[str, Any]) -> Cost:
        return Cost(about["seconds"], 1_000)

    def stages(self, values: dict[str, Any]) -> dict[str, tuple[float, float]]:
        return {"Tinting": (0.0, 0.9), "Writing": (0.9, 0.9)}

    def make(self, engine: Any, given: Any, values: Any, *, on_progress: Any, **calls: Any) -> Clip:
        on_progress(Progress("Tinting", 1, 2))
        clip, mask = given["video"], given.get("mask")
        frames = clip.frames.clone()
        level = round(255 * values.get("strength", 1.0))
        frames[..., 0] = level if mask is None else frames[..., 0] * (mask[..., 0] == 0) + level * (mask[..., 0] > 0)
        return Clip(frames, fps=clip.fps, settings={"colours": values.get("colours")})

    def told(self, job: Any, store: Any) -> dict[str, Any]:
        return {"colours": job.values.get("colours")}


KIND = Tint()
'''


@pytest.fixture
def tint(tmp_path, monkeypatch):
    """A service for which one file was written."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "tint.py").write_text(TINT)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(folder)])
    for name, kind in table.read().items():
        monkeypatch.setitem(table.KINDS, name, kind)
    try:
        with serving(ToyEngine(), tmp_path / "data") as (url, service):
            yield url, service
    finally:
        sys.modules.pop("mediagen.sdk.service.kinds.tint", None)


def form(**parts: Any) -> tuple[bytes, str]:
    """Body and content type of a form; bytes are files."""
    lines = b""
    for name, value in parts.items():
        file = '; filename="f"' if isinstance(value, bytes) else ""
        data = value if isinstance(value, bytes) else str(value).encode()
        lines += f'--edge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"
    return lines + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def post(url: str, path: str, **parts: Any) -> tuple[int, dict[str, str], bytes]:
    body, kind = form(**parts)
    return ask(url, "POST", path, body, Content_Type=kind)


def film(url: str, id: str) -> bytes:
    return ask(url, "GET", f"/v1/videos/{id}/content")[2]


def red(data: bytes, tmp_path: Any) -> float:
    """The mean of red of the first frame's left half, over that of its right."""
    from mediagen.media.read import read_clip

    (tmp_path / "read.mp4").write_bytes(data)
    frames = read_clip(tmp_path / "read.mp4").frames
    assert frames is not None
    return float(frames[0, :, :16, 0].float().mean() - frames[0, :, 16:, 0].float().mean())


def test_a_kind_in_one_file_is_asked_for_made_and_downloaded(tint, tmp_path):
    url, _ = tint
    first = finished(url, seed=3)
    mask = io.BytesIO()
    picture = Image.new("RGB", (32, 32))
    picture.paste("white", (0, 0, 16, 32))
    picture.save(mask, "PNG")
    answer = post(url, "/v1/videos/tints", video=film(url, first["id"]), mask=mask.getvalue(), strength="1",
                  colours='["red", "blue"]')  # fmt: skip
    assert answer[0] == 200, answer
    job = wait(url, json.loads(answer[2])["id"], "completed", "failed")
    assert (job["status"], job["kind"], job["size"], job["seconds"]) == ("completed", "tint", "32x32", "0.5")
    assert job["colours"] == ["red", "blue"] == job["request"]["colours"] and job["request"]["strength"] == 1.0
    assert job["request"]["mask"] == "upload"
    assert red(film(url, job["id"]), tmp_path) > 60, "the left half is tinted, as the mask says, and the right is not"

    answer = ask(url, "POST", f"/v1/videos/{first['id']}/tint", {"strength": 0.1, "colours": ["green"]})
    job = wait(url, json.loads(answer[2])["id"], "completed", "failed")
    assert (job["status"], job["source_video_id"], job["colours"]) == ("completed", first["id"], ["green"])
    assert abs(red(film(url, job["id"]), tmp_path)) < 30
    for variant in ("thumbnail", "spritesheet"):
        assert ask(url, "GET", f"/v1/videos/{job['id']}/content?variant={variant}")[0] == 200


def test_lists_and_objects_come_in_forms_as_the_openai_client_writes_them(tint):
    """With a file everything is a form: colours[]=red, and whom[][id]=a."""
    url, _ = tint
    film_of = film(url, finished(url)["id"])
    api = openai.OpenAI(api_key="none", base_url=url + "/v1")
    whom = [{"id": "a", "name": "x"}, {"id": "b", "name": "y"}]
    sent = {"colours": ["red", "blue"], "strength": 0.5, "whom": whom, "at": {"x": "1"}}
    job = api.post(
        "/videos/tints",
        cast_to=dict[str, Any],
        body=sent,
        files=[("video", ("f.mp4", film_of))],
        options={"headers": {"Content-Type": "multipart/form-data"}},
    )
    asked = {key: value for key, value in job["request"].items() if key not in ("seed", "prompt")}
    assert asked == sent
    for twice in ("colours=red&colours[]=blue", "at[x]=1&at[x]=2", "at[x]=1&at=2", "colours[]=a&colours[b]=c"):
        answer = ask(url, "POST", "/v1/videos/tints", twice.encode(), Content_Type="application/x-www-form-urlencoded")
        assert answer[0] == 400 and "twice" in error(answer)["message"], twice


def test_its_check_its_fields_and_its_files_are_held_to(tint):
    url, service = tint
    id = finished(url)["id"]
    for body, param in (
        ({"video": {"id": id}, "strength": 2}, "strength"),
        ({"video": {"id": id}, "colour": 2}, "colour"),
        ({"video": {"id": id}, "mask": {"id": id}}, "mask"),
        ({"strength": 1}, "video"),
    ):
        answer = ask(url, "POST", "/v1/videos/tints", body)
        assert answer[0] == 400 and error(answer)["param"] == param, answer
    answer = post(url, "/v1/videos/tints", video=b"x", picture=b"x")
    assert answer[0] == 400 and error(answer)["param"] == "picture"
    assert len(list(service.store.files.iterdir())) == 3, "what was refused left no file"


def test_its_documents_and_its_tab_are_served(tint):
    url, _ = tint
    api = json.loads(ask(url, "GET", "/openapi.json")[2])["paths"]
    schema = api["/v1/videos/tints"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["video"] and {"mask", "colours", "strength", "webhook_url"} <= {*schema["properties"]}
    assert (
        "video"
        not in api["/v1/videos/{id}/tint"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    )
    (kind,) = [one for one in json.loads(ask(url, "GET", "/v1/kinds")[2])["data"] if one["id"] == "tint"]
    assert kind["route"] == "/v1/videos/tints" and kind["tab"]["title"] == "Tint"
    assert [start["field"] for start in kind["starts"]] == ["video", "mask"]
    assert "tint" in json.loads(ask(url, "GET", "/v1/models")[2])["data"][0]["kinds"]


def test_its_progress_is_that_of_its_own_stages(tint):
    url, service = tint
    seen: list[int] = []
    beat = service.store.beat
    service.store.beat = lambda *given, **told: seen.append(told.get("progress", 0)) or beat(*given, **told)
    id = finished(url)["id"]
    wait(url, json.loads(ask(url, "POST", f"/v1/videos/{id}/tint", {})[2])["id"], "completed")
    assert 45 in seen and 90 in seen, "half of tinting, and writing"
