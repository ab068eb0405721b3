"""Where a training gets its clips from: the world, or a folder of videos; both by number, without end."""

from pathlib import Path

from mediagen.data.folder import HOLD_OUT, FolderStream, videos_in
from mediagen.data.survey import Needs, usable
from mediagen.data.world import WorldStream

Stream = WorldStream | FolderStream


def open_stream(
    data: str | None,
    split: str,
    difficulty: str = "simple",
    size: tuple[int, int] = (64, 64),
    seconds: float = 2.0,
    fps: float = 16.0,
    *,
    sound: bool = False,
    device: str = "cpu",
    turning: float = 0.0,
    needs: Needs | None = None,
    skip_unusable: bool = False,
) -> Stream:
    """Where a training gets its clips from: the world (as `WorldStream` has it), or the folder `data`.

    A folder of less than ten videos holds none out, nor does one whose held-out ones are all left out: there
    "validation" is the world's.  needs, skip_unusable, errors as in FolderStream.
    """
    world = data is None or (split == "validation" and len(videos_in(Path(data))) < HOLD_OUT)
    if data is not None and split == "validation" and skip_unusable and not world:
        asked = needs or Needs(sound=sound, seconds=seconds)
        world = not usable(Path(data), videos_in(Path(data), split), asked, skip=True)
    if data is None or world:
        return WorldStream(split, difficulty, size, seconds, fps, device=device, turning=turning)
    return FolderStream(data, size, seconds, fps, split=split, sound=sound, needs=needs, skip_unusable=skip_unusable)
