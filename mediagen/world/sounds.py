"""The sound of a scene: 48 kHz, exactly in time with the pictures, because both come from the same motion."""

import numpy as np
import torch

from mediagen.grid import SOUND_RATE
from mediagen.world.ambience import ambience as place_sound
from mediagen.world.motion import PERSON, contacts
from mediagen.world.music import music as music_bed
from mediagen.world.scene import Scene
from mediagen.world.sources import source, source_class
from mediagen.world.voices import voice

SOUND_CLASSES = (
    "ambience",
    "impact",
    "roll",
    "engine",
    "whirr",
    "whoosh",
    "rise",
    "wings",
    "water",
    "roar",
    "steps",
    "claps",
    "hum",
)
_VOICES = {"walks left": "steps", "walks right": "steps", "jumps": "steps", "claps": "claps", "hums": "hum"}
_PEAK = 0.95


def samples_of(scene: Scene) -> int:
    """Samples of 48 kHz sound that a scene lasts."""
    return round(scene.frames / scene.fps * SOUND_RATE)


def synthesise(scene: Scene, *, effects: bool = True, ambience: bool = True, music: bool = True) -> torch.Tensor:
    """The sound of a scene, float32 (1, S) at 48 kHz with |x| <= 0.95, deterministic.

    Impacts start exactly at the times of `contacts(scene)`. The three switches leave out layers; what remains is the
    same, sample for sample, and the layers add up to the whole (unless the whole had to be turned down to the peak).
    """
    samples = samples_of(scene)
    sound = effects_of(scene, samples) if effects else np.zeros(samples, np.float32)
    if ambience:
        sound += place_sound(scene, samples, _rng(scene, 0))
    if music and scene.mood is not None:
        sound += music_bed(scene.mood, samples, _rng(scene, 1))
    return to_peak(sound)


def effects_of(scene: Scene, samples: int) -> np.ndarray:
    """What the things of a scene sound like, float32 (samples,); longer than the scene, it lets them ring on."""
    sound, hits = np.zeros(samples, np.float32), contacts(scene)
    for index, thing in enumerate(scene.things):
        own = [hit for hit in hits if hit.thing == index]
        sound += source(scene, thing, own, samples, _rng(scene, 2 + index))
    if scene.person is not None:
        own = [hit for hit in hits if hit.thing == PERSON]
        sound += voice(scene.person, scene.place, own, samples, _rng(scene, 9))
    return sound


def to_peak(sound: np.ndarray) -> torch.Tensor:
    """Sound (S,) as a tensor (1, S), turned down where it would exceed 0.95."""
    peak = float(np.abs(sound).max(initial=0.0))
    return torch.from_numpy(sound * np.float32(min(1.0, _PEAK / max(peak, 1e-9))))[None]


def foreground_class(scene: Scene) -> str:
    """The class in `SOUND_CLASSES` of what the clip is about; "ambience" where it makes no sound."""
    if scene.person is not None:
        return _VOICES.get(scene.person.motion, "ambience")
    return source_class(scene.things[0])


def _rng(scene: Scene, layer: int) -> np.random.Generator:
    # The phase tells apart scenes of different splits that have the same number.
    phase = round(scene.subject.phase * 2**32)
    return np.random.default_rng((scene.seed, phase, layer))
