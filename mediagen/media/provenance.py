"""Provenance: what every generated file says of itself, that a machine made it, and whether it changed since.

An XMP packet names IPTC's digital source type, as the European AI act's article 50 asks for marks that machines read.
Beside it stands a digest of the rest of the file. Whoever changes a file can write another digest: only a signed
manifest (`credentials`) proves anything.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediagen.media import credentials
from mediagen.media.pictures import opened_picture
from mediagen.media.tags import noted

VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE, MIXED = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
_NAMESPACE = "https://mediagen.dev/ns/provenance/1.0/"
_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # of XMP in mp4 (XMP specification, part 3)
_PNG = b"XML:com.adobe.xmp\0\0\0\0\0"
_GIF = b"\x21\xff\x0bXMP DataXMP"
_GIF_END = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
MARKED = (".mp4", ".mov", ".png", ".gif", ".wav")  # which can hold a packet; the others say it in their settings


@dataclass(frozen=True)
class Found:
    """What a file says. source: IPTC's name of the digital source type, or "" where it says nothing.

    changed: whether its content is another than when it was written; None where the file cannot tell.  signed: what a
    C2PA manifest says, by name; None without one, or without the package that reads it.
    """

    source: str
    changed: bool | None
    signed: dict[str, Any] | None

    @property
    def told(self) -> str:
        """In a sentence or two."""
        if not self.source and self.signed is None:
            return "says nothing of where it comes from."
        made = {MADE: "made by a trained model", MIXED: "in part made by a trained model"}
        says = f"says that it was {made.get(self.source, self.source or 'signed')}."
        since = {None: " It cannot tell whether it changed since.", False: " Its content is as it was written.",
                 True: " Its content was CHANGED since."}  # fmt: skip
        if self.signed is None:
            return says + since[self.changed]
        by = self.signed["by"] or "a key without a name"
        return says + f" Its signed manifest, by {by}, is {self.signed['state']}."


def source_of(settings: Mapping[str, Any], pictures: bool) -> str:
    """The digital source type of a clip with these settings; "" for what no model made."""
    if not settings:
        return ""
    return MIXED if settings.get("task") == "sound" and pictures else MADE


def mark(path: Path, source: str) -> None:
    """Writes the mark into a whole file, by its ending; with a key (see `credentials`) it is signed, and its manifest
    proves the content. What cannot hold a mark stays as it is, as does what no model made (source "")."""
    ending = path.suffix.lower()
    if not source:
        return
    signing = credentials.key() is not None and ending in credentials.SIGNED
    if ending in MARKED:
        content = path.read_bytes() if ending != ".mp4" and ending != ".mov" else b""
        packet = _packet(source, "" if signing else _digest(path))
        if ending in (".mp4", ".mov"):  # at the end, so that no place in it moves and none of it is read into memory
            with path.open("ab") as file:
                file.write(struct.pack(">I4s", 24 + len(packet), b"uuid") + _UUID + packet)
        else:
            path.write_bytes(_with(content, ending, packet))
    if signing:
        credentials.sign(path, VOCABULARY + source)


def verify(path: str | Path) -> Found:
    """What a file says of where it comes from; ValueError where it is missing or none that we know."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"got no file at '{path}', expected a film, picture or sound; check the path.")
    packet = _read(path)
    source, digest = _field(packet, "DigitalSourceType"), _field(packet, "contentDigest")
    if not source:
        source = str(_told(path).get("source_type", ""))
    changed = None if not digest else digest != _digest(path)
    return Found(source.removeprefix(VOCABULARY), changed, credentials.read(path))


def packet_of(source: str) -> bytes:
    """A packet for a picture that Pillow writes (webp, jpg), without a digest."""
    return _packet(source, "")


def _packet(source: str, digest: str) -> bytes:
    own = f'\n   xmlns:mediagen="{_NAMESPACE}"\n   mediagen:contentDigest="{digest}"' if digest else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n  <rdf:Description rdf:about=""\n'
        f'   xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"{own}\n'
        f'   Iptc4xmpExt:DigitalSourceType="{VOCABULARY}{source}"/>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
    ).encode()


