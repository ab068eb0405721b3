"""Bodies: what the OpenAPI document says about requests, made from the requests themselves, and about refusals."""

from collections.abc import Callable
from typing import Any

from mediagen.sdk.service.kinds.kind import Kind, Start

_ERROR = {
    "type": "object",
    "required": ["message", "type", "param", "code"],
    "properties": {
        "message": {"type": "string"},
        "type": {"type": "string"},
        "param": {"type": ["string", "null"]},
        "code": {"type": ["string", "null"]},
    },
}
_REFUSAL = {"schema": {"type": "object", "required": ["error"], "properties": {"error": _ERROR}}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "What was asked is refused, in one sentence", "content": {"application/json": _REFUSAL}},
    "5XX": {"description": "The server cannot meet it", "content": {"application/json": _REFUSAL}},
}


def answers(*types: str, part: bool = False) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that sends other types than JSON, whole or (206) in part."""
    content: dict[str, Any] = {kind: {} for kind in types}
    whole = {200: {"description": "What was asked for", "content": content}}
    return {**whole, 206: {"description": "A part of it", "content": content}} if part else {**whole}


def of(kind: Kind, *, started: bool = False) -> dict[str, Any]:
    """The `requestBody` of a kind of job: a form with files, or JSON. started: the route names what it starts from."""
    schema = _whole(kind.request.model_json_schema())
    fields: dict[str, Any] = {key: value for key, value in schema["properties"].items() if key in kind.fields}
    if "seconds" in fields:
        fields["seconds"] = {"type": "string", "description": "Seconds; a number is taken too."}
    fields["model"] = {"type": "string", "description": "Id of a served model; may be left out."}
    if "width" in schema["properties"]:
        fields["size"] = {"type": "string", "pattern": r"^\d+x\d+$", "description": "WIDTHxHEIGHT in pixels."}
    fields["webhook_url"] = {"type": "string", "format": "uri", "description": "Told when the job ends."}
    starts = kind.starts[1:] if started else kind.starts
    required = [*schema.get("required", []), *(start.field for start in starts if start.needed)]

    def content(source: Callable[[Start], dict[str, Any]]) -> dict[str, Any]:
        files = {start.field: source(start) for start in starts}
        return {"schema": {"type": "object", "required": required, "properties": {**fields, **files}}}

    form = content(lambda start: {"type": "string", "format": "binary"})
    return {"requestBody": {"content": {"multipart/form-data": form, "application/json": content(_reference)}}}


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose parts stand in their places, where it has them by reference."""
    parts = schema.pop("$defs", {})

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            named = value.get("$ref", "").rpartition("/")[2]
            return put(parts[named]) if named in parts else {key: put(one) for key, one in value.items()}
        return [put(one) for one in value] if isinstance(value, list) else value

    return put(schema)


def _reference(start: Start) -> dict[str, Any]:
    """What stands in JSON for a file."""
    if start.by_id:
        return {"type": "object", "properties": {"id": {"type": "string", "description": "A completed job."}}}
    return {"type": "object", "properties": {"image_url": {"type": "string", "description": "A data URL."}}}
