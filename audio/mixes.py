"""Mixes: scenes of the world with the layers of their sound switched on and off, and the words for them."""

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from mediagen.world.motion import contacts
from mediagen.world.scene import MOODS, Scene, draw_scene
from mediagen.world.sounds import synthesise
from mediagen.world.words import caption, music_caption, sound_caption


@dataclass(frozen=True)
class Mix:
    """A scene and what is heard of it.

    scene: without a mood where its music is off.  rest: whether its effects and its ambience are on.  gain: of the
    music.
    """

    scene: Scene
    rest: tuple[bool, bool]
    gain: float

    def layers(self) -> tuple[Tensor, Tensor]:
        """The music and the rest, each (1, S)."""
        effects, ambience = self.rest
        music = synthesise(self.scene, effects=False, ambience=False) * self.gain
        return music, synthesise(self.scene, effects=effects, ambience=ambience, music=False)

    def impacts(self) -> list[float]:
        """Seconds of the impacts that are heard."""
        return [contact.time for contact in contacts(self.scene)] if self.rest[0] else []

    def tell(self, rng: np.random.Generator) -> str:
        """One of many wordings: what is heard, or seen in one of four, and the music or that there is none."""
        effects, ambience = self.rest
        heard = self.scene if effects else replace(self.scene, things=())
        parts = []
        if effects and rng.random() < 0.25:
            parts.append(caption(self.scene, rng))
        elif effects or ambience:
            parts.append(sound_caption(heard, rng))
        bed = music_caption(self.scene, rng) or ("no music" if rng.random() < 0.3 or not parts else "")
        if bed:
            parts.insert(int(rng.integers(len(parts) + 1)), f"music: {bed}" if rng.random() < 0.3 else bed)
        return ". ".join(part.rstrip(".") for part in parts)


def mixed(
    index: int, split: str, full: float = 0.5, seconds: float = 4.0, fps: float = 16.0, aspect: float = 1.0
) -> Mix:
    """Mix number `index` of a split: music in every second, of any loudness; two in five of those without the rest.

    Of two scenes that one is taken that has an impact, so that there is something to be in time with.
    """
    rng = np.random.default_rng((index, 31))
    difficulty = "full" if rng.random() < full else "simple"
    pair = [
        draw_scene(2 * index + half, split, difficulty, seconds=seconds, fps=fps,
                   aspect=aspect)
        for half in (0, 1)
    ]  # fmt: skip
    scene = max(pair, key=lambda scene: bool(contacts(scene)))
    if rng.random() < 0.5:
        gain = 1.0 if rng.random() < 0.5 else float(10 ** rng.uniform(-0.35, 0.35))
        rest = (True, True) if rng.random() < 0.6 else (False, False)
        return Mix(replace(scene, mood=str(rng.choice(MOODS))), rest, gain)
    kinds = ((True, True), (True, False), (False, True), (False, False))
    return Mix(replace(scene, mood=None), kinds[int(rng.choice(4, p=(0.78, 0.12, 0.08, 0.02)))], 1.0)
