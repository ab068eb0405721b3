"""Films that a service changes: edited, or made larger, with the face of an engine's."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from mediagen.sdk.jobs import Job
from mediagen.sdk.remote import payload
from mediagen.sdk.remote.jobs import RemoteJob
from mediagen.sdk.tasks.progress import ProgressCallback

if TYPE_CHECKING:
    from mediagen.media.clip import Clip


class RemoteFilms:
    """The part of a remote engine that changes films."""

    @abstractmethod
    def _job(self, path: str, fields: dict[str, Any], *uploads: tuple[str, bytes] | None) -> RemoteJob[Any]: ...

    @abstractmethod
    def _from(
        self, path: str, name: str, source: "Clip | Job[Any] | str | Path | None", fields: dict[str, Any]
    ) -> RemoteJob[Any]: ...

    @abstractmethod
    def _waited(self, job: RemoteJob[Any], on_progress: ProgressCallback | None) -> RemoteJob[Any]: ...

    @overload
    def edit(self, video: "Job[Any] | str | Path", prompt: str, **wishes: Any) -> RemoteJob: ...
    @overload
    def edit(self, video: "Clip", prompt: str, **wishes: Any) -> "Clip": ...
    def edit(
        self,
        video: "Clip | Job[Any] | str | Path",
        prompt: str,
        *,
        on_progress: ProgressCallback | None = None,
        **wishes: Any,
    ) -> "Clip | RemoteJob":
        """As `Engine.edit`; a file, or a job of this service, gives the completed job, whose `save` writes the film."""
        job = self._waited(self.submit_edit(video, prompt, **wishes), on_progress)
        return job if isinstance(video, Job | str | Path) else job.result()

    @overload
    def upscale(self, video: "Job[Any] | str | Path", **wishes: Any) -> RemoteJob: ...
    @overload
    def upscale(self, video: "Clip", **wishes: Any) -> "Clip": ...
    def upscale(
        self, video: "Clip | Job[Any] | str | Path", *, on_progress: ProgressCallback | None = None, **wishes: Any
    ) -> "Clip | RemoteJob":
        """As `Engine.upscale`; a file, or a job of this service, gives the completed job, as in `edit`."""
        job = self._waited(self.submit_upscale(video, **wishes), on_progress)
        return job if isinstance(video, Job | str | Path) else job.result()

    def submit_edit(self, video: "Clip | Job[Any] | str | Path", prompt: str, **wishes: Any) -> RemoteJob:
        """As `Engine.submit_edit`; video: a file, a completed job of this service, or a Clip. Raises as `fetch`."""
        fields, sent = payload.edit(prompt, wishes)
        if sent is None:
            return self._from("/v1/videos/edits", "video", video, fields)
        if isinstance(video, Job):
            return self._job("/v1/videos/edits", {**fields, "video": video.id}, sent)
        return self._job("/v1/videos/edits", fields, ("video", payload.film(video)), sent)

    def submit_upscale(self, video: "Clip | Job[Any] | str | Path", **wishes: Any) -> RemoteJob:
        """As `Engine.submit_upscale`; video: as in `submit_edit`."""
        return self._from("/v1/videos/upscales", "video", video, payload.fields(None, wishes))
