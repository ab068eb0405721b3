"""How the things of a scene move, and when they touch the ground: the physics that pictures and sound share."""

from dataclasses import dataclass, replace

import numpy as np

from mediagen.world.people import BLEND, beats, blend
from mediagen.world.scene import RADIUS, Scene, Thing

GROUND = 0.80  # height of the ground line on which things rest, in picture heights from the top
_LOW_GRAVITY = {"outer space": 0.45}


@dataclass(frozen=True)
class Path:
    """A thing's state at given times, arrays of shape (F,): centre x, y; angle in radians; squash (0 round, 1 flat)."""

    x: np.ndarray
    y: np.ndarray
    angle: np.ndarray
    squash: np.ndarray


PERSON = -1  # in place of a thing's number


@dataclass(frozen=True)
class Contact:
    """One impact: seconds from the start, which thing hits the ground (PERSON: a step, a clap), how hard (0 to 1)."""

    time: float
    thing: int
    strength: float


def gravity(scene: Scene) -> float:
    """In picture heights per second squared."""
    return 4.0 * _LOW_GRAVITY.get(scene.place, 1.0)


def path(scene: Scene, thing: Thing, times: np.ndarray) -> Path:
    """The state of `thing` at `times` (seconds from the start of the clip)."""
    t = np.asarray(times, dtype=np.float64)
    if not thing.turns:
        return _path(scene, thing, t)
    last = thing.turns[-1]
    before = replace(thing, turns=thing.turns[:-1])
    until, rest = replace(scene, seconds=last.time), replace(scene, seconds=scene.seconds - last.time)
    at = float(path(until, before, np.array([last.time])).x[0])
    old, new = path(until, before, t), _path(rest, _after(scene, thing, at), t - last.time)
    if last.motion in _TRAVELS:  # from where it is
        new = replace(new, x=new.x + at - float(_path(rest, _after(scene, thing, at), np.zeros(1)).x[0]))
    share = blend(t, last.time)
    return Path(*(a + (b - a) * share for a, b in zip(_parts(old), _parts(new), strict=True)))


def facing(thing: Thing, times: np.ndarray) -> np.ndarray:
    """Where a thing looks at `times`, (F,): 1 right, -1 left; it turns round in the middle of a change of motion."""
    seen = np.full(len(times), thing.facing, dtype=np.float64)
    for turn in thing.turns:
        seen[times >= turn.time + BLEND / 2] = turn.facing
    return seen


_TRAVELS = ("rolls left", "rolls right", "crosses")


def _after(scene: Scene, thing: Thing, x: float) -> Thing:
    """What a thing is after its last turn, at x."""
    last, margin = thing.turns[-1], 0.12 * scene.aspect
    x = min(max(x, margin), scene.aspect - margin)
    return replace(thing, motion=last.motion, facing=last.facing, phase=last.phase, x=x, turns=())


def _parts(where: Path) -> tuple[np.ndarray, ...]:
    return where.x, where.y, where.angle, where.squash


def _path(scene: Scene, thing: Thing, t: np.ndarray) -> Path:
    """`path` of a thing that does one thing."""
    radius, sign, rate = RADIUS[thing.size], thing.facing, thing.pace
    still = np.zeros_like(t)
    floor = GROUND - radius
    if thing.motion in ("bounces", "falls"):
        height, squash = _ballistic(scene, thing, t)
        drift = 0.06 * sign * t if thing.motion == "bounces" else still
        return Path(thing.x + drift, floor - height, still, squash)
    if thing.motion in ("rolls left", "rolls right"):
        sign = 1 if thing.motion == "rolls right" else -1
        x = 0.5 * scene.aspect + sign * (0.33 * rate * (t - 0.5 * scene.seconds))
        start = 0.5 * scene.aspect - sign * (0.33 * rate * 0.5 * scene.seconds)
        return Path(x, still + floor, (x - start) / radius, still)
    if thing.motion == "crosses":
        x = 0.5 * scene.aspect + sign * (0.34 * rate * (t - 0.5 * scene.seconds))
        if thing.kind in ("car", "boat"):
            return Path(x, floor + 0.008 * np.sin(9 * t + 6 * thing.phase), 0.03 * np.sin(7 * t), still)
        return Path(x, 0.42 + 0.05 * np.sin(2.5 * t + 6.28 * thing.phase), 0.08 * np.cos(2.5 * t), still)
    if thing.motion == "floats up":
        y = floor - 0.05 - 0.22 * rate * t
        return Path(thing.x + 0.03 * np.sin(3 * t + 6.28 * thing.phase), y, 0.15 * np.sin(2 * t), still)
    if thing.motion == "spins":
        return Path(still + thing.x, still + 0.55, sign * 5.0 * rate * t + 6.28 * thing.phase, still)
    if thing.motion == "orbits":
        turn = sign * 3.6 * rate * t + 6.28 * thing.phase
        return Path(0.5 * scene.aspect + 0.22 * np.cos(turn), 0.48 + 0.22 * np.sin(turn), still, still)
    return Path(still + thing.x, still + floor, still, still)


