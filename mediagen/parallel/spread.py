"""Work of numpy and plain Python spread over processes: what a GPU would otherwise wait for."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Made = TypeVar("Made")


def spread(make: Callable[[Item], Made], items: Sequence[Item], processes: int = 0) -> Iterator[Made]:
    """make(item) of each item, in order, by `processes` processes; by this one alone where there are fewer than two.

    make must be importable by name (or a functools.partial of such a function) and give no tensors, which would travel
    as open files, but arrays, numbers and text. No more is made ahead than a few chunks for each process.
    """
    if processes < 2 or len(items) < 2:
        yield from map(make, items)
        return
    size = max(1, min(32, len(items) // (4 * processes)))
    waiting: deque[Future[list[Made]]] = deque()
    # Not forked: the parent has threads, and may have a GPU.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for start in range(0, len(items), size):
            waiting.append(pool.submit(_make_all, make, items[start : start + size]))
            if len(waiting) > 3 * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _make_all(make: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    return [make(item) for item in items]
