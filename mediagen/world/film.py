"""Film: several shots of one place, cut together; the place's sound and one music bed go on under all of them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.world.ambience import ambience as place_sound
from mediagen.world.draw import render
from mediagen.world.motion import Contact, contacts, path
from mediagen.world.music import music as music_bed
from mediagen.world.people import BODY_MOTIONS, HEAD_MOTIONS, Person, Turn, pose
from mediagen.world.scene import MOODS, SPLITS, SUITS, UNSEEN, Scene, draw_scene, is_held_out
from mediagen.world.sounds import effects_of, to_peak

SHOT_SECONDS = (1.5, 2.0, 2.5, 3.0)
_FADE = 0.15  # seconds in which the sounds of a shot come up at its cut, and ring on after the next


@dataclass(frozen=True)
class Film:
    """Shots in order, all of one place, time of day, weather and frame rate. mood: of the music bed; None for none."""

    seed: int
    shots: tuple[Scene, ...]
    mood: str | None

    @property
    def fps(self) -> float:
        return self.shots[0].fps

    @property
    def frames(self) -> int:
        return sum(shot.frames for shot in self.shots)

    @property
    def samples(self) -> int:
        """Samples of 48 kHz sound that the film lasts."""
        return round(self.frames / self.fps * SOUND_RATE)

    def starts(self) -> list[float]:
        """Seconds at which each shot begins."""
        return [float(first) / self.fps for first in np.cumsum([0, *(shot.frames for shot in self.shots[:-1])])]


def draw_film(
    seed: int,
    split: str = "train",
    difficulty: str = "simple",
    *,
    seconds: float = 10.0,
    fps: float = 16.0,
    aspect: float = 1.0,
    music: float = 0.5,
) -> Film:
    """The film number `seed` of a split: shots of 1.5 to 3 s until `seconds` are full; a share `music` has a bed.

    The splits and difficulties are those of `draw_scene`; films of a split are made of other scenes than its clips.
    """
    rng = np.random.default_rng((seed, SPLITS.index(split) if split in SPLITS else 99, 31))
    total, shots = max(1, round(seconds * fps)), list[Scene]()
    while (left := total - sum(shot.frames for shot in shots)) > 0:
        length = round(float(rng.choice(SHOT_SECONDS)) * fps)
        if left - length < fps:  # no shot of less than a second at the end
            length = left
        scene = draw_scene(
            int(rng.integers(2**40, 2**48)), split, difficulty, seconds=length / fps, fps=fps, aspect=aspect
        )
        fitted = scene if not shots else replace(scene, place=shots[0].place, weather=shots[0].weather)
        if shots and not _fits(fitted, shots[0].place, split):
            continue
        shots.append(replace(fitted, mood=None))
    dark = shots[0].time == "night" and all(thing.colour != "black" for shot in shots for thing in shot.things)
    always = shots[0].place in ("night city", "outer space")
    time = "night" if dark or always else "day"
    mood = str(rng.choice(MOODS)) if rng.random() < music else None
    return Film(seed, tuple(replace(shot, time=time) for shot in shots), mood)


def draw_turning(
    seed: int,
    split: str = "train",
    *,
    seconds: float = 2.0,
    fps: float = 16.0,
    aspect: float = 1.0,
    times: tuple[float, ...] = (1.0,),
) -> Scene:
    """One standard shot that goes on, in which the person or the first thing does something else from each time on.

    The same one in the same place; what comes next is what can follow: who has come to the right goes left. A caption
    of `Scene.ending` says what is done last.
    """
    rng = np.random.default_rng((seed, SPLITS.index(split), 37))
    scene = draw_scene(seed, split, "standard", seconds=seconds, fps=fps, aspect=aspect)
    for time in times:
        subject = scene.subject
        now = replace(scene, seconds=time)
        if isinstance(subject, Person):
            x = float(pose(subject, time, aspect, np.array([time])).x[0])
            known = HEAD_MOTIONS if subject.shot == "portrait" else BODY_MOTIONS
        else:
            x, known = float(path(now, subject, np.array([time])).x[0]), SUITS[subject.kind]
        doing = subject.turns[-1].motion if subject.turns else subject.motion
        side = "left" if x > 0.5 * aspect else "right"  # where there is room
        other = {"left": "right", "right": "left"}[side]
        choices = [motion for motion in known if motion != doing and not motion.endswith(other)]
        if not subject.turns and doing not in _HIGH:
            choices = [motion for motion in choices if motion != "falls"] or choices
        turn = Turn(time, str(rng.choice(choices)), 1 if side == "right" else -1, float(rng.random()))
        changed = replace(subject, turns=(*subject.turns, turn))
        if isinstance(changed, Person):
            scene = replace(scene, person=changed)
        else:
            scene = replace(scene, things=(changed, *scene.things[1:]))
    return scene


_HIGH = ("floats up", "orbits", "spins")  # from where a thing can fall


def _fits(scene: Scene, place: str, split: str) -> bool:
    """Whether the things of a scene may stand in `place`, by the rules of `draw_scene`."""
    held_out = [is_held_out(one.kind, one.colour, place) for one in scene.shown]
    if any((one.colour, place) in UNSEEN for one in scene.shown):
        return False
    return held_out[0] if split == "held-out" else not (split in ("train", "validation") and any(held_out))


def film_contacts(film: Film) -> list[Contact]:
    """Every impact of the film, in order of time; `thing` counts within its shot."""
    found = []
    for start, shot in zip(film.starts(), film.shots, strict=True):
        found += [replace(contact, time=start + contact.time) for contact in contacts(shot)]
    return found


def render_films(films: list[Film], size: tuple[int, int] = (64, 64), device: str = "cpu") -> list[Tensor]:
    """The pictures of each film, uint8 (F, H, W, 3)."""
    drawn: dict[tuple[int, int], Tensor] = {}
    groups: dict[tuple[int, float], list[tuple[int, int]]] = defaultdict(list)  # shots that can be drawn together
    for number, film in enumerate(films):
        for place, shot in enumerate(film.shots):
            groups[shot.frames, shot.fps].append((number, place))
    for members in groups.values():
        pictures = render([films[number].shots[place] for number, place in members], size, device)
        drawn.update(zip(members, pictures, strict=True))
    return [torch.cat([drawn[number, place] for place in range(len(film.shots))]) for number, film in enumerate(films)]


def film_pictures(film: Film, size: tuple[int, int] = (64, 64), device: str = "cpu") -> Iterator[Tensor]:
    """The same shot by shot, for films that do not fit in memory."""
    for shot in film.shots:
        yield render([shot], size, device)[0]


def film_sound(film: Film, *, effects: bool = True, ambience: bool = True, music: bool = True) -> Tensor:
    """The sound of a film, float32 (1, S) at 48 kHz with |x| <= 0.95, deterministic; the switches are `synthesise`'s.

    Impacts start exactly at the times of `film_contacts`. At a cut the sounds of two shots cross over 150 ms.
    """
    sound = np.zeros(film.samples, np.float32)
    for layer, on in ((_effects, effects), (_ambience, ambience), (_music, music and film.mood is not None)):
        if on:
            sound += layer(film)
    return to_peak(sound)


@lru_cache(maxsize=2)  # takes of a film are asked for one after another
def _effects(film: Film) -> np.ndarray:
    sound = np.zeros(film.samples, np.float32)
    rise = np.linspace(0, 1, round(_FADE * SOUND_RATE), dtype=np.float32)
    for start, shot in zip(film.starts(), film.shots, strict=True):
        first, length = round(start * SOUND_RATE), round(shot.frames / shot.fps * SOUND_RATE)
        heard = effects_of(shot, length + len(rise))
        heard[length:] *= 1 - rise
        if first:
            heard[: len(rise)] *= rise
        heard = heard[: film.samples - first]
        sound[first : first + len(heard)] += heard
    return sound


@lru_cache(maxsize=2)
def _ambience(film: Film) -> np.ndarray:
    return place_sound(film.shots[0], film.samples, np.random.default_rng((film.seed, 41)))


@lru_cache(maxsize=2)
def _music(film: Film) -> np.ndarray:
    assert film.mood is not None
    return music_bed(film.mood, film.samples, np.random.default_rng((film.seed, 42)))
