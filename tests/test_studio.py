"""The studio page in a real browser, on the public API of a service whose engine only pretends."""

import json
import re
import shlex
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from films import VARIABLE, shoot
from service_toy import ToyEngine, ask, make, serving, wait

from mediagen.sdk.service.http.app import PAGE

PATIENCE = 60_000  # milliseconds
PROMPT = 'it\'s a "red" ball, $HOME \\ é\nand more'


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as tool:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        if found is None and not Path(tool.chromium.executable_path).exists():
            pytest.skip("there is no Chromium: install the system's package, or run 'playwright install chromium'")
        chromium = tool.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    with serving(ToyEngine(0.15), tmp_path_factory.mktemp("studio")) as (url, _):
        yield url


@pytest.fixture
def open_page(browser):
    """Opens the page at an address; whatever goes wrong in its scripts fails the test."""
    wrong: list[str] = []
    contexts = []

    def opening(url: str, ready: str = "[role=tab]", **settings: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": 1200, "height": 800}, **settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda asked: asked.url.startswith((url.partition("#")[0], "blob:", "data:")) or wrong.append(asked.url),
        )
        page.goto(url)
        page.wait_for_selector(ready)
        return page

    yield opening
    for context in contexts:
        context.close()
    assert not wrong


def jobs(url: str) -> list[dict[str, Any]]:
    return json.loads(ask(url, "GET", "/v1/videos")[2])["data"]


def card(page: Any, id: str, status: str) -> Any:
    found = page.locator(f'.card[data-id="{id}"][data-status="{status}"]')
    found.wait_for()
    return found


def start(page: Any, url: str, prompt: str, **fields: Any) -> str:
    """Fills the form in, sends it with the keyboard, and gives the id of the job."""
    before = {job["id"] for job in jobs(url)}
    page.fill("#prompt", prompt)
    page.locator("#settings").evaluate("it => it.open = true")
    for name, value in fields.items():
        page.fill(f"[name={name}]", str(value))
    page.press("#prompt", "Control+Enter")
    end = time.monotonic() + PATIENCE / 1000
    while not (new := {job["id"] for job in jobs(url)} - before):
        assert time.monotonic() < end, page.inner_text("#error")
        time.sleep(0.05)
    return new.pop()


def plays(found: Any, kind: str = "video") -> Any:
    """Presses play; what the browser says of the film once time has passed in it."""
    found.locator(".play").click()
    film = found.locator(kind).element_handle()
    film.evaluate("it => new Promise(done => it.currentTime ? done() : it.addEventListener('timeupdate', done))")
    return film.evaluate("it => ({muted: it.muted, seconds: it.duration, sound: it.webkitAudioDecodedByteCount})")


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


def test_sound_is_made_without_a_film_and_heard_and_is_no_film_to_start_from(toy, open_page):
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
    called: list[Any] = []
    fake = SimpleNamespace(generate_audio=lambda **more: called.append(more) or SimpleNamespace(save=called.append))
    lines = done.locator("pre").nth(0).inner_text().split("\n")
    exec("\n".join(lines[1:]), {"Engine": SimpleNamespace(from_pretrained=lambda: fake)})
    assert called == [{"prompt": "waves", "music": True, "seconds": 0.5, "seed": 4}, "output.wav"]
    words = shlex.split(done.locator("pre").nth(1).inner_text().replace("\\\n", " "))
    assert words[1] == f"{toy}/v1/audio/sounds"
    status, _, body = ask(toy, "POST", "/v1/audio/sounds", json.loads(words[words.index("-d") + 1]))
    assert status == 200 and wait(toy, json.loads(body)["id"], "completed")["request"] == job["request"]
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


def test_the_code_makes_the_same_clip(toy, open_page):
    asked = {"prompt": PROMPT, "seed": 9, "num_inference_steps": 1, "seconds": "0.5", "sound": False, "size": "32x32"}
    job = wait(toy, make(toy, **asked)["id"], "completed")
    page = open_page(toy)
    found = card(page, job["id"], "completed")
    found.get_by_role("button", name="Code:").click()
    called: list[Any] = []
    fake = SimpleNamespace(generate=lambda *given, **more: called.append((given, more)) or SimpleNamespace(save=str))
    lines = found.locator("pre").nth(0).inner_text().split("\n")
    assert lines[0] == "from mediagen.sdk import Engine"
    exec("\n".join(lines[1:]), {"Engine": SimpleNamespace(from_pretrained=lambda: fake)})
    assert called == [((PROMPT,), {key: value for key, value in job["request"].items() if key != "prompt"})]

    words = shlex.split(found.locator("pre").nth(1).inner_text().replace("\\\n", " "))
    assert words[:2] == ["curl", f"{toy}/v1/videos"]
    again = wait(toy, make(toy, **json.loads(words[words.index("-d") + 1]))["id"], "completed")
    films = [ask(toy, "GET", f"/v1/videos/{one['id']}/content")[2] for one in (job, again)]
    assert films[0] == films[1] and again["request"] == job["request"]


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


def test_tabs_are_those_of_the_models_kinds(toy, open_page):
    def with_more(route: Any) -> None:
        answer = route.fetch().json()
        answer["data"][0]["kinds"] = ["generate", "edit", "character", "story"]
        route.fulfill(json=answer)

    page = open_page(toy)
    assert page.locator("[role=tab]").all_inner_texts() == ["Generate", "Sound", "Extend", "Sound alone"]
    page.route("**/v1/models", with_more)
    page.reload()
    page.wait_for_selector("[role=tab]")
    assert page.locator("[role=tab]").all_inner_texts() == ["Generate", "Edit", "Personalize", "Story"]


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
