"""Bombs: small uploads that claim or unfold into far more. Each must be refused, and no process reach 512 MiB.

python benchmarks/reliability/bombs.py [--short] -o bombs.json

The peak (VmHWM) of the server and of the processes that decode is sampled every millisecond; they start at 300 MiB.
"""

import contextlib
import io
import json
import re
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from served import Server, main, toys

MOST = 512 * 2**20
PEAK = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)


def png(width: int, height: int, *, real: bool = False, extra: bytes = b"", depth: int = 8, colour: int = 2) -> bytes:
    """A black picture; its pixels are there only where it is `real`."""
    row = b"\0" * (1 + width * depth // 8 * {0: 1, 2: 3, 6: 4}[colour]) if real else b"\0"
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(row) for _ in range(height if real else 9)) + packer.flush()
    head = width.to_bytes(4) + height.to_bytes(4) + bytes([depth, colour, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    """A part of a png."""
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def zeros(size: int) -> bytes:
    """`size` zeros, packed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size >> 20)) + packer.flush()


def jpeg(width: int, height: int) -> bytes:
    """A jpeg of 16 x 16 pixels that claims to be another size."""
    data = bytearray(_saved("JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(data)


def webp(canvas: bool) -> bytes:
    """A lossless webp that claims 16383 x 16383 pixels, or a canvas of 2**24 x 2**7."""
    data = bytearray(_saved("WEBP", lossless=True))
    at = data.index(b"VP8L") + 9
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "little") | 0xFFFFFFF).to_bytes(4, "little")
    if canvas:
        data[12:12] = b"VP8X" + (10).to_bytes(4, "little") + bytes(4) + b"\xff\xff\xff" + b"\x7f\0\0"
        data[4:8] = (len(data) - 8).to_bytes(4, "little")
    return bytes(data)


def _saved(kind: str, **how: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, kind, **how)
    return file.getvalue()


def film(size: tuple[int, int], frames: int, *, hours: float = 0.0, tag: str = "") -> bytes:
    """Black pictures, hours of silence (ten seconds of it, again and again), and what it says of itself."""
    import av
    import numpy as np

    from mediagen.media.tags import TAG

    file = io.BytesIO()
    with av.open(file, "w", "mp4", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata[TAG] = tag
        video: Any = container.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.options = {"preset": "ultrafast"}
        sound: Any = container.add_stream("flac", rate=48_000) if hours else None
        black = av.VideoFrame(*size, "yuv420p")
        for plane in black.planes:
            plane.update(bytes(plane.buffer_size))
        for index in range(frames):
            black.pts = index
            container.mux(video.encode(black))
        container.mux(video.encode(None))
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 960_000), np.int16), format="s16", layout="stereo")
            silence.sample_rate = 48_000
            packets = [*sound.encode(silence), *sound.encode(None)]
            kept = [(bytes(packet), packet.duration) for packet in packets]
            at = 0
            while at < hours * 3600 * 48_000:
                for data, duration in kept:
                    packet = av.Packet(data)
                    packet.stream, packet.pts, packet.dts, packet.duration = sound, at, at, duration
                    packet.time_base = packets[0].time_base
                    container.mux(packet)
                    at += duration or 4096
    return file.getvalue()


def flac(rate: int, seconds: int) -> bytes:
    """Silence in stereo."""
    import av
    import numpy as np

    file = io.BytesIO()
    with av.open(file, "w", "flac") as container:
        stream: Any = container.add_stream("flac", rate=rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2 * rate), np.int16), format="s16", layout="stereo")
        frame.sample_rate = rate
        for second in range(seconds):
            frame.pts = second * rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def bombs() -> Iterator[tuple[str, str, str, bytes]]:
    """Name, path, field (empty for a whole body) and bytes of each."""
    pictures = {
        "png of 81 million black pixels": png(9000, 9000, real=True),
        "png of 81 million pixels with 16 bits and alpha": png(9000, 9000, real=True, depth=16, colour=6),
        "png that claims 2^31 x 2^31": png(2**31 - 1, 2**31 - 1),
        "png that claims 60000 x 60000": png(60_000, 60_000),
        "png one pixel high, 2^28 wide": png(2**28, 1),
        "png with 1 GiB of packed text": png(64, 64, extra=chunk(b"zTXt", b"a\0\0" + zeros(2**30))),
        "png with 1 GiB of packed international text": png(64, 64, extra=chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(2**30))),
        "png with a packed profile of 1 GiB": png(9000, 9000, extra=chunk(b"iCCP", b"a\0\0" + zeros(2**30))),
        "jpeg that claims 65500 x 65500": jpeg(65_500, 65_500),
        "jpeg that claims 65500 x 2000": jpeg(65_500, 2000),
        "webp that claims 16383 x 16383": webp(False),
        "webp with a canvas of 2^24 x 2^7": webp(True),
    }
    for name, data in pictures.items():
        yield name, "/v1/videos", "input_reference", data
    small = film((64, 64), 8)
    films = {
        "film of 10 frames of 4096 x 2304": film((4096, 2304), 10),
        "film of 4300 frames of 128 x 128": film((128, 128), 4300),
        "film with 4 hours of silence": film((64, 64), 8, hours=4),
        "film with settings of 20 MB": film((32, 32), 8, tag='{"settings": {"a": "' + "x" * 20_000_000 + '"}}'),
        "film with settings 10,000 deep": film((32, 32), 8, tag='{"settings": ' + "[" * 10**4 + "]" * 10**4 + "}"),
        "film that says it has 10^12 samples": film((32, 32), 8, hours=0.003, tag='{"samples": 1000000000000}'),
        "film of boxes in boxes": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\x7f\xff\xff\xffmoov" * 100_000,
    }
    at = small.index(b"stsz")
    films["film that claims 2^31 samples of a byte"] = small[: at + 8] + b"\0\0\0\1\x7f\xff\xff\xff" + small[at + 16 :]
    for name, data in films.items():
        yield name, "/v1/videos/extensions", "video", data
    sounds = {
        "flac with 11 minutes of silence": flac(48_000, 660),
        "flac with a minute at 655,350 Hz": flac(655_350, 60),
        "mp4 with 4 hours of silence, to be heard": film((64, 64), 8, hours=4),
    }
    for name, data in sounds.items():
        yield name, "/v1/audio/sounds", "sound", data
    bodies = {
        "JSON of ten million lists": b'{"prompt": "a", "seed": [' + b"[]," * 10_000_000 + b"[]]}",
        "JSON a million lists deep": b'{"prompt": "a", "seed": ' + b"[" * 10**6 + b"]" * 10**6 + b"}",
        "JSON with a prompt of 90 MB": b'{"prompt": "' + b"a" * 90_000_000 + b'"}',
        "JSON with a number of 90 MB": b'{"prompt": "a", "seed": ' + b"1" * 90_000_000 + b"}",
        "JSON of 200 MB": b" " * 200_000_000,
    }
    for name, data in bodies.items():
        yield name, "/v1/videos", "", data


class Watcher(threading.Thread):
    """The most memory that a process, or one below it, has had, until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        """Samples."""
        while not self.over.wait(0.001):
            for pid in _below(self.pid):
                with contextlib.suppress(OSError):
                    found = PEAK.search(Path(f"/proc/{pid}/status").read_text())
                    self.most = max(self.most, int(found[1]) * 1024 if found else 0)


def _below(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                yield from _below(int(child))


def drop(server: Server, path: str, field: str, data: bytes) -> tuple[int, int, bytes]:
    """Status of the answer to a bomb, the most memory that a process had meanwhile, and the answer."""
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # its peak is what it has now
    watcher = Watcher(server.pid)
    watcher.start()
    status, answer = _send(server, path, field, data)
    watcher.over.set()
    watcher.join()
    return status, watcher.most, answer


def run(*, count: int) -> dict[str, Any]:
    """The campaign with the first `count` bombs."""
    found, bad = {}, 0
    with toys(0.0) as (server,):
        for name, path, field, data in islice(bombs(), count):
            begun = time.monotonic()
            status, most, answer = drop(server, path, field, data)
            took = time.monotonic() - begun
            refused = 400 <= status < 500
            bad += not refused or most >= MOST
            code = json.loads(answer)["error"]["code"] if refused else None
            found[name] = f"{status} {code}, {len(data) / 1e6:.2f} MB sent, {most >> 20} MiB at most, {took:.1f} s"
        bad += server.ask("GET", "/healthz")[0] != 200
    return {"bombs": found, "bad": bad, "says": f"{len(found) - bad} of {len(found)} refused below {MOST >> 20} MiB"}


def _send(server: Server, path: str, field: str, data: bytes) -> tuple[int, bytes]:
    kind = {"Content-Type": "application/json"}
    if field:
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        head = '--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\r\n--x\r\n'
        if field == "sound":
            head += 'Content-Disposition: form-data; name="seconds"\r\n\r\n1\r\n--x\r\n'
        head += f'Content-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n'
        data = head.encode() + data + b"\r\n--x--\r\n"
    try:
        return server.send("POST", path, data, kind)
    except (BrokenPipeError, ConnectionResetError):  # refused by its length, before it was sent
        return 413, b'{"error": {"code": "too_large"}}'


if __name__ == "__main__":
    main(__doc__ or "", {"count": 6}, {"count": 28}, run)
