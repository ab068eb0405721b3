"""One window of sound: conditions and guidance become a velocity, the velocity a latent."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from mediagen.audio.model import AudioModel, PreparedSound, SoundConditions
from mediagen.guidance import cfg, cfg_two
from mediagen.sampling import OnStep, Velocity, linear, midpoint
from mediagen.text.text import Text

Guidance = float | tuple[float, float]  # one scale, or one of the text and one of the pictures


@torch.no_grad()
def generate_latents(audio: AudioModel, text: Text, null: Text, length: int, *, rng: torch.Generator,
                     pictures: Tensor | None = None, known: Tensor | None = None, clean: Tensor | None = None,
                     steps: int = 32, guidance: Guidance = 3.0, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Latents (B, C, length), one per prompt in `text`; null: one prompt, what guidance leads away from.

    pictures (B, length, P), known (B, C, length) and clean (B, length) are as in `SoundConditions`. Movie Gen Audio
    samples by the midpoint rule, 64 evaluations, with guidance 3 (arXiv 2410.13720, section 6).
    """
    noise = torch.randn((len(text), audio.config.latent_channels, length), generator=rng, device=rng.device)
    noise = noise.to(next(audio.parameters()).device)  # float32, whatever the weights are
    given = None if known is None or clean is None else Given(known, clean, noise)
    times = linear(steps, audio.config.early)
    halves = [t + (after - t) / 2 for t, after in pairwise(times)]
    velocity = guided(audio, text, null, length, pictures, given, times + halves, guidance)
    return midpoint(velocity, noise if given is None else given.start(), times, on_step)


@dataclass(frozen=True)
class Given:
    """What is known of latents (B, C, L): `latent` where `clean`, bool (B, L); and the noise they come from."""

    latent: Tensor
    clean: Tensor
    noise: Tensor

    def start(self) -> Tensor:
        """Where the solver starts; what is known stays, for its velocity is 0."""
        return torch.where(self.clean[:, None], self.latent, self.noise)


def guided(audio: AudioModel, text: Text, null: Text, length: int, pictures: Tensor | None, given: Given | None,
           times: list[float], guidance: Guidance) -> Velocity:  # fmt: skip
    """The velocity that leads to the prompts, the pictures and what is known; arguments as in `generate_latents`.

    guidance: one scale for all, or one of the text and what is known, and one of the pictures.  times: at which it will
    be asked. What guidance leads away from knows nothing of the sound either: led by words and pictures alone, what is
    made would part from what is known, and be heard to.
    """
    known, clean = (None, None) if given is None else (given.latent, given.clean)
    both = guidance if isinstance(guidance, tuple) else (guidance, guidance)
    words, sights = both if pictures is not None else (both[0], both[0])
    if words == sights == 1.0:
        told = SoundConditions(text=text, pictures=pictures, known=known, clean=clean)
        return cfg(audio, audio.prepare(told, length, times), 1.0)
    batch, apart = len(text), words != sights
    count = 3 if apart else 2  # one batch: the prompts, without pictures where the scales differ, without anything
    texts = Text.cat([text, *([text] if apart else []), *[null] * batch])
    if pictures is not None:
        pictures = torch.cat((pictures, *[torch.zeros_like(pictures)] * (count - 1)))
    if known is not None and clean is not None:
        known = torch.cat([known] * count)
        clean = torch.cat([*[clean] * (count - 1), torch.zeros_like(clean)])
    told = SoundConditions(text=texts, pictures=pictures, known=known, clean=clean)
    prepared = audio.prepare(told, length, times)
    model = audio if given is None else _forgetting(audio, given)
    return cfg_two(model, prepared, words, sights) if apart else cfg(model, prepared, words)


def _forgetting(audio: AudioModel, given: Given) -> Callable[[Tensor, float, PreparedSound], Tensor]:
    """The model for batches whose last rows know nothing: they see what is known as noisy as if it were being made."""
    count, hidden = len(given.clean), given.clean[:, None]

    def model(x: Tensor, t: float, prepared: PreparedSound) -> Tensor:
        noisy = torch.where(hidden, torch.lerp(given.noise, given.latent, t), x[-count:])
        found = audio(torch.cat((x[:-count], noisy)), t, prepared)
        return torch.cat((found[:-count], found[-count:] * ~hidden))

    return model
