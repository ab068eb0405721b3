"""People of the world: identities drawn from a number, clothes, and how heads and bodies move over time."""

from dataclasses import dataclass, fields, replace

import numpy as np

AGES = ("child", "adult", "old")
HAIR_STYLES = ("bald", "short", "spiky", "curly", "bob", "long", "ponytail", "bun")
HAIR_COLOURS = ("black", "brown", "blond", "red", "grey", "white")
EYE_COLOURS = ("brown", "blue", "green", "grey")
BEARDS = ("none", "full", "goatee")
GLASSES = ("none", "round", "square", "dark")
HATS = ("none", "cap", "beanie", "brimmed")
TOPS = ("plain", "striped", "collar", "dress")
SHOTS = ("portrait", "figure")
# What people do: of the head in a portrait, of the body in a full figure.
HEAD_MOTIONS = ("turns the head", "nods", "shakes the head", "smiles", "opens the mouth", "looks ahead", "hums")
BODY_MOTIONS = ("waves", "walks left", "walks right", "jumps", "dances", "claps", "stands")
PERSON_MOTIONS = HEAD_MOTIONS + BODY_MOTIONS


@dataclass(frozen=True)
class Shape:
    """The continuous part of an identity: every number from 0 to 1, where 0.5 is the usual."""

    skin: float  # 0 dark .. 1 pale
    undertone: float  # of the skin
    width: float  # of the face
    jaw: float  # narrow .. square
    chin: float  # pointed .. broad
    eye_size: float
    eye_gap: float
    eye_height: float
    eye_tilt: float
    brow_weight: float
    brow_height: float
    brow_tilt: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lips: float  # thin .. full
    ears: float
    hairline: float  # low .. high
    volume: float  # of the hair
    parting: float  # where the hair parts, left .. right


SHAPE_SIZE = len(fields(Shape))


@dataclass(frozen=True)
class Identity:
    """A face that stays the same over clips; equal identities are the same person."""

    woman: bool
    age: str
    shape: Shape
    hair_style: str
    hair_colour: str
    eye_colour: str
    beard: str
    moustache: bool
    freckles: bool
    earrings: bool
    glasses: str


@dataclass(frozen=True)
class Turn:
    """From `time` (seconds) on something else is done: a motion, with its facing and phase, by the same one."""

    time: float
    motion: str
    facing: int
    phase: float


BLEND = 0.4  # seconds in which one motion goes over into the next


def blend(t: np.ndarray, start: float) -> np.ndarray:
    """The share (F,) of what begins at `start`, rising smoothly from 0 to 1."""
    rise = np.clip((t - start) / BLEND, 0, 1)
    return rise * rise * (3 - 2 * rise)


@dataclass(frozen=True)
class Person:
    """A person in a scene: who, dressed how, seen how near, doing what. Lengths as in `Thing`."""

    identity: Identity
    top: str
    colour: str  # of the top
    hat: str
    hat_colour: str
    shot: str
    motion: str
    x: float
    pace: float  # 0.85 .. 1.15
    phase: float  # 0 .. 1
    facing: int  # 1 turns or walks right, -1 left
    near: float = 0.55  # height of the face (portrait) or of the whole person (figure), of the picture's
    turns: tuple[Turn, ...] = ()  # in order of time

    @property
    def kind(self) -> str:
        return "person"


@dataclass(frozen=True)
class Pose:
    """Where head and body are at given times, arrays (F,).

    x, y: the head's centre in a portrait, the point between the feet in a figure, in picture heights. yaw: right is
    positive; pitch: down is positive; roll: clockwise; radians. smile: -1 .. 1; mouth: 1 is open; blink: 1 is shut.
    arms: (F, 2, 2) angles of upper arm and forearm, left and right on the screen, 0 hangs down, positive outwards.
    legs: (F, 2) swing of each leg, radians; bend: (F,) of the knees, 0 .. 1.
    """

    x: np.ndarray
    y: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    roll: np.ndarray
    smile: np.ndarray
    mouth: np.ndarray
    blink: np.ndarray
    arms: np.ndarray
    legs: np.ndarray
    bend: np.ndarray


