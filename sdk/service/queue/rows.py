"""Rows: what the store keeps of a job, of a file, and of what is to be told."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

WAITING, RUNNING, DONE, FAILED, CANCELLED = "queued", "in_progress", "completed", "failed", "cancelled"
ENDED = (DONE, FAILED, CANCELLED)

# Whatever ends a job, the trigger is part of that change. The URLs stand apart from the jobs, so that an older version
# may take up a folder of this one.
SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, status TEXT NOT NULL,
  request TEXT NOT NULL, model TEXT NOT NULL, size TEXT NOT NULL, seconds TEXT NOT NULL, fps REAL NOT NULL,
  parent TEXT, cost REAL NOT NULL, created REAL NOT NULL, started REAL, ended REAL, progress INTEGER NOT NULL DEFAULT 0,
  stage TEXT NOT NULL DEFAULT '', step INTEGER NOT NULL DEFAULT 0, steps INTEGER, seconds_left REAL,
  notes TEXT NOT NULL DEFAULT '[]', error_code TEXT, error TEXT,
  stop INTEGER NOT NULL DEFAULT 0, owner TEXT, lease REAL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status, seq);
CREATE TABLE IF NOT EXISTS files (
  id TEXT PRIMARY KEY, job TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
  UNIQUE (job, role));
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, digest TEXT NOT NULL, job TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS rate (id INTEGER PRIMARY KEY, value REAL NOT NULL);
CREATE TABLE IF NOT EXISTS webhooks (job TEXT PRIMARY KEY, url TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT PRIMARY KEY, job TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, created REAL NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0);
CREATE TRIGGER IF NOT EXISTS ended AFTER UPDATE OF status ON jobs
WHEN NEW.status IN ('completed', 'failed', 'cancelled') AND OLD.status NOT IN ('completed', 'failed', 'cancelled')
BEGIN
  INSERT INTO deliveries (id, job, url, status, created)
  SELECT 'evt_' || lower(hex(randomblob(16))), job, url, NEW.status, COALESCE(NEW.ended, 0) FROM webhooks
  WHERE job = NEW.id;
END;
"""


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
    def alone(self) -> bool:
        """Whether it makes sound without pictures."""
        return self.size == "0x0"

    @property
    def values(self) -> dict[str, Any]:
        """The request as it was checked."""
        return json.loads(self.request)


@dataclass(frozen=True)
class File:
    """A file of a job. id: random, the only name it is served by.

    role: "source", the field of a further file that it starts from, "video", "thumbnail" or "spritesheet".
    """

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


@dataclass(frozen=True)
class Delivery:
    """What is to be told of a job. id: of the event.  status: that it ended with.  tries: made so far."""

    id: str
    job: str
    url: str
    status: str
    created: float
    tries: int
    due: float