def _field(packet: bytes, name: str) -> str:
    found = re.search(rf':{name}="([^"]*)"'.encode(), packet) or re.search(rf":{name}>([^<]*)<".encode(), packet)
    return found[1].decode("utf-8", "replace") if found else ""


def _told(path: Path) -> dict[str, Any]:
    """Our JSON in the file, for formats without a packet."""
    try:
        if path.suffix.lower() in (".png", ".gif", ".jpg", ".jpeg", ".webp"):
            with opened_picture(path) as image:
                return noted(image.info)
        import av

        with av.open(str(path)) as container:
            return noted(container.metadata)
    except Exception as error:
        raise ValueError(f"got {path.name}, which is no film, picture or sound that can be read; give one.") from error


def _read(path: Path) -> bytes:
    """The packet in a file; b"" where it has none."""
    ending = path.suffix.lower()
    if ending in (".webp", ".jpg", ".jpeg"):
        with opened_picture(path) as image:
            found = image.info.get("xmp", b"")
            return found if isinstance(found, bytes) else str(found).encode()
    span = _span(path) if ending in MARKED else None
    if span is None:
        return b""
    with path.open("rb") as file:
        file.seek(span[0])
        return file.read(span[1] - span[0])


def _digest(path: Path) -> str:
    """SHA-256 of a file without its packet."""
    total, span = hashlib.sha256(), _span(path)
    with path.open("rb") as file:
        size = path.stat().st_size
        for first, last in ((0, size),) if span is None else ((0, span[0]), (span[1], size)):
            file.seek(first)
            while first < last and (block := file.read(min(1 << 20, last - first))):
                if path.suffix.lower() == ".wav" and first == 0:  # whose size counts the packet
                    block = block[:4] + b"\0\0\0\0" + block[8:]
                total.update(block)
                first += len(block)
    return total.hexdigest()


def _span(path: Path) -> tuple[int, int] | None:
    """The first and the last byte of what carries the packet."""
    ending = path.suffix.lower()
    if ending in (".mp4", ".mov"):
        return _last_box(path)
    content = path.read_bytes()
    if ending == ".png":
        at = content.find(b"iTXt" + _PNG)
        return None if at < 4 else (at - 4, at + 8 + struct.unpack_from(">I", content, at - 4)[0])
    if ending == ".gif":
        at, end = content.find(_GIF), content.find(_GIF_END)
        return None if at < 0 or end < at else (at, end + len(_GIF_END))
    at = content.rfind(b"_PMX")
    if at < 0 or at + 8 > len(content):
        return None
    size = struct.unpack_from("<I", content, at + 4)[0]
    return (at, min(len(content), at + 8 + size + size % 2))


def _last_box(path: Path) -> tuple[int, int] | None:
    """Where the box of the packet is among those of the file, whose contents are passed over."""
    with path.open("rb") as file:
        start, size = 0, path.stat().st_size
        while start + 8 <= size:
            file.seek(start)
            head = file.read(24)
            long, kind = struct.unpack_from(">I4s", head)
            if long == 1 and len(head) >= 16:
                long = struct.unpack_from(">Q", head, 8)[0]
            long = long or size - start
            if kind == b"uuid" and head[8:24] == _UUID:
                return start, min(size, start + long)
            if long < 8:
                return None
            start += long
    return None


def _with(content: bytes, ending: str, packet: bytes) -> bytes:
    if ending == ".png":  # after the header, as readers look for it before the pixels
        body = b"iTXt" + _PNG + packet
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return content[:33] + chunk + content[33:]
    if ending == ".gif":
        return content[:-1] + _GIF + packet + _GIF_END + content[-1:]
    padded = packet + b" " * (len(packet) % 2)
    made = content + b"_PMX" + struct.pack("<I", len(padded)) + padded
    return made[:4] + struct.pack("<I", len(made) - 8) + made[8:]
