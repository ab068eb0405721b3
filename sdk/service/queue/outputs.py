"""Outputs: the files of a finished job, each written whole before the job is completed."""

import contextlib
from typing import TYPE_CHECKING

from mediagen.sdk.service.intake.uploads import FILMS
from mediagen.sdk.service.queue.disk import settle
from mediagen.sdk.service.queue.rows import File
from mediagen.sdk.service.queue.store import Store

if TYPE_CHECKING:
    from torch import Tensor

    from mediagen.media.clip import Clip
    from mediagen.media.footage import Footage
    from mediagen.sdk.tasks.edited import EditedFilm
    from mediagen.sdk.tasks.soundtracks import Soundtrack
    from mediagen.sdk.tasks.stories import Story
    from mediagen.sdk.tasks.upscaled import UpscaledFilm

VARIANTS = {"thumbnail": (".webp", "image/webp"), "spritesheet": (".jpg", "image/jpeg")}
SOUND = "audio/wav"  # what a sound is served as
_TILES = 16  # pictures in a sprite sheet
_SIDE = 512  # pixels of the longer side of a film's tile


def write(
    film: "Clip | Soundtrack | EditedFilm | UpscaledFilm | Story", job: str, store: Store, made: list[File]
) -> None:
    """Writes the film, its thumbnail and its sprite sheet, or a sound; `made` gets each file before it is written.

    Of a story each scene is a film besides, "scene-1" and so on.
    """
    from PIL import Image

    from mediagen.media.clip import Clip
    from mediagen.media.footage import Footage
    from mediagen.media.provenance import MADE, MIXED, packet_of
    from mediagen.media.sheets import contact_sheet
    from mediagen.sdk.tasks.stories import Story

    if isinstance(film, Story):
        write(film.clip, job, store, made)
        for scene in film.scenes:
            made.append(File.new(job, f"scene-{scene.number}", ".mp4", FILMS[".mp4"]))
            settle(scene.clip.save(store.path(made[-1])))
        return
    if isinstance(film, Clip) and film.frames is None:
        made.append(File.new(job, "video", ".wav", SOUND))
        settle(film.save(store.path(made[0])))
        return
    suffix = ".mp4" if isinstance(film, Clip) else film.ending
    for role, (ending, kind) in {"video": (suffix, FILMS[suffix]), **VARIANTS}.items():
        made.append(File.new(job, role, ending, kind))
    target, thumbnail, sheet = (store.path(file) for file in made)
    film.save(target)
    middle, tiles = _of_clip(film) if isinstance(film, Clip) else _of_film(Footage(target))
    xmp = packet_of(MADE if isinstance(film, Clip) else MIXED)
    Image.fromarray(middle.numpy()).save(thumbnail, quality=85, xmp=xmp)
    Image.fromarray(contact_sheet(tiles, columns=4).numpy()).save(sheet, quality=85, xmp=xmp)
    settle(target, thumbnail, sheet)


def remove(files: list[File], store: Store) -> None:
    """Removes what a job wrote and does not keep; what cannot be removed goes at the next start."""
    for file in files:
        with contextlib.suppress(OSError):
            store.path(file).unlink()


def _of_clip(clip: "Clip") -> "tuple[Tensor, list[Tensor]]":
    """The picture in the middle, and tiles over the whole length."""
    import numpy as np

    frames = clip.frames
    assert frames is not None
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), _TILES)).round().astype(int))
    return frames[len(frames) // 2].cpu(), [frames[int(index)] for index in chosen]


def _of_film(film: "Footage") -> "tuple[Tensor, list[Tensor]]":
    """The same of a film that is not held in memory; its tiles are made small."""
    width, height = film.size
    scale = min(1.0, _SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    count = min(_TILES, film.packets)
    tiles = [tile for batch in film.pictures(count / film.seconds, size) for tile in batch]
    return tiles[len(tiles) // 2], tiles
