"""Results: what a request that was checked becomes with the models of a folder; `Engine` is the face of it."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from mediagen import __version__
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip, Film
from mediagen.sdk.errors import RequestError
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.hub.sound import PipelineSoundWork
from mediagen.sdk.hub.work import PipelineWork
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.clips import ClipWork
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.edit_sounds import in_memory, sound_of_edit
from mediagen.sdk.tasks.edit_sources import ClipSource, source_of
from mediagen.sdk.tasks.edited import EditedClip, EditedFilm, Shown
from mediagen.sdk.tasks.edits import EditWork, check_models
from mediagen.sdk.tasks.first_frame import fingerprint, first_frame
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.requests import MAX_SEED, Asked, ExtendRequest, GenerateRequest, Request
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.sounds import SoundWork
from mediagen.sdk.tasks.soundtracks import Soundtrack
from mediagen.sdk.tasks.work import StepCallback, Work

A = TypeVar("A", bound=Asked)
MakeWork = Callable[[ModelFolder, Request, StepCallback | None, ProgressCallback | None], ClipWork]
MOST = 64  # clips of one call
_TOGETHER = 4  # clips whose pictures are made at once; measured on two cores: 1.9 s a clip instead of 3.4


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
) -> Film:
    """A clip from a prompt."""
    return clips(models, request, 1, on_step, on_progress)[0]


def clips(
    models: ModelFolder,
    request: GenerateRequest,
    count: int,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> list[Film]:
    """So many clips from a prompt, with its seed and those after it; pictures are made together, four at a time."""
    if isinstance(count, bool) or not 1 <= count <= MOST:
        raise RequestError(f"num_videos: got {count!r}, expected a whole number from 1 to {MOST}; ask for fewer.")
    full, notes = request.fit(models.limits)
    assert full.fps is not None and full.width is not None and full.height is not None and full.seconds is not None
    size, fps, seconds = (full.width, full.height), full.fps, full.seconds
    first = None if full.image is None else first_frame(full.image, size)
    full = seeded(full)
    assert full.seed is not None
    seeds = [(full.seed + index) % (MAX_SEED + 1) for index in range(count)]
    works = [clip_work(models, full.model_copy(update={"seed": seed}), on_step, on_progress) for seed in seeds]
    if full.sound:
        works[0].check_sound()
    made = []
    together = 1 if isinstance(models, PipelineFolder) else _TOGETHER
    for start in range(0, count, together):
        some = works[start : start + together]
        pictures = some[0].pictures(seeds[start : start + together], seconds, size, fps, first)
        for work, frames in zip(some, pictures, strict=True):
            work.notes = some[0].notes
            sound = work.sound(frames, fps) if full.sound else None
            settings = settings_of_work(work, request, notes)
            if first is not None:
                settings["picture"] = fingerprint(first)
            if len(some) > 1:
                settings["together"] = len(some)
            made.append(Film(frames, fps, sound, SOUND_RATE, full.prompt, settings))
    return made


def longer(
    models: ModelFolder,
    start: Clip,
    request: ExtendRequest,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
    make: MakeWork | None = None,
) -> Film:
    """The clip `start` and more. make: in place of `clip_work`."""
    if start.frames is None or not len(start.frames):
        raise RequestError("got a clip without pictures, expected some to go on from; give another clip.")
    size = (start.frames.shape[2], start.frames.shape[1])
    full, notes = request.fit(models.limits, start.fps, size, start.seconds)
    assert full.seconds is not None
    work = (make or clip_work)(models, seeded(full), on_step, on_progress)
    if full.sound:
        work.check_sound()
    frames = work.more_pictures(start.frames, round(full.seconds * start.fps), start.fps)
    sound, rate = start.sound, start.rate
    if full.sound:
        sound, rate = work.more_sound(frames, start), SOUND_RATE
    settings = {**settings_of_work(work, request, notes), "source": start.settings}
    return Film(frames=frames, fps=start.fps, sound=sound, rate=rate, caption=full.prompt, settings=settings)


def soundtrack(
    models: ModelFolder,
    video: Clip | str | Path,
    request: SoundRequest,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> Film | Soundtrack:
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


def edited(
    models: ModelFolder,
    video: Clip | str | Path,
    request: EditRequest,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> EditedClip | EditedFilm:
    """An edit of a clip, which gives a clip, or of a film's file."""
    check_models(models)
    source = source_of(video, models.limits.max_edit_seconds)
    full = seeded(request.with_defaults(models.limits))
    work = EditWork(models.edits, full, on_step, on_progress)
    sounding = SoundWork(models, seeded(sound_of_edit(full, models.limits)), on_step, on_progress)
    if full.sound == "remake":
        sounding.check_sound()
    laying, kept = work.lay(source)
    settings = {**settings_of_work(work, request, []), **work.told, "source": source.settings}
    if isinstance(source, ClipSource):
        return in_memory(source.clip, laying, sounding if full.sound == "remake" else None, full, settings, kept)
    chunks = sounding.chunks_for(Shown(laying), laying.start, laying.end) if full.sound == "remake" else None
    return EditedFilm(laying, source.footage, full.prompt, settings, kept, full.sound, chunks)


def told_of(models: ModelFolder) -> dict[str, Any]:
    """What the file will say about the program and the models."""
    return {"version": __version__, **models.told()}


def settings_of_work(work: Work, request: Asked, notes: list[str]) -> dict[str, Any]:
    """What the file will say about how the clip was made."""
    settings = {**work.asked.settings(), **told_of(work.models)}
    seconds = getattr(request, "seconds", None)
    if seconds is not None and seconds != settings["seconds"]:
        settings["asked"] = {"seconds": seconds}
    if notes or work.notes:
        settings["notes"] = [*notes, *work.notes]
    return settings


def seeded(request: A) -> A:
    """The request with a seed, drawn by chance if it has none; small enough to type again."""
    return request if request.seed is not None else request.model_copy(update={"seed": secrets.randbits(31)})
