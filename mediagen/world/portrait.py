"""A head, drawn from its identity: 1 is half of the face's height, the origin between eyes and mouth, y is down."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mediagen.world.brush import RGB, Brush, oval
from mediagen.world.palette import COLOUR_RGB
from mediagen.world.people import Identity, Person

HAIR_RGB: dict[str, RGB] = {
    "black": (0.11, 0.10, 0.11),
    "brown": (0.36, 0.21, 0.12),
    "blond": (0.90, 0.74, 0.36),
    "red": (0.74, 0.30, 0.10),
    "grey": (0.58, 0.58, 0.61),
    "white": (0.93, 0.93, 0.94),
}
EYE_RGB: dict[str, RGB] = {
    "brown": (0.34, 0.20, 0.10),
    "blue": (0.20, 0.45, 0.80),
    "green": (0.22, 0.55, 0.28),
    "grey": (0.45, 0.50, 0.56),
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
_DARK: RGB = (0.10, 0.08, 0.09)


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


LANDMARKS = ("left eye", "right eye", "nose", "left corner of the mouth", "right corner of the mouth")


def _eye_place(head: Head) -> tuple[float, float]:
    s = head.who.shape
    child = 0.06 if head.who.age == "child" else 0.0
    return 0.31 + 0.12 * (s.eye_gap - 0.5), -0.04 - 0.14 * (s.eye_height - 0.5) + child


def _nose_place(head: Head) -> float:
    return _eye_place(head)[1] + 0.30 + 0.14 * head.who.shape.nose_length


def _mouth_place(head: Head) -> tuple[float, float]:
    s = head.who.shape
    return 0.20 + 0.14 * s.mouth_width, _nose_place(head) + 0.25


def landmarks(head: Head, smile: Tensor) -> Tensor:
    """The five points of `LANDMARKS`, (F, 5, 2) in head units."""
    ex, ey = _eye_place(head)
    mx, my = _mouth_place(head)
    rise = -0.07 * smile.flatten()
    points = [head.at(-ex, ey, 0.62), head.at(ex, ey, 0.62), head.at(0.0, _nose_place(head) - 0.04, 0.92)]
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


def draw_back(brush: Brush, head: Head) -> None:
    """Hair that hangs behind neck and shoulders."""
    who, w = head.who, head.width
    more = 0.16 + 0.2 * who.shape.volume
    sin = torch.sin(head.yaw)
    if who.hair_style == "long":
        part = brush.near(-1.7, -1.4, 1.7, 2.3)
        d = torch.where(
            part.y < 0.1,
            oval(part.x + 0.10 * sin, part.y, 0.0, 0.1, w + more, 1.22),
            oval(part.x + 0.10 * sin, part.y, 0.0, 0.1, w + more + 0.02, 1.65, 5.0),
        )
        part.fill(d, paint(head.hair * 0.82))
    elif who.hair_style == "bob":
        part = brush.near(-1.6, -1.4, 1.6, 1.3)
        d = torch.where(
            part.y < 0.1,
            oval(part.x + 0.10 * sin, part.y, 0.0, 0.1, w + more, 1.2),
            oval(part.x + 0.10 * sin, part.y, 0.0, 0.1, w + more + 0.03, 0.72, 6.0),
        )
        part.fill(d, paint(head.hair * 0.82))
    elif who.hair_style == "ponytail":
        part = brush.near(-1.9, -1.2, 1.9, 1.9)
        tail = oval(part.x, part.y, -0.95 - 0.25 * sin, 0.45, 0.28, 0.85)
        part.fill(tail, paint(head.hair * 0.85))
    elif who.hair_style == "bun":
        part = brush.near(-0.8, -2.0, 0.8, -0.7)
        part.fill(oval(part.x, part.y, -0.16 * sin, -1.28, 0.36, 0.34), paint(head.hair * 0.9))
    elif who.hair_style == "curly":
        part = brush.near(-1.7, -1.8, 1.7, 1.3)
        x, y = part.x + 0.08 * sin, part.y + 0.18
        angle = torch.atan2(y, x)
        bumps = 0.07 * torch.cos(13 * angle)
        part.fill(oval(x, y, 0.0, 0.0, w + more + 0.10, 1.14 + 0.1 * who.shape.volume) - bumps, paint(head.hair * 0.86))


def draw_head(brush: Brush, head: Head, person: Person, smile: Tensor, mouth: Tensor, blink: Tensor) -> None:
    """Everything from the ears to the hat; the hair behind is `draw_back`'s."""
    brush = brush.near(-1.8, -2.0, 1.8, 1.35)
    _ears(brush, head)
    _face(brush, head)
    _beard(brush, head)
    _mouth(brush, head, smile, mouth)
    _nose(brush, head)
    _eyes(brush, head, blink)
    _hair(brush, head, person.hat)
    _glasses(brush, head)
    _hat(brush, head, person)


