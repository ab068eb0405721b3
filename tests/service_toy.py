"""A service with an engine that only pretends, in this process; benchmarks/reliability/toy.py runs it in others."""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import uvicorn

from mediagen.media.clip import Clip
from mediagen.media.footage import Footage
from mediagen.sdk.errors import Cancelled
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.http.app import build
from mediagen.sdk.service.queue.store import Store
from mediagen.sdk.service.service import Service
from mediagen.sdk.service.settings import Settings
from mediagen.sdk.tasks.progress import Progress
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.soundtracks import Soundtrack

LIMITS = Limits(
    width=32, height=32, fps=16, seconds=0.5, min_seconds=0.125, max_seconds=2, steps=4, max_extended_seconds=8,
    rewrite=False,  # it takes any words
)  # fmt: skip


class Decoder:
    """A TAE that shows a latent as it is."""

    def decode(self, latent: torch.Tensor, frames: int) -> torch.Tensor:
        return latent[:, :3, :1].expand(-1, -1, frames, -1, -1)


class ToyEngine:
    """Clips of noise from the seed, at `pause` seconds a step. fail: what the next clip raises instead.

    heard(stage, step): called at every step.
    """

    def __init__(self, pause: float = 0.0) -> None:
        self.pause, self.limits = pause, LIMITS
        self.models = SimpleNamespace(
            has=lambda name: True, get=lambda name: Decoder(), fingerprint="toy", unload=lambda: None
        )
        self.fail: Exception | None = None
        self.made: list[int] = []
        self.heard: Callable[[str, int], None] = lambda stage, step: None

    def generate(
        self,
        prompt: str,
        *,
        seed: int,
        seconds: float = 0.5,
        num_inference_steps: int = 4,
        image: Any = None,
        callback_on_step_end: Any = None,
        on_progress: Any = None,
        **rest: Any,
    ) -> Clip:
        if self.fail is not None:
            raise self.fail
        seen = "" if image is None else hashlib.sha256(image.numpy().tobytes()).hexdigest()
        rng = self._steps("Making the pictures", seed, num_inference_steps, callback_on_step_end, on_progress)
        frames = torch.randint(0, 255, (round(seconds * 16), 32, 32, 3), generator=rng, dtype=torch.uint8)
        self.made.append(seed)
        return Clip(frames, caption=prompt, settings={"seed": seed, "prompt": prompt, "picture": seen, **rest})

    def add_audio(
        self,
        video: Path,
        prompt: str | None = None,
        *,
        seed: int,
        num_inference_steps: int = 4,
        callback_on_step_end: Any = None,
        on_progress: Any = None,
        **rest: Any,
    ) -> Soundtrack:
        rng = self._steps("Making the sound", seed, num_inference_steps, callback_on_step_end, on_progress)
        footage, request = Footage(video), SoundRequest.of({"prompt": prompt, "seed": seed, **rest})
        noise = torch.rand(1, footage.samples, generator=rng) - 0.5
        return Soundtrack(footage, lambda: iter([noise]), request, request.settings())

    def generate_audio(self, prompt: str | None = None, seconds: float = 10.0, **wishes: Any) -> Clip:
        return self._sound(torch.zeros(1, 0), prompt, round(seconds * 48_000), **wishes)

    def extend_audio(self, sound: Clip, seconds: float = 5.0, prompt: str | None = None, **wishes: Any) -> Clip:
        assert sound.sound is not None
        return self._sound(sound.sound, prompt, round(seconds * 48_000), **wishes)

    def _sound(
        self,
        before: torch.Tensor,
        prompt: str | None,
        samples: int,
        *,
        seed: int,
        num_inference_steps: int = 4,
        callback_on_step_end: Any = None,
        on_progress: Any = None,
        **rest: Any,
    ) -> Clip:
        rng = self._steps("Making the sound", seed, num_inference_steps, callback_on_step_end, on_progress)
        sound = torch.cat((before, torch.rand(len(before), samples, generator=rng) - 0.5), -1)
        self.made.append(seed)
        return Clip(None, sound=sound, caption=prompt or "", settings={"seed": seed, "prompt": prompt, **rest})

    def _steps(self, stage: str, seed: int, count: int, on_step: Any, on_progress: Any) -> torch.Generator:
        """The steps of a solver, each of which may be heard, and may be the last; its random numbers."""
        rng = torch.Generator().manual_seed(seed)
        for step in range(count):
            time.sleep(self.pause)
            self.heard(stage, step)
            latent = torch.rand(1, 3, 2, 4, 4, generator=rng)
            if on_progress is not None:
                on_progress(Progress(stage, step + 1, count))
            info = {"stage": stage, "steps": count, "latent": latent}
            if on_step is not None and on_step(self, step, (step + 1) / 100, info) is False:
                raise Cancelled("cancelled.")
        return rng

    def extend(self, clip: Clip, prompt: str, *, seconds: float = 0.5, seed: int, **rest: Any) -> Clip:
        more = self.generate(prompt, seed=seed, seconds=seconds, **rest)
        assert clip.frames is not None and more.frames is not None
        return Clip(torch.cat((clip.frames, more.frames)), caption=prompt, settings=more.settings)


@contextlib.contextmanager
def serving(engine: Any, folder: Path, token: str | None = None, **settings: Any) -> Iterator[tuple[str, Service]]:
    """A server on a free port: its address and its service."""
    service = Service(engine, Store(folder), Settings.of({"poll": 0.02, **settings}))
    config = uvicorn.Config(build(service, token), port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", service
    finally:
        server.should_exit = True
        thread.join()


JSON = {"Content-Type": "application/json"}


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer; a body that is no bytes goes as JSON."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None and not isinstance(body, bytes):
        body, named = json.dumps(body).encode(), {**JSON, **named}
    try:
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def error(answer: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    """The one shape of errors."""
    found = json.loads(answer[2])["error"]
    assert set(found) == {"message", "type", "param", "code"} and isinstance(found["message"], str)
    return found


def make(url: str, **asked: Any) -> dict[str, Any]:
    status, _, body = ask(url, "POST", "/v1/videos", {"prompt": "a ball", **asked})
    assert status == 200, body
    return json.loads(body)


def wait(url: str, id: str, *states: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while (seen := json.loads(ask(url, "GET", f"/v1/videos/{id}")[2]))["status"] not in states:
        assert time.monotonic() < end, seen
        time.sleep(0.02)
    return seen


def finished(url: str, **asked: Any) -> dict[str, Any]:
    return wait(url, make(url, **asked)["id"], "completed", "failed")
