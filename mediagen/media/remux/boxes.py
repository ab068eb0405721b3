"""What mp4 and mov (ISO 14496-12) say of a track beside its pictures: which are shown when, and how; read and written.

FFmpeg carries most of it. Edit lists it makes anew, and of the boxes that describe pictures it knows some.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import IO

_MOST = 2**29  # bytes of a moov that is held in memory
_Box = tuple[bytes, int, int, int]  # kind, start, bytes of its head, whole size


@dataclass(frozen=True)
class Edit:
    """seconds: how long it is shown.  start: in seconds of the track; None shows nothing.  rate: as it is stored."""

    seconds: Fraction
    start: Fraction | None
    rate: bytes = b"\0\1\0\0"


@dataclass(frozen=True)
class Edits:
    """What is shown of a track, in order.  scale: ticks of the whole film in a second."""

    edits: list[Edit]
    scale: int

    def from_first(self, origin: Fraction) -> list[Edit]:
        """The edits from the first picture on, which is shown at `origin` (seconds)."""
        edits = list(self.edits)
        while edits and edits[0].start is None:
            origin -= edits.pop(0).seconds
        if edits and edits[0].start is not None and 0 < origin < edits[0].seconds:
            edits[0] = replace(edits[0], seconds=edits[0].seconds - origin, start=edits[0].start + origin)
        return edits


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[_Box]:
    """The boxes between two places of `data`; ends at one that is damaged."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            head, size = 16, struct.unpack_from(">Q", data, start + 8)[0]
        size = size or end - start
        if size < head or start + size > end:
            return
        yield kind, start, head, size
        start += size


def find(data: bytes, *path: bytes, within: _Box | None = None) -> _Box | None:
    """The first box by its path."""
    start, end = (0, len(data)) if within is None else (within[1] + within[2], within[1] + within[3])
    for box in boxes(data, start, end):
        if box[0] == path[0]:
            return box if len(path) == 1 else find(data, *path[1:], within=box)
    return None


def edits_of(path: Path, track: int) -> Edits | None:
    """The edit list of the track with that id; None where the file has none that can be read."""
    data, trak = _track(path, track)
    if trak is None:
        return None
    listed = find(data, b"edts", b"elst", within=trak)
    scale = _scale(data, find(data, b"moov", b"mvhd"))
    ticks = _scale(data, find(data, b"mdia", b"mdhd", within=trak))
    if listed is None or not scale or not ticks:
        return None
    at, long, found = listed[1] + listed[2], data[listed[1] + listed[2]] == 1, []
    form = ">Qq4s" if long else ">Ii4s"
    for index in range(struct.unpack_from(">I", data, at + 4)[0]):
        if at + 8 + (index + 1) * struct.calcsize(form) > listed[1] + listed[3]:
            return None
        last, first, rate = struct.unpack_from(form, data, at + 8 + index * struct.calcsize(form))
        found.append(Edit(Fraction(last, scale), None if first < 0 else Fraction(first, ticks), rate))
    return Edits(found, scale)


def described(path: Path, track: int | None = None) -> dict[bytes, bytes]:
    """The boxes that describe the pictures of a track (None: the first), by kind; empty where none can be read."""
    data, trak = _track(path, track)
    entry = None if trak is None else _entry(data, trak)
    return {} if entry is None else {kind: data[at : at + n] for kind, at, _, n in boxes(data, entry[1] + 86, entry[2])}


def common_scale(*scales: int) -> int:
    """Ticks of the film in a second by which all of these can be counted exactly; the first where that is too many."""
    return scales[0] if (both := lcm(*scales)) > 2**31 else both


def rewrite(path: Path, target: Path, edits: list[Edit] | None, more: bytes = b"") -> None:
    """Copies an mp4 or mov with other `edits` (None: its own) and with `more` boxes describing its first track."""
    with path.open("rb") as file, target.open("wb") as made:
        place = _moov(file)
        assert place is not None, "FFmpeg wrote no moov"
        start, size = place
        file.seek(start)
        old = file.read(size)
        moov = old if edits is None else _edited(old, edits)
        if more:
            moov = _with_boxes(moov, more)
        if any(kind == b"mdat" and at > start for kind, at, _, _ in _tops(file)):
            moov = _moved(moov, len(moov) - size)
        for begin, end in ((0, start), (start + size, file.seek(0, 2))):
            file.seek(begin)
            while begin < end:
                part = file.read(min(end - begin, 2**20))
                made.write(part)
                begin += len(part)
            if end == start:
                made.write(moov)


def _tops(file: IO[bytes]) -> Iterator[_Box]:
    at, end = 0, file.seek(0, 2)
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            head, size = 16, int.from_bytes(file.read(8), "big")
        size = size or end - at
        if size < head:
            return
        yield kind, at, head, size
        at += size


def _moov(file: IO[bytes]) -> tuple[int, int] | None:
    return next(((start, size) for kind, start, _, size in _tops(file) if kind == b"moov"), None)


