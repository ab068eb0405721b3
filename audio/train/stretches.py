"""Stretches: what the clips that the audio model learns from are made of, what is heard of them and how it is told."""

from dataclasses import dataclass

import numpy as np

from mediagen.audio.conditions import LATENT_RATE, sound_prompt
from mediagen.audio.train.mixes import film_prompt, mixes_of
from mediagen.world.film import Reel


@dataclass(frozen=True)
class Stretch:
    """A stretch of a cached clip that belongs together: `length` latent frames from `first` on of clip `row`.

    film: that it is; None where the clip comes from a folder.
    """

    row: int
    first: int
    length: int
    film: Reel | None


def sounds_of_mixes(films: list[Reel]) -> np.ndarray:
    """The mixes of films one after another, float32 (T, S), as an array that can travel between processes."""
    return np.concatenate([[mix.sound(film)[0].numpy() for mix in mixes_of(film)] for film in films], -1)


def stretch_prompts(count: int, mixes: int, captions: list[str], stretches: list[Stretch], index: int) -> list[str]:
    """`count` prompts for the whole of stretch number index // mixes, as its mix number index % mixes is heard."""
    rng = np.random.default_rng((index, 31))
    return [stretch_prompt(captions, stretches[index // mixes], index % mixes, rng) for _ in range(count)]


def cuts(stretch: Stretch) -> list[int]:
    """Latent frames of a stretch at which its shots begin."""
    return [0] if stretch.film is None else [round(start * LATENT_RATE) for start in stretch.film.starts()]


def stretch_prompt(
    captions: list[str],
    stretch: Stretch,
    mix: int,
    rng: np.random.Generator,
    start: float = 0.0,
    seconds: float | None = None,
) -> str:
    """A prompt for the window of a stretch that begins at second `start`, as mix number `mix` is heard."""
    if stretch.film is None:
        return sound_prompt(captions[stretch.row])
    return film_prompt(stretch.film, mixes_of(stretch.film)[mix], rng, start, seconds)
