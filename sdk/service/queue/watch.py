"""Watch: one running job as the world sees it. Hears the engine's callbacks, and is where a cancel takes hold."""

import base64
import io
import logging
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

from mediagen.sdk.errors import Cancelled
from mediagen.sdk.service.queue.rows import Job
from mediagen.sdk.service.queue.store import Store
from mediagen.sdk.tasks.progress import LOADING, Share, Stages

if TYPE_CHECKING:
    from mediagen.sdk.tasks.progress import Progress

log = logging.getLogger("mediagen.service")
_BETWEEN = 0.2  # seconds between two writes of the progress
_PREVIEW = 0.5  # seconds between two previews


class Listeners:
    """Who listens to which job, and the last preview of each; previews are made only for those."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._count: dict[str, int] = {}
        self._preview: dict[str, str] = {}

    def full(self) -> bool:
        """Whether as many listen, to all jobs together, as may."""
        with self._lock:
            return self._full()

    def join(self, job: str) -> bool:
        """One more listener of a job; False where there are too many."""
        with self._lock:
            if self._full():
                return False
            self._count[job] = self._count.get(job, 0) + 1
            return True

    def _full(self) -> bool:
        return sum(self._count.values()) >= self.most

    def leave(self, job: str) -> None:
        """One listener less."""
        with self._lock:
            self._count[job] -= 1
            if not self._count[job]:
                del self._count[job]
                self._preview.pop(job, None)

    def heard(self, job: str) -> bool:
        """Whether somebody listens to a job."""
        return job in self._count

    def show(self, job: str, preview: str) -> None:
        """Sets the preview of a job."""
        with self._lock:
            if job in self._count:
                self._preview[job] = preview

    def preview(self, job: str) -> str | None:
        """The last preview of a job, a data URL."""
        return self._preview.get(job)


class Watch:
    """The callbacks of one job. stopped: set by a cancel in this process, heard at the next step.

    lost: set where the job is no longer this worker's, or was cancelled by another process.
    """

    def __init__(self, job: Job, stages: Stages, owner: str, store: Store, lease: float, listeners: Listeners) -> None:
        self.job, self.stopped, self.lost = job, threading.Event(), False
        self._owner, self._store, self._lease, self._listeners = owner, store, lease, listeners
        self._begun = self._heard = time.monotonic()
        self._loading = self._written = self._shown = 0.0
        self._share = Share(stages)
        self._seen: dict[str, Any] = {}
        self._before: tuple[float, Any] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds of the work proper: loading models does not count."""
        return time.monotonic() - self._begun - self._loading

    def on_progress(self, moment: "Progress") -> None:
        """Hears a stage of the engine."""
        self.check()
        now = time.monotonic()
        new_stage = moment.stage != self._seen.get("stage")
        if self._seen.get("stage", LOADING[0]) in LOADING:
            self._loading += now - self._heard
        self._heard = now
        if moment.step == 0:
            self._before = None
        self._share.hear(moment)
        share = self._share.value
        self._seen = {
            "stage": moment.stage,
            "step": moment.step,
            "steps": moment.steps,
            "progress": self._share.percent,
            "seconds_left": self.elapsed * (1 - share) / share if share > 0.02 else None,
        }
        if new_stage or now - self._written >= _BETWEEN:
            self.beat()

    def on_step(self, engine: Any, step: int, t: float, info: dict[str, Any]) -> bool:
        """Hears a step of the solver; makes a preview where somebody listens."""
        if self._listeners.heard(self.job.id) and info.get("stage") == "Making the pictures" and t < 1:
            now, latent = time.monotonic(), info.get("latent")
            if self._before is not None and now - self._shown >= _PREVIEW and latent is not None:
                self._shown = now
                try:
                    self._listeners.show(self.job.id, preview(engine, *self._before, t, latent))
                except Exception:  # a picture on the way is worth no failed job
                    log.exception("no preview of job %s", self.job.id)
            self._before = (t, latent)
        return not self.stopped.is_set()

    def beat(self) -> None:
        """Renews the lease and writes the progress; where that cannot be written, the work goes on all the same."""
        self._written = time.monotonic()
        try:
            kept = self._store.beat(self.job.id, self._owner, self._lease, **self._seen)
        except sqlite3.Error:
            log.exception("the progress of job %s cannot be written", self.job.id)
            return
        if not kept:
            self.lost = True
            self.stopped.set()

    def check(self) -> None:
        """Raises Cancelled where the job was stopped."""
        if self.stopped.is_set():
            raise Cancelled("cancelled.")


def preview(engine: Any, t0: float, x0: Any, t1: float, x1: Any) -> str:
    """A JPEG, as a data URL, of the middle of the clip that two neighbouring states of the sampler head for.

    On the straight path the velocity between them leads to the end: x1 + (1 - t1) (x1 - x0) / (t1 - t0).
    """
    import torch
    from PIL import Image

    from mediagen.media.clip import to_uint8

    with torch.no_grad():
        middle = x1.shape[2] // 2
        x0, x1 = x0[:1, :, middle : middle + 1], x1[:1, :, middle : middle + 1]
        ahead = x1 + (1 - t1) * (x1 - x0) / (t1 - t0)
        frame = to_uint8(engine.models.get("tae").decode(ahead, 1))[0, 0].cpu()
    file = io.BytesIO()
    Image.fromarray(frame.numpy()).save(file, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
