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


def cfg_two(model: Callable[[Tensor, float, P], Tensor], prepared: P, first: float, second: float) -> Velocity:
    """Guidance with a scale for each of two conditions: v0 + first (v1 - v0) + second (v2 - v1), one batched forward.

    prepared: conditions of batch 3B, B with both conditions (v2), B with the first alone (v1), B with neither (v0).
    With equal scales it is `cfg` (InstructPix2Pix, arXiv 2211.09800, section 3.2.1).
    """

    def velocity(x: Tensor, t: float) -> Tensor:
        both, one, none = model(torch.cat((x, x, x)), t, prepared).chunk(3)
        return none + first * (one - none) + second * (both - one)

    return velocity
