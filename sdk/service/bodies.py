"""Bodies: what the OpenAPI document says about the bodies of requests, made from the requests themselves."""

from typing import Any

from mediagen.sdk.service.kinds import KINDS


def of(name: str) -> dict[str, Any]:
    """The `requestBody` of a kind of job: a form with a file, or JSON."""
    kind = KINDS[name]
    schema = kind.request.model_json_schema()
    fields: dict[str, Any] = {key: value for key, value in schema["properties"].items() if key in kind.fields}
    if "seconds" in fields:
        fields["seconds"] = {"type": "string", "description": "Seconds; a number is taken too."}
    fields["model"] = {"type": "string", "description": "Id of a served model; may be left out."}
    if "width" in schema["properties"]:
        fields["size"] = {"type": "string", "pattern": r"^\d+x\d+$", "description": "WIDTHxHEIGHT in pixels."}
    reference = {"type": "object", "properties": {"image_url": {"type": "string", "description": "A data URL."}}}
    if kind.source == "video":
        reference = {"type": "object", "properties": {"id": {"type": "string", "description": "A completed video."}}}
    file = {"type": "string", "format": "binary"}
    required = [*schema.get("required", []), *([kind.source] if kind.needs_source else [])]

    def content(source: dict[str, Any]) -> dict[str, Any]:
        return {"schema": {"type": "object", "required": required, "properties": {**fields, kind.source: source}}}

    return {"requestBody": {"content": {"multipart/form-data": content(file), "application/json": content(reference)}}}
