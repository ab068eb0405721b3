"""Cancels of running jobs: each must take hold within a step and half a second, leave no file, and free its memory.

python benchmarks/reliability/cancels.py [--short] -o cancels.json
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import Server, bound, main, toys

SLACK = 0.5  # seconds that a cancel may take beyond a step
GROWTH = 32 * 2**20  # bytes of memory that the server may keep of all cancelled jobs together


def cancels(server: Server, count: int, step: float) -> dict[str, Any]:
    """Figures of `count` cancels on a server whose steps take `step` seconds; every second one is a DELETE."""
    late, slowest, before, files = 0, 0.0, 0.0, server.files()
    for index in range(count):
        body = {"prompt": "a ball", "seed": index, "num_inference_steps": 1000}
        id = json.loads(server.surely("POST", "/v1/videos", body))["id"]
        while not server.seen(id)["step"]:
            time.sleep(0.01)
        if index == count // 10:  # the first ones fill caches
            before = server.gauge("process_resident_memory_bytes")
        asked = time.monotonic()
        if index % 2:
            server.surely("DELETE", f"/v1/videos/{id}")  # answers when it has stopped
        else:
            server.surely("POST", f"/v1/videos/{id}/cancel")
            while server.seen(id)["status"] != "cancelled":
                time.sleep(0.005)
        took = time.monotonic() - asked
        late += took > step + SLACK
        slowest = max(slowest, took)
    growth = server.gauge("process_resident_memory_bytes") - before
    files = server.files() - files
    return {
        "cancels": count,
        "late": late,
        "slowest seconds": round(slowest, 3),
        "files left": files,
        "MiB grown": round(growth / 2**20, 1),
        "bad": late + files + (growth > GROWTH),
        "says": bound(late, count),
    }


def run(*, count: int, step: float) -> dict[str, Any]:
    """The campaign on a server of its own."""
    with toys(step) as (server,):
        return cancels(server, count, step)


if __name__ == "__main__":
    main(__doc__ or "", {"count": 10}, {"count": 200, "step": 0.05}, run)
