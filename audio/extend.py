"""Sound of any length: windows of the audio model, one after another or merged at every step of the solver.

Movie Gen Audio (arXiv 2410.13720, section 6.1.5) extends sound both ways: "segments" go on from what is known of the
sound so far, "blend" (MultiDiffusion, arXiv 2302.08113) evaluates overlapping windows and merges their velocities.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor

from mediagen.audio.conditions import LATENT_RATE, at_sound_rate
from mediagen.audio.model import AudioModel
from mediagen.audio.sampler import Given, Guidance, generate_latents, guided
from mediagen.config import Config
from mediagen.grid import SOUND_HOP
from mediagen.sampling import OnStep, linear, midpoint
from mediagen.text.text import Text

METHODS, MERGES = ("segments", "blend"), ("triangle", "uniform")
DECODED = 250  # latent frames that are decoded at once: 10 s
MARGIN = 24  # latent frames on each side whose sound is thrown away: more than any decoder's reach (`EncodecCodec`)


@dataclass(frozen=True, kw_only=True)
class Extension(Config):
    """How windows become a long sound; times in seconds.

    method: "segments" or "blend".  window: of sound made at once.  context: least that a segment knows of what comes
    before it.  hop: from one blended window to the next.  merge: weight of a blended window along its time, "triangle"
    or "uniform".
    """

    method: str = "segments"
    window: float = 10.0
    context: float = 3.0
    hop: float = 8.0
    merge: str = "triangle"

    def __post_init__(self) -> None:
        if self.method not in METHODS or self.merge not in MERGES:
            raise ValueError(
                f"got method '{self.method}' and merge '{self.merge}'; expected {' or '.join(METHODS)}, "
                f"and {' or '.join(MERGES)}."
            )
        if not (0 < self.hop <= self.window and 0 <= self.context < self.window):
            raise ValueError(
                f"got a window of {self.window:g} s, hop {self.hop:g} s and context {self.context:g} s; expected "
                "0 < hop <= window and 0 <= context < window."
            )

    @classmethod
    def fit(cls, audio: AudioModel, **values: str) -> Self:
        """The usual plan with the longest window that a model was built for."""
        window = audio.config.longest / LATENT_RATE
        return cls(window=window, context=0.3 * window, hop=0.8 * window, **values)


@dataclass(frozen=True)
class Pictures:
    """Features (B, F, P) of pictures at `fps`. start: latent frame of the sound at which the window counting begins."""

    features: Tensor
    fps: float
    start: int = 0

    def window(self, first: int, length: int) -> Tensor:
        """Features (B, length, P) at 25 Hz from latent frame `first` on."""
        return at_sound_rate(self.features, self.fps, length, start=(self.start + first) / LATENT_RATE)

    def since(self, first: int) -> "Pictures":
        """The same pictures, counted from latent frame `first` on."""
        return replace(self, start=self.start + first)


Choose = Callable[[Tensor, int, int], int]


def extend_latents(audio: AudioModel, text: Text, null: Text, latent: Tensor, clean: Tensor, *, rng: torch.Generator,
                   pictures: Pictures | None = None, plan: Extension | None = None, steps: int = 32,
                   guidance: Guidance = 3.0, candidates: int = 1, choose: Choose | None = None,
                   on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Latent (1, C, L) of any length L: `latent` where `clean`, bool (1, L), is True, and what is made for the rest.

    text, null: one prompt each.  steps: of the midpoint rule, for each window.  candidates: so many are made at once of
    each segment, or of the whole blend, and choose(latents (N, C, l), start, end) says which is kept; start and end are
    its frames in the whole.  on_step(index, t, x) is called `count_steps` times.
    Raises ValueError for a window that is longer than the model was built for.
    """
    plan = plan or Extension.fit(audio)
    window = round(plan.window * LATENT_RATE)
    if window > audio.config.longest:
        raise ValueError(
            f"got a window of {plan.window:g} s, expected at most {audio.config.longest / LATENT_RATE:g} s, the "
            "longest that this model makes at once; give a shorter one."
        )
    if candidates < 1 or (candidates > 1 and choose is None):
        raise ValueError(f"got {candidates} candidates, expected 1, or more with a way to choose; give `choose`.")
    many = Text.cat([text] * candidates)

    def pick(made: Tensor, start: int, end: int) -> Tensor:
        best = 0 if choose is None or len(made) == 1 else choose(made, start, end)
        return made[best : best + 1]

    def seen(start: int, length: int) -> Tensor | None:
        return None if pictures is None else pictures.window(start, length).expand(candidates, -1, -1)

    if plan.method == "blend" and latent.shape[-1] > window:
        known, mask = latent.expand(candidates, -1, -1), clean.expand(candidates, -1)
        made = _blend(audio, many, null, known, mask, rng, seen, plan, steps, guidance, on_step)
        return pick(made, 0, latent.shape[-1])
    made, known = latent.clone(), clean.clone()
    for number, (start, _, end) in enumerate(segments(clean, plan)):

        def counted(index: int, t: float, x: Tensor, done: int = number * steps) -> None:
            if on_step is not None:
                on_step(done + index, t, x)

        found = generate_latents(
            audio,
            many,
            null,
            end - start,
            rng=rng,
            pictures=seen(start, end - start),
            known=made[..., start:end].expand(candidates, -1, -1),
            clean=known[:, start:end].expand(candidates, -1),
            steps=steps,
            guidance=guidance,
            on_step=counted,
        )
        made[..., start:end] = pick(found, start, end)
        known[:, start:end] = True
    return made


