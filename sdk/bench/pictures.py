"""Whether the pictures show what the prompts say: the part of the bench that generates."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mediagen.generate import VideoModels, decode_frames
from mediagen.generator import FlowGenerator
from mediagen.grid import Grid
from mediagen.judge.measures import frechet, psnr, ssim
from mediagen.judge.outlines import SHAPES, outline_of, squares
from mediagen.judge.recogniser import HAIR_LENGTHS, Recogniser, truth
from mediagen.judge.whole_objects import shows_whole_object, smallest_area
from mediagen.media.clip import Clip, to_float, to_uint8
from mediagen.sampling import linear, linear_quadratic
from mediagen.sdk.bench.figures import Figure, Part, Tell, mean, share
from mediagen.sdk.engine import Engine
from mediagen.sdk.models.limits import Limits
from mediagen.tae import TAE
from mediagen.world.draw import render
from mediagen.world.scene import Scene, draw_scene
from mediagen.world.words import tell

CHUNK = 16  # clips at a time
JUDGED = ("place", "kind", "colour", "motion", "weather", "camera", "time")
WHOLE = ("place", "kind", "colour", "motion")  # what "all at once" asks for
BOTH = ("kind", "colour", "kind2", "colour2")  # what "both things" asks for
LOOKS = ("hair length", "hair_colour", "glasses", "beard", "motion")  # of a person in a portrait whose looks are told
MOVING = 20  # of 255: pixels that differ so much from their clip's mean are called moving
HELD_OUT = 5  # one prompt in so many is of a triple that training lacks


@dataclass(frozen=True)
class Asked:
    """One prompt of the bench, the scene behind it, and the attributes that the prompt really names."""

    scene: Scene
    split: str
    prompt: str
    said: frozenset[str]


def draw_prompts(count: int, limits: Limits, seed: int = 0) -> list[Asked]:
    """`count` prompts, four in five of split "test" and one of "held-out"; the first ones don't depend on count."""
    made = []
    for index in range(count):
        split = "held-out" if index % HELD_OUT == HELD_OUT - 1 else "test"
        scene = draw_scene(
            seed * 2**32 + index,
            split,
            limits.difficulty,
            seconds=limits.seconds,
            fps=limits.fps,
            aspect=limits.width / limits.height,
        )
        prompt, words = tell(scene, np.random.default_rng((seed, index, 17)))
        said = {word.removesuffix("0") for word in words if not word.endswith("1")}
        made.append(Asked(scene, split, prompt, frozenset(said)))
    return made


def measure_pictures(
    engine: Engine, asked: list[Asked], seed: int = 0, tell: Tell | None = None
) -> tuple[Part, list[Clip]]:
    """Accuracy, coherence and Fréchet distance of one clip per prompt, beside the same of true renders and TAE passes.

    The engine's folder needs a recogniser. Returns the part, and the clips without sound, in the order of `asked`.
    """
    recogniser: Recogniser = engine.models.get("recogniser")
    part = Part("Pictures")
    clips = make_clips(engine, asked, seed, tell)
    frames = torch.stack([_frames(clip) for clip in clips])
    features = {"generated": _judge(part, "generated", frames, asked, recogniser)}
    size = (engine.limits.width, engine.limits.height)
    device = engine.models.device
    real = torch.cat(list(_renders([one.scene for one in asked], size, device, tell)))
    features["true renders"] = _judge(part, "true renders", real, asked, recogniser)
    if engine.models.has("tae"):
        passed = through_tae(engine.models.get("tae"), real)
        features["true renders through the TAE"] = _judge(
            part, "true renders through the TAE", passed, asked, recogniser
        )
    others = draw_prompts(len(asked), engine.limits, seed + 1)  # the same mixture of splits, other scenes
    beside = _renders([one.scene for one in others], size, device, tell)
    other = torch.cat([recogniser.judge(chunk)[1] for chunk in beside])
    if len(asked) > 1:
        for name, found in features.items():
            note = "the floor: two halves of real clips" if name == "true renders" else "to as many other true renders"
            part.figures[f"{name} / Fréchet"] = Figure(frechet(found, other), count=len(found), unit="d²", note=note)
    return part, clips


