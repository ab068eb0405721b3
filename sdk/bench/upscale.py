"""Larger pictures against bicubic interpolation: how near the truth, how sharp, how steady, and whether seams show."""

import math
import time
from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from mediagen.data.degrade import second_order
from mediagen.judge.measures import psnr
from mediagen.judge.outlines import SHAPES, outline_of, squares
from mediagen.judge.recogniser import truth
from mediagen.sdk.bench.figures import Figure, Part, Tell, mean, share
from mediagen.sdk.bench.pictures import Asked, make_clips, seen_plainly, through_tae
from mediagen.sdk.engine import Engine
from mediagen.train.tasks.upsample import bicubic
from mediagen.upsample import FACTOR, UpsampleModels, UpsampleWay, decode_large, starts_of, upscale_latents
from mediagen.world.draw import render

CLIPS = 48
SEAMS = 8  # clips whose seams are looked at
STILL = 2  # of 255: what changes less in the true film from frame to frame stands still
EDGES = 0.02  # share of the pixels, of the steepest, that are called edges


def measure_upscale(engine: Engine, asked: list[Asked], seed: int, tell: Tell | None = None) -> tuple[Part, Tensor]:
    """Each of three kinds of film made larger by interpolation and by the model, and a picture of each, in rows.

    The films: of the generator, true ones after the autoencoder, and degraded ones (second order). A PSNR is to the
    true render; a sharpness is how steep edges are that are edges there, over how steep they are there.
    """
    part, rows = Part("Larger pictures"), list[Tensor]()
    models = UpsampleModels(engine.models.get("upsample"), engine.models.get("upsample_tae"))
    size, steps = (engine.limits.width, engine.limits.height), engine.limits.upscale_steps
    large = (FACTOR * size[0], FACTOR * size[1])
    true = list(render([one.scene for one in asked], large))
    small = [_halved(film) for film in true]
    rng = torch.Generator().manual_seed(seed)
    films = {
        "generated": [clip.frames for clip in make_clips(engine, asked, seed, tell) if clip.frames is not None],
        "after the autoencoder": list(through_tae(engine.models.get("tae"), torch.stack(small))),
        "degraded": [_degraded(film, (size[1], size[0]), rng) for film in true],
        "clean": small,
    }

    def ours(film: Tensor, number: int, keep: float) -> Tensor:
        return larger(models, film, UpsampleWay(steps=steps), number, keep)

    for name, some in films.items():
        keep = 1.0 if name == "clean" else 0.0  # as a request has them
        made: dict[str, list[Tensor]] = {"bicubic": [bicubic(film) for film in some], "upsampler": []}
        for number, film in enumerate(some):
            made["upsampler"].append(ours(film, number, keep))
            if tell is not None:
                tell(f"Making {name} films larger", number + 1, len(some))
        for way, pictures in made.items():
            _judge(part, f"{name}, {way}", pictures, None if name == "generated" else true, asked, engine)
        for shown in range(min(4, len(some))):
            middle = len(some[shown]) // 2
            rows.append(torch.cat([made[way][shown][middle] for way in made] + [true[shown][middle]], dim=1))
    for name, average in (("averaged", True), ("not averaged", False)):
        way = UpsampleWay(steps=steps, average=average)
        some = films["generated"][:SEAMS]
        ratios = [seams(larger(models, film, way, number), bicubic(film), way) for number, film in enumerate(some)]
        note = "change where windows begin or end over other frames', as a ratio to that of bicubic interpolation"
        part.figures[f"seams, velocities {name}"] = mean(ratios, "x", note)
    long = torch.cat([bicubic(film) for film in small])[: round(2 * engine.limits.fps)]
    began = time.perf_counter()
    larger(models, long, UpsampleWay(steps=steps), 0)
    took = time.perf_counter() - began
    part.figures["seconds"] = Figure(
        took, unit="s", note=f"{len(long)} frames of {2 * large[0]}x{2 * large[1]}, {steps} steps"
    )
    return part, torch.cat(rows)