def paint(rgb: np.ndarray | RGB) -> RGB:
    """A colour within the range of colours."""
    r, g, b = (float(min(1.0, max(0.0, v))) for v in rgb)
    return r, g, b


def _ears(brush: Brush, head: Head) -> None:
    size = 0.19 + 0.09 * head.who.shape.ears
    for side in (-1, 1):
        x, y = head.at(side * (head.width + 0.02), 0.06, -0.12)
        part = brush.around(0.45, (x, y))
        if part.empty:
            continue
        part.fill(oval(part.x, part.y, x, y, 0.62 * size, size), paint(head.skin * 0.93))
        part.fill(oval(part.x, part.y, x, y, 0.30 * size, 0.55 * size), paint(head.skin * 0.78), line=False)
        if head.who.earrings:
            part.fill(oval(part.x, part.y, x, y + size + 0.05, 0.07, 0.08), (0.96, 0.80, 0.30), line=False)


def _face(brush: Brush, head: Head) -> None:
    part = brush.near(-1.1, -1.1, 1.1, 1.15)
    if part.empty:
        return
    d = face_line(head, part.x, part.y)
    light = (
        1.03 - 0.10 * part.x - 0.05 * part.y - 0.10 * (part.x - 0.5 * torch.sin(head.yaw)).abs().clamp(0, 1) ** 2
    ).unsqueeze(1)
    skin = torch.tensor(head.skin, dtype=torch.float32, device=part.canvas.device).view(1, 3, 1, 1)
    part.fill(d, (skin * light).clamp(0, 1))
    for side in (-1, 1):  # a breath of red on the cheeks
        x, y = head.at(side * 0.42, 0.36, 0.5)
        glow = torch.exp(-(((part.x - x) / 0.20) ** 2 + ((part.y - y) / 0.15) ** 2))
        part.fill(d, paint(head.skin * np.array([1.02, 0.72, 0.70])), 0.38 * glow, line=False)
    if head.who.freckles:
        for index in range(10):
            fx, fy = -0.45 + 0.1 * index, 0.22 + 0.06 * ((index * 7) % 3)
            x, y = head.at(fx, fy, 0.68)
            spot = part.around(0.1, (x, y))
            spot.fill(
                oval(spot.x, spot.y, x, y, 0.032, 0.032), paint(head.skin * np.array([0.76, 0.6, 0.5])), line=False
            )
    if head.who.age == "old":
        line = paint(head.skin * 0.80)
        for fy in (-0.44, -0.54):
            x, y = head.at(0.0, fy, 0.7)
            arc = (part.y - y - 0.10 * (part.x - x) ** 2).abs() - 0.013
            part.fill(torch.maximum(arc, (part.x - x).abs() - 0.30), line, 0.8, line=False)
        for side in (-1, 1):
            x, y = head.at(side * 0.36, 0.50, 0.58)
            arc = (part.x - x - side * 0.25 * (part.y - y)).abs() - 0.014
            part.fill(torch.maximum(arc, (part.y - y).abs() - 0.15), line, 0.9, line=False)


