"""The page's tab for edits, in a real browser, on a service with toy models that edit."""

import json
from pathlib import Path

import pytest
from edit_toy import edit_folder
from service_toy import ask, serving
from studio_page import card, start
from test_anew import film

from mediagen.sdk import Engine


@pytest.fixture(scope="module")
def service(model_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = edit_folder(model_folder, tmp_path_factory.mktemp("edit") / "models")
    with serving(Engine.from_pretrained(folder, device="cpu"), tmp_path_factory.mktemp("studio")) as (url, _):
        yield url


def test_a_box_is_drawn_on_a_frame_and_the_film_is_edited_there(service, open_page, tmp_path: Path) -> None:
    page = open_page(service + "/#edit")
    assert page.locator("#tab-edit").get_attribute("aria-selected") == "true"
    page.get_by_role("button", name="let it snow").click()
    assert page.input_value("#prompt") == "let it snow"
    assert page.locator(".frame").is_hidden()
    page.set_input_files("#film", film(tmp_path / "film.webm", (48, 36), codec="libvpx-vp9"))
    page.locator("#settings").evaluate("it => it.open = true")
    frame, region = page.locator(".frame"), page.locator("[name=region]")
    frame.wait_for()
    page.wait_for_function("() => document.querySelector('.frame video').videoWidth === 48")
    frame.scroll_into_view_if_needed()
    place = frame.bounding_box()
    x, y = (lambda part: place["x"] + part * place["width"]), (lambda part: place["y"] + part * place["height"])
    page.mouse.move(x(0.25), y(0.25))
    page.mouse.down()
    page.mouse.move(x(0.75), y(0.5))
    page.mouse.up()
    left, top, width, height = map(int, region.input_value().split(","))
    assert abs(left - 12) <= 1 and abs(top - 9) <= 1 and abs(width - 24) <= 1 and abs(height - 9) <= 1
    assert page.locator(".mark").is_visible()
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    moved = [*map(int, region.input_value().split(","))]
    assert moved[0] == left + 1 and moved[1:3] == [top, width] and moved[3] == height + 1
    page.keyboard.press("Delete")
    assert region.input_value() == "" and page.locator(".mark").is_hidden()
    region.fill("4,4,20,16")
    assert page.locator(".mark").is_visible()

    id = start(page, service, "let it snow", num_inference_steps=2, seed=1)
    done = card(page, id, "completed")
    job = json.loads(ask(service, "GET", f"/v1/videos/{id}")[2])
    assert job["kind"] == "edit" and job["request"]["region"] in ("4,4,20,16", [4, 4, 20, 16])
    status, _, before = ask(service, "GET", f"/v1/videos/{id}/content?variant=source")
    assert status == 200 and before == (tmp_path / "film.webm").read_bytes()

    done.get_by_role("button", name="Play").click()  # before and after, one over the other
    both = page.locator(".compare")
    both.wait_for()
    page.wait_for_function("() => [...document.querySelectorAll('.compare video')].every(it => it.currentTime > 0.1)")
    was, now = (f"() => document.querySelectorAll('.compare video')[{place}].currentTime" for place in (0, 1))
    border = both.get_by_role("slider")
    border.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert both.locator(".now").evaluate("it => getComputedStyle(it).clipPath") == "inset(0px 0px 0px 60%)"
    both.get_by_role("button", name="Pause both").click()
    page.wait_for_function("() => [...document.querySelectorAll('.compare video')].every(it => it.paused)")
    page.wait_for_timeout(200)
    assert abs(page.evaluate(was) - page.evaluate(now)) < 0.15

    page.reload()
    page.route("**/content?variant=source", lambda route: route.fulfill(body=b"no film", content_type="video/mp4"))
    done = card(page, id, "completed")
    done.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelectorAll('.compare video').length === 1")  # of what can be played
    both.get_by_role("button", name="Pause both").wait_for()
    assert not both.get_by_role("slider").count() and not page.locator("#error").is_visible()

    done.get_by_role("button", name="Use:").click()
    done.get_by_role("button", name="Use as input for an edit").click()
    assert page.input_value("#parent") == id
    page.wait_for_function("() => document.querySelector('.frame video').videoWidth === 48")