def larger(models: UpsampleModels, film: Tensor, way: UpsampleWay, seed: int, keep: float = 0.0) -> Tensor:
    """A film, uint8 (F, H, W, 3), at twice the size."""
    rng = torch.Generator(next(models.tae.parameters()).device).manual_seed(seed)
    latents = upscale_latents(models, [film], rng=rng, way=way)
    size = (FACTOR * film.shape[2], FACTOR * film.shape[1])
    return torch.cat(list(decode_large(models.tae, latents, size, [film], keep)))


def sharpness(made: Tensor, true: Tensor) -> float:
    """How steep the edges of the true film are in the made one, over how steep they are there; uint8 (F, H, W, 3)."""
    steep, seen = (_slopes(film) for film in (true, made))
    edges = steep >= steep.flatten().kthvalue(max(1, round((1 - EDGES) * steep.numel()))).values
    return float(seen[edges].mean() / steep[edges].mean().clamp_min(1e-6))


def flicker(made: Tensor, true: Tensor) -> float:
    """Mean change from frame to frame where the true film stands still, of 255; nan where it does nowhere."""
    change, still = (film.float().diff(dim=0).abs().amax(-1) for film in (made, true))
    return float(change[still < STILL].mean())


def seams(film: Tensor, plain: Tensor, way: UpsampleWay) -> float:
    """Change from frame to frame where windows of an upsampled film (F, H, W, 3) begin or end, over that of its other
    frames, over the same of the film by interpolation; nan for a film of one window."""
    starts = starts_of(len(film), way.window, way.overlap)
    ends = {start - 1 for start in starts[1:]} | {start + way.window - 1 for start in starts[:-1]}
    at = torch.tensor([index in ends for index in range(len(film) - 1)])
    if not at.any() or at.all():
        return math.nan
    changes = [one.float().diff(dim=0).abs().mean((1, 2, 3)) for one in (film, plain)]
    ratios = [float(change[at].mean() / change[~at].mean().clamp_min(1e-6)) for change in changes]
    return ratios[0] / ratios[1]


def _judge(part: Part, name: str, films: list[Tensor], true: list[Tensor] | None, asked: list[Asked],
           engine: Engine) -> None:  # fmt: skip
    def add(what: str, values: Iterable[float], unit: str, note: str = "") -> None:
        found = [value for value in values if math.isfinite(value)]
        if found:
            part.figures[f"{name} / {what}"] = mean(found, unit, note)

    if true is not None:
        each: Callable[[Callable[[Tensor, Tensor], float]], list[float]] = lambda measure: [  # noqa: E731
            measure(made, real) for made, real in zip(films, true, strict=True)
        ]
        add("PSNR", [float(psnr(made[None], real[None])) for made, real in zip(films, true, strict=True)], "dB")
        add("sharpness", each(sharpness), "x", "steepness of edges over the true one")
        add("flicker", each(flicker), "levels", "of 255, where the true film stands still")
    add("squares", [squares(film, 8 * FACTOR) for film in films], "x", "steps at the autoencoder's cells over others")
    if engine.models.has("recogniser"):
        seen, _ = engine.models.get("recogniser").judge(torch.stack([_halved(film) for film in films]))
        told = [(found["kind"], truth(one.scene)["kind"]) for found, one in zip(seen, asked, strict=True)]
        part.figures[f"{name} / kind"] = share((found == wanted for found, wanted in told), "at the recogniser's size")
    shaped = [(film, one.scene.things[0]) for film, one in zip(films, asked, strict=True) if seen_plainly(one.scene)]
    outlines = (outline_of(film, thing.colour) == thing.kind for film, thing in shaped if thing.kind in SHAPES)
    part.figures[f"{name} / outline"] = share(outlines, "of five shapes, by geometry alone")


def _slopes(film: Tensor) -> Tensor:
    grey = film.float().mean(-1)
    return (grey[:, :-1, 1:] - grey[:, :-1, :-1]).abs() + (grey[:, 1:, :-1] - grey[:, :-1, :-1]).abs()


def _halved(film: Tensor) -> Tensor:
    small = F.avg_pool2d(film.permute(0, 3, 1, 2).float(), FACTOR)
    return small.round().to(torch.uint8).permute(0, 2, 3, 1)


def _degraded(film: Tensor, size: tuple[int, int], rng: torch.Generator) -> Tensor:
    bad = second_order(film.permute(0, 3, 1, 2).float() / 255, size, rng)
    return (bad * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
