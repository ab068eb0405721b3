"""Sound from words alone, by a pipeline of diffusers in the place of our model of sound."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Film
from mediagen.media.resample import resample
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.hub.hearing import hearing
from mediagen.sdk.tasks.clips import ClipWork
from mediagen.sdk.tasks.sounds import Pictured, SoundWork
from mediagen.sdk.tasks.work import Work

_FADE = 1.0  # seconds in which a window goes over into the next
_CHUNK = 10 * SOUND_RATE


class PipelineSoundWork(SoundWork):
    """Makes the sound of one request from its words: such a model sees no pictures and hears no sound before it."""

    models: PipelineFolder

    def check_sound(self) -> None:
        """See Work."""
        request = self.request
        self.models.call("sound")
        if not _words(request):
            raise RequestError(
                f"prompt: got none, expected words, for {self.models.layout.name} sees no pictures; say what is heard."
            )
        if request.candidates not in (None, 1):
            raise RequestError("candidates: got several, expected 1, for this model's are not judged; leave it out.")

    def _make(self, samples: int, clip: Film | None = None, start: float = 0.0, end: float = 0.0) -> Tensor:
        words, negative = _words(self.request), self.request.negative_prompt
        scale = self.request.guidance_scale
        return spoken(self, self.models, words, negative, samples, self._seed, self._count, scale)

    def _chunks(self, footage: Pictured, first: int, last: int) -> Callable[[], Iterator[Tensor]]:
        made = self._make(last - first)  # whole in memory: twelve megabytes a minute
        return lambda: iter(made.split(_CHUNK, dim=-1))

    def _fill(self, heard: Tensor, first: int, last: int) -> Tensor:
        raise RequestError(
            f"got sound to go on from, but {self.models.layout.name} only makes it anew; take the built-in models."
        )


def words_to_sound(work: ClipWork, models: PipelineFolder, frames: Tensor, fps: float,
                   start: Tensor | None) -> Tensor:  # fmt: skip
    """Sound (channels, S) at 48 kHz that covers the frames, after `start` (channels, S') where there is some."""
    total, limits = round(len(frames) / fps * SOUND_RATE), models.limits
    there = 0 if start is None else min(total, start.shape[-1])
    words = work.request.sound_prompt or work.request.prompt
    made = spoken(work, models, words, "", total - there, work.seed, limits.sound_steps, limits.sound_guidance_scale)
    return made if start is None else torch.cat((start[:, :there], made.expand(len(start), -1)), -1)


def spoken(work: Work, models: PipelineFolder, words: str, negative: str, samples: int, seed: int, steps: int,
           scale: float | None) -> Tensor:  # fmt: skip
    """So many samples (1, S) at 48 kHz in windows of the model's longest, each going over into the next."""
    if not samples:
        return torch.zeros(1, 0)
    with models.using("sound") as pipe:
        rate, hop = pipe.vae.config.sampling_rate, pipe.vae.hop_length
        longest = pipe.transformer.config.sample_size * hop / rate
        fade = min(_FADE, longest / 4)
        seconds = samples / SOUND_RATE
        count = 1 if seconds <= longest else 1 + -(-int(1e6 * (seconds - longest)) // int(1e6 * (longest - fade)))
        made = torch.zeros(1, 0)
        for index in range(count):
            lasting = min(longest, seconds - made.shape[-1] / SOUND_RATE + (fade if index else 0.0))
            on_step = work.steps_of("Making the sound", count * steps, index * steps)
            asked: dict[str, Any] = {
                "prompt": words,
                "negative_prompt": negative,
                "audio_end_in_s": min(longest, lasting + 2 * hop / rate),
                "num_inference_steps": steps,
                "guidance_scale": scale,
                "generator": torch.Generator("cpu").manual_seed(seed + index),
            }
            at = (0, steps)

            def heard(step: int, latent: Tensor | None, on_step: Any = on_step, at: tuple[int, int] = at) -> None:
                on_step(min(step, at[1] - 1), min(1.0, (step + 1) / at[1]), latent)

            with hearing(pipe, asked, heard), torch.no_grad():
                audios = pipe(**asked).audios
            wave = torch.as_tensor(audios[0]).float().cpu().mean(0, keepdim=True)
            if not wave.isfinite().all():
                raise ModelError("the model gave sound that is no numbers; try --dtype float32.")
            made = _over(made, resample(wave, rate, SOUND_RATE), round(fade * SOUND_RATE))
    made = torch.nn.functional.pad(made[:, :samples], (0, max(0, samples - made.shape[-1])))
    return made.clamp(-1, 1)


def _over(before: Tensor, after: Tensor, fade: int) -> Tensor:
    """Two sounds (1, S), the second of which comes in while the first goes out, at equal power."""
    if not before.shape[-1]:
        return after
    fade = min(fade, before.shape[-1], after.shape[-1])
    angle = torch.linspace(0, torch.pi / 2, fade)
    both = before[:, -fade:] * angle.cos() + after[:, :fade] * angle.sin()
    return torch.cat((before[:, :-fade], both, after[:, fade:]), -1)


def _words(request: Any) -> str:
    """What is heard, in plain words."""
    said = [request.prompt if request.effects else None, (request.music_prompt or "music") if request.music else None]
    return ". ".join(one for one in said if one)
