"""Guidance: functions that MAKE a velocity out of a model and its prepared conditions."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from mediagen.sampling import Velocity

P = TypeVar("P")


def cfg(model: Callable[[Tensor, float, P], Tensor], prepared: P, scale: float) -> Velocity:
    """Classifier-free guidance v(null) + scale (v(prompt) - v(null)), as one batched forward.

    prepared: conditions of batch 2B, the B prompts first and their B null (or negative) prompts after; with scale 1
    only B prompts are expected and the model runs once.
    """
    if scale == 1.0:
        return lambda x, t: model(x, t, prepared)

    def velocity(x: Tensor, t: float) -> Tensor:
        prompt, null = model(torch.cat((x, x)), t, prepared).chunk(2)
        return torch.lerp(null, prompt, scale)

    return velocity
