"""Drawing a person of a scene, as a portrait or in full figure, and the truth about it: mask, face box, landmarks."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mediagen.world.brush import RGB, Brush, View, capsule, oval
from mediagen.world.hair import draw_back
from mediagen.world.head import Head, head_of, landmarks, paint
from mediagen.world.palette import COLOUR_RGB
from mediagen.world.people import FEET, Person, Pose, pose
from mediagen.world.portrait import draw_head

BOTTOMS: tuple[RGB, ...] = (
    (0.18, 0.24, 0.42),
    (0.30, 0.30, 0.33),
    (0.42, 0.31, 0.22),
    (0.16, 0.16, 0.19),
    (0.46, 0.50, 0.56),
)
_SHOE: RGB = (0.16, 0.12, 0.11)
TALL = {"child": 8.2, "adult": 10.4, "old": 9.9}  # height of a figure in halves of its face
_HEAD_UP = 1.0  # the face's centre below the crown


@dataclass(frozen=True)
class FaceTruth:
    """Where a face is in the picture, in picture heights: box (F, 4) left, top, right, bottom; points (F, 5, 2) as
    `head.LANDMARKS`; yaw, pitch, roll (F,) in radians."""

    box: np.ndarray
    points: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    roll: np.ndarray


@dataclass(frozen=True)
class Placed:
    """A person in world coordinates at some times: the pose, half of the face's height and the head's centre (F,)."""

    pose: Pose
    half: float
    head_x: np.ndarray
    head_y: np.ndarray


def place(person: Person, seconds: float, aspect: float, times: np.ndarray) -> Placed:
    found = pose(person, seconds, aspect, times)
    if person.shot == "portrait":
        return Placed(found, person.near / 2, found.x, found.y)
    half = person.near / TALL[person.identity.age]
    up = TALL[person.identity.age] - _HEAD_UP - 0.8 * found.bend
    return Placed(found, half, found.x + 0.4 * half * np.sin(found.roll), found.y - up * half)


def _column(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device).view(-1, 1, 1)


def draw_person(
    canvas: Tensor,
    mask: Tensor | None,
    person: Person,
    placed: Placed,
    pan: np.ndarray,
    zoom: np.ndarray,
    *,
    tint: Tensor | None,
    outlined: bool,
    soft: bool,
) -> None:
    """Paints into canvas (F, 3, H, W); pan, zoom: of the camera, (F,)."""
    device, p, half = canvas.device, placed.pose, placed.half
    height, width = canvas.shape[-2:]
    on_body = View(height, width / height, pan, zoom, placed.head_x, placed.head_y, half)
    on_head = replace(on_body, roll=p.roll, pivot=1.1)
    edge = (0.035 if person.shot == "portrait" else 0.07) if outlined else 0.0

    def brush(view: View) -> Brush:
        return Brush(canvas, mask, view, 3.0 if soft else 1.0, edge, tint)

    head = head_of(person, _column(p.yaw, device), _column(p.pitch, device))
    draw_back(brush(on_head), head)
    if person.shot == "portrait":
        _bust(brush(on_body), person, head)
    else:
        _figure(brush(replace(on_body, left=p.x, top=p.y)), person, p, head)
    smile, mouth, blink = (_column(values, device) for values in (p.smile, p.mouth, p.blink))
    draw_head(brush(on_head), head, person, smile, mouth, blink)


def _bust(brush: Brush, person: Person, head: Head) -> None:
    who = person.identity
    broad = 1.42 if who.woman else 1.68
    broad *= 0.85 if who.age == "child" else 1.0
    part = brush.near(-2.4, 0.3, 2.4, 4.0)
    if part.empty:
        return
    neck = 0.30 if who.woman or who.age == "child" else 0.38
    part.fill(capsule(part.x, part.y, 0.0, 0.5, 0.0, 1.5, neck), paint(head.skin * 0.86))
    tone = np.asarray(COLOUR_RGB[person.colour])
    shirt = torch.maximum(oval(part.x, part.y, 0.0, 2.9, broad, 1.62, 2.7), 1.1 - part.y)
    _cloth(part, shirt, tone, person.top, 0.24)
    opening = oval(part.x, part.y, 0.0, 1.32, neck + 0.16, 0.24 if person.top != "collar" else 0.2)
    part.fill(torch.maximum(opening, shirt), paint(head.skin * 0.92), line=False)
    if person.top == "collar":
        for side in (-1, 1):
            flap = torch.maximum(
                (part.x - side * 0.30 - side * 0.45 * (part.y - 1.42)).abs() - 0.15, (part.y - 1.46).abs() - 0.24
            )
            part.fill(flap, paint(np.minimum(tone * 0.6 + 0.4, 1.0)))


def _cloth(part: Brush, distance: Tensor, tone: np.ndarray, top: str, stripe: float) -> None:
    light = (1.02 - 0.07 * part.x - 0.03 * (part.y - 1.5)).clamp(0.6, 1.1).unsqueeze(1)
    colour = torch.tensor(tone, dtype=torch.float32, device=part.canvas.device).view(1, 3, 1, 1)
    if top == "striped":
        band = torch.sigmoid((torch.sin(part.y * (3.14159 / stripe)) - 0.1) * 9).unsqueeze(1)
        colour = torch.lerp(colour.expand(-1, -1, *band.shape[-2:]), torch.full_like(band, 0.93), 0.85 * band)
    part.fill(distance, (colour * light).clamp(0, 1))


def _figure(brush: Brush, person: Person, p: Pose, head: Head) -> None:
    """The body below the head; the origin lies between the feet, units are halves of the face's height."""
    who, device = person.identity, brush.canvas.device
    tall, woman = TALL[who.age], who.woman
    small = tall / 10.4
    tone = np.asarray(COLOUR_RGB[person.colour])
    bottom = np.asarray(BOTTOMS[int(person.phase * 997) % len(BOTTOMS)])
    bend = _column(p.bend, device)
    hip, shoulder = -(0.47 * tall) + 0.8 * bend, -(tall - 2.35) + 0.8 * bend
    width = (1.02 if woman else 1.22) * (0.9 if who.age == "child" else 1.0)
    lean = 0.4 * _column(np.sin(p.roll), device)
    dress = person.top == "dress"
    leg_tone = head.skin if dress else bottom
    thigh = 0.235 * tall
    for side, index in ((-1, 0), (1, 1)):
        swing = _column(p.legs[:, index], device) + side * 0.55 * bend
        back = (0.5 * (-swing).clamp_min(0) if person.motion.startswith("walks") else 0 * swing) * (
            1 if p.yaw.mean() > 0 else -1
        )
        hx = side * 0.42 * width + lean
        kx, ky = hx + thigh * torch.sin(swing), hip + thigh * torch.cos(swing)
        low = swing - back - side * 1.0 * bend
        fx, fy = kx + thigh * torch.sin(low), ky + thigh * torch.cos(low)
        fy = fy.clamp_max(-0.18) if person.motion != "jumps" else fy
        thick = 0.40 * small if not dress else 0.30 * small
        leg = brush.around(0.7, (hx, hip), (kx, ky), (fx, fy))
        upper = capsule(leg.x, leg.y, hx, hip, kx, ky, thick)
        leg.fill(
            torch.minimum(upper, capsule(leg.x, leg.y, kx, ky, fx, fy, thick * 0.86)),
            paint(leg_tone * (0.92 if side < 0 else 1.0)),
        )
        turn = torch.sin(_column(p.yaw, device)) * 0.35 + side * 0.12
        shoe = brush.around(0.8, (fx + turn, fy))
        shoe.fill(oval(shoe.x, shoe.y, fx + turn, fy + 0.05, 0.52 * small, 0.27 * small), _SHOE)
    arms = [_arm(p, side, index, width, shoulder, lean, tall, device) for side, index in ((-1, 0), (1, 1))]
    up = [index for index in (0, 1) if p.arms[:, index, 0].max() > 0.9 or person.motion == "claps"]
    for index in (0, 1):
        if index not in up:
            _draw_arm(brush, arms[index], tone, head.skin, small)
    whole = brush.around(2.2, (lean, shoulder + 1.0), (lean, shoulder + 0.62 * tall if dress else hip))
    middle = (hip + shoulder) / 2
    rise = (hip - shoulder) / 2
    torso = oval(
        whole.x - lean,
        whole.y,
        0.0,
        middle + 0.1,
        width * (1 - 0.10 * (whole.y - middle) / rise * (1 if woman else 0.6)),
        rise + 0.22,
        4.0,
    )
    if dress:
        flare = width * (0.75 + 0.30 * (whole.y - shoulder) / (0.42 * tall))
        skirt = torch.maximum((whole.x - lean).abs() - flare, (whole.y - (shoulder + 0.33 * tall)).abs() - 0.23 * tall)
        torso = torch.minimum(torso, skirt)
    part_top = "striped" if person.top == "striped" else "plain"
    _cloth(whole, torso, tone, part_top, 0.42)
    whole.fill(
        capsule(whole.x - lean, whole.y, 0.0, shoulder - 0.75, 0.0, shoulder + 0.05, 0.34),
        paint(head.skin * 0.88),
        line=False,
    )
    for index in up:
        _draw_arm(brush, arms[index], tone, head.skin, small)


