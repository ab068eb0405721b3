"""A long time at 80 % load, with all that people do: memory and open files must stay flat.

    python benchmarks/reliability/soak.py [--short] [--minutes 30] -o soak.json

Visitors come by chance (Poisson), as many as keep the server at work for 80 % of the time: clips, clips from pictures,
soundtracks, sounds, cancels, streams of events, ranges, wrong requests. Each result is fetched and deleted. Flat: the
last third of the time against the second one.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from bombs import png
from served import Server, bound, main, toys

LOAD = 0.8
CALMER = 1.01  # by which the time between visitors grows with each sample that finds the server at work
GROWTH, MORE = 16 * 2**20, 4  # bytes and files by which the median of the last third may stand above the second's
AT_ONCE = 60  # visitors at most: where the machine is slower than it was at first, some wait outside
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def upload(server: Server, path: str, field: str, data: bytes) -> str:
    """The id of a job that starts from a file."""
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n'
    prompt = '--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\r\n'
    status, answer = server.send("POST", path, (prompt + head).encode() + data + b"\r\n--x--\r\n", FORM)
    assert status == 200, answer
    return json.loads(answer)["id"]


def visit(server: Server, kind: float, film: bytes) -> str:
    """What one visitor does, by a number from 0 to 1; a word about how it ended."""
    if kind < 0.05:
        status, _ = server.ask("POST", "/v1/videos", {"prompt": "", "seconds": []})
        return "refused" if status == 400 else f"answer {status}"
    if kind < 0.1:
        id = upload(server, "/v1/videos", "input_reference", png(64, 48, real=True))
    elif kind < 0.13:
        id = upload(server, "/v1/audio/soundtracks", "video", film)
    elif kind < 0.16:
        id = json.loads(server.surely("POST", "/v1/audio/sounds", {"prompt": "waves", "seconds": 1}))["id"]
    else:
        id = json.loads(server.surely("POST", "/v1/videos", {"prompt": "a ball", "seconds": "0.5"}))["id"]
    if kind > 0.9:
        server.surely("POST", f"/v1/videos/{id}/cancel")
    if 0.7 < kind < 0.9:
        server.surely("GET", f"/v1/videos/{id}/events")  # ends with the job
    state = server.wait(id, look=0.3)
    if state == "completed":
        assert server.film(id)
        server.ask("GET", f"/v1/videos/{id}/content", Range="bytes=0-9")
    server.surely("DELETE", f"/v1/videos/{id}")
    return state


def soak(server: Server, minutes: float, seed: int = 0) -> dict[str, Any]:
    """Figures of some minutes."""
    rng, said, lock, samples = random.Random(seed), Counter[str](), threading.Lock(), []
    visit(server, 0.07, b"")  # starts the decoder
    id = json.loads(server.surely("POST", "/v1/videos", {"prompt": "a ball"}))["id"]
    server.wait(id)
    film = server.film(id)
    begun = time.monotonic()
    ids = [json.loads(server.surely("POST", "/v1/videos", {"prompt": "a ball"}))["id"] for _ in range(20)]
    for id in ids:
        server.wait(id)
    pause = (time.monotonic() - begun) / len(ids) / LOAD
    begun, sampled, visitors, turned = time.monotonic(), 0.0, [], 0
    while (now := time.monotonic() - begun) < minutes * 60:
        if now - sampled >= 0.5:
            sampled = now
            memory, files = (server.gauge(f"process_{name}") for name in ("resident_memory_bytes", "open_fds"))
            busy = server.gauge('mediagen_jobs{status="in_progress"}')
            samples.append((now, memory, files, busy))
            pause *= CALMER if busy else CALMER ** (-LOAD / (1 - LOAD))  # level where LOAD of the samples are busy
        visitors = [one for one in visitors if one.is_alive()]
        if len(visitors) < AT_ONCE:

            def go(kind: float) -> None:
                try:
                    word = visit(server, kind, film)
                except Exception as error:
                    word = f"{type(error).__name__}: {str(error)[:80]}"
                with lock:
                    said[word] += 1

            visitors.append(threading.Thread(target=go, args=(rng.random(),)))
            visitors[-1].start()
        else:
            turned += 1
        time.sleep(rng.expovariate(1 / pause))
    for one in visitors:
        one.join()
    thirds = [[one for one in samples if third <= 3 * one[0] / (60 * minutes) < third + 1] for third in (1, 2)]
    memory, files = ([median(one[place] for one in third) for third in thirds] for place in (1, 2))
    odd = sum(number for word, number in said.items() if word not in ("completed", "cancelled", "refused"))
    return {
        "visits": said.total(),
        "said": dict(said),
        "seconds between visits, at last": round(pause, 3),
        "turned away before they came": turned,
        "share of the time at work": round(sum(one[3] for one in samples) / len(samples), 2),
        "MiB in the second and the last third": [round(one / 2**20, 1) for one in memory],
        "open files in the second and the last third": files,
        "bad": odd + (memory[1] - memory[0] > GROWTH) + (files[1] - files[0] > MORE),
        "says": bound(odd, said.total()),
    }


def run(*, minutes: float) -> dict[str, Any]:
    """The campaign on a server of its own."""
    with toys(0.02) as (server,):
        return soak(server, minutes)


if __name__ == "__main__":
    main(__doc__ or "", {"minutes": 0.5}, {"minutes": 30.0}, run)
