"""The story of one sound, of any length: words and pictures to conditions, noise to latent, latent to sound."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.conditions import LATENT_RATE
from mediagen.audio.extend import Choose, Extension, Pictures, SoundDecoder, count_steps, decode_chunks, extend_latents
from mediagen.audio.model import AudioModel
from mediagen.audio.sampler import Guidance
from mediagen.grid import SOUND_HOP, sound_latents
from mediagen.sampling import OnStep
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import TextEncoder

_JOIN = 2400  # samples, 50 ms: over which known sound fades into what was made beside it; at 10 ms the joint is heard


@dataclass(frozen=True)
class SoundModels:
    """The models that make sound, all on one device and in eval mode. decoder: in place of the `codec`'s own."""

    text: TextEncoder
    aligned: AlignedEncoder
    codec: Codec
    audio: AudioModel
    decoder: SoundDecoder | None = None

    def chunks(self, latent: Tensor, samples: int) -> Iterator[Tensor]:
        """The sound of a latent, as `decode_chunks` gives it, in [-1, 1]."""
        for chunk in decode_chunks(self.decoder or self.codec, latent, samples):
            yield chunk.clamp(-1, 1)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How sound is made.

    plan: of the windows.  steps: of the midpoint rule.  guidance: one scale for text and pictures, or one for each.
    candidates, choose: as in `extend_latents`.
    """

    plan: Extension
    steps: int = 32
    guidance: Guidance = 3.0
    candidates: int = 1
    choose: Choose | None = None


@torch.no_grad()
def generate_sound(models: SoundModels, pictures: Pictures | None, prompt: str, *, samples: int, seed: int,
                   negative: str = "", known: Tensor | None = None, gap: tuple[int, int] | None = None,
                   way: Way | None = None, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Float sound (1, samples) at 48 kHz in [-1, 1] for the pictures, or for the prompt alone.

    prompt: as `sound_prompt` writes it.  pictures: of `see_pictures`.  known: sound (1, S) that the result holds, but
    for gap = (first, last) samples, which is made; without a gap all that comes after S is made.  on_step(index, t,
    latent): what it raises cancels. Raises ValueError for a gap that is not in the sound.
    """
    first, last = (0, samples) if known is None else gap or (known.shape[-1], samples)
    if known is not None:
        _check_gap(known, first, last, samples)
    way = way or Way(plan=Extension.fit(models.audio))
    start, stop, clean = _region(samples, first, last, way.plan)
    clean = clean.to(models.codec.latent_mean.device)
    latent = torch.zeros(1, models.codec.config.latent, stop - start, device=clean.device)
    if known is not None:
        latent = _remember(models.codec, known, first, last, start, stop)
    seen = None if pictures is None else pictures.since(start)
    made = _latents(models, seen, prompt, negative, latent, clean, seed, way, on_step)
    sound = torch.cat(list(models.chunks(made, min(samples, stop * SOUND_HOP) - start * SOUND_HOP)), -1)
    if known is None:
        return sound
    return _join(known.to(sound), sound[:, first - start * SOUND_HOP :][:, : last - first], first, last)


