"""Stretches: what the clips that the audio model learns from are made of, what is heard of them and how it is told."""

from dataclasses import dataclass

import numpy as np

from mediagen.audio.conditions import LATENT_RATE, sound_prompt
from mediagen.audio.train.mixes import film_prompt, takes_of
from mediagen.world.film import Film


@dataclass(frozen=True)
class Stretch:
    """A stretch of a cached clip that belongs together: `length` latent frames from `first` on of clip `row`.

    film: that it is; None where the clip comes from a folder.
    """

    row: int
    first: int
    length: int
    film: Film | None


def sounds_of_takes(films: list[Film]) -> np.ndarray:
    """The takes of films one after another, float32 (T, S), as an array that can travel between processes."""
    return np.concatenate([[take.sound(film)[0].numpy() for take in takes_of(film)] for film in films], -1)


def stretch_prompts(count: int, takes: int, captions: list[str], stretches: list[Stretch], index: int) -> list[str]:
    """`count` prompts for the whole of stretch number index // takes, as its take number index % takes is heard."""
    rng = np.random.default_rng((index, 31))
    return [stretch_prompt(captions, stretches[index // takes], index % takes, rng) for _ in range(count)]


def cuts(stretch: Stretch) -> list[int]:
    """Latent frames of a stretch at which its shots begin."""
    return [0] if stretch.film is None else [round(start * LATENT_RATE) for start in stretch.film.starts()]


def stretch_prompt(
    captions: list[str],
    stretch: Stretch,
    take: int,
    rng: np.random.Generator,
    start: float = 0.0,
    seconds: float | None = None,
) -> str:
    """A prompt for the window of a stretch that begins at second `start`, as take number `take` is heard."""
    if stretch.film is None:
        return sound_prompt(captions[stretch.row])
    return film_prompt(stretch.film, takes_of(stretch.film)[take], rng, start, seconds)
