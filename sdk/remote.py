"""RemoteEngine: a service of `mediagen serve` with the face of an Engine."""

import io
import json
import secrets
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from mediagen.sdk.errors import Cancelled, MediagenError, ModelError, RequestError
from mediagen.sdk.jobs import ENDED, Job
from mediagen.sdk.limits import Limits

if TYPE_CHECKING:
    from mediagen.clip import Clip

CALLBACKS = {"callback_on_step_end", "on_progress"}
_TRIES = 4  # of a request that the network lost; the idempotency key keeps it from being met twice
_FILMS = (".mp4", ".webm")  # what a service makes
_LOOK = 0.3  # seconds between two looks at a job


class RemoteEngine:
    """A service at an address such as "http://127.0.0.1:8000". token: what it demands, where it does.

    Its methods raise the errors of Engine, with the service's sentences, and MediagenError where it does not answer.
    """

    def __init__(self, url: str, token: str | None = None, timeout: float = 60.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise RequestError(f"got the address '{url}', expected http://... or https://...; give the whole address.")
        self._url, self._token, self._timeout = url.rstrip("/"), token, timeout

    @property
    def limits(self) -> Limits:
        """What the service's models were trained for; as `Engine.limits`."""
        return Limits.of(self.ask("GET", "/v1/models")["data"][0]["limits"])

    def generate(self, prompt: str, **settings: Any) -> "Clip":
        """As `Engine.generate`, without callbacks: `submit` and `Job.progress` are for who wants to watch."""
        return self.submit(prompt, **settings).result()

    def extend(self, clip: "Clip | Job | str | Path", prompt: str, **settings: Any) -> "Clip":
        """As `Engine.extend`, without callbacks; clip: see `submit`."""
        return self.submit(prompt, clip=clip, **settings).result()

    def submit(self, prompt: str, *, clip: "Clip | Job | str | Path | None" = None, **settings: Any) -> "RemoteJob":
        """A job for a clip from a prompt, or (with `clip`) for a longer one.

        clip: a file, a completed job of this service (nothing is sent then), or a Clip, which is encoded to be sent.
        settings: as of `Engine.generate` and `Engine.extend`, without callbacks.  Raises as `fetch`.
        """
        fields = {key: value for key, value in {"prompt": prompt, **settings}.items() if value is not None}
        for name in CALLBACKS & fields.keys():
            raise RequestError(f"{name}: got a function, which cannot be sent to a service; watch job.progress.")
        image = fields.pop("image", None)
        if "width" in fields or "height" in fields:
            fields["size"] = f"{fields.pop('width', '')}x{fields.pop('height', '')}"
        if clip is not None:
            if image is not None:
                raise RequestError("got an image and a clip, expected one to go on from; leave one out.")
            return self._from_film("/v1/videos/extensions", clip, fields)
        upload = None if image is None else ("input_reference", _picture(image))
        return RemoteJob(self, self.ask("POST", "/v1/videos", fields, upload)["id"])

    @overload
    def add_audio(self, video: "Job | str | Path", prompt: str | None = None, **wishes: Any) -> "RemoteJob": ...
    @overload
    def add_audio(self, video: "Clip", prompt: str | None = None, **wishes: Any) -> "Clip": ...
    def add_audio(
        self, video: "Clip | Job | str | Path", prompt: str | None = None, **wishes: Any
    ) -> "Clip | RemoteJob":
        """As `Engine.add_audio`, without callbacks.

        A file, or a completed job of this service, gives the completed job, whose `save` writes the film, its pictures
        bit for bit. A Clip is encoded to be sent, and gives a Clip with the pictures that it had.
        """
        fields = {key: value for key, value in {"prompt": prompt, **wishes}.items() if value is not None}
        job = self._from_film("/v1/audio/soundtracks", video, fields)
        job.wait()
        if isinstance(video, Job | str | Path):
            return job
        made = job.result()
        settings = {**made.settings, "source": video.settings}
        return replace(video, sound=made.sound, rate=made.rate, settings=settings)

    def _from_film(self, path: str, film: "Clip | Job | str | Path", fields: dict[str, Any]) -> "RemoteJob":
        if isinstance(film, Job):
            return RemoteJob(self, self.ask("POST", path, {**fields, "video": {"id": film.id}})["id"])
        return RemoteJob(self, self.ask("POST", path, fields, ("video", _film(film)))["id"])

    def job(self, id: str) -> "RemoteJob":
        """A job that was submitted before; RequestError where the service does not know it."""
        self.ask("GET", f"/v1/videos/{id}")
        return RemoteJob(self, id)

    def ask(
        self, method: str, path: str, fields: dict[str, Any] | None = None, upload: tuple[str, bytes] | None = None
    ) -> dict[str, Any]:
        """What the service answers to a request of one of its routes, as JSON; fields and errors as in `fetch`."""
        return json.loads(self.fetch(method, path, fields, upload))

    def fetch(
        self, method: str, path: str, fields: dict[str, Any] | None = None, upload: tuple[str, bytes] | None = None
    ) -> bytes:
        """What the service answers, as bytes. fields: of a JSON body, or with `upload` (field, bytes) of a form.

        A request that the network lost is sent again, and met once.  Raises RequestError for what the service refuses,
        ModelError where it lacks the model, MediagenError where it fails or does not answer.
        """
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        body = None
        if fields is not None:
            kind, body = _form(fields, *upload) if upload else ("application/json", json.dumps(fields).encode())
            headers |= {"Content-Type": kind, "Idempotency-Key": secrets.token_hex(16)}
        request = urllib.request.Request(self._url + path, body, headers, method=method)
        for left in reversed(range(_TRIES)):
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                raise _error(error) from None
            except (OSError, HTTPException) as error:
                if not left:
                    raise MediagenError(f"cannot reach {self._url} ({error}); is the service running?") from None
                time.sleep(0.5)
        raise AssertionError


class RemoteJob(Job):
    """A job of a service."""

    def __init__(self, engine: RemoteEngine, id: str) -> None:
        self.id, self._engine = id, engine

    @property
    def status(self) -> str:
        """See Job."""
        return self._seen()["status"]

    @property
    def progress(self) -> int:
        """See Job."""
        return self._seen()["progress"]

    def result(self, timeout: float | None = None) -> "Clip":
        """See Job; read from the film that the service made, so its pictures are as H.264 kept them."""
        from mediagen.sdk.replay import read

        with tempfile.TemporaryDirectory() as folder:
            data, ending = self._film(timeout)
            path = Path(folder) / f"clip{ending}"
            path.write_bytes(data)
            return read(path)

    def cancel(self) -> None:
        """See Job."""
        self._engine.ask("POST", f"/v1/videos/{self.id}/cancel", {})

    def delete(self) -> None:
        """Removes it and its files from the service; cancels it first where it runs."""
        self._engine.ask("DELETE", f"/v1/videos/{self.id}")

    def save(self, path: str | Path, timeout: float | None = None) -> Path:
        """See Job; the very bytes of the service's file: an mp4, or a webm where a webm got a soundtrack."""
        path = Path(path)
        _check_name(path, _FILMS)
        data, ending = self._film(timeout)
        _check_name(path, (ending,))
        path.write_bytes(data)
        return path

    def _film(self, timeout: float | None) -> tuple[bytes, str]:
        self.wait(timeout)
        data = self._engine.fetch("GET", f"/v1/videos/{self.id}/content")
        return data, ".webm" if data.startswith(b"\x1aE\xdf\xa3") else ".mp4"

    def wait(self, timeout: float | None = None) -> None:
        """Waits until it is completed; raises as `result`."""
        end = None if timeout is None else time.monotonic() + timeout
        while (seen := self._seen())["status"] not in ENDED:
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"the clip is not made after {timeout:g} s; wait longer, or cancel it.")
            time.sleep(_LOOK)
        if seen["status"] == "cancelled":
            raise Cancelled("cancelled.")
        if seen["status"] == "failed":
            kind = RequestError if seen["error"]["code"] == "invalid_request" else MediagenError
            raise kind(seen["error"]["message"])

    def _seen(self) -> dict[str, Any]:
        return self._engine.ask("GET", f"/v1/videos/{self.id}")