def _eyes(brush: Brush, head: Head, blink: Tensor) -> None:
    who, s = head.who, head.who.shape
    ex, ey = _eye_place(head)
    child = 1.2 if who.age == "child" else 1.0
    rx, ry = (0.125 + 0.05 * s.eye_size) * child, (0.078 + 0.05 * s.eye_size) * child
    tilt = 0.35 * (s.eye_tilt - 0.5)
    hair = head.hair * (0.75 if who.hair_colour not in ("white", "grey") else 0.9)
    for side in (-1, 1):
        x, y = head.at(side * ex, ey, 0.62)
        part = brush.around(0.42, (x, y))
        if part.empty:
            continue
        u, v = part.x - x, part.y - y
        v = v + side * tilt * u
        squeeze = torch.cos(head.yaw).clamp_min(0.5)
        open_ = ry * (1 - 0.92 * blink)
        white = oval(u, v, 0.0, 0.0, rx * squeeze, open_.clamp_min(0.008))
        part.fill(white, (0.97, 0.97, 0.96), line=False)
        look = 0.05 * torch.sin(head.yaw)
        iris = torch.maximum(oval(u, v, look, 0.0, 0.78 * ry, 0.78 * ry + 0.01), white)
        part.fill(iris, EYE_RGB[who.eye_colour], line=False)
        part.fill(torch.maximum(oval(u, v, look, 0.0, 0.38 * ry, 0.38 * ry), white), (0.04, 0.03, 0.04), line=False)
        part.fill(torch.maximum(oval(u, v, look - 0.03, -0.03, 0.022, 0.022), white), (1.0, 1.0, 1.0), line=False)
        lid = torch.maximum(white.abs() - (0.022 if who.woman else 0.015), v - 0.2 * open_ - 0.02 * blink)
        part.fill(lid, _DARK, line=False)
        weight = 0.026 + 0.036 * s.brow_weight + (0.0 if who.woman else 0.012)
        lift = ry + 0.10 + 0.08 * s.brow_height
        slope = side * (0.45 * (s.brow_tilt - 0.5)) * u
        brow = torch.maximum((v + lift - slope + 1.1 * u * u).abs() - weight, u.abs() - (rx + 0.055) * squeeze)
        part.fill(brow, paint(hair), line=False)


def _nose(brush: Brush, head: Head) -> None:
    s = head.who.shape
    top, tip = _eye_place(head)[1] + 0.04, _nose_place(head)
    wide = 0.07 + 0.075 * s.nose_width
    x, y = head.at(0.0, tip - 0.05, 0.92)
    x0, y0 = head.at(0.0, top, 0.68)
    part = brush.around(0.32, (x, y), (x0, y0))
    if part.empty:
        return
    shade = paint(head.skin * np.array([0.84, 0.78, 0.76]))
    along = ((part.y - y0) / (y - y0 + 1e-6)).clamp(0, 1)
    ridge = x0 + (x - x0) * along + 0.055 * (0.4 + along)
    bridge = torch.maximum((part.x - ridge).abs() - 0.018 * (0.5 + along), (part.y - (y0 + y) / 2).abs() - (y - y0) / 2)
    part.fill(bridge, shade, 0.55, line=False)
    part.fill(oval(part.x, part.y, x, y, wide, 0.075 + 0.02 * s.nose_width), shade, 0.85, line=False)
    part.fill(oval(part.x, part.y, x - 0.015, y - 0.022, wide * 0.8, 0.062), paint(head.skin * 1.02), line=False)
    for side in (-1, 1):
        part.fill(
            oval(part.x, part.y, x + side * 0.52 * wide, y + 0.035, 0.022, 0.014), paint(head.skin * 0.5), line=False
        )


