"""Damaged uploads and malformed requests: each must be refused with 4xx or taken, and the server must live on.

python benchmarks/reliability/mutants.py --each 1000 --requests 5000 -o mutants.json
"""

import argparse
import io
import json
import random
import socket
import sys
import tempfile
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import Server, bound

PATHS = ["/v1/videos", "/v1/videos/extensions", "/v1/videos/x", "/v1/videos/x/content", "/v1/videos/x/cancel",
         "/v1/videos/../../etc/passwd", "/v1/videos/%2e%2e%2fjobs.sqlite/content", "/v1/videos?limit=", "/%00",
         "/v1/%ff", "/v1/models/x", "/v1/audio/soundtracks", "//", "/docs/../metrics"]  # fmt: skip
BODIES = ["", "{", "[]", "null", '{"prompt": NaN}', '{"prompt": 1e999}', '{"prompt": "a", "seconds": "nan"}',
          f'{{"prompt": "a", "seed": {10**300}}}', '{"prompt": "\\ud800"}', '{"a": ' * 3000,
          '{"prompt": "a", "size": [1]}',
          '{"prompt": "a", "input_reference": {"image_url": "http://127.0.0.1/"}}']  # fmt: skip
HEADERS = [("Range", "bytes=9-1"), ("Range", "bytes=" + "0-1," * 999), ("Idempotency-Key", "\x7f" * 300),
           ("Content-Type", "multipart/form-data"), ("Content-Type", "multipart/form-data; boundary="),
           ("Content-Type", "text/html"), ("Content-Length", "-1"), ("Host", "evil.example"), ("Origin", "null"),
           ("Authorization", "Bearer \xff"), ("Transfer-Encoding", "gzip"), ("X", "y" * 70_000)]  # fmt: skip


def samples(folder: Path) -> dict[str, bytes]:
    """A whole file of each type that people upload."""
    import torch
    from PIL import Image

    from mediagen.clip import Clip

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


def uploads(server: Server, each: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Figures of `each` mutants of every type, sent as pictures and as films."""
    rng, statuses = random.Random(seed), Counter[str]()
    for kind, data in samples(folder).items():
        path, name = ("/v1/videos/extensions", "video") if kind == "mp4" else ("/v1/videos", "input_reference")
        for _ in range(each):
            part = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
            head = part.format("prompt", "") + "a\r\n" + part.format(name, '; filename="a"')
            body = head.encode() + mutant(data, rng) + b"\r\n--x--\r\n"
            try:
                status, _ = server.send("POST", path, body, {"Content-Type": "multipart/form-data; boundary=x"})
                statuses[str(status)] += 1
            except (OSError, HTTPException):
                statuses["no answer"] += 1
    return _figures(server, statuses)


def requests(server: Server, count: int, seed: int = 0) -> dict[str, Any]:
    """Figures of malformed requests, some of which are no HTTP."""
    rng, statuses = random.Random(seed), Counter[str]()
    for _ in range(count):
        method = rng.choice(["GET", "POST", "DELETE", "PUT", "HEAD", "BREW", "get"])
        lines = [
            f"{method} {rng.choice(PATHS)}{rng.choice(['', '', '?a', '?limit=-1', '#'])} HTTP/1.1",
            "Connection: close",
        ]
        lines += [f"Host: 127.0.0.1:{server.port}"] * (rng.random() < 0.9)
        lines += [f"{name}: {value}" for name, value in rng.sample(HEADERS, rng.randrange(3))]
        body = rng.choice(BODIES).encode()
        lines += [f"Content-Length: {len(body)}"] * (rng.random() < 0.9)
        data = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
        data = mutant(data, rng) if rng.random() < 0.2 else data
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
            try:
                line.sendall(data)
                line.shutdown(socket.SHUT_WR)
                answer = line.recv(64).split(b" ")
                statuses[answer[1].decode() if len(answer) > 1 else "closed"] += 1
            except ConnectionError:  # it need not hear a request to its end that it refuses
                statuses["closed"] += 1
    return _figures(server, statuses)


def _figures(server: Server, statuses: Counter[str]) -> dict[str, Any]:
    bad = sum(count for status, count in statuses.items() if status in ("no answer", "500", "502", "503", "504"))
    alive = server.ask("GET", "/healthz")[0] == 200
    return {
        "statuses": dict(sorted(statuses.items())),
        "bad": bad,
        "alive": alive,
        "says": bound(bad, statuses.total()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("-o", "--out", type=Path, default=Path("mutants.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        one = Server(Path(place) / "data")
        one.start()
        try:
            made = {"uploads": uploads(one, given.each, Path(place)), "requests": requests(one, given.requests)}
        finally:
            one.kill()
    given.out.write_text(json.dumps(made, indent=2) + "\n")
    sys.stdout.write(given.out.read_text())
    sys.exit(any(part["bad"] or not part["alive"] for part in made.values()))
