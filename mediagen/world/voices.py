"""What people sound like: steps, landing feet, claps and humming without words, in time with what they do."""

import numpy as np

from mediagen.grid import SOUND_RATE
from mediagen.world.motion import Contact
from mediagen.world.people import Person
from mediagen.world.tones import Bands, add, glide, noise, times

# Of the ground under a foot: the thump and the rustle, each a band of noise.
_GROUNDS: dict[str, Bands] = {
    "room": ((180, 0.5, 1.0), (1400, 0.5, 0.5)),
    "night city": ((220, 0.5, 1.0), (2200, 0.5, 0.6)),
    "snowy mountains": ((300, 0.7, 0.5), (3200, 0.8, 1.0)),
    "seaside": ((260, 0.7, 0.7), (2600, 0.9, 0.8)),
    "desert": ((240, 0.7, 0.7), (2300, 0.9, 0.8)),
}
_SOFT: Bands = ((170, 0.6, 1.0), (1100, 0.8, 0.4))  # grass, leaves, dust
_TUNE = (0, 2, 4, 7, 4, 2)  # semitones of a hummed tune


def voice(person: Person, place: str, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    """The sound of one person, float32 (samples,); `hits` are the person's contacts."""
    sound = np.zeros(samples, np.float32)
    for hit in hits:
        blow = _clap(rng) if person.motion == "claps" else _step(rng, place, person.motion == "jumps")
        add(sound, hit.strength * blow, round(hit.time * SOUND_RATE))
    return _hum(person, samples) if person.motion == "hums" else sound


def _step(rng: np.random.Generator, place: str, landing: bool) -> np.ndarray:
    length = round(0.16 * SOUND_RATE)
    blow = noise(rng, length, _GROUNDS.get(place, _SOFT)) * np.exp(-times(length) / (0.030 if landing else 0.018))
    attack = round(0.001 * SOUND_RATE)
    blow[:attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    return blow / max(float(np.abs(blow).max()), 1e-9)


def _clap(rng: np.random.Generator) -> np.ndarray:
    length = round(0.09 * SOUND_RATE)
    blow = noise(rng, length, ((1150, 0.5, 1.0), (2400, 0.6, 0.7))) * np.exp(-times(length) / 0.009)
    return blow / max(float(np.abs(blow).max()), 1e-9)


def _hum(person: Person, samples: int) -> np.ndarray:
    at = times(samples)
    base = {"child": 330.0, "adult": 235.0, "old": 215.0}[person.identity.age] * (
        1.0 if person.identity.woman else 0.62
    )
    note = np.asarray(_TUNE)[((at * 1.6 * person.pace + 6 * person.phase).astype(int)) % len(_TUNE)]
    smooth = round(0.05 * SOUND_RATE)  # the voice glides from note to note
    note = np.convolve(np.pad(note.astype(np.float32), smooth, mode="edge"), np.ones(smooth) / smooth, "same")
    hz = base * 2 ** (note[smooth:-smooth] / 12) * (1 + 0.006 * np.sin(2 * np.pi * 5.2 * at))
    tone = sum(gain * np.sin(glide(ratio * hz)) for ratio, gain in ((1, 1.0), (2, 0.32), (3, 0.12)))
    swell = np.minimum(1, at / 0.15) * (0.75 + 0.25 * np.sin(2 * np.pi * 1.6 * person.pace * at) ** 2)
    return (0.16 * tone * swell).astype(np.float32)
