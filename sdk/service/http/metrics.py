"""Metrics: counters of the service in the text format of Prometheus."""

import os
import threading
import time
from collections import Counter
from pathlib import Path

from mediagen.sdk.service.queue.rows import CANCELLED, DONE, FAILED, RUNNING, WAITING
from mediagen.sdk.service.service import Service


class Metrics:
    """Counts answers; tells them together with the state of the queue and of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, int]] = Counter()

    def count(self, method: str, status: int) -> None:
        """One more answer. Methods that HTTP does not know count as one."""
        known = method if method in ("GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS") else "OTHER"
        with self._lock:
            self._answers[known, status] += 1

    def text(self, service: Service) -> str:
        """Everything, one line each."""
        counts = service.store.counts()
        waiting, units = service.store.load()
        lines = ["# TYPE mediagen_jobs gauge"]
        for status in (WAITING, RUNNING, DONE, FAILED, CANCELLED):
            lines.append(f'mediagen_jobs{{status="{status}"}} {counts.get(status, 0)}')
        with self._lock:
            answers = sorted(self._answers.items())
        lines.append("# TYPE mediagen_http_responses_total counter")
        for (method, status), count in answers:
            lines.append(f'mediagen_http_responses_total{{method="{method}",status="{status}"}} {count}')
        gauges = {
            "mediagen_queue_length": waiting,
            "mediagen_queue_cost_units": round(units, 3),
            "mediagen_seconds_per_cost_unit": service.store.rate() or 0,
            "mediagen_uptime_seconds": round(time.time() - service.begun, 1),
            **_process(),
        }
        for name, value in gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value}"]
        return "\n".join(lines) + "\n"


def _process() -> dict[str, int]:
    """Memory and open files of this process, where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        files = len(os.listdir("/proc/self/fd"))
        size = os.sysconf("SC_PAGE_SIZE")
    except (OSError, AttributeError):  # not Linux
        return {}
    return {"process_resident_memory_bytes": pages * size, "process_open_fds": files}
