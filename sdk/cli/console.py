"""What the command line shows: progress, closing sentences and errors, all on stderr."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Display

from mediagen.sdk.errors import Cancelled, MediagenError, RequestError

if TYPE_CHECKING:
    from mediagen.sdk.tasks.progress import Progress

_QUIET = False
USAGE, FAILURE, INTERRUPTED = 2, 1, 130
# What a message calls a value, and the flag by which the command line takes it, where that is not the name with dashes.
FLAGS = {
    "prompt": "PROMPT",
    "negative_prompt": "--negative",
    "num_inference_steps": "--steps",
    "width": "--size",
    "height": "--size",
    "music_prompt": "--music",
    "effects": "--no-effects",
    "sound": "--no-sound",
    "start": "--from",
    "end": "--to",
}


def lead() -> bool:
    """Whether this process speaks: under torchrun the first of all alone does."""
    return os.environ.get("RANK", "0") == "0"


def console() -> Console:
    """The console on stderr, made when it is needed so that it writes to the stderr of that moment."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def reporting(cancelled: str = "Cancelled; nothing was written.", flags: Mapping[str, str] = FLAGS) -> Iterator[None]:
    """Turns every error inside into one sentence on stderr and an exit code: 2 wrong request, 1 failure, 130 cancelled.

    cancelled: what to say after Ctrl-C.  flags: how the command takes what an error names, see `FLAGS`.  With the
    environment variable MEDIAGEN_DEBUG=1 errors pass through, traceback and all.
    """
    try:
        yield
    except (KeyboardInterrupt, Cancelled):
        say(cancelled)
        sys.exit(INTERRUPTED)
    except Exception as error:
        if os.environ.get("MEDIAGEN_DEBUG") == "1":
            raise
        if lead():
            say(f"error: {sentence(error, flags)}")
        elif not _told_by_the_first(error):
            console().print(f"error of rank {os.environ['RANK']}: {sentence(error, flags)}", markup=False)
        sys.exit(USAGE if isinstance(error, RequestError) else FAILURE)


def _told_by_the_first(error: Exception) -> bool:
    """Whether the first of several processes has an error too: a wrong request is wrong for all of them."""
    from mediagen.parallel.ranks import HEARD

    return isinstance(error, RequestError) or HEARD in getattr(error, "__notes__", ())


@contextlib.contextmanager
def speaking(quiet: bool) -> Iterator[None]:
    """Inside, and where `quiet`, nothing is said but errors, which leave it."""
    global _QUIET
    before, _QUIET = _QUIET, quiet
    try:
        yield
    finally:
        _QUIET = before


def say(text: str) -> None:
    """One line on stderr, no markup, by the first of several processes; nothing where `speaking` is quiet."""
    if lead() and not _QUIET:
        console().print(text, markup=False)


def sentence(error: Exception, flags: Mapping[str, str] = FLAGS) -> str:
    """One line about an error, in the words of the command line."""
    text = " ".join(str(error).split()) or type(error).__name__
    name, colon, rest = text.partition(": ")
    if isinstance(error, RequestError) and colon and name in _fields():
        return f"{flags.get(name) or '--' + name.replace('_', '-')}: {rest}"
    if isinstance(error, MediagenError | ValueError | OSError) and not isinstance(error, UnicodeError):
        return text
    return f"{type(error).__name__}: {text} (unexpected; run again with MEDIAGEN_DEBUG=1 to see where)"


def _fields() -> set[str]:
    """The names of every field that a request may have."""
    from mediagen.sdk.tasks import edit_requests, sound_requests  # noqa: F401
    from mediagen.sdk.tasks.requests import Asked

    kinds: list[type[Asked]] = [Asked]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {name for kind in kinds for name in kind.model_fields}


class Pulse:
    """When a training is due to be heard of: often on a terminal, ever more seldom, up to a minute, without one."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._first: int | None = None  # the step after which the speed is measured
        self._wait = 5.0

    def due(self, step: int, terminal: bool) -> bool:
        now = time.monotonic()
        if self._first is None:
            self._first, self._began = step, now
        if now - self._last < (0.25 if terminal else self._wait):
            return False
        self._last, self._wait = now, min(60.0, 2 * self._wait)
        return True

    def told(self, step: int, steps: int) -> str:
        """Speed and time to go."""
        done, seconds = step - (self._first or 0), time.monotonic() - self._began
        if done < 1 or step >= steps:
            return f"{seconds:.0f} s"
        left = (steps - step) * seconds / done
        return f"{done / max(seconds, 1e-9):.3g} steps/s, {left / 60:.0f} min left"


class Bar:
    """A line that says what is being done and how far it is: `with Bar() as bar: engine.run(request, on_progress=bar)`.

    Where stderr is no terminal, only the name of each stage is written.
    """

    def __init__(self) -> None:
        self._console = console()
        self._display = Display(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self._console,
            transient=True,
            disable=_QUIET or not (self._console.is_terminal and lead()),
        )
        self._task = self._display.add_task("", total=None)
        self._stage = ""
        self._started = time.monotonic()
        self._training = Pulse()

    def __enter__(self) -> "Bar":
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def __call__(self, moment: "Progress") -> None:
        """Shows one moment of the work."""
        self.show(moment.stage, moment.step, moment.steps)

    def show(self, stage: str, step: int = 0, steps: int | None = None) -> None:
        """Shows that `stage` has done `step` of `steps`; steps None where that is not known."""
        if stage != self._stage:
            self._stage = stage
            self._display.reset(self._task, total=steps, description=stage)
            if not self._console.is_terminal:
                say(stage)
        self._display.update(self._task, completed=step, total=steps)

    def train(self, stage: str, step: int, steps: int, figures: Mapping[str, Any]) -> None:
        """Shows a step of a training and its loss; without a terminal, a line now and then."""
        if stage != self._stage:
            self.show(stage, step, steps)
            self._training = Pulse()
        pulse = self._training
        if not pulse.due(step, terminal=self._console.is_terminal) and step < steps:
            return
        loss = float(figures["loss"])  # waits for the device: not at every step
        if self._console.is_terminal:
            self._display.update(self._task, completed=step, total=steps, description=f"{stage}, loss {loss:.4g}")
        else:
            say(f"step {step} of {steps}, loss {loss:.4g}, {pulse.told(step, steps)}")

    @property
    def elapsed(self) -> float:
        """Seconds since the bar was made."""
        return time.monotonic() - self._started
