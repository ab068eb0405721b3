"""The story of one sound, of any length: words and pictures to conditions, noise to latent, latent to sound.

From nothing, on from its own end, into a gap, or under the pictures of a film.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mediagen.audio.codec.model import Codec
from mediagen.audio.conditions import sound_prompt
from mediagen.audio.extend import Extension, Pictures, SoundDecoder, count_steps, decode_chunks, extend_latents
from mediagen.audio.gap import check_gap, join, region, remember
from mediagen.audio.judge.rank import Ranker
from mediagen.audio.judge.scorer import SoundScorer
from mediagen.audio.model import AudioModel
from mediagen.audio.sampler import Guidance
from mediagen.grid import SOUND_HOP, sound_latents
from mediagen.media.loudness import levelled
from mediagen.sampling import OnStep
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import TextEncoder

MUSIC = "background music"  # what is asked for where music is wanted and not described


@dataclass(frozen=True)
class SoundModels:
    """The models that make sound, all on one device and in eval mode.

    decoder: in place of the `codec`'s own.  scorer: what chooses among candidates, where several are made.
    """

    text: TextEncoder
    aligned: AlignedEncoder
    codec: Codec
    audio: AudioModel
    decoder: SoundDecoder | None = None
    scorer: SoundScorer | None = None

    @torch.no_grad()
    def chunks(self, latent: Tensor, samples: int) -> Iterator[Tensor]:
        """The sound of a latent, as `decode_chunks` gives it, in [-1, 1] and on the CPU."""
        for chunk in decode_chunks(self.decoder or self.codec, latent, samples):
            yield chunk.clamp(-1, 1).cpu()


@dataclass(frozen=True, kw_only=True)
class SoundWords:
    """What shall be heard.

    effects: what is heard or seen; "" leaves it to the pictures, None wants nothing but music.  music: whether there is
    some; None leaves it to `effects`.  music_like: of what kind.  negative: what guidance leads away from.
    """

    effects: str | None = ""
    music: bool | None = None
    music_like: str = ""
    negative: str = ""

    @property
    def prompt(self) -> str:
        """What the audio model reads."""
        bed = {None: None, False: "", True: self.music_like or MUSIC}[self.music]
        return sound_prompt(self.effects, bed)


@dataclass(frozen=True, kw_only=True)
class SoundWay:
    """How sound is made.

    plan: of the windows; None for the usual one.  steps: of the midpoint rule.  guidance: one scale for text and
    pictures, or one for each.  candidates: so many are made of each window, and the best is kept.
    """

    plan: Extension | None = None
    steps: int = 32
    guidance: Guidance = 3.0
    candidates: int = 1


def generate_sound(models: SoundModels, pictures: Pictures | None, words: SoundWords, *, samples: int, seed: int,
                   way: SoundWay | None = None, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Float sound (1, samples) at 48 kHz in [-1, 1] for the pictures (`see_pictures`), or for the words alone.

    on_step(index, t, latent) is called `count_sound_steps` times; what it raises cancels.
    """
    latent = generate_sound_latent(models, pictures, words, samples=samples, seed=seed, way=way, on_step=on_step)
    return torch.cat(list(models.chunks(latent, samples)), -1)


