"""The moving average of the weights, which is what gets exported."""

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def ema_decay(limit: float, updates: int) -> float:
    """The share of the old average kept at update number `updates` (from 0): min(limit, (1 + n) / (10 + n))."""
    return min(limit, (1 + updates) / (10 + updates))


class EMA(Generic[M]):
    """Keeps `model`, an averaged copy in eval mode of the module that it is given. Buffers are copied, not averaged."""

    def __init__(self, module: M, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.model: M = copy.deepcopy(module).eval().requires_grad_(False)
        pairs = list(zip(self.model.parameters(), module.parameters(), strict=True))
        self._averages: list[torch.Tensor] = [own for own, new in pairs if new.requires_grad]
        self._news: list[torch.Tensor] = [new for _, new in pairs if new.requires_grad]
        self._buffers = list(zip(self.model.buffers(), module.buffers(), strict=True))

    @torch.no_grad()
    def update(self) -> None:
        """Moves the average towards the module's weights by 1 - decay."""
        weight = 1 - ema_decay(self.decay, self.updates)
        torch._foreach_lerp_(self._averages, self._news, weight)  # pyright: ignore[reportPrivateImportUsage]
        for own, new in self._buffers:
            own.copy_(new)
        self.updates += 1

    @torch.no_grad()
    def restore_buffers(self) -> None:
        """Gives the module the buffers that it had at the last update: a failed step may have spoilt its statistics."""
        for own, new in self._buffers:
            new.copy_(own)
