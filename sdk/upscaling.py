"""Upscaling: the part of an engine that makes pictures larger."""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Unpack, overload

from mediagen.media.clip import Clip, Film
from mediagen.sdk.jobs import Job, LocalJob, Queue
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks import upscales
from mediagen.sdk.tasks.edit_sources import source_of
from mediagen.sdk.tasks.progress import UPSCALING, Advance, ProgressCallback
from mediagen.sdk.tasks.upscale_requests import UpscaleRequest
from mediagen.sdk.tasks.upscaled import UpscaledFilm
from mediagen.sdk.tasks.wishes import MadeUpscaleWishes, UpscaleWishes

StepCallback = Callable[[Any, int, float, dict[str, Any]], bool | None]  # of the engine, step, t, info


class Upscaling:
    """Larger pictures with the models of an engine."""

    _queue: Queue
    models: ModelFolder

    @abstractmethod
    def _step(self, callback: StepCallback | None) -> Callable[[int, float, dict[str, Any]], bool | None] | None: ...

    @overload
    def upscale(self, video: str | Path, **wishes: Unpack[MadeUpscaleWishes]) -> UpscaledFilm: ...
    @overload
    def upscale(self, video: Clip, **wishes: Unpack[MadeUpscaleWishes]) -> Film: ...
    def upscale(
        self,
        video: Clip | str | Path,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
        **wishes: Unpack[UpscaleWishes],
    ) -> Film | UpscaledFilm:
        """A video of any length, rate and size with sharp pictures of twice its width and height, or (factor) 4 times.

        A file gives an `UpscaledFilm`, never whole in memory unless its `frames` are asked for; a clip gives a clip.
        Sound and times stay as they are.  wishes: factor, num_inference_steps, seed; callbacks as in `generate`.
        Raises RequestError before any work for what cannot be met, ModelError where the folder lacks the models.
        """
        request = UpscaleRequest.of(dict(wishes))
        return self.run_upscale(video, request, callback_on_step_end=callback_on_step_end, on_progress=on_progress)

    @overload
    def submit_upscale(self, video: str | Path, **wishes: Unpack[UpscaleWishes]) -> Job[UpscaledFilm]: ...
    @overload
    def submit_upscale(self, video: Clip, **wishes: Unpack[UpscaleWishes]) -> Job[Film]: ...
    def submit_upscale(self, video: Clip | str | Path, **wishes: Unpack[UpscaleWishes]) -> Job[Any]:
        """`submit` for larger pictures, as `upscale` makes them."""
        request = UpscaleRequest.of(dict(wishes))
        upscales.check_models(self.models)
        request.fit(self.models.limits, source_of(video, self.models.limits.max_upscale_seconds).size)
        return self._queue.add(LocalJob(Advance(UPSCALING)), partial(self.run_upscale, video, request))

    def run_upscale(
        self,
        video: Clip | str | Path,
        request: UpscaleRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Film | UpscaledFilm:
        """Meets a request that is made already; `upscale` makes one, calls this, and says the rest."""
        return upscales.upscaled(self.models, video, request, self._step(callback_on_step_end), on_progress)
