"""Endless training data by step number: scenes of the procedural world, or windows of videos in a folder."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from mediagen.clip import Clip
from mediagen.grid import SOUND_RATE
from mediagen.media import read_clip, resample
from mediagen.world.draw import render
from mediagen.world.scene import Scene, draw_scene
from mediagen.world.sounds import synthesise
from mediagen.world.words import caption

VIDEOS = (".mp4", ".mov", ".webm", ".mkv")
PER_STEP = 2**16  # scene numbers set aside for each step, so that no batch size makes two steps share a scene
PER_SEED = 2**48


class WorldStream:
    """Scenes of one split and difficulty, all of one size (width, height), length and frame rate.

    What step s gives depends on s alone. The ranks of one step get disjoint parts of what one process would get with
    their batches together.
    """

    def __init__(
        self,
        split: str = "train",
        difficulty: str = "simple",
        size: tuple[int, int] = (64, 64),
        seconds: float = 2.0,
        fps: float = 16.0,
        seed: int = 0,
    ) -> None:
        self.split, self.difficulty, self.size, self.seconds, self.fps = split, difficulty, size, seconds, fps
        self.seed = seed
        self.scene(0)  # a wrong split or difficulty is an error here

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
        _check_batch(step, batch, rank, world)
        return [self.scene(step * PER_STEP + rank * batch + item) for item in range(batch)]

    def clips(self, step: int, batch: int, rank: int = 0, world: int = 1, *, sound: bool = False) -> list[Clip]:
        """The same as captioned clips: frames at `size`, and the 48 kHz sound (1, S) where `sound` is asked for."""
        return self.clips_of(self.scenes(step, batch, rank, world), sound=sound)

    def clips_of(self, scenes: list[Scene], *, sound: bool = False) -> list[Clip]:
        """Pictures, caption and sound of scenes of this stream."""
        return [
            Clip(
                frames=frames,
                fps=self.fps,
                sound=synthesise(scene) if sound else None,
                rate=SOUND_RATE,
                caption=caption(scene, np.random.default_rng((scene.seed, 13))),
            )
            for scene, frames in zip(scenes, render(scenes, self.size), strict=True)
        ]


class FolderStream:
    """Random windows of the videos in a folder; beside every video x.mp4 stands its caption x.txt.

    Each epoch visits every video once, in an order of its own. Pictures are cut to the middle and scaled to `size`
    (width, height), and sampled at `fps`. Raises ValueError for a folder without videos or a video without a caption.
    """

    def __init__(
        self,
        folder: str | Path,
        size: tuple[int, int] = (64, 64),
        seconds: float = 2.0,
        fps: float = 16.0,
        seed: int = 0,
    ) -> None:
        self.folder, self.size, self.seconds, self.fps, self.seed = Path(folder), size, seconds, fps, seed
        if not self.folder.is_dir():
            raise ValueError(f"got {self.folder}, which is no folder; give a folder of videos with captions.")
        self.videos = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() in VIDEOS)
        if not self.videos:
            raise ValueError(
                f"got no videos in {self.folder}, expected files that end in {', '.join(VIDEOS)}; add some."
            )
        self.captions = [_caption_of(path) for path in self.videos]

    def clips(self, step: int, batch: int, rank: int = 0, world: int = 1, *, sound: bool = False) -> list[Clip]:
        """The clips of `rank` (of `world`) in a step; a file without sound gives a clip without sound.

        Sound comes as (1, S) at 48 kHz. Raises ValueError for a video shorter than the stream's `seconds`.
        """
        _check_batch(step, batch, rank, world)
        first = (step * world + rank) * batch
        return [self._clip(number, sound) for number in range(first, first + batch)]

    def _clip(self, number: int, sound: bool) -> Clip:
        epoch, place = divmod(number, len(self.videos))
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.videos))
        index = int(order[place])
        source = read_clip(self.videos[index])
        assert source.frames is not None
        spare = source.seconds - self.seconds
        if spare < -0.5 / source.fps:
            raise ValueError(
                f"got {self.videos[index]} of {source.seconds:.2f} s, expected at least {self.seconds:g} s; "
                "remove it or train on shorter clips."
            )
        start = float(np.random.default_rng((self.seed, 1, number)).uniform(0, max(spare, 0.0)))
        times = start + np.arange(max(1, round(self.seconds * self.fps))) / self.fps
        wanted = np.clip(np.floor(times * source.fps + 1e-6).astype(int), 0, len(source.frames) - 1)
        return Clip(
            frames=_fit(source.frames[torch.from_numpy(wanted)], self.size),
            fps=self.fps,
            sound=_window(source, start, len(times) / self.fps) if sound and source.sound is not None else None,
            rate=SOUND_RATE,
            caption=self.captions[index],
        )


def _caption_of(video: Path) -> str:
    path = video.with_suffix(".txt")
    text = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    if not text:
        raise ValueError(f"got {video} without a caption, expected text in {path.name} beside it; write one.")
    return text


def _check_batch(step: int, batch: int, rank: int, world: int) -> None:
    if step < 0 or batch < 1 or not 0 <= rank < world or batch * world > PER_STEP:
        raise ValueError(
            f"got step {step}, batch {batch}, rank {rank} of {world}; expected step >= 0, batch >= 1, "
            f"0 <= rank < world and at most {PER_STEP} clips in a step."
        )


def _fit(frames: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Cuts the middle of uint8 (F, H, W, 3) to the shape of `size` and scales it."""
    height, width = frames.shape[1:3]
    scale = min(width / size[0], height / size[1])
    wide, high = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    top, left = (height - high) // 2, (width - wide) // 2
    cut = frames[:, top : top + high, left : left + wide].permute(0, 3, 1, 2)
    if (wide, high) != size:
        cut = F.interpolate(cut.float(), size[::-1], mode="bilinear", antialias=True).round().clamp(0, 255).byte()
    return cut.permute(0, 2, 3, 1).contiguous()


def _window(source: Clip, start: float, seconds: float) -> torch.Tensor:
    """Mono 48 kHz sound of a window, silence where the file has less."""
    assert source.sound is not None
    first, count = round(start * source.rate), round(seconds * source.rate)
    mono = resample(source.sound[:, first : first + count].mean(0, keepdim=True), source.rate, SOUND_RATE)
    samples = round(seconds * SOUND_RATE)
    return F.pad(mono, (0, max(0, samples - mono.shape[1])))[:, :samples]
