"""FolderStream: windows of the videos in a folder by number, with the captions that stand beside them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from mediagen.data.batch import check_batch
from mediagen.data.needs import Needs, footage_of, usable
from mediagen.grid import SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.media.footage import Footage

VIDEOS = (".mp4", ".mov", ".webm", ".mkv")
_SYSTEMS = ("__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found", "node_modules", "__pycache__")
_BATCH = 8  # pictures of a window that are held at the size of the film
HOLD_OUT = 10  # every tenth file is kept for validation, where a folder has as many


class FolderStream:
    """Random windows of the videos in a folder; beside every video x.mp4 stands its caption x.txt.

    Each epoch visits every video once, in an order of its own. Pictures are cut to the middle and scaled to `size`
    (width, height), and sampled at `fps`.  split: "all", or "train" or "validation": every tenth file, in the order of
    their names, is kept out of training where there are ten.  needs: what each file must have; by default a caption and
    the stream's `seconds`, and a sound track if `sound` says so.  skip_unusable: leaves out those that lack it.
    Raises ValueError for a folder without videos, and one that lists all that cannot be used.
    """

    def __init__(
        self,
        folder: str | Path,
        size: tuple[int, int] = (64, 64),
        seconds: float = 2.0,
        fps: float = 16.0,
        seed: int = 0,
        split: str = "all",
        sound: bool = False,
        *,
        needs: Needs | None = None,
        skip_unusable: bool = False,
    ) -> None:
        self.folder, self.size, self.seconds, self.fps, self.seed = Path(folder), size, seconds, fps, seed
        needs = needs or Needs(sound=sound, seconds=seconds)
        films = usable(self.folder, videos_in(self.folder, split), needs, skip_unusable)
        if not films:
            raise ValueError(f"got no video in {folder} that can be used, expected some; see why without skipping.")
        self.sound, self.videos = needs.sound, [film.path for film in films]
        self.captions = [film.caption for film in films]

    @property
    def frames(self) -> int:
        """Pictures in a clip."""
        return max(1, round(self.seconds * self.fps))

    @property
    def mark(self) -> str:
        """A few digits that change with the files' names, sizes and captions."""
        total = hashlib.sha256()
        for path, text in zip(self.videos, self.captions, strict=True):
            total.update(repr((path.relative_to(self.folder).as_posix(), path.stat().st_size, text)).encode())
        return total.hexdigest()[:12]

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
        """The clips of `rank` (of `world`) in a step, as `clips_at` gives them."""
        check_batch(step, batch, rank, world)
        first = (step * world + rank) * batch
        return self.clips_at(range(first, first + batch), sound=sound, frames=frames)

    def clips_at(self, numbers: Sequence[int], *, sound: bool = False, frames: list[int] | None = None) -> list[Clip]:
        """Windows by number, from 0 on; a file without sound gives a clip without sound.

        Sound comes as (1, S) at 48 kHz.  frames: which pictures of each window; None for all.  Raises ValueError for a
        video shorter than the stream's `seconds`.
        """
        return [self._clip(number, sound, frames) for number in numbers]

    def sound_at(self, number: int) -> torch.Tensor:
        """The sound (1, S) at 48 kHz of a window of its own, silence where the file has less; reads no pictures."""
        footage = self._footage(self.file_of(number))
        return _sound(footage, self._start(number, footage.seconds - self.seconds), self.seconds)

    def _footage(self, index: int) -> Footage:
        return footage_of(self.videos[index])

    def file_of(self, number: int) -> int:
        """Which of `videos` clip number so and so is cut from."""
        epoch, place = divmod(number, len(self.videos))
        return int(np.random.default_rng((self.seed, epoch)).permutation(len(self.videos))[place])

    def _start(self, number: int, spare: float) -> float:
        return float(np.random.default_rng((self.seed, 1, number)).uniform(0, max(spare, 0.0)))

    def _clip(self, number: int, sound: bool, frames: list[int] | None) -> Clip:
        index = self.file_of(number)
        footage = self._footage(index)
        if sound and self.sound and not footage.timeline.heard:
            raise ValueError(f"got {self.videos[index]} with an empty sound track, expected sound; remove the file.")
        spare = footage.seconds - self.seconds
        if spare < -0.5 * footage.seconds / footage.packets:
            raise ValueError(
                f"got {self.videos[index]} of {footage.seconds:.2f} s, expected at least {self.seconds:g} s; "
                "remove it or train on shorter clips."
            )
        start = self._start(number, spare)
        wanted = list(range(self.frames)) if frames is None else list(frames)
        order = sorted(range(len(wanted)), key=wanted.__getitem__)
        pictures = footage.pictures_at([start + wanted[place] / self.fps for place in order], batch=_BATCH)
        made = torch.cat([_fit(batch, self.size) for batch in pictures])
        return Clip(
            frames=made[torch.tensor(order).argsort()],
            fps=self.fps,
            sound=_sound(footage, start, self.frames / self.fps) if sound and footage.timeline.heard else None,
            rate=SOUND_RATE,
            caption=self.captions[index],
        )


def videos_in(folder: Path, split: str = "all") -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"got {folder}, which is no folder; give a folder of videos with captions.")
    videos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS and _is_ours(path, folder))
    if not videos:
        raise ValueError(f"got no videos in {folder}, expected files that end in {', '.join(VIDEOS)}; add some.")
    train = [path for index, path in enumerate(videos, 1) if index % HOLD_OUT]
    parts = {"all": videos, "train": train, "validation": videos[HOLD_OUT - 1 :: HOLD_OUT]}
    if split not in parts:
        raise ValueError(f"got split '{split}', expected one of {', '.join(parts)}.")
    if not parts[split]:
        raise ValueError(
            f"got {len(videos)} videos in {folder}, expected at least {HOLD_OUT} to hold one out; add some."
        )
    return parts[split]


def _is_ours(path: Path, folder: Path) -> bool:
    """Whether a person put a file there: not a system's shadow of one, a cache, a bin, or a folder."""
    parts = path.relative_to(folder).parts
    return path.is_file() and not any(part.startswith((".", "@", "#")) or part in _SYSTEMS for part in parts)


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


def _sound(footage: Footage, start: float, seconds: float) -> torch.Tensor:
    """Mono 48 kHz sound of a window, silence where the file has less."""
    samples = round(seconds * SOUND_RATE)
    if start >= footage.seconds:
        return torch.zeros(1, samples)
    end = min(start + seconds, footage.seconds)
    # Both channels are asked for: mixed by FFmpeg they would be 3 dB louder than their mean.
    heard = torch.cat(list(footage.sound(start, end, channels=1 if footage.channels == 1 else 2)), 1)
    return F.pad(heard.mean(0, keepdim=True), (0, max(0, samples - heard.shape[1])))[:, :samples]
