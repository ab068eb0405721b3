"""Routes: the video job API that the OpenAI clients speak, and what goes beyond it."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from mediagen.sdk.service.http import events, openapi
from mediagen.sdk.service.http.metrics import Metrics
from mediagen.sdk.service.http.objects import model_object, video
from mediagen.sdk.service.intake.forms import reading
from mediagen.sdk.service.intake.uploads import FILMS
from mediagen.sdk.service.kinds.table import of_sound
from mediagen.sdk.service.queue.outputs import SOUND, VARIANTS
from mediagen.sdk.service.refusals import Refused, missing, wrong
from mediagen.sdk.service.service import Service

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")
Variant = Literal["video", "thumbnail", "spritesheet"]


def routes(service: Service, metrics: Metrics) -> APIRouter:
    """Every route, on one service."""
    router = APIRouter(responses=openapi.REFUSALS)

    async def make(name: str | None, request: Request, parent: str | None = None) -> dict[str, Any]:
        service.require(name or "sound")
        key = request.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise wrong("got an Idempotency-Key that is no plain text of 1 to 255 letters; send another.")
        async with reading(request, service.settings.text_bytes) as form:
            kind = name or of_sound(form.has("sound"), form.values)
            return video(await run_in_threadpool(service.create, kind, form, key, parent))

    @router.post("/v1/videos", openapi_extra=openapi.of("generate"), summary="Make a clip from a prompt")
    async def create(request: Request) -> dict[str, Any]:
        return await make("generate", request)

    @router.post("/v1/videos/extensions", openapi_extra=openapi.of("extend"), summary="Continue a clip")
    async def extend(request: Request) -> dict[str, Any]:
        return await make("extend", request)

    @router.post("/v1/videos/edits", openapi_extra=openapi.of("edit"), summary="Edit a clip by an instruction")
    async def edit(request: Request) -> dict[str, Any]:
        return await make("edit", request)

    @router.post("/v1/videos/{id}/remix", openapi_extra=openapi.of("edit"), summary="Edit a clip of this server")
    async def remix(id: str, request: Request) -> dict[str, Any]:
        return await make("edit", request, id)

    @router.post("/v1/audio/soundtracks", openapi_extra=openapi.of("soundtrack"), summary="Give a clip a soundtrack")
    async def soundtrack(request: Request) -> dict[str, Any]:
        return await make("soundtrack", request)

    @router.post("/v1/audio/sounds", openapi_extra=openapi.of("sound"), summary="Make, continue or mend a sound")
    async def sound(request: Request) -> dict[str, Any]:
        return await make(None, request)

    @router.post("/v1/videos/characters", summary="Keep a person for later clips")
    def create_character() -> dict[str, Any]:
        return _no_characters(service)

    @router.get("/v1/videos/characters/{id}", summary="A person that was kept")
    def get_character(id: str) -> dict[str, Any]:
        return _no_characters(service)

    @router.get("/v1/videos", summary="List jobs")
    def page(
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        order: Literal["asc", "desc"] = "desc",
    ) -> dict[str, Any]:
        if after is not None and service.store.get(after) is None:
            raise missing("video", after)
        jobs = service.store.page(after, limit + 1, order == "desc")
        ids = [job.id for job in jobs[:limit]]
        return {
            "object": "list",
            "data": [video(job) for job in jobs[:limit]],
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
            "has_more": len(jobs) > limit,
        }

    @router.get("/v1/videos/{id}", summary="State of a job")
    def retrieve(id: str, response: Response) -> dict[str, Any]:
        response.headers["openai-poll-after-ms"] = "300"
        return video(service.get(id))

    @router.delete("/v1/videos/{id}", summary="Delete a job and its files; one that runs is cancelled first")
    def delete(id: str) -> dict[str, Any]:
        service.delete(id)
        return {"id": id, "object": "video.deleted", "deleted": True}

    @router.post("/v1/videos/{id}/cancel", summary="Cancel a job")
    def cancel(id: str) -> dict[str, Any]:
        return video(service.cancel(id))

    @router.head("/v1/videos/{id}/content", include_in_schema=False)
    @router.get(
        "/v1/videos/{id}/content",
        summary="The film, or a picture of it; or the sound",
        response_class=FileResponse,
        responses=openapi.answers(*FILMS.values(), SOUND, *(kind for _, kind in VARIANTS.values()), part=True),
    )
    def content(id: str, request: Request, variant: Variant = "video") -> Response:
        file = service.file(id, variant)
        path = service.store.path(file)
        try:
            found = path.stat()
        except FileNotFoundError:  # deleted since
            raise missing("video", id) from None
        _check_range(request.headers.get("range"), found.st_size)
        return FileResponse(
            path,
            media_type=file.type,
            stat_result=found,
            filename=f"{id}{path.suffix}",
            content_disposition_type="inline",
            headers={"Cache-Control": "private, no-cache"},
        )

    @router.get(
        "/v1/videos/{id}/events",
        summary="A job as server-sent events",
        response_class=StreamingResponse,
        responses=openapi.answers("text/event-stream"),
    )
    def listen(id: str) -> Response:
        service.get(id)
        if service.listeners.full():
            raise Refused(
                429, "got one stream of events too many; close another.", "too_many", headers={"Retry-After": "5"}
            )
        return StreamingResponse(
            events.stream(service, id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @router.get("/v1/models", summary="The models that are served")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [model_object(service)]}

    @router.get("/v1/models/{id}", summary="One model")
    def model(id: str) -> dict[str, Any]:
        if id != service.model:
            raise missing("model", id)
        return model_object(service)

    @router.get("/healthz", summary="Whether the server works")
    def health() -> dict[str, Any]:
        if not service.workers.alive():
            raise Refused(503, "the server's workers have stopped; start it again.", "unhealthy")
        return {"status": "ok"}

    @router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
    def figures() -> Response:
        return PlainTextResponse(metrics.text(service), media_type="text/plain; version=0.0.4")

    return router


def _check_range(given: str | None, size: int) -> None:
    """Refused for a Range that is not one part of `size` bytes."""
    if given is None:
        return
    match = _RANGE.fullmatch(given)
    if match is None or match[1] == match[2] == "":
        raise wrong("got a Range that cannot be read, expected one such as bytes=0-99.", None, "Range")
    first, last = match[1], match[2]
    empty = int(last) == 0 if not first else int(first) >= size
    if empty or (first and last and int(last) < int(first)):
        raise Refused(
            416, f"got a Range outside of {size} bytes.", "invalid_range", headers={"Content-Range": f"bytes */{size}"}
        )


def _no_characters(service: Service) -> dict[str, Any]:
    service.require("character")
    raise Refused(501, "got a character, which this server cannot keep yet.", "model_not_available")
