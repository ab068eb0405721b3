"""RemoteJob: a job of a service, looked at until it ends."""

import json
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mediagen.sdk.errors import Cancelled, MediagenError, NotYet, RequestError
from mediagen.sdk.jobs import ENDED, Job, Status, T
from mediagen.sdk.tasks.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from mediagen.media.clip import Clip

_MADE = (".mp4", ".webm", ".mov", ".mkv", ".wav")  # what a service makes
_LOOK = 0.3  # seconds between two looks at a job


class RemoteJob(Job[T]):
    """A job of a service. fetch: as of RemoteEngine.  variant: which of its films is read."""

    variant = "video"

    def __init__(self, fetch: Callable[..., bytes], id: str) -> None:
        self.id, self._fetch, self._path = id, fetch, f"/v1/videos/{id}"

    @property
    def status(self) -> Status:
        """See Job."""
        return self._seen()["status"]

    @property
    def progress(self) -> int:
        """See Job."""
        return self._seen()["progress"]

    def result(self, timeout: float | None = None) -> T:
        """See Job; read from the file that the service made: pictures as H.264 kept them, sound alone in 16 bits."""
        data, ending = self._made(timeout)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"clip{ending}"
            path.write_bytes(data)
            return cast("T", _read(path))

    def cancel(self) -> None:
        """See Job."""
        self._fetch("POST", f"{self._path}/cancel", {})

    def delete(self) -> None:
        """Removes it and its files from the service; cancels it first where it runs."""
        self._fetch("DELETE", self._path)

    def save(self, path: str | Path, timeout: float | None = None) -> Path:
        """See Job; the very bytes of the service's file: an mp4, a webm where a webm got a soundtrack, or a wav."""
        path = Path(path)
        _check_name(path, _MADE)
        data, ending = self._made(timeout)
        _check_name(path, (ending,))
        path.write_bytes(data)
        return path

    def wait(self, timeout: float | None = None, *, on_progress: ProgressCallback | None = None) -> None:
        """Waits until it is completed; raises as `result`. on_progress: called where a look shows another moment."""
        end, told = None if timeout is None else time.monotonic() + timeout, None
        while (seen := self._seen())["status"] not in ENDED:
            moment = Progress(seen["stage"], seen["step"], seen["steps"]) if seen["stage"] else None
            if on_progress is not None and moment is not None and moment != told:
                on_progress(moment)
            told = moment
            if end is not None and time.monotonic() >= end:
                raise NotYet(f"it is not made after {timeout:g} s; wait longer, or cancel it.")
            time.sleep(_LOOK)
        if seen["status"] == "cancelled":
            raise Cancelled("cancelled.")
        if seen["status"] == "failed":
            kind = RequestError if seen["error"]["code"] == "invalid_request" else MediagenError
            raise kind(seen["error"]["message"])

    def _made(self, timeout: float | None) -> tuple[bytes, str]:
        """The file that the service made, and its ending."""
        self.wait(timeout)
        query = {} if self.variant == "video" else {"variant": self.variant}
        data = self._fetch("GET", f"{self._path}/content", query=query)
        if data[:4] == b"RIFF":
            return data, ".wav"
        if data[:4] == b"\x1aE\xdf\xa3":
            return data, ".webm" if b"webm" in data[:64] else ".mkv"
        return data, ".mov" if data[4:12] == b"ftypqt  " else ".mp4"

    def told(self) -> dict[str, Any]:
        """What the service says of it: its video object."""
        return self._seen()

    def _seen(self) -> dict[str, Any]:
        return json.loads(self._fetch("GET", self._path))


def _read(path: Path) -> "Clip":
    """The clip in a file that a service made."""
    from mediagen.media.clip import Clip
    from mediagen.media.read import read_sound
    from mediagen.sdk.tasks.replay import read, settings_of

    if path.suffix != ".wav":
        return read(path)
    settings, sound = settings_of(path), read_sound(path, max_seconds=math.inf)
    return Clip(frames=None, sound=sound, caption=settings["prompt"] or "", settings=settings)


def _check_name(path: Path, endings: tuple[str, ...]) -> None:
    """RequestError for a file name with another ending."""
    if path.suffix.lower() not in endings:
        expected = " or ".join(endings)
        raise RequestError(
            f"got the name '{path.name}', expected one with {expected}; call result().save() for others."
        )