def make_clips(engine: Engine, asked: list[Asked], seed: int = 0, tell: Tell | None = None) -> list[Clip]:
    """One clip without sound per prompt, at the engine's defaults; in batches where its folder has the models."""
    limits, models = engine.limits, engine.models
    if not all(models.has(name) for name in ("prompt", "video", "tae")):
        clips = []
        for index, one in enumerate(asked):
            clips.append(engine.generate(one.prompt, seed=seed * 1_000_003 + index, sound=False))
            if tell is not None:
                tell("Generating", index + 1, len(asked))
        return clips
    video = video_models(engine)
    grid = grid_of(video, limits)
    rng = torch.Generator(models.device).manual_seed(seed)
    clips = []
    for start in range(0, len(asked), CHUNK):
        prompts = [one.prompt for one in asked[start : start + CHUNK]]
        steps, scale = limits.steps, limits.guidance_scale
        latent = video.generator.latents(prompts, grid, rng=rng, steps=steps, scale=scale)
        frames = decode_frames(video, latent, grid.frames).cpu()
        clips += [Clip(frames=f, fps=limits.fps, caption=p) for f, p in zip(frames, prompts, strict=True)]
        if tell is not None:
            tell("Generating", len(clips), len(asked))
    return clips


def video_models(engine: Engine) -> VideoModels:
    """The picture models of an engine, loaded."""
    get = engine.models.get
    return VideoModels(FlowGenerator(get("prompt"), get("video")), get("tae"))


def grid_of(models: VideoModels, limits: Limits) -> Grid:
    """The grid of a clip at the folder's defaults."""
    return models.grid(limits.seconds, (limits.width, limits.height), limits.fps)


def measure_schedule(models: VideoModels, asked: list[Asked], limits: Limits, seed: int = 0) -> Part:
    """How far the latents of short schedules are from those of 1000 uniform steps, from the same noise.

    Root mean square error in units of the latent's standard deviation. Movie Gen (arXiv 2410.13720, section 3.4.2)
    claims that 50 linear-quadratic steps do what 250 uniform ones do.
    """
    part, grid, flow = Part("Schedule"), grid_of(models, limits), models.generator
    assert isinstance(flow, FlowGenerator)
    prompts = [one.prompt for one in asked]

    def latents(times: list[float]) -> Tensor:
        rng = torch.Generator(next(flow.video.parameters()).device).manual_seed(seed)
        return flow.latents(prompts, grid, rng=rng, times=times, scale=limits.guidance_scale)

    reference = latents(linear(1000))
    schedules = {"50 linear-quadratic": linear_quadratic(50), "50 uniform": linear(50), "250 uniform": linear(250)}
    for name, times in schedules.items():
        error = (latents(times) - reference).square().flatten(1).mean(1).sqrt()
        part.figures[f"RMSE, {name}"] = mean(error.tolist(), "std", "to 1000 uniform steps")
    return part


def measure_tae(tae: TAE, limits: Limits, count: int = 64, seed: int = 0) -> Part:
    """PSNR (of what moves, too), SSIM and squares of held-out clips after the TAE."""
    part = Part("Autoencoder")
    scenes = [one.scene for one in draw_prompts(count * HELD_OUT, limits, seed + 2) if one.split == "held-out"]
    ratio, moving, likeness, edges = [], [], [], []
    for chunk in _renders(scenes, (limits.width, limits.height), next(tae.parameters()).device):
        passed = through_tae(tae, chunk)
        ratio += psnr(passed, chunk).tolist()
        likeness += ssim(passed, chunk).tolist()
        moving += moving_psnr(passed, chunk)
        edges.append(squares(passed) / squares(chunk))
    part.figures["PSNR"] = mean(ratio, "dB", "held-out clips")
    part.figures["PSNR of what moves"] = mean(moving, "dB", f"pixels {MOVING} of 255 from their clip's mean, or more")
    part.figures["SSIM"] = mean(likeness, "SSIM", "held-out clips")
    part.figures["squares"] = mean(edges, "x", "steps at the borders of cells, over those of true clips")
    return part


def moving_psnr(found: Tensor, true: Tensor) -> list[float]:
    """PSNR in dB of the pixels that move, of each clip (B, F, H, W, 3) in which anything does."""
    moves = (true.float() - true.float().mean(1, keepdim=True)).abs().amax(-1) > MOVING
    error = ((found.float() - true.float()) / 255).square().mean(-1)
    means = [float(one[where].mean()) for one, where in zip(error, moves, strict=True) if where.any()]
    return [-10 * math.log10(max(value, 1e-10)) for value in means]


