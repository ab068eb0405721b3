"""The bench: whether clips show and sound what was asked for, and what they cost, with how sure the figures are."""

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mediagen import __version__
from mediagen.media.clip import Clip
from mediagen.sdk.bench import speed
from mediagen.sdk.bench.edits import EDITS, measure_edits
from mediagen.sdk.bench.figures import Part, Tell, share
from mediagen.sdk.bench.films import FILMS, GAPS, MINUTES, measure_films, measure_gaps, measure_layers
from mediagen.sdk.bench.page import page, sheet
from mediagen.sdk.bench.people import PEOPLE, Stages, measure_people
from mediagen.sdk.bench.pictures import (
    Asked,
    draw_prompts,
    make_clips,
    measure_pictures,
    measure_schedule,
    measure_tae,
    through_tae,
    video_models,
)
from mediagen.sdk.bench.prompts import measure_prompts
from mediagen.sdk.bench.sound import measure_codec, measure_seen_sync, measure_sync
from mediagen.sdk.bench.stories import SCRIPTS as STORIES
from mediagen.sdk.bench.stories import measure_stories
from mediagen.sdk.bench.upscale import CLIPS as LARGER
from mediagen.sdk.bench.upscale import measure_upscale
from mediagen.sdk.engine import Engine
from mediagen.sdk.tasks.clips import ClipWork
from mediagen.sdk.tasks.requests import GenerateRequest
from mediagen.weights import write_atomic
from mediagen.world.draw import render
from mediagen.world.sounds import SOUND_CLASSES, foreground_class, synthesise

if TYPE_CHECKING:
    from rich.table import Table

PARTS = (
    "prompts",
    "pictures",
    "autoencoder",
    "codec",
    "sound",
    "films",
    "stories",
    "upscale",
    "edits",
    "schedule",
    "speed",
    "people",
)
NEEDS = {  # families of models without which a part cannot be measured
    "prompts": ("prompt",),
    "pictures": ("prompt", "video", "tae", "recogniser"),
    "autoencoder": ("tae",),
    "codec": ("codec",),
    "sound": ("prompt", "aligned", "video", "tae", "codec", "audio"),
    "films": ("prompt", "aligned", "codec", "audio", "sound_scorer"),
    "stories": ("prompt", "video", "tae", "recogniser"),
    "upscale": ("prompt", "video", "tae", "upsample", "upsample_tae"),
    "edits": ("prompt", "tae", "edit", "recogniser"),
    "schedule": ("prompt", "video", "tae"),
    "speed": ("prompt", "video", "tae"),
    "people": ("prompt", "tae", "faces", "face_encoder", "personalize"),
}
SHEET = 24  # clips on a contact sheet
SOUNDED = 100  # clips at most that get sound: it costs as much again as the pictures
SCHEDULED = 4  # prompts of the schedule part, each of which takes 1350 steps


@dataclass
class Report:
    """What a bench found: parts in order, contact sheets with their titles, and what made them."""

    parts: list[Part] = field(default_factory=list)
    sheets: list[tuple[str, Tensor]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"about": self.about, "parts": [part.to_dict() for part in self.parts]}

    def write(self, folder: str | Path) -> Path:
        """Writes bench.json and bench.html, each whole or not at all, and returns the page's path."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / "bench.json", (json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n").encode())
        write_atomic(folder / "bench.html", page(self.parts, self.sheets, self.about).encode())
        return folder / "bench.html"

    def table(self) -> "Table":
        """The figures as a table for a rich console."""
        from rich.markup import escape
        from rich.table import Table

        made = Table("part", "figure", "value (95 % interval)", "trials", "note")
        for part in self.parts:
            title = escape(part.title)
            if part.skipped:
                made.add_row(title, "", "not measured" if not part.figures else "", "", escape(part.skipped))
            for name, figure in part.figures.items():
                made.add_row(title, escape(name), str(figure), str(figure.count or ""), escape(figure.note))
                title = ""
            made.add_section()
        return made


def measure(
    engine: Engine,
    prompts: int = 500,
    out: str | Path | None = None,
    parts: Sequence[str] = PARTS,
    seed: int = 0,
    progress: Tell | None = None,
    stages: Stages | None = None,
    editors: dict[str, Path] | None = None,
) -> Report:
    """Measures the models of an engine on fresh prompts of the simple world, at the folder's defaults.

    prompts: how many clips; one in five is of a kind, colour and place that training never saw together.  out: folder
    for bench.json and bench.html, None for none.  parts: some of PARTS; one that lacks a model says so in the report.
    stages: models with a person that the people part measures, see `Stages`; None for the folder's own.
    editors: further edit models that the edits part measures, by name, see `edits.editors_of`.
    progress(stage, done, of) hears how far it is. Equal seeds ask for equal clips. ValueError for unknown parts.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown or prompts < 1:
        raise ValueError(
            f"got {prompts} prompts and parts {', '.join(parts)}; expected at least 1, and some of {', '.join(PARTS)}."
        )
    report = Report(about=_about(engine, prompts, seed))
    asked = draw_prompts(prompts, engine.limits, seed)
    for name in PARTS:
        if name not in parts:
            continue
        given = ("personalize",) if stages is not None and stages.folders else ()
        models = engine.models.edits if name == "edits" else engine.models
        missing = [family for family in NEEDS[name] if not models.has(family) and family not in given]
        if missing:
            title = name.capitalize()
            report.parts.append(Part(title, skipped=f"the model folder has no {' and no '.join(missing)}; add it"))
        else:
            if name == "edits":
                part, edits = measure_edits(engine, min(len(asked), EDITS), seed, editors, progress)
                report.parts.append(part)
                report.sheets.append(("Edits: the film left, what was made of it, and the truth right", edits))
            elif name == "people":
                part, people = measure_people(engine, seed, min(len(asked), PEOPLE), stages, progress)
                report.parts.append(part)
                report.sheets.append(("People: the reference left, then their clip", people))
            else:
                report.parts += _MEASURES[name](engine, asked, seed, report, progress)
        if out is not None:
            report.write(out)  # after every part, for a bench takes long and may be stopped
    return report