def generate_sound_latent(models: SoundModels, pictures: Pictures | None, words: SoundWords, *, samples: int, seed: int,
                          way: SoundWay | None = None, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """As `generate_sound`, the latent (1, C, L), for `SoundModels.chunks`: a film of any length in little memory."""
    latent = torch.zeros(1, models.codec.config.latent, sound_latents(samples), device=models.codec.latent_mean.device)
    clean = torch.zeros(1, latent.shape[-1], dtype=torch.bool, device=latent.device)
    return _latents(models, pictures, words, latent, clean, seed, way or SoundWay(), on_step)


def extend_sound(models: SoundModels, pictures: Pictures | None, words: SoundWords, known: Tensor, *, samples: int,
                 seed: int, way: SoundWay | None = None, on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """Float sound (C, samples) that begins with `known` (C, S) and goes on alike in each of its channels."""
    heard = known.shape[-1]
    if heard >= samples:
        return known[:, :samples]
    if heard < SOUND_HOP:
        made = generate_sound(models, pictures, words, samples=samples, seed=seed, way=way, on_step=on_step)
    else:
        mono, gap = known.mean(0, keepdim=True), (heard, samples)
        made = fill_sound(models, pictures, words, mono, gap, seed=seed, way=way, on_step=on_step)
    return torch.cat((known, made[:, heard:].expand(len(known), -1)), dim=-1)


@torch.no_grad()
def fill_sound(models: SoundModels, pictures: Pictures | None, words: SoundWords, known: Tensor,
               gap: tuple[int, int], *, seed: int, way: SoundWay | None = None,
               on_step: OnStep | None = None) -> Tensor:  # fmt: skip
    """`known` (C, S) with samples gap = (first, last) of each channel made anew; from first = S on it grows longer.

    on_step: called `count_sound_steps` times for each channel, its index going on.  Raises ValueError for a gap that is
    not in the sound, or too little sound.
    """
    (first, last), way, filled = gap, way or SoundWay(), list[Tensor]()
    check_gap(known, first, last)
    samples = max(last, known.shape[-1])
    start, stop, clean = region(samples, first, last, _plan(models, way))
    seen = None if pictures is None else pictures.since(start)
    for number, one in enumerate(known.split(1)):

        def counted(index: int, t: float, x: Tensor, done: int = number * _count(models, clean, way)) -> None:
            if on_step is not None:
                on_step(done + index, t, x)

        latent = remember(models.codec, one, first, last, start, stop)
        latent = _latents(models, seen, words, latent, clean.to(latent.device), seed, way, counted)
        made = torch.cat(list(models.chunks(latent, min(samples, stop * SOUND_HOP) - start * SOUND_HOP)), -1)
        filled.append(join(one.to(made), made[:, first - start * SOUND_HOP :][:, : last - first], first, last))
    return torch.cat(filled)


def lay_sound(made: Tensor, old: Tensor, first: int, *, keep: float, lufs: float) -> Tensor:
    """`old` (C, S) but from sample `first` on `made` (1, s), brought to a loudness with a share `keep` of the old."""
    last = first + made.shape[-1]
    return torch.cat((old[:, :first], levelled(made + keep * old[:, first:last], lufs), old[:, last:]), -1)


@torch.no_grad()
def see_pictures(aligned: AlignedEncoder, frames: Tensor, fps: float) -> Pictures:
    """What the audio model sees of uint8 frames (F, H, W, 3) or (B, F, H, W, 3) at `fps`."""
    return Pictures(aligned.picture_features(frames if frames.ndim == 5 else frames[None]), fps)


def watch_pictures(aligned: AlignedEncoder, batches: Iterable[Tensor], fps: float,
                   on_batch: Callable[[int], None]) -> Pictures:  # fmt: skip
    """`see_pictures` of frames that stream by; on_batch(how many were seen) is called before each batch is looked at.

    Kept in half precision: ten minutes are 40 MB.
    """
    seen, device = list[Tensor](), next(aligned.parameters()).device
    for batch in batches:
        on_batch(sum(map(len, seen)))
        seen.append(see_pictures(aligned, batch.to(device), fps).features[0].half().cpu())
    return Pictures(torch.cat(seen)[None], fps)


def count_sound_steps(models: SoundModels, first: int, last: int, samples: int, way: SoundWay) -> int:
    """How often `on_step` is called while samples first to last of so many are made, of one channel."""
    return _count(models, region(samples, first, last, _plan(models, way))[2], way)


def _count(models: SoundModels, clean: Tensor, way: SoundWay) -> int:
    return count_steps(clean, _plan(models, way), way.steps)


def _plan(models: SoundModels, way: SoundWay) -> Extension:
    return way.plan or Extension.fit(models.audio)


@torch.no_grad()
def _latents(models: SoundModels, pictures: Pictures | None, words: SoundWords, latent: Tensor, clean: Tensor,
             seed: int, way: SoundWay, on_step: OnStep | None) -> Tensor:  # fmt: skip
    text = models.text.encode([words.prompt, words.negative])
    return extend_latents(
        models.audio,
        text[:1],
        text[1:],
        latent,
        clean,
        rng=torch.Generator(latent.device).manual_seed(seed),
        pictures=pictures,
        plan=way.plan,
        steps=way.steps,
        guidance=way.guidance,
        candidates=way.candidates,
        choose=_ranker(models, pictures, words),
        on_step=on_step,
    )


def _ranker(models: SoundModels, pictures: Pictures | None, words: SoundWords) -> Ranker | None:
    """What chooses among candidates of sound whose pictures are counted from its own beginning."""
    if models.scorer is None:
        return None
    described = ". ".join(part for part in (words.effects, words.music_like) if part)
    decoder, music, effects = models.decoder or models.codec, words.music is not False, words.effects is not None
    return Ranker(models.scorer, decoder, described, pictures, music, effects)
