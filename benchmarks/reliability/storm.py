"""Many clients at once: every film must equal the one that is made alone; then cancels, each within a step.

python benchmarks/reliability/storm.py --clients 64 --jobs 5 --cancels 200 -o storm.json
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import TINY, Server, bound

SEEDS = 8  # different films among all that are asked for: so many are made alone to compare with
SLACK = 0.5  # seconds that a cancel may take beyond a step


def storm(server: Server, clients: int, jobs: int, fields: dict[str, Any] = TINY) -> dict[str, Any]:
    """Figures of `clients` that each ask for `jobs` films at once and fetch them."""

    def film(seed: int) -> str:
        body = {"prompt": "a red ball", "seed": seed, **fields}
        id = json.loads(server.surely("POST", "/v1/videos", body))["id"]
        return hashlib.sha256(server.surely("GET", f"/v1/videos/{id}/content")).hexdigest() if _made(server, id) else ""

    alone = {seed: film(seed) for seed in range(SEEDS)}

    def client(index: int) -> int:
        seeds = [(index + job) % SEEDS for job in range(jobs)]
        return sum(film(seed) != alone[seed] for seed in seeds)

    begun = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        differ = sum(pool.map(client, range(clients)))
    return {"films": clients * jobs, "differ": differ, "seconds": round(time.monotonic() - begun, 1),
            "says": bound(differ, clients * jobs)}  # fmt: skip


def cancels(server: Server, count: int, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """Figures of `count` cancels of running jobs: seconds from asking to the state, against the longest step seen."""
    fields = fields or {**TINY, "num_inference_steps": 1000}
    late, slowest = 0, 0.0
    for index in range(count):
        id = json.loads(server.surely("POST", "/v1/videos", {"prompt": "a ball", "seed": index, **fields}))["id"]
        while not (first := server.seen(id)["step"]):  # the models are being loaded
            time.sleep(0.02)
        begun = time.monotonic()
        while (now := server.seen(id)["step"]) < first + 3:  # far enough to know how long a step takes
            time.sleep(0.02)
        one = (time.monotonic() - begun) / (now - first)
        asked = time.monotonic()
        server.surely("POST", f"/v1/videos/{id}/cancel")
        assert server.wait(id) == "cancelled"
        took = time.monotonic() - asked
        late += took > one + SLACK
        slowest = max(slowest, took)
    return {"cancels": count, "late": late, "slowest seconds": round(slowest, 3), "says": bound(late, count)}


def _made(server: Server, id: str) -> bool:
    return server.wait(id) == "completed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--jobs", type=int, default=5)
    parser.add_argument("--cancels", type=int, default=200)
    parser.add_argument("-o", "--out", type=Path, default=Path("storm.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        one = Server(Path(place))
        one.start()
        try:
            made = {"storm": storm(one, given.clients, given.jobs), "cancels": cancels(one, given.cancels)}
        finally:
            one.kill()
    given.out.write_text(json.dumps(made, indent=2) + "\n")
    sys.stdout.write(given.out.read_text())
    sys.exit(bool(made["storm"]["differ"] + made["cancels"]["late"]))
