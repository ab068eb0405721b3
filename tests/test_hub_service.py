"""Several models behind one service: each job by its own, a few in memory, nothing lost; one of them a pipeline."""

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from service_toy import ToyEngine, ask, error, make, wait
from service_toy import serving as serving_one

from mediagen.sdk.errors import Cancelled, RequestError
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.queue.store import Store
from mediagen.sdk.service.service import Service
from mediagen.sdk.service.settings import Settings
from mediagen.sdk.service.shelf import Shelf


class Named(ToyEngine):
    """A toy whose clips are brighter the later it comes, and which knows whether its weights are in memory."""

    def __init__(self, name: str, log: list[str], pause: float = 0.0, width: int = 32) -> None:
        super().__init__(pause)
        self.name, self.limits = name, Limits.of({**self.limits.to_dict(), "width": width})
        self.models = SimpleNamespace(
            has=lambda family: True, get=lambda family: None, fingerprint=name, unload=lambda: log.append(f"-{name}")
        )
        self.log = log

    def generate(self, prompt: str, **rest: Any) -> Any:
        self.log.append(f"+{self.name}")
        clip = super().generate(prompt, **rest)
        return clip.__class__(clip.frames, caption=clip.caption, settings={**clip.settings, "by": self.name})


def service_of(folder: Path, *names: str, most: int = 1, **more: Any) -> tuple[Service, list[str]]:
    log: list[str] = []
    first, *others = [Named(name, log, width=32 * (place + 1)) for place, name in enumerate(names)]
    settings = Settings.of({"poll": 0.02, "models": most, **more})
    made = Service(first, Store(folder), settings, names[0], {engine.name: engine for engine in others})
    return made, log


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    service, log = service_of(tmp_path, "a", "b")
    monkeypatch.setattr("service_toy.Service", lambda *_: service)
    with serving_one(None, tmp_path / "unused") as (url, _):
        yield url, service, log


def body(answer: tuple[int, dict[str, str], bytes]) -> Any:
    assert answer[0] == 200, answer
    return json.loads(answer[2])


def test_models_are_listed_with_their_own_limits_and_kinds(two: Any) -> None:
    url, *_ = two
    listed = body(ask(url, "GET", "/v1/models"))["data"]
    assert [(one["id"], one["limits"]["width"]) for one in listed] == [("a", 32), ("b", 64)]
    assert body(ask(url, "GET", "/v1/models/b"))["limits"]["width"] == 64
    assert "generate" in [one["id"] for one in body(ask(url, "GET", "/v1/kinds?model=b"))["data"]]
    assert ask(url, "GET", "/v1/kinds?model=c")[0] == 404


def test_each_job_is_made_by_the_model_that_it_names(two: Any) -> None:
    url, service, log = two
    ids = [make(url, model=name, seed=place)["id"] for place, name in enumerate(("b", "a", "b"))]
    seen = [wait(url, id, "completed", "failed") for id in ids]
    assert [(job["model"], job["status"], job["size"]) for job in seen] == [
        ("b", "completed", "64x32"), ("a", "completed", "32x32"), ("b", "completed", "64x32")
    ]  # fmt: skip
    assert [one for one in log if one[0] == "+"] == ["+b", "+a", "+b"]
    assert service.shelf.in_memory == ["b"], "one at a time, and the last one used stays"
    assert make(url)["model"] == "a", "the first where none is named"
    refused = error(ask(url, "POST", "/v1/videos", {"prompt": "x", "model": "c"}))
    assert "'a' or 'b'" in refused["message"] and refused["code"] == "model_not_found"


def test_a_remote_engine_names_its_model(two: Any) -> None:
    from mediagen.sdk import RemoteEngine

    url, *_ = two
    made = RemoteEngine(url, model="b").generate("a ball", seed=1)
    assert made.frames is not None and made.settings["by"] == "b"
    assert (RemoteEngine(url, model="b").limits.width, RemoteEngine(url).limits.width) == (64, 32)
    with pytest.raises(RequestError, match="'c', expected 'a' or 'b'"):
        RemoteEngine(url, model="c").generate("a ball")


