"""Likeness: the drawn person that is most like a photo, found by search over the world's own renderer.

The built-in models know drawn people alone. So of a photo they are given whom the search finds, and that is said.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mediagen.personalize.align import BUST, FACE, Frame, similarity
from mediagen.personalize.faces import Face
from mediagen.world import people
from mediagen.world.figures import Placed, draw_person
from mediagen.world.head import head_of, landmarks
from mediagen.world.people import Identity, Person, Pose, Shape
from mediagen.world.scene import COLOURS

OnTry = Callable[[int, int], None]
Choice = dict[str, Any]
_MIDDLE = Shape(*([0.5] * people.SHAPE_SIZE))
_PLAIN = Identity(False, "adult", _MIDDLE, "short", "brown", "brown", "none", False, False, False, "none")
_PASSES = 3
_REACH = (0.4, 0.2, 0.15)  # how far numbers of the shape are moved in each pass, down and up
_SIDES = 7  # columns at each border that are taken for what is behind the head


@dataclass(frozen=True)
class Guess:
    """A drawn person and how the head is held: yaw and pitch in radians, smile -1 to 1, mouth 0 to 1."""

    person: Person
    yaw: float = 0.0
    pitch: float = 0.0
    smile: float = 0.2
    mouth: float = 0.0

    def told(self, **changes: object) -> "Guess":
        """The guess with other fields of its identity, its shape, its dress or the pose."""
        person, who = self.person, self.person.identity
        pose = {name: value for name, value in changes.items() if hasattr(self, name)}
        shape = {name: value for name, value in changes.items() if hasattr(who.shape, name)}
        looks = {name: value for name, value in changes.items() if hasattr(who, name)}
        dress = {name: value for name, value in changes.items() if hasattr(person, name)}
        who = replace(who, shape=replace(who.shape, **shape), **looks)  # type: ignore[arg-type]
        return replace(self, person=replace(person, identity=who, **dress), **pose)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Likeness:
    """Who was found. cost: mean distance of the pixels.  bust: uint8 (96, 96, 3).  face: uint8 (112, 112, 3)."""

    guess: Guess
    cost: float
    bust: Tensor
    face: Tensor

    @property
    def identity(self) -> Identity:
        return self.guess.person.identity


@torch.no_grad()
def likeness(picture: Tensor, face: Face, on_try: OnTry | None = None) -> Likeness:
    """The drawn person most like the face of a picture, uint8 (H, W, 3); a few seconds on one core.

    Landmarks give pose and proportions, then one attribute after another is tried by drawing it. on_try(done, of all).
    """
    to_bust = similarity(face.points - 0.5, BUST.template)
    points = (face.points - 0.5) @ to_bust[:, :2].T + to_bust[:, 2]
    there = face.aligned(torch.full_like(picture, 255), BUST)[..., 0] > 254
    search = _Search(face.aligned(picture, BUST), there, points)
    guess = search.posed(Guess(_person(_PLAIN)))
    done, count = 0, sum(len(choices) for choices in _steps(guess, 0)) * _PASSES
    for turn in range(_PASSES):
        for number in range(len(_steps(guess, turn))):
            choices = _steps(guess, turn)[number]
            guess = search.best(guess, choices)
            done += len(choices)
            if on_try is not None:
                on_try(done, count)
        guess = search.posed(guess)
    shown = [drawn(guess, frame, None)[0] for frame in (BUST, FACE)]
    return Likeness(guess, search.cost(guess), *[_to_uint8(one) for one in shown])


def drawn(guess: Guess, frame: Frame, points: np.ndarray | None) -> tuple[Tensor, Tensor]:
    """The person alone on grey, (3, side, side) from 0 to 1, and how much of each pixel it covers, (1, side, side).

    points: landmarks (5, 2) that its own are laid on; None for the frame's.
    """
    local = _local(guess)
    turn = similarity(local, frame.template if points is None else points)
    scale = float(np.hypot(turn[0, 0], turn[1, 0]))
    roll = float(np.arctan2(turn[1, 0], turn[0, 0]))
    pivot = turn[:, :2] @ np.array([0.0, 1.1]) - scale * np.array([0.0, 1.1])  # heads turn about the neck
    left, top = (turn[:, 2] + pivot + 0.5) / frame.side
    one = np.ones(1)
    pose = Pose(
        x=left * one,
        y=top * one,
        yaw=guess.yaw * one,
        pitch=guess.pitch * one,
        roll=roll * one,
        smile=guess.smile * one,
        mouth=guess.mouth * one,
        blink=0 * one,
        arms=np.zeros((1, 2, 2)),
        legs=np.zeros((1, 2)),
        bend=0 * one,
    )
    placed = Placed(pose, scale / frame.side, left * one, top * one)
    canvas, mask = torch.full((1, 3, frame.side, frame.side), 0.5), torch.zeros(1, frame.side, frame.side)
    draw_person(canvas, mask, guess.person, placed, 0 * one, one, tint=None, outlined=False, soft=False)
    return canvas[0].clamp(0, 1), mask


def _local(guess: Guess) -> np.ndarray:
    """Landmarks (5, 2) in units of the head."""
    yaw, pitch, smile = (torch.full((1, 1, 1), value) for value in (guess.yaw, guess.pitch, guess.smile))
    return landmarks(head_of(guess.person, yaw, pitch), smile)[0].double().numpy()


def _person(who: Identity) -> Person:
    return Person(who, "plain", "white", "none", "red", "portrait", "looks ahead", 0.5, 1.0, 0.0, 1)


def _steps(guess: Guess, turn: int) -> list[list[Choice]]:
    """What is tried in a pass, in order: each a list of choices around the guess, of which the best is kept."""
    glasses: list[Choice] = [{"glasses": kind} for kind in people.GLASSES]
    hair: list[Choice] = [{"hair_style": s, "hair_colour": c} for s in people.HAIR_STYLES for c in people.HAIR_COLOURS]
    hats: list[Choice] = [{"hat": "none"}] + [
        {"hat": kind, "hat_colour": c} for kind in people.HATS[1:] for c in COLOURS
    ]
    beards: list[Choice] = [{"beard": kind, "moustache": m} for kind in people.BEARDS for m in (False, True)]
    shirt: list[Choice] = [{"colour": colour} for colour in COLOURS]

    now = guess.person.identity.shape

    def shape(*names: str) -> list[list[Choice]]:
        moves = (0.0, -_REACH[turn], _REACH[turn])
        return [[{name: min(1.0, max(0.0, getattr(now, name) + by))} for by in moves] for name in names]

    return [
        [{"skin": value / 10} for value in range(11)],
        hair,
        *shape("width"),
        shirt,
        hats,
        glasses,
        beards,
        [{"age": age, "woman": woman} for age in people.AGES for woman in (False, True)],
        [{"mouth": value} for value in (0.0, 0.3, 0.7)],
        [{"eye_colour": colour} for colour in people.EYE_COLOURS],
        *shape("brow_height", "brow_weight", "brow_tilt", "hairline", "volume", "eye_size", "jaw", "chin", "lips"),
        [{"hair_colour": colour} for colour in people.HAIR_COLOURS],
        [{"woman": True, "earrings": False}, {"woman": True, "earrings": True}, {"woman": False, "earrings": False}],
        [{"freckles": False}, {"freckles": True}],
        *shape("undertone", "nose_width", "eye_tilt", "ears", "parting"),
    ]


class _Search:
    """The photo as the search sees it, uint8 (96, 96, 3) with landmarks (5, 2) there, and what is tried against it.

    there: bool (96, 96), where the photo is; the window may reach beyond its borders.
    """

    def __init__(self, bust: Tensor, there: Tensor, points: np.ndarray) -> None:
        self.photo, self.points = bust.permute(2, 0, 1).float() / 255, points
        inside = 1 - F.max_pool2d(1 - there[None].float(), 3, 1, 1)[0]  # no steps at the border of the photo
        self.weight = _weights() * inside
        sides = _border(self.photo, there), _border(self.photo.flip(2), there.flip(1))
        left, right = (F.avg_pool1d(side[None], 9, 1, 4, count_include_pad=False)[0] for side in sides)
        across = torch.linspace(0, 1, BUST.side).clamp(0.3, 0.7).sub(0.3).div(0.4)
        self.behind = torch.lerp(left[:, :, None], right[:, :, None], across)
        self.edges = _edges(self.photo)

    def posed(self, guess: Guess) -> Guess:
        """The guess with the pose and the proportions that bring its landmarks nearest, by small steps of each."""
        step = {"yaw": 0.2, "pitch": 0.15, "smile": 0.4}
        step |= {name: 0.25 for name in ("eye_gap", "eye_height", "nose_length", "mouth_width")}
        best, least = guess, self._off(guess)
        for _ in range(6):
            for name, size in step.items():
                for sign in (-1, 1):
                    now = getattr(best, name, None)
                    now = getattr(best.person.identity.shape, name) if now is None else now
                    low = -0.8 if name == "yaw" else -0.5 if name == "pitch" else -1.0 if name == "smile" else 0.0
                    tried = best.told(**{name: float(np.clip(now + sign * size, low, max(-low, 1.0)))})
                    off = self._off(tried)
                    if off < least:
                        best, least = tried, off
            step = {name: size * 0.6 for name, size in step.items()}
        return best

    def _off(self, guess: Guess) -> float:
        local, shape = _local(guess), guess.person.identity.shape
        turn = similarity(local, self.points)
        left = local @ turn[:, :2].T + turn[:, 2] - self.points
        usual = 0.02 * guess.yaw**2 + 0.05 * guess.pitch**2 + 0.02 * (guess.smile - 0.2) ** 2
        usual += 0.03 * sum((getattr(shape, n) - 0.5) ** 2 for n in ("eye_gap", "eye_height", "nose_length"))
        return float((left**2).sum()) + 10 * usual

    def best(self, guess: Guess, choices: list[Choice]) -> Guess:
        """The guess with the choice that costs least."""
        return min((guess.told(**choice) for choice in choices), key=self.cost)

    def cost(self, guess: Guess) -> float:
        """Distance of pixels and of edges between the photo and the person in its light, before what is behind."""
        person, cover = drawn(guess, BUST, self.points)
        person = self._lit(person, cover)
        made = torch.lerp(self.behind, person, cover)
        near = (self.photo - made).abs().sum(0).clamp_max(0.9)
        lines = (self.edges - _edges(made)).abs().sum(0).clamp_max(0.6)
        return float(((near + 1.5 * lines) * self.weight).sum() / self.weight.sum())

    def _lit(self, person: Tensor, cover: Tensor) -> Tensor:
        """The person in the photo's light: a gain and a shift of each channel, near to none."""
        inside = (cover * self.weight)[0]
        total = inside.sum().clamp_min(1)
        mean_p, mean_q = (person * inside).sum((1, 2)) / total, (self.photo * inside).sum((1, 2)) / total
        p, q = person - mean_p[:, None, None], self.photo - mean_q[:, None, None]
        spread = (p * p * inside).sum((1, 2)) / total
        gain = ((p * q * inside).sum() / total + 0.02) / (
            spread.sum() + 0.02
        )  # one for all, for colours tell who it is
        gain = gain.clamp(0.6, 1.4) * (1 + (mean_q / mean_q.mean() / (mean_p / mean_p.mean()) - 1).clamp(-0.1, 0.1))
        shift = (mean_q - gain * mean_p).mean().clamp(-0.05, 0.2)
        return (person * gain[:, None, None] + shift).clamp(0, 1)


