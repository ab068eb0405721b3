"""Hearing: how the steps of a pipeline are heard, by whichever of three ways its class has."""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

OnPipe = Callable[[int, Tensor | None], None]  # index of the step that has ended, latents


@contextlib.contextmanager
def hearing(pipe: Any, asked: dict[str, Any], heard: OnPipe) -> Iterator[None]:
    """Adds to the arguments of a call what makes a pipeline tell of its steps; what `heard` raises ends the call.

    `callback_on_step_end` where there is one, else the older `callback`, else its scheduler and its progress bar are
    listened to for as long as the call takes.
    """
    known = inspect.signature(type(pipe).__call__).parameters
    if "callback_on_step_end" in known:

        def on_step_end(_: Any, index: int, t: Any, told: dict[str, Any]) -> dict[str, Any]:
            heard(index, told.get("latents"))
            return told

        asked["callback_on_step_end"] = on_step_end
        yield
    elif "callback" in known:
        asked["callback"] = lambda index, _, latents: heard(index, latents)
        yield
    else:
        with _overheard(pipe, heard):
            yield


@contextlib.contextmanager
def _overheard(pipe: Any, heard: OnPipe) -> Iterator[None]:
    scheduler, bar = pipe.scheduler, pipe.progress_bar
    step, told = scheduler.step, {"index": -1, "latents": None}

    def listened(output: Any, t: Any, sample: Any, *more: Any, **named: Any) -> Any:
        made = step(output, t, sample, *more, **named)
        told.update(index=told["index"] + 1, latents=made[0])
        return made

    class Bar:
        """In the place of a progress bar, whose update comes at the end of a step."""

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def update(self, _: int = 1) -> None:
            heard(told["index"], told["latents"])

    scheduler.step, pipe.progress_bar = listened, lambda *_, **__: Bar()
    try:
        yield
    finally:
        del scheduler.step
        del pipe.progress_bar
        assert scheduler.step.__func__ is step.__func__ and bar.__func__ is pipe.progress_bar.__func__
