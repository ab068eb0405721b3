"""The shape of pixels in Matroska (RFC 9559, 5.1.4.1.28): written here, for PyAV cannot tell it to FFmpeg.

FFmpeg leaves a Void behind the table of contents: what the first track grows by is taken from there, so that no
cluster moves. The file must be written without checksums (write_crc32=0).
"""

from fractions import Fraction
from pathlib import Path

_SEGMENT, _SEEK_HEAD, _VOID, _INFO, _TRACKS = 0x18538067, 0x114D9B74, 0xEC, 0x1549A966, 0x1654AE6B
_ENTRY, _VIDEO, _CLUSTER, _SEEK, _SEEK_ID, _SEEK_POSITION = 0xAE, 0xE0, 0x1F43B675, 0x4DBB, 0x53AB, 0x53AC
_WIDTH, _HEIGHT, _UNIT, _RATIO, _STEREO = 0x54B0, 0x54BA, 0x54B2, 3, 0x53B8
_BESIDE, _ABOVE = (1, 8, 9, 11), (2, 3, 6, 7)  # how two eyes share a picture


def set_pixel_shape(path: Path, size: tuple[int, int], shape: Fraction) -> None:
    """Writes the shape (width / height) of the pixels in the first track; size: (width, height) of its pictures."""
    with path.open("r+b") as file:
        head = file.read(2**20)
        begin, front = _front(head)
        old = {ident: (at, body, end) for ident, at, body, end in front}
        at, body, end = old[_TRACKS]
        tracks = _element(_TRACKS, _with_shape(head[body:end], Fraction(size[0], size[1]) * shape))
        more = len(tracks) - (end - at)
        void_at, _, void_end = old[_VOID]
        room = void_end - void_at - more
        assert room >= 9 and void_at < at, f"FFmpeg left {void_end - void_at} bytes for {more}"
        contents = head[begin : old[_SEEK_HEAD][1]] + _seeks(head, old[_SEEK_HEAD][1:], {_INFO, _TRACKS}, -more)
        made = contents + head[old[_SEEK_HEAD][2] : void_at] + _void(room) + head[void_end:at] + tracks
        assert len(made) == end - begin, "clusters must stay where they are"
        file.seek(begin)
        file.write(made)


def _front(data: bytes) -> tuple[int, list[tuple[int, int, int, int]]]:
    """Where the segment's data begins, and its elements before the first cluster: id, start, body, end."""
    at = 0
    while True:
        ident, body, end = _read(data, at)
        if ident == _SEGMENT:
            break
        at = end
    begin, found, at = body, [], body
    while at < len(data):
        ident, body, end = _read(data, at)
        if ident == _CLUSTER:
            break
        found.append((ident, at, body, end))
        at = end
    return begin, found


def _with_shape(tracks: bytes, ratio: Fraction) -> bytes:
    """The tracks with another ratio of the pictures of the first one, in place of what it says now."""
    made, first = b"", True
    for ident, at, body, end in _children(tracks):
        entry = tracks[at:end]
        if ident == _ENTRY and first:
            first, inner = False, tracks[body:end]
            parts = b""
            for kind, a, b, e in _children(inner):
                if kind == _VIDEO:
                    found = _children(inner, b, e)
                    kept = (inner[x:z] for k, x, _, z in found if k not in (_WIDTH, _HEIGHT, _UNIT))
                    eyes = next((inner[z - 1] for k, _, _, z in found if k == _STEREO), 0)
                    parts += _element(
                        _VIDEO,
                        b"".join(kept) + _shown(ratio, eyes),
                    )
                else:
                    parts += inner[a:e]
            entry = _element(_ENTRY, parts)
        made += entry
    return made


def _shown(ratio: Fraction, eyes: int) -> bytes:
    """How wide and high one picture is, of which the coded one may hold two."""
    ratio = ratio / 2 if eyes in _BESIDE else ratio * 2 if eyes in _ABOVE else ratio
    sides = _element(_WIDTH, _bytes(ratio.numerator)) + _element(_HEIGHT, _bytes(ratio.denominator))
    return _element(_UNIT, bytes([_RATIO])) + sides


def _seeks(data: bytes, span: tuple[int, int], which: set[int], by: int) -> bytes:
    """The table of contents, of the same length, with some of its places moved."""
    made = bytearray(data[span[0] : span[1]])
    for ident, _, body, end in _children(bytes(made)):
        if ident == _SEEK:
            inner = {kind: (b, e) for kind, _, b, e in _children(bytes(made), body, end)}
            (a, b), (c, d) = inner[_SEEK_ID], inner[_SEEK_POSITION]
            if int.from_bytes(made[a:b], "big") in which:
                made[c:d] = (int.from_bytes(made[c:d], "big") + by).to_bytes(d - c, "big")
    return bytes(made)


def _children(data: bytes, at: int = 0, end: int | None = None) -> list[tuple[int, int, int, int]]:
    found, end = [], len(data) if end is None else end
    while at < end:
        ident, body, stop = _read(data, at)
        found.append((ident, at, body, stop))
        at = stop
    return found


def _read(data: bytes, at: int) -> tuple[int, int, int]:
    """Id, body and end of the element at a place."""
    wide = 9 - data[at].bit_length()
    ident, place = int.from_bytes(data[at : at + wide], "big"), at + wide
    wide = 9 - data[place].bit_length()
    size = int.from_bytes(data[place : place + wide], "big") & ((1 << 7 * wide) - 1)
    return ident, place + wide, place + wide + size


def _bytes(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def _element(ident: int, body: bytes) -> bytes:
    """An element, its size in as few bytes as can be."""
    wide = next(n for n in range(1, 9) if len(body) < (1 << 7 * n) - 1)
    return _bytes(ident) + ((1 << 7 * wide) | len(body)).to_bytes(wide, "big") + body


def _void(size: int) -> bytes:
    """`size` bytes that say nothing, 9 or more."""
    return bytes([_VOID]) + ((1 << 56) | (size - 9)).to_bytes(8, "big") + bytes(size - 9)
