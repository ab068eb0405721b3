"""The page's tab for larger pictures, in a real browser, on a service with toy models that make them."""

import json
from pathlib import Path

import pytest
from service_toy import ask, finished, serving
from studio_page import card, jobs
from test_anew import film
from upsample_toy import upsample_folder

from mediagen.sdk import Engine


@pytest.fixture(scope="module")
def service(model_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = upsample_folder(model_folder, tmp_path_factory.mktemp("upscale") / "models")
    with serving(Engine.from_pretrained(folder, device="cpu"), tmp_path_factory.mktemp("studio")) as (url, _):
        yield url


def test_a_result_and_a_file_are_made_larger_on_the_page(service, open_page, tmp_path: Path) -> None:
    first = finished(service, prompt="a red ball bounces", seconds=0.5, sound=False)["id"]
    page = open_page(service)
    page.locator("#tab-generate").click()
    sizes = page.locator("[name=size] option").all_text_contents()
    assert sizes == ["32 × 32", "64 × 64", "128 × 128"]
    done = card(page, first, "completed")
    done.get_by_role("button", name="Use:").click()
    done.get_by_role("button", name="Use as input for a larger film").click()
    assert page.locator("#tab-upscale").get_attribute("aria-selected") == "true" and page.locator("#prompt").is_hidden()
    assert page.input_value("#parent") == first
    page.locator("#settings").evaluate("it => it.open = true")
    page.fill("[name=num_inference_steps]", "1")
    page.select_option("[name=factor]", "4")
    page.locator("#go").click()
    page.wait_for_function("() => document.querySelectorAll('.card').length === 2")
    made = next(job for job in jobs(service) if job["id"] != first)
    card(page, made["id"], "completed")
    told = json.loads(ask(service, "GET", f"/v1/videos/{made['id']}")[2])
    assert told["kind"] == "upscale" and told["size"] == "128x128" and told["request"]["factor"] in (4, "4")
    page.set_input_files("#film", film(tmp_path / "film.webm", (48, 36), codec="libvpx-vp9"))
    page.select_option("[name=factor]", "2")
    page.locator("#go").click()
    page.wait_for_function("() => document.querySelectorAll('.card').length === 3")
    last = next(job for job in jobs(service) if job["id"] not in (first, made["id"]))
    card(page, last["id"], "completed")
    assert json.loads(ask(service, "GET", f"/v1/videos/{last['id']}")[2])["size"] == "96x72"
