"""Outputs: the files of a finished job, each written whole before the job is completed."""

from typing import TYPE_CHECKING

from mediagen.sdk.service.rows import File
from mediagen.sdk.service.store import Store

if TYPE_CHECKING:
    from mediagen.clip import Clip

VARIANTS = {"video": (".mp4", "video/mp4"), "thumbnail": (".webp", "image/webp"), "spritesheet": (".jpg", "image/jpeg")}
_TILES = 16  # pictures in a sprite sheet


def write(clip: "Clip", job: str, store: Store, made: list[File]) -> None:
    """Writes the film, its thumbnail and its sprite sheet; `made` gets each file before it is written."""
    import numpy as np
    from PIL import Image

    from mediagen.sheets import contact_sheet

    for role, (suffix, kind) in VARIANTS.items():
        made.append(File.new(job, role, suffix, kind))
    film, thumbnail, sheet = (store.path(file) for file in made)
    clip.save(film)
    frames = clip.frames
    assert frames is not None
    Image.fromarray(frames[len(frames) // 2].cpu().numpy()).save(thumbnail, quality=85)
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), _TILES)).round().astype(int))
    tiles = contact_sheet([frames[int(index)] for index in chosen], columns=4)
    Image.fromarray(tiles.numpy()).save(sheet, quality=85)


def remove(files: list[File], store: Store) -> None:
    """Removes what a job wrote and does not keep."""
    for file in files:
        store.path(file).unlink(missing_ok=True)
