"""Malformed requests, some of which are no HTTP: none may be answered with 5xx, or with a file that is not served.

python benchmarks/reliability/malformed.py [--short] -o malformed.json
"""

import json
import random
import re
import socket
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from mutants import mutant
from served import Server, bound, main, toys

STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)
SECRET = b"nobody may read this"  # stands in files around those that are served
PATHS = ["/v1/videos", "/v1/videos/extensions", "/v1/videos/x", "/v1/videos/x/content", "/v1/videos/x/cancel",
         "/v1/videos/x/events", "/v1/videos?limit=", "/v1/videos?after=%00", "/v1/videos?order=up", "/%00", "/v1/%ff",
         "/v1/models/x", "/v1/audio/soundtracks", "//", "/docs/../metrics", "{id}", "{id}/content", "{id}/events",
         "{id}/content?variant=../secret", "{id}/content?variant=source"]  # fmt: skip
UPWARD = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..\\", "..%5c", "%252e%252e%252f", "....//", "%c0%ae%c0%ae/"]
TARGETS = ["secret", "jobs.sqlite", "files/secret", "etc/passwd", "server0/secret", "lock"]
ROOTS = ["/", "/v1/videos/", "/v1/videos/x/", "/static/", "/studio/", "{id}/", "{id}/content/", "/v1/models/"]
FIELDS = ["prompt", "seconds", "size", "seed", "fps", "num_inference_steps", "guidance_scale", "sound", "model",
          "image", "input_reference", "video", "keep_audio", "start", "width", "__class__", ""]  # fmt: skip
VALUES = ["NaN", "-Infinity", "1e999", "1" * 5000, "-1", "0", "2.5", "null", "true", "[]", "{{}}", '""', '"x"', '"nan"',
          '"\\ud800"', '"\\u0000"', '"1x1"', '"{up}{target}"', '{{"image_url": "file:///{target}"}}',
          '{{"image_url": "http://127.0.0.1/"}}', '{{"id": "{up}{target}"}}', '"' + "x" * 20_000 + '"',
          "[" * 600 + "]" * 600]  # fmt: skip
BODIES = ["", "{", "[]", "null", "\xff", '{"a": ' * 3000, '{"prompt": "a", "prompt": 1}', "prompt=a&seed=%00",
          "--x\r\n\r\n--x--", '--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na']  # fmt: skip
HEADERS = [("Range", "bytes=9-1"), ("Range", "bytes=" + "0-1," * 999), ("Range", "bytes=-" + "9" * 99),
           ("Range", "bytes=99999999-"), ("Idempotency-Key", "\x7f" * 300), ("Content-Type", "multipart/form-data"),
           ("Content-Type", "multipart/form-data; boundary="), ("Content-Type", "multipart/form-data; boundary=x"),
           ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Type", "text/html"), ("X", "y" * 70_000),
           ("Content-Length", "-1"), ("Content-Length", "9" * 30), ("Host", "evil.example"), ("Origin", "null"),
           ("Origin", "http://[/"), ("Authorization", "Bearer \xff"), ("Transfer-Encoding", "gzip"), ("If-Range", "x"),
           ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"), ("Upgrade", "websocket")]  # fmt: skip
POSTS = [
    "/v1/videos",
    "/v1/videos",
    "/v1/videos/extensions",
    "/v1/audio/soundtracks",
    "/v1/audio/sounds",
    "{id}/cancel",
    "/v1/videos/edits",
]
METHODS = ["DELETE", "PUT", "HEAD", "OPTIONS", "BREW", "get", "POST"]


def request(rng: random.Random, port: int, id: str) -> bytes:
    """The bytes of one request; id: of a video that exists."""
    up, target = rng.choice(UPWARD) * rng.randint(1, 6), rng.choice(TARGETS)
    kind = rng.random()
    method, path = "GET", rng.choice(PATHS) if kind < 0.3 else rng.choice(ROOTS) + up + target
    if kind > 0.6:
        method, path = "POST", rng.choice(POSTS)
    if rng.random() < 0.15:
        method = rng.choice(METHODS)
    path = path.replace("{id}", f"/v1/videos/{id}") + rng.choice(["", "", "", "?a", "?limit=-1", "?variant=x", "#"])
    lines = [f"{method} {path} HTTP/1.{rng.choice('11110')}", "Connection: close"]
    lines += [f"Host: 127.0.0.1:{port}"] * (rng.random() < 0.95)
    lines += [f"{name}: {value}" for name, value in rng.sample(HEADERS, rng.choice((0, 0, 1, 2)))]
    body = rng.choice(BODIES)
    if rng.random() < 0.6:
        values = [f'"{rng.choice(FIELDS)}": {rng.choice(VALUES).format(up=up, target=target)}' for _ in range(3)]
        body = '{"prompt": "a", ' + ", ".join(values[: rng.randint(1, 3)]) + "}"
    data = body.encode("latin-1")
    lines += [f"Content-Length: {len(data)}"] * (rng.random() < 0.95)
    whole = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data
    return mutant(whole, rng) if rng.random() < 0.15 else whole


def requests(server: Server, count: int, seed: int = 0) -> dict[str, Any]:
    """Figures of `count` requests on a server with one finished video and secrets around it."""
    rng, statuses, failed, told = random.Random(seed), Counter[str](), [], 0
    for place in (server.folder, server.folder / "files", server.folder.parent):
        (place / "secret").write_bytes(SECRET)
    id = ""
    for _ in range(count):
        if not id or server.ask("GET", f"/v1/videos/{id}")[0] == 404:  # a DELETE may be what was made by chance
            id = json.loads(server.surely("POST", "/v1/videos", {"prompt": "a"}))["id"]
            server.wait(id)
        sent = request(rng, server.port, id)
        answer = _answer(server.port, sent)
        status = (STATUS.findall(answer) or [b"closed"])[-1].decode()  # the last one: 100 may stand before it
        statuses[status] += 1
        if status[0] == "5" and status != "501":  # 501 is what a route without a model says
            failed.append(sent[:300].decode("latin-1"))
        told += any(word in answer for word in (SECRET, b"SQLite format", b"root:x:", str(server.folder).encode()))
    bad = len(failed) + told + (server.ask("GET", "/healthz")[0] != 200)
    return {
        "statuses": dict(sorted(statuses.items())),
        "5xx": failed[:5],
        "secrets told": told,
        "bad": bad,
        "says": bound(bad, count),
    }


def _answer(port: int, sent: bytes) -> bytes:
    """What comes back; a server that waits for more of a body is told that none comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=0.2) as line:
        parts: list[bytes] = []
        try:
            line.sendall(sent)
            while part := _part(line):
                parts.append(part)
        except ConnectionError:  # it need not hear a request to its end that it refuses
            pass
        return b"".join(parts)


def _part(line: socket.socket) -> bytes:
    try:
        return line.recv(1 << 16)
    except TimeoutError:
        line.settimeout(20)
        line.shutdown(socket.SHUT_WR)
        return line.recv(1 << 16)


def run(*, count: int) -> dict[str, Any]:
    """The campaign on a server of its own."""
    with toys(0.0) as (server,):
        return requests(server, count)


if __name__ == "__main__":
    main(__doc__ or "", {"count": 150}, {"count": 5000}, run)
