"""Servers with a toy engine that the campaigns start, talk to and kill, seen from outside alone; their command line."""

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any


class Server:
    """A toy server on one port for all its lives, at `pause` seconds a step; settings: of the service."""

    def __init__(self, nursery: "Nursery", folder: Path, pause: float = 0.0, **settings: Any) -> None:
        self.folder, self.port = folder, _free_port()
        self._log = folder.with_suffix(".log")
        self._nursery, self._pause, self._settings = nursery, pause, settings
        self._process: Fork | None = None

    @property
    def pid(self) -> int:
        """Of the process that lives."""
        assert self._process is not None
        return self._process.pid

    def start(self, patience: float = 60.0) -> None:
        """Starts it, and waits until it answers."""
        if self._process is None or not self._process.alive():
            self._log.parent.mkdir(parents=True, exist_ok=True)
            self._process = self._nursery.start(
                folder=str(self.folder), port=self.port, log=str(self._log), pause=self._pause, settings=self._settings
            )
        end = time.monotonic() + patience
        while not self._healthy():
            if not self._process.alive() or time.monotonic() > end:
                raise RuntimeError(f"the server does not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.end(how)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of an answer to JSON; OSError or HTTPException where there is none."""
        data = None if body is None else json.dumps(body).encode()
        return self.send(method, path, data, {"Content-Type": "application/json", **headers})

    def send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of an answer to bytes."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request(method, path, data, headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def surely(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        """The body of the answer 200, asked for again and again while the server is away or full."""
        while True:
            try:
                status, data = self.ask(method, path, body, **headers)
            except (OSError, HTTPException):
                time.sleep(0.05)
                continue
            if status == 429:
                time.sleep(0.5)
                continue
            if status != 200:
                raise RuntimeError(f"{method} {path}: {status} {data[:200]!r}")
            return data

    def seen(self, id: str) -> dict[str, Any]:
        """A job."""
        return json.loads(self.surely("GET", f"/v1/videos/{id}"))

    def wait(self, id: str, look: float = 0.05) -> str:
        """The state in which a job ends; `look` seconds between two looks."""
        while (status := self.seen(id)["status"]) in ("queued", "in_progress"):
            time.sleep(look)
        return status

    def gauge(self, name: str) -> float:
        """A figure of /metrics."""
        lines = self.surely("GET", "/metrics").decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    def film(self, id: str) -> bytes:
        """The film of a completed job."""
        return self.surely("GET", f"/v1/videos/{id}/content")

    def files(self) -> int:
        """How many files it keeps."""
        return sum(1 for _ in (self.folder / "files").iterdir())

    def jobs(self) -> list[dict[str, Any]]:
        """Every job, oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            after = f"&after={found[-1]['id']}" if found else ""
            page = json.loads(self.surely("GET", f"/v1/videos?limit=100&order=asc{after}"))
            found += page["data"]
            if not page["has_more"]:
                return found

    def _healthy(self) -> bool:
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except (OSError, HTTPException):
            return False


class Fork:
    """A process that the nursery started."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def alive(self) -> bool:
        """Whether it lives."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def end(self, how: signal.Signals) -> None:
        """Ends it by a signal; returns when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, how)
        while self.alive():
            time.sleep(0.005)


class Nursery:
    """What starts toy servers: see toy.py. All of them end with it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("toy.py"))], stdin=-1, stdout=-1, text=True
        )

    def start(self, **order: Any) -> Fork:
        """A server of toy.py."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Fork(int(self._process.stdout.readline()))

    def close(self) -> None:
        """Ends it and what it started."""
        self._process.communicate()


@contextlib.contextmanager
def toys(*pauses: float, **settings: Any) -> Iterator[list[Server]]:
    """Toy servers that run, one for each pause, in a folder that goes with them."""
    with tempfile.TemporaryDirectory() as place:
        nursery = Nursery()
        try:
            folders = [Path(place) / f"server{index}" for index in range(len(pauses))]
            made = [Server(nursery, *where, **settings) for where in zip(folders, pauses, strict=True)]
            for one in made:
                one.start()
            yield made
        finally:
            nursery.close()


def main(about: str, short: dict[str, Any], full: dict[str, Any], run: Callable[..., dict[str, Any]]) -> None:
    """The command line of a campaign: `run(**sizes)` gives figures, with "bad", which must be 0."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help=f"sizes {short} instead of those below")
    for name, value in full.items():
        parser.add_argument(f"--{name}", type=type(value), help=f"default {value}")
    parser.add_argument("-o", "--out", type=Path)
    given = vars(parser.parse_args())
    sizes = {**full, **(short if given["short"] else {})}
    sizes |= {name: given[name] for name in full if given[name] is not None}
    begun = time.monotonic()
    figures = {"sizes": sizes, **run(**sizes), "seconds": round(time.monotonic() - begun, 1)}
    text = json.dumps(figures, indent=2) + "\n"
    if given["out"] is not None:
        given["out"].write_text(text)
    sys.stdout.write(text)
    sys.exit(bool(figures["bad"]))


def _free_port() -> int:
    """A free port below those that the system gives to clients: one of these could take it while the server is dead."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def bound(failures: int, n: int) -> str:
    """What n trials say about the chance of a failure: 3 / n with 95 % certainty where none failed."""
    return f"{failures} of {n}" + (
        f", so less than {min(1, 3 / n):.2%} with 95 % certainty" if not failures and n else ""
    )
