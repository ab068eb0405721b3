"""Parcels: what goes to a service as a file or a form, and what its refusals are in Python."""

import io
import json
import tempfile
from collections.abc import Mapping, Sequence
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


def body(values: dict[str, Any] | None, uploads: Sequence[tuple[str, bytes]] = ()) -> dict[str, Any]:
    """What httpx2 is given for values: JSON, or with `uploads` (field, bytes) a form."""
    if not uploads:
        return {} if values is None else {"json": values}
    plain = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (values or {}).items()}
    return {"data": plain, "files": {name: ("file", data) for name, data in uploads}}


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


def picture_of_mask(given: Any) -> bytes:
    """A mask as a file: a path as it is, a picture or an array (H, W) of bool or uint8 as png."""
    if not isinstance(given, str | Path):
        import numpy as np

        if not hasattr(given, "convert"):
            given = np.asarray(given)
            given = given * np.uint8(255) if given.dtype == np.bool_ else given
    return picture(given)


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


def retry_after(answer: "httpx2.Response") -> float | None:
    """Seconds after which the service wants to be asked again; None where it says nothing."""
    try:
        return max(0.0, float(answer.headers.get("retry-after", "")))
    except ValueError:
        return None


def edit(prompt: str, wishes: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, bytes] | None]:
    """What is sent of an edit: its fields, and its mask where there is one."""
    asked = dict(wishes)
    mask, region = asked.pop("mask", None), asked.get("region")
    if region is not None and not isinstance(region, str):
        asked["region"] = ",".join(map(str, region))
    return fields(prompt, asked), None if mask is None else ("mask", picture_of_mask(mask))


def _saved(clip: "Clip", name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return clip.save(Path(folder) / name).read_bytes()


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise RequestError(f"got the file '{path}', which cannot be read ({error.strerror}); give another.") from None


def fields(prompt: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent of a call; RequestError for what cannot be."""
    sent = {key: value for key, value in {"prompt": prompt, **settings}.items() if value is not None}
    if "callback_on_step_end" in sent:
        raise RequestError(
            "callback_on_step_end: got a function, which cannot be sent to a service; use on_progress, which may stop "
            "the work by raising."
        )
    if "on_progress" in sent:
        raise RequestError("on_progress: got a function for a job that is not waited for; watch job.progress.")
    if "width" in sent or "height" in sent:
        sent["size"] = f"{sent.pop('width', '')}x{sent.pop('height', '')}"
    return sent
