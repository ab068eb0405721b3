"""Forms: the body of a request as plain values, whether it came as JSON or as a form with a file."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from starlette.datastructures import UploadFile
from starlette.requests import Request

from mediagen.sdk.service.refusals import Refused, wrong
from mediagen.sdk.tasks.requests import Asked, nearest

_WHOLE = re.compile(r"[+-]?\d{1,20}")
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})", re.IGNORECASE)
_PATH = re.compile(r"(\w{1,64})((?:\[\w{0,64}\]|\.\w{1,64}){1,4})")
_STEP = re.compile(r"\[(\w*)\]|\.(\w+)")
_WORDS = {"true": True, "1": True, "false": False, "0": False}
_MAX_FIELDS = 64
_MAX_FILES = 4
_MAX_PARTS = 10_000  # of JSON: each takes a hundred times its size when it is read


@dataclass(frozen=True)
class Form:
    """Fields of a request. uploads: the files that came with it, by their fields."""

    values: dict[str, Any]
    uploads: dict[str, UploadFile] = field(default_factory=dict)

    def has(self, file: str) -> bool:
        """Whether there is something to start from: a file, or a value in the field `file`."""
        return bool(self.uploads) or self.values.get(file) not in (None, "")

    def known(self, names: list[str], files: list[str]) -> None:
        """Refused where it has a field that is not among the names, or a file in a field that is not among `files`."""
        for name in self.values:
            if name not in (*names, *files):
                given = nearest(name, [*names, *files])
                raise wrong(f"got the unknown field '{name[:80]}'; {given}", "unknown_field", name[:80])
        for name in self.uploads:
            if name not in files:
                right = " or ".join(f"'{file}'" for file in files)
                do = f"expected it in {right}; send it there" if files else "expected none; leave it out"
                raise wrong(f"got a file in the field '{name[:80]}', {do}.", "unknown_field", name[:80])


@asynccontextmanager
async def reading(request: Request, max_text: int) -> AsyncIterator[Form]:
    """The body of a request; its upload is closed at the end. max_text: bytes of JSON or of one field."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        form = await request.form(max_files=_MAX_FILES, max_fields=_MAX_FIELDS, max_part_size=max_text)
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


def request_values(values: dict[str, Any], request: type[Asked]) -> dict[str, Any]:
    """What a request of the SDK takes: numbers, switches and lists out of text, as its fields say.

    `size` becomes width and height; empty fields are left out.
    """
    made = {key: value for key, value in values.items() if value is not None and (value != "" or key == "prompt")}
    for key, value in made.items():
        if isinstance(value, str) and key in request.model_fields:
            made[key] = _read(value, request.model_fields[key].annotation)
    size = made.pop("size", None)
    if size is not None:
        match = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
        if match is None:
            raise wrong(f"size: got {str(size)[:80]!r}, expected WIDTHxHEIGHT; write for example 64x64.", None, "size")
        made["width"], made["height"] = int(match[1]), int(match[2])
    return made


def _read(text: str, annotation: Any) -> Any:
    """The value that a text of a form stands for in a field of such a type; the text where it stands for none."""
    types = {get_origin(one) or one for one in (get_args(annotation) or (annotation,))}
    if get_origin(annotation) in (list, tuple, dict):  # whose arguments are those of what it holds
        types = {get_origin(annotation)}
    if bool in types:
        return _WORDS.get(text.strip().lower(), text)
    if types & {int, float}:
        return _number(text.strip())
    if types & {list, tuple, dict}:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


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
    uploads: dict[str, UploadFile] = {}
    for name, value in items:
        if isinstance(value, UploadFile):
            if name in uploads:
                raise wrong(f"got two files in the field '{name[:80]}', expected one; leave one out.", None, name[:80])
            uploads[name] = value
            continue
        path = _PATH.fullmatch(name)
        steps = [name] if path is None else [path[1], *(one or other for one, other in _STEP.findall(path[2]))]
        try:
            _put(values, steps, value)
        except ValueError:
            raise wrong(
                f"got the field '{name[:80]}' twice, expected it once; leave one out.", None, name[:80]
            ) from None
    return Form(values, uploads)


def _put(place: Any, steps: list[str], value: Any) -> None:
    """Puts a value at the end of a path, as clients write objects ("a[b]") and lists ("a[]", "a[][b]") in a form.

    An empty step is the first element of a list that lacks what comes next (the OpenAI client sends a field of all
    elements before the next field), or else a new one. ValueError where something stands there.
    """
    step, rest = steps[0], steps[1:]
    if step == "":
        if not isinstance(place, list):
            raise ValueError
        if not rest:
            return place.append(value)
        lacking = [one for one in place if isinstance(one, dict) and rest[0] and rest[0] not in one]
        if not lacking:
            place.append([] if rest[0] == "" else {})
        return _put(lacking[0] if lacking else place[-1], rest, value)
    if not isinstance(place, dict) or (not rest and step in place):
        raise ValueError
    if not rest:
        place[step] = value
    else:
        _put(place.setdefault(step, [] if rest[0] == "" else {}), rest, value)
