"""A scene's music bed: a few soft chords in its mood."""

import numpy as np

from mediagen.grid import SOUND_RATE
from mediagen.world.tones import add, level, times

MUSIC_RMS = 0.03
# Per mood: seconds per chord, seconds of attack, and the chords as semitones above the key note.
_CHORDS: dict[str, tuple[float, float, tuple[tuple[int, ...], ...]]] = {
    "happy": (0.5, 0.06, ((0, 4, 7, 12), (5, 9, 12, 17), (7, 11, 14, 19), (0, 4, 7, 12))),
    "calm": (2.0, 0.40, ((0, 7, 11, 16), (-3, 4, 7, 12))),
    "tense": (1.0, 0.20, ((-12, 0, 1, 6), (-12, -1, 3, 6))),
}


def music(mood: str, samples: int, rng: np.random.Generator) -> np.ndarray:
    """The bed of a mood ("happy", "calm", "tense"), float32 (samples,), RMS 0.03; the key is drawn from `rng`."""
    seconds, attack, chords = _CHORDS[mood]
    key = 261.6 * 2 ** (int(rng.integers(-4, 4)) / 12)
    sound = np.zeros(samples, np.float32)
    length = round(seconds * SOUND_RATE)
    time = times(round((seconds + 0.15) * SOUND_RATE))
    shape = np.minimum(1, time / attack) * np.clip((seconds + 0.15 - time) / 0.15, 0, 1)
    if mood == "happy":
        shape *= np.exp(-2.5 * time)
    if mood == "tense":
        shape *= 0.65 + 0.35 * np.sin(2 * np.pi * 9 * time)
    for number in range(-(-samples // length)):
        chord = np.zeros(len(time), np.float32)
        for semitone in chords[number % len(chords)]:
            turn = 2 * np.pi * key * 2 ** (semitone / 12) * time
            chord += np.sin(turn) + 0.3 * np.sin(2 * turn) + 0.12 * np.sin(3 * turn)
        add(sound, chord * shape, number * length)
    return level(sound, MUSIC_RMS)
