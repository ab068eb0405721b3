"""Drawing scenes: anti-aliased pictures by batched torch operations, on any device, at any size."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mediagen.world import shapes
from mediagen.world.backdrops import PAINTERS, Stage, colour_of
from mediagen.world.figures import FaceTruth, draw_person, draw_shadow, face_truth, place
from mediagen.world.motion import GROUND, camera, facing, path
from mediagen.world.palette import COLOUR_RGB
from mediagen.world.scene import RADIUS, Scene, Thing

_NIGHT = (0.42, 0.46, 0.66)  # how much of each colour is left of a place at night
_NIGHT_THING = (0.84, 0.84, 0.90)


@torch.no_grad()
def render(
    scenes: list[Scene],
    size: tuple[int, int] = (64, 64),
    device: str | torch.device = "cpu",
    frames: list[int] | None = None,
) -> Tensor:
    """Pictures of `scenes`, all of one length and frame rate: uint8 (B, F, H, W, 3).

    size: (width, height) in pixels.  frames: indices of the frames wanted; all by default.
    """
    width, height = size
    if not scenes:
        raise ValueError("got no scenes, expected at least one; draw some with draw_scene.")
    if len({(scene.frames, scene.fps) for scene in scenes}) > 1:
        raise ValueError("got scenes of different lengths or frame rates; render them in separate calls.")
    times = np.asarray(frames if frames is not None else range(scenes[0].frames)) / scenes[0].fps
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for index, scene in enumerate(scenes):
        groups[scene.place, scene.camera == "still"].append(index)
    out = torch.empty(len(scenes), len(times), 3, height, width, device=device)
    for (where, still), members in groups.items():
        out[_send(members, device)] = _backdrop(
            where, [scenes[i] for i in members], times[:1] if still else times, width, height, device
        )
    _draw_things(out, scenes, times)
    for index, scene in enumerate(scenes):
        if scene.weather != "clear":
            out[index] = _weather(out[index], scene, times)
    return (out.clamp_(0, 1) * 255).round_().to(torch.uint8).permute(0, 1, 3, 4, 2).contiguous()


def _send(values: list | np.ndarray, device: str | torch.device) -> Tensor:
    """Numbers to a device without waiting until it has nothing else to do, as a plain `to` would."""
    return torch.from_numpy(np.asarray(values)).to(device, non_blocking=True)


def _chance(scene: Scene, stream: int, count: int) -> np.ndarray:
    return np.random.default_rng((scene.seed, 77, stream)).random(count, dtype=np.float32)


def _views(scenes: list[Scene], times: np.ndarray, device: str | torch.device) -> tuple[Tensor, Tensor]:
    """Pan and zoom, each (B, F, 1, 1)."""
    views = _send(np.asarray([camera(scene, times) for scene in scenes], dtype=np.float32), device)
    return views[:, 0, :, None, None], views[:, 1, :, None, None]


def _screen(width: int, height: int, device: str | torch.device) -> tuple[Tensor, Tensor]:
    x = (torch.arange(width, device=device) + 0.5) / height
    y = (torch.arange(height, device=device) + 0.5) / height
    return x.view(1, 1, 1, -1), y.view(1, 1, -1, 1)


def _backdrop(
    place: str, scenes: list[Scene], times: np.ndarray, width: int, height: int, device: str | torch.device
) -> Tensor:
    pan, zoom = _views(scenes, times, device)
    x, y = _screen(width, height, device)
    aspect = width / height
    shape = (len(scenes), len(times), height, width)
    chance = _send(np.stack([_chance(scene, 0, 8) for scene in scenes]), device)
    stage = Stage(
        x=((x - 0.5 * aspect) / zoom + 0.5 * aspect).expand(shape),
        y=((y - 0.5) / zoom + 0.5).expand(shape),
        pan=pan,
        aspect=aspect,
        pixel=1 / height,
        chance=chance.view(len(scenes), 8, 1, 1, 1),
        canvas=torch.zeros(len(scenes), len(times), 3, height, width, device=device),
    )
    PAINTERS[place](stage)
    dark = colour_of(_NIGHT if place not in ("night city", "outer space") else (1.0, 1.0, 1.0), stage.canvas.device)
    night = _send([scene.time == "night" for scene in scenes], device).view(-1, 1, 1, 1, 1)
    return torch.where(night, stage.canvas * dark, stage.canvas)


def _draw_things(out: Tensor, scenes: list[Scene], times: np.ndarray) -> None:
    """Draws shadows, then things, kind by kind; the second thing of a scene stands behind the first."""
    _draw_people(out, scenes, times)
    for order in (1, 0):
        groups: dict[str, list[int]] = defaultdict(list)
        for index, scene in enumerate(scenes):
            if len(scene.things) > order:
                groups[scene.things[order].kind].append(index)
        for kind, members in groups.items():
            chosen, index = [scenes[i] for i in members], _send(members, out.device)
            out[index] = _draw_kind(out[index], kind, chosen, [scene.things[order] for scene in chosen], times)[0]


def _draw_people(out: Tensor, scenes: list[Scene], times: np.ndarray) -> None:
    """People one by one, since each is made of other parts; they stand behind the things."""
    for index, scene in enumerate(scenes):
        if scene.person is not None:
            _paint_person(out[index], None, scene, times)


def _paint_person(canvas: Tensor, mask: Tensor | None, scene: Scene, times: np.ndarray) -> None:
    assert scene.person is not None
    pan, zoom = camera(scene, times)
    placed = place(scene.person, scene.seconds, scene.aspect, times)
    if scene.person.shot == "figure":
        draw_shadow(canvas, scene.person, placed, pan, zoom)
    draw_person(
        canvas,
        mask,
        scene.person,
        placed,
        pan,
        zoom,
        tint=colour_of(_NIGHT_THING, canvas.device)[0] if scene.time == "night" else None,
        outlined=scene.style == "outlined",
        soft=scene.style == "soft",
    )


def _draw_kind(
    canvas: Tensor, kind: str, scenes: list[Scene], things: list[Thing], times: np.ndarray
) -> tuple[Tensor, Tensor]:
    """The canvas with the things on it, and how much of each pixel they cover, (B, F, 1, H, W)."""
    device, (height, width) = canvas.device, canvas.shape[-2:]
    pan, zoom = _views(scenes, times, device)
    aspect = width / height
    paths = [path(scene, thing, times) for scene, thing in zip(scenes, things, strict=True)]

    def column(values: list) -> Tensor:
        return _send(np.asarray(values, dtype=np.float32), device).view(len(scenes), -1, 1, 1)

    x, y = _screen(width, height, device)
    x = (x - 0.5 * aspect) / zoom + 0.5 * aspect + pan
    y = (y - 0.5) / zoom + 0.5
    radius = column([RADIUS[thing.size] for thing in things])
    pixel = 1 / (height * zoom * radius)  # of the screen, in local units
    centre_x, centre_y = column([p.x for p in paths]), column([p.y for p in paths])
    squash, angle = column([p.squash for p in paths]), column([p.angle for p in paths])
    side = column([facing(thing, times) for thing in things])
    # the shadow, on the ground under the thing, paler the higher it is
    lift = (GROUND - radius - centre_y).clamp_min(0)
    spread = radius * (0.95 + 0.5 * lift)
    shadow = torch.hypot((x - centre_x - 0.1 * lift) / spread, (y - GROUND - 0.012) / (0.22 * spread))
    canvas = canvas * (1 - (0.38 / (1 + 5 * lift)) * torch.sigmoid((1 - shadow) * 5)).unsqueeze(2)
    # local coordinates, upright and turned; squash flattens onto the ground
    up_x = (x - centre_x) / (radius * (1 + 0.22 * squash))
    up_y = (y - centre_y - 0.25 * radius * squash) / (radius * (1 - 0.25 * squash))
    cos, sin = torch.cos(angle), torch.sin(angle)
    turned_x, turned_y = (up_x * cos + up_y * sin) * side, up_y * cos - up_x * sin
    beat = torch.sin(column([9.0 * times + 6.28 * thing.phase for thing in things]))
    distance = shapes.outline(kind, turned_x, turned_y, beat)
    soft = column([3.0 if scene.style == "soft" else 1.0 for scene in scenes])
    cover = (0.5 - distance / (pixel * soft)).clamp(0, 1).unsqueeze(2)
    bright, highlight = shapes.shade(kind, up_x, up_y, turned_x, turned_y)
    colours = np.asarray([COLOUR_RGB[thing.colour] for thing in things], dtype=np.float32)
    rgb = _send(colours, device).view(-1, 1, 3, 1, 1)
    colour = rgb * bright.unsqueeze(2) + highlight.unsqueeze(2)
    for part, tint in shapes.details(kind, turned_x, turned_y):
        alpha = (0.5 - part / pixel).clamp(0, 1).unsqueeze(2)
        colour = torch.lerp(colour, colour_of(tint, device).expand_as(colour), alpha)
        cover = torch.maximum(cover, alpha)
    lined = column([scene.style == "outlined" for scene in scenes]).unsqueeze(2)
    edge = (0.5 - ((distance + 0.09).abs() - 0.09) / pixel).clamp(0, 1).unsqueeze(2)
    colour = colour * (1 - 0.85 * edge * lined)
    night = column([scene.time == "night" for scene in scenes]).unsqueeze(2)
    colour = colour * (1 - night * (1 - colour_of(_NIGHT_THING, device)))
    return torch.lerp(canvas, colour.clamp(0, 1), cover), cover


def _weather(canvas: Tensor, scene: Scene, times: np.ndarray) -> Tensor:
    """Rain, snow or fog over one clip, canvas (F, 3, H, W)."""
    device, (height, width) = canvas.device, canvas.shape[-2:]
    grey = colour_of((0.78, 0.81, 0.85), device)[0]
    if scene.weather == "fog":
        depth = torch.linspace(0.68, 0.30, height, device=device).view(1, 1, -1, 1)
        return torch.lerp(canvas, grey.expand_as(canvas), depth)
    count = 26
    chance = _send(_chance(scene, 1, 3 * count).reshape(3, count, 1, 1, 1), device)
    x, y = _screen(width, height, device)
    x, y = x[0], y[0]
    t = _send(times.astype(np.float32), device).view(-1, 1, 1)
    falls, slant, long = (1.6, 0.12, 0.05) if scene.weather == "rain" else (0.32, 0.0, 0.0)
    drop_y = torch.remainder(chance[1] + falls * (0.8 + 0.4 * chance[2]) * t, 1.1) - 0.05
    sway = 0.0 if scene.weather == "rain" else 0.03 * torch.sin(3 * t + 6.28 * chance[2])
    drop_x = torch.remainder(chance[0] * width / height + sway - slant * t, width / height)
    dy = y - drop_y
    along = dy.clamp(-long, long)
    distance = torch.hypot(x - drop_x + slant * along, dy - along)
    thin = 0.006 if scene.weather == "rain" else 0.014
    cover = (0.5 - (distance - thin) * height).clamp(0, 1).amax(0).unsqueeze(1)
    tint = grey if scene.weather == "rain" else torch.ones_like(grey)
    return torch.lerp(canvas * 0.92, tint.expand_as(canvas), 0.75 * cover)


@dataclass(frozen=True)
class Truth:
    """What stands where in a clip. masks: bool (F, H, W) by name ("person", "thing0", "thing1"), what can be seen of
    each, from the back to the front.  face: of the person, if there is one."""

    masks: dict[str, Tensor]
    face: FaceTruth | None


@torch.no_grad()
def truth(scene: Scene, size: tuple[int, int] = (64, 64), frames: list[int] | None = None) -> Truth:
    """The truth about what `render` draws of one scene, at a size (width, height) in pixels."""
    width, height = size
    times = np.asarray(frames if frames is not None else range(scene.frames)) / scene.fps
    canvas = torch.zeros(len(times), 3, height, width)
    covers: dict[str, Tensor] = {}
    face = None
    if scene.person is not None:
        covers["person"] = torch.zeros(len(times), height, width)
        _paint_person(canvas, covers["person"], scene, times)
        placed = place(scene.person, scene.seconds, scene.aspect, times)
        face = face_truth(scene.person, placed, *camera(scene, times), scene.aspect)
    for order in reversed(range(len(scene.things))):
        thing = scene.things[order]
        covers[f"thing{order}"] = _draw_kind(canvas[None], thing.kind, [scene], [thing], times)[1][0, :, 0]
    masks = {name: cover > 0.5 for name, cover in covers.items()}
    names = list(masks)
    for index, name in enumerate(names):
        for front in names[index + 1 :]:
            masks[name] = masks[name] & ~masks[front]
    return Truth(masks, face)


@torch.no_grad()
def reach(scene: Scene, name: str, size: tuple[int, int] = (64, 64), frames: list[int] | None = None) -> Tensor:
    """Where one of a scene (named as in `Truth.masks`) or its shadow can be seen to change a pixel, bool (F, H, W)."""
    width, height = size
    times = np.asarray(frames if frames is not None else range(scene.frames)) / scene.fps
    canvas, cover = torch.ones(len(times), 3, height, width), torch.zeros(len(times), height, width)
    if name == "person":
        _paint_person(canvas, cover, scene, times)
    else:
        thing = scene.things[int(name.removeprefix("thing"))]
        canvas, cover = (part[0] for part in _draw_kind(canvas[None], thing.kind, [scene], [thing], times))
        cover = cover[:, 0]
    return (cover > 0) | (canvas < 1 - 1 / 512).any(1)
