"""Edits of films whose truth the world knows: whether what was asked is seen, and what stayed as it was.

As Movie Gen Edit is judged against other ways of editing (arXiv 2410.13720, section 5.2), here by what is known of the
world: the recogniser reads the change, and all that is outside of the true mask should be the film's. Beside the model:
the film as it is, which no edit is; its earlier stages; each frame edited alone; and SDEdit (arXiv 2108.01073), which
is told what the edited film shows.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mediagen.edit.generate import EditWay, edit_film, task_of
from mediagen.edit.measure import FilmPair, FilmPairs, closer, marked, overlap, preserved, success
from mediagen.edit.model import EditModel
from mediagen.edit.windows import EditModels, Wish, decode_windows, encode
from mediagen.errors import RequestError
from mediagen.flow import interpolate
from mediagen.guidance import cfg
from mediagen.judge.recogniser import Recogniser, truth
from mediagen.media.clip import Clip
from mediagen.media.sheets import contact_sheet
from mediagen.nn.denoiser import Conditions
from mediagen.sampling import euler, linear
from mediagen.sdk.bench.figures import Figure, Part, Tell, mean, share
from mediagen.sdk.bench.pictures import through_tae
from mediagen.sdk.engine import Engine
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.edit_sources import ClipSource
from mediagen.sdk.tasks.edits import EditWork
from mediagen.text.text import with_fps
from mediagen.video import VideoModel
from mediagen.weights import load_model
from mediagen.world.edit_names import LOCAL, TASKS
from mediagen.world.palette import COLOUR_RGB
from mediagen.world.words import caption

EDITS = 300  # films, of every task as many
SHOWN = 16  # on the sheet, the first ones
BESIDE = 96  # films that other ways are given
ALONE = 24  # films edited frame by frame, which costs as many times more as a token in time has frames
STRENGTHS = (0.4, 0.6, 0.8)  # of SDEdit: how far back towards noise
OWN, SOURCE, TRIP, TRUE, FRAMES = (
    "edit model",
    "the film as it is",
    "the autoencoder alone",
    "the true edit",
    "frame by frame",
)


@dataclass
class Made:
    """Films of one way of editing, for the first pairs. laid: with the rest kept; None where the thing was not found.
    seconds: that each took."""

    frames: list[Tensor] = field(default_factory=list)
    laid: list[Tensor | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def editors_of(named: Iterable[str]) -> dict[str, Path]:
    """Edit models as the command line names them, NAME=FOLDER each; RequestError where one is none."""
    folders = dict[str, Path]()
    for one in named:
        name, _, folder = one.partition("=")
        if not name or name in folders or not (Path(folder) / "config.json").is_file():
            raise RequestError(
                f"got the edit model '{one}', expected NAME=FOLDER of what a training exported, each name once; give "
                "another."
            )
        folders[name] = Path(folder)
    return folders


def measure_edits(
    engine: Engine, count: int = EDITS, seed: int = 0, editors: dict[str, Path] | None = None, tell: Tell | None = None
) -> tuple[Part, Tensor]:
    """The part, and a sheet of the first edits: four frames each of the film, of the edit, and of the truth.

    count: films, rounded up to whole rounds of the tasks.  editors: folders of further edit models, such as earlier
    stages, by name.  The folder that edits needs a recogniser; with a video model SDEdit is measured too.
    """
    models = engine.models.edits
    limits, recogniser = models.limits, models.get("recogniser")
    stream = FilmPairs("test", (limits.width, limits.height), limits.seconds, limits.fps)
    first = seed * 100_000
    pairs = [stream.pair(first + number) for number in range(math.ceil(count / len(TASKS)) * len(TASKS))]
    tasks = models.get("edit_tasks") if models.has("edit_tasks") else None
    own = EditModels(models.get("prompt"), models.get("edit"), models.get("tae"), tasks)
    way = EditWay(
        steps=limits.edit_steps,
        text_scale=limits.edit_guidance_scale,
        film_scale=limits.edit_picture_guidance_scale,
    )
    made = {SOURCE: Made([pair.before for pair in pairs])}
    made[TRIP] = Made([through_tae(own.tae, pair.before[None])[0] for pair in pairs[:BESIDE]])
    made[TRUE] = Made([pair.after for pair in pairs])
    made[OWN] = _all(OWN, pairs, lambda number: _as_asked(models, pairs[number], number), tell)
    for name, folder in (editors or {}).items():
        other = replace(own, edit=load_model(EditModel, folder, models.device, models.dtype))
        make = _alone(other, pairs, way, len(pairs[0].before))
        made[name] = _all(name, pairs[:BESIDE], make, tell)
    made[FRAMES] = _all(FRAMES, pairs[:ALONE], _alone(own, pairs, way, 1), tell)
    if models.has("video"):
        for strength in STRENGTHS:
            name = f"SDEdit {strength}"
            made[name] = _all(name, pairs[:BESIDE], _sdedit(own, models.get("video"), pairs, strength, way), tell)
    part = Part("Edits")
    if tasks is not None:
        part.figures["task read"] = share(task_of(own, pair.instruction) == pair.edit.task for pair in pairs)
    for name, films in made.items():
        _judge(part, name, films, pairs, recogniser)
    if len(made[OWN].seconds) > 1:
        length = len(pairs[0].before) / limits.fps
        note = f"median of {length:g} s at {limits.width}x{limits.height}, {way.steps} steps"
        part.figures["seconds"] = Figure(statistics.median(made[OWN].seconds[1:]), unit="s", note=note)
    return part, _sheet(pairs[:SHOWN], made[OWN])


def _all(name: str, pairs: list[FilmPair], make: Callable[[int], tuple[Tensor, Tensor | None]], tell: Tell | None
         ) -> Made:  # fmt: skip
    made = Made()
    for number in range(len(pairs)):
        began = time.perf_counter()
        frames, laid = make(number)
        made.seconds.append(time.perf_counter() - began)
        made.frames.append(frames)
        made.laid.append(laid)
        if tell is not None:
            tell(f"Editing: {name}", number + 1, len(pairs))
    return made


def _as_asked(models: ModelFolder, pair: FilmPair, seed: int) -> tuple[Tensor, Tensor | None]:
    """What a user gets for the instruction alone: the model's own pictures, and the film with the rest kept."""
    request = EditRequest.of({"prompt": pair.instruction, "seed": seed})
    source = ClipSource(Clip(pair.before, pair.edit.before.fps))
    found = True
    try:
        laying, _ = EditWork(models, request.with_defaults(models.limits), None, None).lay(source)
    except RequestError:  # the thing is not found
        found, request = False, request.model_copy(update={"keep_rest": False})
        laying, _ = EditWork(models, request.with_defaults(models.limits), None, None).lay(source)
    frames = torch.cat([window for window, _ in laying.windows()])[: len(pair.before)]
    return frames, torch.cat([film for film, _ in laying.pieces()]) if found else None


