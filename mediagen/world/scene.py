"""Scene: what happens in one clip, as pure data drawn from a seed."""

from dataclasses import dataclass

import numpy as np

PLACES = ("meadow", "room", "desert", "snowy mountains", "seaside", "night city", "forest", "outer space")
KINDS = ("ball", "cube", "star", "ring", "triangle", "car", "boat", "bird", "fish", "rocket")
COLOURS = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "white", "black")
SIZES = ("small", "medium", "large")
MOTIONS = ("bounces", "rolls left", "rolls right", "falls", "floats up", "spins", "orbits", "crosses", "rests")
WEATHERS = ("clear", "rain", "snow", "fog")
TIMES = ("day", "night")
CAMERAS = ("still", "pan left", "pan right", "zoom in", "zoom out")
STYLES = ("plain", "outlined", "soft")
MOODS = ("happy", "calm", "tense")

# What suits which thing. Rolling needs something round, crossing needs something that drives, sails, flies or swims.
_TOYS = ("bounces", "falls", "floats up", "spins", "orbits", "rests")
SUITS: dict[str, tuple[str, ...]] = {
    "ball": ("bounces", "rolls left", "rolls right", "falls", "floats up", "orbits", "rests"),
    "cube": _TOYS,
    "star": _TOYS,
    "ring": (*_TOYS, "rolls left", "rolls right"),
    "triangle": _TOYS,
    "car": ("crosses", "falls", "bounces", "rests"),
    "boat": ("crosses", "floats up", "spins", "rests"),
    "bird": ("crosses", "orbits", "floats up", "rests"),
    "fish": ("crosses", "orbits", "floats up", "bounces"),
    "rocket": ("crosses", "floats up", "falls", "orbits", "spins"),
}
SIMPLE_KINDS = KINDS[:6]
# Pairs in which a thing would not stand out from its place, left out so that every caption can be checked by eye.
UNSEEN = frozenset({("white", "snowy mountains"), ("black", "outer space"), ("black", "night city")})
RADIUS = {"small": 0.09, "medium": 0.14, "large": 0.19}  # of the picture's height
SPLITS = ("train", "validation", "test", "held-out")


@dataclass(frozen=True)
class Thing:
    """One thing of a scene. Lengths are in picture heights; `x` runs from 0 (left) to the aspect ratio."""

    kind: str
    colour: str
    size: str
    motion: str
    x: float  # where it is, or starts, or circles
    pace: float  # 0.85 .. 1.15, scales its speed
    phase: float  # 0 .. 1, where in its motion it starts
    facing: int  # 1 moves or looks right, -1 left


@dataclass(frozen=True)
class Scene:
    """Everything that a clip shows and sounds like. Two equal scenes make equal clips, byte for byte."""

    seed: int
    place: str
    things: tuple[Thing, ...]
    weather: str
    time: str
    camera: str
    style: str
    mood: str | None  # of the music bed; None for no music
    seconds: float
    fps: float
    aspect: float  # width / height

    @property
    def frames(self) -> int:
        return max(1, round(self.seconds * self.fps))


def is_held_out(kind: str, colour: str, place: str) -> bool:
    """Whether the triple is kept out of training: about one in sixteen, fixed for ever."""
    index = (KINDS.index(kind) * len(COLOURS) + COLOURS.index(colour)) * len(PLACES) + PLACES.index(place)
    return (index * 2_654_435_761 % 2**32) >> 28 == 0


def draw_scene(
    seed: int,
    split: str = "train",
    difficulty: str = "simple",
    *,
    seconds: float = 2.0,
    fps: float = 16.0,
    aspect: float = 1.0,
) -> Scene:
    """The scene number `seed` of a split. Splits share no random state; "held-out": only triples that training lacks.

    difficulty "simple" is what a CPU can learn from scratch: one medium or large thing of six shapes, plain style,
    clear weather, still camera. "full" is everything.
    """
    if split not in SPLITS or difficulty not in ("simple", "full"):
        raise ValueError(
            f"got split '{split}' and difficulty '{difficulty}'; "
            f"expected one of {', '.join(SPLITS)}, and simple or full."
        )
    rng = np.random.default_rng((seed, SPLITS.index(split), difficulty == "full"))
    full = difficulty == "full"
    while True:
        place = _pick(rng, PLACES)
        first = _draw_thing(rng, full, aspect)
        held_out = is_held_out(first.kind, first.colour, place)
        if (first.colour, place) in UNSEEN or (held_out if split in ("train", "validation") else False):
            continue
        if split == "held-out" and not held_out:
            continue
        break
    things = [first]
    if full and rng.random() < 0.25:
        for _ in range(20):
            second = _draw_thing(rng, full, aspect)
            apart = abs(second.x - first.x) > 0.35 * aspect and second.colour != first.colour
            clear = (second.colour, place) not in UNSEEN and not is_held_out(second.kind, second.colour, place)
            if apart and clear:
                things.append(second)
                break
    return Scene(
        seed=seed,
        place=place,
        things=tuple(things),
        weather=_pick(rng, WEATHERS, _WEATHER_SHARES) if full and place not in _INDOORS else "clear",
        time=_draw_time(rng, place, first.colour),
        camera=_pick(rng, CAMERAS, _CAMERA_SHARES) if full else "still",
        style=_pick(rng, STYLES) if full else "plain",
        mood=_pick(rng, MOODS) if rng.random() < 0.25 else None,
        seconds=seconds,
        fps=fps,
        aspect=aspect,
    )


_INDOORS = ("room", "outer space")
_WEATHER_SHARES, _CAMERA_SHARES = (0.55, 0.15, 0.15, 0.15), (0.4, 0.15, 0.15, 0.15, 0.15)


def _pick(rng: np.random.Generator, names: tuple[str, ...], shares: tuple[float, ...] | None = None) -> str:
    """What rng.choice(names, p=shares) gives, from the same random numbers, without making arrays of the names."""
    if shares is None:
        return names[rng.integers(len(names))]
    total = np.cumsum(shares)
    return names[int(np.searchsorted(total / total[-1], rng.random(), side="right"))]


def _draw_time(rng: np.random.Generator, place: str, colour: str) -> str:
    """Night one time in four; a black thing would be lost in it."""
    if place in ("night city", "outer space"):
        return "night"
    return "night" if colour != "black" and rng.random() < 0.25 else "day"


def _draw_thing(rng: np.random.Generator, full: bool, aspect: float) -> Thing:
    kind = _pick(rng, KINDS if full else SIMPLE_KINDS)
    return Thing(
        kind=kind,
        colour=_pick(rng, COLOURS),
        size=_pick(rng, SIZES if full else SIZES[1:]),
        motion=_pick(rng, SUITS[kind]),
        x=float(aspect * rng.uniform(0.3, 0.7)),
        pace=float(rng.uniform(0.85, 1.15)),
        phase=float(rng.random()),
        facing=(-1, 1)[rng.integers(2)],
    )
