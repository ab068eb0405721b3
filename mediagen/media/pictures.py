"""Pictures in any of the forms that people have one in become 8 bits of red, green and blue; one reading for all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")  # one channel of more than 8 bits, which Pillow would clip


@contextmanager
def opened_picture(path: Path) -> Iterator[Image.Image]:
    """Opens a picture; whatever Pillow says against it while it is open becomes one ValueError with the file's name."""
    if not path.is_file():
        raise ValueError(f"got no file at '{path}', expected a picture; check the path.")
    with named(path.name), Image.open(path) as image:
        yield image


@contextmanager
def named(name: str) -> Iterator[None]:
    """Errors of Pillow inside, which may be of any type, become one sentence about the picture of that name."""
    try:
        yield
    except UnidentifiedImageError:
        raise ValueError(f"got {name}, which is no picture or a damaged one; give a png, jpg or webp.") from None
    except Image.DecompressionBombError:
        raise ValueError(f"got {name}, which is too large a picture; make it smaller first.") from None
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith("got "):  # our own
            raise
        raise ValueError(f"got {name}, which is a damaged picture; give a whole one.") from None


def to_tensor(image: Image.Image, size: tuple[int, int] | None = None) -> torch.Tensor:
    """uint8 (1, H, W, 3) of a picture, as `plain` reads it; size = (width, height): scaled to cover it and cut."""
    made = plain(image)
    if size is not None:
        made = ImageOps.fit(made, size, Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(made))[None]


def plain(image: Image.Image) -> Image.Image:
    """A picture of any mode as RGB, upright, transparency over white; more than 8 bits a channel are scaled, not cut.

    Whole numbers of 16 or 32 bits are taken for 0 to 65535, as Pillow gives them; float ones for 0 to 1, or for 0 to
    255 where one is above 1.  Raises ValueError for values beyond that.
    """
    upright = ImageOps.exif_transpose(image)
    if upright.mode in _DEEP:
        clear = upright.info.get("transparency")
        values = np.asarray(upright).astype(np.float64)
        alpha = None if not isinstance(clear, int) else np.where(values == clear, 0, 255).astype(np.uint8)
        upright = Image.fromarray(_eight_bits(values, upright.mode == "F"))
        if alpha is not None:
            upright.putalpha(Image.fromarray(alpha))
    if upright.mode in ("La", "RGBa"):  # alpha is multiplied in; Pillow takes it out only to these
        upright = upright.convert("LA" if upright.mode == "La" else "RGBA")
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    whole = upright.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB")


def _eight_bits(values: np.ndarray, fractions: bool) -> np.ndarray:
    least, most = float(values.min()), float(values.max())
    top = (1.0 if most <= 1 else 255.0) if fractions else 65_535.0
    if not 0 <= least <= most <= top:
        raise ValueError(
            f"got a picture with values from {least:g} to {most:g}, expected "
            f"{'0 to 1 or 0 to 255' if fractions else '0 to 65535'}; scale it first."
        )
    return np.round(values * (255 / top)).astype(np.uint8)
