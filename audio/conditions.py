"""What a sound is made from: its prompt, the pictures at 25 Hz, what is already known, and how training hides each."""

import re

import torch
from torch import Tensor

from mediagen.grid import SOUND_HOP, SOUND_RATE

LATENT_RATE = SOUND_RATE / SOUND_HOP  # latent frames per second: 25
_MUSIC = re.compile(
    r"\b(music\w*|melod\w+|tunes?|songs?|chords?|soundtrack|orchestra\w*|piano|guitar)\b", re.IGNORECASE
)


def sound_prompt(effects: str | None, music: str | None = None, *, quality: float = 8.0) -> str:
    """The one form of every text that the audio model reads, in training and in generation.

    effects: what is heard, or what is seen; it comes last, so that a long one does not push out the rest; "" leaves it
    to the pictures, None says that nothing is heard but music.  music: the music bed; "" says that there is none, None
    leaves it to `effects`.  quality: 0 to 10, of the recording; the world's clean sounds are told as 6.5 to 9.5.
    Movie Gen (arXiv 2410.13720, section 6) writes quality, description and music description into its captions.
    """
    bed = "" if music is None else f"music: {music.strip().rstrip('.') or 'no music'}. "
    return f"quality {quality:.1f}. {bed}{'no effects' if effects is None else effects.strip()}".rstrip()


def mentions_music(words: str) -> bool:
    """Whether a prompt asks for music in passing: "a ball bounces, happy music"."""
    return _MUSIC.search(words) is not None


def at_sound_rate(features: Tensor, fps: float, length: int, *, start: float = 0.0) -> Tensor:
    """Features of pictures (B, F, P) at `fps` to features of sound frames (B, length, P) at 25 Hz.

    Linear between the centres of the two nearest pictures; the first and last picture hold beyond their centres.
    start: seconds into the pictures at which the first sound frame begins, for windows of a longer clip.
    Raises ValueError for features of another shape, no pictures, or fps <= 0.
    """
    if features.ndim != 3 or features.shape[1] == 0 or fps <= 0:
        raise ValueError(
            f"got features {tuple(features.shape)} at {fps} fps, expected (B, F, P) with F >= 1 and fps > 0; "
            "pass at least one picture and the clip's own fps."
        )
    centres = start + (torch.arange(length, dtype=torch.float64) + 0.5) / LATENT_RATE
    place = (centres * fps - 0.5).clamp(0, features.shape[1] - 1)  # in pictures; double, so that minutes stay exact
    before = place.floor().long()
    after = (before + 1).clamp(max=features.shape[1] - 1)
    weight = (place - before).to(features)[None, :, None]
    before, after = before.to(features.device), after.to(features.device)
    return torch.lerp(features[:, before], features[:, after], weight)


def draw_clean(
    batch: int,
    length: int,
    generator: torch.Generator,
    *,
    everything: float = 0.5,
    hidden: tuple[float, float] = (0.75, 1.0),
) -> Tensor:
    """Which sound frames a training sample is given: bool (batch, length), True where known.

    With chance `everything` nothing is known (generation); else a share drawn from `hidden` is to be made: the end
    (continuation) or a span anywhere (infilling), each half the time. Movie Gen (arXiv 2410.13720, section 6).
    """
    draw = torch.rand(batch, 4, generator=generator, device=generator.device)
    share = hidden[0] + (hidden[1] - hidden[0]) * draw[:, 1]
    span = (share * length).ceil().clamp(max=length)
    first = torch.where(draw[:, 2] < 0.5, length - span, (draw[:, 3] * (length - span + 1)).floor())
    frame = torch.arange(length, device=generator.device)
    made = (frame >= first[:, None]) & (frame < (first + span)[:, None])
    return ~(made | (draw[:, :1] < everything))


def draw_drops(
    batch: int, generator: torch.Generator, *, both: float = 0.2, each: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Which samples train without their text and without their pictures: two bool tensors (batch,), True where dropped.

    With chance `both` neither is given; else each is dropped alone with chance `each`, independently (Movie Gen,
    arXiv 2410.13720, section 6). This is what lets guidance compare "with" and "without".
    """
    draw = torch.rand(3, batch, generator=generator, device=generator.device)
    return (draw[0] < both) | (draw[1] < each), (draw[0] < both) | (draw[2] < each)
