"""Drawing a head: ears, face, eyes, nose, mouth and glasses; hair, beards and hats are `hair`'s."""

import numpy as np
import torch
from torch import Tensor

from mediagen.world.brush import RGB, Brush, oval
from mediagen.world.hair import draw_beard, draw_hair, draw_hat
from mediagen.world.head import Head, eye_place, face_line, mouth_place, nose_place, paint
from mediagen.world.people import Person

EYE_RGB: dict[str, RGB] = {
    "brown": (0.34, 0.20, 0.10),
    "blue": (0.20, 0.45, 0.80),
    "green": (0.22, 0.55, 0.28),
    "grey": (0.45, 0.50, 0.56),
}
_DARK: RGB = (0.10, 0.08, 0.09)


def draw_head(brush: Brush, head: Head, person: Person, smile: Tensor, mouth: Tensor, blink: Tensor) -> None:
    """Everything from the ears to the hat; the hair behind is `draw_back`'s."""
    brush = brush.near(-1.8, -2.0, 1.8, 1.35)
    _ears(brush, head)
    _face(brush, head)
    draw_beard(brush, head)
    _mouth(brush, head, smile, mouth)
    _nose(brush, head)
    _eyes(brush, head, blink)
    draw_hair(brush, head, person.hat)
    _glasses(brush, head)
    draw_hat(brush, head, person)


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
    ex, ey = eye_place(head)
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
    top, tip = eye_place(head)[1] + 0.04, nose_place(head)
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
    mx, my = mouth_place(head)
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


def _glasses(brush: Brush, head: Head) -> None:
    kind = head.who.glasses
    if kind == "none":
        return
    ex, ey = eye_place(head)
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