def draw_identity(number: int, split: int = 0) -> Identity:
    """Person number `number` of a split (its index); no number of one split gives a person of another."""
    rng = np.random.default_rng((number, split, 61))
    woman = bool(rng.random() < 0.5)
    age = str(rng.choice(AGES, p=(0.15, 0.65, 0.2)))
    shape = Shape(*(float(v) for v in rng.random(SHAPE_SIZE)))
    long = ("bob", "long", "ponytail", "bun", "curly")
    if woman:
        style = str(rng.choice(HAIR_STYLES, p=(0.02, 0.13, 0.05, 0.18, 0.18, 0.2, 0.13, 0.11)))
    else:
        bald = 0.02 if age == "child" else 0.2
        style = str(rng.choice(HAIR_STYLES, p=(bald, 0.52 - bald, 0.16, 0.13, 0.05, 0.08, 0.04, 0.02)))
    colours = {"old": (0.05, 0.1, 0.05, 0.05, 0.4, 0.35)}.get(age, (0.28, 0.28, 0.22, 0.18, 0.03, 0.01))
    grown_man = not woman and age != "child"
    return Identity(
        woman=woman,
        age=age,
        shape=shape,
        hair_style=style,
        hair_colour=str(rng.choice(HAIR_COLOURS, p=colours)),
        eye_colour=str(rng.choice(EYE_COLOURS, p=(0.5, 0.22, 0.16, 0.12))),
        beard=str(rng.choice(BEARDS, p=(0.5, 0.32, 0.18))) if grown_man else "none",
        moustache=bool(grown_man and rng.random() < 0.35),
        freckles=bool(rng.random() < 0.12),
        earrings=bool(woman and style not in long[:2] and rng.random() < 0.5),
        glasses=str(rng.choice(GLASSES, p=(0.62, 0.16, 0.16, 0.06))),
    )


def pose(person: Person, seconds: float, aspect: float, times: np.ndarray) -> Pose:
    """The state of `person` at `times` (seconds from the start of a clip of `seconds`)."""
    t = np.asarray(times, dtype=np.float64)
    if not person.turns:
        return _pose(person, seconds, aspect, t)
    last = person.turns[-1]
    before = replace(person, turns=person.turns[:-1])
    at = float(pose(before, last.time, aspect, np.array([last.time])).x[0])
    after = replace(person, motion=last.motion, facing=last.facing, phase=last.phase, turns=(), x=at)
    if last.motion.startswith("walks"):  # from where it is, where a walk of its own would pass the middle
        way = 1 if last.motion == "walks right" else -1
        after = replace(after, x=at + way * WALK * person.pace * 0.5 * (seconds - last.time) - 0.5 * aspect)
    old, new = pose(before, last.time, aspect, t), _pose(after, seconds - last.time, aspect, t - last.time, True)
    share = blend(t, last.time)

    def mixed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a + (b - a) * share.reshape(-1, *(1,) * (a.ndim - 1))

    return Pose(*(mixed(getattr(old, part.name), getattr(new, part.name)) for part in fields(Pose)))