@torch.no_grad()
def generate_sound_latent(models: SoundModels, pictures: Pictures | None, prompt: str, *, samples: int, seed: int,
                          negative: str = "", way: Way | None = None,
                          on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """The latent (1, C, L) of sound that is all new, for `decode_chunks`: for a film of any length in little memory."""
    latent = torch.zeros(1, models.codec.config.latent, sound_latents(samples), device=models.codec.latent_mean.device)
    clean = torch.zeros(1, latent.shape[-1], dtype=torch.bool, device=latent.device)
    way = way or Way(plan=Extension.fit(models.audio))
    return _latents(models, pictures, prompt, negative, latent, clean, seed, way, on_step)


def _latents(models: SoundModels, pictures: Pictures | None, prompt: str, negative: str, latent: Tensor, clean: Tensor,
             seed: int, way: Way, on_step: OnStep | None) -> Tensor:  # fmt: skip
    text = models.text.encode([prompt, negative])
    rng = torch.Generator(latent.device).manual_seed(seed)
    return extend_latents(
        models.audio,
        text[:1],
        text[1:],
        latent,
        clean,
        rng=rng,
        pictures=pictures,
        plan=way.plan,
        steps=way.steps,
        guidance=way.guidance,
        candidates=way.candidates,
        choose=way.choose,
        on_step=on_step,
    )


@torch.no_grad()
def see_pictures(aligned: AlignedEncoder, frames: Tensor, fps: float) -> Pictures:
    """What the audio model sees of uint8 frames (F, H, W, 3) or (B, F, H, W, 3) at `fps`."""
    return Pictures(aligned.picture_features(frames if frames.ndim == 5 else frames[None]), fps)


def count_sound_steps(first: int, last: int, samples: int, way: Way) -> int:
    """How often `generate_sound` calls `on_step` when it makes samples first to last of so many."""
    return count_steps(_region(samples, first, last, way.plan)[2], way.plan, way.steps)


def _region(samples: int, first: int, last: int, plan: Extension) -> tuple[int, int, Tensor]:
    """The latent frames (start, stop) that are looked at to make samples first to last, and which are known (1, L)."""
    begin, end, reach = first // SOUND_HOP, sound_latents(last), round(plan.window * LATENT_RATE)
    start, stop = max(0, begin - reach), min(sound_latents(samples), end + reach)
    frame = torch.arange(start, stop)[None]
    return start, stop, (frame < begin) | (frame >= end)


def _check_gap(known: Tensor, first: int, last: int, samples: int) -> None:
    heard = known.shape[-1]
    if known.ndim != 2 or len(known) != 1 or not 0 <= first < last <= samples or heard not in (samples, first):
        raise ValueError(
            f"got known sound {tuple(known.shape)} and a gap from sample {first} to {last} of {samples}, expected "
            "(1, S) with the gap inside, or S where the gap begins; change the gap."
        )
    if heard < SOUND_HOP:
        raise ValueError(f"got {heard} samples of known sound, expected at least {SOUND_HOP}; give more.")


def _remember(codec: Codec, known: Tensor, first: int, last: int, start: int, stop: int) -> Tensor:
    """The latent (1, C, stop - start) of known sound, whose gap is filled by mirrored sound: silence would be heard."""
    before, after = known[:, :first], known[:, last:]
    half = (last - first) // 2
    left = before.flip(-1)[:, :half]
    right = after.flip(-1)[:, max(0, after.shape[-1] - half) :]
    hole = known.new_zeros(1, last - first)
    hole[:, : left.shape[-1]] = left
    hole[:, hole.shape[-1] - right.shape[-1] :] = right
    sound = torch.cat((before, hole, after), dim=-1)[:, start * SOUND_HOP : stop * SOUND_HOP]
    return codec.encode(sound[None].to(codec.latent_mean))


def _join(known: Tensor, made: Tensor, first: int, last: int) -> Tensor:
    """`known` with its gap filled by `made` (1, last - first), which comes in and goes out over 50 ms of the gap.

    Meanwhile the known sound is mirrored into the gap and fades out, so that neither click nor hole is heard.
    """
    before, after = known[:, :first], known[:, last:]
    made = _come_in(before.flip(-1), made)
    return torch.cat((before, _come_in(after, made.flip(-1)).flip(-1), after), dim=-1)


def _come_in(mirrored: Tensor, made: Tensor) -> Tensor:
    fade = min(_JOIN, mirrored.shape[-1], made.shape[-1] // 2)
    rise = torch.linspace(0, 1, fade + 2, device=made.device)[1:-1]
    return torch.cat((torch.lerp(mirrored[:, :fade], made[:, :fade], rise), made[:, fade:]), dim=-1)
