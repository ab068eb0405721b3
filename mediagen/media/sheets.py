"""Contact sheets: what a person looks at to judge a training or a result."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

_GAP = 2  # pixels between tiles
_LINE = 14  # pixels of one line of caption


def contact_sheet(frames: Sequence[torch.Tensor], columns: int, captions: Sequence[str] | None = None) -> torch.Tensor:
    """Lays pictures out in rows of `columns`, each with its caption beneath; gives uint8 (H, W, 3).

    Each entry is uint8 (h, w, 3), or (F, h, w, 3), which is drawn as a strip of its frames side by side. Long captions
    are cut. Raises ValueError for no pictures, another type, or a number of captions that differs.
    """
    if not frames or columns < 1:
        raise ValueError(f"got {len(frames)} pictures in {columns} columns, expected at least one of each; give some.")
    if captions is not None and len(captions) != len(frames):
        raise ValueError(f"got {len(captions)} captions for {len(frames)} pictures, expected as many; give one each.")
    tiles = [_tile(picture) for picture in frames]
    height = max(len(tile) for tile in tiles) + _GAP + (0 if captions is None else _LINE)
    width = max(tile.shape[1] for tile in tiles) + _GAP
    columns = min(columns, len(tiles))
    sheet = Image.new("RGB", (columns * width - _GAP, math.ceil(len(tiles) / columns) * height - _GAP), (24, 24, 24))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default()
    for index, tile in enumerate(tiles):
        x, y = index % columns * width, index // columns * height
        sheet.paste(Image.fromarray(tile), (x, y))
        if captions is not None:
            text = captions[index].replace("\n", " ")
            while text and pen.textlength(text, font=font) > width - _GAP:
                text = text[:-1]
            pen.text((x, y + height - _GAP - _LINE), text, fill="white", font=font)
    return torch.from_numpy(np.array(sheet))


def save_sheet(
    frames: Sequence[torch.Tensor], path: str | Path, columns: int = 1, captions: Sequence[str] | None = None
) -> Path:
    """Writes the `contact_sheet` of pictures or strips as a png."""
    Image.fromarray(contact_sheet(frames, columns, captions).numpy()).save(path, format="png")
    return Path(path)


def _tile(picture: torch.Tensor) -> np.ndarray:
    if picture.dtype != torch.uint8 or picture.ndim not in (3, 4) or picture.shape[-1] != 3:
        raise ValueError(
            f"got {picture.dtype} {tuple(picture.shape)}, expected uint8 (H, W, 3) or (F, H, W, 3) for a sheet."
        )
    strip = picture if picture.ndim == 3 else torch.cat(list(picture), dim=1)
    return strip.detach().cpu().contiguous().numpy()
