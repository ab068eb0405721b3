"""What tests do on the studio page in a browser."""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from service_toy import ask

PATIENCE = 60_000  # milliseconds


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
