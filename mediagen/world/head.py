"""A head in numbers, drawn from an identity: 1 is half of the face's height, the origin between eyes and mouth."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mediagen.world.brush import RGB, oval
from mediagen.world.people import Identity, Person

HAIR_RGB: dict[str, RGB] = {
    "black": (0.11, 0.10, 0.11),
    "brown": (0.36, 0.21, 0.12),
    "blond": (0.90, 0.74, 0.36),
    "red": (0.74, 0.30, 0.10),
    "grey": (0.58, 0.58, 0.61),
    "white": (0.93, 0.93, 0.94),
}
_SKINS = np.asarray(
    [
        (0.33, 0.20, 0.14),
        (0.50, 0.32, 0.21),
        (0.68, 0.46, 0.31),
        (0.84, 0.62, 0.45),
        (0.94, 0.76, 0.61),
        (0.98, 0.86, 0.77),
    ]
)
LANDMARKS = ("left eye", "right eye", "nose", "left corner of the mouth", "right corner of the mouth")


@dataclass
class Head:
    """Numbers of one identity in head units, and how its parts move with yaw and pitch, (F, 1, 1) each."""

    who: Identity
    skin: np.ndarray
    hair: np.ndarray
    width: float
    power: float
    taper: float
    yaw: Tensor
    pitch: Tensor

    def at(self, x: float, y: float, depth: float) -> tuple[Tensor, Tensor]:
        """Where a point of the face is seen; depth: how far it stands out from the axis of the head."""
        cos, sin = torch.cos(self.yaw), torch.sin(self.yaw)
        return x * cos + depth * sin, y * torch.cos(self.pitch) + 0.75 * depth * torch.sin(self.pitch)


def skin_of(who: Identity) -> np.ndarray:
    """The colour of the skin, (3,)."""
    place = who.shape.skin * (len(_SKINS) - 1)
    low = min(int(place), len(_SKINS) - 2)
    tone = _SKINS[low] + (place - low) * (_SKINS[low + 1] - _SKINS[low])
    return np.clip(tone + (who.shape.undertone - 0.5) * np.array([0.03, -0.01, -0.05]), 0, 1)


def head_of(person: Person, yaw: Tensor, pitch: Tensor) -> Head:
    who, s = person.identity, person.identity.shape
    child = who.age == "child"
    return Head(
        who=who,
        skin=skin_of(who),
        hair=np.asarray(HAIR_RGB[who.hair_colour]),
        width=0.70 + 0.20 * s.width + (0.05 if child else 0.0),
        power=2.05 + 0.9 * s.jaw * (0.6 if who.woman or child else 1.0),
        taper=0.42 - 0.36 * s.chin,
        yaw=yaw,
        pitch=pitch,
    )


def eye_place(head: Head) -> tuple[float, float]:
    s = head.who.shape
    child = 0.06 if head.who.age == "child" else 0.0
    return 0.31 + 0.12 * (s.eye_gap - 0.5), -0.04 - 0.14 * (s.eye_height - 0.5) + child


def nose_place(head: Head) -> float:
    return eye_place(head)[1] + 0.30 + 0.14 * head.who.shape.nose_length


def mouth_place(head: Head) -> tuple[float, float]:
    s = head.who.shape
    return 0.20 + 0.14 * s.mouth_width, nose_place(head) + 0.25


def landmarks(head: Head, smile: Tensor) -> Tensor:
    """The five points of `LANDMARKS`, (F, 5, 2) in head units."""
    ex, ey = eye_place(head)
    mx, my = mouth_place(head)
    rise = -0.07 * smile.flatten()
    points = [head.at(-ex, ey, 0.62), head.at(ex, ey, 0.62), head.at(0.0, nose_place(head) - 0.04, 0.92)]
    points += [head.at(-mx, my, 0.6), head.at(mx, my, 0.6)]
    out = torch.stack([torch.stack([x.flatten(), y.flatten()], -1) for x, y in points], 1)
    out[:, 3:, 1] += rise[:, None]
    return out


def face_line(head: Head, x: Tensor, y: Tensor) -> Tensor:
    """Distance to the outline of the face."""
    x = x - 0.05 * torch.sin(head.yaw)
    narrow = 1 / (1 - head.taper * (y.clamp(0, 1.2)) ** 1.6).clamp_min(0.4)
    return torch.where(
        y < 0, oval(x, y, 0.0, 0.0, head.width, 1.0), oval(x * narrow, y, 0.0, 0.0, head.width, 1.0, head.power)
    )


def paint(rgb: np.ndarray | RGB) -> RGB:
    """A colour within the range of colours."""
    r, g, b = (float(min(1.0, max(0.0, v))) for v in rgb)
    return r, g, b