def count_steps(clean: Tensor, plan: Extension, steps: int) -> int:
    """How often `extend_latents` calls `on_step`."""
    window = round(plan.window * LATENT_RATE)
    whole = plan.method == "blend" and clean.shape[-1] > window
    return steps if whole else steps * len(list(segments(clean, plan)))


def segments(clean: Tensor, plan: Extension) -> Iterator[tuple[int, int, int]]:
    """(start, first, end) of each window: it covers start to end, and `first` is the first frame that it makes."""
    window, context = round(plan.window * LATENT_RATE), round(plan.context * LATENT_RATE)
    length, first = clean.shape[-1], 0
    while True:
        missing = (~clean[0, first:]).nonzero()
        if not len(missing):
            return
        first += int(missing[0])
        start = max(0, min(first - context, length - window))
        end = min(length, start + window)
        yield start, first, end
        first = end


def _blend(audio: AudioModel, text: Text, null: Text, latent: Tensor, clean: Tensor, rng: torch.Generator,
           seen: Callable[[int, int], Tensor | None], plan: Extension, steps: int, guidance: Guidance,
           on_step: OnStep | None) -> Tensor:  # fmt: skip
    window, length = round(plan.window * LATENT_RATE), latent.shape[-1]
    starts = _starts(length, plan)
    weight = torch.ones(window, device=latent.device)
    if plan.merge == "triangle":
        ramp = torch.arange(1, window + 1, device=latent.device, dtype=latent.dtype)
        weight = torch.minimum(ramp, ramp.flip(0))
    total = torch.zeros(length, device=latent.device)
    for start in starts:
        total[start : start + window] += weight
    noise = torch.randn(latent.shape, generator=rng, device=rng.device).to(latent)

    def velocity(x: Tensor, t: float) -> Tensor:
        # Conditions are prepared anew at every evaluation: kept, they would grow with the length; they cost 4 %.
        merged = torch.zeros_like(x)
        for start in starts:
            part = slice(start, start + window)
            given = Given(latent[..., part], clean[:, part], noise[..., part])
            one = guided(audio, text, null, window, seen(start, window), given, [t], guidance)
            merged[..., part] += weight * one(x[..., part], t)
        return merged / total

    return midpoint(velocity, Given(latent, clean, noise).start(), linear(steps, audio.config.early), on_step)


class SoundDecoder(Protocol):
    """What makes sound of a latent, as `Codec` does: torch's own, or one in an ONNX file."""

    def decode(self, latent: Tensor, samples: int | None = None, /, *, first: int = 0) -> Tensor: ...


def joints(length: int, plan: Extension) -> list[int]:
    """Latent frames at which windows meet in a sound of `length` frames that is all new."""
    if plan.method == "segments":
        return [first for _, first, _ in segments(torch.zeros(1, length, dtype=torch.bool), plan)][1:]
    window = round(plan.window * LATENT_RATE)
    edges = {edge for start in _starts(length, plan) for edge in (start, start + window)}
    return sorted(edges - {0, length})


def _starts(length: int, plan: Extension) -> list[int]:
    """First frames of blended windows, the last of which ends with the sound."""
    window, hop = round(plan.window * LATENT_RATE), round(plan.hop * LATENT_RATE)
    return [*range(0, length - window, hop), length - window]


def decode_chunks(codec: SoundDecoder, latent: Tensor, samples: int) -> Iterator[Tensor]:
    """The sound (1, samples) of a latent (1, C, L) in chunks of at most 10 s, equal to the sound decoded at once."""
    for first in range(0, latent.shape[-1], DECODED):
        last = min(latent.shape[-1], first + DECODED)
        begin, end = max(0, first - MARGIN), min(latent.shape[-1], last + MARGIN)
        part = latent[..., begin:end]
        sound = codec.decode(part, min(samples, end * SOUND_HOP) - begin * SOUND_HOP, first=begin)
        yield sound[0, :, (first - begin) * SOUND_HOP : (last - begin) * SOUND_HOP]
