"""What the things of a scene sound like, computed from the same motion that is drawn."""

from dataclasses import dataclass

import numpy as np

from mediagen.grid import SOUND_RATE
from mediagen.world.motion import Contact, path
from mediagen.world.scene import Scene, Thing
from mediagen.world.tones import Bands, add, curve, glide, modes, noise, spread, times

_PITCH = {"small": 1.35, "medium": 1.0, "large": 0.74}  # large things sound lower
_CONTROL = 200  # points per second at which a path is sampled before it is spread over the samples


@dataclass(frozen=True)
class Material:
    """Modal sound of a struck thing: frequencies (Hz, for medium size), decay times (s) and gains of its modes; click
    is how much of a short noise of band `click_hz` the blow adds; body is its band of noise while it rolls."""

    name: str
    hz: tuple[float, ...]
    seconds: tuple[float, ...]
    gains: tuple[float, ...]
    click: float
    click_hz: float
    body: Bands


MATERIALS: dict[str, Material] = {
    "ball": Material("rubber", (150, 292, 470, 810), (0.09, 0.06, 0.04, 0.02), (1.0, 0.55, 0.3, 0.2), 0.30, 900,
                     ((170, 0.7, 1.0), (700, 0.6, 0.35))),
    "cube": Material("wood", (430, 1130, 1870, 2960), (0.055, 0.04, 0.028, 0.018), (1.0, 0.7, 0.5, 0.3), 0.45, 2500,
                     ((420, 0.6, 1.0),)),
    "star": Material("glass", (1870, 3140, 4730, 7020, 9400), (0.34, 0.26, 0.18, 0.10, 0.06),
                     (0.8, 0.7, 0.5, 0.35, 0.2), 0.35, 7000, ((2500, 0.6, 1.0),)),
    "ring": Material("metal", (720, 726, 1985, 3890, 6430), (0.45, 0.42, 0.30, 0.20, 0.12), (0.6, 0.5, 0.6, 0.4, 0.25),
                     0.35, 5000, ((320, 0.6, 0.8), (1985, 0.12, 0.7), (3890, 0.1, 0.4))),
    "triangle": Material("ceramic", (980, 2350, 2610, 5200), (0.12, 0.09, 0.07, 0.04), (0.9, 0.6, 0.5, 0.3), 0.40, 4000,
                         ((1100, 0.6, 1.0),)),
    "car": Material("tin", (236, 531, 872, 1373, 2110, 3307), (0.16, 0.13, 0.11, 0.09, 0.07, 0.05),
                    (0.8, 0.7, 0.6, 0.5, 0.4, 0.3), 0.60, 3000, ((300, 0.8, 1.0),)),
    "boat": Material("hollow wood", (148, 331, 612, 1240), (0.13, 0.09, 0.06, 0.03), (1.0, 0.7, 0.4, 0.25), 0.35, 1500,
                     ((250, 0.8, 1.0),)),
    "bird": Material("feather", (240, 410), (0.03, 0.02), (0.5, 0.3), 0.8, 2200, ((900, 0.8, 1.0),)),
    "fish": Material("water", (320, 540, 910), (0.05, 0.04, 0.02), (0.7, 0.4, 0.3), 1.0, 1800, ((800, 1.0, 1.0),)),
    "rocket": Material("steel", (181, 623, 1310, 2890), (0.32, 0.25, 0.18, 0.10), (0.9, 0.7, 0.5, 0.35), 0.5, 3500,
                       ((300, 0.8, 1.0),)),
}  # fmt: skip


def source_class(thing: Thing) -> str:
    """The one class of `SOUND_CLASSES` that a thing's own sound belongs to; "ambience" for a thing that makes none."""
    if thing.motion in ("bounces", "falls"):
        return "impact"
    if thing.kind == "car":
        return "engine"  # a resting car idles
    if thing.motion == "rests":
        return "ambience"
    by_kind = {"bird": "wings", "fish": "water", "rocket": "roar"}
    if thing.kind == "boat" and thing.motion == "crosses":
        return "water"
    by_motion = {"rolls left": "roll", "rolls right": "roll", "spins": "whirr", "orbits": "whoosh", "floats up": "rise"}
    return by_kind.get(thing.kind) or by_motion[thing.motion]


