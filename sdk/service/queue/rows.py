"""Rows: what the store keeps of a job and of a file."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

WAITING, RUNNING, DONE, FAILED, CANCELLED = "queued", "in_progress", "completed", "failed", "cancelled"
ENDED = (DONE, FAILED, CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of the queue. Times are Unix seconds; progress is 0 to 100; request is JSON with its seed drawn."""

    seq: int = 0
    id: str
    kind: str
    status: str = WAITING
    request: str
    model: str
    size: str
    seconds: str
    fps: float
    parent: str | None = None
    cost: float = 0.0
    created: float
    started: float | None = None
    ended: float | None = None
    progress: int = 0
    stage: str = ""
    step: int = 0
    steps: int | None = None
    seconds_left: float | None = None
    notes: str = "[]"
    error_code: str | None = None
    error: str | None = None
    stop: int = 0
    owner: str | None = None
    lease: float | None = None
    attempts: int = 0

    @property
    def values(self) -> dict[str, Any]:
        """The request as it was checked."""
        return json.loads(self.request)


@dataclass(frozen=True)
class File:
    """A file of a job. id: random, the only name it is served by.  role: source, video, thumbnail or spritesheet."""

    id: str
    job: str
    role: str
    name: str
    type: str

    @classmethod
    def new(cls, job: str, role: str, suffix: str, type: str) -> "File":
        """A file that does not exist yet, of a new random id."""
        made = secrets.token_hex(16)
        return cls(made, job, role, made + suffix, type)
