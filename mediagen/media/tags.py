"""Tags: what made a clip travels inside its file, as one entry of JSON."""

import json
from collections.abc import Mapping
from typing import Any

from mediagen.media.encodings import printable

TAG = "mediagen"  # metadata entry that holds our JSON


def tag_of(settings: Mapping[str, Any], caption: str, samples: int, fps: float | None = None, source: str = "") -> str:
    """The JSON that travels in a file of ours; ValueError for settings that JSON cannot hold.

    fps: for a format that cannot say it.  source: IPTC's digital source type of what a model made, see `provenance`.
    """
    told = {"settings": settings, "caption": caption, "samples": samples} | ({} if fps is None else {"fps": fps})
    told |= {"source_type": source} if source else {}
    try:
        return json.dumps(told)
    except (TypeError, ValueError) as error:
        raise ValueError(f"got settings that JSON cannot hold ({error}); keep to numbers, text and lists.") from None


def noted(metadata: Mapping[Any, Any]) -> dict[str, Any]:
    """What `write_clip` left in the file; empty for a foreign file."""
    texts = {str(key).lower(): value for key, value in metadata.items()}
    text = texts.get(TAG, texts.get("comment", ""))
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)  # gif gives bytes
    try:
        found = json.loads(printable(text))
    except (ValueError, RecursionError):
        return {}
    if not (isinstance(found, dict) and isinstance(found.get("settings"), dict)):
        return {}
    return found | {"caption": printable(str(found.get("caption", "")))}
