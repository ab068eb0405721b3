"""SoundWork: one request for sound on its way: pictures watched as they stream by, windows made, the best kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from mediagen.audio.extend import Pictures, count_steps
from mediagen.audio.generate import (
    SoundModels,
    Way,
    count_sound_steps,
    generate_sound,
    generate_sound_latent,
    see_pictures,
)
from mediagen.grid import SOUND_RATE, sound_latents
from mediagen.media.clip import Clip, Film
from mediagen.media.footage import Footage
from mediagen.media.read import read_sound
from mediagen.media.resample import resample
from mediagen.sdk.errors import RequestError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.soundtracks import Soundtrack, levelled
from mediagen.sdk.tasks.work import StepCallback, Work


@dataclass(frozen=True)
class Made:
    """A sound as its latent: small, and decoded as often as it is wanted."""

    models: SoundModels
    latent: Tensor
    samples: int

    @torch.no_grad()
    def chunks(self) -> Iterator[Tensor]:
        """Float32 (1, S) at 48 kHz, at most 10 s each."""
        for chunk in self.models.chunks(self.latent, self.samples):
            yield chunk.cpu()


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
        made = self._make(self._watch(footage, first / SOUND_RATE, last / SOUND_RATE), last - first)
        return Soundtrack(footage, made.chunks, request, settings)

    def score(self, clip: Clip, settings: dict[str, Any]) -> Film:
        """The clip with new sound, of the window that the request asks for; its own elsewhere, and under it."""
        request, start = self.request, self.request.start or 0.0
        if clip.frames is None or not len(clip.frames):
            raise RequestError("got a clip without pictures, expected some to make sound for; use generate_audio.")
        end = clip.seconds if request.end is None else request.end
        if not 0 <= start < end <= clip.seconds + 1e-6:
            raise RequestError(f"got {start:g} s to {end:g} s, but the clip lasts {clip.seconds:g} s; move them.")
        self.check_sound()
        total, first, last = (round(time * SOUND_RATE) for time in (clip.seconds, start, min(end, clip.seconds)))
        made = self._make(self._watch(clip, start, end), last - first)
        old = heard_of(clip, self.limits)[:, :total]
        old = torch.nn.functional.pad(old, (0, total - old.shape[-1]))
        new = torch.cat(list(made.chunks()), -1) + request.keep_audio * old[:, first:last]
        sound = torch.cat((old[:, :first], levelled(new, request.lufs), old[:, last:]), -1)
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
            made = self._make(None, round(request.seconds * SOUND_RATE))
            sound = levelled(torch.cat(list(made.chunks()), -1), request.lufs)
            return Clip(frames=None, sound=sound, caption=caption, settings=settings)
        samples = heard.shape[-1]
        if request.seconds is not None:  # more of it
            first, last = samples, samples + round(request.seconds * SOUND_RATE)
        else:
            assert request.start is not None and request.end is not None
            first, last = round(request.start * SOUND_RATE), round(request.end * SOUND_RATE)
        sound = torch.cat([self._complete(one[None], first, last, max(samples, last)) for one in heard])
        return Clip(frames=None, sound=sound, caption=caption, settings=settings)

    def chunks_for(self, video: "Pictured", start: float, end: float) -> Callable[[], Iterator[Tensor]]:
        """New sound of a part (seconds) of what gives its pictures, as it is made; each call gives it again."""
        samples = round(end * SOUND_RATE) - round(start * SOUND_RATE)
        return self._make(self._watch(video, start, end), samples).chunks

    def _watch(self, video: "Clip | Pictured", start: float, end: float) -> Pictures | None:
        """What the model sees of a video between two times, at the rate that it was trained for; streamed.

        None for music alone: shown what strikes in the pictures, the model would let it be heard.
        """
        if not self.request.effects:
            return None
        models, rate = self._sound_models(), self.limits.fps
        size = (models.aligned.size, models.aligned.size)
        count, seen = round((end - start) * rate), list[Tensor]()
        if not isinstance(video, Clip):
            batches = video.pictures(rate, size, start, end)
        else:
            assert video.frames is not None
            times = start + (torch.arange(max(1, count)) + 0.5) / rate
            chosen = (times * video.fps).long().clamp(max=len(video.frames) - 1)
            batches = (video.frames[part] for part in chosen.split(64))
        for batch in batches:
            self._stage("Watching the pictures", sum(len(part) for part in seen), count)
            # Half precision: ten minutes are 40 MB.
            seen.append(see_pictures(models.aligned, batch.to(self.models.device), rate).features[0].half().cpu())
        return Pictures(torch.cat(seen)[None], rate)

    def _make(self, pictures: Pictures | None, samples: int) -> Made:
        """So many samples of new sound."""
        models = self._sound_models()
        way = self._planned(models, pictures)
        latents = torch.zeros(1, sound_latents(samples), dtype=torch.bool)
        on_step = self._steps("Making the sound", count_steps(latents, way.plan, way.steps))
        latent = generate_sound_latent(
            models,
            pictures,
            self.request.words(),
            samples=samples,
            seed=self._seed,
            negative=self.request.negative_prompt,
            way=way,
            on_step=on_step,
        )
        return Made(models, latent, samples)

    def _complete(self, known: Tensor, first: int, last: int, samples: int) -> Tensor:
        """Sound (1, samples) that is `known` (1, S), but for samples first to last, which are made."""
        models = self._sound_models()
        way = self._planned(models, None)
        on_step = self._steps("Making the sound", count_sound_steps(first, last, samples, way))
        return generate_sound(
            models,
            None,
            self.request.words(),
            samples=samples,
            seed=self._seed,
            negative=self.request.negative_prompt,
            known=known.to(self.models.device),
            gap=(first, last),
            way=way,
            on_step=on_step,
        ).cpu()

    def _planned(self, models: SoundModels, pictures: Pictures | None) -> Way:
        request = self.request
        assert request.guidance_scale is not None and request.candidates is not None
        text, sights = request.guidance_scale, request.picture_guidance_scale
        guidance = text if sights is None else (text, sights)
        way = self._way(models, self._count, guidance, request.candidates, method=request.method, merge=request.merge)
        words = ". ".join(part for part in (request.prompt, request.music_prompt) if part)
        return self._ranked(models, way, words, pictures, music=request.music, effects=request.effects)
