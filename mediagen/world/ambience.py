"""The quiet sound of a scene's place and weather."""

import numpy as np

from mediagen.grid import SOUND_RATE
from mediagen.world.scene import Scene
from mediagen.world.sources import chirp
from mediagen.world.tones import Bands, add, curve, level, noise, times

PLACE_RMS = 0.009  # impacts stand at least 15 dB above it
_WEATHER_RMS = {"rain": 0.010, "snow": 0.005, "fog": 0.010}
# Each place: bands of its noise, and the turns per second and depth (0 to 1) of its slow swell.
_NOISE: dict[str, tuple[Bands, float, float]] = {
    "meadow": (((350, 0.8, 1.0),), 1.0, 0.6),
    "room": (((180, 1.0, 1.0), (2500, 1.0, 0.15)), 0.5, 0.1),
    "desert": (((420, 0.45, 1.0), (900, 0.25, 0.4)), 1.5, 0.9),
    "snowy mountains": (((950, 0.25, 1.0), (1500, 0.2, 0.6), (300, 0.6, 0.4)), 1.5, 0.9),
    "seaside": (((500, 1.0, 0.7), (2600, 1.0, 0.7)), 0.6, 0.95),
    "night city": (((90, 0.7, 1.0), (300, 0.7, 0.4)), 0.8, 0.3),
    "forest": (((3600, 0.6, 1.0), (900, 0.8, 0.4)), 3.0, 0.85),
    "outer space": (((70, 0.5, 0.5),), 0.4, 0.2),
}
_RAIN: Bands = ((5200, 0.9, 1.0), (1300, 0.8, 0.4))


def ambience(scene: Scene, samples: int, rng: np.random.Generator) -> np.ndarray:
    """The sound of place, time of day and weather, float32 (samples,), RMS about 0.01."""
    bands, rate, depth = _NOISE[scene.place]
    bed = noise(rng, samples, bands) * (1 - depth + depth * curve(rng, samples, rate))
    extra = _EXTRAS.get("crickets" if scene.place in ("meadow", "forest") and scene.time == "night" else scene.place)
    sound = level(bed if extra is None else level(bed, 1.0) + extra(samples, rng), PLACE_RMS)
    if scene.weather in _WEATHER_RMS:
        sound = sound + level(_weather(scene.weather, samples, rng), _WEATHER_RMS[scene.weather])
    return sound


def _weather(weather: str, samples: int, rng: np.random.Generator) -> np.ndarray:
    if weather == "rain":  # a hiss, and drops too soft to be taken for impacts
        drops = np.zeros(samples, np.float32)
        count = round(160 * samples / SOUND_RATE)
        drops[rng.integers(0, samples, count)] = rng.uniform(2, 10, count)
        tail = np.exp(-times(384) / 0.0015) * np.sin(2 * np.pi * 3000 * times(384))
        size = samples + len(tail)
        patter = np.fft.irfft(np.fft.rfft(drops, size) * np.fft.rfft(tail, size), size)[:samples]
        return noise(rng, samples, _RAIN) + patter.astype(np.float32)
    if weather == "snow":
        return noise(rng, samples, ((2200, 0.5, 1.0),)) * (0.6 + 0.4 * curve(rng, samples, 1))
    horn = _tones(
        samples, ((116.5, 0.8), (233, 0.7), (349.5, 0.6), (582, 0.4), (932, 0.2))
    )  # fog: a far horn that swells
    return horn * np.minimum(1, times(samples) / 0.6) + 0.5 * noise(rng, samples, ((250, 0.6, 1.0),))


def _birds(samples: int, rng: np.random.Generator) -> np.ndarray:
    sound = np.zeros(samples, np.float32)
    for start in rng.uniform(0, samples / SOUND_RATE, max(1, round(samples / SOUND_RATE))):
        add(sound, 2.5 * chirp(rng, rng.uniform(3200, 5200)), round(start * SOUND_RATE))
    return sound


def _crickets(samples: int, rng: np.random.Generator) -> np.ndarray:
    time = times(samples)
    trill = (0.5 + 0.5 * np.sin(2 * np.pi * 28 * time)) ** 2
    song = np.clip(4 * np.sin(2 * np.pi * (1.7 * time + rng.random())) + 1, 0, 1)
    return 2.0 * np.sin(2 * np.pi * rng.uniform(4100, 4600) * time) * trill * song


def _hum(samples: int, rng: np.random.Generator) -> np.ndarray:
    return _tones(samples, ((50, 0.5), (100, 1.0), (150, 0.5), (200, 0.3)))


def _drone(samples: int, rng: np.random.Generator) -> np.ndarray:
    low = rng.uniform(50, 60)
    return _tones(samples, ((low, 1.0), (1.502 * low, 0.8), (2.01 * low, 0.6), (3.005 * low, 0.3)))


def _tones(samples: int, tones: tuple[tuple[float, float], ...]) -> np.ndarray:
    sound, time = np.zeros(samples, np.float32), times(samples)
    for hz, gain in tones:
        sound += gain * np.sin(2 * np.pi * hz * time + hz)
    return sound


_EXTRAS = {"meadow": _birds, "crickets": _crickets, "room": _hum, "outer space": _drone}
