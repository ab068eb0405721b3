"""Service: takes requests, checks and admits them, and answers about jobs; everything but HTTP."""

import hashlib
import json
import secrets
import time
from pathlib import Path
from typing import IO, Any

from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.intake.checking import checked, measured
from mediagen.sdk.service.intake.fetch import fetch
from mediagen.sdk.service.intake.forms import Form, request_values
from mediagen.sdk.service.intake.uploads import Decoder, data_url, no_reference, take
from mediagen.sdk.service.kinds.table import KINDS, Kind, available
from mediagen.sdk.service.queue.rows import DONE, RUNNING, WAITING, File, Job
from mediagen.sdk.service.queue.store import KeyReused, Store, second_name, settle
from mediagen.sdk.service.queue.watch import Listeners
from mediagen.sdk.service.queue.workers import Workers
from mediagen.sdk.service.refusals import Refused, missing, wrong
from mediagen.sdk.service.settings import MIB, Settings
from mediagen.sdk.tasks.sound_requests import SoundRequest

_DELETE_WAIT = 60.0  # seconds that DELETE waits for a running job to stop


class Service:
    """One engine, one data folder. Its methods may block; routes call them from threads."""

    def __init__(self, engine: Any, store: Store, settings: Settings, model: str = "mediagen") -> None:
        self.engine, self.store, self.settings, self.model = engine, store, settings, model
        self.listeners = Listeners(settings.max_listeners)
        self.workers = Workers(engine, store, settings, self.listeners)
        self.decoder = Decoder(settings)
        self.begun = time.time()

    def start(self) -> None:
        """Takes up what an earlier run left, and starts to work."""
        self.store.recover(self.settings.max_attempts)
        self.workers.start()

    def stop(self) -> None:
        """Ends the work; what is not done waits for the next start."""
        self.workers.stop()
        self.decoder.close()
        self.store.close()

    def require(self, name: str) -> None:
        """Refused with 501 where the models of a kind of job are not installed."""
        if not available(self.engine, name):
            kind = KINDS[name]
            raise Refused(
                501,
                f"got a request for {kind.what}, for which this server has no model; add the models "
                f"{', '.join(kind.families)} to its model folder.",
                "model_not_available",
            )

    def create(self, name: str, form: Form, key: str | None = None, parent: str | None = None) -> Job:
        """A new job of a kind, or the one that the idempotency key made before. Refused for what cannot be met."""
        self.require(name)
        kind = KINDS[name]
        form.known("model", "size", *kind.fields, file=kind.source)
        values = dict(form.values)
        model, given = values.pop("model", None), values.pop(kind.source, None)
        given = None if given == "" else given  # a field of a form that was left empty
        if model not in (None, "", self.model):
            raise wrong(
                f"model: got {str(model)[:80]!r}, expected '{self.model}'; give that or leave it out.",
                "model_not_found",
                "model",
            )
        digest = _digest(name, form, parent)
        known = self._known(key, digest)
        if known is not None:
            return known
        values = request_values(values)
        id = f"video_{secrets.token_hex(16)}"
        source, about = None, {}
        try:
            if not kind.needs_source:
                checked(self.engine, name, values, about)  # a wrong number is refused before a picture is decoded
            self._admit()
            if form.upload is not None or given is not None or parent is not None:
                source, about, parent = self._source(name, id, form, given, parent)
            elif kind.needs_source:
                raise wrong(f"got no {kind.source}, expected a file or the id of a job; give it.", None, kind.source)
            job = self._job(id, name, values, about, parent)
            made = self.store.create(job, source, key, digest)
        except KeyReused:
            self._forget(source)
            raise _reused() from None
        except BaseException:
            self._forget(source)
            raise
        if made.id != job.id:
            self._forget(source)
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
        if role != "video" and KINDS[job.kind].alone:
            raise wrong(f"variant: got '{role}', but a sound has no pictures; leave it out.", None, "variant")
        if job.status != DONE or file is None:
            advice = "wait until it is completed" if job.status in (WAITING, RUNNING) else "make it again"
            raise wrong(f"got a job that is {job.status}, expected a completed one; {advice}.", "not_ready")
        return file

    def _known(self, key: str | None, digest: str) -> Job | None:
        try:
            return None if key is None else self.store.keyed(key, digest)
        except KeyReused:
            raise _reused() from None

    def _source(
        self, name: str, id: str, form: Form, given: Any, parent: str | None
    ) -> tuple[File, dict[str, Any], str | None]:
        """The file that a job starts from, what is known about it, and the job that made it."""
        kind = KINDS[name]
        stream = form.upload.file if form.upload is not None else self._named(given)
        if stream is not None:
            return *take(stream, self.decoder, self.store.files, id, kind.takes, self.engine.limits), None
        if kind.source == "input_reference":
            raise no_reference(given)
        parent = parent or (given.get("id") if isinstance(given, dict) else given)
        if not isinstance(parent, str):
            name = kind.source
            raise wrong(f'{name}: got no id, expected that of a completed job; give {{"id": ...}}.', None, name)
        film, before = self.file(parent, "video"), self.get(parent)
        file = File.new(id, "source", Path(film.name).suffix, film.type)
        try:
            second_name(self.store.path(film), self.store.path(file))
            self._suits(kind, before, self.store.path(file))
            settle(self.store.path(file))
        except FileNotFoundError:  # which it was just now
            raise missing("video", parent) from None
        except BaseException:
            self._forget(file)
            raise
        width, _, height = before.size.partition("x")
        about = {"size": (int(width), int(height)), "fps": before.fps, "caption": before.values["prompt"] or ""}
        return file, about | {"seconds": float(before.seconds)}, parent

    def _suits(self, kind: Kind, before: Job, made: Path) -> None:
        """Refused where a kind of job cannot start from what another has `made`."""
        if KINDS[before.kind].alone and not kind.alone:
            raise wrong(f"{kind.source}: got a sound, expected a film; give the id of one.", None, kind.source)
        if kind.alone:
            from mediagen.media.read import has_sound

            if not has_sound(made):
                raise wrong("sound: got a film without sound, expected some; give another id.", None, "sound")

    def _named(self, given: Any) -> IO[bytes] | None:
        """The picture in {"image_url": ...}: of a data URL, or fetched where that is on; None for anything else."""
        url = given.get("image_url") if isinstance(given, dict) else None
        if not isinstance(url, str) or (not url.startswith("data:") and not self.settings.url_inputs):
            return None
        return data_url(url) if url.startswith("data:") else fetch(url, self.settings.upload_bytes)

    def _job(self, id: str, name: str, values: dict[str, Any], about: dict[str, Any], parent: str | None) -> Job:
        """The row of a new job; Refused where it is too large."""
        limits = self.engine.limits
        about = measured(KINDS[name], about)
        request, full = checked(self.engine, name, values, about)
        size, fps, already = about["size"], about["fps"], about["seconds"]
        if name == "generate":
            size, fps = (full.width, full.height), full.fps
        if KINDS[name].alone:
            estimated = cost.estimate_sound(full, full.seconds or already, about.get("channels", 1), already)
        elif isinstance(full, SoundRequest):
            estimated = cost.estimate_sound(full, already)
        else:
            estimated = cost.estimate(full, limits, size, fps, already)
        seconds, most = estimated.units * self._rate(), self.settings
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
        stored = request.model_dump(exclude_unset=True, exclude={"image"}) | {"prompt": request.prompt}
        if KINDS[name].takes == "picture" and "frames" in about:
            stored["image"] = "upload"  # so that who sees the request knows of it; the worker puts the picture here
        if stored.get("seed") is None:
            stored["seed"] = secrets.randbits(31)  # drawn here, so that a job begun twice makes the same clip
        added = full.seconds or 0.0  # a soundtrack adds none
        whole = already + added if name in ("extend", "extend_sound") else already or added
        return Job(
            id=id,
            kind=name,
            request=json.dumps(stored),
            model=self.model,
            size=f"{size[0]}x{size[1]}",
            seconds=f"{whole:g}",
            fps=fps,
            parent=parent,
            cost=estimated.units,
            created=time.time(),
        )

    def _admit(self) -> None:
        """Refused with 429 where too much waits."""
        count, units = self.store.load()
        rate = self._rate() / self.settings.workers
        if count >= self.settings.max_queue or units * rate > self.settings.max_wait:
            wait = max(1, min(60, round(units * rate / max(count, 1))))
            raise Refused(
                429,
                f"got a request while {count} jobs wait, which is as many as are taken; try again in {wait} s.",
                "queue_full",
                headers={"Retry-After": str(wait)},
            )

    def _rate(self) -> float:
        return self.store.rate() or cost.RATE

    def _forget(self, source: File | None) -> None:
        if source is not None:
            self.store.path(source).unlink(missing_ok=True)


def _reused() -> Refused:
    return Refused(
        422,
        "got an Idempotency-Key that came with another request before; send a new key for a new request.",
        "idempotency_key_reused",
    )


def _digest(name: str, form: Form, parent: str | None) -> str:
    """What tells two requests apart: the kind, the fields and the file."""
    total = hashlib.sha256(json.dumps([name, parent, form.values], sort_keys=True).encode())
    if form.upload is not None:
        while block := form.upload.file.read(1 << 20):
            total.update(block)
        form.upload.file.seek(0)
    return total.hexdigest()
