"""Data parallelism: the processes that train one model together. With one process everything here is the identity."""

import os
from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist
from torch import nn

BUCKET = 16 * 2**20  # numbers that travel in one message: few messages, yet no second copy of the whole model


def local_device() -> torch.device:
    """The device of this process: its own GPU under torchrun, the first GPU, or the CPU."""
    return (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        if torch.cuda.is_available()
        else torch.device("cpu")
    )


class Ranks:
    """This process's number (`rank`) among `world`; joins torchrun's group where its environment asks for one."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        asked = int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ
        self._joined = asked and not dist.is_initialized()
        if self._joined:
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        self.together = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        self.rank = dist.get_rank() if self.together else 0
        self.world = dist.get_world_size() if self.together else 1

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

    def leave(self) -> None:
        """Ends the group if this object began it."""
        if self._joined:
            dist.destroy_process_group()


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
