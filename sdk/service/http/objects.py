"""Objects: jobs and models as the clients of the video API know them."""

import json
from typing import Any

from mediagen.sdk.service.kinds.table import KINDS, available
from mediagen.sdk.service.queue.rows import DONE, ENDED, Job
from mediagen.sdk.service.service import Service


def video(job: Job) -> dict[str, Any]:
    """A job as the clients of the video API know it, with what this service adds."""
    values = job.values
    error = None if job.error is None else {"code": job.error_code, "message": job.error}
    return {
        "id": job.id,
        "object": "video",
        "model": job.model,
        "status": job.status,
        "progress": job.progress,
        "created_at": int(job.created),
        "completed_at": int(job.ended) if job.ended and job.status == DONE else None,
        "expires_at": None,
        "size": job.size,
        "seconds": job.seconds,
        "prompt": values["prompt"],
        "remixed_from_video_id": job.parent if job.kind == "edit" else None,
        "error": error,
        # beyond that API
        "kind": job.kind,
        "source_video_id": job.parent,
        "seed": values["seed"],
        "request": values,
        "stage": job.stage if job.status not in ENDED else "",
        "step": job.step,
        "steps": job.steps,
        "seconds_left": None if job.seconds_left is None else round(job.seconds_left, 1),
        "notes": json.loads(job.notes),
    }


def model_object(service: Service) -> dict[str, Any]:
    """A model as the clients know it, with its limits and the kinds of jobs that it can do."""
    limits = service.engine.limits
    return {
        "id": service.model,
        "object": "model",
        "created": int(service.begun),
        "owned_by": "mediagen",
        "kinds": [name for name in KINDS if available(service.engine, name)],
        "limits": limits.to_dict(),
    }
