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
    """Keys and values of a text for one layer, each (B, heads, M, D / heads)."""

    key: Tensor
    value: Tensor


@dataclass
class Reading:
    """A text as one layer reads it: states (B, M, D) and mask, bool (B, 1, 1, M).

    memory: what the layer made of the states. It is kept when nothing is trained, so that a request pays for it once;
    the layer makes it inside its own forward, for that is where the weights of a sharded layer are whole.
    """

    states: Tensor
    mask: Tensor
    memory: Memory | None = None


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax attention over (B, heads, N, D / heads); mask: bool, True where a key may be read."""
    if query.device.type == "cpu" and query.dtype is torch.bfloat16:  # whose backward is five times slower there
        with torch.autocast("cpu", enabled=False):
            wide = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), attn_mask=mask)
        return wide.to(query.dtype)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


class Attention(nn.Module):
    """Full self-attention without biases. `attend` is swapped from outside for context parallelism.

    Query, key and value have a matrix each, so that a tensor-parallel plan by columns gives every process whole heads;
    one fused matrix is no faster (within 1 % on a CPU).
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.size = width // heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.attend: Attend = attend

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (_split(matrix(x), self.size) for matrix in (self.query, self.key, self.value))
        return self.out(_merge(self.attend(q, k, v, None)))


class CrossAttention(nn.Module):
    """Attention of the tokens to a text."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.size = width // heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.attend: Attend = attend

    def memorise(self, reading: Reading) -> Memory:
        """This layer's keys and values of a text, from `reading` where it has them."""
        if torch.is_grad_enabled():  # each forward has its own gradients
            return self._remember(reading.states)
        if reading.memory is None:
            reading.memory = self._remember(reading.states)
        return reading.memory

    def _remember(self, states: Tensor) -> Memory:
        return Memory(_split(self.key(states), self.size), _split(self.value(states), self.size))

    def forward(self, x: Tensor, reading: Reading) -> Tensor:
        memory = self.memorise(reading)
        query = _split(self.query(x), self.size)
        return self.out(_merge(self.attend(query, memory.key, memory.value, reading.mask)))


class SwiGLU(nn.Module):
    """Gated MLP of three matrices without biases."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


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
        reading: Reading,
        mix: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """x (B, N, D). mix: applied to the input of the attention and of the MLP (local mixing), nothing by default."""
        scale_a, shift_a, gate_a, scale_m, shift_m, gate_m = (modulation + self.bias).unsqueeze(2).unbind(1)
        y = self.norm_attention(x, scale_a, shift_a)
        x = torch.addcmul(x, gate_a, self.attention(mix(y) if mix else y).to(x.dtype))
        x = x + self.text(self.norm_text(x), reading)
        y = self.norm_mlp(x, scale_m, shift_m)
        return torch.addcmul(x, gate_m, self.mlp(mix(y) if mix else y).to(x.dtype))


class RMSNorm(nn.Module):
    """x / rms(x) * weight * (1 + scale) + shift, both from the modulation, if any; its backward is written out."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        gain = self.weight.expand(1, 1, -1) if scale is None else self.weight * (1 + scale)
        shift = gain.new_zeros(1, 1, 1) if shift is None else shift
        if torch.is_grad_enabled():
            return _Norm.apply(x, gain, shift)
        return torch.addcmul(shift, x * _rate(x), gain)  # the same, without what `apply` costs


def _rate(x: Tensor) -> Tensor:
    """1 / rms of the last axis."""
    return torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(1e-6).rsqrt_()


class _Norm(torch.autograd.Function):
    """Normalisation and modulation in as few passes as plain operations allow (2.5x autograd's speed on a CPU)."""

    @staticmethod
    def forward(ctx, x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
        rate = _rate(x)
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
        self.hidden = nn.Linear(frequencies, width)
        self.rows = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.rows.weight)
        nn.init.zeros_(self.rows.bias)
        with torch.no_grad():
            self.rows.bias.view(6, width)[2].fill_(0.5)  # gates: half open, so that small models learn from step one
            self.rows.bias.view(6, width)[5].fill_(0.5)

    def forward(self, t: Tensor, shift: Tensor | None = None) -> Tensor:
        """shift (B, D): added to what the MLP makes of t, in its middle."""
        # Not a buffer: a model of bfloat16 weights would round the rates, and with them the time.
        rates = torch.exp(torch.linspace(0, 9.2, self.hidden.in_features // 2, device=t.device, dtype=torch.float32))
        angle = t[:, None].float() * rates
        waves = torch.cat((angle.cos(), angle.sin()), dim=-1).to(self.hidden.weight.dtype)
        hidden = self.hidden(waves)
        return self.rows(F.silu(hidden if shift is None else hidden + shift)).unflatten(-1, (6, -1))


def _split(x: Tensor, size: int) -> Tensor:
    """To heads of `size`, however many of them this process has."""
    return x.unflatten(-1, (-1, size)).transpose(1, 2)


def _merge(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)
