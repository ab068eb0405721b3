"""Whether stories keep their word: scenes that show what each says, one cast, seams that are not seen, no drift."""

import statistics
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mediagen.judge.recogniser import Recogniser
from mediagen.media.clip import Clip
from mediagen.sdk.bench.figures import Part, Tell, mean, share
from mediagen.sdk.engine import Engine
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.stories import Story
from mediagen.text.prompts.meaning import Meaning, Thing
from mediagen.text.prompts.telling import caption
from mediagen.world.scene import SUITS, Scene, draw_scene
from mediagen.world.sounds import foreground_class
from mediagen.world.vocabulary import MOTION_WORDS

SCRIPTS = 60
SHOWN = ("place", "kind", "colour", "motion")
DRIFT = (2, 4, 8, 16, 30)  # seconds of one prompt that goes on
_SCENES = 5


@dataclass(frozen=True)
class Script:
    """A story of five scenes, as its author types it, and the scene that each of them should be."""

    told: tuple[dict[str, str], ...]
    true: tuple[Scene, ...]


def scripts(count: int, limits: Limits, seed: int = 0) -> list[Script]:
    """Stories of things: one that does two things, a night that falls, a cut to another, a last motion.

    The second, third and last scene say only what is new.
    """
    return [_script(index, limits, seed) for index in range(count)]


def _script(index: int, limits: Limits, seed: int) -> Script:
    rng = np.random.default_rng((seed, index, 41))
    number = seed * 2**32 + 1_000_000 + 100 * index
    first = _alone(limits, number)
    other = _alone(limits, number + 50, elsewhere=first.place)
    true = [first, _moving(first, rng)]
    true += [replace(true[1], time="night"), other, _moving(other, rng)]
    says = [_whole(first), _moves(true[1]), "night falls", _whole(other), _moves(true[4])]
    into = ["continue", "continue", "continue", "cut", "continue"]
    told = tuple({"prompt": words, "transition": how} for words, how in zip(says, into, strict=True))
    return Script(told, tuple(true))


def _alone(limits: Limits, number: int, elsewhere: str = "") -> Scene:
    """The next scene of one thing by day, in clear weather, that stays in the picture; elsewhere: not there."""
    aspect = limits.width / limits.height
    while True:
        scene = draw_scene(number, "test", limits.difficulty, seconds=limits.seconds, fps=limits.fps, aspect=aspect)
        alone = scene.person is None and len(scene.things) == 1 and scene.place != elsewhere
        plainly = (scene.weather, scene.time, scene.camera, scene.style) == ("clear", "day", "still", "plain")
        if alone and plainly and scene.things[0].motion != "crosses":
            return scene
        number += 1


