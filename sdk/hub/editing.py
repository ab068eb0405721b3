"""Edits: the part of an engine that changes films and puts people into them, where its models can."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mediagen.media.clip import Clip
from mediagen.sdk.hub import edits
from mediagen.sdk.hub.edit_request import EditRequest
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.replay import read
from mediagen.sdk.tasks.requests import GenerateRequest


class PipelineEdits(ABC):
    """Edits and people, by the models of an engine."""

    models: ModelFolder

    def edit_by_pipeline(
        self,
        clip: Clip | str | Path,
        prompt: str,
        *,
        mask: Any = None,
        callback_on_step_end: Callable[..., bool | None] | None = None,
        on_progress: ProgressCallback | None = None,
        **wishes: Any,
    ) -> Clip:
        """The clip (or the one in a file) changed as the prompt says, with its own sound.

        mask: where, for models that take one: a picture, or float (H, W) or (F, H, W) of 0 to 1, 1 for what changes.
        wishes: negative_prompt, num_inference_steps, guidance_scale, seed.  Callbacks as in `generate`.
        Raises RequestError where the models cannot edit, and as `generate`.
        """
        clip = clip if isinstance(clip, Clip) else read(clip)
        request = EditRequest.of({"prompt": prompt, **wishes})
        return edits.edited(self.models, clip, request, mask, self._step(callback_on_step_end), on_progress)

    def personalize(
        self,
        photo: Any,
        prompt: str,
        *,
        callback_on_step_end: Callable[..., bool | None] | None = None,
        on_progress: ProgressCallback | None = None,
        **wishes: Any,
    ) -> Clip:
        """A clip with the person of a photo (a path, a PIL image or uint8 (H, W, 3)); wishes and errors: `generate`."""
        request = GenerateRequest.of({"prompt": prompt, "image": photo, **wishes})
        return edits.with_person(self.models, request, self._step(callback_on_step_end), on_progress)

    @abstractmethod
    def _step(self, callback: Callable[..., bool | None] | None) -> Callable[..., bool | None] | None: ...
