"""Progress: a moment of the work as callbacks hear it, and how far the whole job is by then."""

from collections.abc import Callable
from dataclasses import dataclass

LOADING = ("Loading", "Reading the prompt")  # stages that say nothing about how long the rest takes
_SHARES = {  # where each stage lies between 0 and 1 of a job with sound, measured on the built-in models
    "Making the pictures": (0.0, 0.65),
    "Decoding the pictures": (0.65, 0.65),
    "Making the sound": (0.65, 0.97),
    "Writing": (0.97, 0.97),
}
_SOUNDLESS = 0.97 / 0.65  # how much larger the pictures' share is where no sound is made
_SOUND_ALONE = {"Watching the pictures": (0.0, 0.1), "Making the sound": (0.1, 0.9), "Writing": (0.9, 0.9)}


@dataclass(frozen=True)
class Progress:
    """A moment of the work. stage: what is being done, in words.  step of steps: steps is None where not counted."""

    stage: str
    step: int = 0
    steps: int | None = None


ProgressCallback = Callable[[Progress], None]


class Share:
    """How much of a job is done, 0 to 0.99: it never goes back, and is 1 only for who knows that all is done."""

    def __init__(self, *, sound: bool = True, pictures: bool = True) -> None:
        self.value = 0.0
        self._shares = _SHARES if pictures else _SOUND_ALONE
        self._scale = 1.0 if sound else _SOUNDLESS

    @property
    def percent(self) -> int:
        """0 to 99."""
        return int(100 * self.value)

    def hear(self, moment: Progress) -> None:
        """Takes a moment of the work."""
        first, last = self._shares.get(moment.stage, (0.0, 0.0))
        share = self._scale * (first + (last - first) * moment.step / (moment.steps or 1))
        self.value = max(self.value, min(0.99, share))
