"""Edits as data: a scene, and the same scene with one thing changed. What they look like, and where they may differ."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mediagen.world.draw import reach, render, truth
from mediagen.world.edit_names import LOCAL, TASKS
from mediagen.world.palette import COLOUR_RGB
from mediagen.world.people import BEARDS, GLASSES, HAIR_COLOURS, HAIR_STYLES, HATS, Person
from mediagen.world.scene import (
    CAMERAS,
    COLOURS,
    KINDS,
    PLACES,
    SIZES,
    SPLITS,
    STYLES,
    SUITS,
    TIMES,
    UNSEEN,
    WEATHERS,
    Scene,
    Thing,
    draw_scene,
    is_held_out,
)

EXPRESSIONS = ("looks ahead", "smiles", "opens the mouth")  # motions of a head that differ in its mouth alone
_INDOORS, _DARK = ("room", "outer space"), ("night city", "outer space")  # without weather; always at night
_CROSSES = (("car", "boat"), ("bird", "fish", "rocket"))  # each of these kinds crosses the picture in one way


@dataclass(frozen=True)
class Edit:
    """What is asked for: `before` is to become `after`.

    old, new: which of the scene it is about, before and after, as in `draw.Truth.masks`; "" where there is none, as for
    what concerns the whole picture.  part: of a person, one of `PARTS`, or "top" where clothes change their colour.
    colour: of a mark, which is painted over the thing; before and after are then the same scene.
    """

    task: str
    before: Scene
    after: Scene
    old: str = ""
    new: str = ""
    part: str = ""
    colour: str = ""

    @property
    def local(self) -> bool:
        """Whether everything outside `changed` is the same before and after."""
        return self.task in LOCAL or self.task == "mark"

    @property
    def reversed(self) -> "Edit":
        """The edit that undoes this one; ValueError for a mark, under which nobody knows what was."""
        if self.task == "mark":
            raise ValueError("got a mark, which cannot be undone, expected another task; draw one of those.")
        task = {"add": "remove", "remove": "add"}.get(self.task, self.task)
        return replace(self, task=task, before=self.after, after=self.before, old=self.new, new=self.old)


def subject(scene: Scene, name: str) -> Thing | Person:
    """The thing or person of that name, as `Edit` has it."""
    if name == "person":
        assert scene.person is not None
        return scene.person
    return scene.things[int(name.removeprefix("thing"))]


def draw_edit(
    seed: int,
    split: str = "train",
    task: str | None = None,
    *,
    seconds: float = 2.0,
    fps: float = 16.0,
    aspect: float = 1.0,
) -> Edit:
    """Edit number `seed` of a split, of one task or (None) of any, each as often.

    "train" and "validation" show no held-out triple of kind, colour and place (`scene.is_held_out`), neither before nor
    after; "held-out" shows one in all of its edits.
    """
    if split not in SPLITS or task not in (*TASKS, None):
        raise ValueError(
            f"got split '{split}' and task '{task}'; expected one of {', '.join(SPLITS)}, and of {', '.join(TASKS)}."
        )
    rng = np.random.default_rng((seed, SPLITS.index(split), 53))
    wanted = task or TASKS[rng.integers(len(TASKS))]
    source = "test" if split == "held-out" else split
    while True:
        number = int(rng.integers(2**40, 2**48))  # scenes that no stream of clips counts up to
        scene = draw_scene(number, source, "standard", seconds=seconds, fps=fps, aspect=aspect)
        made = _CHANGES[wanted](scene, rng)
        if made is not None and _allowed(made, split):
            return made


def render_edits(
    edits: list[Edit], size: tuple[int, int] = (64, 64), frames: list[int] | None = None
) -> tuple[Tensor, Tensor]:
    """Pictures before and after, each uint8 (B, F, H, W, 3), equal outside `changed` where the edit is local.

    frames: indices of the frames wanted; all by default. Scenes are of one length and frame rate, as in `render`.
    """
    before = render([edit.before for edit in edits], size, frames=frames)
    after = render([edit.after for edit in edits], size, frames=frames)
    for index, edit in enumerate(edits):
        if edit.local:
            new = torch.from_numpy(_paint(edit.colour)) if edit.task == "mark" else after[index]
            after[index] = torch.where(changed(edit, size, frames)[..., None], new, before[index])
    return before, after


def changed(edit: Edit, size: tuple[int, int] = (64, 64), frames: list[int] | None = None) -> Tensor:
    """Where before and after may differ, bool (F, H, W): the thing and its shadow in both; of a mark, what it covers;
    everywhere where the edit is not local."""
    if not edit.local:
        count = edit.before.frames if frames is None else len(frames)
        return torch.ones(count, size[1], size[0], dtype=torch.bool)
    if edit.task == "mark":
        return truth(edit.before, size, frames).masks[edit.old]
    found = [
        reach(scene, name, size, frames) for scene, name in ((edit.before, edit.old), (edit.after, edit.new)) if name
    ]
    return torch.stack(found).any(0)


def alike(before: Tensor, after: Tensor) -> Tensor:
    """Whether pictures (..., H, W, 3) look the same, bool (...): less than 1 pixel in 1,000 differs by 20 levels."""
    apart = (before.int() - after.int()).abs().amax(-1) >= 20
    return apart.float().mean((-1, -2)) < 1e-3


def _paint(colour: str) -> np.ndarray:
    return (np.asarray(COLOUR_RGB[colour]) * 255).round().astype(np.uint8)


def _allowed(edit: Edit, split: str) -> bool:
    """Whether everything can be seen in its place, and held-out triples are where they belong."""
    held = False
    for scene in (edit.before, edit.after):
        for one in (*([scene.person] if scene.person else []), *scene.things):
            lost = one.colour == "black" and scene.time == "night"
            if (one.colour, scene.place) in UNSEEN or (lost and one.kind != "person"):
                return False
            held = held or is_held_out(one.kind, one.colour, scene.place)
    return held if split == "held-out" else not (held and split in ("train", "validation"))


def _other(rng: np.random.Generator, names: tuple[str, ...], *but: str) -> str:
    """One of the names, but for some."""
    left = [name for name in names if name not in but]
    return left[int(rng.integers(len(left)))]


def _names(scene: Scene, rng: np.random.Generator) -> list[str]:
    """What an instruction can be about, in a random order."""
    names = [*(["person"] if scene.person else []), *(f"thing{i}" for i in range(len(scene.things)))]
    return [names[i] for i in rng.permutation(len(names))]


def _thing(scene: Scene, rng: np.random.Generator) -> str | None:
    return next((name for name in _names(scene, rng) if name != "person"), None)


def _with(scene: Scene, name: str, one: Thing | Person) -> Scene:
    """The scene with another in its place."""
    if isinstance(one, Person):
        return replace(scene, person=one)
    index = int(name.removeprefix("thing"))
    return replace(scene, things=(*scene.things[:index], one, *scene.things[index + 1 :]))


def _same(task: str, scene: Scene, name: str, one: Thing | Person, part: str = "") -> Edit:
    return Edit(task, scene, _with(scene, name, one), name, name, part)


def _recolour(scene: Scene, rng: np.random.Generator) -> Edit | None:
    name = _names(scene, rng)[0]
    one = subject(scene, name)
    others = [other.colour for other in scene.things]  # two of one colour could not be told apart
    colour = _other(rng, COLOURS, one.colour, *others)
    return _same("recolour", scene, name, replace(one, colour=colour), "top" if name == "person" else "")


def _replace(scene: Scene, rng: np.random.Generator) -> Edit | None:
    if (name := _thing(scene, rng)) is None:
        return None
    one = scene.things[int(name[-1])]
    kinds = tuple(kind for kind in KINDS if one.motion in SUITS[kind])
    if one.motion == "crosses":
        kinds = next(kinds for kinds in _CROSSES if one.kind in kinds)
    kinds = tuple(kind for kind in kinds if kind not in {other.kind for other in scene.things})
    if not kinds:
        return None
    colour = one.colour if rng.random() < 0.7 else _other(rng, COLOURS, *(other.colour for other in scene.things))
    return _same("replace", scene, name, replace(one, kind=_other(rng, kinds), colour=colour))


def _add(scene: Scene, rng: np.random.Generator) -> Edit | None:
    undone = _remove(scene, rng, things=True)
    return None if undone is None else undone.reversed


def _remove(scene: Scene, rng: np.random.Generator, things: bool = False) -> Edit | None:
    name = _thing(scene, rng) if things else _names(scene, rng)[0]
    if name is None or (len(scene.things) > 1 and name == "thing0" and things):  # what is added comes last
        return None
    if name == "person":
        return Edit("remove", scene, replace(scene, person=None), name) if scene.things else None
    index = int(name[-1])
    kept = (*scene.things[:index], *scene.things[index + 1 :])
    return Edit("remove", scene, replace(scene, things=kept), name)


def _resize(scene: Scene, rng: np.random.Generator) -> Edit | None:
    if (name := _thing(scene, rng)) is None:
        return None
    one = scene.things[int(name[-1])]
    return _same("resize", scene, name, replace(one, size=_other(rng, SIZES, one.size)))


def _person(scene: Scene, rng: np.random.Generator) -> Edit | None:
    """One part of a person; only what can be seen of it: no hair under a hat, no mouth of a figure."""
    person = scene.person
    if person is None:
        return None
    who, near = person.identity, person.shot == "portrait"
    grown_man = not who.woman and who.age != "child"
    parts = ["hat"] + (["hair_style"] if person.hat == "none" else [])
    parts += ["hair_colour"] if who.hair_style != "bald" and person.hat == "none" else []
    parts += (["glasses"] if near else []) + (["beard"] if near and grown_man else [])
    parts += ["expression"] if near and person.motion in EXPRESSIONS else []
    part = str(rng.choice(parts))
    if part == "hat":
        worn = () if near or person.hat == "none" else HATS[1:]  # from afar one hat looks like another
        hat = _other(rng, HATS, person.hat, *worn)
        return _same("person", scene, "person", replace(person, hat=hat), part)
    if part == "expression":
        motion = _other(rng, EXPRESSIONS, person.motion)
        return _same("person", scene, "person", replace(person, motion=motion), part)
    values = {"hair_style": HAIR_STYLES, "hair_colour": HAIR_COLOURS, "glasses": GLASSES, "beard": BEARDS}[part]
    had = getattr(who, part)
    also = {"round": "square", "square": "round", "grey": "white", "white": "grey", "full": "goatee", "goatee": "full"}
    value = _other(rng, values, had, also.get(had, ""))  # which look too much alike
    if part == "hair_style" and "bald" in (had, value) and who.woman:
        return None
    return _same("person", scene, "person", replace(person, identity=replace(who, **{part: value})), part)


def _place(scene: Scene, rng: np.random.Generator) -> Edit | None:
    """Where it is always night only what was at night goes; where things fall slowly, nothing that falls."""
    place = _other(rng, PLACES, scene.place)
    falls = any(thing.motion in ("falls", "bounces") for thing in scene.things)
    slow = "outer space" in (place, scene.place) and falls
    weather = place in _INDOORS and scene.weather != "clear"
    if (place in _DARK and scene.time != "night") or slow or weather:
        return None
    return Edit("place", scene, replace(scene, place=place))


def _time(scene: Scene, rng: np.random.Generator) -> Edit | None:
    if scene.place in _DARK:
        return None
    return Edit("time", scene, replace(scene, time=_other(rng, TIMES, scene.time)))


def _weather(scene: Scene, rng: np.random.Generator) -> Edit | None:
    if scene.place in _INDOORS:
        return None
    return Edit("weather", scene, replace(scene, weather=_other(rng, WEATHERS, scene.weather)))


def _style(scene: Scene, rng: np.random.Generator) -> Edit | None:
    return Edit("style", scene, replace(scene, style=_other(rng, STYLES, scene.style)))


def _camera(scene: Scene, rng: np.random.Generator) -> Edit | None:
    return Edit("camera", scene, replace(scene, camera=_other(rng, CAMERAS, scene.camera)))


def _mark(scene: Scene, rng: np.random.Generator) -> Edit | None:
    names = _names(scene, rng)
    colour = _other(rng, COLOURS[:8], *(subject(scene, name).colour for name in names))
    return Edit("mark", scene, scene, names[0], names[0], "", colour)


_CHANGES: dict[str, Callable[[Scene, np.random.Generator], Edit | None]] = {
    "recolour": _recolour,
    "replace": _replace,
    "add": _add,
    "remove": _remove,
    "resize": _resize,
    "person": _person,
    "place": _place,
    "time": _time,
    "weather": _weather,
    "style": _style,
    "camera": _camera,
    "mark": _mark,
}
