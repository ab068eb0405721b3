"""kill -9 of the server while jobs come in and are made: none may be lost, made twice, or differ in a byte.

    python benchmarks/reliability/kill.py [--short] -o kill.json

The films are compared with those of a server that nobody kills. A job may be begun 1000 times: with the service's own
limit of ten, one whose server dies each time is given up, which is another promise. With --cancels N every Nth job is
cancelled at a random moment; what was told so before it was done must never be done.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import Server, bound, main, toys


def campaign(
    server: Server,
    calm: Server,
    jobs: int,
    kills: int,
    *,
    span: float,
    fields: dict[str, Any],
    seed: int = 0,
    models: Sequence[str] = ("mediagen",),
    cancels: int = 0,
) -> dict[str, Any]:
    """Figures of one campaign on two servers that run; `calm` is the one that nobody kills.

    span: longest time in seconds from one start to the kill.  fields: of every job.  models: that make them by turns.
    cancels: every which job is cancelled while it waits or is made; 0 for none.
    """
    rng = random.Random(seed)
    ids: dict[int, str] = {}
    stopped: dict[int, str] = {}  # what a job was when its cancel was answered

    def asked(index: int) -> dict[str, Any]:
        model = models[index % len(models)]
        return {"prompt": f"a red ball, number {index}", "seed": index, "model": model, **fields}

    def submit() -> None:
        for index in range(jobs):
            key = {"Idempotency-Key": f"job-{index}"}
            ids[index] = json.loads(server.surely("POST", "/v1/videos", asked(index), **key))["id"]

    def cancel() -> None:
        moments = random.Random(seed + 1)
        for index in range(cancels - 1, jobs, cancels) if cancels else ():
            while index not in ids or (moments.random() < 0.9 and server.seen(ids[index])["status"] == "queued"):
                time.sleep(0.02)
            stopped[index] = json.loads(server.surely("POST", f"/v1/videos/{ids[index]}/cancel"))["status"]

    clients = [threading.Thread(target=work) for work in (submit, cancel)]
    for client in clients:
        client.start()
    working = 0
    for _ in range(kills):
        time.sleep(rng.uniform(0, span))
        states = [job["status"] for job in server.jobs()]
        working += len(states) < jobs or bool({"queued", "in_progress"} & set(states))
        server.kill()
        server.start()
    for client in clients:
        client.join()
    ended = {index: server.wait(id) for index, id in ids.items()}
    known = server.jobs()
    films = {index: server.film(id) for index, id in ids.items() if ended[index] == "completed"}
    left = server.files()

    differ: dict[int, str] = {}
    told = {index for index, state in stopped.items() if state != "completed"}
    for index in ids.keys() - told:
        id = json.loads(calm.surely("POST", "/v1/videos", asked(index)))["id"]
        state = calm.wait(id)
        expected = calm.film(id) if state == "completed" else b""
        if films.get(index) != expected:
            differ[index] = f"{state}, {_differences(films.get(index, b''), expected)}"
    figures = {
        "jobs": jobs,
        "kills": kills,
        "kills while jobs were not done": working,
        "cancelled": len(told),
        "cancelled and made": sum(ended[index] != "cancelled" for index in told),
        "lost": sum(state != "completed" for index, state in ended.items() if index not in told),
        "doubled": len(known) - len({job["id"] for job in known} & set(ids.values())),
        "differ": differ,
        "files too many": left - 3 * (len(known) - len(told)),
    }
    bad = (
        figures["lost"]
        + figures["cancelled and made"]
        + figures["doubled"]
        + len(differ)
        + abs(figures["files too many"])
    )
    return figures | {"bad": bad, "says": bound(bad, kills)}


def _differences(one: bytes, other: bytes) -> str:
    """Where two files begin and end to differ."""
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    return f"{len(one)} and {len(other)} bytes, {len(places)} of them differ, from {places[:1]} to {places[-1:]}"


def run(*, jobs: int, kills: int, span: float, models: int, cancels: int) -> dict[str, Any]:
    """The campaign on a server whose jobs take 0.3 s and more, beside one that is as fast as it can.

    models: served side by side, of which one is in memory, so that each job has the other's weights freed.
    """
    others = [f"model{index}" for index in range(1, models)]
    with toys(0.01, 0.0, max_attempts=1000, others=others) as (killed, calm):
        names, fields = ("mediagen", *others), {"num_inference_steps": 25}
        return campaign(killed, calm, jobs, kills, span=span, fields=fields, models=names, cancels=cancels)


if __name__ == "__main__":
    main(
        __doc__ or "",
        {"jobs": 24, "kills": 12},
        {"jobs": 300, "kills": 200, "span": 0.6, "models": 1, "cancels": 0},
        run,
    )
