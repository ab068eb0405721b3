"""Damaged uploads: each must be refused with 4xx or taken, its job must end, and the server must live on.

python benchmarks/reliability/mutants.py [--short] -o mutants.json
"""

import io
import random
import sys
import tempfile
from collections import Counter
from fractions import Fraction
from http.client import HTTPException
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import Server, bound, main, toys


def samples(folder: Path) -> dict[str, bytes]:
    """A whole file of each type that people upload."""
    import torch
    from PIL import Image

    from mediagen.media.clip import Clip
    from mediagen.media.remux.boxes import Edit, rewrite

    found = {}
    for kind in ("png", "jpeg", "webp"):
        file = io.BytesIO()
        Image.effect_noise((48, 48), 60).convert("RGB").save(file, kind)
        found[kind] = file.getvalue()
    rng = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 255, (8, 32, 32, 3), generator=rng, dtype=torch.uint8)
    clip = Clip(frames, sound=torch.rand(1, 24_000, generator=rng) - 0.5)
    for kind in ("mp4", "wav"):
        found[kind] = clip.save(folder / f"sample.{kind}").read_bytes()
    # A part of its middle was cut out by its edit list: FFmpeg reads such with more care, and we write the list again.
    cut = [Edit(Fraction(1, 8), Fraction(1, 8)), Edit(Fraction(1, 8), Fraction(3, 8))]
    rewrite(folder / "sample.mp4", folder / "cut.mp4", cut)
    found["mp4 with edits"] = (folder / "cut.mp4").read_bytes()
    return found


def mutant(data: bytes, rng: random.Random) -> bytes:
    """A copy with bytes changed, cut out, doubled or cut off; its first bytes mostly stay, so that it gets far."""
    made, start = bytearray(data), 12 if rng.random() < 0.9 else 0
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(min(start, len(made) - 1), len(made))
        end = min(len(made), at + rng.randint(1, 64))
        match rng.randrange(5):
            case 0:
                made[at] = rng.randrange(256)
            case 1:
                made[at:end] = rng.randbytes(end - at)
            case 2:
                made[at:at] = made[at:end]
            case 3 if len(made) > 80:
                del made[at:end]
            case 4 if rng.random() < 0.2 and at > 40:
                del made[at:]
    return bytes(made)


def uploads(server: Server, each: int, seed: int = 0) -> dict[str, Any]:
    """Figures of `each` mutants of every type, sent as pictures, films (every second for a soundtrack) and sounds."""
    rng, pid, found, bad, total = random.Random(seed), server.pid, {}, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        whole = samples(Path(folder))
    for kind, data in whole.items():
        statuses = Counter[str]()
        for index in range(each):
            path, name = "/v1/videos", "input_reference"
            if kind.startswith("mp4"):
                path, name = ("/v1/videos/extensions", "/v1/audio/soundtracks")[index % 2], "video"
            elif kind == "wav":
                path, name = "/v1/audio/sounds", "sound"
            part = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
            head = part.format("prompt", "") + "a\r\n" + part.format(name, '; filename="a"')
            if kind == "wav":
                head = part.format("seconds", "") + "0.1\r\n" + head
            body = head.encode() + mutant(data, rng) + b"\r\n--x--\r\n"
            try:
                status, _ = server.send("POST", path, body, {"Content-Type": "multipart/form-data; boundary=x"})
                statuses[str(status)] += 1
            except (OSError, HTTPException):
                statuses["no answer"] += 1
        found[kind] = dict(sorted(statuses.items()))
        bad += sum(count for status, count in statuses.items() if status[0] not in "24")
        total += each
    ends = Counter(server.wait(job["id"]) for job in server.jobs())
    bad += ends["failed"] + (server.pid != pid or server.ask("GET", "/healthz")[0] != 200)
    return {"answers": found, "jobs of those taken": dict(ends), "bad": bad, "says": bound(bad, total)}


def run(*, each: int) -> dict[str, Any]:
    """The campaign on a server of its own."""
    with toys(0.0) as (server,):
        return uploads(server, each)


if __name__ == "__main__":
    main(__doc__ or "", {"each": 10}, {"each": 1000}, run)
