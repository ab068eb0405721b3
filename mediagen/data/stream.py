"""Where a training gets its clips from: the world, or a folder of videos; both by number, without end."""

from pathlib import Path

from mediagen.data.folder import HOLD_OUT, FolderStream, videos_in
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
) -> Stream:
    """Where a training gets its clips from: the world (as `WorldStream` has it), or the folder `data`.

    A folder of less than ten videos holds none out: there "validation" is the world's.  Errors as in FolderStream.
    """
    if data is None or (split == "validation" and len(videos_in(Path(data))) < HOLD_OUT):
        return WorldStream(split, difficulty, size, seconds, fps, device=device, turning=turning)
    return FolderStream(data, size, seconds, fps, split=split, sound=sound)
