"""RemoteEngine: a service of `mediagen serve` with the face of an Engine."""

import contextlib
import json
import secrets
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

from mediagen.sdk.errors import MediagenError, RequestError
from mediagen.sdk.jobs import Job, T
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.remote import payload
from mediagen.sdk.remote.films import RemoteFilms
from mediagen.sdk.remote.jobs import RemoteJob
from mediagen.sdk.remote.stories import RemoteStories
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.wishes import ClipWishes, ExtraSoundWishes, FilmSoundWishes, MoreWishes, SoundWishes

if TYPE_CHECKING:
    import httpx2

    from mediagen.media.clip import Clip, Film

_TRIES = 4  # of a request that the network lost; the idempotency key keeps it from being met twice


class _Unreachable(MediagenError):
    """The service does not answer."""


class RemoteEngine(RemoteFilms, RemoteStories):
    """A service at an address such as "http://127.0.0.1:8000". token: what it demands, where it does.

    model: of its models, by name; None for the first, or the first that makes what is asked for.
    timeout: seconds that an answer may take to come, and that a full service is asked again.

    Its methods take what those of Engine take, and raise their errors, with the service's sentences, and MediagenError
    where it does not answer. `on_progress` is called as the job's state is looked at, some times a second. A call that
    it ends by raising, or that is interrupted (Ctrl-C), cancels its job. `callback_on_step_end` cannot be sent.
    """

    def __init__(self, url: str, token: str | None = None, timeout: float = 60.0, model: str | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise RequestError(f"got the address '{url}', expected http://... or https://...; give the whole address.")
        self._url, self._token, self._timeout, self._model = url.rstrip("/"), token, timeout, model
        self._client: httpx2.Client | None = None
        self._lock = threading.Lock()

    @property
    def limits(self) -> Limits:
        """What the service's models were trained for; as `Engine.limits`."""
        models = self.ask("GET", "/v1/models")["data"]
        found = next((one for one in models if self._model in (None, one["id"])), None)
        if found is None:
            names = " or ".join(one["id"] for one in models)
            raise RequestError(f"model: got '{self._model}', expected {names}; give one, or leave it out.")
        return Limits.of(found["limits"])

    def generate(self, prompt: str, *, on_progress: ProgressCallback | None = None,
                 **settings: Unpack[ClipWishes]) -> "Film":  # fmt: skip
        """As `Engine.generate`."""
        return self._waited(self.submit(prompt, **settings), on_progress).result()

    def extend(
        self,
        clip: "Clip | Job[Any] | str | Path",
        prompt: str | None = None,
        seconds: float | None = None,
        *,
        on_progress: ProgressCallback | None = None,
        **settings: Unpack[MoreWishes],
    ) -> "Film":
        """As `Engine.extend`; clip: see `submit`."""
        fields = payload.fields(prompt, {"seconds": seconds, **settings})
        return self._waited(self._from("/v1/videos/extensions", "video", clip, fields), on_progress).result()

    @overload
    def add_audio(
        self, video: "Job[Any] | str | Path", prompt: str | None = None, *, on_progress: ProgressCallback | None = None,
        **wishes: Unpack[FilmSoundWishes],
    ) -> "RemoteJob[Film]": ...  # fmt: skip
    @overload
    def add_audio(
        self, video: "Clip", prompt: str | None = None, *, on_progress: ProgressCallback | None = None,
        **wishes: Unpack[FilmSoundWishes],
    ) -> "Film": ...  # fmt: skip
    def add_audio(
        self,
        video: "Clip | Job[Any] | str | Path",
        prompt: str | None = None,
        *,
        on_progress: ProgressCallback | None = None,
        **wishes: Unpack[FilmSoundWishes],
    ) -> "Film | RemoteJob[Film]":
        """As `Engine.add_audio`.

        A file, or a completed job of this service, gives the completed job, whose `save` writes the film, its pictures
        bit for bit. A Clip is encoded to be sent, and gives a Clip with the pictures that it had.
        """
        from mediagen.media.clip import Film

        job = self._waited(self.submit_audio(prompt, video=video, **wishes), on_progress)
        if isinstance(video, Job | str | Path):
            return job
        made = job.result()
        settings = {**made.settings, "source": video.settings}
        assert video.frames is not None, "what has no pictures was refused when it was sent"
        return Film(video.frames, video.fps, made.sound, made.rate, video.caption, settings)

    def generate_audio(
        self, prompt: str | None, seconds: float = 10.0, *, on_progress: ProgressCallback | None = None,
        **wishes: Unpack[ExtraSoundWishes],
    ) -> "Clip":  # fmt: skip
        """As `Engine.generate_audio`; the sound has 16 bits, as of all that a service makes."""
        return self._waited(self.submit_audio(prompt, seconds=seconds, **wishes), on_progress).result()

    def extend_audio(
        self,
        sound: "Clip | Job[Any] | str | Path",
        seconds: float = 5.0,
        prompt: str | None = None,
        *,
        on_progress: ProgressCallback | None = None,
        **wishes: Unpack[ExtraSoundWishes],
    ) -> "Clip":
        """As `Engine.extend_audio`; sound: see `submit_audio`."""
        job = self.submit_audio(prompt, sound=sound, seconds=seconds, **wishes)
        return self._waited(job, on_progress).result()

    def fill_audio(
        self,
        sound: "Clip | Job[Any] | str | Path",
        start: float,
        end: float,
        prompt: str | None = None,
        *,
        on_progress: ProgressCallback | None = None,
        **wishes: Unpack[ExtraSoundWishes],
    ) -> "Clip":
        """As `Engine.fill_audio`; sound: see `submit_audio`."""
        job = self.submit_audio(prompt, sound=sound, start=start, end=end, **wishes)
        return self._waited(job, on_progress).result()

    def submit(self, prompt: str, *, clip: "Clip | Job[Any] | str | Path | None" = None,
               **settings: Unpack[ClipWishes]) -> "RemoteJob[Film]":  # fmt: skip
        """As `Engine.submit`: a job for a clip from a prompt, or (with `clip`) for a longer one.

        clip: a file, a completed job of this service (nothing is sent then), or a Clip, which is encoded to be sent.
        Raises as `fetch`.
        """
        image = settings.pop("image", None)
        if clip is not None:
            if image is not None:
                raise RequestError("got an image and a clip, expected one to go on from; leave one out.")
            return self._from("/v1/videos/extensions", "video", clip, payload.fields(prompt, settings))
        upload = None if image is None else ("input_reference", payload.picture(image))
        return self._job("/v1/videos", payload.fields(prompt, settings), upload)

    @overload
    def submit_audio(
        self, prompt: str | None = None, *, video: "Clip | Job[Any] | str | Path", **wishes: Unpack[SoundWishes]
    ) -> "RemoteJob[Film]": ...
    @overload
    def submit_audio(
        self, prompt: str | None = None, *, video: None = None, sound: "Clip | Job[Any] | str | Path | None" = None,
        **wishes: Unpack[SoundWishes],
    ) -> "RemoteJob[Clip]": ...  # fmt: skip
    def submit_audio(
        self,
        prompt: str | None = None,
        *,
        video: "Clip | Job[Any] | str | Path | None" = None,
        sound: "Clip | Job[Any] | str | Path | None" = None,
        **wishes: Unpack[SoundWishes],
    ) -> RemoteJob[Any]:
        """As `Engine.submit_audio`; video, sound: a file, a completed job of this service, or a Clip.

        The result of a video is a Clip with all of its pictures; `RemoteJob.save` writes it without reading them.
        Raises as `fetch`.
        """
        fields = payload.fields(prompt, wishes)
        if video is not None and sound is not None:
            raise RequestError("got a video and a sound, expected one of them; leave one out.")
        if video is not None:
            return self._from("/v1/audio/soundtracks", "video", video, fields)
        return self._from("/v1/audio/sounds", "sound", sound, fields)

    def _from(
        self, path: str, name: str, source: "Clip | Job[Any] | str | Path | None", fields: dict[str, Any]
    ) -> RemoteJob[Any]:
        """A job that starts from a source, which goes in the field `name`."""
        if source is None:
            return self._job(path, fields)
        if isinstance(source, Job):
            return self._job(path, {**fields, name: {"id": source.id}})
        return self._job(path, fields, (name, (payload.film if name == "video" else payload.sound)(source)))

    def _job(self, path: str, fields: dict[str, Any], *uploads: tuple[str, bytes] | None) -> RemoteJob[Any]:
        fields = fields if self._model is None else {**fields, "model": self._model}
        return RemoteJob(self.fetch, self.ask("POST", path, fields, *uploads)["id"])

    def _waited(self, job: RemoteJob[T], on_progress: ProgressCallback | None) -> RemoteJob[T]:
        """The job when it is completed; whoever stops waiting has it cancelled."""
        try:
            job.wait(on_progress=on_progress)
        except _Unreachable:
            raise
        except BaseException:
            with contextlib.suppress(MediagenError):
                job.cancel()  # one that has ended stays as it is
            raise
        return job

    def jobs(self, status: str | None = None) -> Iterator[RemoteJob[Any]]:
        """The jobs of the service, the newest first; status: "queued", "completed" and so on, for those alone."""
        query: dict[str, Any] = {"limit": 100, **({} if status is None else {"status": status})}
        while True:
            page = self.ask("GET", "/v1/videos", query=query)
            for one in page["data"]:
                yield RemoteJob(self.fetch, one["id"])
            if not page["has_more"]:
                return
            query["after"] = page["last_id"]

    def job(self, id: str) -> RemoteJob[Any]:
        """A job that was submitted before, by its id; RequestError where the service does not know it."""
        self.ask("GET", f"/v1/videos/{id}")
        return RemoteJob(self.fetch, id)

    def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, Any] | None = None,
        *uploads: tuple[str, bytes] | None,
        query: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What the service answers to a request of one of its routes, as JSON; fields and errors as in `fetch`."""
        return json.loads(self.fetch(method, path, fields, *uploads, query=query))

    def fetch(
        self,
        method: str,
        path: str,
        fields: dict[str, Any] | None = None,
        *uploads: tuple[str, bytes] | None,
        query: dict[str, Any] | None = None,
    ) -> bytes:
        """What the service answers, as bytes. fields: of a JSON body, or with `uploads` (field, bytes) of a form.

        A request that the network lost is sent again, and met once; one that comes while the service is full (429) is
        sent again when it says, as long as `timeout` allows.  Raises RequestError for what the service refuses,
        ModelError where it lacks the model, MediagenError where it fails or does not answer.
        """
        import httpx2

        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        if fields is not None:
            headers["Idempotency-Key"] = secrets.token_hex(16)
        sent, lost, end = (
            payload.body(fields, [upload for upload in uploads if upload]),
            0,
            time.monotonic() + self._timeout,
        )
        while True:
            try:
                answer = self._line().request(method, self._url + path, params=query, headers=headers, **sent)
            except httpx2.InvalidURL as error:
                raise RequestError(f"got the address '{self._url}', which cannot be read ({error}).") from None
            except httpx2.HTTPError as error:
                lost += 1
                if lost == _TRIES:
                    raise _Unreachable(f"cannot reach {self._url} ({error}); is the service running?") from None
                time.sleep(0.5)
                continue
            if answer.is_success:
                return answer.content
            wait = payload.retry_after(answer)
            if answer.status_code != 429 or wait is None or time.monotonic() + wait > end:
                raise payload.refusal(answer)
            time.sleep(wait)

    def _line(self) -> "httpx2.Client":
        """The connections to the service, opened when they are first needed; safe for threads."""
        with self._lock:
            if self._client is None:
                import httpx2

                # A redirect to another host is followed without the token.
                self._client = httpx2.Client(timeout=self._timeout, follow_redirects=True)
                weakref.finalize(self, self._client.close)
            return self._client