def source(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    """The sound of one thing alone, float32 (samples,); `hits` are the contacts of this thing."""
    kind = source_class(thing)
    return np.zeros(samples, np.float32) if kind == "ambience" else _VOICES[kind](scene, thing, hits, samples, rng)


def _impacts(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    sound = np.zeros(samples, np.float32)
    if thing.motion == "falls" and hits:
        _whistle(sound, thing, round(hits[0].time * SOUND_RATE))
    for hit in hits:
        add(sound, strike(thing, hit.strength, rng), round(hit.time * SOUND_RATE))
    return sound


def _whistle(sound: np.ndarray, thing: Thing, end: int) -> None:
    """A soft slide-whistle down to the moment of impact."""
    length = min(end, round(0.5 * SOUND_RATE))
    progress = np.linspace(0, 1, max(length, 1), dtype=np.float32)[:length]
    tone = np.sin(glide(_PITCH[thing.size] * 1500 * 2 ** (-1.3 * progress)))
    add(sound, 0.07 * tone * np.sin(np.pi * progress) ** 2, end - length)


def strike(thing: Thing, strength: float, rng: np.random.Generator) -> np.ndarray:
    """One blow on a thing, float32, up to 1.2 s: its material's modes at its size's pitch, a click, a 1.5 ms attack.

    Weak blows (strength near 0) are duller and quieter but stay clearly audible.
    """
    material = MATERIALS[thing.kind]
    hz = np.array(material.hz) * _PITCH[thing.size] * rng.uniform(0.985, 1.015)
    seconds = np.array(material.seconds) / np.sqrt(_PITCH[thing.size])
    bright = np.array(material.gains) * (0.45 + 0.55 * strength) ** np.arange(len(hz))
    samples = min(round(6 * max(seconds) * SOUND_RATE), round(1.2 * SOUND_RATE))
    ring = modes(samples, hz, seconds, bright / bright.sum(), rng.uniform(-0.4, 0.4, len(hz)))
    click = noise(rng, 1920, ((material.click_hz, 0.9, 1.0),)) * np.exp(-times(1920) / 0.004)
    ring[: min(1920, samples)] += 0.45 * material.click * click[:samples]
    attack = round(0.0015 * SOUND_RATE)
    ring[:attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    return (0.22 + 0.55 * strength) * ring / max(float(np.abs(ring).max()), 1e-9)


def _state(scene: Scene, thing: Thing, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Control times (K,) and the thing's x, y and angle there."""
    at = np.linspace(0, samples / SOUND_RATE, max(2, round(samples / SOUND_RATE * _CONTROL)))
    where = path(scene, thing, at)
    return at, where.x, where.y, where.angle


def _nearness(scene: Scene, x: np.ndarray) -> np.ndarray:
    """How loud a passing thing is at x: 1 in the middle of the picture, falling to both sides."""
    return 1 / (1 + (np.abs(x - 0.5 * scene.aspect) / (0.35 * scene.aspect)) ** 2)


def _roll(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    at, x, _, angle = _state(scene, thing, samples)
    bumps = 0.2 + 0.8 * np.cos(5 * angle + rng.uniform(0, 6.28)) ** 2  # ten soft bumps a turn, at the rotation's rate
    body = noise(rng, samples, MATERIALS[thing.kind].body)
    return 0.16 * body * spread(samples, at, bumps * _nearness(scene, x))


def _engine(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    at, x, _, _ = _state(scene, thing, samples)
    moving = thing.motion == "crosses"
    wobble = 1 + (0.015 if moving else 0.04) * (2 * curve(rng, samples, 8) - 1)
    nearer = spread(samples, at, -np.gradient(np.abs(x - 0.5 * scene.aspect), at))
    hz = (78 if moving else 44) * _PITCH[thing.size] * thing.pace * wobble * (1 + 0.12 * nearer)  # a toy-sized Doppler
    turn = glide(hz)
    buzz = np.zeros(samples, np.float32)
    for k, gain in enumerate((1, 0.9, 0.5, 0.8, 0.4, 0.5, 0.3), 1):
        buzz += gain / k**0.6 * np.sin(k * turn + k * k)
    puff = noise(rng, samples, ((1200, 0.8, 1.0),)) * (0.5 + 0.5 * np.sin(turn)) ** 3
    sound = (0.10 if moving else 0.06) * (buzz + 0.5 * puff)
    return sound * spread(samples, at, _nearness(scene, x)) if moving else sound


def _whirr(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    at, _, _, angle = _state(scene, thing, samples)
    beat = spread(samples, at, (0.5 + 0.5 * np.cos(8 * angle)) ** 1.5)  # eight blades
    hz = _PITCH[thing.size] * thing.pace * (520 + 60 * beat)
    tone = np.sin(glide(hz)) + 0.5 * np.sin(2 * glide(hz)) + 0.25 * np.sin(3 * glide(hz))
    air = noise(rng, samples, ((2600 * _PITCH[thing.size], 0.6, 1.0),))
    return (0.10 * tone + 0.10 * air) * (0.12 + 0.88 * beat)


def _whoosh(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    at, _, y, _ = _state(scene, thing, samples)
    near = spread(samples, at, (y - 0.48) / 0.22)  # 1 at the lowest, nearest point of the circle, -1 at the far one
    pitch = _PITCH[thing.size]
    low, high = (noise(rng, samples, ((hz * pitch, 0.45, 1.0),)) for hz in (420, 1500))
    return 0.30 * np.exp(2.6 * (near - 1)) * (low * (1 - near) / 2 + high * (1 + near) / 2)


def _rise(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    at, _, y, _ = _state(scene, thing, samples)
    hz = spread(samples, at, 330 * _PITCH[thing.size] * 2 ** (2.2 * (y[0] - y)))
    vibrato = 1 + 0.008 * np.sin(2 * np.pi * 5.5 * times(samples))
    tone = np.zeros(samples, np.float32)
    for ratio, gain in ((1, 1.0), (1.5, 0.5), (2.003, 0.35)):
        tone += gain * np.sin(glide(ratio * hz * vibrato))
    air = noise(rng, samples, ((4200, 0.6, 1.0),))
    swell = np.minimum(1, times(samples) / 0.25)
    return (0.11 * tone + 0.025 * air) * swell


def _wings(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    time = times(samples)
    beat = (0.5 + 0.5 * np.sin(2 * np.pi * (7 / _PITCH[thing.size] ** -0.5 * thing.pace * time + thing.phase))) ** 4
    sound = 0.14 * noise(rng, samples, ((900, 0.8, 1.0),)) * beat
    for start in np.arange(0.3 + 0.3 * thing.phase, samples / SOUND_RATE, 0.9):
        add(sound, 0.22 * chirp(rng, 3200 * _PITCH[thing.size]), round(start * SOUND_RATE))
    return sound


def chirp(rng: np.random.Generator, hz: float) -> np.ndarray:
    """A bird's call of two to four syllables, float32, peak 1."""
    progress = np.linspace(0, 1, round(0.09 * SOUND_RATE), dtype=np.float32)
    bend, syllables = rng.uniform(-0.35, 0.35), int(rng.integers(2, 5))
    syllable = np.sin(glide(hz * rng.uniform(0.85, 1.15) * 2 ** (bend * progress))) * np.sin(np.pi * progress) ** 2
    return np.tile(np.pad(syllable, (0, round(0.03 * SOUND_RATE))), syllables).astype(np.float32)


def _water(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    at, x, _, _ = _state(scene, thing, samples)
    sound = 0.07 * noise(rng, samples, ((700, 0.9, 1.0), (2600, 0.6, 0.5))) * (0.3 + 0.7 * curve(rng, samples, 5))
    for start in rng.uniform(0, samples / SOUND_RATE, round(9 * samples / SOUND_RATE)):  # bubbles: short rising sines
        progress = np.linspace(0, 1, round(0.05 * SOUND_RATE), dtype=np.float32)
        bubble = np.sin(glide(rng.uniform(350, 900) * 2 ** (0.8 * progress))) * np.sin(np.pi * progress) ** 2
        add(sound, 0.16 * bubble, round(start * SOUND_RATE))
    if thing.kind == "boat":  # the chug of its motor: four soft strokes a second
        stroke = (0.5 + 0.5 * np.sin(2 * np.pi * 6 * thing.pace * times(samples))) ** 3
        sound += 0.20 * noise(rng, samples, ((120, 0.5, 1.0), (420, 0.4, 0.4))) * stroke
    return sound * spread(samples, at, _nearness(scene, x)) if thing.motion == "crosses" else sound


def _roar(scene: Scene, thing: Thing, hits: list[Contact], samples: int, rng: np.random.Generator) -> np.ndarray:
    at, x, _, _ = _state(scene, thing, samples)
    bands = ((110 * _PITCH[thing.size], 1.0, 1.0), (900, 1.3, 0.5))
    crackle = 0.7 + 0.6 * curve(rng, samples, 40)
    sound = 0.15 * noise(rng, samples, bands) * crackle
    return sound * spread(samples, at, 0.4 + 0.6 * _nearness(scene, x))


_VOICES = {
    "impact": _impacts, "roll": _roll, "engine": _engine, "whirr": _whirr, "whoosh": _whoosh, "rise": _rise,
    "wings": _wings, "water": _water, "roar": _roar,
}  # fmt: skip
