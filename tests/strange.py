"""Strange films for the tests: pictures that tell their number by eight bars, and boxes of mp4 changed afterwards."""

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np

PLAIN = {"g": "48", "bf": "0", "sc_threshold": "0"}  # pictures in the order they are shown
Box = tuple[int, int, int]  # start, bytes of its head, whole size


def bars(number: int, size: tuple[int, int] = (64, 64)) -> np.ndarray:
    """A picture whose bar b is white where bit b of the number is set."""
    picture = np.full((size[1], size[0], 3), 20, np.uint8)
    for bit in range(8):
        if number >> bit & 1:
            picture[:, bit * size[0] // 8 : (bit + 1) * size[0] // 8] = 235
    return picture


def number(picture: np.ndarray) -> int:
    """The number of a picture of `bars`."""
    high, wide = picture.shape[:2]
    middle = picture[high // 4 : 3 * high // 4]
    return sum(1 << b for b in range(8) if middle[:, b * wide // 8 + 3 : (b + 1) * wide // 8 - 3].mean() > 128)


def shown(path: Path) -> list[tuple[float, int]]:
    """Second and number of each picture, as a player shows them."""
    with av.open(str(path)) as container:
        return [(round(f.time, 3), number(f.to_ndarray(format="rgb24"))) for f in container.decode(video=0)]


def film(
    path: Path,
    times: Sequence[float] | int = 32,
    *,
    sound: float = 0.0,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pixels: str = "yuv420p",
    writing: dict[str, str] | None = None,
    title: str | None = None,
    languages: tuple[str, str] | None = None,
    tick: Fraction = Fraction(1, 90_000),
    chapters: list[Any] | None = None,
) -> Path:
    """A film whose picture i is bars of i, shown at times[i] seconds (or 16 a second); `sound` seconds of a tone."""
    with av.open(str(path), "w", options=writing or {}) as container:
        given = PLAIN if options is None else options
        video = cast("av.VideoStream", container.add_stream(codec, rate=16, options={"threads": "1", **given}))
        video.width, video.height, video.pix_fmt = 64, 64, pixels
        video.codec_context.time_base = tick
        speaker = cast("av.AudioStream", container.add_stream("aac", rate=48_000, layout="mono")) if sound else None
        if title is not None:
            container.metadata["title"] = title
        if languages and speaker is not None:
            video.metadata["language"], speaker.metadata["language"] = languages
        if chapters:
            container.set_chapters(chapters)
        for index, time in enumerate([i / 16 for i in range(times)] if isinstance(times, int) else times):
            frame = av.VideoFrame.from_ndarray(bars(index), format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = round(time / float(tick)), tick
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if speaker is not None:
            wave = (0.2 * np.sin(0.05 * np.arange(round(sound * 48_000))))[None].astype(np.float32)
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            container.mux(speaker.encode(frame))
            container.mux(speaker.encode(None))
    return path


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, Box]]:
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            head, size = 16, struct.unpack_from(">Q", data, start + 8)[0]
        yield kind, (start, head, size)
        start += size


def find(data: bytes, path: str, within: Box | None = None) -> list[Box]:
    """The boxes on the way to the first one at a path such as "moov/trak/tkhd"; of tracks always the first."""
    start, end = (0, len(data)) if within is None else (within[0] + within[1], within[0] + within[2])
    name, _, rest = path.partition("/")
    for kind, box in boxes(data, start, end):
        if kind.decode("latin1") == name:
            return [box, *(find(data, rest, box) if rest else [])]
    return []


def grown(data: bytes, at: int, old: int, new: bytes, around: list[Box]) -> bytes:
    """Data in which `new` stands for `old` bytes, and the boxes around it are as much longer. moov must be last."""
    made = bytearray(data)
    for start, _, size in around:
        struct.pack_into(">I", made, start, size + len(new) - old)
    made[at : at + old] = new
    return bytes(made)


def describe(path: Path, *more: tuple[bytes, bytes]) -> Path:
    """Adds boxes (kind, body) to the description of the first track's pictures."""
    data = path.read_bytes()
    for kind, body in more:
        around = find(data, "moov/trak/mdia/minf/stbl/stsd")
        start = around[-1][0] + 16
        size = struct.unpack_from(">I", data, start)[0]
        old = next((b for k, b in boxes(data, start + 86, start + size) if k == kind), None)
        at, gone = (old[0], old[2]) if old else (start + size, 0)
        data = grown(data, at, gone, struct.pack(">I4s", 8 + len(body), kind) + body, [*around, (start, 8, size)])
    path.write_bytes(data)
    return path


def edit(path: Path, *edits: tuple[float, float], scale: int | None = None) -> Path:
    """Gives the first track the edits (seconds, second of the track at which they begin; below 0 shows nothing)."""
    data = path.read_bytes()
    film_box, header = find(data, "moov/mvhd")[-1], find(data, "moov/trak/tkhd")[-1]
    media = find(data, "moov/trak/mdia/mdhd")[-1]
    made = bytearray(data)
    if scale is not None:
        struct.pack_into(">I", made, film_box[0] + 20, scale)
    ticks, scale = struct.unpack_from(">I", data, media[0] + 20)[0], struct.unpack_from(">I", made, film_box[0] + 20)[0]
    body = struct.pack(">II", 0, len(edits)) + b"".join(
        struct.pack(">Iihh", round(s * scale), -1 if m < 0 else round(m * ticks), 1, 0) for s, m in edits
    )
    total = round(sum(s for s, _ in edits) * scale)
    struct.pack_into(">I", made, header[0] + 28, total)
    struct.pack_into(">I", made, film_box[0] + 24, total)
    new = struct.pack(">I4sI4s", 16 + len(body), b"edts", 8 + len(body), b"elst") + body
    old = find(data, "moov/trak/edts")
    at, gone = (old[-1][0], old[-1][2]) if len(old) == 3 else (header[0] + header[2], 0)
    path.write_bytes(grown(bytes(made), at, gone, new, find(data, "moov/trak")))
    return path