def _border(photo: Tensor, there: Tensor) -> Tensor:
    """The colour (3, H) of each row's first columns that the photo has; of the rows around where it has none."""
    side = photo.shape[-1]
    seen = there & (there.cumsum(1) <= _SIDES)
    rows = [photo[:, y, seen[y]].median(1).values for y in range(side) if bool(seen[y].any())]
    which = torch.tensor([y for y in range(side) if bool(seen[y].any())])
    near = (torch.arange(side)[:, None] - which).abs().argmin(1)
    return torch.stack(rows, 1)[:, near]


def _edges(picture: Tensor) -> Tensor:
    """Steps to the right and down, (6, H, W)."""
    right = F.pad(picture[:, :, 1:] - picture[:, :, :-1], (0, 1))
    down = F.pad(picture[:, 1:] - picture[:, :-1], (0, 0, 0, 1))
    return torch.cat((right, down))


@cache
def _weights() -> Tensor:
    """How much each pixel of the bust counts: the face most."""
    y, x = torch.meshgrid(torch.arange(BUST.side), torch.arange(BUST.side), indexing="ij")
    middle = BUST.template.mean(0)
    far = ((x - middle[0]) ** 2 + (y - middle[1]) ** 2).float().sqrt() / BUST.side
    return 0.5 + torch.exp(-((far / 0.28) ** 2))


def _to_uint8(picture: Tensor) -> Tensor:
    return (picture.permute(1, 2, 0) * 255).round().to(torch.uint8)
