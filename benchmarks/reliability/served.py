"""A server that the reliability scripts start, talk to and kill; they see it from outside alone."""

import json
import random
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "mediagen.sdk.cli", "serve", "--data-folder", "{folder}", "--port", "{port}"]
COMMAND += ["--queue", "100000"]
TINY = {"seconds": "0.5", "num_inference_steps": 2, "sound": False}  # fields of a small job


class Server:
    """`command` with {folder} and {port} filled in, on one port for all its lives."""

    def __init__(self, folder: Path, command: list[str] | None = None) -> None:
        self.folder, self.port = folder, _free_port()
        self._log = folder.with_suffix(".log")
        self._command = [part.format(folder=folder, port=self.port) for part in command or COMMAND]
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Starts it."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def start(self, patience: float = 300.0) -> None:
        """Starts it where it was not begun, and waits until it answers."""
        if self._process is None or self._process.poll() is not None:
            self.begin()
        assert self._process is not None
        end = time.monotonic() + patience
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server does not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()

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

    def wait(self, id: str) -> str:
        """The state in which a job ends."""
        while (status := self.seen(id)["status"]) in ("queued", "in_progress"):
            time.sleep(0.05)
        return status

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
    return f"{failures} of {n}" + (f", so less than {3 / n:.1%} with 95 % certainty" if not failures and n else "")
