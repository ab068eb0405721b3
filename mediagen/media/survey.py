"""What files are, whether the product takes them, and what a copy of a film with new sound would keep and lose."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mediagen.media.checks import opened, picture_stream
from mediagen.media.footage import Footage
from mediagen.media.pictures import opened_picture, plain
from mediagen.media.remux.targets import FORMATS, problem

if TYPE_CHECKING:
    from av.container import InputContainer

FILMS = (*FORMATS, ".m4v", ".gif", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".3gp", ".flv")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".pgm", ".ppm", ".heic", ".avif")
SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".aac")


@dataclass
class Found:
    """kind: "film", "picture" or "sound".  what: in a few words.  refused: why it is not taken, "" where it is.

    endings: that a film with new sound can have.  kept, lost: of what its container says beside the pictures.
    """

    path: Path
    kind: str
    what: str = ""
    refused: str = ""
    endings: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def survey(folder: Path) -> Iterator[Found]:
    """Looks at each film, picture and sound in a folder, or at one file; reads films whole, decodes little."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
        kind = _kind(path)
        if kind and path.is_file():
            yield look(path, kind)


def look(path: Path, kind: str) -> Found:
    """What one file is; never raises for what the file holds."""
    found = Found(path, kind)
    if path.name.startswith("._"):
        found.refused = "it is a Mac's note about another file, not a film or picture; delete it."
        return found
    try:
        {"film": _film, "picture": _picture, "sound": _sound}[kind](found)
    except (ValueError, OSError) as error:
        found.refused = str(error)
    return found


def _kind(path: Path) -> str:
    endings = {"film": FILMS, "picture": PICTURES, "sound": SOUNDS}
    return next((kind for kind, known in endings.items() if path.suffix.lower() in known), "")


def _picture(found: Found) -> None:
    with opened_picture(found.path) as image:
        found.what = f"{image.format}, {image.width}x{image.height}, {image.mode}"
        plain(image)


def _sound(found: Found) -> None:
    with opened(found.path) as container:
        found.what = _heard(container)
        seconds = (container.duration or 0) / 1e6
        if not container.streams.audio:
            raise ValueError(f"got {found.path.name} without sound; give another file.")
    found.what += f", {seconds:.2f} s"


def _film(found: Found) -> None:
    footage = Footage(found.path)
    width, height = footage.size
    rate = "varying rate" if footage.fps is None else f"{footage.fps:.5g} fps"
    with opened(found.path) as container:
        video = picture_stream(found.path, container)
        found.what = f"{video.codec_context.name}, {width}x{height}, {footage.seconds:.2f} s, {rate}, "
        found.what += _heard(container)
        shape, chapters = video.sample_aspect_ratio, len(container.chapters())
        counts = {kind: sum(s.type == kind for s in container.streams) for kind in ("subtitle", "data", "audio")}
        language = video.metadata.get("language")
    times = footage.timeline
    found.endings = [ending for ending in FORMATS if problem(footage, ending) is None]
    if shape and shape != 1:
        found.kept.append(f"pixels of {shape.numerator}:{shape.denominator}")
    if not times.whole or times.head:
        found.kept.append("edit list")
    if times.descriptions > 1:
        found.kept.append(f"{times.descriptions} descriptions")
    found.kept += [_count(chapters, "chapter")] if chapters else []
    found.kept += [f"language {language}"] if language not in (None, "und") else []
    found.kept += [_count(counts["subtitle"], "subtitle track")] if counts["subtitle"] else []
    found.lost += [_count(counts["data"], "data track")] if counts["data"] else []
    found.lost += [f"{_count(counts['audio'] - 1, 'further sound track')}"] if counts["audio"] > 1 else []
    if not found.endings:
        found.refused = f"no file that mediagen writes can hold {problem(footage, '.mkv')}; only a .wav of its sound."


def _heard(container: "InputContainer") -> str:
    audio = next(iter(container.streams.audio), None)
    if audio is None:
        return "no sound"
    if audio.codec_context is None:
        return "sound of an unknown codec"
    return (
        f"sound in {audio.codec_context.name}, {audio.codec_context.layout.name}, {audio.codec_context.sample_rate} Hz"
    )


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
