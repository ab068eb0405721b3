"""One window of sound: conditions and guidance become a velocity, the velocity a latent."""

from itertools import pairwise

import torch
from torch import Tensor

from mediagen.audio.model import AudioModel
from mediagen.guidance import cfg, cfg_two
from mediagen.sampling import OnStep, Velocity, linear, midpoint
from mediagen.text import Text

Guidance = float | tuple[float, float]  # one scale, or one of the text and one of the pictures


@torch.no_grad()
def generate_latents(audio: AudioModel, text: Text, null: Text, length: int, *, rng: torch.Generator,
                     pictures: Tensor | None = None, known: Tensor | None = None, clean: Tensor | None = None,
                     steps: int = 32, guidance: Guidance = 3.0, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Latents (B, C, length), one per prompt in `text`; null: one prompt, what guidance leads away from.

    pictures (B, length, P), known (B, C, length) and clean (B, length) are as in `AudioModel.prepare`. Movie Gen Audio
    samples by the midpoint rule, 64 evaluations, with guidance 3 (arXiv 2410.13720, section 6).
    """
    noise = torch.randn((len(text), audio.config.latent_channels, length), generator=rng, device=rng.device)
    noise = noise.to(next(audio.parameters()))
    if known is not None and clean is not None:
        noise = torch.where(clean[:, None], known, noise)  # what is known stays: its velocity is 0
    times = linear(steps)
    halves = [t + (after - t) / 2 for t, after in pairwise(times)]
    velocity = guided(audio, text, null, length, pictures, known, clean, times + halves, guidance)
    return midpoint(velocity, noise, times, on_step)


def guided(audio: AudioModel, text: Text, null: Text, length: int, pictures: Tensor | None, known: Tensor | None,
           clean: Tensor | None, times: list[float], guidance: Guidance) -> Velocity:  # fmt: skip
    """The velocity that leads to the prompts and the pictures; arguments as in `generate_latents`.

    guidance: one scale for both, or one for the text and one for the pictures.  times: at which it will be asked.
    """
    both = guidance if isinstance(guidance, tuple) else (guidance, guidance)
    words, sights = both if pictures is not None else (both[0], both[0])
    if words == sights == 1.0:
        return cfg(audio, audio.prepare(text, length, pictures, known, clean, times), 1.0)
    batch, apart = len(text), words != sights
    count = 3 if apart else 2  # one batch: the prompts, without pictures where the scales differ, without either
    texts = Text.cat([text, *([text] if apart else []), *[null] * batch])
    if pictures is not None:
        pictures = torch.cat((pictures, *[torch.zeros_like(pictures)] * (count - 1)))
    known, clean = (None if part is None else torch.cat([part] * count) for part in (known, clean))
    prepared = audio.prepare(texts, length, pictures, known, clean, times)
    return cfg_two(audio, prepared, words, sights) if apart else cfg(audio, prepared, words)
