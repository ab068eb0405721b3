"""Workers on Ray: one conversation at a time, the bytes of an engine in this process, and no job lost with an actor."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks" / "reliability"))
from served import Fork, Nursery, Server

from mediagen.sdk import Cancelled, Engine, RequestError
from mediagen.sdk.cli.serve import _workers
from mediagen.sdk.service.queue.cluster import Turn, Worker

SMALL: dict[str, Any] = {"seconds": 0.5, "seed": 3}


@pytest.fixture(scope="module")
def engine(model_folder: Path) -> Engine:
    return Engine.from_pretrained(model_folder, device="cpu")


@pytest.mark.parametrize(
    ("text", "meant"), [("1", (False, 1)), ("64", (False, 64)), ("ray", (True, None)), ("ray:2", (True, 2))]
)
def test_workers_are_threads_or_actors(text: str, meant: tuple[bool, int | None]) -> None:
    assert _workers(text) == meant


@pytest.mark.parametrize("text", ["0", "65", "ray:0", "ray:", "two", "-1", ""])
def test_what_are_no_workers_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="--workers"):
        _workers(text)


class Command(Fork):
    """`mediagen serve` on Ray, in a process of its own: Ray leaves threads and open files in its driver."""

    def __init__(self, models: Path, folder: str, port: int, log: str) -> None:
        command = [sys.executable, "-m", "mediagen.sdk.cli", "serve", "--data-folder", folder, "--port", str(port)]
        command += ["--queue", "100000", "--model", str(models), "--workers", "ray:2"]
        with open(log, "ab") as file:
            self._process = subprocess.Popen(command, stdout=file, stderr=file)
        super().__init__(self._process.pid)

    def alive(self) -> bool:
        return self._process.poll() is None


class Commands(Nursery):
    """Starts the example of the documents in place of toys."""

    def __init__(self, models: Path) -> None:
        self._models = models

    def start(self, **order: Any) -> Command:
        return Command(self._models, order["folder"], order["port"], order["log"])


def same(one: Any, other: Any) -> bool:
    return torch.equal(one.frames, other.frames) and torch.equal(one.sound, other.sound)


def talk(worker: Worker, *begun: Any, until: int = 1000) -> list[Turn]:
    """A conversation in which the answer is True, and False from the turn `until` on."""
    turns = [worker.begin(*begun)]
    while turns[-1].what in ("progress", "step"):
        turns.append(worker.go_on(len(turns) <= until))
    return turns


def test_a_worker_waits_for_an_answer_at_each_step(model_folder: Path, engine: Engine) -> None:
    worker = Worker(model_folder, 1)
    worker.load("tae")
    turns = talk(worker, "generate", ("a ball",), SMALL)
    steps = [turn.told[0] for turn in turns if turn.what == "step" and turn.told[2]["stage"] == "Making the pictures"]
    assert steps == [0, 1, 2] and turns[-1].what == "made"
    made, expected = turns[-1].told[0], engine.generate("a ball", **SMALL)
    assert same(made, expected)
    for until in (1, len(turns) // 2):
        stopped = talk(worker, "generate", ("a ball",), SMALL, until=until)
        assert len(stopped) == until + 2 and isinstance(stopped[-1].told[0], Cancelled), "it stops where it is told"
    (failed,) = talk(worker, "generate", ("a ball",), {**SMALL, "seconds": 99})
    assert isinstance(failed.told[0], RequestError) and "_make" in failed.told[0].__notes__[0]


@pytest.fixture(scope="module")
def server(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs the extra `cluster`")
    server = Server(Commands(model_folder), tmp_path_factory.mktemp("cluster") / "data")
    try:
        server.start(patience=300.0)
        yield server
    finally:
        server.kill(signal.SIGINT)


def make(server: Server, path: str = "/v1/videos", **asked: Any) -> str:
    status, body = server.ask("POST", path, {"prompt": "a ball", "seconds": "0.5", **asked})
    assert status == 200, body
    return json.loads(body)["id"]


def wait(server: Server, id: str, status: str, step: int = 0) -> None:
    end = time.monotonic() + 240  # Ray and torch start slowly on a busy machine
    while (seen := json.loads(server.ask("GET", f"/v1/videos/{id}")[1]))["status"] != status or seen["step"] < step:
        assert time.monotonic() < end and seen["status"] != "failed", seen
        time.sleep(0.02)


def film(server: Server, id: str) -> bytes:
    wait(server, id, "completed")
    return server.ask("GET", f"/v1/videos/{id}/content")[1]


def actors() -> list[int]:
    """The processes of Ray actors that descend from this one."""
    parents, titles = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            titles[int(path.name)] = (path / "cmdline").read_bytes()

    def ours(process: int) -> bool:
        return process == os.getpid() or (process in parents and ours(parents[process]))

    return [process for process, title in titles.items() if title.startswith(b"ray::Worker") and ours(process)]


def test_two_actors_make_the_bytes_of_one_engine(server: Server, engine: Engine, tmp_path: Path) -> None:
    ids = [make(server, seed=seed) for seed in range(3)]
    for seed, id in enumerate(ids):
        expected = engine.generate("a ball", seconds=0.5, seed=seed).save(tmp_path / f"{seed}.mp4")
        assert film(server, id) == expected.read_bytes()
    assert len(actors()) == 2
    sound = {"video": {"id": ids[0]}, "prompt": "rain", "seed": 3}
    status, body = server.ask("POST", "/v1/audio/soundtracks", sound)
    assert status == 200, body
    expected = engine.add_audio(tmp_path / "0.mp4", "rain", seed=3).save(tmp_path / "rain.mp4")
    assert film(server, json.loads(body)["id"]) == expected.read_bytes()


def test_both_work_at_once_and_a_cancel_takes_hold(server: Server) -> None:
    ids = [make(server, seed=seed, num_inference_steps=1000) for seed in range(2)]
    for id in ids:
        wait(server, id, "in_progress", step=1)
    for id in ids:
        asked = time.monotonic()
        server.ask("POST", f"/v1/videos/{id}/cancel", {})
        wait(server, id, "cancelled")
        assert time.monotonic() - asked < 5
    assert film(server, make(server, seed=1)), "an actor is free again"


def test_a_job_whose_actor_is_killed_is_made_all_the_same(server: Server, engine: Engine, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"seed": 5, "num_inference_steps": 300, "sound": False}
    id = make(server, **asked)
    wait(server, id, "in_progress", step=3)
    for process in actors():
        os.kill(process, signal.SIGKILL)
    made = film(server, id)
    assert made == engine.generate("a ball", seconds=0.5, **asked).save(tmp_path / "a.mp4").read_bytes()
