"""The one training loop: every model of the project is trained by `train(task, config, folder)`."""

import contextlib
import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

from torch import Tensor

from mediagen.train.run import Run
from mediagen.train.settings import Settings
from mediagen.train.task import Task, TrainConfig

__all__ = ["Task", "TrainConfig", "train"]
AHEAD = 2  # steps whose batches are made in advance, per worker
_log = logging.getLogger(__name__)


def train(
    task: Task,
    config: TrainConfig,
    folder: str | Path,
    *,
    resume: bool = True,
    allow: Collection[str] = (),
    about: Settings | None = None,
    on_step: Callable[[int, dict[str, float | Tensor]], None] | None = None,
) -> Path:
    """Trains until `config.steps`, or for `config.max_seconds`, and returns folder/export: the averaged (EMA) weights.

    Writes folder/checkpoints, log.jsonl, settings.json, previews and export; goes on from the newest checkpoint, to the
    same bytes that an uninterrupted run reaches. on_step(steps done, figures) is called after every step. In torchrun
    every process calls this with its own copy of the task. allow: settings that may differ from those that the folder's
    run began with, beside what is HARMLESS (see `settings`); about: more that are to stay as they are.
    Ctrl-C and SIGTERM finish the step, save, and then raise KeyboardInterrupt or SystemExit(143). Raises ValueError
    where `resume` is off and the folder has checkpoints, where other settings changed, and where the ranks do not see
    one folder; FloatingPointError after `run.BAD_STEPS` steps in a row without finite gradients.
    """
    run = Run(task, config, Path(folder))
    with run.closing(), _stop_signals() as stop:
        run.start(resume, allow, about)
        with _batches(task, config, run.step, run.ranks.rank, run.ranks.world) as batches:
            last = run.clock.over(run.step)
            while not last:
                figures = run.advance(next(batches))
                last, asked = run.clock.over(run.step), run.ranks.any(bool(stop))
                run.report(figures, last)
                if run.step % config.save_every == 0 or last or asked:
                    run.save()
                if config.preview_every and (run.step % config.preview_every == 0 or last) and not asked:
                    run.preview()
                if on_step is not None:
                    on_step(run.step, figures)
                if asked:
                    _log.info("%s: stopped at step %d", task.name, run.step)
                    raise KeyboardInterrupt if signal.SIGINT in stop else SystemExit(143)
        return run.export()


@contextlib.contextmanager
def _batches(task: Task, config: TrainConfig, start: int, rank: int, world: int) -> Iterator[Iterator[list[Any]]]:
    """The micro-batches of one step after another, made in background threads where there are workers."""
    steps = range(start, config.steps)

    def numbers(step: int) -> range:
        return range(step * config.accumulate, (step + 1) * config.accumulate)

    if not config.workers:
        yield ([task.batch(number, rank, world) for number in numbers(step)] for step in steps)
        return
    pool = ThreadPoolExecutor(config.workers, thread_name_prefix="batch")
    waiting: deque[list[Future[Any]]] = deque()

    def submitted() -> Iterator[list[Any]]:
        for step in steps:
            waiting.append([pool.submit(task.batch, number, rank, world) for number in numbers(step)])
            if len(waiting) > AHEAD * config.workers:
                yield [future.result() for future in waiting.popleft()]
        while waiting:
            yield [future.result() for future in waiting.popleft()]

    try:
        yield submitted()
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM instead of dying in the middle of a step; a second one interrupts at once."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        if heard:
            raise KeyboardInterrupt
        heard.append(number)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield heard
        return
    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