def _mouth(brush: Brush, head: Head, smile: Tensor, mouth: Tensor) -> None:
    s = head.who.shape
    mx, my = _mouth_place(head)
    x, y = head.at(0.0, my, 0.74)
    part = brush.around(0.5, (x, y))
    if part.empty:
        return
    half = mx * torch.cos(head.yaw).clamp_min(0.5) * (1 + 0.14 * smile.clamp_min(0)) * (1 - 0.25 * mouth)
    u = (part.x - x) / half
    curve = y + 0.10 * smile * (1 - u * u) - 0.035 * smile
    gap = 0.20 * mouth * (1 - u * u).clamp_min(0)
    full = (0.028 + 0.045 * s.lips) * (1.15 if head.who.woman else 0.8)
    ends = (u.abs() - 1) * half
    red = np.array([1.0, 0.62, 0.62]) if not head.who.woman else np.array([1.02, 0.48, 0.50])
    lips = paint(np.minimum(head.skin * red, 1.0) * (0.94 if head.who.shape.skin > 0.3 else 1.08))
    taper = (1 - u * u).clamp_min(0).sqrt()
    v = part.y - curve
    outer = torch.maximum((v - 0.0).abs() - gap - full * taper, ends)
    part.fill(outer, lips, line=False)
    inner = torch.maximum(v.abs() - gap, ends)
    part.fill(torch.where(gap > 0.012, inner, torch.full_like(inner, 1.0)), (0.30, 0.06, 0.08), line=False)
    teeth = torch.maximum(inner, v + gap - 0.10 * mouth)
    part.fill(torch.where(gap > 0.03, teeth, torch.full_like(teeth, 1.0)), (0.97, 0.96, 0.93), line=False)
    seam = torch.maximum(v.abs() - 0.014, ends)
    part.fill(torch.where(gap > 0.012, torch.full_like(seam, 1.0), seam), paint(np.asarray(lips) * 0.55), line=False)


def _beard(brush: Brush, head: Head) -> None:
    who = head.who
    if who.beard == "none" and not who.moustache:
        return
    part = brush.near(-1.1, 0.0, 1.1, 1.35)
    if part.empty:
        return
    tone = paint(head.hair * 0.88)
    mx, my = _mouth_place(head)
    x, y = head.at(0.0, my, 0.72)
    face = face_line(head, part.x, part.y)
    if who.beard == "full":
        edge = (y - 0.14) - 0.50 * ((part.x - x) / head.width).abs() ** 1.5
        part.fill(torch.maximum(face - 0.05, edge - part.y), tone)
        part.fill(oval(part.x, part.y, x, y, mx * 1.05, 0.11), paint(head.skin), line=False)
    elif who.beard == "goatee":
        part.fill(torch.maximum(oval(part.x, part.y, x, y + 0.26, mx * 0.95, 0.26, 2.6), face - 0.06), tone)
        part.fill(oval(part.x, part.y, x, y, mx * 1.0, 0.10), paint(head.skin), line=False)
    if who.moustache:
        u = part.x - x
        upper = torch.maximum(
            (part.y - (y - 0.115 + 0.45 * u * u)).abs() - 0.055 * (1.25 - u.abs() / 0.36).clamp(0, 1), u.abs() - 0.36
        )
        part.fill(upper, tone, line=False)


def _hair(brush: Brush, head: Head, hat: str) -> None:
    who, w, s = head.who, head.width, head.who.shape
    if who.hair_style == "bald":
        return
    more = 0.05 + 0.09 * s.volume + (0.05 if who.hair_style in ("bob", "long", "curly") else 0.0)
    part = brush.near(-1.7, -1.9, 1.7, 0.7)
    if part.empty:
        return
    sin = torch.sin(head.yaw)
    x, y = part.x + 0.06 * sin, part.y
    face_x = part.x - 0.55 * sin  # the hairline turns with the face
    skull = oval(x, y, 0.0, -0.02, w + more, 1.0 + more)
    high = -0.62 + 0.22 * (0.5 - s.hairline)
    high = high + 0.75 * torch.sin(head.pitch).clamp(-0.35, 0.35)
    if who.hair_style == "spiky":
        angle = torch.atan2(x, -(y + 0.1))
        saw = ((angle * 5.5 / np.pi) % 1 - 0.5).abs() * 2
        skull = skull - 0.26 * (saw - 0.35) * (y < -0.2)
    if who.hair_style == "curly":
        skull = skull - 0.05 * torch.cos(16 * torch.atan2(x, -y)) - 0.03
    if who.hair_style == "bob":  # a straight fringe
        line = high + 0.27 - 0.06 * torch.cos(9 * face_x)
    elif who.hair_style in ("long", "ponytail", "bun"):  # parted
        part_x = 0.35 * (s.parting - 0.5)
        line = high - 0.16 + 0.62 * ((face_x - part_x).abs() / w) ** 1.3
    elif who.hair_style == "curly":
        line = high + 0.10 + 0.08 * torch.cos(11 * face_x)
    else:
        line = high + 0.09 + 0.07 * torch.cos(5 * face_x + 5 * s.parting) + 0.30 * (face_x / w).abs() ** 4
    sides = {"bob": 0.6, "long": 0.6, "curly": 0.35, "ponytail": 0.12, "bun": 0.1}.get(who.hair_style, 0.16)
    temple = w * 0.83 - face_x.abs()  # beside this line hair reaches down to the ears
    front = torch.minimum(y - line, torch.maximum(temple, y - sides))
    d = torch.maximum(skull, front)
    light = (1.08 - 0.16 * part.x - 0.10 * part.y + 0.05 * torch.cos(18 * face_x)).unsqueeze(1)
    hair = torch.tensor(head.hair, dtype=torch.float32, device=part.canvas.device).view(1, 3, 1, 1)
    part.fill(d, (hair * light).clamp(0, 1))


