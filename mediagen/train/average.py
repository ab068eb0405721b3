"""Averaging the weights of several trained models (Movie Gen, arXiv 2410.13720, section 3: model averaging)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from mediagen.weights import load_model

M = TypeVar("M", bound=nn.Module)


def average_weights(cls: type[M], folders: Sequence[str | Path], shares: Sequence[float] | None = None) -> M:
    """The model whose weights are the mean of the models in `folders`, weighted by `shares` (made to sum to 1).

    They must be of one class and config, and come from one start: runs with other data, lr or length. Integer buffers
    are the first model's. Raises ValueError where there is no folder, or the models do not fit together.
    """
    shares = list(shares) if shares is not None else [1.0] * len(folders)
    if not folders or len(shares) != len(folders) or min(shares) < 0 or sum(shares) <= 0:
        raise ValueError(
            f"got {len(folders)} folders and shares {shares}; expected at least one, a share >= 0 for each."
        )
    model = load_model(cls, folders[0])
    configs = [getattr(model, "config", None)]
    total = {name: torch.zeros_like(value, dtype=torch.float64) for name, value in model.state_dict().items()}
    for folder, share in zip(folders, shares, strict=True):
        other = load_model(cls, folder)
        configs.append(getattr(other, "config", None))
        if configs[-1] != configs[0]:
            raise ValueError(f"got {folders[0]} and {folder} with different configs; average models of one shape.")
        for name, value in other.state_dict().items():
            total[name] += value.double() * (share / sum(shares))
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                value.copy_(total[name])
    return model
