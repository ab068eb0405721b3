"""Edited: films changed, and people put into them, by models that can."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.sdk.errors import RequestError
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.hub.work import PipelineWork
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.first_frame import fingerprint, first_frame
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.requests import GenerateRequest
from mediagen.sdk.tasks.results import seeded, settings_of_work
from mediagen.sdk.tasks.work import StepCallback


def edited(models: ModelFolder, clip: Clip, request: EditRequest, mask: Any, on_step: StepCallback | None,
           on_progress: ProgressCallback | None) -> Clip:  # fmt: skip
    """A clip changed as the request says; see `Engine.edit`."""
    pipeline = _able(models, "edit", "editing films")
    if clip.frames is None or not len(clip.frames):
        raise RequestError("got a clip without pictures, expected some to change; give another clip.")
    longest = round(pipeline.limits.max_seconds * pipeline.limits.fps)
    if len(clip.frames) > longest:
        raise RequestError(
            f"got a clip of {len(clip.frames)} frames, expected at most {longest} for {pipeline.layout.name}; cut it."
        )
    full = seeded(request.with_defaults(pipeline.limits))
    work = PipelineWork(pipeline, full, on_step, on_progress)  # pyright: ignore[reportArgumentType]
    was = (clip.frames.shape[2], clip.frames.shape[1])
    size = _nearest(was, pipeline.limits.all_sizes)
    film = clip.frames if size == was else _fitted(clip.frames, size)
    if size != was:
        work.notes.append(f"the film was scaled from {was[0]}x{was[1]} to {size[0]}x{size[1]}, which the model makes.")
    where = None if mask is None else _mask(mask, len(film), size)
    frames = work.edited(film, clip.fps, where)
    settings = {**settings_of_work(work, request, []), "source": clip.settings}
    sound = None if clip.sound is None else clip.sound[:, : round(len(frames) / clip.fps * clip.rate)]
    return replace(clip, frames=frames, sound=sound, caption=full.prompt, settings=settings)


def with_person(models: ModelFolder, request: GenerateRequest, on_step: StepCallback | None,
                on_progress: ProgressCallback | None) -> Clip:  # fmt: skip
    """A clip with the person of a photo; see `Engine.personalize`."""
    pipeline = _able(models, "character", "a person from a photo")
    full, notes = request.fit(pipeline.limits)
    assert full.seconds is not None and full.width is not None and full.height is not None and full.fps is not None
    size = (full.width, full.height)
    photo = first_frame(full.image, size)
    work = PipelineWork(pipeline, seeded(full), on_step, on_progress)
    if full.sound:
        work.check_sound()
    frames = work.with_person(full.seconds, size, full.fps, photo)
    sound = work.sound(frames, full.fps) if full.sound else None
    settings = {**settings_of_work(work, request, notes), "task": "personalize", "picture": fingerprint(photo)}
    return Clip(frames=frames, fps=full.fps, sound=sound, rate=SOUND_RATE, caption=full.prompt, settings=settings)


def _able(models: ModelFolder, task: str, what: str) -> PipelineFolder:
    if not isinstance(models, PipelineFolder):
        raise RequestError(f"got a request for {what}, for which this model folder has no model; give another model.")
    models.call(task)
    return models


def _nearest(size: tuple[int, int], sizes: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """The size that is nearest in shape, and then in area."""

    def far(other: tuple[int, int]) -> tuple[float, float]:
        shape = abs(math.log(other[0] * size[1] / (other[1] * size[0])))
        return round(shape, 3), abs(math.log(other[0] * other[1] / (size[0] * size[1])))

    return min(sizes, key=far)


def _fitted(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Frames that cover another size, the middle kept."""
    fitted = [ImageOps.fit(Image.fromarray(one), size, Image.Resampling.LANCZOS) for one in frames.cpu().numpy()]
    return torch.from_numpy(np.stack([np.asarray(one) for one in fitted]))


def _mask(mask: Any, frames: int, size: tuple[int, int]) -> Tensor:
    """Float (F, H, W) of a mask in any of its forms; RequestError for one that is none."""
    if not isinstance(mask, Tensor | np.ndarray):
        mask = first_frame(mask, size)[0].float().mean(-1) / 255
    given = torch.as_tensor(mask).float()
    given = given[None].expand(frames, -1, -1) if given.ndim == 2 else given
    if given.ndim != 3 or len(given) < frames or not 0 <= float(given.min()) <= float(given.max()) <= 1:
        raise RequestError(
            f"mask: got {tuple(given.shape)}, expected (H, W) or ({frames}, H, W) of 0 to 1, 1 for what changes."
        )
    return torch.nn.functional.interpolate(given[None, :frames], size=size[::-1], mode="nearest")[0]
