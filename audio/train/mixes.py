"""Mixes: which layers of a film's sound a training sample is asked for, how well recorded, and in which words."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mediagen.audio.conditions import sound_prompt
from mediagen.world.film import Reel, film_sound
from mediagen.world.scene import Scene
from mediagen.world.words import caption, music_caption, sound_caption


@dataclass(frozen=True)
class Mix:
    """One recording of a film's sound.

    effects: of things, place and weather.  music: of the bed, if the film has one.  quality: 0 to 10, as prompts tell
    it; below 6 there is hiss and clipping.
    """

    effects: bool = True
    music: bool = True
    quality: float = 8.0

    def sound(self, film: Reel) -> Tensor:
        """Float32 (1, S) at 48 kHz, deterministic."""
        sound = film_sound(film, effects=self.effects, ambience=self.effects, music=self.music)
        if self.quality >= 6:
            return sound
        rng = torch.Generator().manual_seed(film.seed)
        loud = sound.abs().max().clamp_min(1e-3)
        hiss = torch.randn(sound.shape, generator=rng) * loud * 10 ** (-(6 + 5 * self.quality) / 20)
        worst = loud * (0.3 + 0.1 * self.quality)
        return (sound + hiss).clamp(-worst, worst)


EFFECTS = Mix(music=False)


SHARES = (0.5, 0.25, 0.15, 0.1)  # how often training hears each of `mixes_of`


def mixes_of(film: Reel) -> tuple[Mix, ...]:
    """What training hears of a film with a bed: effects alone, all, music alone, and one of the three ill recorded.

    The same pictures under several sounds, so that nothing but the words can say which layers are asked for.
    """
    rng = np.random.default_rng((film.seed, 29))
    kinds = (EFFECTS, Mix(), Mix(effects=False))
    clean = [replace(mix, quality=round(float(rng.uniform(6.5, 9.5)), 1)) for mix in kinds]
    return (*clean, replace(kinds[int(rng.integers(3))], quality=round(float(rng.uniform(1, 5)), 1)))


def film_prompt(
    film: Reel, mix: Mix, rng: np.random.Generator, start: float = 0.0, seconds: float | None = None
) -> str:
    """A prompt as a person could give for `mix` of the film from second `start` on.

    1 in 8 leaves the effects to the pictures. The music, or that there is none, is told apart in 7 of 10; in the others
    music is only mentioned, and none means none.
    """
    told, music = film_words(film, mix, rng, start, seconds)
    if not mix.effects:
        return sound_prompt(None, music, quality=mix.quality)
    left = rng.random() < 0.125
    if left or rng.random() < 0.7:
        return sound_prompt("" if left else ". ".join(told), music, quality=mix.quality)
    return sound_prompt(". ".join(filter(None, (*told, music))), quality=mix.quality)


def film_words(
    film: Reel, mix: Mix, rng: np.random.Generator, start: float = 0.0, seconds: float | None = None
) -> tuple[list[str], str]:
    """What is told of the effects of `mix`, in parts, and of its music; nothing of what is not in it.

    4 in 10 tell what is seen, as when a film's own prompt is used, 4 what is heard, 2 both.
    """
    shots = _shots(film, start, film.frames / film.fps if seconds is None else start + seconds)
    music = music_caption(replace(shots[0], mood=film.mood if mix.music else None), rng)
    roll = rng.random() if mix.effects else 1.0
    told = [caption(shots[0], rng)] if roll < 0.6 else []
    told += [sound_caption(shot, rng) for shot in shots[:2]] if 0.4 <= roll < 1 else []
    return [part.rstrip(".") for part in told], music.rstrip(".")


def _shots(film: Reel, start: float, end: float) -> list[Scene]:
    """The shots that fill at least a second of the time from `start` to `end`, or else the one that fills most."""
    firsts = film.starts()
    lasts = [*firsts[1:], film.frames / film.fps]
    filled = [min(last, end) - max(first, start) for first, last in zip(firsts, lasts, strict=True)]
    shots = [shot for shot, time in zip(film.shots, filled, strict=True) if time >= 1]
    return shots or [film.shots[int(np.argmax(filled))]]