def _pictures(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    part, clips = measure_pictures(engine, asked, seed, tell)
    report.sheets.append(("Generated, the first prompts", sheet(clips[:SHEET])))
    held_out = [clip for clip, one in zip(clips, asked, strict=True) if one.split == "held-out"]
    if held_out:
        report.sheets.append(("Generated, triples that training lacks", sheet(held_out[:SHEET])))
    return [part]


def _autoencoder(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    tae, size = engine.models.get("tae"), (engine.limits.width, engine.limits.height)
    some = asked[: SHEET // 4]
    real = render([one.scene for one in some], size)
    pairs = []
    for one, before, after in zip(some, real, through_tae(tae, real), strict=True):
        fps = one.scene.fps
        pairs += [
            Clip(frames=before, fps=fps, caption=one.prompt),
            Clip(frames=after, fps=fps, caption="after the TAE"),
        ]
    report.sheets.append(("True renders, and what the TAE keeps of them", sheet(pairs)))
    return [measure_tae(tae, engine.limits, min(64, len(asked)), seed)]


def _codec(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    return [measure_codec(engine.models.get("codec"), asked[:64])]


def _sound(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    some = asked[:SOUNDED]
    size = (engine.limits.width, engine.limits.height)

    def soundtrack(clip: Clip, prompt: str, seed: int) -> Tensor:
        assert clip.frames is not None
        request = GenerateRequest.of({"prompt": prompt, "seed": seed}).with_defaults(engine.limits)
        return ClipWork(engine.models, request, None, None).sound(clip.frames, clip.fps)

    clips = []
    for index, (clip, one) in enumerate(zip(make_clips(engine, some, seed, tell), some, strict=True)):
        clips.append(replace(clip, sound=soundtrack(clip, one.prompt, seed * 1_000_003 + index)))
        if tell is not None:
            tell("Sounding generated clips", index + 1, len(some))
    parts = [measure_sync(soundtrack, some, size, seed, tell), measure_seen_sync(clips, some)]
    if engine.models.has("sound_recogniser"):
        recogniser, classes = engine.models.get("sound_recogniser"), Part("Sound class")
        wanted = [foreground_class(one.scene) for one in some]
        made = [clip.sound for clip in clips if clip.sound is not None]
        own, codec = [synthesise(one.scene) for one in some], engine.models.get("codec")
        with torch.inference_mode():
            coded = [codec.decode(codec.encode(sound[None].to(engine.models.device)))[0].cpu() for sound in own]
        for name, sounds in (("generated", made), ("the world's own", own), ("the same through the codec,", coded)):
            found = [recogniser.classify(sound[None])[0] for sound in sounds]
            classes.figures[f"{name} sound"] = share(
                (a == b for a, b in zip(found, wanted, strict=True)), f"one of {len(SOUND_CLASSES)} classes"
            )
        parts.append(classes)
    return parts


def _films(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    some = len(asked) / SOUNDED  # of the full measure: shorter films, and fewer
    films, gaps = (math.ceil(min(1, some) * count) for count in (FILMS, GAPS))
    return [
        *measure_films(engine, seed, min(1, 4 * some) * MINUTES, films, tell),
        measure_gaps(engine, seed, gaps, tell),
        measure_layers(engine, min(len(asked), SOUNDED), seed, tell),
    ]


def _stories(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    parts, made = measure_stories(engine, max(1, round(STORIES * min(1, len(asked) / SOUNDED))), seed, tell)
    shown = [Clip(scene.clip.frames, scene.clip.fps, caption=scene.asked.words) for one in made for scene in one.scenes]
    report.sheets.append(("The first stories, scene by scene", sheet(shown[: SHEET // 5 * 5])))
    return parts


def _upscale(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    part, shown = measure_upscale(engine, asked[:LARGER], seed, tell)
    report.sheets.append(("Larger pictures: bicubic, upsampler, true; four of each kind of film", shown))
    return [part]


def _schedule(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    return [measure_schedule(video_models(engine), asked[:SCHEDULED], engine.limits, seed)]


def _speed(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    stages, clip = speed.measure_stages(engine)
    report.sheets.append(("The clip of the speed part", sheet([clip], 1)))
    return [stages, speed.measure_step(video_models(engine), engine.limits)]


def _prompts(engine: Engine, asked: list[Asked], seed: int, report: Report, tell: Tell | None) -> list[Part]:
    return [measure_prompts()]


_MEASURES = {
    "prompts": _prompts,
    "pictures": _pictures,
    "autoencoder": _autoencoder,
    "codec": _codec,
    "sound": _sound,
    "films": _films,
    "stories": _stories,
    "upscale": _upscale,
    "schedule": _schedule,
    "speed": _speed,
}


def _about(engine: Engine, prompts: int, seed: int) -> dict[str, Any]:
    limits = engine.limits
    return {
        "mediagen": __version__,
        "models": engine.models.fingerprint,
        "prompts": prompts,
        "seed": seed,
        "clip": f"{limits.width}x{limits.height}, {limits.seconds:g} s at {limits.fps:g} fps, {limits.steps} steps",
        "device": str(engine.models.device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
