"""Long sound: whether it stays in time over minutes, whether its joints are heard, and whether its layers are right."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mediagen.audio.conditions import LATENT_RATE
from mediagen.audio.extend import Extension, joints
from mediagen.audio.joints import joint_distance, seam_energy
from mediagen.audio.measure import onset_f1, onset_f1_by_thirds, onsets
from mediagen.audio.takes import EFFECTS, Take
from mediagen.clip import Clip
from mediagen.grid import sound_latents
from mediagen.sdk.bench_figures import Figure, Part, Tell, mean, share
from mediagen.sdk.bench_sound import TOLERANCE
from mediagen.sdk.engine import Engine
from mediagen.world.film import Film, draw_film, film_contacts, render_films
from mediagen.world.scene import MOODS
from mediagen.world.words import music_caption, sound_caption

MINUTES = 3.0  # of the long film
SHIFTS = 20  # of its impacts, for the null
LAYERED = 4.0  # seconds of the clips whose layers are judged
METHODS = (("segments", "triangle"), ("blend", "triangle"), ("blend", "uniform"))


def measure_films(engine: Engine, seed: int, minutes: float = MINUTES, tell: Tell | None = None) -> list[Part]:
    """Sound for one long film of the test split by each method: onset F1 by thirds, its null, joints, and the time.

    The null is the same sound against impacts moved round by 5 s or more.
    """
    film = draw_film(10_000 + seed, "test", seconds=60 * minutes, fps=engine.limits.fps)
    clip = _clip(film, engine)
    truth, length = [contact.time for contact in film_contacts(film)], film.frames / film.fps
    parts = []
    for number, (method, merge) in enumerate(METHODS):
        if tell is not None:
            tell("Sounding a long film", number, len(METHODS))
        began = time.monotonic()
        sound = engine.add_audio(clip, method=method, merge=merge, seed=seed).sound
        assert sound is not None
        part = Part(f"Long sound, {method}" + (f", {merge}" if method == "blend" else ""))
        part.figures["seconds for a second"] = Figure((time.monotonic() - began) / length, unit="s")
        _add_sync(part, onsets(sound), truth, length, seed)
        plan = Extension.fit(engine.models.get("audio"), method=method, merge=merge)
        _add_joints(part, sound, [frame / LATENT_RATE for frame in joints(sound_latents(sound.shape[-1]), plan)], seed)
        parts.append(part)
    return parts


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
            true = [codec.decode(codec.encode(take.sound(film)[None]))[0] for take in (EFFECTS, Take(effects=False))]
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


def _clip(film: Film, engine: Engine) -> Clip:
    size = (engine.limits.width, engine.limits.height)
    return Clip(frames=render_films([film], size)[0], fps=film.fps)


def _note(name: str) -> str:
    return "the detector's own accuracy, through the codec" if name.startswith("the world") else ""


def _add_sync(part: Part, found: list[float], truth: list[float], length: float, seed: int) -> None:
    part.figures["onset F1"] = Figure(onset_f1(found, truth, TOLERANCE), count=len(truth), unit="F1", note="impacts")
    rng = random.Random(seed)
    moved = [
        [(time + shift) % length for time in truth] for shift in (rng.uniform(5, length - 5) for _ in range(SHIFTS))
    ]
    null = mean((onset_f1(found, times, TOLERANCE) for times in moved), "F1", "what chance gives")
    part.figures["onset F1, impacts moved"] = null
    for name, value in zip(("first", "middle", "last"), onset_f1_by_thirds(found, truth, length), strict=True):
        part.figures[f"onset F1, {name} third"] = Figure(value, unit="F1")


def _add_joints(part: Part, sound: Tensor, places: list[float], seed: int) -> None:
    for name, measure in (("log-spectral distance", joint_distance), ("seam energy", seam_energy)):
        at, anywhere = measure(sound, 48_000, places, torch.Generator().manual_seed(seed))
        part.figures[f"{name} at joints"] = Figure(at, count=len(places), unit="dB")
        part.figures[f"{name} at random places"] = Figure(anywhere, unit="dB")
