"""Edited: a film as it is after an edit, at its own size and times, made anew whenever it is looked at."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mediagen.edit.measure import preserved
from mediagen.edit.rest import laid, sized, sized_share, strength
from mediagen.media import loudness
from mediagen.media.clip import Film
from mediagen.media.footage import Footage
from mediagen.media.remux.anew import check_anew, own_pictures, write_anew
from mediagen.media.soundtrack import replace_sound
from mediagen.media.tags import tag_of
from mediagen.sdk.errors import RequestError
from mediagen.sdk.tasks.edit_sources import Source, held
from mediagen.sdk.tasks.new_pictures import OfFootage, ending_for

Window = tuple[Tensor, Tensor | None]  # what the model made, uint8 (F, h, w, 3), and how much of it is seen (F, h, w)
LUFS = -16.0  # of sound that is made anew


class Laying:
    """Puts what a model made, at its own size and rate, over a source; see `pieces`.

    windows: gives what was made from `start` to `end` (seconds), each time it is called.  rate: of it.  place: where
    the edit may be seen, bool (H, W) of the source's size, in place of what the windows say; None leaves it to them.
    """

    def __init__(self, source: Source, windows: Callable[[], Iterator[Window]], rate: float, start: float, end: float,
                 place: Tensor | None = None) -> None:  # fmt: skip
        self.source, self.windows, self.rate = source, windows, rate
        self.start, self.end = start, end
        self.share = None if place is None else strength(place[None])

    def pieces(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Every picture of the source as edited, uint8 (N, H, W, 3), and where it may differ, bool (N, H, W)."""
        made, first = self.windows(), 0
        window: Window | None = None
        times = iter(
            np.split(self.source.times, range(held(self.source.size), len(self.source.times), held(self.source.size)))
        )
        for film, shown in zip(self.source.whole(), times, strict=True):
            out, mask = film.clone(), torch.zeros(film.shape[:3], dtype=torch.bool)
            for one, time in enumerate(shown):
                if not self.start - 1e-6 <= time < self.end - 1e-6:
                    continue
                number = int((time - self.start) * self.rate + 1e-6)
                while window is None or number - first >= len(window[0]):
                    following = next(made, None)
                    if following is None:
                        break
                    first += 0 if window is None else len(window[0])
                    window = following
                assert window is not None
                place = min(number - first, len(window[0]) - 1)
                share = self._share(window[1], place)
                edited = sized(window[0][place : place + 1], self.source.size)
                out[one : one + 1], mask[one] = laid(film[one : one + 1], edited, share), share[0] > 0
            yield out, mask

    def _share(self, found: Tensor | None, place: int) -> Tensor:
        if self.share is not None:
            return self.share
        width, height = self.source.size
        return (
            torch.ones(1, height, width) if found is None else sized_share(found[place : place + 1], self.source.size)
        )


@dataclass(frozen=True, repr=False)
class EditedClip(Film):
    """A clip after an edit. mask: where it may differ from what it was, bool (F, H, W).  kept: see `EditedFilm`."""

    mask: Tensor | None = None
    kept: float | None = None


