"""Work of numpy and plain Python spread over processes: what a GPU would otherwise wait for."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import torch

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")


def spread(make: Callable[[I], R], items: Sequence[I], processes: int = 0) -> Iterator[R]:
    """make(item) of each item, in order, by `processes` processes; by this one alone where there are fewer than two.

    make must be importable by name (or a functools.partial of such a function) and give no tensors, which would travel
    as open files, but arrays, numbers and text.
    """
    if processes < 2 or len(items) < 2:
        yield from map(make, items)
        return
    # Not forked: the parent has threads, and may have a GPU.
    context = multiprocessing.get_context("spawn")
    chunk = max(1, min(64, len(items) // (4 * processes)))
    with ProcessPoolExecutor(processes, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(make, items, chunksize=chunk)
