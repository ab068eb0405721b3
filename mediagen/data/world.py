"""WorldStream: scenes of the procedural world by number, as endless training clips."""

from collections.abc import Sequence

import numpy as np

from mediagen.data.batch import PER_STEP, check_batch
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.world.draw import render
from mediagen.world.film import draw_turning
from mediagen.world.scene import Scene, draw_scene
from mediagen.world.sounds import synthesise
from mediagen.world.words import caption

PER_SEED = 2**48
TURN = 0.25  # seconds: a latent frame of four pictures


class WorldStream:
    """Scenes of one split and difficulty, all of one size (width, height), length and frame rate.

    What step s gives depends on s alone. The ranks of one step get disjoint parts of what one process would get with
    their batches together.  device: where pictures are drawn, and stay.  turning: share of standard shots in which
    something else is done from a moment on, a multiple of `TURN` seconds; their captions tell what is done then.
    """

    def __init__(
        self,
        split: str = "train",
        difficulty: str = "simple",
        size: tuple[int, int] = (64, 64),
        seconds: float = 2.0,
        fps: float = 16.0,
        seed: int = 0,
        device: str = "cpu",
        turning: float = 0.0,
    ) -> None:
        self.turning = turning
        self.split, self.difficulty, self.size, self.seconds, self.fps = split, difficulty, size, seconds, fps
        self.seed, self.device = seed, device
        self.scene(0)  # a wrong split or difficulty is an error here

    @property
    def frames(self) -> int:
        """Pictures in a clip."""
        return max(1, round(self.seconds * self.fps))

    def scene(self, index: int) -> Scene:
        """Scene number `index`; any integer from 0 to 2**48 - 1."""
        number, aspect = self.seed * PER_SEED + index, self.size[0] / self.size[1]
        if self.turning:
            rng = np.random.default_rng((number, 43))
            if rng.random() < self.turning:
                times = (TURN * int(rng.integers(1, max(2, int(self.seconds / TURN / 2) + 1))),)
                return draw_turning(number, self.split, seconds=self.seconds, fps=self.fps, aspect=aspect, times=times)
        return draw_scene(number, self.split, self.difficulty, seconds=self.seconds, fps=self.fps, aspect=aspect)

    def scenes(self, step: int, batch: int, rank: int = 0, world: int = 1) -> list[Scene]:
        """The `batch` scenes of `rank` (of `world`) in a step."""
        return [self.scene(number) for number in self._numbers(step, batch, rank, world)]

    def clips(
        self,
        step: int,
        batch: int,
        rank: int = 0,
        world: int = 1,
        *,
        sound: bool = False,
        frames: list[int] | None = None,
    ) -> list[Clip]:
        """The same as captioned clips, as `clips_at` gives them."""
        return self.clips_at(self._numbers(step, batch, rank, world), sound=sound, frames=frames)

    def clips_at(self, numbers: Sequence[int], *, sound: bool = False, frames: list[int] | None = None) -> list[Clip]:
        """Scenes by number as captioned clips: pictures at `size`, and the 48 kHz sound (1, S) where asked for.

        frames: which pictures of each clip; None for all.
        """
        scenes = [self.scene(number) for number in numbers]
        return [
            Clip(
                frames=drawn,
                fps=self.fps,
                sound=synthesise(scene) if sound else None,
                rate=SOUND_RATE,
                caption=caption(scene.ending, np.random.default_rng((scene.seed, 13))),
            )
            for scene, drawn in zip(scenes, render(scenes, self.size, self.device, frames), strict=True)
        ]

    def _numbers(self, step: int, batch: int, rank: int, world: int) -> range:
        check_batch(step, batch, rank, world)
        first = step * PER_STEP + rank * batch
        return range(first, first + batch)