def test_what_a_model_took_is_measured_for_itself(tmp_path: Path) -> None:
    service, _ = service_of(tmp_path, "a", "b")
    service.store.measured(1.0, "a")
    service.store.measured(100.0, "b")
    assert (service.store.rate("a"), service.store.rate("b"), service.store.rate()) == (1.0, 100.0, 100.0)
    service.store.close()


class Held:
    """Stands for an engine: says when its weights go."""

    def __init__(self, log: list[str], name: str) -> None:
        self.models = SimpleNamespace(unload=lambda: log.append(name))


def test_a_shelf_frees_the_least_recently_used_and_never_one_in_use() -> None:
    log: list[str] = []
    shelf = Shelf({name: Held(log, name) for name in "abc"}, most=2)
    for name in "aba":
        with shelf.using(name):
            pass
    with shelf.using("c"):
        assert log == ["b"]
        with shelf.using("a"):
            done = threading.Event()
            other = threading.Thread(target=lambda: [shelf.using("b").__enter__(), done.set()])
            other.start()
            assert not done.wait(0.3) and log == ["b"], "both places are taken by who works"
        assert done.wait(5) and log == ["b", "a"]
    other.join()


def test_who_waits_for_memory_can_be_stopped() -> None:
    shelf = Shelf({name: Held([], name) for name in "ab"})
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled("cancelled.")

    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    with shelf.using("a"), pytest.raises(Cancelled), shelf.using("b", check):
        pass
    assert time.monotonic() - begun < 5 and shelf.in_memory == ["a"]


def test_a_job_of_a_model_that_is_no_longer_served_fails_with_a_sentence() -> None:
    with pytest.raises(RequestError, match="no model 'gone'"):
        Shelf({name: Held([], name) for name in "ab"}).named("gone")


def test_a_pipeline_is_served_beside_our_own_models(
    tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("diffusers")
    from tiny_pipelines import build

    from mediagen.sdk import Engine

    ours = Engine.from_pretrained(model_folder, device="cpu")
    theirs = {
        name: Engine.from_pretrained(build(name, tmp_path / name), device="cpu")
        for name in ("WanPipeline", "WanImageToVideoPipeline")
    }
    service = Service(ours, Store(tmp_path / "data"), Settings.of({"poll": 0.02}), "ours", theirs)
    monkeypatch.setattr("service_toy.Service", lambda *_: service)
    with serving_one(None, tmp_path / "unused") as (url, _):
        listed = {one["id"]: one for one in body(ask(url, "GET", "/v1/models"))["data"]}
        assert "extend" in listed["ours"]["kinds"] and "extend" not in listed["WanPipeline"]["kinds"]
        assert "extend" in listed["WanImageToVideoPipeline"]["kinds"]
        jobs = [make(url, model=name, seed=1) for name in ("WanPipeline", "ours", "WanPipeline")]
        ended = [wait(url, job["id"], "completed", "failed") for job in jobs]
        assert [job["status"] for job in ended] == ["completed"] * 3, ended
        assert "never trained" in " ".join(ended[0]["notes"]) and not ended[1]["notes"]
        films = [ask(url, "GET", f"/v1/videos/{job['id']}/content")[2] for job in jobs]
        assert films[0] == films[2] and films[0] != films[1], "swapped out and in again, it makes the same"
        without = error(ask(url, "POST", "/v1/videos", {"prompt": "x", "model": "WanImageToVideoPipeline"}))
        assert "expected a picture" in without["message"]
    assert torch.is_grad_enabled()


def test_the_page_has_a_choice_whose_fields_follow_the_model(two: Any, open_page: Any) -> None:
    from studio_page import card, start

    url, service, _ = two
    page = open_page(url)
    assert page.locator("#choice option").all_inner_texts() == ["a", "b"]
    sizes = "#fields [name=size] option"
    page.locator("#settings").evaluate("it => it.open = true")
    assert page.locator(sizes).first.inner_text() == "32 × 32"
    page.select_option("#choice", "b")
    page.locator(sizes, has_text="64 × 32").first.wait_for(state="attached")
    made = start(page, url, "a ball", seed=3)
    card(page, made, "completed")
    assert service.get(made).model == "b"
    page.select_option("#choice", "a")
    page.locator(sizes, has_text="32 × 32").first.wait_for(state="attached")
