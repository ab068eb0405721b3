"""Upscaled: a film with larger pictures, which stand on disk as latents and are decoded whenever they are looked at."""

import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mediagen.media.footage import Footage
from mediagen.media.remux.anew import write_anew
from mediagen.media.tags import tag_of
from mediagen.sdk.errors import RequestError
from mediagen.sdk.tasks.new_pictures import OfFootage, ending_for
from mediagen.tae import TAE
from mediagen.upsample import decode_large


class Spool:
    """Latents (1, C, F, h, w) in a file without a name, in half precision; gone with this object."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="mediagen-")  # noqa: SIM115 (closed by the next line)
        weakref.finalize(self, self._file.close)
        self._shapes: list[tuple[int, ...]] = []
        self._lock = threading.Lock()

    def add(self, latent: Tensor) -> None:
        """One more, after those that are there."""
        self._shapes.append(tuple(latent.shape))
        self._file.write(latent.half().cpu().contiguous().numpy().tobytes())

    def __iter__(self) -> Iterator[Tensor]:
        start = 0
        for shape in self._shapes:
            size = 2 * torch.Size(shape).numel()
            with self._lock:
                self._file.seek(start)
                content = bytearray(self._file.read(size))
            start += size
            yield torch.frombuffer(content, dtype=torch.half).view(shape)


@dataclass(frozen=True)
class Larger:
    """Larger pictures. size: (width, height).  film, keep: see `decode_large`."""

    tae: TAE
    spool: Spool
    size: tuple[int, int]
    film: Callable[[], Iterator[Tensor]]
    keep: float

    def pieces(self) -> Iterator[Tensor]:
        """All pictures in order, uint8 (F, H, W, 3), a few at a time."""
        return decode_large(self.tae, self.spool, self.size, self.film() if self.keep else (), self.keep)


@dataclass(frozen=True)
class UpscaledFilm(OfFootage):
    """What `Engine.upscale` makes of a film's file: looked at like a clip, written by `save`, never whole in memory."""

    larger: Larger
    footage: Footage
    caption: str
    settings: dict[str, Any]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.larger.size

    @property
    def ending(self) -> str:
        """Of a file that can hold its pictures and its sound: that of the film, if that can."""
        return ending_for(self.footage, size=self.size)

    @cached_property
    def frames(self) -> Tensor:
        """All pictures, uint8 (F, H, W, 3); holds them in memory."""
        return torch.cat(list(self.larger.pieces()))

    def save(self, path: str | Path, *, lossless: bool = False) -> Path:
        """Writes the film to an mp4, mov, webm or mkv, at its own times; it appears whole or not at all.

        Its sound is copied packet for packet.  lossless: as FFV1 in an mkv, which gives `frames` back bit for bit.
        Raises RequestError for a name that does not fit, or the film itself as the target.
        """
        path = Path(path)
        self.refuse_itself(path)
        tag = tag_of(self.settings, self.caption, self.footage.samples if self.footage.has_audio else 0)
        try:
            return write_anew(self.footage, path, self.larger.pieces(), tag, lossless=lossless, size=self.size)
        except ValueError as error:
            raise RequestError(str(error)) from None
