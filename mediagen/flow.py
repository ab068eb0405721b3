"""The straight path of flow matching: noise to data, its velocity, the loss, and how t is drawn.

Movie Gen (arXiv 2410.13720, section 3.1.2): x_t = t x_1 + (1 - (1 - sigma_min) t) x_0, v = x_1 - (1 - sigma_min) x_0,
sigma_min = 1e-5, t logit-normal. t = 0 is pure noise, t = 1 is data.
"""

from collections.abc import Callable

import torch
from torch import Tensor

SIGMA_MIN = 1e-5


def draw_t(count: int, rng: torch.Generator, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Logit-normal times (count,) in (0, 1); a mean below 0 trains more on noise."""
    return torch.sigmoid(mean + std * torch.randn(count, generator=rng, device=rng.device))


def noise_like(data: Tensor, rng: torch.Generator) -> Tensor:
    return torch.randn(data.shape, generator=rng, device=data.device, dtype=data.dtype)


def interpolate(data: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """The point of the path at t (B,), for data and noise (B, ...)."""
    t = _like(t, data)
    return t * data + (1 - (1 - SIGMA_MIN) * t) * noise


def velocity(data: Tensor, noise: Tensor) -> Tensor:
    """The path's velocity, which does not depend on t."""
    return data - (1 - SIGMA_MIN) * noise


def flow_loss(predict: Callable[[Tensor, Tensor], Tensor], data: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """Mean squared error of predict(x_t, t) to the velocity, per sample: (B,)."""
    return (predict(interpolate(data, noise, t), t) - velocity(data, noise)).square().flatten(1).mean(1)


def _like(t: Tensor, data: Tensor) -> Tensor:
    return t.to(data.dtype).view(-1, *(1,) * (data.ndim - 1))