def _alone(models: EditModels, pairs: list[FilmPair], way: EditWay, frames: int
           ) -> Callable[[int], tuple[Tensor, Tensor | None]]:  # fmt: skip
    """The pictures of a model, without more; frames: of the film that are edited at once."""

    def make(number: int) -> tuple[Tensor, None]:
        pair = pairs[number]
        task = task_of(models, pair.instruction) or pair.edit.task
        unit = models.tae.stride[0] * models.edit.config.patch[0]
        wish = Wish(
            instruction=pair.instruction,
            task=TASKS.index(task),
            fps=pair.edit.before.fps,
            frames=-(-frames // unit) * unit,
            overlap=0,
        )
        made = []
        for film in pair.before.split(frames):
            rng = torch.Generator(next(models.tae.parameters()).device).manual_seed(number)
            latents = edit_film(models, [film], wish, rng=rng, way=way)
            made.append(torch.cat(list(decode_windows(models, latents, wish.overlap)))[: len(film)])
        return torch.cat(made), None

    return make


def _sdedit(models: EditModels, video: VideoModel, pairs: list[FilmPair], strength: float, way: EditWay
            ) -> Callable[[int], tuple[Tensor, Tensor | None]]:  # fmt: skip
    """The film made noisier, and clean again by a video model that is told what the edited film shows."""

    @torch.no_grad()
    def make(number: int) -> tuple[Tensor, None]:
        pair = pairs[number]
        latent = encode(models, pair.before)
        rng = torch.Generator(latent.device).manual_seed(number)
        noise = torch.randn(latent.shape, generator=rng, device=rng.device)
        begin = 1 - strength
        times = [begin + strength * t for t in linear(way.steps)]
        after = pair.edit.after
        alone = not (after.person or after.things)
        said = f"the empty {after.place}" if alone else caption(after, np.random.default_rng(number))
        shape = (latent.shape[2], latent.shape[3], latent.shape[4])
        prepared = video.prepare(Conditions(text=models.text.encode([with_fps(said, after.fps), ""])), shape, times)
        x = interpolate(latent, noise, torch.tensor([begin], device=latent.device))
        x = euler(cfg(video, prepared, way.text_scale), x, times)
        return torch.cat(list(decode_windows(models, [x], 0)))[: len(pair.before)], None

    return make


def _judge(part: Part, name: str, made: Made, pairs: list[FilmPair], recogniser: Recogniser) -> None:
    shown = list(zip(pairs, made.frames, strict=False))
    good = [success(pair, film, recogniser) for pair, film in shown]
    part.figures[f"{name} / success"] = share(good, "what was asked is seen, and nothing else is another")
    if name != TRIP:
        for task in TASKS:
            hits = [hit for (pair, _), hit in zip(shown, good, strict=True) if pair.edit.task == task]
            part.figures[f"{name} / {task}"] = share(hits)
    nearer = (closer(pair, film) for pair, film in shown if pair.edit.task != "mark")
    part.figures[f"{name} / nearer the truth"] = share(nearer, "in the true mask, at most half as far off as the film")
    local = [(pair, film) for pair, film in shown if pair.edit.local]
    note = "PSNR to the film outside of the true mask"
    part.figures[f"{name} / preserved"] = mean((preserved(p.before, film, p.mask) for p, film in local), "dB", note)
    if name in (SOURCE, TRIP, TRUE):
        return
    if made.laid and any(film is not None for film in made.laid):
        kept = [(p, film) for p, film in zip(pairs, made.laid, strict=False) if p.edit.task in LOCAL]
        part.figures[f"{name}, rest kept / found"] = share(film is not None for _, film in kept)
        part.figures[f"{name}, rest kept / success"] = share(
            (film is not None and success(p, film, recogniser) for p, film in kept), "of what is in one place"
        )
        part.figures[f"{name}, rest kept / preserved"] = mean(
            (preserved(p.before, film, p.mask) for p, film in kept if film is not None), "dB", note
        )
    ious = [
        overlap(marked(p.before, film, COLOUR_RGB[p.edit.colour]), p.mask) for p, film in shown if p.edit.task == "mark"
    ]
    part.figures[f"{name} / mask IoU"] = mean(ious, "", "of what it marks, with the true mask")
    note = "read as in the edited scene, where that of the true film is"
    part.figures[f"{name} / motion"] = share(_moves(shown, recogniser), note)


def _moves(shown: list[tuple[FilmPair, Tensor]], recogniser: Recogniser) -> Iterable[bool]:
    """Whether a thing that an edit leaves its motion still moves so, where the true film is read rightly."""
    for pair, film in shown:
        scenes = pair.edit.before, pair.edit.after
        if pair.edit.task == "mark" or not all(scene.person or scene.things for scene in scenes):
            continue
        was, asked = (truth(scene)["motion"] for scene in scenes)
        if was == asked:
            names, _ = recogniser.judge(torch.stack((pair.after, film)))
            if names[0]["motion"] == asked:
                yield names[1]["motion"] == asked


def _sheet(pairs: list[FilmPair], made: Made) -> Tensor:
    """Rows of an edit each: the film, what the model made with the rest kept, and the truth."""
    rows, titles = [], list[str]()
    for number, pair in enumerate(pairs):
        laid = made.laid[number]
        films = (pair.before, made.frames[number] if laid is None else laid, pair.after)
        chosen = torch.linspace(0, len(pair.before) - 1, 4).long()
        rows.append(torch.cat([film[chosen] for film in films]))
        titles.append(pair.instruction)
    return contact_sheet(rows, 1, titles)
