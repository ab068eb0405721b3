"""Objects: jobs, kinds of jobs and models as the clients of the video API know them."""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mediagen.sdk.models.vocabulary import vocabulary
from mediagen.sdk.service.kinds.table import KINDS, available
from mediagen.sdk.service.queue.rows import DONE, ENDED, Job
from mediagen.sdk.service.service import Service

Status = Literal["queued", "in_progress", "completed", "failed", "cancelled"]


class VideoError(BaseModel):
    """Why a job failed."""

    code: str
    message: str


class Video(BaseModel):
    """A job. Times are Unix seconds; a kind of job may add fields of its own."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: Literal["video"] = "video"
    model: str
    status: Status
    progress: int
    created_at: int
    completed_at: int | None
    expires_at: int | None
    size: str
    seconds: str
    prompt: str | None
    remixed_from_video_id: str | None = None
    error: VideoError | None
    # beyond that API
    kind: str
    source_video_id: str | None
    seed: int
    request: dict[str, Any]
    stage: str
    step: int
    steps: int | None
    seconds_left: float | None
    notes: list[str]


class Videos(BaseModel):
    """A page of jobs."""

    object: Literal["list"] = "list"
    data: list[Video]
    first_id: str | None
    last_id: str | None
    has_more: bool


class Deleted(BaseModel):
    """What is left of a job that was deleted."""

    id: str
    object: Literal["video.deleted"] = "video.deleted"
    deleted: bool = True


class Model(BaseModel):
    """A served model, with the kinds of jobs that it can do, its limits, and words that it was trained on."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "mediagen"
    kinds: list[str]
    limits: dict[str, Any]
    words: dict[str, list[str]]


class Models(BaseModel):
    """The models that are served."""

    object: Literal["list"] = "list"
    data: list[Model]


class JobKind(BaseModel):
    """A kind of job: where it is asked for, what it starts from, and its tab on the page."""

    id: str
    object: Literal["kind"] = "kind"
    made: str
    method: str
    route: str | None
    starts: list[dict[str, Any]]
    tab: dict[str, Any] | None


class JobKinds(BaseModel):
    """The kinds of jobs that the served model can do."""

    object: Literal["list"] = "list"
    data: list[JobKind]


def video(job: Job, service: Service) -> Video:
    """A job as the clients of the video API know it, with what this service and its kind add."""
    values, expires = job.values, service.expires(job)
    said: dict[str, Any] = {
        "id": job.id,
        "model": job.model,
        "status": job.status,
        "progress": job.progress,
        "created_at": int(job.created),
        "completed_at": int(job.ended) if job.ended and job.status == DONE else None,
        "expires_at": None if expires is None else int(expires),
        "size": job.size,
        "seconds": job.seconds,
        "prompt": KINDS[job.kind].caption(values) if job.kind in KINDS else values.get("prompt"),
        "error": None if job.error is None else {"code": job.error_code, "message": job.error},
        "kind": job.kind,
        "source_video_id": job.parent,
        "seed": values.get("seed", 0),
        "request": values,
        "stage": job.stage if job.status not in ENDED else "",
        "step": job.step,
        "steps": job.steps,
        "seconds_left": None if job.seconds_left is None else round(job.seconds_left, 1),
        "notes": json.loads(job.notes),
    }
    return Video(**said, **(KINDS[job.kind].told(job, service.store) if job.kind in KINDS else {}))


def model_object(service: Service, name: str) -> Model:
    """A served model; KeyError for a name that none has."""
    engine = service.shelf.engines[name]
    kinds = [name for name in KINDS if available(engine, name)]
    limits = engine.limits
    words = vocabulary(engine.models, limits.difficulty)
    return Model(id=name, created=int(service.begun), kinds=kinds, limits=limits.to_dict(), words=words)


def kind_objects(service: Service, model: str) -> JobKinds:
    """What the page builds its tabs from, for one of the models; KeyError for a name that none has."""
    made = []
    for name in model_object(service, model).kinds:
        kind = KINDS[name]
        starts = [{"field": one.field, "read": one.read, "needed": one.needed} for one in kind.starts]
        route, tab = (kind.routes or (None,))[0], kind.tab and kind.tab.to_dict()
        made.append(JobKind(id=name, made=kind.made, method=kind.method, route=route, starts=starts, tab=tab))
    return JobKinds(data=made)
