"""Needs: what of a folder of films a training can use, judged once and whole, before anything is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mediagen.media.encodings import decoded
from mediagen.media.footage import Footage


@dataclass(frozen=True)
class Needs:
    """What a training reads of a film: what it does not read, it does not demand.

    captions: a text file beside it.  pictures: the file itself; only its caption without.  sound: a sound track.
    seconds: the shortest film.
    """

    captions: bool = True
    pictures: bool = True
    sound: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """A video and its caption, "" where it has none; why: what keeps it from being used, "" for nothing."""

    path: Path
    caption: str
    why: str = ""


def look_at(path: Path, needs: Needs) -> Candidate:
    """The video at `path`, with all that is wrong with it, read off its caption and its packets."""
    caption, wrong = "", list[str]()
    try:
        caption = caption_of(path)
    except ValueError as error:
        wrong += [str(error)] if needs.captions else []
    try:
        footage = footage_of(path) if needs.pictures else None
    except (ValueError, OSError) as error:
        return Candidate(path, caption, "; ".join([*wrong, f"{path.name} cannot be read ({error})"]))
    if footage is not None and needs.sound and not footage.timeline.heard:
        wrong.append(f"{path.name} without a sound track, expected one")
    if footage is not None and footage.seconds < needs.seconds - 0.5 * footage.seconds / footage.packets:
        wrong.append(f"{path.name} of {footage.seconds:.2f} s, expected at least {needs.seconds:g} s")
    return Candidate(path, caption, "; ".join(wrong))


def usable(folder: Path, videos: Sequence[Path], needs: Needs, skip: bool = False) -> list[Candidate]:
    """Those of the videos that can be used; ValueError that names every other one and why, unless they are skipped."""
    films = [look_at(path, needs) for path in videos]
    wrong = [film.why for film in films if film.why]
    if wrong and not skip:
        raise ValueError(
            f"got {len(wrong)} of {len(films)} films in {folder} that cannot be used: {'; '.join(wrong)}. Mend or "
            "remove them, or leave them out by --skip-unusable (skip_unusable=true)."
        )
    return [film for film in films if not film.why]


def captions_amiss(videos: Sequence[Path]) -> list[str]:
    """What is wrong with the captions that stand beside the videos, for a training that reads none."""
    wrong = []
    for video in videos:
        if video.with_suffix(".txt").is_file():
            try:
                caption_of(video)
            except ValueError as error:
                wrong.append(str(error))
    return wrong


def footage_of(path: Path) -> Footage:
    """What is known of a video, whose packets are all read once, as long as the file stays as it is."""
    about = path.stat()
    return _footage(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=8192)
def _footage(path: Path, changed: int, size: int) -> Footage:
    return Footage(path)


def caption_of(video: Path) -> str:
    """The text beside a video; ValueError where there is none or it cannot be read."""
    path = video.with_suffix(".txt")
    try:
        text = decoded(path.read_bytes()) if path.is_file() else ""
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} in another encoding than UTF-8 or UTF-16, expected UTF-8") from None
    if not text:
        raise ValueError(f"{video.name} without a caption, expected text in {path.name} beside it")
    return text
