"""Parcels: what goes to a service as a file or a form, and what its refusals are in Python."""

import io
import json
import secrets
import tempfile
import urllib.error
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediagen.sdk.errors import MediagenError, ModelError, RequestError

if TYPE_CHECKING:
    from mediagen.media.clip import Clip


def refusal(error: urllib.error.HTTPError) -> MediagenError:
    """The service's refusal as one of the SDK's errors."""
    with error:
        try:
            message = json.loads(error.read())["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = f"the service answered {error.code}, which says nothing; is it mediagen's?"
    if error.code == 501:
        return ModelError(message)
    return RequestError(message) if error.code in (400, 404, 413, 415, 422) else MediagenError(message)


def form(fields: dict[str, Any], name: str, data: bytes) -> tuple[str, bytes]:
    """Content type and body of a form with one file."""
    edge = secrets.token_hex(16)
    parts = []
    for key, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n'.encode())
    head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="file"\r\n'
    parts += [f"{head}Content-Type: application/octet-stream\r\n\r\n".encode(), data, f"\r\n--{edge}--\r\n".encode()]
    return f"multipart/form-data; boundary={edge}", b"".join(parts)


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
