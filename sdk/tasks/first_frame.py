"""The picture that a clip starts from, in any of the forms that people have one in."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mediagen.media.pictures import named, to_tensor
from mediagen.media.read import read_image
from mediagen.sdk.errors import RequestError


def first_frame(image: Any, size: tuple[int, int]) -> Tensor:
    """uint8 (1, H, W, 3) of `size` = (width, height): scaled to cover it, the middle kept.

    image: a path, a PIL image of any mode, or uint8 (H, W, 3) or (1, H, W, 3) as a tensor or an array; a path and the
    PIL image of it give the same. RequestError for anything else, and for a file that is not a picture.
    """
    return any_image(image, size)


def any_image(image: Any, size: tuple[int, int] | None = None) -> Tensor:
    """`first_frame`, with None at the picture's own size."""
    if isinstance(image, str | Path):
        try:
            return read_image(image, size)
        except (ValueError, OSError) as error:
            raise RequestError(str(error)) from None
    if isinstance(image, Tensor):
        image = image.detach().cpu().numpy()
    if isinstance(image, np.ndarray):
        if image.ndim == 4 and len(image) == 1:
            image = image[0]
        if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise RequestError(
                f"got an image of {image.dtype} {image.shape}, expected uint8 (H, W, 3); convert it first."
            )
        image = Image.fromarray(image)
    if not isinstance(image, Image.Image):
        kind = type(image).__name__
        raise RequestError(
            f"got an image of type {kind}, expected a path, a PIL image or a uint8 array; give one of them."
        )
    try:
        with named("an image"):
            return to_tensor(image, size)
    except ValueError as error:
        raise RequestError(str(error)) from None


def read_mask(mask: Any) -> Tensor:
    """bool (H, W), True where a picture is white; mask: a path, a PIL image, or an array: (H, W) of bool or uint8, or a
    picture's (H, W, 3) or (1, H, W, 3).

    RequestError for anything else, and for a file that is not a picture.
    """
    if isinstance(mask, str | Path):
        try:
            with Image.open(mask) as opened:
                mask = opened.convert("L")
        except (ValueError, OSError) as error:
            raise RequestError(f"got the mask '{mask}', which cannot be read ({error}); give a picture.") from None
    if isinstance(mask, Image.Image):
        mask = np.asarray(mask.convert("L"))
    found = mask.detach().cpu().numpy() if isinstance(mask, Tensor) else mask
    if isinstance(found, np.ndarray) and found.ndim == 4 and len(found) == 1:
        found = found[0]
    if isinstance(found, np.ndarray) and found.ndim == 3 and found.shape[-1] == 3 and found.dtype == np.uint8:
        found = found.mean(-1).astype(np.uint8)  # a picture in grey
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype not in (np.bool_, np.uint8):
        raise RequestError(
            f"got a mask of type {type(mask).__name__}, expected a picture's path, a PIL image or an array (H, W) of "
            "bool or uint8; give one of them."
        )
    return torch.from_numpy(found if found.dtype == np.bool_ else found >= 128)


def fingerprint(frame: Tensor) -> str:
    """Twelve hex digits that change with the pixels."""
    return hashlib.sha256(frame.cpu().contiguous().numpy().tobytes()).hexdigest()[:12]
