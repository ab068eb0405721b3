"""People that are kept for later clips, and clips with one of them, where the model folder has models for both."""

import io
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import Request as HttpRequest
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from mediagen.personalize.character import Character as Person
from mediagen.personalize.store import Store, checked, mentioned
from mediagen.sdk.errors import RequestError
from mediagen.sdk.service.intake.forms import Form, reading
from mediagen.sdk.service.intake.uploads import take
from mediagen.sdk.service.kinds.generate import Generate
from mediagen.sdk.service.queue import sources
from mediagen.sdk.service.refusals import missing, of_request, wrong
from mediagen.sdk.tasks.person_clips import FAMILIES, MOST, worded
from mediagen.sdk.tasks.requests import GenerateRequest, Guidance

_FIELDS = ("name", "consent", "face", "drawn")
_MADE = "made"  # of an upload that is read once and kept nowhere


class PersonRequest(GenerateRequest):
    """A clip with a person. characters: one, {"id": ...}.  person_scale, candidates: as of `Engine.generate`."""

    characters: list[dict[str, str]]
    person_scale: Guidance = None
    candidates: int | None = None


class Character(Generate):
    """A clip from a prompt with a person who is kept here; a job of /v1/videos with `characters` is one."""

    name, what, method, made = "character", "putting a person into clips", "create_character", "with a person"
    families, request, hidden = ("prompt", "tae", *FAMILIES), PersonRequest, ("image",)
    starts, routes, summary, tab, rank = (), (), (), None, 99

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        if len(request.characters) != 1 or set(request.characters[0]) != {"id"}:
            raise RequestError('characters: got none or several, expected one person; give [{"id": ...}].')
        if request.candidates is not None and not 1 <= request.candidates <= MOST:
            raise RequestError(f"candidates: got {request.candidates}, expected 1 to {MOST}; give fewer.")
        return super().check(worded(request, engine.limits), engine, {**about, "people": True})

    def price(self, full: Any, limits: Any, about: dict[str, Any]) -> Any:
        """See Kind: three readings in place of two, for each candidate."""
        one = super().price(full, limits, about)
        return replace(one, units=one.units * 1.5 * (full.candidates or 1))

    def beside(self, values: dict[str, Any], folder: Path) -> dict[str, Any]:
        """See Kind: the person, as long as they are kept."""
        person = people(folder).get(values["characters"][0]["id"])
        return {"character": replace(person, name=person.label)}

    def make(self, engine: Any, given: dict[str, Any], values: dict[str, Any], **calls: Any) -> Any:
        """See Kind."""
        person = given["character"]
        for name in mentioned(values["prompt"]):
            if name != person.name:
                raise RequestError(
                    f"got the unknown character '@{name}' in the prompt; the one of this job is @{person.name}."
                )
        asked = {name: value for name, value in values.items() if name != "characters"}
        return engine.generate(**asked, character=person, **calls)

    def add_routes(self, router: Any, service: Any) -> None:
        """See Kind."""
        folder = service.store.files.parent
        for engine in filter(
            None, service.shelf.engines.values()
        ):  # or a film that is sent could call up this machine's own people
            engine.kept = people(folder)

        @router.post("/v1/videos/characters", summary="Keep a person for later clips")
        async def create(request: HttpRequest) -> dict[str, Any]:
            service.require(self.name)
            async with reading(request, service.settings.text_bytes) as form:
                return await run_in_threadpool(_create, service, folder, form)

        @router.get("/v1/videos/characters", summary="The people that are kept")
        def page() -> dict[str, Any]:
            service.require(self.name)
            kept = people(folder)
            return {"object": "list", "data": [_object(kept.get(name)) for name in kept.names()]}

        @router.get("/v1/videos/characters/{id}", summary="A person that is kept")
        def get(id: str) -> dict[str, Any]:
            service.require(self.name)
            return _object(_known(folder, id))

        @router.get("/v1/videos/characters/{id}/thumbnail", summary="The face of a person that is kept, as png")
        def thumbnail(id: str) -> Response:
            service.require(self.name)
            _known(folder, id).thumbnail.save(buffer := io.BytesIO(), "png")
            return Response(buffer.getvalue(), media_type="image/png", headers={"Cache-Control": "no-store"})

        @router.delete("/v1/videos/characters/{id}", summary="Forget a person: everything of them is deleted")
        def delete(id: str) -> dict[str, Any]:
            service.require(self.name)
            _known(folder, id)
            people(folder).remove(id)
            return {"id": id, "object": "video.character.deleted", "deleted": True}


def people(folder: Path) -> Store:
    """The people of a service, in its data folder; by id, for names may be the same."""
    return Store(folder / "characters")


def _known(folder: Path, id: str) -> Person:
    if id not in people(folder).names():
        raise missing("character", id)
    return people(folder).get(id)


def _create(service: Any, folder: Path, form: Form) -> dict[str, Any]:
    """Keeps a person from an upload, which is read and deleted; Refused where that cannot be."""
    form.known(list(_FIELDS), ["video"])
    values = form.values
    if _said(values.get("consent")) is not True:
        raise wrong(
            "consent: got none, expected that the person agreed to be shown; send consent=true if so.", None, "consent"
        )
    if "video" not in form.uploads:
        raise wrong("got no video, expected a film or a picture of the person; send it as a file.", None, "video")
    try:
        label, face = checked(values.get("name") or ""), _number(values.get("face"))
        source = _shown(service, form.uploads["video"].file)
        made = service.engine.create_character(
            source, name=label, consent=True, face=face, drawn=_said(values.get("drawn")) is True
        )
        person = replace(made, name=f"char_{secrets.token_hex(12)}", label=label)
        people(folder).add(person)
    except RequestError as error:
        raise of_request(error) from None
    return _object(person)


def _shown(service: Any, stream: Any) -> Any:
    """What an upload shows, decoded in the other process; nothing of it stays on the disk."""
    from mediagen.sdk.service.intake.uploads import PICTURES, ending

    head = stream.read(64)
    stream.seek(0)
    kind = "picture" if ending(head) in PICTURES else "clip"
    file, _ = take(stream, service.decoder, service.store.files, _MADE, kind, service.engine.limits)
    path = service.store.path(file)
    try:
        # Copies, for what is read may still be the file's own pages, which are overwritten below.
        if kind == "picture":
            return sources.read_picture(path)[0].clone()
        film = sources.read_clip(path)
        return replace(film, frames=None if film.frames is None else film.frames.clone(), sound=None)
    finally:
        path.write_bytes(bytes(path.stat().st_size))
        path.unlink()


def _said(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("true", "1")


def _number(value: Any) -> int | None:
    if value in (None, ""):
        return None
    if not str(value).strip().isdecimal():
        raise RequestError(f"face: got {str(value)[:20]!r}, expected a number from 1; count from the left.", "face")
    return int(value)


def _object(person: Person) -> dict[str, Any]:
    return {
        "id": person.name,
        "object": "video.character",
        "name": person.label,
        "created_at": int(person.made),
        "drawn": person.drawn,
    }


KIND = Character()
