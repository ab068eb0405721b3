"""Starts: the files that a job starts from, out of a form, a URL, or a completed job."""

from pathlib import Path
from typing import IO, Any, Protocol

from mediagen.sdk.service.intake.fetch import fetch
from mediagen.sdk.service.intake.forms import Form
from mediagen.sdk.service.intake.uploads import Decoder, data_url, no_reference, take
from mediagen.sdk.service.kinds.kind import Kind, Start
from mediagen.sdk.service.queue.disk import second_name, settle
from mediagen.sdk.service.queue.rows import File, Job
from mediagen.sdk.service.queue.store import Store
from mediagen.sdk.service.refusals import missing, wrong
from mediagen.sdk.service.settings import Settings


class Keeper(Protocol):
    """What is asked of the service: where files go, how they are read, and which jobs there are."""

    engine: Any
    store: Store
    settings: Settings
    decoder: Decoder

    def get(self, id: str) -> Job:
        """The job of an id; Refused with 404."""
        ...

    def file(self, id: str, role: str) -> File:
        """A file of a finished job; Refused where there is none."""
        ...


class Starts:
    """What a new job of an `id` starts from. files: kept so far; `forget` removes them.  about: what is known of them.

    parent: the id of the job that made the first of them, None where none did.
    """

    def __init__(self, service: Keeper, id: str, limits: Any) -> None:
        self.files: list[File] = []
        self.about: dict[str, Any] = {}
        self.parent: str | None = None
        self._service, self.id, self._limits = service, id, limits

    def read(self, kind: Kind, form: Form, given: dict[str, Any], parent: str | None) -> None:
        """Keeps every file that a form gives; Refused for one that is lacking, or cannot be read.

        given: what stands in the fields of files.  parent: a job that stands in the place of the first one.
        """
        for role, start in kind.sources.items():
            value, made_by = given.get(start.field), parent if role == "source" else None
            if start.field not in form.uploads and value is None and made_by is None:
                if start.needed:
                    raise wrong(
                        f"got no {start.field}, expected a file or the id of a job; give it.", None, start.field
                    )
                continue
            about, found = self._one(role, start, form, value, made_by)
            if role == "source":
                self.about, self.parent = {**about, **self.about}, found
            else:
                self.about[start.field] = about

    def forget(self) -> None:
        """Removes the files."""
        for file in self.files:
            self._service.store.path(file).unlink(missing_ok=True)

    def _one(
        self, role: str, start: Start, form: Form, given: Any, parent: str | None
    ) -> tuple[dict[str, Any], str | None]:
        service = self._service
        upload = form.uploads.get(start.field)
        stream = upload.file if upload is not None else self._named(start, given)
        if stream is not None:
            files, limits = service.store.files, self._limits
            file, about = take(stream, service.decoder, files, self.id, start.read, limits, role)
            self.files.append(file)
            return about, None
        if not start.by_id:
            raise no_reference(start.field, given)
        parent = parent or (given.get("id") if isinstance(given, dict) else given)
        if not isinstance(parent, str):
            name = start.field
            raise wrong(f'{name}: got no id, expected that of a completed job; give {{"id": ...}}.', None, name)
        film, before = service.file(parent, "video"), service.get(parent)
        file = File.new(self.id, role, Path(film.name).suffix, film.type)
        path = service.store.path(file)
        self.files.append(file)
        try:
            second_name(service.store.path(film), path)
            _suits(start, before, path)
            settle(path)
        except FileNotFoundError:  # which it was just now
            raise missing("video", parent) from None
        width, _, height = before.size.partition("x")
        about = {"size": (int(width), int(height)), "fps": before.fps, "caption": before.values["prompt"] or ""}
        return about | {"seconds": float(before.seconds)}, parent

    def _named(self, start: Start, given: Any) -> IO[bytes] | None:
        """The picture in {"image_url": ...}: of a data URL, or fetched where that is on; None for anything else."""
        url = given.get("image_url") if isinstance(given, dict) else None
        if start.read != "picture" or not isinstance(url, str):
            return None
        if url.startswith("data:"):
            return data_url(start.field, url)
        settings = self._service.settings
        return fetch(url, settings.upload_bytes, start.field) if settings.url_inputs else None


def _suits(start: Start, before: Job, made: Path) -> None:
    """Refused where a kind of job cannot start from what another has `made`."""
    if before.alone and start.read != "sound":
        raise wrong(f"{start.field}: got a sound, expected a film; give the id of one.", None, start.field)
    if start.read == "sound":
        from mediagen.media.read import has_sound

        if not has_sound(made):
            raise wrong(f"{start.field}: got a film without sound, expected some; give another id.", None, start.field)
