"""Data parallelism: the processes that train one model together. With one process everything here is the identity."""

import atexit
import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

T = TypeVar("T")
E = TypeVar("E", bound=Exception)
HEARD = "every rank ended with an error here"
BUCKET = 16 * 2**20  # numbers that travel in one message: few messages, yet no second copy of the whole model


def local_device(gpu: bool | None = None) -> torch.device:
    """The device of this process: its own GPU under torchrun (LOCAL_RANK), else the first; without a GPU, the CPU.

    gpu: whether it is to be one; None where there is one.
    """
    gpu = torch.cuda.is_available() if gpu is None else gpu
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if gpu else torch.device("cpu")


class Ranks:
    """This process's number (`rank`) among `world`; joins torchrun's group where its environment asks for one.

    The first one joins, and the process stays in the group to its end, so that a task can be built in it, caches and
    all, and several trained one after another: a group that is left and made again may meet the ruins of the first.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        asked = int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ
        if asked and not dist.is_initialized():
            if device.type == "cuda":
                torch.cuda.set_device(device)  # objects that are gathered travel by the current one
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
            atexit.register(dist.destroy_process_group)
        self.together = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        self.rank = dist.get_rank() if self.together else 0
        self.world = dist.get_world_size() if self.together else 1

    def gather(self, value: T) -> list[T]:
        """The value of every rank, in order, on every rank; values must be picklable."""
        if not self.together:
            return [value]
        values: list[T] = [value] * self.world
        dist.all_gather_object(values, value)
        return values

    @contextlib.contextmanager
    def as_one(self) -> Iterator[None]:
        """An error of one rank inside ends all of them, at the same place: nobody waits for a rank that is gone.

        Nothing inside may wait for the other ranks. Those that had no error of their own raise ValueError.
        """
        try:
            yield
        except Exception as error:
            self.gather(str(error) or type(error).__name__)
            self.heard(error)
            raise
        for rank, error in enumerate(self.gather("")):
            if error:
                raise self.heard(ValueError(f"rank {rank}: {error}"))

    def heard(self, error: E) -> E:
        """The error, with a note that every rank has one, so that the first alone need tell of it."""
        if self.together:
            error.add_note(HEARD)
        return error

    def see_one(self, folder: Path) -> None:
        """ValueError, on every rank, unless all see the same files in `folder`, which rank 0 makes."""
        if not self.together:
            return
        name = f".seen-{os.getpid()}-{time.time_ns()}"
        mark = folder / self.gather(name)[0]
        with self.as_one():
            if self.rank == 0:
                folder.mkdir(parents=True, exist_ok=True)
                mark.touch()
        blind = [rank for rank, seen in enumerate(self.gather(mark.exists())) if not seen]
        if self.rank == 0:
            mark.unlink()
        if blind:
            raise self.heard(
                ValueError(
                    f"got the folder {folder}, of which rank {blind[0]} does not see what rank 0 wrote, expected one "
                    "that all processes share; put it on a file system that every machine mounts."
                )
            )

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replaces every gradient by its mean over the ranks; one that no rank has stays None."""
        if not self.together:
            return
        found = torch.tensor([float(parameter.grad is not None) for parameter in parameters], device=self.device)
        dist.all_reduce(found, dist.ReduceOp.MAX)
        gradients = []
        for parameter, there in zip(parameters, found.tolist(), strict=True):
            if there:
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                gradients.append(parameter.grad)
        for bucket in _buckets(gradients):
            flat = torch.cat([value.reshape(-1) for value in bucket])
            dist.all_reduce(flat)
            _scatter(flat / self.world, bucket)

    @torch.no_grad()
    def same_start(self, module: nn.Module) -> None:
        """Gives every rank the first rank's parameters and buffers."""
        if self.together:
            for value in module.state_dict().values():
                dist.broadcast(value, 0)

    @torch.no_grad()
    def same_buffers(self, module: nn.Module) -> None:
        """Gives every rank the first rank's buffers: statistics that each gathered from its own data."""
        if self.together:
            for value in module.buffers():
                dist.broadcast(value, 0)

    def any(self, flag: bool) -> bool:
        """Whether any rank says yes."""
        if not self.together:
            return flag
        heard = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(heard, dist.ReduceOp.MAX)
        return bool(heard)

    def wait(self) -> None:
        """Returns once every rank is here."""
        if self.together:
            dist.barrier()


def _buckets(values: Sequence[torch.Tensor]) -> Iterable[list[torch.Tensor]]:
    bucket: list[torch.Tensor] = []
    for value in values:
        if bucket and (value.dtype != bucket[0].dtype or sum(v.numel() for v in bucket) + value.numel() > BUCKET):
            yield bucket
            bucket = []
        bucket.append(value)
    if bucket:
        yield bucket


def _scatter(flat: torch.Tensor, into: Sequence[torch.Tensor]) -> None:
    for value, part in zip(into, flat.split([v.numel() for v in into]), strict=True):
        value.copy_(part.view_as(value))
