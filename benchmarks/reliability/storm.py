"""Many clients at once: every film must equal the one that is made alone.

python benchmarks/reliability/storm.py [--short] -o storm.json
"""

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import Server, bound, main, toys

SEEDS = 8  # different films among all that are asked for: so many are made alone to compare with


def storm(server: Server, clients: int, jobs: int) -> dict[str, Any]:
    """Figures of `clients` that each ask for `jobs` films at once and fetch them."""

    def film(seed: int) -> str:
        body = {"prompt": "a red ball", "seed": seed}
        id = json.loads(server.surely("POST", "/v1/videos", body))["id"]
        if server.wait(id, look=0.5) != "completed":
            return id  # equal to none
        return hashlib.sha256(server.film(id)).hexdigest()

    alone = {seed: film(seed) for seed in range(SEEDS)}

    def client(index: int) -> int:
        seeds = [(index + job) % SEEDS for job in range(jobs)]
        return sum(film(seed) != alone[seed] for seed in seeds)

    with ThreadPoolExecutor(clients) as pool:
        differ = sum(pool.map(client, range(clients)))
    return {"films": clients * jobs, "bad": differ, "says": bound(differ, clients * jobs)}


def run(*, clients: int, jobs: int, workers: int) -> dict[str, Any]:
    """The campaign on a server that makes `workers` jobs side by side."""
    with toys(0.005, workers=workers) as (server,):
        return storm(server, clients, jobs)


if __name__ == "__main__":
    main(__doc__ or "", {"clients": 8, "jobs": 2}, {"clients": 64, "jobs": 5, "workers": 4}, run)
