"""Results: what a request that was checked becomes with the models of a folder; `Engine` is the face of it."""

import secrets
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from mediagen import __version__
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.sdk.errors import RequestError
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.hub.sound import PipelineSoundWork
from mediagen.sdk.hub.work import PipelineWork
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.clips import ClipWork
from mediagen.sdk.tasks.first_frame import fingerprint, first_frame
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.requests import Asked, ExtendRequest, GenerateRequest, Request
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.sounds import SoundWork
from mediagen.sdk.tasks.soundtracks import Soundtrack
from mediagen.sdk.tasks.work import StepCallback, Work

A = TypeVar("A", bound=Asked)


def clip_work(
    models: ModelFolder, request: Request, on_step: StepCallback | None, on_progress: ProgressCallback | None
) -> ClipWork:
    """What makes the pictures of a request: our own models, or a pipeline of diffusers."""
    kind = PipelineWork if isinstance(models, PipelineFolder) else ClipWork
    return kind(models, request, on_step, on_progress)


def sound_work(
    models: ModelFolder, request: SoundRequest, on_step: StepCallback | None, on_progress: ProgressCallback | None
) -> SoundWork:
    """What makes the sound of a request."""
    kind = PipelineSoundWork if isinstance(models, PipelineFolder) else SoundWork
    return kind(models, request, on_step, on_progress)


def clip(
    models: ModelFolder, request: GenerateRequest, on_step: StepCallback | None, on_progress: ProgressCallback | None
) -> Clip:
    """A clip from a prompt."""
    full, notes = request.fit(models.limits)
    assert full.fps is not None and full.width is not None and full.height is not None and full.seconds is not None
    size = (full.width, full.height)
    first = None if full.image is None else first_frame(full.image, size)
    work = clip_work(models, seeded(full), on_step, on_progress)
    if full.sound:
        work.check_sound()
    frames = work.pictures(full.seconds, size, full.fps, first)
    sound = work.sound(frames, full.fps) if full.sound else None
    settings = settings_of_work(work, request, notes)
    if first is not None:
        settings["picture"] = fingerprint(first)
    return Clip(frames=frames, fps=full.fps, sound=sound, rate=SOUND_RATE, caption=full.prompt, settings=settings)


def longer(
    models: ModelFolder,
    start: Clip,
    request: ExtendRequest,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> Clip:
    """The clip `start` and more."""
    if start.frames is None or not len(start.frames):
        raise RequestError("got a clip without pictures, expected some to go on from; give another clip.")
    size = (start.frames.shape[2], start.frames.shape[1])
    full, notes = request.fit(models.limits, start.fps, size, start.seconds)
    assert full.seconds is not None
    work = clip_work(models, seeded(full), on_step, on_progress)
    if full.sound:
        work.check_sound()
    frames = work.more_pictures(start.frames, round(full.seconds * start.fps), start.fps)
    sound, rate = start.sound, start.rate
    if full.sound:
        sound, rate = work.more_sound(frames, start), SOUND_RATE
    settings = {**settings_of_work(work, request, notes), "source": start.settings}
    return Clip(frames=frames, fps=start.fps, sound=sound, rate=rate, caption=full.prompt, settings=settings)


def soundtrack(
    models: ModelFolder,
    video: Clip | str | Path,
    request: SoundRequest,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> Clip | Soundtrack:
    """New sound for a clip, which gives a clip, or for a film's file."""
    work = sound_work(models, seeded(request.for_film(models.limits)), on_step, on_progress)
    settings = settings_of_work(work, request, [])
    return work.score(video, settings) if isinstance(video, Clip) else work.score_file(Path(video), settings)


def sound(
    models: ModelFolder,
    heard: Tensor | None,
    request: SoundRequest,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> Clip:
    """Sound without pictures: all new, or more of what is `heard` (channels, S) at 48 kHz, or a gap of it."""
    full = seeded(request.alone(models.limits, None if heard is None else heard.shape[-1]))
    work = sound_work(models, full, on_step, on_progress)
    return work.sound_alone(heard, settings_of_work(work, request, []))


def settings_of_work(work: Work, request: Asked, notes: list[str]) -> dict[str, Any]:
    """What the file will say about how the clip was made."""
    settings = {**work.asked.settings(), "version": __version__, **work.models.told()}
    seconds = getattr(request, "seconds", None)
    if seconds is not None and seconds != settings["seconds"]:
        settings["asked"] = {"seconds": seconds}
    if notes or work.notes:
        settings["notes"] = [*notes, *work.notes]
    return settings


def seeded(request: A) -> A:
    """The request with a seed, drawn by chance if it has none; small enough to type again."""
    return request if request.seed is not None else request.model_copy(update={"seed": secrets.randbits(31)})
