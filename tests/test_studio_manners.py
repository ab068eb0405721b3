"""What the studio page promises of its looks and its manners: tabs, lists, focus, errors, words, room."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from service_toy import ToyEngine, make, serving, wait
from studio_page import card, start

from mediagen.sdk.service.http.app import PAGE


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    with serving(ToyEngine(0.15), tmp_path_factory.mktemp("studio")) as (url, _):
        yield url


def test_tabs_are_those_of_the_servers_kinds(toy, open_page):
    """A kind that the page has never heard of gets its tab, its fields and its job from what the server tells."""
    sent: list[Any] = []

    def with_more(route: Any) -> None:
        answer = route.fetch().json()
        first = answer["data"][0]
        depth = first["tab"]["fields"][0] | {"name": "depth", "limit": "", "value": "3", "main": True}
        deeply = depth | {"name": "deeply", "input": "check", "value": True}
        tab = first["tab"] | {"title": "Dream", "fields": [depth, deeply]}
        dream = first | {"id": "dream", "route": "/v1/videos/dreams", "made": "dreamt", "starts": [], "tab": tab}
        route.fulfill(json=answer | {"data": [first, dream]})

    page = open_page(toy)
    assert page.locator("[role=tab]").all_inner_texts() == ["Generate", "Sound", "Extend", "Sound alone"]
    page.route("**/v1/kinds", with_more)
    page.route("**/v1/videos/dreams", lambda route: sent.append(route.request.post_data_json) or route.abort())
    page.reload()
    page.wait_for_selector("[role=tab]")
    assert page.locator("[role=tab]").all_inner_texts() == ["Generate", "Dream"]
    page.click("#tab-dream")
    assert page.get_attribute("[name=depth]", "placeholder") == "3" and page.is_checked("[name=deeply]")
    page.fill("#prompt", "a ball")
    page.uncheck("[name=deeply]")
    page.click("#go")
    page.wait_for_function("() => document.getElementById('error').textContent")
    assert sent[0] == {"prompt": "a ball", "depth": "3", "deeply": False}


def test_the_newest_stands_first_everywhere_and_no_two_entries_look_the_same(open_page, tmp_path):
    with serving(ToyEngine(), tmp_path) as (url, _):
        ids = [wait(url, make(url, seed=1, num_inference_steps=1)["id"], "completed")["id"] for _ in range(3)]
        page = open_page(url, ".card")
        page.wait_for_function("() => document.querySelectorAll('.card').length === 3")
        page.click("#tab-extend")
        entries = page.locator("#parent option").all()[1:]
        assert [one.get_attribute("value") for one in entries] == ids[::-1]
        assert len({one.inner_text() for one in entries}) == 3
        own = start(page, url, "it goes on", num_inference_steps=1) if page.select_option("#parent", ids[0]) else ""
        other = make(url, num_inference_steps=1)["id"]
        page.reload()
        page.wait_for_function("() => document.querySelectorAll('.card').length === 5")
        shown = [one.get_attribute("data-id") for one in page.locator(".card").all()]
        assert shown == [other, own, *ids[::-1]]


def test_the_focus_stays_with_a_job_that_is_cancelled(toy, open_page):
    page = open_page(toy)
    id = start(page, toy, "for ever", num_inference_steps=1000)
    button = card(page, id, "in_progress").get_by_role("button", name="Cancel")
    button.focus()
    page.keyboard.press("Enter")
    card(page, id, "cancelled")
    where = "[document.activeElement.tagName, document.activeElement.closest('.card')?.dataset.id]"
    assert page.evaluate(where) == ["BUTTON", id]


def test_an_error_comes_into_view_and_marks_its_field(toy, open_page):
    page = open_page(toy)
    page.set_viewport_size({"width": 400, "height": 420})
    page.fill("#prompt", "a ball")
    page.locator("#settings").evaluate("it => it.open = true")
    page.fill("[name=seconds]", "99")
    page.press("#prompt", "Control+Enter")
    page.wait_for_function("() => document.getElementById('error').textContent.includes('99')")
    assert page.get_attribute("[name=seconds]", "aria-invalid") == "true"
    assert page.evaluate("document.activeElement.name") == "seconds"
    for shown in ("[name=seconds]", "#error"):
        box = page.locator(shown).bounding_box()
        assert box["y"] >= -1 and box["y"] + box["height"] <= 421, shown
    page.fill("[name=seconds]", "0.5")
    page.fill("[name=num_inference_steps]", "1001")
    page.press("#prompt", "Control+Enter")
    page.wait_for_function("() => document.getElementById('error').textContent.includes('1001')")
    assert page.inner_text("#error").startswith("Steps: got 1001"), "in the words of the page"
    page.fill("[name=num_inference_steps]", "1")
    page.press("#prompt", "Control+Enter")
    page.wait_for_function("() => !document.getElementById('error').textContent")
    assert page.get_attribute("[name=seconds]", "aria-invalid") is None


def test_the_words_of_the_model_are_there_to_click(open_page, tmp_path, monkeypatch):
    engine = ToyEngine()
    engine.models.path = tmp_path
    (tmp_path / "words.json").write_text('{"things": ["dragon", "kite"], "places": ["on the moon"]}')
    with serving(engine, tmp_path / "data") as (url, _):
        page = open_page(url)
        page.click("#words summary")
        page.fill("#prompt", "a red")
        for word in ("kite", "on the moon"):
            page.get_by_role("button", name=word).click()
        assert page.input_value("#prompt") == "a red kite on the moon"


def test_a_model_without_sound_is_asked_for_none(toy, open_page):
    def silent(route: Any) -> None:
        answer = route.fetch().json()
        answer["data"][0]["limits"]["sound"] = False
        route.fulfill(json=answer)

    page = open_page(toy)
    assert page.locator("[name=sound]").count() == page.locator("[name=sound_prompt]").count() == 1
    page.route("**/v1/models", silent)
    page.reload()
    page.wait_for_selector("[role=tab]")
    assert page.locator("[name=sound]").count() == page.locator("[name=sound_prompt]").count() == 0
    assert page.locator("[name=seconds]").count() == 1


def test_cards_get_room_on_a_wide_screen(toy, open_page):
    for prompt in ("a", "b", "c", "d"):
        make(toy, prompt=prompt, num_inference_steps=1)
    page = open_page(toy, ".card")
    page.set_viewport_size({"width": 1900, "height": 1000})
    assert page.locator(".card").first.bounding_box()["width"] > 300
    assert page.locator("#gallery").bounding_box()["width"] > 1250


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_dark_and_light(toy, open_page, scheme):
    make(toy, prompt="w" * 200, num_inference_steps=1)
    page = open_page(toy, ".card", color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    for tab in ("generate", "soundtrack", "extend", "sound"):
        page.click(f"#tab-{tab}")
        page.locator("#settings").evaluate("it => it.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", paper)[0]) < 64) == (scheme == "dark")


def test_the_page_names_no_other_host_and_no_file_that_is_not_there():
    for file in PAGE.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|\burl\(", text), file
        for name in re.findall(r'(?:src|href)="([\w.]+)"|from "\./([\w.]+)"', text):
            assert (PAGE / "".join(name)).is_file(), (file, name)
