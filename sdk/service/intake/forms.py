"""Forms: the body of a request as plain values, whether it came as JSON or as a form with a file."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from mediagen.sdk.service.refusals import Refused, wrong
from mediagen.sdk.tasks.requests import nearest

_WHOLE = re.compile(r"[+-]?\d{1,20}")
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})", re.IGNORECASE)
_NESTED = re.compile(r"(\w{1,64})[\[.](\w{1,64})\]?")
_NUMBERS = ("seconds", "fps", "num_inference_steps", "guidance_scale", "seed", "start", "end", "keep_audio")
_NUMBERS += ("candidates", "picture_guidance_scale", "lufs")
_SWITCHES = ("sound", "effects", "music")
_WORDS = {"true": True, "1": True, "false": False, "0": False}
_MAX_FIELDS = 64
_MAX_PARTS = 10_000  # of JSON: each takes a hundred times its size when it is read


@dataclass(frozen=True)
class Form:
    """Fields of a request. upload: the file that came with it, and the field it stood in."""

    values: dict[str, Any]
    upload: UploadFile | None = None
    field: str = ""

    def has(self, file: str) -> bool:
        """Whether there is something to start from: a file, or a value in the field `file`."""
        return self.upload is not None or self.values.get(file) not in (None, "")

    def known(self, *names: str, file: str) -> None:
        """Refused where it has a field that is not among the names, or a file elsewhere than in the field `file`."""
        for name in self.values:
            if name not in (*names, file):
                given = nearest(name, [*names, file])
                raise wrong(f"got the unknown field '{name[:80]}'; {given}", "unknown_field", name[:80])
        if self.upload is not None and self.field != file:
            got = self.field[:80]
            raise wrong(
                f"got a file in the field '{got}', expected it in '{file}'; send it there.", "unknown_field", got
            )


@asynccontextmanager
async def reading(request: Request, max_text: int) -> AsyncIterator[Form]:
    """The body of a request; its upload is closed at the end. max_text: bytes of JSON or of one field."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        form = await request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=max_text)
        try:
            yield _of_fields(form.multi_items())
        finally:
            await form.close()
    elif kind in ("application/json", ""):
        parts, size = [], 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > max_text:
                raise Refused(
                    413, f"got JSON above {max_text} bytes, expected less; send files as a form.", "too_large"
                )
        yield Form(_of_json(b"".join(parts)))
    else:
        raise Refused(
            415, f"got the content type '{kind[:80]}', expected application/json or multipart/form-data; send one.",
            "unsupported_media_type",
        )  # fmt: skip


def request_values(values: dict[str, Any]) -> dict[str, Any]:
    """What a request of the SDK takes: numbers out of text, `size` as width and height, empty fields left out."""
    made = {key: value for key, value in values.items() if value is not None and (value != "" or key == "prompt")}
    for key in _NUMBERS:
        if isinstance(made.get(key), str):
            made[key] = _number(made[key].strip())
    for key in _SWITCHES:
        if isinstance(made.get(key), str):
            made[key] = _WORDS.get(made[key].strip().lower(), made[key])
    size = made.pop("size", None)
    if size is not None:
        match = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
        if match is None:
            raise wrong(f"size: got {str(size)[:80]!r}, expected WIDTHxHEIGHT; write for example 64x64.", None, "size")
        made["width"], made["height"] = int(match[1]), int(match[2])
    return made


def _number(text: str) -> Any:
    """The number in a text; a text that is none stays one, which the request then refuses by name."""
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


def _of_json(body: bytes) -> dict[str, Any]:
    if sum(body.count(mark) for mark in (b"[", b"{", b",")) > _MAX_PARTS:
        raise Refused(413, f"got JSON of more than {_MAX_PARTS} parts, expected fewer; send less.", "too_large")
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise wrong('got a body that is no JSON object, expected one; send for example {"prompt": "a red ball"}.')
    return values


def _of_fields(items: list[tuple[str, Any]]) -> Form:
    values: dict[str, Any] = {}
    upload, field = None, ""
    for name, value in items:
        if isinstance(value, UploadFile):
            upload, field = value, name
            continue
        nested = _NESTED.fullmatch(name)
        place = values
        if nested:
            place, name = values.setdefault(nested[1], {}), nested[2]
        if not isinstance(place, dict) or name in place:
            raise wrong(f"got the field '{name[:80]}' twice, expected it once; leave one out.", None, name[:80])
        place[name] = value
    return Form(values, upload, field)
