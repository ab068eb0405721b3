"""The studio page in a real browser, on the public API of a service whose engine only pretends."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from films import VARIABLE, shoot
from service_toy import ToyEngine, ask, serving
from studio_page import card, plays, start

PROMPT = 'it\'s a "red" ball, $HOME \\ é\nand more'


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    with serving(ToyEngine(0.15), tmp_path_factory.mktemp("studio")) as (url, _):
        yield url


def test_a_clip_is_made_seen_on_its_way_found_after_a_reload_and_extended(toy, open_page):
    page = open_page(toy)
    id = start(page, toy, "a red ball bounces", num_inference_steps=60, seed=5)
    live = card(page, id, "in_progress")
    live.locator("img.draft").wait_for()
    assert re.search(r"Making the pictures, step \d+ of 60", live.locator(".stage").inner_text())
    page.reload()
    again = card(page, id, "in_progress")
    before = again.locator("progress").evaluate("it => it.value")
    again.locator("img.draft").wait_for()
    page.wait_for_function(
        "([id, was]) => document.querySelector(`[data-id=${id}] progress`).value > was", arg=[id, before]
    )
    done = card(page, id, "completed")
    seen = plays(done)
    assert not seen["muted"] and seen["seconds"] == pytest.approx(0.5, abs=0.05)

    done.get_by_role("button", name="Use:").click()
    done.get_by_role("button", name="Use as input for a longer film").click()
    assert page.locator("#tab-extend").get_attribute("aria-selected") == "true"
    assert page.input_value("#parent") == id and page.input_value("#prompt") == "", "each tab has its own words"
    longer = start(page, toy, "it rolls away", seconds=0.5, num_inference_steps=2)
    card(page, longer, "completed")
    job = json.loads(ask(toy, "GET", f"/v1/videos/{longer}")[2])
    assert (job["source_video_id"], job["seconds"], job["kind"]) == (id, "1", "extend")


def test_a_film_of_ones_own_gets_a_soundtrack_that_is_heard(toy, open_page, tmp_path):
    page = open_page(toy + "/#soundtrack")
    page.set_input_files("#film", str(shoot(tmp_path / "own.mp4", VARIABLE, size=(90, 58))))
    page.check("[name=music]")
    page.fill("[name=music_prompt]", "a slow waltz")
    id = start(page, toy, "", keep_audio="0.5")
    seen = plays(card(page, id, "completed"))
    assert seen["sound"] > 0 and not seen["muted"]
    job = json.loads(ask(toy, "GET", f"/v1/videos/{id}")[2])
    asked = {key: value for key, value in job["request"].items() if key != "seed"}
    assert asked == {"prompt": None, "music": True, "music_prompt": "a slow waltz", "keep_audio": 0.5}
    assert (job["kind"], job["size"]) == ("soundtrack", "90x58")


def test_sound_is_made_without_a_film_and_heard_and_is_no_film_to_start_from(toy, open_page, tmp_path, monkeypatch):
    page = open_page(toy + "/#sound")
    assert page.is_hidden("#source") and page.get_attribute("[name=seconds]", "placeholder") == "10"
    page.check("[name=music]")
    id = start(page, toy, "waves", seconds=0.5, seed=4)
    done = card(page, id, "completed")
    assert plays(done, "audio")["seconds"] == pytest.approx(0.5, abs=0.05)
    job = json.loads(ask(toy, "GET", f"/v1/videos/{id}")[2])
    assert (job["kind"], job["request"]) == ("sound", {"prompt": "waves", "music": True, "seconds": 0.5, "seed": 4})
    assert "0 × 0" not in done.inner_text() and "0.5 s · seed 4" in done.inner_text()
    page.click("#tab-extend")
    assert id not in page.locator("#parent").inner_html()
    done.get_by_role("button", name="Code:").click()
    for code in done.locator("pre").all_inner_texts():
        again = runs(toy, code, tmp_path, monkeypatch)
        assert again["request"] == job["request"] and (tmp_path / "clip.wav").stat().st_size > 1000
        (tmp_path / "clip.wav").unlink()
    done.get_by_role("button", name="Use:").click()
    assert done.locator(".more button").all_inner_texts() == ["Use its prompt and settings"]


def test_a_job_is_cancelled_and_deleted_at_the_second_press(toy, open_page):
    page = open_page(toy)
    id = start(page, toy, "for ever", num_inference_steps=1000)
    card(page, id, "in_progress").get_by_role("button", name="Cancel").click()
    gone = card(page, id, "cancelled")
    assert gone.locator(".screen").inner_text() == "Cancelled"
    gone.get_by_role("button", name="Delete").click()
    assert ask(toy, "GET", f"/v1/videos/{id}")[0] == 200
    gone.get_by_role("button", name="Really delete").click()
    gone.wait_for(state="detached")
    assert ask(toy, "GET", f"/v1/videos/{id}")[0] == 404


def test_errors_are_said_in_words_at_their_field(toy, open_page):
    page = open_page(toy)
    page.click("#go")
    assert "sentence" in page.inner_text("#error")
    assert page.evaluate("document.activeElement.id") == "prompt"
    page.fill("#prompt", "a ball")
    page.locator("#settings").evaluate("it => it.open = true")
    page.fill("[name=seconds]", "99")
    page.locator("#settings").evaluate("it => it.open = false")
    page.click("#go")
    page.wait_for_function("() => document.getElementById('error').textContent.includes('99')")
    assert page.get_attribute("[name=fps]", "aria-invalid") is None
    page.click("#tab-extend")
    page.fill("#prompt", "on")
    page.click("#go")
    assert "Choose a result" in page.inner_text("#error")


def test_the_keyboard_alone_is_enough(toy, open_page):
    page = open_page(toy)
    met = []
    for _ in range(7):
        page.keyboard.press("Tab")
        met.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert met == ["Skip to the results", "API", "tab-generate", "prompt", "Settings", "go", met[-1]]
    page.focus("#tab-generate")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-soundtrack"
    assert page.is_visible("#film") and page.is_hidden("[name=seconds]")
    unnamed = """[...document.querySelectorAll('button, input, select, textarea')]
      .filter(it => !(it.textContent.trim() || it.getAttribute('aria-label') || it.labels?.length))
      .map(it => it.outerHTML)"""
    assert page.evaluate(unnamed) == []


@pytest.mark.parametrize("token", [None, "s3cret"])
def test_the_code_makes_the_same_clip_on_this_server_and_fetches_it(open_page, tmp_path, monkeypatch, token):
    asked = {"prompt": PROMPT, "seed": 9, "num_inference_steps": 1, "seconds": "0.5", "sound": False, "size": "32x32"}
    with serving(ToyEngine(), tmp_path / "data", token=token) as (url, _):
        head = {} if token is None else {"Authorization": f"Bearer {token}"}
        first = json.loads(ask(url, "POST", "/v1/videos", asked, **head)[2])
        page = open_page(url, ".card" if token is None else "#token:visible")
        if token is not None:
            page.fill("#token", token)
            page.keyboard.press("Enter")
        found = card(page, first["id"], "completed")
        film = ask(url, "GET", f"/v1/videos/{first['id']}/content", **head)[2]
        more = {"prompt": "on", "video": {"id": first["id"]}, "seed": 1, "num_inference_steps": 1, "seconds": "0.5"}
        longer = json.loads(ask(url, "POST", "/v1/videos/extensions", more, **head)[2])
        for id, held in ((first["id"], found), (longer["id"], card(page, longer["id"], "completed"))):
            job = json.loads(ask(url, "GET", f"/v1/videos/{id}", **head)[2])
            held.get_by_role("button", name="Code:").click()
            for code in held.locator("pre").all_inner_texts():
                monkeypatch.setenv("MEDIAGEN_TOKEN", token or "")
                again = runs(url, code, tmp_path, monkeypatch, **head)
                assert again["request"] == job["request"] and again["source_video_id"] == job["source_video_id"]
                assert (tmp_path / "clip.mp4").stat().st_size > 500
                if code.startswith("id=") and id == first["id"]:
                    assert (tmp_path / "clip.mp4").read_bytes() == film, "curl fetches the very bytes"
                (tmp_path / "clip.mp4").unlink()
        box = found.locator("pre").first.bounding_box()
        assert box["width"] > 400, "it is read without scrolling to and fro"


def runs(url: str, code: str, folder: Path, monkeypatch: Any, **head: str) -> dict[str, Any]:
    """Runs a code of the page, in Python or the shell, in a folder; the job that it made."""
    monkeypatch.chdir(folder)
    if code.startswith("id="):
        if shutil.which("curl") is None:
            pytest.skip("there is no curl")
        subprocess.run(["bash", "-ec", code], check=True, capture_output=True, timeout=60)
    else:
        exec(code, {})
    return json.loads(ask(url, "GET", "/v1/videos?limit=1", **head)[2])["data"][0]


def test_a_token_is_asked_for_once(open_page, tmp_path):
    with serving(ToyEngine(), tmp_path, token="secret") as (url, _):
        page = open_page(url, "#token:visible")
        page.fill("#token", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.getElementById('said').textContent.includes('token')")
        page.fill("#token", "secret")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=tab]")
        page.reload()
        page.wait_for_selector("[role=tab]")
        assert page.is_hidden("#door")
