"""Cluster: an engine whose clips are made by Ray actors, each with models of its own; the service does not see it.

The queue, its leases and its files stay in the server. An actor has one conversation at a time: every moment of its
work is told to the server and answered before the work goes on, so a cancel takes hold at the step that it meets.
"""

import logging
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mediagen.personalize.store import Store
from mediagen.sdk.engine import Engine
from mediagen.sdk.errors import Cancelled, MediagenError, RequestError
from mediagen.sdk.models.folder import ModelFolder, device_of, dtype_of
from mediagen.sdk.service.kinds.table import KINDS
from mediagen.sdk.tasks.progress import Progress
from mediagen.sdk.tasks.soundtracks import Soundtrack

log = logging.getLogger("mediagen.service")
# What Ray reads when it starts. It tells its makers nothing. It listens on every interface, so only who has its token
# may speak to it. Its workers run at the priority of the server: at their own, 15, a busy machine starves them.
_MANNERS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_worker_niceness": "0"}
_TRIES = 5  # of a job whose actor died; each begins it anew, with the same seed
_PATIENCE = 300.0  # seconds in which an actor must be there again


@dataclass(frozen=True)
class Turn:
    """What a worker says. what: "progress" or "step", which it wants answered, or "made" or "failed", which end it."""

    what: str
    told: tuple[Any, ...]


class Worker:
    """The models of a folder in a process of its own, spoken to turn by turn; Ray makes an actor of it.

    threads: of torch. Sums are made in another order on another number of them, which would be another clip.  dtype:
    see `Engine.from_pretrained`.
    """

    def __init__(self, folder: Path, threads: int, dtype: str | None = None) -> None:
        import torch

        torch.set_num_threads(threads)
        device = device_of(None)
        self._engine = Engine(ModelFolder(folder, device, dtype=dtype_of(dtype, device)))
        self._engine.kept = Store(os.devnull)  # whoever is kept on that machine is nobody of the service's
        self._said: queue.SimpleQueue[Turn] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def awake(self) -> None:
        """Answers, which says that the worker is there."""

    def load(self, family: str) -> None:
        """Reads a model; ModelError where it is missing or damaged."""
        self._engine.models.get(family)

    def begin(self, method: str, given: tuple[Any, ...], values: dict[str, Any]) -> Turn:
        """Begins a method of the engine; the first turn."""
        threading.Thread(target=self._make, args=(method, given, values), daemon=True).start()
        return self._said.get()

    def go_on(self, answer: bool) -> Turn:
        """Answers the last turn, False to stop the work; the next turn."""
        self._heard.put(answer)
        return self._said.get()

    def _make(self, method: str, given: tuple[Any, ...], values: dict[str, Any]) -> None:
        try:
            made = getattr(self._engine, method)(
                *given, **values, callback_on_step_end=self._on_step, on_progress=self._on_progress
            )
            if isinstance(made, Soundtrack):  # its sound is decoded when it is asked for, by models that stay here
                made = replace(made, chunks=partial(iter, [chunk.cpu() for chunk in made.chunks()]))
            self._said.put(Turn("made", (made,)))
        except Exception as error:
            error.add_note(traceback.format_exc())
            self._said.put(Turn("failed", (error,)))

    def _on_step(self, engine: Engine, step: int, t: float, info: dict[str, Any]) -> bool:
        return self._ask("step", step, t, {**info, "latent": info["latent"].cpu()})

    def _on_progress(self, moment: Progress) -> None:
        if not self._ask("progress", moment):
            raise Cancelled("cancelled.")

    def _ask(self, what: str, *told: Any) -> bool:
        self._said.put(Turn(what, told))
        return self._heard.get()


class Models:
    """The model folder of a server, whose models are read by its actors."""

    def __init__(self, folder: ModelFolder, load: Callable[[str], None]) -> None:
        self.has, self.get, self.path = folder.has, load, folder.path


