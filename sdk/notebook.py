"""Progress in a notebook: one line of output that is drawn anew while a job is made."""

import importlib
import time
from typing import Any

_LOOK = 0.3  # seconds between two looks at a job


def watched(job: Any) -> Any:
    """The result of a Job; where IPython runs, its progress is shown until then."""
    try:
        get_ipython = importlib.import_module("IPython.core.getipython").get_ipython
        display = importlib.import_module("IPython.display").display
    except ImportError:
        return job.result()
    if get_ipython() is None:
        return job.result()
    shown, told = display(job, display_id=True), ("", -1)
    while True:
        now = (job.status, job.progress)
        if now != told and shown is not None:
            shown.update(job)
            told = now
        if now[0] not in ("queued", "in_progress"):
            return job.result()
        time.sleep(_LOOK)
