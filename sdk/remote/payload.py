"""Parcels: what goes to a service as a file or a form, and what its refusals are in Python."""

import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediagen.sdk.errors import MediagenError, ModelError, RequestError

if TYPE_CHECKING:
    import httpx2

    from mediagen.media.clip import Clip


def refusal(answer: "httpx2.Response") -> MediagenError:
    """The service's refusal as one of the SDK's errors."""
    status = answer.status_code
    try:
        message = answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = f"the service answered {status}, which says nothing; is it mediagen's?"
    if status == 501:
        return ModelError(message)
    return RequestError(message) if status in (400, 404, 413, 415, 422) else MediagenError(message)


def body(fields: dict[str, Any] | None, upload: tuple[str, bytes] | None) -> dict[str, Any]:
    """What httpx2 is given for fields: JSON, or with `upload` (field, bytes) a form."""
    if upload is None:
        return {} if fields is None else {"json": fields}
    plain = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (fields or {}).items()}
    return {"data": plain, "files": {upload[0]: ("file", upload[1])}}


def picture(image: Any) -> bytes:
    """A picture as a file: a path as it is, anything else as png."""
    if isinstance(image, str | Path):
        return _read(image)
    from PIL import Image

    if not isinstance(image, Image.Image):
        import numpy as np

        image = Image.fromarray(np.asarray(image).squeeze())
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def film(clip: "Clip | str | Path") -> bytes:
    """A clip as a file: a path as it is, a Clip as mp4."""
    return _read(clip) if isinstance(clip, str | Path) else _saved(clip, "clip.mp4")


def sound(clip: "Clip | str | Path") -> bytes:
    """A sound as a file: a path as it is, the sound of a Clip as wav, of 16 bits."""
    if isinstance(clip, str | Path):
        return _read(clip)
    if clip.sound is None or not clip.sound.shape[-1]:
        raise RequestError("got a clip without sound, expected some; give some sound.")
    return _saved(clip, "sound.wav")


def _saved(clip: "Clip", name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return clip.save(Path(folder) / name).read_bytes()


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise RequestError(f"got the file '{path}', which cannot be read ({error.strerror}); give another.") from None
