"""Graph: a decoder rewritten for ONNX, and the layers that such graphs are made of. Same numbers, other order of work.

Arrays are (N, Y, X, C), channels last: norms and products over channels need no transposition, and ONNX Runtime takes
the two around a convolution into its own blocked layout. What can be known at export is folded into the weights.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Graph(nn.Module):
    """Base of a family's graph, built from its model: `forward(latent)` is what the ONNX file computes.

    output: name of what it gives.  axes, output_axes: of latent and output; what is not "batch" or "channels" may
    have any length, and an output is one whose axes are "channels" and those of the latent.  example: a latent's shape
    for the export (2 or more everywhere: a 1 would become a constant).  shapes: where it is held against torch.
    positioned: whether `forward` and `reference` also take the latent frame of the whole at which this part begins,
    int64 (1,).
    """

    output: str
    axes: tuple[str, ...]
    output_axes: tuple[str, ...]
    channels: int
    example: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    positioned: bool = False

    def reference(self, latent: Tensor, *first: Tensor) -> Tensor:
        """What torch's own decoder makes of the latent, in the layout of `forward`."""
        raise NotImplementedError

    def card(self) -> dict[str, Any]:
        """What a user of the file must know beyond names and shapes: rates, strides, ranges, tiling."""
        raise NotImplementedError


class Taps(nn.Module):
    """Convolution over Y and X of (N, Y, X, C); weight (out, C, y, x), zero padding where the caller did not pad."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, padding: tuple[int, int] = (0, 0), step: int = 1) -> None:
        super().__init__()
        self.padding, self.step = padding, step
        keep(self, weight=weight, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x.permute(0, 3, 1, 2), self.weight, self.bias, padding=self.padding, dilation=(1, self.step))
        return x.permute(0, 2, 3, 1)


class Rows(nn.Module):
    """A matrix product over the last axis, as one product of two matrices with its bias; weight (out, C)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        keep(self, weight=weight, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        rows = F.linear(x.reshape(-1, x.shape[-1]), self.weight, self.bias)
        return rows.reshape(*x.shape[:-1], len(self.weight))


def keep(module: nn.Module, **tensors: Tensor) -> None:
    """Gives the module copies of tensors as float32 constants."""
    for name, value in tensors.items():
        module.register_buffer(name, value.detach().to("cpu", torch.float32).clone().contiguous())


def pad_edge(x: Tensor, y: int, width: int) -> Tensor:
    """(N, Y, X, C) with its edges repeated `y` and `width` times at both ends of Y and X."""
    return F.pad(x.unsqueeze(0), (0, 0, width, width, y, y), mode="replicate").squeeze(0)
