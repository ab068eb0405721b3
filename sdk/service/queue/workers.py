"""Workers: threads that take the oldest job, make it, and complete it in one transaction."""

import logging
import secrets
import sqlite3
import threading
from typing import Any

from mediagen.sdk.errors import Cancelled, ModelError, RequestError
from mediagen.sdk.service.intake.decoding import nameless
from mediagen.sdk.service.kinds.table import KINDS, available
from mediagen.sdk.service.queue import outputs, sources
from mediagen.sdk.service.queue.rows import CANCELLED, FAILED, WAITING, File, Job
from mediagen.sdk.service.queue.store import Store
from mediagen.sdk.service.queue.watch import Listeners, Watch
from mediagen.sdk.service.refusals import disk_full
from mediagen.sdk.service.settings import Settings
from mediagen.sdk.service.shelf import Shelf
from mediagen.sdk.tasks.progress import Progress

log = logging.getLogger("mediagen.service")
INTERNAL = "the server failed to make this clip; its log says more."


class Workers:
    """Makes the jobs of a store with the engines of a shelf, `settings.workers` side by side."""

    def __init__(self, shelf: Shelf, store: Store, settings: Settings, listeners: Listeners) -> None:
        self.shelf, self.store, self.settings, self.listeners = shelf, store, settings, listeners
        self.owner = secrets.token_hex(8)
        self.watches: dict[str, Watch] = {}
        self._ending = threading.Event()
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Starts the threads."""
        loops = [*[self._work] * self.settings.workers, self._keep_leases, self._load]
        threads = [threading.Thread(target=loop, name="mediagen-worker", daemon=True) for loop in loops]
        for thread in threads:
            thread.start()
        self._threads = threads[:-1]  # all but the one that ends by itself

    def stop(self, timeout: float = 30.0) -> None:
        """Ends the threads; a job that runs waits again, for the next start."""
        self._ending.set()
        self.wake()
        for watch in list(self.watches.values()):
            watch.stopped.set()
        for thread in self._threads:
            thread.join(timeout)

    def wake(self) -> None:
        """Says that the queue has a new job."""
        with self._news:
            self._news.notify_all()

    def cancel(self, id: str) -> None:
        """Stops a job that runs here, at its next step."""
        watch = self.watches.get(id)
        if watch is not None:
            watch.stopped.set()

    def alive(self) -> bool:
        """Whether every thread runs."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def _load(self) -> None:
        """Reads the models, so that the first job need not wait for them."""
        for name in list(self.shelf.engines)[: self.shelf.most]:
            with self.shelf.using(name) as engine:
                self._read(engine)

    def _read(self, engine: Any) -> None:
        """Reads the models of one engine."""
        for name in {family for kind in KINDS if available(engine, kind) for family in KINDS[kind].families}:
            if self._ending.is_set():
                return
            try:
                engine.models.get(name)
            except (ModelError, RequestError, MemoryError) as error:  # a job that needs it will say so
                log.error("%s", error)

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                job = self.store.lease(self.owner, self.settings.lease)
                if job is not None:
                    self._do(job)
                    continue
            except Exception:  # a full disk, say: it may have room again later
                log.exception("a worker cannot go on; it tries again")
                self._ending.wait(2)
            with self._news:
                self._news.wait(self.settings.poll)

    def _keep_leases(self) -> None:
        """Renews the leases of jobs whose stage takes longer than a lease without a word."""
        while not self._ending.wait(self.settings.lease / 3):
            for watch in list(self.watches.values()):
                watch.beat()

    def _do(self, job: Job) -> None:
        ending: tuple[str, str | None, str | None] | None = None
        made: list[File] = []
        watch: Watch | None = None
        try:
            if job.kind not in KINDS:  # of a later version, whose data folder this one got
                raise RequestError(f"this server knows no jobs of the kind '{job.kind}'; ask one that does.")
            stages = KINDS[job.kind].stages(job.values)
            watch = Watch(job, stages, self.owner, self.store, self.settings.lease, self.listeners)
            self.watches[job.id] = watch
            if self._ending.is_set():  # likewise the end of the service
                watch.stopped.set()
            watch.beat()  # a cancel may have come before there was anybody to hear it
            watch.check()
            with self.shelf.using(job.model, watch.check) as engine:
                clip = make(engine, job, self.store, watch)
            took = watch.elapsed
            watch.on_progress(Progress("Writing"))
            outputs.write(clip, job.id, self.store, made)
            if not self.store.finish(job.id, self.owner, made, clip.settings.get("notes", [])):
                raise Cancelled("cancelled while it was written.")
        except Cancelled:
            lost = watch is None or watch.lost
            ending = (WAITING if self._ending.is_set() and not lost else CANCELLED, None, None)
        except Exception as error:
            ending = (FAILED, *reason(error, self.store))
            if ending[1] == "server_error":
                log.exception("job %s failed", job.id)
        else:
            self._measure(took / max(job.cost, 1e-9), job.model)
        finally:
            self.watches.pop(job.id, None)
            if ending is not None:
                outputs.remove(made, self.store)
                self._end(job, *ending)

    def _measure(self, seconds: float, model: str) -> None:
        """Keeps what a unit of cost took; where it cannot be written, the job is completed all the same."""
        try:
            self.store.measured(seconds, model)
        except sqlite3.Error:
            log.exception("the speed of the work cannot be written")

    def _end(self, job: Job, status: str, code: str | None, message: str | None) -> None:
        """Ends a job, and tries until that is written: a worker that forgot it would leave it running for ever."""
        while True:
            try:
                return self.store.end(job.id, self.owner, status, code, message)
            except sqlite3.Error:
                log.exception("the end of a job cannot be written")
                if self._ending.wait(2):
                    return  # the next start finds it and begins it again


def make(engine: Any, job: Job, store: Store, watch: Watch) -> Any:
    """What a job makes: as its kind makes it, with the request's values, of the files that it starts from."""
    kind, given = KINDS[job.kind], {}
    for role, start in kind.sources.items():
        file = store.file(job.id, role)
        if file is not None:
            given[start.field] = sources.READ[start.read](store.path(file))
    given |= kind.beside(job.values, store.files.parent)
    return kind.make(engine, given, job.values, callback_on_step_end=watch.on_step, on_progress=watch.on_progress)


def reason(error: Exception, store: Store) -> tuple[str, str]:
    """Code and sentence about a failure, without anything of the server's inside."""
    text = str(error)
    if isinstance(error, RequestError):
        return "invalid_request", nameless(text, store.files)
    if isinstance(error, ModelError):
        log.error("%s", error)
        return "model_error", "the server's models are missing or damaged; its log says more."
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "allocate memory" in text:
        _free()
        return "out_of_memory", "the server has too little memory for this clip; ask for a smaller one."
    if disk_full(error):
        return "storage_full", "the server's disk is full; try again when there is room."
    return "server_error", INTERNAL


def _free() -> None:
    """Gives what is cached on a GPU back."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
