"""Uploads: files of strangers, known by their first bytes, decoded in another process, kept as plain tensors."""

import base64
import errno
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake.decoding import FULL
from mediagen.sdk.service.queue.disk import settle
from mediagen.sdk.service.queue.rows import File
from mediagen.sdk.service.refusals import Refused, wrong
from mediagen.sdk.service.settings import MIB, Settings

FILMS = {".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mkv": "video/x-matroska"}
PICTURES, VIDEOS = (".png", ".jpg", ".webp"), tuple(FILMS)
SOUNDS = (".wav", ".flac", ".mp3", *VIDEOS)  # an m4a is known as mp4
_ALLOWED = {"picture": PICTURES, "clip": VIDEOS, "film": VIDEOS, "sound": SOUNDS}
DECODED = ".safetensors"
_WAITING = 16  # uploads that may wait for the decoder; routes have 40 threads, and the rest of them must go on
_HEAD = 64  # bytes that tell the type
_MOVIES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # what a QuickTime film without ftyp begins with


def ending(head: bytes) -> str | None:
    """The type of a file by its first bytes, as the ending it should have; None for one that is not taken."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if head.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if head.startswith(b"RIFF") and head[8:12] in (b"WEBP", b"WAVE"):
        return ".webp" if head[8:12] == b"WEBP" else ".wav"
    if head[4:8] in _MOVIES or head[4:12] == b"ftypqt  ":
        return ".mov"
    if head[4:8] == b"ftyp":
        return ".mp4"
    if head.startswith(b"fLaC"):
        return ".flac"
    if head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] and head[1] & 0xE6 == 0xE2):  # MPEG, layer III
        return ".mp3"
    if head.startswith(b"\x1aE\xdf\xa3"):  # its kind stands some 30 bytes further on; Matroska holds all that WebM does
        return ".webm" if b"webm" in head else ".mkv"
    return None


class Decoder:
    """The process that decodes, started when first needed and again when it died."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock, self._room = threading.Lock(), threading.Semaphore(_WAITING)
        self._process: subprocess.Popen[str] | None = None

    def decode(self, source: Path, target: Path, kind: str, limits: Limits) -> dict[str, Any]:
        """Writes a file's frames and sound to `target`; what is known about them. Refused for what cannot be read.

        kind: "picture", "clip", "sound", or "film", which models of these limits will read themselves: it is read and
        written once, and `target` a copy.
        """
        order = {
            "source": str(source),
            "target": str(target),
            "kind": kind,
            "max_seconds": limits.max_sound_seconds,
            "rate": limits.fps,
            "max_pixels": self.settings.max_pixels,
            "max_bytes": self.settings.max_pixels * 3 + 512 * MIB,
            "seconds": self.settings.decode_seconds,
            "memory": self.settings.decode_mib * MIB,
        }
        if not self._room.acquire(blocking=False):
            message = "got an upload while as many are read as may; try again in 5 s."
            raise Refused(429, message, "too_many", headers={"Retry-After": "5"})
        try:
            with self._lock:
                answer = self._ask(json.dumps(order) + "\n")
        finally:
            self._room.release()
        if FULL in answer:
            raise OSError(errno.ENOSPC, "no space for a decoded upload")
        if "refused" in answer:
            raise wrong(answer["refused"], "invalid_file")
        return answer

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.communicate()
                self._process = None

    def _ask(self, line: str) -> dict[str, Any]:
        for _ in range(2):  # once more where it died before
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "mediagen.sdk.service.intake.decoding"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    env={**os.environ, "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"},
                )
            assert self._process.stdin is not None and self._process.stdout is not None
            try:
                self._process.stdin.write(line)
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except OSError:
                answer = ""
            if answer:
                return json.loads(answer)
            self._process.kill()
            self._process.communicate()
            self._process = None
        raise Refused(503, "the decoder of uploads does not start; try again later.", "decoder_unavailable")


def take(
    stream: IO[bytes], decoder: Decoder, files: Path, job: str, kind: str, limits: Limits, role: str = "source"
) -> tuple[File, dict[str, Any]]:
    """Keeps an upload as a file that a job starts from, decoded; gives the file and what is known about it.

    kind: as of `Decoder.decode`. A film is kept as it is, once the decoder's process has done with it all that the
    models will do: a file that is damaged, or needs too much, fails there.

    Refused for a type that is not allowed, or for a file that is too large or cannot be read.
    """
    most = decoder.settings.upload_bytes
    if stream.seek(0, os.SEEK_END) > most:
        raise Refused(413, f"got a file above {most // MIB} MiB, expected less; make it smaller.", "too_large")
    stream.seek(0)
    found, allowed = ending(stream.read(_HEAD)), _ALLOWED[kind]
    stream.seek(0)
    if found is None or found not in allowed:
        names = ", ".join(name[1:] for name in allowed)
        raise wrong(f"got a file of another type, expected one of {names}; convert it first.", "unsupported_file")
    raw = files / f"{secrets.token_hex(16)}{found}"
    file = File.new(job, role, DECODED, "application/octet-stream")
    try:
        with raw.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        if kind == "film":
            file = File.new(job, role, found, FILMS[found])
        about = decoder.decode(raw, files / file.name, kind, limits)
        if kind == "film":
            raw.replace(files / file.name)
        settle(files / file.name)
        return file, about
    except BaseException:
        (files / file.name).unlink(missing_ok=True)
        raise
    finally:
        raw.unlink(missing_ok=True)


def data_url(field: str, url: str) -> IO[bytes]:
    """The file in a URL "data:...;base64,..."; Refused where it is not base64."""
    try:
        return io.BytesIO(base64.b64decode(url.partition(",")[2], validate=True))
    except ValueError:
        raise wrong(f"{field}: got a data URL that is not base64; encode it again.", None, field) from None


def no_reference(field: str, given: Any) -> Refused:
    """What is said about a picture that is no file: a URL, an id, or nothing that can be read."""
    url = given.get("image_url") if isinstance(given, dict) else None
    if isinstance(url, str):
        return wrong(
            f"{field}: got a URL, which this server does not fetch; send the picture itself as a file.",
            "url_inputs_off",
            field,
        )
    return wrong(
        f"{field}: got no file, expected a picture (png, jpg, webp); send it as multipart/form-data.",
        None,
        field,
    )
