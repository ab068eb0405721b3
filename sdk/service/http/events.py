"""Events: a job as a stream of server-sent events, until it ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from mediagen.sdk.service.http.objects import video
from mediagen.sdk.service.queue.rows import ENDED
from mediagen.sdk.service.service import Service

_LOOK = 0.2  # seconds between two looks at the job
_QUIET = 15.0  # seconds after which a line says that the stream is alive


async def stream(service: Service, id: str) -> AsyncIterator[str]:
    """One event for each change: `progress` while the job lives, then its last state as the event's name.

    The data is the video object; `preview` is added when there is a new one.
    """
    last, shown, spoken = "", None, time.monotonic()
    if not service.listeners.join(id):  # others came between the route's look and this one
        return
    try:
        while True:
            job = await run_in_threadpool(service.store.get, id)
            if job is None:
                yield _event("deleted", "{}")
                return
            seen = video(job, service).model_dump()
            preview = service.listeners.preview(id)
            text = json.dumps(seen)
            if text != last or preview != shown:
                data = text if preview == shown else json.dumps({**seen, "preview": preview})
                last, shown, spoken = text, preview, time.monotonic()
                yield _event(job.status if job.status in ENDED else "progress", data)
            if job.status in ENDED:
                return
            if time.monotonic() - spoken > _QUIET:
                spoken = time.monotonic()
                yield ": still here\n\n"
            await asyncio.sleep(_LOOK)
    finally:
        service.listeners.leave(id)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
