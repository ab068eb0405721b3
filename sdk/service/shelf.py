"""Shelf: the engines of a server by name, of which a few at a time have their weights in memory."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mediagen.sdk.errors import RequestError

_LOOK = 0.2  # seconds between two looks at whether a job that waits for memory was stopped


class Shelf:
    """Engines of one server. most: how many have their weights in memory at once; the one least recently used goes."""

    def __init__(self, engines: Mapping[str, Any], most: int = 1) -> None:
        self.engines, self.most = dict(engines), max(1, most)
        self._free = threading.Condition()
        self._users: dict[str, int] = {}  # of those in memory, least recently used first

    def named(self, name: str) -> Any:
        """The engine of a name; RequestError for one that is not here, such as of a job of an earlier run."""
        if len(self.engines) == 1:
            return next(iter(self.engines.values()))
        if name not in self.engines:
            raise RequestError(f"this server has no model '{name[:80]}'; ask for {' or '.join(self.engines)}.")
        return self.engines[name]

    @property
    def in_memory(self) -> list[str]:
        """The names of those whose weights are in memory, or about to be."""
        with self._free:
            return list(self._users)

    @contextmanager
    def using(self, name: str, check: Callable[[], None] = lambda: None) -> Iterator[Any]:
        """The engine of a name for one job, with room made for its weights; waits while all that are there work.

        check: is called while it waits; what it raises ends the wait.
        """
        engine = self.named(name)
        with self._free:
            while name not in self._users and len(self._users) >= self.most and not self._drop():
                check()
                self._free.wait(_LOOK)
            self._users[name] = self._users.pop(name, 0) + 1  # and now it is the most recently used
        try:
            yield engine
        finally:
            with self._free:
                self._users[name] -= 1
                self._free.notify_all()

    def _drop(self) -> bool:
        """Frees the weights that were not used for longest; False where all of them are in use."""
        idle = next((name for name, users in self._users.items() if not users), None)
        if idle is None:
            return False
        self.engines[idle].models.unload()
        del self._users[idle]
        return True