@dataclass(frozen=True)
class EditedFilm(OfFootage):
    """What `Engine.edit` makes of a film's file; looked at like a clip, written by `save`, held in memory by neither.

    kept: PSNR (dB, 99 for equality) to the film outside of the mask; None where the mask is the whole picture.
    chunks: gives sound that was made anew, float32 (1, S) at 48 kHz; None keeps the film's own, or none.
    """

    laying: Laying
    footage: Footage
    caption: str
    settings: dict[str, Any]
    kept: float | None
    sound: str
    chunks: Callable[[], Iterator[Tensor]] | None = None

    @property
    def ending(self) -> str:
        """Of a file that can hold its pictures and its sound: that of the film, if that can."""
        return ending_for(self.footage, sound=self.sound == "keep")

    @cached_property
    def frames(self) -> Tensor:
        """All pictures, uint8 (F, H, W, 3); holds them in memory."""
        return torch.cat([pictures for pictures, _ in self.laying.pieces()])

    @cached_property
    def mask(self) -> Tensor:
        """Where the pictures may differ from the film's, bool (F, H, W)."""
        return torch.cat([mask for _, mask in self.laying.pieces()])

    def save(self, path: str | Path, *, lossless: bool = False) -> Path:
        """Writes the edited film to an mp4, mov, webm or mkv, at the film's times; it appears whole or not at all.

        Sound that is kept is copied packet for packet.  lossless: as FFV1 in an mkv, which gives `frames` back bit for
        bit.  Raises RequestError for a name that does not fit, or the film itself as the target.
        """
        path = Path(path)
        self.refuse_itself(path)
        samples = self.footage.samples if self.footage.has_audio and self.sound != "none" else 0
        tag = tag_of(self.settings, self.caption, samples)
        pictures = (piece for piece, _ in self.laying.pieces())
        try:
            if self.chunks is None:
                return write_anew(self.footage, path, pictures, tag, sound=self.sound == "keep", lossless=lossless)
            return self._with_new_sound(path, pictures, tag, lossless)
        except ValueError as error:
            raise RequestError(str(error)) from None

    def encoding(self, path: Path) -> float:
        """PSNR (dB, at most 99) of the pictures in a file that `save` wrote to the edited ones, outside of the mask;
        inside too where the mask is the whole picture."""
        error = count = 0.0
        for (made, mask), seen in zip(self.laying.pieces(), _as_held(Footage(path), self.footage.size), strict=True):
            rest = ~mask if self.kept is not None else torch.ones_like(mask)
            left = float(rest.sum())
            if left:
                decibel = preserved(made, seen, ~rest)
                lost = 0.0 if decibel >= 99 else 255**2 * 10 ** (-decibel / 10)
                error, count = error + left * lost, count + left
        return min(99.0, float(10 * np.log10(255**2 / max(error / max(count, 1), 1e-6))))

    def _with_new_sound(self, path: Path, pictures: Iterable[Tensor], tag: str, lossless: bool) -> Path:
        """Pictures first, with the old sound, to a file beside; then the new sound beside their packets."""
        assert self.chunks is not None
        ending = path.suffix.lower()
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".edit-") as folder, \
                loudness.spooled(self.chunks()) as again:  # fmt: skip
            first = Path(folder) / f"pictures{ending}"
            try:
                check_anew(self.footage, first)
            except ValueError:  # the old sound needs another container on the way
                first = first.with_suffix(".mkv")
            write_anew(self.footage, first, pictures, tag, lossless=lossless, pictures_for=ending)
            return replace_sound(
                Footage(first),
                path,
                again,
                start=self.laying.start,
                end=self.laying.end if self.laying.end < self.seconds - 1e-6 else None,
                lufs=LUFS,
                caption=self.caption,
                settings=self.settings,
            )


class Shown:
    """The edited pictures at a steady rate and another size, for whoever makes sound for them."""

    def __init__(self, laying: Laying) -> None:
        self.laying = laying

    def pictures(self, rate: float, size: tuple[int, int], start: float, end: float | None) -> Iterator[Tensor]:
        """As `Footage.pictures`, of what was edited."""
        end = self.laying.source.seconds if end is None else end
        wanted = start + (np.arange(max(1, int(np.ceil((end - start) * rate - 1e-6)))) + 0.5) / rate
        ends = np.append(self.laying.source.times[1:], np.inf)
        place, done = 0, 0
        for pictures, _ in self.laying.pieces():
            some: list[Tensor] = []
            for picture in pictures:
                while done < len(wanted) and wanted[done] < ends[place]:
                    some.append(picture)
                    done += 1
                place += 1
            if some:
                yield sized(torch.stack(some), size)


def _as_held(footage: Footage, size: tuple[int, int]) -> Iterator[Tensor]:
    return own_pictures(footage, batch=held(size))
