"""Soundtrack: new sound for a video file, which is written beside pictures that stay as they are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mediagen.grid import SOUND_RATE
from mediagen.media import loudness
from mediagen.media.footage import Footage
from mediagen.media.remux.targets import FORMATS, check_target, problem
from mediagen.media.soundtrack import replace_sound
from mediagen.sdk.errors import RequestError
from mediagen.sdk.tasks.sound_requests import SoundRequest


@dataclass(frozen=True)
class Soundtrack:
    """What `Engine.add_audio` makes for a file; `save` writes the film with it.

    footage: the film.  chunks: gives the new sound as it was made, float32 (1, S) at 48 kHz, each time it is called.
    request: what was asked for, filled in.  settings: what the written file tells of it.
    """

    footage: Footage
    chunks: Callable[[], Iterator[Tensor]]
    request: SoundRequest
    settings: dict[str, Any]
    rate: int = SOUND_RATE

    @property
    def seconds(self) -> float:
        """Length of the film."""
        return self.footage.seconds

    @property
    def ending(self) -> str:
        """Of a file that can hold it: that of the film."""
        return self.footage.path.suffix

    @cached_property
    def sound(self) -> Tensor:
        """The new sound (1, S) at 48 kHz, of the window that was asked for and of the loudness that was asked for."""
        with loudness.spooled(self.chunks()) as again:
            return torch.cat(list(loudness.level(again, self.request.lufs).apply(again())), dim=-1)

    def save(self, path: str | Path) -> Path:
        """Writes the film with its new sound, or (.wav) the sound alone; it appears whole or not at all.

        The packets of the pictures are those of the source, bit for bit; the sound lasts exactly as long as they do.
        Raises RequestError for an ending that cannot hold the film's pictures, or the film itself as the target.
        """
        path = Path(path)
        if path.exists() and path.samefile(self.footage.path):
            raise RequestError(f"got the output '{path}', which is the film itself; write to another name.")
        request = self.request
        try:
            with loudness.spooled(self.chunks()) as again:
                return replace_sound(
                    self.footage,
                    path,
                    again,
                    start=request.start or 0.0,
                    end=request.end,
                    keep_audio=request.keep_audio,
                    lufs=request.lufs,
                    caption=request.prompt or "",
                    settings=self.settings,
                )
        except ValueError as error:
            raise RequestError(str(error)) from None


def check_film(film: Path, target: Path) -> None:
    """RequestError where the film cannot be read, or a file named `target` cannot show what it shows."""
    try:
        check_target(Footage(film), target)
    except (ValueError, OSError) as error:
        raise RequestError(str(error)) from None


def able(film: Path) -> list[str]:
    """The endings of files that can hold the film's pictures; RequestError where it cannot be read."""
    try:
        footage = Footage(film)
        return [ending for ending in FORMATS if problem(footage, ending) is None]
    except (ValueError, OSError) as error:
        raise RequestError(str(error)) from None
