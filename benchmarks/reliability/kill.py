"""kill -9 of the server while jobs come in and are made: none may be lost, made twice, or differ in a byte.

    python benchmarks/reliability/kill.py --jobs 300 --kills 200 -o kill.json

The films are compared with those of a server that nobody kills.
"""

import argparse
import hashlib
import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import TINY, Server, bound


def campaign(
    server: Server,
    calm: Server,
    jobs: int,
    kills: int,
    *,
    span: float = 1.0,
    fields: dict[str, Any] = TINY,
    seed: int = 0,
) -> dict[str, Any]:
    """Figures of one campaign on two servers that run; `calm` is the one that nobody kills.

    span: longest time in seconds from one start to the kill.  fields: of every job.
    """
    rng = random.Random(seed)
    ids: dict[int, str] = {}

    def submit() -> None:
        for index in range(jobs):
            body = {"prompt": f"a red ball, number {index}", "seed": index, **fields}
            ids[index] = json.loads(server.surely("POST", "/v1/videos", body, **{"Idempotency-Key": f"job-{index}"}))[
                "id"
            ]

    client = threading.Thread(target=submit)
    client.start()
    working = 0
    for _ in range(kills):
        time.sleep(rng.uniform(0, span))
        states = [job["status"] for job in server.jobs()]
        working += len(states) < jobs or bool({"queued", "in_progress"} & set(states))
        server.kill()
        server.start()
    client.join()
    ended = {index: server.wait(id) for index, id in ids.items()}
    known = server.jobs()
    prints = {index: _print(server, id) for index, id in ids.items() if ended[index] == "completed"}
    left = sum(1 for path in (server.folder / "files").iterdir())

    differ = []
    for index in ids:
        body = {"prompt": f"a red ball, number {index}", "seed": index, **fields}
        id = json.loads(calm.surely("POST", "/v1/videos", body))["id"]
        if calm.wait(id) != "completed" or prints.get(index) != _print(calm, id):
            differ.append(index)
    figures = {
        "jobs": jobs,
        "kills": kills,
        "kills while jobs were not done": working,
        "lost": jobs - sum(state == "completed" for state in ended.values()),
        "doubled": len(known) - len({job["id"] for job in known} & set(ids.values())),
        "differ": len(differ),
        "files too many": left - 3 * len(known),
    }
    bad = figures["lost"] + figures["doubled"] + figures["differ"]
    return figures | {"says": bound(bad, kills)}


def _print(server: Server, id: str) -> str:
    return hashlib.sha256(server.surely("GET", f"/v1/videos/{id}/content")).hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--span", type=float, default=3.0, help="longest time from a start to the kill, in seconds")
    parser.add_argument("-o", "--out", type=Path, default=Path("kill.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        servers = killed, calm = Server(Path(place) / "killed"), Server(Path(place) / "calm")
        try:
            for one in servers:
                one.start()
            made = campaign(killed, calm, given.jobs, given.kills, span=given.span)
        finally:
            for one in servers:
                one.kill()
    given.out.write_text(json.dumps(made, indent=2) + "\n")
    sys.stdout.write(given.out.read_text())
    sys.exit(bool(made["lost"] + made["doubled"] + made["differ"] + made["files too many"]))
