"""Conditions: what a network is told besides its noisy input, made ready for cross-attention."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class Encoded(Protocol):
    """Prompts as several encoders read them (`mediagen.text.text.Text`): states (B, Mi, Di) and masks, bool (B, Mi)."""

    @property
    def parts(self) -> Sequence[Tensor]: ...
    @property
    def masks(self) -> Sequence[Tensor]: ...


class TextProjection(nn.Module):
    """Brings the states of several text encoders to one width and lays them end to end (Movie Gen, section 3.1.4).

    widths: width of each encoder's states.  width: of the result.  Each encoder has its own linear map and LayerNorm.
    """

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        if not widths:
            raise ValueError("got no encoder widths, expected one or more; give TextEncoder.widths.")
        self.widths, self.width = tuple(widths), width
        self.linears = nn.ModuleList(nn.Linear(part, width) for part in self.widths)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.widths)

    def forward(self, text: Encoded) -> tuple[Tensor, Tensor]:
        """`text` to tokens (B, M, D) and mask, bool (B, M); M is the sum of the Mi, and padding comes out as zeros.

        Raises ValueError where the text is not of `widths`.
        """
        got = tuple(part.shape[-1] for part in text.parts)
        if got != self.widths:
            raise ValueError(f"got text of widths {got}, expected {self.widths}; use the text encoder of this model.")
        dtype = next(self.parameters()).dtype
        tokens = [
            norm(linear(part.to(dtype)))
            for linear, norm, part in zip(self.linears, self.norms, text.parts, strict=True)
        ]
        mask = torch.cat(tuple(text.masks), dim=1)
        return torch.cat(tokens, dim=1) * mask[..., None], mask
