"""Clock: how far a run is, by its steps or, where it has a number of seconds to spend, by the clock."""

import logging
import time

from mediagen.train.task import TrainConfig

WARM = 5  # steps that the clock does not judge the speed by: they compile, allocate and fill caches
TOLD = 25  # steps after which the speed is told
_log = logging.getLogger(__name__)


class Clock:
    """Counts the seconds of a run and foretells its steps; without `max_seconds` it is the number of steps alone.

    With it the learning rate falls over the steps that are foretold, anew at every step, so that the schedule ends when
    the time does. Such a run can be stopped and goes on with the time that is left, but not to the same bytes.
    """

    def __init__(self, name: str, config: TrainConfig) -> None:
        self.name, self.config = name, config
        self._before, self._began = 0.0, time.monotonic()  # seconds of earlier parts of the run
        self._warm: tuple[int, float] | None = None  # step and second from which the speed is measured
        self._first = 0

    def begin(self, step: int, spent: float) -> None:
        """Starts the clock at a step; spent: seconds of the run so far."""
        self._first, self._before, self._began = step, spent, time.monotonic()

    @property
    def seconds(self) -> float:
        """Spent so far, data and checkpoints included."""
        return self._before + time.monotonic() - self._began

    def over(self, step: int) -> bool:
        """Whether `step` was the last one."""
        limit = self.config.max_seconds
        return step >= self.config.steps or (limit > 0 and self.seconds >= limit)

    def total(self, step: int) -> int:
        """Steps that the run will have had at its end, as far as can be told at `step`."""
        config = self.config
        if config.max_seconds <= 0 or step - self._first < WARM:
            return config.steps
        now = self.seconds
        if self._warm is None:
            self._warm = (step, now)
        done, taken = step - self._warm[0], now - self._warm[1]
        if not done:
            return config.steps
        left = max(0.0, config.max_seconds - now)
        total = min(config.steps, step + int(left * done / max(taken, 1e-9)))
        if done == TOLD:
            _log.info("%s: %.2f steps/s, about %d steps in %.0f s", self.name, done / taken, total, config.max_seconds)
        return total