def _glasses(brush: Brush, head: Head) -> None:
    kind = head.who.glasses
    if kind == "none":
        return
    ex, ey = _eye_place(head)
    part = brush.near(-1.2, -0.5, 1.2, 0.55)
    if part.empty:
        return
    frame: RGB = (0.08, 0.08, 0.10) if head.who.shape.undertone < 0.6 else (0.45, 0.14, 0.10)
    squeeze = torch.cos(head.yaw).clamp_min(0.5)
    power = 2.0 if kind == "round" else 4.5
    rx, ry = (0.25, 0.235) if kind == "round" else (0.275, 0.195)
    rims = []
    for side in (-1, 1):
        x, y = head.at(side * ex, ey + 0.02, 0.74)
        lens = oval(part.x, part.y, x, y, rx * squeeze, ry, power)
        part.fill(
            lens,
            (0.05, 0.05, 0.07) if kind == "dark" else (0.92, 0.96, 1.0),
            0.93 if kind == "dark" else 0.16,
            line=False,
        )
        rims.append(lens.abs() - 0.027)
        ear_x, _ = head.at(side * head.width, 0.0, -0.1)
        outer = x + side * rx * squeeze
        arm = torch.maximum(
            (part.y - y + 0.04).abs() - 0.022, (part.x - (outer + ear_x) / 2).abs() - (ear_x - outer).abs() / 2
        )
        rims.append(torch.where((ear_x - outer) * side > 0, arm, torch.ones_like(arm)))
    x, y = head.at(0.0, ey, 0.80)
    rims.append(torch.maximum((part.y - y + 0.03).abs() - 0.024, (part.x - x).abs() - (ex - rx + 0.03) * squeeze))
    part.fill(torch.stack(rims).amin(0), frame, line=False)


def _hat(brush: Brush, head: Head, person: Person) -> None:
    if person.hat == "none":
        return
    tone = np.asarray(COLOUR_RGB[person.hat_colour])
    w, sin = head.width, torch.sin(head.yaw)
    part = brush.near(-1.9, -2.0, 1.9, 0.2)
    if part.empty:
        return
    lift = 0.75 * torch.sin(head.pitch).clamp(-0.3, 0.3)
    x, y = part.x + 0.04 * sin, part.y - lift
    dome = torch.maximum(oval(x, y, 0.0, -0.42, w + 0.16, 0.82, 2.4), y + 0.50)
    if person.hat == "beanie":
        part.fill(dome, paint(tone * 0.95))
        band = torch.maximum((y + 0.52).abs() - 0.13, x.abs() - w - 0.15)
        part.fill(band, paint(tone * 0.75))
    elif person.hat == "cap":
        part.fill(dome, paint(tone * 0.95))
        peak = oval(x, y, 0.55 * sin * 1.6, -0.47, w + 0.12, 0.13)
        part.fill(peak, paint(tone * 0.7))
    else:
        crown = torch.maximum(oval(x, y, 0.0, -0.70, w * 0.92, 0.85, 4.0), y + 0.52)
        part.fill(crown, paint(tone * 0.95))
        part.fill(torch.maximum((y + 0.68).abs() - 0.08, x.abs() - w * 0.9), paint(tone * 0.5), line=False)
        part.fill(oval(x, y, 0.0, -0.54, w + 0.62, 0.12), paint(tone * 0.82))
