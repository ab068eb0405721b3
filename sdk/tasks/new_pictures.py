"""Films that get new pictures, of their own size or another: what edits and larger pictures share."""

import contextlib
from pathlib import Path

from mediagen.media.footage import Footage
from mediagen.media.remux.anew import check_anew
from mediagen.media.remux.targets import FORMATS
from mediagen.sdk.errors import RequestError


class OfFootage:
    """Something that is as long as the film that it was made of."""

    footage: Footage

    @property
    def seconds(self) -> float:
        """Length of the film."""
        return self.footage.seconds

    @property
    def fps(self) -> float:
        """Pictures a second; the mean where they come at varying times."""
        return self.footage.fps or len(self.footage.timeline.times) / self.seconds

    def refuse_itself(self, path: Path) -> None:
        """RequestError where `path` is the film."""
        if path.exists() and path.samefile(self.footage.path):
            raise RequestError(f"got the output '{path}', which is the film itself; write to another name.")


def check_target(film: Path, target: Path, *, sound: bool = True, lossless: bool = False, factor: int = 1) -> None:
    """RequestError where the film cannot be read, or a file named `target` cannot hold it as it will be.

    sound: whether its sound stays.  factor: of the width and height of its new pictures.
    """
    try:
        footage = Footage(film)
        width, height = footage.size
        check_anew(footage, target, sound=sound, lossless=lossless, size=(factor * width, factor * height))
    except (ValueError, OSError) as error:
        raise RequestError(str(error)) from None


def ending_for(footage: Footage, *, sound: bool = True, size: tuple[int, int] | None = None) -> str:
    """The first of the film's own ending and the others that can hold new pictures of a size, and its sound."""
    for ending in (footage.path.suffix.lower(), *FORMATS):
        with contextlib.suppress(ValueError):
            check_anew(footage, footage.path.with_name(f"anew{ending}"), sound=sound, size=size)
            return ending
    return ".mkv"
