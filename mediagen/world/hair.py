"""Hair, beards and hats of a head, in the units of `portrait`."""

import numpy as np
import torch

from mediagen.world.brush import Brush, oval
from mediagen.world.head import Head, face_line, mouth_place, paint
from mediagen.world.palette import COLOUR_RGB
from mediagen.world.people import Person


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


def draw_beard(brush: Brush, head: Head) -> None:
    who = head.who
    if who.beard == "none" and not who.moustache:
        return
    part = brush.near(-1.1, 0.0, 1.1, 1.35)
    if part.empty:
        return
    tone = paint(head.hair * 0.88)
    mx, my = mouth_place(head)
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


def draw_hair(brush: Brush, head: Head, hat: str) -> None:
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


def draw_hat(brush: Brush, head: Head, person: Person) -> None:
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
