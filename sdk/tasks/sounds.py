"""SoundWork: one request for sound on its way: pictures watched as they stream by, windows made, the best kept."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from mediagen.audio.extend import Pictures
from mediagen.audio.generate import (
    SoundModels,
    SoundWay,
    count_sound_steps,
    fill_sound,
    generate_sound,
    generate_sound_latent,
    lay_sound,
    watch_pictures,
)
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip, Film
from mediagen.media.footage import Footage
from mediagen.media.loudness import levelled
from mediagen.media.read import read_sound
from mediagen.media.resample import resample
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.soundtracks import Soundtrack
from mediagen.sdk.tasks.work import StepCallback, Work


class Pictured(Protocol):
    """What gives pictures of a part as `Footage` does."""

    def pictures(self, rate: float, size: tuple[int, int], start: float, end: float | None) -> Iterator[Tensor]: ...


def heard_of(source: Clip | str | Path, limits: Limits) -> Tensor:
    """The sound (channels, S) of a clip or file at 48 kHz; RequestError where a file has none or cannot be read."""
    try:
        if isinstance(source, Clip):
            return torch.zeros(1, 0) if source.sound is None else resample(source.sound, source.rate, SOUND_RATE)
        return read_sound(source, max_seconds=limits.max_sound_seconds)
    except (ValueError, OSError) as error:
        raise RequestError(str(error)) from None


class SoundWork(Work):
    """Makes the sound of one request that is filled in, seed included."""

    def __init__(
        self,
        models: ModelFolder,
        request: SoundRequest,
        on_step: StepCallback | None,
        on_progress: ProgressCallback | None,
    ) -> None:
        super().__init__(models, request, on_step, on_progress)
        self.request = request

    def score_file(self, path: Path, settings: dict[str, Any]) -> Soundtrack:
        """New sound for a video file, of the window that the request asks for."""
        request = self.request
        try:
            footage = Footage(path, max_seconds=self.limits.max_sound_seconds)
            first, last = footage.span(request.start or 0.0, request.end)
        except (ValueError, OSError) as error:
            raise RequestError(str(error)) from None
        self.check_sound()
        return Soundtrack(footage, self._chunks(footage, first, last), request, settings)

    def score(self, clip: Clip, settings: dict[str, Any]) -> Film:
        """The clip with new sound, of the window that the request asks for; its own elsewhere, and under it."""
        request, start = self.request, self.request.start or 0.0
        if clip.frames is None or not len(clip.frames):
            raise RequestError("got a clip without pictures, expected some to make sound for; ask for sound alone.")
        end = clip.seconds if request.end is None else request.end
        if not 0 <= start < end <= clip.seconds + 1e-6:
            raise RequestError(f"got {start:g} s to {end:g} s, but the clip lasts {clip.seconds:g} s; move them.")
        self.check_sound()
        total, first, last = (round(time * SOUND_RATE) for time in (clip.seconds, start, min(end, clip.seconds)))
        pictured = Film(clip.frames, clip.fps)
        made = self._make(last - first, pictured, start, end)
        old = heard_of(clip, self.limits)[:, :total]
        old = torch.nn.functional.pad(old, (0, total - old.shape[-1]))
        sound = lay_sound(made, old, first, keep=request.keep_audio, lufs=request.lufs)
        told = {**settings, "source": clip.settings}
        return Film(clip.frames, clip.fps, sound, SOUND_RATE, clip.caption, told)

    def sound_alone(self, heard: Tensor | None, settings: dict[str, Any]) -> Clip:
        """Sound without pictures: all new, or what is lacking in or after `heard`; see `heard_of`.

        What is heard stays as it is, and as loud. The request is one that `SoundRequest.alone` has passed.
        """
        request, caption = self.request, self.request.prompt or ""
        self.check_sound()
        if heard is None:
            assert request.seconds is not None
            sound = levelled(self._make(round(request.seconds * SOUND_RATE)), request.lufs)
            return Clip(frames=None, sound=sound, caption=caption, settings=settings)
        samples = heard.shape[-1]
        if request.seconds is not None:  # more of it
            first, last = samples, samples + round(request.seconds * SOUND_RATE)
        else:
            assert request.start is not None and request.end is not None
            first, last = round(request.start * SOUND_RATE), round(request.end * SOUND_RATE)
        return Clip(frames=None, sound=self._fill(heard, first, last), caption=caption, settings=settings)

    def _chunks(self, footage: "Pictured", first: int, last: int) -> Callable[[], Iterator[Tensor]]:
        """New sound for a film between two samples, as what gives it piece by piece."""
        (models, way), samples = self._how, last - first
        pictures = self._watch(models, footage, first / SOUND_RATE, last / SOUND_RATE)
        on_step = self._steps("Making the sound", count_sound_steps(models, 0, samples, samples, way))
        words = self.request.words()
        latent = generate_sound_latent(
            models, pictures, words, samples=samples, seed=self._seed, way=way, on_step=on_step
        )
        return partial(models.chunks, latent, samples)

    def chunks_for(self, video: "Pictured", start: float, end: float) -> Callable[[], Iterator[Tensor]]:
        """New sound of a part (seconds) of what gives its pictures, as it is made; each call gives it again."""
        return self._chunks(video, round(start * SOUND_RATE), round(end * SOUND_RATE))

    def _fill(self, heard: Tensor, first: int, last: int) -> Tensor:
        """What is heard (channels, S) with new sound between two samples, or after it."""
        models, way = self._how
        count = len(heard) * count_sound_steps(models, first, last, max(heard.shape[-1], last), way)
        on_step = self._steps("Making the sound", count)
        words = self.request.words()
        return fill_sound(models, None, words, heard, (first, last), seed=self._seed, way=way, on_step=on_step)

    def _make(self, samples: int, clip: Film | None = None, start: float = 0.0, end: float = 0.0) -> Tensor:
        """So many samples of new sound, for the pictures of a clip between two times or for none."""
        models, way = self._how
        pictures = None if clip is None else self._watch(models, clip, start, end)
        on_step = self._steps("Making the sound", count_sound_steps(models, 0, samples, samples, way))
        words = self.request.words()
        return generate_sound(models, pictures, words, samples=samples, seed=self._seed, way=way, on_step=on_step)

    def _watch(self, models: SoundModels, video: "Film | Pictured", start: float, end: float) -> Pictures | None:
        """What the model sees of a video between two times, at the rate that it was trained for.

        None for music alone: shown what strikes in the pictures, the model would let it be heard.
        """
        if not self.request.effects:
            return None
        rate, size = self.limits.fps, (models.aligned.size, models.aligned.size)
        of_clip = isinstance(video, Film)
        batches = video.pictures(rate, start, end) if of_clip else video.pictures(rate, size, start, end)
        count = round((end - start) * rate)
        watched = partial(self._stage, "Watching the pictures", steps=count)
        return watch_pictures(models.aligned, batches, rate, watched)

    @property
    def _how(self) -> tuple[SoundModels, SoundWay]:
        request = self.request
        assert request.guidance_scale is not None and request.candidates is not None
        text, sights = request.guidance_scale, request.picture_guidance_scale
        guidance = text if sights is None else (text, sights)
        return self._sounding(self._count, guidance, request.candidates, method=request.method, merge=request.merge)