def _check_name(path: Path, endings: tuple[str, ...]) -> None:
    """RequestError for a file name with another ending."""
    if path.suffix.lower() not in endings:
        expected = " or ".join(endings)
        raise RequestError(
            f"got the name '{path.name}', expected one with {expected}; call result().save() for others."
        )


def _error(error: urllib.error.HTTPError) -> MediagenError:
    """The service's refusal as one of the SDK's errors."""
    with error:
        try:
            message = json.loads(error.read())["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = f"the service answered {error.code}, which says nothing; is it mediagen's?"
    if error.code == 501:
        return ModelError(message)
    return RequestError(message) if error.code in (400, 404, 413, 415, 422) else MediagenError(message)


def _form(fields: dict[str, Any], name: str, data: bytes) -> tuple[str, bytes]:
    """Content type and body of a form with one file."""
    edge = secrets.token_hex(16)
    parts = []
    for key, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n'.encode())
    head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="file"\r\n'
    parts += [f"{head}Content-Type: application/octet-stream\r\n\r\n".encode(), data, f"\r\n--{edge}--\r\n".encode()]
    return f"multipart/form-data; boundary={edge}", b"".join(parts)


def _picture(image: Any) -> bytes:
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


def _film(clip: "Clip | str | Path") -> bytes:
    """A clip as a file: a path as it is, a Clip as mp4."""
    if isinstance(clip, str | Path):
        return _read(clip)
    with tempfile.TemporaryDirectory() as folder:
        return clip.save(Path(folder) / "clip.mp4").read_bytes()


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise RequestError(f"got the file '{path}', which cannot be read ({error.strerror}); give another.") from None
