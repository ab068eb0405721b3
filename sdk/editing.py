"""Editing: the part of an engine that edits films by an instruction."""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Unpack, overload

from mediagen.media.clip import Clip
from mediagen.sdk.hub.editing import PipelineEdits
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.jobs import Job, LocalJob, Queue
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.people import People
from mediagen.sdk.tasks import person_clips
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.edit_sources import source_of
from mediagen.sdk.tasks.edited import EditedClip, EditedFilm
from mediagen.sdk.tasks.edits import check_models
from mediagen.sdk.tasks.progress import EDITING, Advance, ProgressCallback
from mediagen.sdk.tasks.wishes import EditWishes, MadeEditWishes

StepCallback = Callable[[Any, int, float, dict[str, Any]], bool | None]  # of the engine, step, t, info


class Editing(PipelineEdits, People):
    """Edits with the models of an engine, our own or a pipeline."""

    _queue: Queue
    models: ModelFolder

    @abstractmethod
    def _step(self, callback: StepCallback | None) -> Callable[[int, float, dict[str, Any]], bool | None] | None: ...

    @overload
    def edit(self, video: str | Path, prompt: str, **wishes: Unpack[MadeEditWishes]) -> EditedFilm: ...
    @overload
    def edit(self, video: Clip, prompt: str, **wishes: Unpack[MadeEditWishes]) -> EditedClip: ...
    def edit(
        self,
        video: Clip | str | Path,
        prompt: str,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
        **wishes: Unpack[EditWishes],
    ) -> EditedClip | EditedFilm:
        """A video of any length, rate and size with one thing changed by an instruction: "make the ball blue".

        A file gives an `EditedFilm`, which is never whole in memory unless its `frames` are asked for; a clip gives a
        clip. Both have `mask`, where pictures may differ from the film's, and `kept` (dB), how they are kept elsewhere:
        outside of the mask they are equal, byte for byte.  wishes: task, mask, region, start, end, keep_rest, sound and
        all else that `EditRequest` has; callbacks as in `generate`.
        Raises RequestError before any work for what cannot be met, and before the edit where the thing is not found in
        the film; ModelError where the folder has no edit model.
        """
        if isinstance(self.models, PipelineFolder):
            asked: Any = {"callback_on_step_end": callback_on_step_end, "on_progress": on_progress, **wishes}
            return self.edit_by_pipeline(video, prompt, **asked)  # type: ignore[return-value] (a Clip with less to tell)
        request = EditRequest.of({"prompt": prompt, **wishes})
        return self.run_edit(video, request, callback_on_step_end=callback_on_step_end, on_progress=on_progress)

    @overload
    def submit_edit(self, video: str | Path, prompt: str, **wishes: Unpack[EditWishes]) -> Job[EditedFilm]: ...
    @overload
    def submit_edit(self, video: Clip, prompt: str, **wishes: Unpack[EditWishes]) -> Job[EditedClip]: ...
    def submit_edit(self, video: Clip | str | Path, prompt: str, **wishes: Unpack[EditWishes]) -> Job[Any]:
        """`submit` for an edit, as `edit` makes it."""
        request = EditRequest.of({"prompt": prompt, **wishes})
        check_models(self.models)
        source = source_of(video, self.models.limits.max_edit_seconds)
        request.inside(source.size, source.seconds)
        return self._queue.add(LocalJob(Advance(EDITING)), partial(self.run_edit, video, request))

    def run_edit(
        self,
        video: Clip | str | Path,
        request: EditRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> EditedClip | EditedFilm:
        """Meets a request for an edit that is made already; `edit` makes one, calls this, and says the rest."""
        calls = self._step(callback_on_step_end), on_progress
        return person_clips.edited(self.models, video, request, self.characters, *calls)
