"""Store: jobs, their files and idempotency keys in one SQLite database (WAL), with leases.

Every change of a job is one transaction, so a kill at any moment leaves each job in exactly one state.
"""

import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from mediagen.sdk.service.queue.rows import (
    CANCELLED,
    DONE,
    ENDED,
    FAILED,
    RUNNING,
    SCHEMA,
    WAITING,
    File,
    Job,
)

KEY_LIFE = 24 * 3600.0  # seconds that an idempotency key is remembered
_COLUMNS = [field.name for field in fields(Job)]  # a later version of this may have added more


class KeyReused(Exception):
    """An idempotency key came again with another request."""


class QueueFull(Exception):
    """As many jobs wait as may."""


class Store:
    """The queue of one data folder. Safe for threads; another process may open the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "jobs.sqlite", timeout=30, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        for line in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            self._db.execute(f"PRAGMA {line}")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Closes the database."""
        with self._lock:
            self._db.close()

    def path(self, file: File) -> Path:
        """Where a file lies."""
        return self.files / file.name

    # What is asked for

    def create(
        self,
        job: Job,
        sources: Sequence[File] = (),
        key: str | None = None,
        digest: str = "",
        *,
        webhook: str | None = None,
        room: Callable[[int, float], bool] = lambda count, units: True,
    ) -> Job:
        """Adds a job and what it starts from; for a key that was seen, the job that it made.

        KeyReused where a key came with another digest. A job that was there already is known by an id that differs from
        `job.id`.  webhook: the URL that is told of its end.  room(count, units): whether one more may wait, of what
        `load` gives; QueueFull where it may not.
        """
        with self.change() as db:
            if key is not None:
                db.execute("DELETE FROM keys WHERE created < ?", (time.time() - KEY_LIFE,))
                known = self.keyed(key, digest)
                if known is not None:
                    return known
                # One may have grown too old since the line above, and stand here still.
                db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", (key, digest, job.id, job.created))
            if not room(*self.load()):
                raise QueueFull
            names = [field.name for field in fields(Job) if field.name != "seq"]
            marks = ", ".join("?" * len(names))
            row = [getattr(job, name) for name in names]
            db.execute(f"INSERT INTO jobs ({', '.join(names)}) VALUES ({marks})", row)
            for file in sources:
                self._add_file(file)
            if webhook is not None:
                db.execute("INSERT INTO webhooks VALUES (?, ?)", (job.id, webhook))
        return job

    def keyed(self, key: str, digest: str) -> Job | None:
        """The job that an idempotency key made, None for a new key; KeyReused where the request was another."""
        with self._lock:
            row = self._db.execute(
                "SELECT digest, job FROM keys WHERE key = ? AND created >= ?", (key, time.time() - KEY_LIFE)
            ).fetchone()
            if row is None:
                return None
            if row["digest"] != digest:
                raise KeyReused
            return self.get(row["job"])

    def get(self, id: str) -> Job | None:
        """The job of an id."""
        rows = self._jobs("SELECT * FROM jobs WHERE id = ?", id)
        return rows[0] if rows else None

    def page(self, after: str | None, limit: int, newest_first: bool, status: str | None = None) -> list[Job]:
        """Up to `limit` jobs in order of creation, from behind the job `after`; status: of one alone."""
        sign, order = ("<", "DESC") if newest_first else (">", "ASC")
        where, values = ["1"], []
        if after is not None:
            where, values = [f"seq {sign} (SELECT seq FROM jobs WHERE id = ?)"], [after]
        if status is not None:
            where, values = [*where, "status = ?"], [*values, status]
        return self._jobs(
            f"SELECT * FROM jobs WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?", *values, limit
        )

    def expired(self, before: float) -> list[str]:
        """Ids of jobs that ended before a time."""
        query = f"SELECT id FROM jobs WHERE ended < ? AND status IN ({', '.join('?' * len(ENDED))})"
        return [row[0] for row in self.rows(query, before, *ENDED)]

    def load(self) -> tuple[int, float]:
        """Jobs that wait, and the cost of all that are not done."""
        (row,) = self.rows(
            "SELECT COALESCE(SUM(status = ?), 0), COALESCE(SUM(cost), 0) FROM jobs WHERE status IN (?, ?)",
            *(WAITING, WAITING, RUNNING),
        )
        return row[0], row[1]

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        return {row[0]: row[1] for row in self.rows("SELECT status, COUNT(*) FROM jobs GROUP BY status")}

    def file(self, job: str, role: str) -> File | None:
        """The file of a job in a role."""
        rows = self.rows("SELECT * FROM files WHERE job = ? AND role = ?", job, role)
        return File(**dict(rows[0])) if rows else None

    def stop(self, id: str) -> Job | None:
        """Asks for a job to be cancelled: at once where it waits, by its worker where it runs."""
        with self.change() as db:
            db.execute("UPDATE jobs SET stop = 1 WHERE id = ? AND status = ?", (id, RUNNING))
            db.execute(
                "UPDATE jobs SET stop = 1, status = ?, ended = ? WHERE id = ? AND status = ?",
                (CANCELLED, time.time(), id, WAITING),
            )
        return self.get(id)

    def delete(self, id: str) -> bool:
        """Removes a job that is not running, with its files; whether it is gone."""
        with self.change() as db:
            files = [self.files / row[0] for row in db.execute("SELECT name FROM files WHERE job = ?", (id,))]
            if not db.execute("DELETE FROM jobs WHERE id = ? AND status != ?", (id, RUNNING)).rowcount:
                return False
            db.execute("DELETE FROM files WHERE job = ?", (id,))
            for table in ("keys", "webhooks", "deliveries"):
                db.execute(f"DELETE FROM {table} WHERE job = ?", (id,))
        for path in files:
            path.unlink(missing_ok=True)
        return True

    # What workers do

    def lease(self, owner: str, seconds: float) -> Job | None:
        """Takes the oldest job that waits, or whose worker has been silent for too long.

        Never one of the owner's own: after a sleep of the machine all leases are over, and the work just goes on.
        """
        now = time.time()
        with self.change():
            rows = self._jobs(
                "UPDATE jobs SET status = ?, owner = ?, lease = ?, started = ?, attempts = attempts + 1, progress = 0,"
                " stage = '', step = 0, steps = NULL, seconds_left = NULL WHERE seq = (SELECT seq FROM jobs"
                " WHERE status = ? OR (status = ? AND lease < ? AND owner != ?) ORDER BY seq LIMIT 1) RETURNING *",
                *(RUNNING, owner, now + seconds, now, WAITING, RUNNING, now, owner),
            )
        return rows[0] if rows else None

    def beat(self, id: str, owner: str, seconds: float, **seen: Any) -> bool:
        """Keeps a lease and writes what is `seen` of the progress; False where the job is no longer the owner's."""
        names = ["lease", *seen]
        values = [time.time() + seconds, *seen.values()]
        with self.change() as db:
            row = db.execute(
                f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in names)}"
                " WHERE id = ? AND owner = ? AND status = ? AND stop = 0",
                (*values, id, owner, RUNNING),
            )
            return row.rowcount == 1

    def finish(self, id: str, owner: str, files: list[File], notes: list[str]) -> bool:
        """Completes a job together with its files; False where it was cancelled or is no longer the owner's.

        notes: beside those that it has.
        """
        with self.change() as db:
            before = db.execute("SELECT notes FROM jobs WHERE id = ?", (id,)).fetchone()
            notes = [*(json.loads(before[0]) if before else ()), *notes]
            row = db.execute(
                "UPDATE jobs SET status = ?, ended = ?, progress = 100, stage = '', seconds_left = NULL, notes = ?,"
                " owner = NULL, lease = NULL WHERE id = ? AND owner = ? AND status = ? AND stop = 0",
                (DONE, time.time(), json.dumps(notes), id, owner, RUNNING),
            )
            if row.rowcount == 1:
                for file in files:
                    self._add_file(file)
            return row.rowcount == 1

    def end(self, id: str, owner: str, status: str, code: str | None = None, message: str | None = None) -> None:
        """Ends a job as failed or cancelled, or lets it wait again, as if it had not been begun."""
        ended = time.time() if status in ENDED else None
        with self.change() as db:
            db.execute(
                "UPDATE jobs SET status = ?, ended = ?, error_code = ?, error = ?, seconds_left = NULL, owner = NULL,"
                " lease = NULL, attempts = attempts - ? WHERE id = ? AND owner = ? AND status = ?",
                (status, ended, code, message, status == WAITING, id, owner, RUNNING),
            )

    def recover(self, max_attempts: int) -> None:
        """At start-up, when no worker is alive: what ran waits again, and files that belong to no job go.

        A job that was begun `max_attempts` times is ended: it may be what kills the server.
        """
        with self.change() as db:
            db.execute(
                "UPDATE jobs SET status = ?, ended = ? WHERE status = ? AND stop = 1", (CANCELLED, time.time(), RUNNING)
            )
            db.execute(
                "UPDATE jobs SET status = ?, ended = ?, error_code = 'server_error', error = ?"
                " WHERE status = ? AND attempts >= ?",
                (
                    FAILED,
                    time.time(),
                    "the server stopped every time it made this clip; ask for less.",
                    RUNNING,
                    max_attempts,
                ),
            )
            db.execute("UPDATE jobs SET status = ?, owner = NULL, lease = NULL WHERE status = ?", (WAITING, RUNNING))
            known = {row[0] for row in db.execute("SELECT name FROM files")}
        for path in self.files.iterdir():
            if path.name not in known:
                path.unlink(missing_ok=True)

    def rate(self, model: str | None = None) -> float | None:
        """Seconds that a unit of cost took a model lately (None: the slowest); None until something was measured."""
        which = "" if model is None else f" WHERE id = {zlib.crc32(model.encode())}"
        rows = self.rows(f"SELECT MAX(value) FROM rate{which}")
        return None if rows[0][0] is None else float(rows[0][0])

    def measured(self, seconds: float, model: str) -> None:
        """Takes what a unit of cost took a model this time, which counts for a third."""
        with self.change() as db:
            old = self.rate(model)
            new = seconds if old is None else old + (seconds - old) / 3
            db.execute("INSERT OR REPLACE INTO rate VALUES (?, ?)", (zlib.crc32(model.encode()), new))

    def units(self) -> dict[str, float]:
        """The cost of all jobs that are not done, by model."""
        rows = self.rows("SELECT model, SUM(cost) FROM jobs WHERE status IN (?, ?) GROUP BY model", WAITING, RUNNING)
        return {str(row[0]): float(row[1]) for row in rows}

    def _add_file(self, file: File) -> None:
        self._db.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?)", (file.id, file.job, file.role, file.name, file.type)
        )

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """What a query gives."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _jobs(self, query: str, *values: Any) -> list[Job]:
        return [Job(**{name: row[name] for name in _COLUMNS}) for row in self.rows(query, *values)]

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction. One that cannot be committed (a full disk) is undone: left open, it would swallow others."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._commit()
            except BaseException:
                if self._db.in_transaction:  # SQLite may have undone it by itself
                    self._db.execute("ROLLBACK")
                raise

    def _commit(self) -> None:
        self._db.execute("COMMIT")
