"""Stories as jobs: one job, scenes with a state of their own, and each a film beside the whole."""

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

pytest.importorskip("fastapi")

from service_toy import ask, error, serving

from mediagen.media.read import read_clip
from mediagen.sdk import Engine, RemoteEngine, RequestError
from mediagen.sdk.service.kinds.story import KIND
from mediagen.sdk.tasks.stories import PARTS

SCENES = ["a red ball rolls right in a meadow", {"prompt": "it bounces", "transition": "cut", "seconds": 0.5}]
TOLD = "a red ball rolls right in a meadow | it bounces"


@pytest.fixture(scope="module")
def engine(model_folder: Path) -> Engine:
    return Engine.from_pretrained(model_folder, device="cpu")


def post(url: str, **body: Any) -> tuple[int, dict[str, str], bytes]:
    return ask(url, "POST", "/v1/videos/stories", body)


def ended(url: str, id: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while (seen := json.loads(ask(url, "GET", f"/v1/videos/{id}")[2]))["status"] in ("queued", "in_progress"):
        assert time.monotonic() < end, seen
        time.sleep(0.05)
    return seen


def test_a_story_is_one_job_whose_scenes_are_films(engine: Engine, tmp_path: Path) -> None:
    with serving(engine, tmp_path) as (url, service):
        made = json.loads(post(url, scenes=SCENES, seed=3)[2])
        assert made["kind"] == "story" and made["prompt"] == TOLD and made["seconds"] == "1.5"
        seen = ended(url, made["id"])
        assert seen["status"] == "completed", seen
        assert [(one["id"], one["status"], one["progress"]) for one in seen["scenes"]] == [
            ("scene-1", "completed", 100),
            ("scene-2", "completed", 100),
        ]
        sizes = {}
        for variant in ("video", "scene-1", "scene-2"):
            status, _, film = ask(url, "GET", f"/v1/videos/{made['id']}/content?variant={variant}")
            (tmp_path / "film.mp4").write_bytes(film)
            sizes[variant] = len(read_clip(tmp_path / "film.mp4").frames)
            assert status == 200
        assert sizes == {"video": 24, "scene-1": 16, "scene-2": 8}
        assert error(ask(url, "GET", f"/v1/videos/{made['id']}/content?variant=scene-3"))["param"] == "variant"
        assert not list((service.store.files.parent / "takes").iterdir())
        assert ask(url, "DELETE", f"/v1/videos/{made['id']}")[0] == 200
        assert not list(service.store.files.iterdir()), "its scenes go with it"


def test_wrong_stories_are_refused_at_the_door(engine: Engine, tmp_path: Path) -> None:
    with serving(engine, tmp_path) as (url, _):
        for body, said in (
            ({}, "no scenes"),
            ({"scenes": []}, "no scenes"),
            ({"scenes": ["a ball", {"prompt": "b", "transition": "wipe"}]}, "scene 2: transition"),
            ({"scenes": ["a ball" * 2_000]}, "scene 1: prompt"),
            ({"scenes": "a ball", "dissolv": 1}, "dissolv"),
            ({"scenes": ["a red ball"] * 64, "seconds": 10}, "at most 300"),
        ):
            answer = post(url, **body)
            assert answer[0] == 400 and said in error(answer)["message"], answer


def test_scenes_are_done_when_their_pictures_are() -> None:
    def statuses(status: str, stage: str, step: int) -> list[str]:
        job = SimpleNamespace(values={"scenes": [{"prompt": "a"}] * 3}, status=status, stage=stage, step=step, steps=30)
        return [one["status"] for one in KIND.told(job, None)["scenes"]]

    assert statuses("in_progress", "Loading", 0) == ["in_progress", "queued", "queued"]
    assert statuses("cancelled", "Loading", 20) == ["cancelled", "queued", "queued"]
    for stage in ("Making the pictures", "Decoding the pictures"):
        assert statuses("cancelled", stage, PARTS + 2) == ["completed", "cancelled", "queued"]
    for stage in ("Making the sound", "Writing"):
        assert statuses("in_progress", stage, 0) == ["completed"] * 3
    assert statuses("completed", "", 0) == ["completed"] * 3


def test_one_key_makes_one_story_and_a_cancel_ends_all_scenes(engine: Engine, tmp_path: Path) -> None:
    with serving(engine, tmp_path) as (url, _):
        body = {"scenes": ["a red ball"] * 20, "num_inference_steps": 50, "sound": False}
        ids = {
            json.loads(ask(url, "POST", "/v1/videos/stories", body, Idempotency_Key="one")[2])["id"] for _ in range(2)
        }
        assert len(ids) == 1
        id = ids.pop()
        while json.loads(ask(url, "GET", f"/v1/videos/{id}")[2])["status"] == "queued":
            time.sleep(0.01)
        assert ask(url, "POST", f"/v1/videos/{id}/cancel")[0] == 200
        seen = ended(url, id)
        assert seen["status"] == "cancelled"
        assert {one["status"] for one in seen["scenes"]} <= {"completed", "cancelled", "queued"}
        assert "cancelled" in {one["status"] for one in seen["scenes"]}


def test_a_server_that_ended_goes_on_with_the_scenes_that_stand(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, made = threading.Event(), list[int]()
    pictures = engine.story

    def slow(scenes: Any, **rest: Any) -> Any:
        def on_scene(index: int, _: Any) -> None:
            made.append(index)
            if index == 1:
                begun.set()
                time.sleep(0.3)

        return pictures(scenes, on_scene=on_scene, **rest)

    monkeypatch.setattr(engine, "story", slow)
    with serving(engine, tmp_path) as (url, _):
        id = json.loads(post(url, scenes=["a red ball", "it falls", "it spins"], seed=1, sound=False)[2])["id"]
        assert begun.wait(30)
    kept = next((tmp_path / "takes").iterdir())
    assert len(list(kept.glob("*.safetensors"))) >= 2
    with serving(engine, tmp_path) as (url, _):
        assert ended(url, id)["status"] == "completed" and not (tmp_path / "takes").joinpath(kept.name).exists()


def test_a_remote_engine_tells_stories_too(both: tuple[Any, RemoteEngine], tmp_path: Path) -> None:
    engine, remote = both
    made, here = (one.story(SCENES, seed=3, num_inference_steps=1) for one in (remote, engine))
    assert made.clip.frames.shape == (24, 32, 32, 3) and made.clip.caption == TOLD
    read = read_clip(here.save(tmp_path / "here.mp4"))
    assert torch.equal(made.clip.frames, read.frames), "the same seed, the same film"
    assert [len(scene.frames) for scene in made.scenes] == [16, 8]
    job = remote.submit_story(SCENES, seed=3, num_inference_steps=1)
    job.result(60)
    assert job.progress == 100
    with pytest.raises(RequestError, match="scene 1: transition"):
        remote.story([{"prompt": "a ball", "transition": "wipe"}])


def test_the_schema_of_a_story_names_what_a_scene_has(engine: Engine, tmp_path: Path) -> None:
    with serving(engine, tmp_path) as (url, _):
        document = json.loads(ask(url, "GET", "/openapi.json")[2])
    body = document["paths"]["/v1/videos/stories"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "$ref" not in json.dumps(body)
    assert set(body["properties"]["scenes"]["items"]["properties"]) >= {"prompt", "seconds", "transition", "seed"}
    assert KIND.tab is not None and KIND.tab.title == "Story"
