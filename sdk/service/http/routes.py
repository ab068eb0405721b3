"""Routes: the video job API that the OpenAI clients speak, and what goes beyond it."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from mediagen.sdk.service.http import events, openapi
from mediagen.sdk.service.http.metrics import Metrics
from mediagen.sdk.service.http.objects import (
    Deleted,
    JobKinds,
    Model,
    Models,
    Status,
    Video,
    Videos,
    kind_objects,
    model_object,
    video,
)
from mediagen.sdk.service.intake.forms import reading
from mediagen.sdk.service.intake.uploads import FILMS
from mediagen.sdk.service.kinds.kind import Kind
from mediagen.sdk.service.kinds.table import KINDS
from mediagen.sdk.service.queue.outputs import SOUND, VARIANTS
from mediagen.sdk.service.refusals import Refused, missing, wrong
from mediagen.sdk.service.service import Service
from mediagen.sdk.tasks.requests import nearest

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")
# Of a story, each scene has its film.
Variant = Annotated[str, Query(pattern=r"^(video|source|thumbnail|spritesheet|scene-\d{1,2})$")]


def routes(service: Service, metrics: Metrics) -> APIRouter:
    """Every route, on one service."""
    router = APIRouter(responses=openapi.REFUSALS, dependencies=[Depends(_check_query)])

    for kind in KINDS.values():
        for path, summary in zip(kind.routes, kind.summary, strict=True):
            add = router.post(path, openapi_extra=openapi.of(kind, started="{id}" in path), summary=summary)
            add(_making(service, kind, "{id}" in path))
        kind.add_routes(router, service)

    @router.get("/v1/videos", summary="List jobs")
    def page(
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        order: Literal["asc", "desc"] = "desc",
        status: Status | None = None,
    ) -> Videos:
        if after is not None and service.store.get(after) is None:
            raise missing("video", after)
        jobs = service.store.page(after, limit + 1, order == "desc", status)
        data = [video(job, service) for job in jobs[:limit]]
        first, last = (data[0].id, data[-1].id) if data else (None, None)
        return Videos(data=data, first_id=first, last_id=last, has_more=len(jobs) > limit)

    @router.get("/v1/videos/{id}", summary="State of a job")
    def retrieve(id: str, response: Response) -> Video:
        response.headers["openai-poll-after-ms"] = "300"
        return video(service.get(id), service)

    @router.delete("/v1/videos/{id}", summary="Delete a job and its files; one that runs is cancelled first")
    def delete(id: str) -> Deleted:
        service.delete(id)
        return Deleted(id=id)

    @router.post("/v1/videos/{id}/cancel", summary="Cancel a job")
    def cancel(id: str) -> Video:
        return video(service.cancel(id), service)

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
    def models() -> Models:
        return Models(data=[model_object(service, name) for name in service.shelf.engines])

    @router.get("/v1/models/{id}", summary="One model")
    def model(id: str) -> Model:
        if id not in service.shelf.engines:
            raise missing("model", id)
        return model_object(service, id)

    @router.get("/v1/kinds", summary="The kinds of jobs that a served model can do")
    def kinds(model: str | None = None) -> JobKinds:
        if model is not None and model not in service.shelf.engines:
            raise missing("model", model)
        return kind_objects(service, model or service.model)

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


def _making(service: Service, kind: Kind, started: bool) -> Callable[..., Any]:
    """The route that makes jobs of a kind. started: its path names the job that they start from."""

    async def make(request: Request, id: str | None = None) -> Video:
        service.require(kind.name)
        key = request.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise wrong("got an Idempotency-Key that is no plain text of 1 to 255 letters; send another.")
        async with reading(request, service.settings.text_bytes) as form:
            return video(await run_in_threadpool(service.create, kind.chosen(form), form, key, id), service)

    async def start(request: Request) -> Video:
        return await make(request)

    async def go_on(id: str, request: Request) -> Video:
        return await make(request, id)

    return go_on if started else start


def _check_query(request: Request) -> None:
    """Refused for a query parameter that the route does not know."""
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            said = nearest(name, known) if known else "leave it out; this route takes none."
            raise wrong(f"got the unknown query parameter '{name[:80]}'; {said}", "unknown_field", name[:80])
