"""Job: a clip or a sound that is being made, in this process or by a service; both look the same."""

import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from mediagen.sdk.errors import Cancelled, NotYet
from mediagen.sdk.tasks.progress import Advance, Progress

if TYPE_CHECKING:
    from mediagen.media.clip import Clip
    from mediagen.sdk.tasks.edited import EditedFilm
    from mediagen.sdk.tasks.soundtracks import Soundtrack
    from mediagen.sdk.tasks.stories import Story
    from mediagen.sdk.tasks.upscaled import UpscaledFilm

# What is made: a Soundtrack, an EditedFilm or an UpscaledFilm of a film's file, a Story, else a Clip.
T = TypeVar("T", bound="Clip | Soundtrack | EditedFilm | UpscaledFilm | Story")
J = TypeVar("J", bound="LocalJob[Any]")
Status = Literal["queued", "in_progress", "completed", "failed", "cancelled"]
ENDED = ("completed", "failed", "cancelled")


class Job(ABC, Generic[T]):
    """A clip or a sound that is being made. id: its name, which a service knows it by."""

    id: str

    @property
    @abstractmethod
    def status(self) -> Status:
        """How it stands."""

    @property
    @abstractmethod
    def progress(self) -> int:
        """0 to 100; 100 when it is completed."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self.status}, {self.progress} %>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: how far it is at that moment; `watch` shows it as it goes on."""
        bar = f'<progress max="100" value="{self.progress}"></progress> {self.status}, {self.progress} %'
        return {"text/plain": repr(self), "text/html": bar}

    def watch(self) -> T:
        """Waits for the result, and shows the progress in a notebook while it does; elsewhere as `result`."""
        from mediagen.sdk.notebook import watched

        return watched(self)

    @abstractmethod
    def result(self, timeout: float | None = None) -> T:
        """What was asked for, when it is made.

        Raises what stopped it (Cancelled, RequestError, ...), and NotYet (a TimeoutError) where it takes longer than
        `timeout` seconds; it goes on then.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Stops it at the next step; one that has ended stays as it is."""

    @abstractmethod
    def save(self, path: str | Path, timeout: float | None = None) -> Path:
        """Writes it to a file when it is made, sound alone to a .wav; raises as `result`."""


class LocalJob(Job[T]):
    """A job of an engine in this process."""

    def __init__(self, share: Advance) -> None:
        self.id = f"job_{secrets.token_hex(8)}"
        self._share, self._stopped = share, threading.Event()
        self._future: Future[T] = Future()

    @property
    def status(self) -> Status:
        """See Job."""
        if not self._future.done():
            return "in_progress" if self._future.running() else "queued"
        if self._future.cancelled() or isinstance(self._future.exception(), Cancelled):
            return "cancelled"
        return "failed" if self._future.exception() else "completed"

    @property
    def progress(self) -> int:
        """See Job."""
        return 100 if self.status == "completed" else self._share.percent

    def result(self, timeout: float | None = None) -> T:
        """See Job."""
        try:
            return self._future.result(timeout)
        except CancelledError:
            raise Cancelled("cancelled before it was begun.") from None
        except FutureTimeout:
            if self._future.done():  # the work itself ended so
                raise
            raise NotYet(f"it is not made after {timeout:g} s; wait longer, or cancel it.") from None

    def cancel(self) -> None:
        """See Job."""
        self._stopped.set()
        self._future.cancel()

    def save(self, path: str | Path, timeout: float | None = None) -> Path:
        """See Job."""
        return self.result(timeout).save(path)

    def run(self, make: Callable[..., T]) -> None:
        """Makes it, in the thread that calls: make(callback_on_step_end=..., on_progress=...)."""
        if not self._future.set_running_or_notify_cancel():
            return
        try:
            made = make(callback_on_step_end=self._on_step, on_progress=self._on_progress)
        except BaseException as error:
            self._future.set_exception(error)
        else:
            self._future.set_result(made)

    def _on_step(self, *_: Any) -> bool:
        return not self._stopped.is_set()

    def _on_progress(self, moment: Progress) -> None:
        if self._stopped.is_set():
            raise Cancelled("cancelled.")
        self._share.hear(moment)


class Queue:
    """Makes jobs one after the other in a thread of its own, which lives while there are some."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[LocalJob[Any], Callable[..., Any]]] = []
        self._busy = False

    def add(self, job: J, make: Callable[..., Any]) -> J:
        """Adds a job, and gives it back; see LocalJob.run."""
        with self._lock:
            self._waiting.append((job, make))
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._work, name="mediagen-jobs").start()
        return job

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                job, make = self._waiting.pop(0)
            job.run(make)
