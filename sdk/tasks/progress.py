"""Progress: a moment of the work as callbacks hear it, and how far the whole job is by then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

LOADING = ("Loading", "Reading the prompt")  # stages that say nothing about how long the rest takes
Stages = Mapping[str, tuple[float, float]]  # where each stage begins and ends, between 0 and 1 of a job
WITH_SOUND: Stages = {  # measured on the built-in models
    "Making the pictures": (0.0, 0.65),
    "Decoding the pictures": (0.65, 0.65),
    "Making the sound": (0.65, 0.97),
    "Enlarging the pictures": (0.0, 0.97),  # of its own part of the job, see `Progress.within`
    "Writing": (0.97, 0.97),
}
SILENT: Stages = {
    "Making the pictures": (0.0, 0.97),
    "Decoding the pictures": (0.97, 0.97),
    "Enlarging the pictures": (0.0, 0.97),
    "Writing": (0.97, 0.97),
}
SMALL = 0.4  # share of a job that is made larger afterwards, until then
SOUND_ALONE: Stages = {"Watching the pictures": (0.0, 0.1), "Making the sound": (0.1, 0.9), "Writing": (0.9, 0.9)}

STORY: Stages = {"Making the pictures": (0.0, 0.7), "Making the sound": (0.7, 0.97), "Writing": (0.97, 0.97)}
UPSCALING: Stages = {"Enlarging the pictures": (0.0, 0.9), "Writing": (0.9, 0.9)}
EDITING: Stages = {
    "Finding what changes": (0.0, 0.15),
    "Making the pictures": (0.15, 0.7),
    "Finding what changed": (0.7, 0.8),
    "Watching the pictures": (0.8, 0.82),
    "Making the sound": (0.82, 0.95),
    "Writing": (0.95, 0.97),
}


@dataclass(frozen=True)
class Progress:
    """A moment of the work. stage: what is being done, in words.  step of steps: steps is None where not counted.

    within: the part of the job, from 0 to 1, in which its stages follow one another.
    """

    stage: str
    step: int = 0
    steps: int | None = None
    within: tuple[float, float] = (0.0, 1.0)


ProgressCallback = Callable[[Progress], None]


def part_of(hear: ProgressCallback | None, first: float, last: float) -> ProgressCallback | None:
    """Hears moments of a part of a job for `hear`."""
    return None if hear is None else lambda moment: hear(replace(moment, within=(first, last)))


class Advance:
    """How much of a job is done, 0 to 0.99: it never goes back, and is 1 only for who knows that all is done."""

    def __init__(self, stages: Stages = WITH_SOUND) -> None:
        self.value = 0.0
        self._stages = stages

    @property
    def percent(self) -> int:
        """0 to 99."""
        return int(100 * self.value)

    def hear(self, moment: Progress) -> None:
        """Takes a moment of the work."""
        first, last = self._stages.get(moment.stage, (0.0, 0.0))
        share = first + (last - first) * moment.step / (moment.steps or 1)
        begin, end = moment.within
        share = begin + (end - begin) * share
        self.value = max(self.value, min(0.99, share))
