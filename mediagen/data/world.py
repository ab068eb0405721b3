"""WorldStream: scenes of the procedural world by number, as endless training clips."""

from collections.abc import Sequence

import numpy as np

from mediagen.data.batch import PER_STEP, check_batch
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.world.draw import render
from mediagen.world.scene import Scene, draw_scene
from mediagen.world.sounds import synthesise
from mediagen.world.words import caption

PER_SEED = 2**48


class WorldStream:
    """Scenes of one split and difficulty, all of one size (width, height), length and frame rate.

    What step s gives depends on s alone. The ranks of one step get disjoint parts of what one process would get with
    their batches together.  device: where pictures are drawn, and stay.
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
    ) -> None:
        self.split, self.difficulty, self.size, self.seconds, self.fps = split, difficulty, size, seconds, fps
        self.seed, self.device = seed, device
        self.scene(0)  # a wrong split or difficulty is an error here

    @property
    def frames(self) -> int:
        """Pictures in a clip."""
        return max(1, round(self.seconds * self.fps))

    def scene(self, index: int) -> Scene:
        """Scene number `index`; any integer from 0 to 2**48 - 1."""
        return draw_scene(
            self.seed * PER_SEED + index,
            self.split,
            self.difficulty,
            seconds=self.seconds,
            fps=self.fps,
            aspect=self.size[0] / self.size[1],
        )

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
                caption=caption(scene, np.random.default_rng((scene.seed, 13))),
            )
            for scene, drawn in zip(scenes, render(scenes, self.size, self.device, frames), strict=True)
        ]

    def _numbers(self, step: int, batch: int, rank: int, world: int) -> range:
        check_batch(step, batch, rank, world)
        first = step * PER_STEP + rank * batch
        return range(first, first + batch)