def _traks(data: bytes) -> list[_Box]:
    moov = find(data, b"moov")
    return [] if moov is None else [b for b in boxes(data, moov[1] + moov[2], moov[1] + moov[3]) if b[0] == b"trak"]


def _number(data: bytes, box: _Box, short: int, long: int) -> int:
    """The 32 bits at a place that differs between the versions of a box."""
    at = box[1] + box[2]
    return struct.unpack_from(">I", data, at + (long if data[at] == 1 else short))[0]


def _track(path: Path, track: int | None) -> tuple[bytes, _Box | None]:
    """moov, and in it the track with that id."""
    with path.open("rb") as file:
        place = _moov(file)
        if place is None or place[1] > _MOST:
            return b"", None
        file.seek(place[0])
        data = file.read(place[1])
    for trak in _traks(data):
        header = find(data, b"tkhd", within=trak)
        if header is not None and track in (None, _number(data, header, 12, 20)):
            return data, trak
    return data, None


def _entry(data: bytes, trak: _Box) -> tuple[_Box, int, int] | None:
    """The box stsd of a track, and where its first description begins and ends."""
    box = find(data, b"mdia", b"minf", b"stbl", b"stsd", within=trak)
    if box is None or box[3] < box[2] + 16:
        return None
    at = box[1] + box[2] + 8
    return box, at, min(at + struct.unpack_from(">I", data, at)[0], box[1] + box[3])


def _with_boxes(data: bytes, more: bytes) -> bytes:
    """moov with more boxes in the first description of its first track."""
    trak = _traks(data)[0]
    entry = _entry(data, trak)
    assert entry is not None, "FFmpeg wrote no stsd"
    made, stsd = bytearray(data), (b"mdia", b"minf", b"stbl", b"stsd")
    around = [find(data, b"moov"), trak, *(find(data, *stsd[:n], within=trak) for n in range(1, 5))]
    for start, size in [(b[1], b[3]) for b in around if b is not None] + [(entry[1], entry[2] - entry[1])]:
        struct.pack_into(">I", made, start, size + len(more))
    made[entry[2] : entry[2]] = more
    return bytes(made)


def _scale(data: bytes, box: _Box | None) -> int:
    return 0 if box is None else _number(data, box, 12, 20)


def _edited(data: bytes, edits: list[Edit]) -> bytes:
    """moov with another edit list in its first track, and the lengths that follow from it."""
    trak = _traks(data)[0]
    header, media, film = (
        find(data, b"tkhd", within=trak), find(data, b"mdia", b"mdhd", within=trak), find(data, b"moov", b"mvhd"),
    )  # fmt: skip
    assert header is not None and media is not None and film is not None
    scale, ticks = _scale(data, film), _scale(data, media)
    body = struct.pack(">II", 1 << 24, len(edits)) + b"".join(
        struct.pack(">Qq4s", round(e.seconds * scale), -1 if e.start is None else round(e.start * ticks), e.rate)
        for e in edits
    )
    new = struct.pack(">I4sI4s", 16 + len(body), b"edts", 8 + len(body), b"elst") + body
    old = find(data, b"edts", within=trak)
    at, gone = (header[1] + header[3], 0) if old is None else (old[1], old[3])
    made = bytearray(data)
    shown = round(sum((edit.seconds for edit in edits), Fraction(0)) * scale)
    _set_length(made, header, 20, 28, shown)
    others = [_length(data, box, 20, 28) for box in (find(data, b"tkhd", within=t) for t in _traks(data)[1:]) if box]
    _set_length(made, film, 16, 24, max([shown, *others]))
    for box in (find(data, b"moov"), trak):
        assert box is not None
        struct.pack_into(">I", made, box[1], box[3] + len(new) - gone)
    made[at : at + gone] = new
    return bytes(made)


def _length(data: bytes, box: _Box, short: int, long: int) -> int:
    at = box[1] + box[2]
    return struct.unpack_from(*((">Q", data, at + long) if data[at] == 1 else (">I", data, at + short)))[0]


def _set_length(data: bytearray, box: _Box, short: int, long: int, value: int) -> None:
    at = box[1] + box[2]
    struct.pack_into(*((">Q", data, at + long) if data[at] == 1 else (">I", data, at + short)), value)


def _moved(data: bytes, by: int) -> bytes:
    """moov whose chunks of data lie so many bytes further on."""
    made = bytearray(data)
    for trak in _traks(data):
        for kind, form in ((b"stco", "I"), (b"co64", "Q")):
            box = find(data, b"mdia", b"minf", b"stbl", kind, within=trak)
            if box is None:
                continue
            at = box[1] + box[2] + 4
            form = f">{struct.unpack_from('>I', data, at)[0]}{form}"
            places = [place + by for place in struct.unpack_from(form, data, at + 4)]
            if kind == b"stco" and places and max(places) >= 2**32:
                raise ValueError("got a film that fills 4 GiB to the last byte, expected a little less; cut it first.")
            struct.pack_into(form, made, at + 4, *places)
    return bytes(made)
