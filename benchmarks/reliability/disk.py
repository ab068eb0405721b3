"""A full disk while films, the queue and checkpoints are written: a typed error, nothing half written, and recovery.

    python benchmarks/reliability/disk.py [--short] -o disk.json

The disk is a real one: a tmpfs of 8 MiB in a mount namespace of its own (`unshare`, Linux alone), filled by a file that
leaves from none to 96 KiB.
"""

import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from bombs import png
from served import Nursery, Server, bound, main

INSIDE = "MEDIAGEN_DISK_MOUNTED"
ASKED = {"prompt": "a ball", "seed": 1}
PATIENCE = 1.0  # seconds after which a job that waits for the disk gets its room back


def fill(place: Path, left: int) -> None:
    """Fills a disk but for `left` bytes."""
    (place / "filler").unlink(missing_ok=True)
    with (place / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)) == 1 << 16:
                pass
        except OSError:
            pass
        file.truncate(max(0, file.tell() - left))


def service(place: Path, trials: int, rng: random.Random) -> dict[str, Any]:
    """Figures of jobs on a disk with little room; every fourth brings a picture."""
    nursery, said, bad = Nursery(), Counter[str](), 0
    server = Server(nursery, place / "data", 0.0)
    try:
        server.start()
        whole = _film(server)
        picture = {"image_url": "data:image/png;base64," + base64.b64encode(png(8, 8, real=True)).decode()}
        server.wait(json.loads(server.surely("POST", "/v1/videos", {**ASKED, "input_reference": picture}))["id"])
        for trial in range(trials):
            for job in server.jobs():
                server.surely("DELETE", f"/v1/videos/{job['id']}")
            fill(place, rng.randrange(24) * 4096)
            status, answer = server.ask(
                "POST", "/v1/videos", {**ASKED, "input_reference": picture} if trial % 4 == 0 else ASKED
            )
            if status == 200:
                id, end = json.loads(answer)["id"], time.monotonic() + PATIENCE
                while (job := server.seen(id))["status"] in ("queued", "in_progress") and time.monotonic() < end:
                    time.sleep(0.02)
                waits = job["status"] in ("queued", "in_progress")
                (place / "filler").unlink()
                state = server.wait(id)
                word = state if state == "completed" else f"{state}: {server.seen(id)['error']['code']}"
                bad += word not in ("completed", "failed: storage_full")
                bad += state == "completed" and trial % 4 != 0 and server.film(id) != whole
                word += ", once there was room" if waits else ""
            else:
                word = f"{status} {json.loads(answer)['error']['code']}"
                bad += word != "507 storage_full"
                (place / "filler").unlink()
            said[word] += 1
            bad += _film(server) != whole  # all goes on
            pictures = sum(job["request"].get("image") == "upload" for job in server.jobs())
            done = sum(job["status"] == "completed" for job in server.jobs())
            bad += server.files() != 3 * done + pictures
        server.kill()
        server.start()  # and so it does after a new start
        bad += _film(server) != whole
    finally:
        nursery.close()
    return {"trials": trials, "said": dict(said), "bad": bad}


def _film(server: Server) -> bytes:
    id = json.loads(server.surely("POST", "/v1/videos", ASKED))["id"]
    return server.film(id) if server.wait(id) == "completed" else b""


def checkpoints(place: Path, trials: int, rng: random.Random) -> dict[str, Any]:
    """Figures of checkpoints on a disk with little room: the one before must stay whole and be found."""
    import torch

    from mediagen.train.checkpoint import State, load_latest, save_checkpoint
    from mediagen.weights import sweep

    said, bad, root = Counter[str](), 0, place / "run"
    for trial in range(trials):
        step = 2 * trial
        tensors = {"model": {"a": torch.full((20_000,), float(step))}}
        save_checkpoint(root, State(step, tensors, {}), keep=1)
        fill(place, rng.randrange(64) * 4096)
        later = {"model": {"a": torch.full((20_000,), step + 1.0)}}
        try:
            save_checkpoint(root, State(step + 1, later, {}), keep=1)
            said["written"] += 1
            step += 1
        except OSError as error:
            said[f"OSError: {os.strerror(error.errno or 0)}"] += 1
        (place / "filler").unlink()
        found = load_latest(root)
        bad += found is None or found.step != step or found.tensors["model"]["a"][0].item() != step
        sweep(root)
    return {"trials": trials, "said": dict(said), "bad": bad}


def films(place: Path, trials: int, rng: random.Random) -> dict[str, Any]:
    """Figures of `clip.save` on a disk with little room: no file under the name, or a whole one."""
    import torch

    from mediagen.media.clip import Clip

    noise = torch.randint(0, 255, (8, 64, 64, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    clip, said, bad = Clip(noise), Counter[str](), 0
    endings = ("mp4", "webm", "gif", "png")
    whole = {ending: clip.save(place / f"whole.{ending}").read_bytes() for ending in endings}
    for trial in range(trials):
        ending = endings[trial % len(endings)]
        target = place / f"film.{ending}"
        fill(place, rng.randrange(32) * 4096)
        try:
            clip.save(target)
            said["written"] += 1
            bad += target.read_bytes() != whole[ending]
        except OSError as error:
            said[f"OSError: {os.strerror(error.errno or 0)}"] += 1
            bad += target.exists()
        (place / "filler").unlink()
        target.unlink(missing_ok=True)
        bad += len(list(place.iterdir())) != len(endings)
    return {"trials": trials, "said": dict(said), "bad": bad}


def run(*, trials: int) -> dict[str, Any]:
    """The three campaigns, in a process that may mount."""
    if not os.environ.get(INSIDE):
        command = ["unshare", "-rm", sys.executable, __file__, "--trials", str(trials)]
        done = subprocess.run(command, env={**os.environ, INSIDE: "1"}, stdout=subprocess.PIPE, check=False)
        return json.loads(done.stdout)
    found: dict[str, Any] = {}
    for campaign in (films, checkpoints, service):
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", place], check=True)
            try:
                found[campaign.__name__] = campaign(Path(place), trials, random.Random(0))
            finally:
                subprocess.run(["umount", "-l", place], check=True)
    bad = sum(figures["bad"] for figures in found.values())
    return {**found, "bad": bad, "says": bound(bad, 3 * trials)}


if __name__ == "__main__":
    main(__doc__ or "", {"trials": 8}, {"trials": 100}, run)