class RayEngine:
    """The methods of `Engine` that jobs need, each made by the actor that is free; `count` of them at once.

    engine: of the server. It answers for the limits, and reads no model but the autoencoder, for previews.
    An actor that dies is started again, and its job begun anew there. Ray must be running: see `hired`.
    """

    def __init__(self, engine: Engine, count: int, dtype: str | None = None) -> None:
        import ray  # pyright: ignore[reportMissingImports]
        import torch

        self.count, self.limits, self._engine, self._ray = count, engine.limits, engine, ray
        share = min(1.0, ray.cluster_resources().get("GPU", 0.0) / count)
        kind: Any = ray.remote(Worker)
        kind = kind.options(max_restarts=-1, num_cpus=0, num_gpus=share, scheduling_strategy="SPREAD")
        self.actors = [kind.remote(engine.models.path.resolve(), torch.get_num_threads(), dtype) for _ in range(count)]
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for actor in self.actors:
            self._free.put(actor)
        self.models = Models(engine.models, self._load)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in {kind.method for kind in KINDS.values()} or not hasattr(Engine, name):
            raise AttributeError(f"a RayEngine has no '{name}'.")
        return partial(self._make, name)

    def _load(self, family: str) -> None:
        self._ray.get([actor.load.remote(family) for actor in self.actors])

    def _make(
        self, method: str, *given: Any, callback_on_step_end: Any = None, on_progress: Any = None, **values: Any
    ) -> Any:
        def hear(turn: Turn) -> bool:
            if turn.what == "progress":
                return on_progress is None or on_progress(*turn.told) is not False
            return callback_on_step_end is None or callback_on_step_end(self._engine, *turn.told) is not False

        actor = self._free.get()
        try:
            for _ in range(_TRIES):
                try:
                    return self._talk(actor, hear, method, given, values)
                except self._ray.exceptions.RayActorError:
                    log.exception("a worker of the cluster died; its job is begun again")
                    self._revive(actor, hear)
            raise MediagenError(f"the worker of this job died {_TRIES} times.")
        finally:
            self._free.put(actor)

    def _revive(self, actor: Any, hear: Callable[[Turn], bool]) -> None:
        """Waits until an actor that died is there again; `hear` raises where the job is cancelled meanwhile."""
        end, errors = time.monotonic() + _PATIENCE, self._ray.exceptions
        while time.monotonic() < end:
            hear(Turn("progress", (Progress("Loading"),)))
            try:
                return self._ray.get(actor.awake.remote(), timeout=1)
            except errors.GetTimeoutError:
                continue
            except errors.RayActorError:
                time.sleep(1)

    def _talk(self, actor: Any, hear: Callable[[Turn], bool], method: str, given: Any, values: Any) -> Any:
        """One conversation, to its end, also where `hear` raises: the next one finds the actor at rest."""
        turn, stopped = self._ray.get(actor.begin.remote(method, given, values)), None
        while turn.what in ("progress", "step"):
            answer = False
            if stopped is None:
                try:
                    answer = hear(turn)
                except BaseException as error:
                    stopped = error
            turn = self._ray.get(actor.go_on.remote(answer))
        if stopped is not None or turn.what == "failed":
            raise stopped or turn.told[0]
        return turn.told[0]


@contextmanager
def hired(engine: Engine, count: int | None, dtype: str | None = None) -> Iterator[RayEngine]:
    """A `RayEngine` on the Ray cluster of RAY_ADDRESS, or else on a Ray of this machine alone.

    count: of workers; None for one on each GPU of the cluster, or on each machine where there is none.  dtype: see
    `Engine.from_pretrained`.
    RequestError where the package is missing, MediagenError where Ray does not start.
    """
    for name, value in _MANNERS.items():
        os.environ.setdefault(name, value)
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise RequestError(
            "got workers on 'ray' without its package; install it: pip install -e \".[cluster]\"."
        ) from None
    alone: Any = {"address": "local", "include_dashboard": False}
    try:
        ray.init(log_to_driver=False, configure_logging=False, **({} if os.environ.get("RAY_ADDRESS") else alone))
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise MediagenError(f"Ray does not start: {error}") from None
    try:
        machines = sum(node["Alive"] for node in ray.nodes())
        yield RayEngine(engine, count or int(ray.cluster_resources().get("GPU", 0)) or machines, dtype)
    finally:
        ray.shutdown()
