"""Scene: what happens in one clip, as pure data drawn from a seed."""

from dataclasses import dataclass, replace

import numpy as np

from mediagen.world.people import (
    BODY_MOTIONS,
    HATS,
    HEAD_MOTIONS,
    PERSON_MOTIONS,
    TOPS,
    Person,
    Turn,
    draw_identity,
)

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
DIFFICULTIES = ("simple", "standard")
SUBJECTS = (*KINDS, "person")  # what a clip can be about
ACTIONS = MOTIONS + PERSON_MOTIONS  # what it can do


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
    turns: tuple[Turn, ...] = ()  # what it does later, in order of time


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
    person: Person | None = None  # stands behind the things

    @property
    def shown(self) -> "tuple[Person | Thing, ...]":
        """All that is in the clip, what it is about first."""
        return (*((self.person,) if self.person else ()), *self.things)

    @property
    def subject(self) -> Thing | Person:
        """What the clip is about: the person, if there is one, or the first thing."""
        return self.person or self.things[0]

    @property
    def ending(self) -> "Scene":
        """The scene as its last motion tells it: what a caption of its end says."""
        turns = self.subject.turns
        if not turns:
            return self
        now = replace(self.subject, motion=turns[-1].motion, facing=turns[-1].facing, turns=())
        return replace(self, person=now) if isinstance(now, Person) else replace(self, things=(now, *self.things[1:]))

    @property
    def frames(self) -> int:
        return max(1, round(self.seconds * self.fps))


def is_held_out(kind: str, colour: str, place: str) -> bool:
    """Whether the triple is kept out of training: one in sixteen, for ever. Of people: the clothes' colour."""
    index = (SUBJECTS.index(kind) * len(COLOURS) + COLOURS.index(colour)) * len(PLACES) + PLACES.index(place)
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

    difficulty "simple" is for tests and quick trials: one medium or large thing of six shapes, plain style, clear
    weather, still camera. "standard" is what the default models learn: people and all things, one or two at a time,
    weather, cameras and styles, most often the plain ones.
    """
    if split not in SPLITS or difficulty not in DIFFICULTIES:
        raise ValueError(
            f"got split '{split}' and difficulty '{difficulty}'; "
            f"expected one of {', '.join(SPLITS)}, and of {', '.join(DIFFICULTIES)}."
        )
    if difficulty == "standard":
        return _draw_standard(seed, split, seconds, fps, aspect)
    rng = np.random.default_rng((seed, SPLITS.index(split), False))
    while True:
        place = _pick(rng, PLACES)
        first = _draw_thing(rng, False, aspect)
        if _allowed(first.kind, first.colour, place, split):
            break
    return Scene(
        seed=seed,
        place=place,
        things=(first,),
        weather="clear",
        time=_draw_time(rng, place, first.colour),
        camera="still",
        style="plain",
        mood=_pick(rng, MOODS) if rng.random() < 0.25 else None,
        seconds=seconds,
        fps=fps,
        aspect=aspect,
    )


def _draw_standard(seed: int, split: str, seconds: float, fps: float, aspect: float) -> Scene:
    rng = np.random.default_rng((seed, SPLITS.index(split), 2))
    while True:
        place = _pick(rng, PLACES)
        person = draw_person(rng, int(rng.integers(2**40)), split, aspect) if rng.random() < _PEOPLE else None
        things = [] if person else [_draw_thing(rng, True, aspect)]
        subject = person or things[0]
        if _allowed(subject.kind, subject.colour, place, split):
            break
    if not person and rng.random() < 0.3:
        things += _draw_second(rng, things[0], place, aspect)
    if person and person.shot == "figure" and rng.random() < 0.3:
        beside = _draw_second(rng, person, place, aspect)
        things += [thing for thing in beside if thing.motion in ("bounces", "rests", "spins", "falls")]
    portrait = person is not None and person.shot == "portrait"
    return Scene(
        seed=seed,
        place=place,
        things=tuple(things),
        weather=_pick(rng, WEATHERS, (0.64, 0.12, 0.12, 0.12)) if place not in _INDOORS else "clear",
        time=_draw_time(rng, place, subject.colour),
        camera=_pick(rng, CAMERAS, (0.92, 0.02, 0.02, 0.02, 0.02) if portrait else (0.76, 0.06, 0.06, 0.06, 0.06)),
        style=_pick(rng, STYLES, (0.8, 0.1, 0.1)),
        mood=_pick(rng, MOODS) if rng.random() < 0.25 else None,
        seconds=seconds,
        fps=fps,
        aspect=aspect,
        person=person,
    )


def draw_person(rng: np.random.Generator, number: int, split: str, aspect: float) -> Person:
    """The person of identity `number` of a split, in clothes, shot and motion of their own."""
    portrait = bool(rng.random() < 0.55)
    motion = _pick(rng, HEAD_MOTIONS if portrait else BODY_MOTIONS)
    facing = (-1, 1)[rng.integers(2)]
    identity = draw_identity(number, SPLITS.index(split))
    tall = {"child": 0.46, "adult": 0.62, "old": 0.58}[identity.age]
    return Person(
        identity=identity,
        top=_pick(rng, TOPS if identity.woman and not portrait else TOPS[:3]),
        colour=_pick(rng, COLOURS),
        hat=_pick(rng, HATS, (0.8, 0.07, 0.07, 0.06)),
        hat_colour=_pick(rng, COLOURS),
        shot="portrait" if portrait else "figure",
        motion=motion,
        x=float(aspect * (0.5 + rng.uniform(-0.07, 0.07) if portrait else rng.uniform(0.32, 0.68))),
        pace=float(rng.uniform(0.85, 1.15)),
        phase=float(rng.random()),
        facing=(1 if motion == "walks right" else -1) if motion.startswith("walks") else facing,
        near=float(rng.uniform(0.45, 0.60)) if portrait else float(tall * rng.uniform(0.92, 1.06)),
    )


def _allowed(kind: str, colour: str, place: str, split: str) -> bool:
    held_out = is_held_out(kind, colour, place)
    if (colour, place) in UNSEEN or (held_out and split in ("train", "validation")):
        return False
    return held_out or split != "held-out"


def _draw_second(rng: np.random.Generator, first: Thing | Person, place: str, aspect: float) -> list[Thing]:
    """A second thing that stands apart from the first and in another colour, or none where no draw fits."""
    for _ in range(20):
        second = _draw_thing(rng, True, aspect)
        apart = abs(second.x - first.x) > 0.35 * aspect and second.colour != first.colour
        clear = (second.colour, place) not in UNSEEN and not is_held_out(second.kind, second.colour, place)
        if apart and clear:
            return [second]
    return []


_PEOPLE = 0.36  # share of standard scenes with a person
_INDOORS = ("room", "outer space")


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


def _draw_thing(rng: np.random.Generator, any_kind: bool, aspect: float) -> Thing:
    kind = _pick(rng, KINDS if any_kind else SIMPLE_KINDS)
    return Thing(
        kind=kind,
        colour=_pick(rng, COLOURS),
        size=_pick(rng, SIZES if any_kind else SIZES[1:]),
        motion=_pick(rng, SUITS[kind]),
        x=float(aspect * rng.uniform(0.3, 0.7)),
        pace=float(rng.uniform(0.85, 1.15)),
        phase=float(rng.random()),
        facing=(-1, 1)[rng.integers(2)],
    )