def _arm(
    p: Pose, side: int, index: int, width: float, shoulder: Tensor, lean: Tensor, tall: float, device: torch.device
) -> tuple[Tensor, ...]:
    upper, fore = _column(p.arms[:, index, 0], device), _column(p.arms[:, index, 1], device)
    sx, sy = side * (width - 0.12) + lean, shoulder + 0.28
    long = 0.165 * tall
    ex, ey = sx + side * long * torch.sin(upper), sy + long * torch.cos(upper)
    total = upper + fore
    hx, hy = ex + side * 0.95 * long * torch.sin(total), ey + 0.95 * long * torch.cos(total)
    return sx, sy, ex, ey, hx, hy


def _draw_arm(brush: Brush, arm: tuple[Tensor, ...], tone: np.ndarray, skin: np.ndarray, small: float) -> None:
    sx, sy, ex, ey, hx, hy = arm
    whole = brush.around(0.5, (sx, sy), (ex, ey), (hx, hy))
    whole.fill(oval(whole.x, whole.y, hx, hy, 0.34 * small, 0.34 * small), paint(skin))
    sleeve = torch.minimum(
        capsule(whole.x, whole.y, sx, sy, ex, ey, 0.33 * small),
        capsule(whole.x, whole.y, ex, ey, hx - 0.12 * (hx - ex), hy - 0.12 * (hy - ey), 0.28 * small),
    )
    whole.fill(sleeve, paint(tone * 0.9))