def contacts(scene: Scene) -> list[Contact]:
    """Every impact within the clip, in order of time."""
    found = []
    if scene.person is not None:
        strength = {"jumps": 0.6, "claps": 0.55}.get(scene.person.motion, 0.35)
        found += [Contact(time, PERSON, strength) for time in beats(scene.person, scene.seconds)]
    for index, thing in enumerate(scene.things):
        found += [Contact(time, index, strength) for time, strength in _hits(scene, thing)]
    return sorted(found, key=lambda contact: contact.time)


def _hits(scene: Scene, thing: Thing) -> list[tuple[float, float]]:
    """Times and strengths of a thing's impacts."""
    if thing.turns:
        last = thing.turns[-1]
        until, rest = replace(scene, seconds=last.time), replace(scene, seconds=scene.seconds - last.time)
        later = [(last.time + t, s) for t, s in _hits(rest, _after(scene, thing, thing.x)) if t > BLEND]
        return _hits(until, replace(thing, turns=thing.turns[:-1])) + later
    if thing.motion not in ("bounces", "falls"):
        return []
    series = _impacts(scene, thing, scene.seconds)
    return [(time, min(1.0, speed / 2.2)) for time, speed in series if 0 <= time < scene.seconds]


def _drop(scene: Scene, thing: Thing) -> tuple[float, float, float]:
    """Height of the drop, moment at which it (virtually) began, restitution.

    Impacts may come at any time: a bounce is met anywhere in its flight, and a fall begins early or late in the clip.
    """
    if thing.motion == "bounces":
        height = 0.34 + 0.12 * (7 * thing.phase % 1)  # goes its own way: high bounces may be met at any moment too
        flight = 2 * (2 * height / (gravity(scene) * thing.pace)) ** 0.5
        return height, -flight * thing.phase, 0.86
    return 0.62, 0.75 * scene.seconds * thing.phase - 0.4, 0.25


def _impacts(scene: Scene, thing: Thing, until: float) -> list[tuple[float, float]]:
    """(time, speed) of the impacts up to `until` and one beyond; rebounds slower than 0.12 end the series."""
    g = gravity(scene) * thing.pace
    height, start, restitution = _drop(scene, thing)
    time, speed = start + (2 * height / g) ** 0.5, (2 * height * g) ** 0.5
    series = [(time, speed)]
    while time < until and speed * restitution > 0.12:
        speed *= restitution
        time += 2 * speed / g
        series.append((time, speed))
    return series


def _ballistic(scene: Scene, thing: Thing, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height above the ground and squash at times t, for a thing dropped from rest."""
    g = gravity(scene) * thing.pace
    height, start, restitution = _drop(scene, thing)
    series = _impacts(scene, thing, float(t.max(initial=0.0)))
    since = np.maximum(t - start, 0)
    y = np.maximum(height - 0.5 * g * since**2, 0)
    squash = np.zeros_like(t)
    for time, speed in series:
        rebound = speed * restitution
        rising = t - time
        flight = rebound * rising - 0.5 * g * rising**2
        y = np.where(rising >= 0, np.maximum(flight, 0), y)
        squash = np.maximum(squash, min(1.0, speed / 2.2) * np.exp(-((rising / 0.045) ** 2)))
    return y, squash


def camera(scene: Scene, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The camera's sideways offset (picture heights, for the nearest layer) and zoom factor at `times`."""
    progress = np.asarray(times) / max(scene.seconds, 1e-6) - 0.5
    pan = {"pan left": -0.3, "pan right": 0.3}.get(scene.camera, 0.0) * progress
    zoom = 1.15 + {"zoom in": 0.35, "zoom out": -0.35}.get(scene.camera, 0.0) * progress
    return pan, zoom if scene.camera.startswith("zoom") else np.ones_like(progress)
