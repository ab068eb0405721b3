"""The kinds of jobs: which models each needs and which method of the engine makes it. A new kind is one entry here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mediagen.sdk.models.catalog import FAMILIES
from mediagen.sdk.tasks.requests import Asked, ExtendRequest, GenerateRequest, Request
from mediagen.sdk.tasks.sound_requests import SoundRequest


@dataclass(frozen=True)
class Kind:
    """families: what must be in the model folder.  method: of Engine.  what: in words, for errors.

    request: checks the fields.  source: the field of the file that the job starts from.  needs_source: whether there
    must be one.  streams: whether the engine reads that file itself, as a stream, so that it may be long and large.
    hidden: fields of the request that this kind does not take.
    """

    families: tuple[str, ...]
    method: str
    what: str
    request: type[Asked]
    source: str = "video"
    needs_source: bool = True
    streams: bool = False
    hidden: tuple[str, ...] = ()

    @property
    def pictures(self) -> bool:
        """Whether it makes pictures; elsewhere sound is all of the work."""
        return self.request is not SoundRequest

    @property
    def takes(self) -> str:
        """How a file that it starts from is read; see `Decoder.decode`."""
        if self.source == "input_reference":
            return "picture"
        return "film" if self.streams else "sound" if self.alone else "clip"

    @property
    def alone(self) -> bool:
        """Whether a sound without pictures comes out."""
        return self.source == "sound"

    @property
    def fields(self) -> list[str]:
        """The fields of the request that come as values; a size comes as `size`, files by themselves."""
        left_out = ("image", "width", "height", *self.hidden)
        return [field for field in self.request.model_fields if field not in left_out]


_PICTURES, _SOUND = ("prompt", "tae", "video"), ("prompt", "aligned", "codec", "audio")
KINDS: dict[str, Kind] = {
    "generate": Kind(_PICTURES, "generate", "making clips", GenerateRequest, "input_reference", False),
    "extend": Kind(_PICTURES, "extend", "continuing clips", ExtendRequest),
    "soundtrack": Kind(
        _SOUND, "add_audio", "giving clips a soundtrack", SoundRequest, streams=True, hidden=("seconds",)
    ),
    "sound": Kind(_SOUND, "generate_audio", "making sound", SoundRequest, "sound", False),
    "extend_sound": Kind(_SOUND, "extend_audio", "continuing sound", SoundRequest, "sound"),
    "fill_sound": Kind(_SOUND, "fill_audio", "filling gaps of sound", SoundRequest, "sound"),
    "edit": Kind(("edit",), "edit", "editing clips by instruction", Request),
    "character": Kind(("personalize",), "personalize", "putting a person into clips", Request),
}


def of_sound(source: bool, fields: Iterable[str]) -> str:
    """The kind of a job for sound without pictures, by whether there is a sound to start from, and what is asked."""
    if not source:
        return "sound"
    return "fill_sound" if {"start", "end"} & {*fields} else "extend_sound"


def available(engine: Any, name: str) -> bool:
    """Whether the catalog knows the models of a kind, the engine's folder holds them, and the engine has the method."""
    kind = KINDS[name]
    return hasattr(engine, kind.method) and all(
        family in FAMILIES and engine.models.has(family) for family in kind.families
    )
