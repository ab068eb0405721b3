"""Transformer blocks of the video and the sound model: attention, cross-attention and MLP under one modulation."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


@dataclass
class Memory:
    """Keys and values of a text for one layer, each (B, heads, M, D / heads), computed once per request."""

    key: Tensor
    value: Tensor


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax attention over (B, heads, N, D / heads); mask: bool, True where a key may be read."""
    if query.device.type == "cpu" and query.dtype is torch.bfloat16:  # whose backward is five times slower there
        with torch.autocast("cpu", enabled=False):
            return F.scaled_dot_product_attention(query.float(), key.float(), value.float(), attn_mask=mask)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


class Attention(nn.Module):
    """Full self-attention without biases. `attend` is swapped from outside for context parallelism."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.attend: Attend = attend

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (_split(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        return self.out(_merge(self.attend(q, k, v, None)))


class CrossAttention(nn.Module):
    """Attention of the tokens to a text whose keys and values were computed by `memorise`."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.attend: Attend = attend

    def memorise(self, text: Tensor) -> Memory:
        """text (B, M, D) to this layer's keys and values."""
        return Memory(*(_split(part, self.heads) for part in self.key_value(text).chunk(2, dim=-1)))

    def forward(self, x: Tensor, memory: Memory, mask: Tensor | None) -> Tensor:
        return self.out(_merge(self.attend(_split(self.query(x), self.heads), memory.key, memory.value, mask)))


class SwiGLU(nn.Module):
    """Gated MLP of three matrices without biases."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.gate_up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class MLP(nn.Module):
    """Plain GELU MLP of two matrices without biases."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    """Self-attention, cross-attention to the text, MLP; scale, shift and gate come from the shared timestep MLP.

    mlp: builds the last part from (width, hidden).  The modulation is (B or 1, 6, D): this layer's learned `bias` is
    added. With gates that start at zero, a new block starts as the identity.
    """

    def __init__(self, width: int, heads: int, hidden: int, mlp: Callable[[int, int], nn.Module] = SwiGLU):
        super().__init__()
        self.norm_attention = RMSNorm(width)
        self.attention = Attention(width, heads)
        self.norm_text = RMSNorm(width)
        self.text = CrossAttention(width, heads)
        self.norm_mlp = RMSNorm(width)
        self.mlp = mlp(width, hidden)
        self.bias = nn.Parameter(torch.zeros(6, width))

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        memory: Memory,
        mask: Tensor | None,
        mix: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """x (B, N, D). mix: applied to the input of the attention and of the MLP (local mixing), nothing by default."""
        scale_a, shift_a, gate_a, scale_m, shift_m, gate_m = (modulation + self.bias).unsqueeze(2).unbind(1)
        y = self.norm_attention(x, scale_a, shift_a)
        x = torch.addcmul(x, gate_a, self.attention(mix(y) if mix else y).to(x.dtype))
        x = x + self.text(self.norm_text(x), memory, mask)
        y = self.norm_mlp(x, scale_m, shift_m)
        return torch.addcmul(x, gate_m, self.mlp(mix(y) if mix else y).to(x.dtype))


class RMSNorm(nn.Module):
    """x / rms(x) * weight * (1 + scale) + shift, both from the modulation, if any; its backward is written out."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        gain = self.weight.expand(1, 1, -1) if scale is None else self.weight * (1 + scale)
        return _Norm.apply(x, gain, gain.new_zeros(1, 1, 1) if shift is None else shift)


class _Norm(torch.autograd.Function):
    """Normalisation and modulation in as few passes as plain operations allow (2.5x autograd's speed on a CPU)."""

    @staticmethod
    def forward(ctx, x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
        rate = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(1e-6).rsqrt_()
        ctx.save_for_backward(x, rate, gain, shift)
        return torch.addcmul(shift, x * rate, gain)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        x, rate, gain, shift = ctx.saved_tensors
        normed = (x * rate).to(grad.dtype)  # under autocast x may be narrower than the gain
        inner = grad * gain
        along = torch.linalg.vecdot(inner, normed).unsqueeze(-1).div_(x.shape[-1])
        grad_x = torch.addcmul(inner, normed, along, value=-1).mul_(rate)
        return grad_x, (normed.mul_(grad)).sum_to_size(gain.shape), grad.sum_to_size(shift.shape)


def mixer(grid: tuple[int, ...], device: torch.device | str = "cpu") -> Callable[[Tensor], Tensor]:
    """Local mixing over a token grid of up to three axes, for (B, N, D) with D a multiple of 8.

    An eighth of the channels comes from the next token along the first axis, an eighth from the one before, and so on;
    the rest stays. At borders tokens keep their own.
    """
    sources = _sources(grid, torch.device(device))

    def mix(x: Tensor) -> Tensor:
        eighths = x.reshape(len(x), -1, x.shape[-1] // 8)
        return eighths.index_select(1, sources).view(x.shape)

    return mix


@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)  # a training may use what a sampling made first
def _sources(grid: tuple[int, ...], device: torch.device) -> Tensor:
    """For each token's each eighth, the eighth that it takes: (8 N,), made once for each device."""
    tokens = torch.arange(math.prod(grid), device="cpu").view(grid)
    taken = [
        tokens.index_select(axis, (torch.arange(size, device="cpu") + step).clamp(0, size - 1)).flatten()
        for axis, size in enumerate(grid)
        for step in (1, -1)
    ]
    taken += [tokens.flatten()] * (8 - len(taken))
    return (torch.stack(taken, dim=1) * 8 + torch.arange(8, device="cpu")).flatten().to(device)


class TimestepMLP(nn.Module):
    """The one timestep MLP that all layers share: t in [0, 1] to six modulation vectors, (B,) to (B, 6, D)."""

    def __init__(self, width: int, frequencies: int = 128):
        super().__init__()
        rates = torch.exp(torch.linspace(0, 9.2, frequencies // 2))
        self.register_buffer("rates", rates, persistent=False)
        self.rates: Tensor
        self.hidden = nn.Linear(frequencies, width)
        self.rows = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.rows.weight)
        nn.init.zeros_(self.rows.bias)
        with torch.no_grad():
            self.rows.bias.view(6, width)[2].fill_(0.5)  # gates: half open, so that small models learn from step one
            self.rows.bias.view(6, width)[5].fill_(0.5)

    def forward(self, t: Tensor) -> Tensor:
        angle = t[:, None].float() * self.rates
        waves = torch.cat((angle.cos(), angle.sin()), dim=-1).to(self.hidden.weight.dtype)
        return self.rows(F.silu(self.hidden(waves))).unflatten(-1, (6, -1))


def _split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _merge(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)
