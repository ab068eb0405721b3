"""The page's tab for stories, in a real browser, on a service with toy models."""

import json
import time
from pathlib import Path

import pytest
import torch
from service_toy import ask, serving
from studio_page import PATIENCE, card, jobs, plays

from mediagen.media.read import read_clip
from mediagen.sdk import Engine


@pytest.fixture(scope="module")
def service(model_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    with serving(Engine.from_pretrained(model_folder, device="cpu"), tmp_path_factory.mktemp("studio")) as (url, _):
        yield url


def test_scenes_are_written_moved_made_and_made_again(service: str, open_page, tmp_path: Path) -> None:
    page = open_page(service + "/#story")
    assert page.locator("#tab-story").get_attribute("aria-selected") == "true"
    assert page.locator("#prompt").is_hidden()
    page.get_by_role("button", name="Make the film").click()
    page.wait_for_function("() => document.getElementById('error').textContent")
    assert "no scenes" in page.inner_text("#error")

    row = lambda number: page.get_by_label(f"Scene {number}: what happens")  # noqa: E731
    row(1).fill("it falls")
    row(2).fill("a red ball in a meadow")
    page.get_by_role("button", name="Add a scene").click()
    row(3).fill("a blue cube")
    page.get_by_label("Scene 3: how it begins").select_option("cut")
    page.get_by_label("Scene 3: seconds").fill("0.5")
    page.get_by_label("Scene 2: what happens").press("Alt+ArrowUp")
    assert row(1).input_value() == "a red ball in a meadow" and row(2).input_value() == "it falls"
    assert page.evaluate("() => document.activeElement.value") == "a red ball in a meadow", "the focus goes with it"
    page.get_by_role("button", name="Add a scene").click()
    row(4).fill("too much")
    page.get_by_role("button", name="Take scene 4 out").click()
    assert page.locator(".scenes li").count() == 3
    page.locator("#settings").evaluate("it => it.open = true")
    page.fill("[name=num_inference_steps]", "2")
    page.fill("[name=seed]", "7")
    row(1).press("Control+Enter")
    id = newest(service, set())
    done = card(page, id, "completed")
    job = json.loads(ask(service, "GET", f"/v1/videos/{id}")[2])
    assert [one["prompt"] for one in job["scenes"]] == ["a red ball in a meadow", "it falls", "a blue cube"]
    assert job["request"]["scenes"][2] == {"prompt": "a blue cube", "transition": "cut", "seconds": 0.5}
    assert job["seconds"] == "2.5" and "transition" not in job["request"]["scenes"][0]

    done.get_by_role("button", name="Scenes:").click()
    done.get_by_role("button", name="Play scene 3").click()
    film = done.locator("video").element_handle()
    film.evaluate("it => new Promise(done => it.currentTime ? done() : it.addEventListener('timeupdate', done))")
    assert abs(film.evaluate("it => it.duration") - 0.5) < 0.1
    done.get_by_role("button", name="Make scene 3 again").click()
    again = newest(service, {id})
    found = card(page, again, "completed")
    new = json.loads(ask(service, "GET", f"/v1/videos/{again}")[2])
    assert new["seed"] == 7 and new["request"]["scenes"][2]["seed"] != 9 and new["request"]["num_inference_steps"] == 2
    first, second = ([scene(service, one, number, tmp_path) for number in (1, 2, 3)] for one in (id, again))
    assert [torch.equal(*pair) for pair in zip(first, second, strict=True)] == [True, True, False]
    assert abs(plays(found)["seconds"] - 2.5) < 0.2

    found.get_by_role("button", name="Use:").click()
    found.get_by_role("button", name="Use its prompt and settings").click()
    assert row(3).input_value() == "a blue cube" and page.get_by_label("Scene 3: seconds").input_value() == "0.5"
    page.locator("#tab-generate").click()
    assert page.locator("#prompt").is_visible()
    page.locator("#tab-story").click()
    assert row(3).input_value() == "a blue cube", "what was written is there again"


def newest(url: str, known: set[str]) -> str:
    end = time.monotonic() + PATIENCE / 1000
    while not (new := {job["id"] for job in jobs(url)} - known):
        assert time.monotonic() < end
        time.sleep(0.05)
    return new.pop()


def scene(url: str, id: str, number: int, folder: Path) -> torch.Tensor:
    path = folder / f"{id}-{number}.mp4"
    path.write_bytes(ask(url, "GET", f"/v1/videos/{id}/content?variant=scene-{number}")[2])
    return read_clip(path).frames