def _moving(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene with another motion that suits its thing."""
    thing = scene.things[0]
    others = [motion for motion in SUITS[thing.kind] if motion not in (thing.motion, "crosses")]
    return replace(scene, things=(replace(thing, motion=others[int(rng.integers(len(others)))]),))


def _whole(scene: Scene) -> str:
    thing = scene.things[0]
    return caption(Meaning(place=scene.place, things=(Thing(thing.kind, thing.colour, None, thing.motion),)))


def _moves(scene: Scene) -> str:
    return "it " + MOTION_WORDS[scene.things[0].motion][0].split("|")[0]


def measure_stories(
    engine: Engine, count: int = SCRIPTS, seed: int = 0, tell: Tell | None = None
) -> tuple[list[Part], list[Story]]:
    """Stories by script, judged scene by scene, and one prompt that goes on for half a minute, judged on the way.

    The engine's folder needs a recogniser; sounds are judged where it has a judge of them. Returns the stories too.
    """
    sounding = all(engine.models.has(name) for name in ("audio", "codec", "sound_recogniser"))
    recogniser, part = engine.models.get("recogniser"), Part("Stories")
    made: list[Story] = []
    told = scripts(count, engine.limits, seed)
    for number, script in enumerate(told):
        made.append(engine.story([*script.told], seed=seed * 1_000_003 + number, sound=sounding))
        if tell is not None:
            tell("Telling stories", number + 1, count)
    seen = [recogniser.judge(torch.stack([_frames(scene.clip) for scene in story.scenes]))[0] for story in made]
    right = [
        {key: found[key] == value for key, value in _truth(scene).items()}
        for script, names in zip(told, seen, strict=True)
        for scene, found in zip(script.true, names, strict=True)
    ]
    for key in (*SHOWN, "time"):
        part.figures[f"scenes / {key}"] = share(one[key] for one in right if key in one)
    part.figures["scenes / words"] = share((all(one[key] for key in SHOWN) for one in right), "place, thing, motion")
    pairs = [(names[first], names[later]) for names in seen for first, later in ((0, 1), (0, 2), (3, 4))]
    part.figures["cast"] = share((a["kind"] == b["kind"] and a["colour"] == b["colour"] for a, b in pairs),
                                 "kind and colour as in the first scene of the cast")  # fmt: skip
    seams = [seam(story, index) for story in made for index in range(1, _SCENES) if index != 3]
    part.figures["seam"] = mean(seams, "x", "step at a continuation, over those beside it")
    if sounding:
        heard = engine.models.get("sound_recogniser")
        hits = []
        for script, story in zip(told, made, strict=True):
            for true, scene in zip(script.true, story.scenes, strict=True):
                assert scene.clip.sound is not None
                hits.append(heard.classify(scene.clip.sound[None])[0] == foreground_class(true))
        part.figures["sound class"] = share(hits, "of each scene, in its own part of the soundtrack")
    return [part, measure_drift(engine, recogniser, max(1, count // 4), seed, tell)], made


def measure_drift(engine: Engine, recogniser: Recogniser, count: int, seed: int = 0, tell: Tell | None = None) -> Part:
    """One prompt, made for half a minute: place, colour and sharpness of the clip that ends at each of some times."""
    part, limits = Part("Drift"), engine.limits
    times = [time for time in DRIFT if time >= limits.seconds]
    kept: dict[int, list[dict[str, bool]]] = {time: [] for time in times}
    sharp: dict[int, list[float]] = {time: [] for time in times}
    window = round(limits.seconds * limits.fps)
    for number in range(count):
        scene = _alone(limits, seed * 2**32 + 9_000_000 + 50 * number)
        told = {"prompt": _whole(scene), "seconds": times[-1]}
        film = _frames(engine.story([told], seed=seed * 1_000_003 + number, sound=False).clip)
        clips = torch.stack([film[round(time * limits.fps) - window :][:window] for time in times])
        for time, clip, found in zip(times, clips, recogniser.judge(clips)[0], strict=True):
            true = {"place": scene.place, "colour": scene.things[0].colour}
            kept[time].append({key: found[key] == value for key, value in true.items()})
            sharp[time].append(sharpness(clip) / max(sharpness(clips[0]), 1e-6))
        if tell is not None:
            tell("Going on", number + 1, count)
    for time in times:
        for key in ("place", "colour"):
            part.figures[f"{time} s / {key}"] = share(one[key] for one in kept[time])
        part.figures[f"{time} s / sharpness"] = mean(sharp[time], "x", "over the first clip's")
    return part


def seam(story: Story, index: int) -> float:
    """The step of the pictures into scene `index`, over the middle one of those a second before and after it."""
    film, place = _frames(story.clip).float(), story.scenes[index].start
    around = round(story.clip.fps)
    part = film[max(0, place - around) : place + around]
    steps = (part[1:] - part[:-1]).abs().mean((1, 2, 3)).tolist()
    at = min(place, around) - 1
    beside = statistics.median(steps[:at] + steps[at + 1 :])
    return steps[at] / max(beside, 1e-3)


def sharpness(frames: Tensor) -> float:
    """Mean step between neighbouring pixels of uint8 frames (F, H, W, 3), of 255."""
    wide = frames.float()
    return float((wide[:, 1:] - wide[:, :-1]).abs().mean() + (wide[:, :, 1:] - wide[:, :, :-1]).abs().mean()) / 2


def _truth(scene: Scene) -> dict[str, str]:
    thing = scene.things[0]
    true = {"place": scene.place, "kind": thing.kind, "colour": thing.colour, "motion": thing.motion}
    return true | ({"time": "night"} if scene.time == "night" else {})


def _frames(clip: Clip) -> Tensor:
    assert clip.frames is not None, "a story has pictures"
    return clip.frames