def _pose(person: Person, seconds: float, aspect: float, t: np.ndarray, shifted: bool = False) -> Pose:
    """`pose` of a person who does one thing; shifted: a walk passes person.x beside the middle, not the middle."""
    still = np.zeros_like(t)
    rate, sign, turn = person.pace, person.facing, 2 * np.pi * person.phase
    move = person.motion
    sway = 0.03 * np.sin(1.7 * rate * t + turn)
    x, y = still + person.x, still + (0.46 if person.shot == "portrait" else FEET)
    yaw, pitch, roll = sway + 0.1 * sign * (person.shot == "portrait"), still + 0.0, 0.02 * np.sin(1.3 * t + turn)
    smile, mouth = still + 0.45 * (7 * person.phase % 1), still + 0.0
    arms = (
        np.tile(np.array([[0.14, 0.06], [0.14, 0.06]]), (len(t), 1, 1)) + 0.02 * np.sin(1.7 * t + turn)[:, None, None]
    )
    legs, bend = np.zeros((len(t), 2)), still + 0.0
    if move == "turns the head":
        yaw = 0.62 * sign * np.sin(2 * np.pi * 0.42 * rate * t + 0.6 * turn)
    elif move == "nods":
        pitch = 0.42 * np.sin(2 * np.pi * 0.95 * rate * t + turn)
    elif move == "shakes the head":
        yaw = 0.5 * np.sin(2 * np.pi * 1.05 * rate * t + turn)
    elif move == "smiles":
        rise = np.clip((t - (0.25 + 0.5 * person.phase)) / 0.6, 0, 1)
        smile = -0.15 + 1.15 * rise * rise * (3 - 2 * rise)
    elif move == "opens the mouth":
        mouth = np.clip(0.5 - 0.75 * np.cos(2 * np.pi * 0.75 * rate * t + turn), 0, 1)
        smile = still + 0.1
    elif move == "hums":
        roll = 0.16 * np.sin(2 * np.pi * 0.6 * rate * t + turn)
        x = x + 0.015 * np.sin(2 * np.pi * 0.6 * rate * t + turn)
        smile = still + 0.45
    elif move == "waves":
        side = 1 if sign > 0 else 0
        arms[:, side, 0] = 2.0
        arms[:, side, 1] = 0.75 + 0.55 * np.sin(2 * np.pi * 1.6 * rate * t + turn)
        smile = still + 0.7
    elif move in ("walks left", "walks right"):
        way = 1 if move == "walks right" else -1
        x = 0.5 * aspect + (person.x if shifted else 0.0) + way * WALK * rate * (t - 0.5 * seconds)
        swing = np.sin(np.pi * STEPS * rate * t + turn)
        legs = np.stack((0.45 * swing, -0.45 * swing), 1)
        arms[:, :, 0] = 0.1 + np.stack((0.45 * swing, 0.45 * swing), 1) * np.array([1, -1])
        arms[:, :, 1] = 0.25
        y = y - 0.012 * np.abs(np.cos(np.pi * STEPS * rate * t + turn))
        yaw = still + 0.55 * way
    elif move == "jumps":
        rise = _jump(person, t)
        y = y - 0.15 * rise
        bend = np.clip(0.55 - 2.2 * rise, 0, 1) * 0.8
        arms[:, :, 0] = 0.25 + 1.5 * rise[:, None]
        smile = still + 0.6
    elif move == "dances":
        beat = 2 * np.pi * 1.0 * rate * t + turn
        x = x + 0.035 * np.sin(beat)
        y = y - 0.02 * np.abs(np.sin(beat))
        roll = 0.14 * np.sin(beat + 0.6)
        arms[:, 0, 0], arms[:, 1, 0] = 1.15 + 0.75 * np.sin(beat), 1.15 - 0.75 * np.sin(beat)
        arms[:, :, 1] = 0.7
        legs = np.stack((0.2 + 0.16 * np.sin(beat), -0.2 + 0.16 * np.sin(beat)), 1)
        bend = 0.25 * np.abs(np.cos(beat))
        smile = still + 0.8
    elif move == "claps":
        open_ = 0.5 + 0.5 * np.cos(2 * np.pi * CLAPS * rate * (t - _first(person, CLAPS)) + np.pi)
        arms[:, :, 0] = 0.25 + 0.35 * open_[:, None]
        arms[:, :, 1] = -2.0 + 0.35 * open_[:, None]
        smile = still + 0.6
    blink = sum(np.exp(-(((t - b) / 0.07) ** 2)) for b in _blinks(person, seconds))
    return Pose(x, y, yaw, pitch, roll, smile, mouth, np.minimum(blink, 1.0) + still, arms, legs, bend)


FEET = 0.85  # height of the soles, in picture heights from the top
WALK, STEPS, CLAPS, JUMPS = 0.26, 2.0, 1.5, 1.25  # picture heights, steps, claps and jumps in a second


def beats(person: Person, seconds: float) -> list[float]:
    """The moments of a clip at which a person is heard: steps, landings, claps."""
    if person.turns:
        last = person.turns[-1]
        after = replace(person, motion=last.motion, facing=last.facing, phase=last.phase, turns=())
        later = [last.time + beat for beat in beats(after, seconds - last.time) if beat > BLEND / 2]
        return [*beats(replace(person, turns=person.turns[:-1]), min(seconds, last.time)), *later]
    rate = {"claps": CLAPS, "jumps": JUMPS}.get(person.motion, STEPS if person.motion.startswith("walks") else 0.0)
    if not rate:
        return []
    if person.motion.startswith("walks"):  # a foot comes down where the legs are furthest apart
        first = ((0.5 - 2 * person.phase) % 1) / (rate * person.pace)
    else:
        first = _first(person, rate)
    count = int(max(0.0, (seconds - first) * rate * person.pace)) + 1
    return [time for i in range(count) if (time := first + i / (rate * person.pace)) < seconds]


def _first(person: Person, rate: float) -> float:
    return person.phase / (rate * person.pace)


def _jump(person: Person, t: np.ndarray) -> np.ndarray:
    """Height of a jump, 0 .. 1: landings at `beats`, a short rest on the ground after each."""
    cycle = ((t - _first(person, JUMPS)) * JUMPS * person.pace) % 1
    flight = np.clip((cycle - 0.3) / 0.7, 0, 1)
    return 4 * flight * (1 - flight)


def _blinks(person: Person, seconds: float) -> list[float]:
    first = 0.3 + 2.2 * ((13 * person.phase) % 1)
    return [first + 2.6 * i for i in range(int(seconds / 2.6) + 1)]
