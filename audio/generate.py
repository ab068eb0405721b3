"""The story of one sound: words and pictures to conditions, noise to latent, latent to sound."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from mediagen.aligned import AlignedEncoder
from mediagen.audio.codec import Codec
from mediagen.audio.conditions import at_sound_rate, sound_prompt
from mediagen.audio.model import AudioModel
from mediagen.grid import SOUND_HOP, sound_latents
from mediagen.guidance import cfg
from mediagen.sampling import OnStep, linear, midpoint
from mediagen.text import Text, TextEncoder

_JOIN = 480  # samples, 10 ms: over which known sound fades into what was made after it
_MIRROR = 8 * SOUND_HOP


class SoundDecoder(Protocol):
    """What makes sound of a latent, as `Codec` does: torch's own, or one in an ONNX file."""

    def decode(self, latent: Tensor, samples: int | None = None, /) -> Tensor: ...


@dataclass(frozen=True)
class SoundModels:
    """The models that make sound, all on one device and in eval mode. decoder: in place of the `codec`'s own."""

    text: TextEncoder
    aligned: AlignedEncoder
    codec: Codec
    audio: AudioModel
    decoder: SoundDecoder | None = None


@torch.no_grad()
def generate_sound(models: SoundModels, frames: Tensor | None, fps: float, prompt: str, *, samples: int, seed: int,
                   music: str | None = None, negative: str = "", steps: int = 16, guidance: float = 3.0,
                   known: Tensor | None = None, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Float sound (1, samples) at 48 kHz in [-1, 1] for uint8 frames (F, H, W, 3) at `fps`, or for the prompt alone.

    prompt: what is heard, or what is seen.  music: see `sound_prompt`.  known: sound (1, S), S < samples, that the
    result begins with and goes on from.  guidance: scale of classifier-free guidance.  on_step(index, t, latent): what
    it raises cancels. Raises ValueError for a sound longer than the model makes at once.
    """
    length = sound_latents(samples)
    text = models.text.encode([sound_prompt(prompt, music), negative])
    pictures = None if frames is None else watch(models.aligned, frames[None], fps, length)
    latent, clean = (None, None) if known is None else remember(models.codec, known, samples)
    rng = torch.Generator().manual_seed(seed)
    made = generate_latents(models.audio, text[:1], text[1:], length, rng=rng, pictures=pictures, known=latent,
                            clean=clean, steps=steps, guidance=guidance, on_step=on_step)  # fmt: skip
    sound = (models.decoder or models.codec).decode(made, samples)[0].clamp(-1, 1)
    return sound if known is None else join(known, sound)


@torch.no_grad()
def generate_latents(audio: AudioModel, text: Text, null: Text, length: int, *, rng: torch.Generator,
                     pictures: Tensor | None = None, known: Tensor | None = None, clean: Tensor | None = None,
                     steps: int = 16, guidance: float = 3.0, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Latents (B, C, length), one per prompt in `text`; null: one prompt, what guidance leads away from.

    pictures (B, length, P), known (B, C, length) and clean (B, length) are as in `AudioModel.prepare`. Movie Gen Audio
    samples by the midpoint rule with guidance 3 (arXiv 2410.13720, section 6).
    """
    batch = len(text)
    noise = torch.randn((batch, audio.config.latent_channels, length), generator=rng, device=rng.device)
    noise = noise.to(next(audio.parameters()))
    if known is not None and clean is not None:
        noise = torch.where(clean[:, None], known, noise)  # what is known stays: its velocity is 0
    if guidance != 1.0:  # one batch: the prompts, then the same sounds without text and pictures
        text = Text.cat([text, *[null] * batch])
        pictures = None if pictures is None else torch.cat((pictures, torch.zeros_like(pictures)))
        known, clean = (None if part is None else torch.cat((part, part)) for part in (known, clean))
    times = linear(steps)
    halves = [t + (after - t) / 2 for t, after in pairwise(times)]
    prepared = audio.prepare(text, length, pictures, known, clean, times + halves)
    return midpoint(cfg(audio, prepared, guidance), noise, times, on_step)


def watch(aligned: AlignedEncoder, frames: Tensor, fps: float, length: int) -> Tensor:
    """Features (B, length, P) at 25 Hz of uint8 frames (B, F, H, W, 3) at `fps`."""
    return at_sound_rate(aligned.picture_features(frames), fps, length)


def remember(codec: Codec, known: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """Known sound (1, S) as the (1, C, L) latent of `samples` and where it is clean, bool (1, L): in whole frames."""
    heard = known.shape[-1]
    if known.ndim != 2 or len(known) != 1 or not SOUND_HOP <= heard < samples:
        raise ValueError(
            f"got known sound {tuple(known.shape)} of {samples} samples, expected (1, S), {SOUND_HOP} <= S < {samples}."
        )
    mirrored = torch.cat((known, known.flip(-1)[:, :_MIRROR]), dim=-1)  # silence there would be heard as a stop
    begin = codec.encode(mirrored[None].to(codec.latent_mean))[..., : heard // SOUND_HOP]
    latent = begin.new_zeros(1, begin.shape[1], sound_latents(samples))
    latent[..., : begin.shape[-1]] = begin
    return latent, torch.arange(latent.shape[-1], device=latent.device)[None] < begin.shape[-1]


def join(known: Tensor, made: Tensor) -> Tensor:
    """`made` (1, samples) with its beginning replaced by `known` (1, S), which fades out over its last 10 ms."""
    weight = torch.ones(known.shape[-1], device=made.device)
    weight[-_JOIN:] = torch.linspace(1, 0, _JOIN + 1, device=made.device)[1:]
    return torch.cat((torch.lerp(made[:, : len(weight)], known.to(made), weight), made[:, len(weight) :]), dim=-1)