@torch.inference_mode()
def through_tae(tae: TAE, frames: Tensor) -> Tensor:
    """Frames uint8 (B, F, H, W, 3), encoded and decoded, a few clips at a time."""
    device = next(tae.parameters()).device
    made = []
    for chunk in frames.split(CHUNK):
        made.append(to_uint8(tae.decode(tae.encode(to_float(chunk.to(device))), chunk.shape[1])).cpu())
    return torch.cat(made)


def _judge(part: Part, name: str, frames: Tensor, asked: list[Asked], recogniser: Recogniser) -> Tensor:
    """Adds the figures of one set of clips (B, F, H, W, 3) to `part`, and returns their features."""
    found, features = recogniser.judge(frames)
    truths = [truth(one.scene) for one in asked]
    judged = [name for name in JUDGED if name in found[0]]
    right = [{key: seen[key] == true[key] for key in judged} for seen, true in zip(found, truths, strict=True)]
    alone = [i for i, one in enumerate(asked) if seen_plainly(one.scene)]
    whole = {
        i: shows_whole_object(frames[i], thing.colour, smallest_area(thing.size))
        for i in alone
        for thing in asked[i].scene.things
    }
    groups = {"": range(len(asked)), "held-out": [i for i, one in enumerate(asked) if one.split == "held-out"]}
    for group, members in groups.items():
        prefix = f"{name}, held-out triples" if group else name
        for key in judged:
            # A prompt that does not name the motion cannot be wrong about it.
            part.figures[f"{prefix} / {key}"] = share(right[i][key] for i in members if key in asked[i].said)
        everything = {i: all(right[i][key] for key in WHOLE if key in asked[i].said) for i in members}
        part.figures[f"{prefix} / all of it"] = share(everything.values(), "place, kind, colour and motion")
        one = [i for i in members if i in whole]
        part.figures[f"{prefix} / one object"] = share((whole[i] for i in one), "one whole thing of that colour")
        part.figures[f"{prefix} / all of it, one object"] = share(everything[i] and whole[i] for i in one)
    shaped = ((i, asked[i].scene.things[0]) for i in alone if asked[i].scene.things[0].kind in SHAPES)
    outlines = (outline_of(frames[i], thing.colour) == thing.kind for i, thing in shaped)
    part.figures[f"{name} / outline"] = share(outlines, "of five shapes, by geometry alone")
    two = [i for i, true in enumerate(truths) if true["kind2"] != "none"]
    if two and "kind2" in found[0]:
        both = (_same_pair(found[i], truths[i]) for i in two)
        part.figures[f"{name} / both things"] = share(both, "kinds and colours of prompts of two, in any order")
    portraits = [i for i, true in enumerate(truths) if "glasses" in true and "looks" in asked[i].said]
    if portraits and "glasses" in found[0]:
        for key in LOOKS:
            known = [i for i in portraits if _look(truths[i], key) and (key != "motion" or key in asked[i].said)]
            part.figures[f"{name} / people: {key}"] = share(
                _look(found[i], key) == _look(truths[i], key) for i in known
            )
    return features


def seen_plainly(scene: Scene) -> bool:
    """Whether a scene shows one thing whose pixels can be told by their colour: fog greys it, outlines cut it."""
    alone = scene.person is None and len(scene.things) == 1
    return alone and (scene.weather, scene.style) == ("clear", "plain")


def _same_pair(found: dict[str, str], true: dict[str, str]) -> bool:
    pairs = [{(seen["kind"], seen["colour"]), (seen["kind2"], seen["colour2"])} for seen in (found, true)]
    if true["kind"] == "person":  # whose clothes need not have been told
        pairs = [{(k, c) for k, c in pair if k != "person"} | {k for k, _ in pair if k == "person"} for pair in pairs]
    return pairs[0] == pairs[1]


def _look(names: dict[str, str], key: str) -> str | None:
    if key != "hair length":
        return names.get(key)
    return HAIR_LENGTHS.get(names["hair_style"], "long") if "hair_style" in names else None


def _renders(
    scenes: list[Scene], size: tuple[int, int], device: torch.device, tell: Tell | None = None
) -> Iterator[Tensor]:
    """Clips of the scenes, some at a time, drawn on `device`, for the judges on the CPU."""
    for start in range(0, len(scenes), CHUNK):
        yield render(scenes[start : start + CHUNK], size, device).cpu()
        if tell is not None:
            tell("Rendering", min(start + CHUNK, len(scenes)), len(scenes))


def _frames(clip: Clip) -> Tensor:
    assert clip.frames is not None, "a generated clip has frames"
    return clip.frames
