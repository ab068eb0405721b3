"""The kinds of jobs: which models each needs and which method of the engine makes it. A new kind is one entry here."""

from dataclasses import dataclass
from typing import Any

from mediagen.sdk.catalog import FAMILIES
from mediagen.sdk.requests import ExtendRequest, GenerateRequest, Request


@dataclass(frozen=True)
class Kind:
    """families: what must be in the model folder.  method: of Engine.  what: in words, for errors.

    request: checks the fields.  source: the field of the file that the job starts from.  needs_source: whether there
    must be one.
    """

    families: tuple[str, ...]
    method: str
    what: str
    request: type[Request]
    source: str = "video"
    needs_source: bool = True


_PICTURES, _SOUND = ("prompt", "tae", "video"), ("prompt", "aligned", "codec", "audio")
KINDS: dict[str, Kind] = {
    "generate": Kind(_PICTURES, "generate", "making clips", GenerateRequest, "input_reference", False),
    "extend": Kind(_PICTURES, "extend", "continuing clips", ExtendRequest),
    "soundtrack": Kind(_SOUND, "add_audio", "giving clips a soundtrack", Request),
    "edit": Kind(("edit",), "edit", "editing clips by instruction", Request),
    "character": Kind(("personalize",), "personalize", "putting a person into clips", Request),
}


def available(engine: Any, name: str) -> bool:
    """Whether the catalog knows the models of a kind, the engine's folder holds them, and the engine has the method."""
    kind = KINDS[name]
    return hasattr(engine, kind.method) and all(
        family in FAMILIES and engine.models.has(family) for family in kind.families
    )
