"""Who is in it, in a real browser: people are added with consent, chosen, put into clips, and forgotten."""

import json
from pathlib import Path
from typing import Any

import pytest
from service_toy import ask, serving
from studio_page import card, jobs, start
from test_service_people import PeopleEngine, picture


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    engine = PeopleEngine()
    with serving(engine, tmp_path_factory.mktemp("people")) as (url, _):
        yield engine, url


def keep(page: Any, file: Path, name: str = "ana", consent: bool = True) -> None:
    page.locator("#add-person").evaluate("it => it.open = true")
    page.fill("#person-name", name)
    page.set_input_files("#person-file", file)
    page.set_checked("#person-consent", consent)
    page.click("#person-add")


def kept(url: str) -> list[str]:
    return [one["name"] for one in json.loads(ask(url, "GET", "/v1/videos/characters")[2])["data"]]


def test_a_person_is_added_chosen_shown_and_forgotten(served, open_page, tmp_path: Path) -> None:
    engine, url = served
    photo, dark = tmp_path / "ana.png", tmp_path / "dark.png"
    photo.write_bytes(picture())
    dark.write_bytes(picture(0))
    page = open_page(url + "/#generate")
    page.locator("#nobody").wait_for()
    page.locator("#add-person summary").click()
    keep(page, photo, consent=False)
    assert "agreed" in page.inner_text("#person-error") and kept(url) == []
    assert page.evaluate("document.activeElement.id") == "person-consent"
    keep(page, dark)
    page.wait_for_function("() => document.querySelector('#person-error').textContent.includes('without a face')")
    assert kept(url) == []

    page.set_input_files("#person-file", photo)
    page.press("#person-name", "Enter")  # keeps the person, and starts no clip
    tile = page.locator("#who button")
    tile.wait_for()
    assert kept(url) == ["ana"] and not jobs(url)
    assert tile.inner_text().strip() == "ana" and tile.get_attribute("aria-pressed") == "true"
    page.wait_for_function("() => document.querySelector('#who img').naturalWidth === 96")
    assert page.input_value("#prompt") == "@ana " and not page.is_checked("#person-consent"), "said anew for each one"

    page.fill("#person [name=candidates]", "2")
    id = start(page, url, "@ana nods")
    done = card(page, id, "completed")
    request = json.loads(ask(url, "GET", f"/v1/videos/{id}")[2])["request"]
    (held,) = json.loads(ask(url, "GET", "/v1/videos/characters")[2])["data"]
    assert request["characters"] == [{"id": held["id"]}] and request["candidates"] == 2
    assert [one.name for one in engine.cast] == ["ana"]
    done.get_by_role("button", name="Code:").click()
    assert f'extra_body={{"characters": [{{"id": "{held["id"]}"}}]' in done.inner_text()

    tile.click()  # nobody
    page.fill("#prompt", "@bob nods")
    page.press("#prompt", "Control+Enter")
    assert "Nobody here is called @bob" in page.inner_text("#error") and len(jobs(url)) == 1
    plain = start(page, url, "a red ball rolls")
    card(page, plain, "completed")
    assert (
        "characters" not in json.loads(ask(url, "GET", f"/v1/videos/{plain}")[2])["request"] and len(engine.cast) == 1
    )
    page.fill("#prompt", "@ana waves")
    assert tile.get_attribute("aria-pressed") == "true", "who is named is in it"
    page.fill("#prompt", "a red ball rolls")
    tile.click()
    done.get_by_role("button", name="Use:").click()
    done.get_by_role("button", name="Use its prompt and settings").click()
    page.wait_for_function("() => document.querySelector('#who button').getAttribute('aria-pressed') === 'true'")
    assert page.input_value("#prompt") == "@ana nods" and page.input_value("#person [name=candidates]") == "2"

    page.click("#forget")
    assert kept(url) == ["ana"], "at the second press"
    page.click("#forget")
    tile.wait_for(state="detached")
    assert kept(url) == [] and page.locator("#nobody").is_visible() and page.locator("#person").is_hidden()
    assert ask(url, "GET", f"/v1/videos/characters/{held['id']}/thumbnail")[0] == 404


def test_people_stand_only_where_clips_are_made(served, open_page) -> None:
    page = open_page(served[1] + "/#extend")
    assert page.locator("#people").is_hidden()
    page.click("#tab-generate")
    page.locator("#people").wait_for()
