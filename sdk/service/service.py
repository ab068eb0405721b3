"""Service: jobs from a request to their files, on one engine and one store, known to nothing of HTTP but refusals."""

import hashlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mediagen.sdk.errors import RequestError
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.intake.forms import Form, request_values
from mediagen.sdk.service.intake.starts import Starts
from mediagen.sdk.service.intake.uploads import Decoder
from mediagen.sdk.service.kinds.kind import Kind, measured
from mediagen.sdk.service.kinds.table import KINDS, available
from mediagen.sdk.service.queue import webhooks
from mediagen.sdk.service.queue.rows import DONE, ENDED, RUNNING, File, Job
from mediagen.sdk.service.queue.store import KeyReused, QueueFull, Store
from mediagen.sdk.service.queue.watch import Listeners
from mediagen.sdk.service.queue.workers import Workers
from mediagen.sdk.service.refusals import Refused, missing, of_request, wrong
from mediagen.sdk.service.settings import MIB, Settings
from mediagen.sdk.service.shelf import Shelf

log = logging.getLogger("mediagen.service")
_DELETE_WAIT = 60.0  # seconds that DELETE waits for a running job to stop
_DAY = 24 * 3600.0
_SWEEP = 60.0  # seconds between looks for jobs that have expired


class Service:
    """Engines by name, one data folder. Its methods may block; routes call them from threads.

    engine, model: the first of them, and its name.  others: further ones.
    """

    def __init__(
        self, engine: Any, store: Store, settings: Settings, model: str = "mediagen",
        others: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.engine, self.store, self.settings, self.model = engine, store, settings, model
        self.shelf = Shelf({model: engine, **(others or {})}, settings.models)
        self.listeners = Listeners(settings.max_listeners)
        self.workers = Workers(self.shelf, store, settings, self.listeners)
        self.webhooks = webhooks.Webhooks(store, settings)
        self.decoder = Decoder(settings)
        self.begun = time.time()
        self._ending = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, name="mediagen-sweeper", daemon=True)

    def start(self) -> None:
        """Takes up what an earlier run left, and starts to work."""
        self.store.recover(self.settings.max_attempts)
        self.workers.start()
        self.webhooks.start()
        if self.settings.keep_days:
            self._sweeper.start()

    def stop(self) -> None:
        """Ends the work; what is not done waits for the next start."""
        self._ending.set()
        self.workers.stop()
        self.webhooks.stop()
        if self._sweeper.is_alive():
            self._sweeper.join()
        self.decoder.close()
        self.store.close()

    def require(self, name: str) -> None:
        """Refused with 501 where the models of a kind of job are not installed."""
        if not any(available(engine, name) for engine in self.shelf.engines.values()):
            kind = KINDS[name]
            raise Refused(
                501,
                f"got a request for {kind.what}, for which this server has no model; add the models "
                f"{', '.join(kind.families)} to its model folder.",
                "model_not_available",
            )

    def create(self, name: str, form: Form, key: str | None = None, parent: str | None = None) -> Job:
        """A new job of a kind, or the one that the idempotency key made before. Refused for what cannot be met.

        parent: the job that it starts from, where the route names one.
        """
        self.require(name)
        kind = KINDS[name]
        form.known(kind.form_fields, [start.field for start in kind.starts])
        digest = _digest(name, form, parent)
        known = self._known(key, digest)
        if known is not None:
            return known
        values = dict(form.values)
        model, notes = self._chosen(values.pop("model", None), name)
        engine = self.shelf.engines[model]
        starts = Starts(self, f"video_{secrets.token_hex(16)}", engine.limits)
        given = {start.field: values.pop(start.field, None) for start in kind.starts}
        given = {field: value for field, value in given.items() if value != ""}  # which a form left empty
        webhook = webhooks.checked(values.pop("webhook_url", None), self.settings)
        values = request_values(values, kind.request)
        if self.settings.adapt:
            values, changes = kind.adapted(values, engine.limits)
            notes += changes
        try:
            if not any(start.needed for start in kind.starts):
                self._checked(engine, kind, values, {})  # a wrong number is refused before a picture is decoded
            if not self._room(*self.store.load()):  # nor is one for which there is no room
                raise QueueFull
            starts.read(kind, form, given, parent)
            job = replace(self._job(model, kind, values, starts), notes=json.dumps(notes))
            made = self.store.create(job, starts.files, key, digest, webhook=webhook, room=self._room)
        except KeyReused:
            starts.forget()
            raise _reused() from None
        except QueueFull:
            starts.forget()
            raise self._full() from None
        except BaseException:
            starts.forget()
            raise
        if made.id != job.id:
            starts.forget()
        self.workers.wake()
        return made

    def get(self, id: str) -> Job:
        """The job of an id; Refused with 404."""
        job = self.store.get(id)
        if job is None:
            raise missing("video", id)
        return job

    def cancel(self, id: str) -> Job:
        """Stops a job: at once where it waits, at its next step where it runs; one that has ended stays as it is."""
        job = self.store.stop(id)
        if job is None:
            raise missing("video", id)
        self.workers.cancel(id)
        return job

    def delete(self, id: str) -> None:
        """Removes a job with its files; one that runs is cancelled first, which takes a step at most."""
        end = time.monotonic() + _DELETE_WAIT
        job: Job | None = self.cancel(id)
        while job is not None and job.status == RUNNING and time.monotonic() < end:
            time.sleep(0.02)
            job = self.store.get(id)
        if not self.store.delete(id) and self.store.get(id) is not None:
            raise Refused(409, "got a video that is still being made; delete it again when it has stopped.", "busy")

    def file(self, id: str, role: str) -> File:
        """A file of a finished job."""
        job = self.get(id)
        file = self.store.file(id, role)
        if role != "video" and job.alone:
            raise wrong(f"variant: got '{role}', but a sound has no pictures; leave it out.", None, "variant")
        if job.status == DONE and file is None:
            raise wrong(f"variant: got '{role}', which this video does not have; leave it out.", None, "variant")
        if job.status != DONE or file is None:
            do = "make it again" if job.status in ENDED else "wait until it is completed"
            raise wrong(f"got a job that is {job.status}, expected a completed one; {do}.", "not_ready")
        return file

    def expires(self, job: Job) -> float | None:
        """When a job that has ended goes, in Unix seconds; None where it stays."""
        keep = self.settings.keep_days * _DAY
        return job.ended + keep if keep and job.ended is not None and job.status in ENDED else None

    def sweep(self) -> None:
        """Removes what has expired."""
        for id in self.store.expired(time.time() - self.settings.keep_days * _DAY):
            self.store.delete(id)

    def _sweep(self) -> None:
        while True:
            try:
                self.sweep()
            except Exception:  # a full disk, say: it may have room again later
                log.exception("what has expired cannot be removed; it is tried again")
            if self._ending.wait(min(_SWEEP, self.settings.keep_days * _DAY)):
                return

    def _chosen(self, given: Any, kind: str) -> tuple[str, list[str]]:
        """The model that makes a job, and a sentence where it was asked for by another name.

        Where none is named, the first that makes such jobs.  Refused for a name that none has, and for a model that
        makes none.
        """
        names = self.shelf.engines
        able = [name for name, engine in names.items() if available(engine, kind)]
        if given in (None, ""):
            return able[0], []
        if given in able:
            return given, []
        if given in self.settings.aliases and self.model in able:
            return self.model, [f"The model '{given}' is '{self.model}' here."]
        why = f"which is not for {KINDS[kind].what}, " if given in list(names) else ""
        raise wrong(
            f"model: got {str(given)[:80]!r}, {why}expected {' or '.join(map(repr, able))}; give that or leave it out.",
            "model_not_found",
            "model",
        )

    def _known(self, key: str | None, digest: str) -> Job | None:
        try:
            return None if key is None else self.store.keyed(key, digest)
        except KeyReused:
            raise _reused() from None

    def _checked(self, engine: Any, kind: Kind, values: dict[str, Any], about: dict[str, Any]) -> tuple[Any, Any]:
        """The request as it was asked, and as it will be made; Refused where it cannot be."""
        try:
            request = kind.asked(values, about)
            return request, kind.check(request, engine, about)
        except RequestError as error:
            raise of_request(error) from None

    def _job(self, model: str, kind: Kind, values: dict[str, Any], starts: Starts) -> Job:
        """The row of a new job; Refused where it is too large."""
        about = measured(starts.about, kind.sound_alone)
        engine = self.shelf.engines[model]
        request, full = self._checked(engine, kind, values, about)
        estimated, outcome = kind.price(full, kind.limits(engine), about), kind.outcome(full, about)
        seconds, most = estimated.units * self._rate(model), self.settings
        if estimated.bytes > most.job_bytes:
            raise wrong(
                f"got a request that takes about {estimated.bytes // MIB} MiB of memory, expected at most "
                f"{most.job_bytes // MIB} MiB; ask for a smaller or shorter one.",
                "too_large",
            )
        if seconds > most.max_job_seconds:
            raise wrong(
                f"got a request that takes about {seconds:.0f} s to make, expected at most "
                f"{most.max_job_seconds:.0f} s; ask for fewer steps or a shorter one.",
                "too_large",
            )
        files = {file.role for file in starts.files}
        arguments = {start.argument: role in files for role, start in kind.sources.items() if start.argument}
        stored = request.model_dump(mode="json", exclude_unset=True, exclude={*arguments})
        stored |= {"prompt": getattr(request, "prompt", None)}
        # So that who sees the request knows of the file; the worker puts it here.
        stored |= {argument: "upload" for argument, there in arguments.items() if there}
        if stored.get("seed") is None:
            stored["seed"] = secrets.randbits(31)  # drawn here, so that a job begun twice makes the same clip
        return Job(
            id=starts.id,
            kind=kind.name,
            request=json.dumps(stored),
            model=model,
            size=f"{outcome.size[0]}x{outcome.size[1]}",
            seconds=f"{outcome.seconds:g}",
            fps=outcome.fps,
            parent=starts.parent,
            cost=estimated.units,
            created=time.time(),
        )

    def _room(self, count: int, units: float) -> bool:
        """Whether one more may wait, beside so many jobs and so much work."""
        return count < self.settings.max_queue and self._waiting() <= self.settings.max_wait

    def _full(self) -> Refused:
        """429, with the time after which there may be room."""
        count, _ = self.store.load()
        wait = max(1, min(60, round(self._waiting() / max(count, 1))))
        return Refused(
            429,
            f"got a request while {count} jobs wait, which is as many as are taken; try again in {wait} s.",
            "queue_full",
            headers={"Retry-After": str(wait)},
        )

    def _rate(self, model: str) -> float:
        return self.store.rate(model) or cost.RATE

    def _waiting(self) -> float:
        """Seconds of work that is not done, by what each model took lately."""
        return sum(units * self._rate(model) for model, units in self.store.units().items()) / self.settings.workers


def _reused() -> Refused:
    return Refused(
        422,
        "got an Idempotency-Key that came with another request before; send a new key for a new request.",
        "idempotency_key_reused",
    )


def _digest(name: str, form: Form, parent: str | None) -> str:
    """What tells two requests apart: the kind, the fields and the files."""
    total = hashlib.sha256(json.dumps([name, parent, form.values], sort_keys=True).encode())
    for field, upload in sorted(form.uploads.items()):
        total.update(field.encode())
        while block := upload.file.read(1 << 20):
            total.update(block)
        upload.file.seek(0)
    return total.hexdigest()
