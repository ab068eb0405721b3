"""Long sound: whether it stays in time over minutes, whether its joints are heard, and whether its layers are right."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mediagen.audio.conditions import LATENT_RATE
from mediagen.audio.extend import Extension, joints
from mediagen.audio.judge.measures import onset_f1, onset_f1_by_thirds, onsets
from mediagen.audio.judge.seams import joint_distance, seam_energy
from mediagen.audio.train.mixes import EFFECTS, Mix
from mediagen.grid import SOUND_RATE, sound_latents
from mediagen.media.clip import Clip
from mediagen.sdk.bench.figures import Figure, Part, Tell, mean, share
from mediagen.sdk.bench.sound import TOLERANCE
from mediagen.sdk.engine import Engine
from mediagen.world.film import Reel, draw_film, film_contacts, render_films
from mediagen.world.scene import MOODS
from mediagen.world.words import music_caption, sound_caption

MINUTES = 3.0  # of a long film
FILMS = 4  # long films by each method
SHIFTS = 20  # of a film's impacts, for the null
LAYERED = 4.0  # seconds of the clips whose layers are judged
GAPS = 60  # films with a second to be filled in
# method, merge, candidates (None: the default)
METHODS = (("segments", "triangle", None), ("blend", "triangle", 1), ("blend", "uniform", 1))
_THIRDS = ("first", "middle", "last")


def measure_films(
    engine: Engine, seed: int, minutes: float = MINUTES, count: int = FILMS, tell: Tell | None = None
) -> list[Part]:
    """Sound for long films of the test split by each method: onset F1 by thirds, its null, joints, and the time.

    The null is the same sound against impacts moved round by 5 s or more.
    """
    films = [
        draw_film(10_000 + 100 * seed + number, "test", seconds=60 * minutes, fps=engine.limits.fps)
        for number in range(count)
    ]
    parts = []
    for method, merge, candidates in METHODS:
        part = Part(f"Long sound, {method}" + (f", {merge}" if method == "blend" else ""))
        plan = Extension.fit(engine.models.get("audio"), method=method, merge=merge)
        began, found = time.monotonic(), dict[str, list[float]]()
        for number, film in enumerate(films):
            if tell is not None:
                tell("Sounding long films", len(parts) * count + number, len(METHODS) * count)
            asked = {"method": method, "merge": merge, "candidates": candidates, "seed": seed + number}
            sound = engine.add_audio(_clip(film, engine), **asked).sound
            assert sound is not None
            figures = _sync(onsets(sound), film, seed)
            places = [frame / LATENT_RATE for frame in joints(sound_latents(sound.shape[-1]), plan)]
            for name, value in (figures | _at_joints(sound, places, seed)).items():
                found.setdefault(name, []).append(value)
        hits = sum(len(film_contacts(film)) for film in films)
        took = (time.monotonic() - began) / (60 * minutes * count)
        part.figures = {name: mean(values, _unit(name), f"{hits} impacts" if name == "onset F1" else "")
                        for name, values in found.items()}  # fmt: skip
        part.figures["seconds for a second"] = Figure(took, unit="s")
        parts.append(part)
    return parts


def measure_gaps(engine: Engine, seed: int, count: int = GAPS, tell: Tell | None = None) -> Part:
    """A second is taken out of the world's own sounds and filled in from the rest: whether the rest stays, and joints.

    Ten seconds of effects each, told by what is heard in them.
    """
    part, found, kept = Part("A second filled in"), dict[str, list[float]](), list[bool]()
    for index in range(count):
        film = draw_film(30_000 + 1_000 * seed + index, "test", fps=engine.limits.fps)
        sound, words = EFFECTS.sound(film), sound_caption(film.shots[0], np.random.default_rng((seed, index)))
        start = 2.0 + (index % 6)
        filled = engine.fill_audio(Clip(frames=None, sound=sound), start, start + 1, words, seed=index).sound
        assert filled is not None
        first, last = round(start * SOUND_RATE), round((start + 1) * SOUND_RATE)
        kept.append(torch.equal(filled[:, :first], sound[:, :first]) and torch.equal(filled[:, last:], sound[:, last:]))
        for name, value in _at_joints(filled, [start, start + 1], seed).items():
            found.setdefault(name, []).append(value)
        if tell is not None:
            tell("Filling gaps", index + 1, count)
    part.figures = {"the rest is the same, to the sample": share(kept)}
    part.figures |= {name: mean(values, _unit(name)) for name, values in found.items()}
    return part


def measure_layers(engine: Engine, count: int, seed: int, tell: Tell | None = None) -> Part:
    """Whether effects alone hold no music and music alone no effects, by the scorer's detectors, in `count` clips each.

    The same detectors on the world's own sounds through the codec stand beside, and the agreement of words and sounds.
    """
    part, scorer, codec = Part("Layers asked for"), engine.models.get("sound_scorer"), engine.models.get("codec")
    silent: dict[str, list[bool]] = {}
    agreed: dict[str, list[float]] = {}

    def judge(name: str, sound: Tensor, probability: Callable[[Tensor], Tensor], words: str = "") -> None:
        silent.setdefault(name, []).append(float(probability(sound[None])) < 0.5)
        if words:
            agreed.setdefault(name, []).append(float(scorer.text_score(sound[None], [words])))

    for index in range(count):
        film = draw_film(20_000 + 1_000 * seed + index, "test", seconds=LAYERED, fps=engine.limits.fps)
        film = replace(film, mood=film.mood or MOODS[index % len(MOODS)])
        clip, rng = _clip(film, engine), np.random.default_rng((seed, index))
        words, bed = (sound_caption(film.shots[0], rng), music_caption(replace(film.shots[0], mood=film.mood), rng))
        effects = engine.add_audio(clip, words, seed=index).sound
        music = engine.add_audio(clip, music_prompt=bed, music=True, effects=False, seed=index).sound
        assert effects is not None and music is not None
        with torch.no_grad():
            true = [codec.decode(codec.encode(mix.sound(film)[None]))[0] for mix in (EFFECTS, Mix(effects=False))]
        judge("effects alone: no music", effects, scorer.music_probability, words)
        judge("the world's effects: no music", true[0], scorer.music_probability, words)
        judge("music alone: no effects", music, scorer.effects_probability)
        judge("the world's music: no effects", true[1], scorer.effects_probability)
        if tell is not None:
            tell("Sounding layers", index + 1, count)
    part.figures |= {name: share(values, _note(name)) for name, values in silent.items()}
    for name, values in agreed.items():
        part.figures[f"text-sound agreement, {name.split(':')[0]}"] = mean(values, "cosine", _note(name))
    return part


def _clip(film: Reel, engine: Engine) -> Clip:
    size = (engine.limits.width, engine.limits.height)
    return Clip(frames=render_films([film], size)[0], fps=film.fps)


def _note(name: str) -> str:
    return "the detector's own accuracy, through the codec" if name.startswith("the world") else ""


def _sync(found: list[float], film: Reel, seed: int) -> dict[str, float]:
    """Onset F1 of a film's sound whose onsets are `found`; a third without any impact says nothing, and is left out."""
    truth, length = [contact.time for contact in film_contacts(film)], film.frames / film.fps
    rng = random.Random(seed)
    moved = [
        [(time + shift) % length for time in truth] for shift in (rng.uniform(5, length - 5) for _ in range(SHIFTS))
    ]
    figures = {
        "onset F1": onset_f1(found, truth, TOLERANCE),
        "onset F1, impacts moved": sum(onset_f1(found, times, TOLERANCE) for times in moved) / SHIFTS,
    }
    thirds = zip(_THIRDS, onset_f1_by_thirds(found, truth, length), strict=True)
    return figures | {f"onset F1, {name} third": value for name, value in thirds if not math.isnan(value)}


def _at_joints(sound: Tensor, places: list[float], seed: int) -> dict[str, float]:
    figures = {}
    for name, measure in (("log-spectral distance", joint_distance), ("seam energy", seam_energy)):
        at, anywhere = measure(sound, SOUND_RATE, places, torch.Generator().manual_seed(seed))
        figures |= {f"{name} at joints": at, f"{name} at random places": anywhere}
    return figures


def _unit(name: str) -> str:
    return "F1" if name.startswith("onset") else "dB"