def face_truth(person: Person, placed: Placed, pan: np.ndarray, zoom: np.ndarray, aspect: float) -> FaceTruth:
    """Box and landmarks of the face as the camera sees them."""
    p, half = placed.pose, placed.half
    head = head_of(person, _column(p.yaw, torch.device("cpu")), _column(p.pitch, torch.device("cpu")))
    local = landmarks(head, _column(p.smile, torch.device("cpu"))).double().numpy()
    w = head.width
    ring = np.asarray(
        [
            (-w, 0.1),
            (w, 0.1),
            (0.0, -1.0),
            (0.0, 1.0),
            (-0.7 * w, -0.75),
            (0.7 * w, -0.75),
            (-0.6 * w, 0.75),
            (0.6 * w, 0.75),
        ]
    )
    corners = np.broadcast_to(ring, (len(p.roll), *ring.shape))

    def seen(points: np.ndarray) -> np.ndarray:
        cos, sin = np.cos(p.roll)[:, None], np.sin(p.roll)[:, None]
        u, v = points[..., 0], points[..., 1] - 1.1
        xs = placed.head_x[:, None] + half * (u * cos - v * sin)
        ys = placed.head_y[:, None] + half * (v * cos + u * sin + 1.1)
        xs = (xs - pan[:, None] - 0.5 * aspect) * zoom[:, None] + 0.5 * aspect
        ys = (ys - 0.5) * zoom[:, None] + 0.5
        return np.stack((xs, ys), -1)

    around = seen(corners)
    box = np.concatenate((around.min(1), around.max(1)), -1)
    return FaceTruth(box, seen(local), p.yaw, p.pitch, p.roll)


def draw_shadow(canvas: Tensor, person: Person, placed: Placed, pan: np.ndarray, zoom: np.ndarray) -> None:
    """The shadow under a figure on canvas (F, 3, H, W), paler the higher it jumps."""
    height, width = canvas.shape[-2:]
    view = View(height, width / height, pan, zoom, placed.pose.x, 0 * placed.pose.x + FEET + 0.005, placed.half)
    part = Brush(canvas, None, view).near(-4.0, -1.5, 4.0, 1.5)
    if part.empty:
        return
    lift = _column(np.maximum(FEET - placed.pose.y, 0), canvas.device)
    far = torch.hypot((part.x - 0.1 * lift / placed.half) / 1.5, part.y / 0.33)
    shade = (0.38 / (1 + 5 * lift)) * torch.sigmoid((1 - far) * 5)
    canvas[..., part.rows, part.columns] *= (1 - shade).unsqueeze(1)
