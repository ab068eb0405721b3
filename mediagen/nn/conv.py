"""2.5D convolution blocks: space and time apart, frame-major so that the CPU's fast 2-D kernels do the work.

Tensors are (B * F, C, H, W), channels last in memory, with the number of frames carried beside them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of each position: unlike group norm, equal for a crop and for the whole picture."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return F.layer_norm(x.permute(0, 2, 3, 1), weight.shape, weight, bias, 1e-6).permute(0, 3, 1, 2)


class SpaceConv(nn.Conv2d):
    """3x3 convolution on every frame alone. replicate: pads with the nearest pixel, which costs more than zeros."""

    def __init__(self, cin: int, cout: int, stride: int = 1, replicate: bool = False):
        super().__init__(cin, cout, 3, stride=stride, padding=0 if replicate else 1)
        self.replicate = replicate

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, (1, 1, 1, 1), mode="replicate") if self.replicate else input)


class TimeConv(nn.Module):
    """3-tap convolution over time with symmetric replicate padding.

    A picture alone is treated like a still video, whatever the weights. It starts near the identity on still parts.
    """

    def __init__(self, channels: int, stride: int = 1):
        super().__init__()
        self.stride = stride
        self.mix = nn.Conv2d(3 * channels, channels, 1)
        with torch.no_grad():
            self.mix.weight.mul_(0.1).add_(torch.eye(channels).repeat(1, 3)[:, :, None, None] / 3)
            nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, frames: int) -> tuple[Tensor, int]:
        if frames == 1:  # three equal taps: a picture needs a third of the work
            weight = sum(self.mix.weight.chunk(3, dim=1))
            return F.conv2d(x, weight, self.mix.bias), 1  # type: ignore[arg-type]
        # Time and position as the two axes of a picture: one convolution of three rows and one column, without copies.
        channels, (height, width) = x.shape[1], x.shape[-2:]
        rows = x.permute(0, 2, 3, 1).reshape(-1, frames, height * width, channels)
        rows = torch.cat((rows[:, :1], rows, rows[:, -1:]), 1).permute(0, 3, 1, 2)
        taps = self.mix.weight.view(channels, 3, channels, 1).transpose(1, 2)
        y = F.conv2d(rows, taps, self.mix.bias, stride=(self.stride, 1))
        made = y.shape[2]
        y = y.permute(0, 2, 3, 1).reshape(-1, height, width, channels)
        return y.permute(0, 3, 1, 2), made


class ConvBlock(nn.Module):
    """Residual block: norm, SiLU, 3x3 over space, norm, SiLU, 3x3 over space, 3 taps over time."""

    def __init__(self, channels: int, replicate: bool = False):
        super().__init__()
        self.norm_in, self.norm_out = ChannelNorm(channels), ChannelNorm(channels)
        self.space_in, self.space_out = (SpaceConv(channels, channels, replicate=replicate) for _ in range(2))
        self.time = TimeConv(channels)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        y = self.space_in(F.silu(self.norm_in(x)))
        y = self.space_out(F.silu(self.norm_out(y)))
        return x + self.time(y, frames)[0]


class FrameAttention(nn.Module):
    """Attention within each frame, then over time at each position: the 2.5D of attention."""

    def __init__(self, channels: int, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.norm_space, self.norm_time = ChannelNorm(channels), ChannelNorm(channels)
        self.space_qkv, self.space_out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.time_qkv, self.time_out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def _attend(self, x: Tensor, qkv: nn.Linear, out: nn.Linear) -> Tensor:
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(-3, -2) for part in qkv(x).chunk(3, dim=-1))
        return out(F.scaled_dot_product_attention(q, k, v).transpose(-3, -2).flatten(-2))

    def forward(self, x: Tensor, frames: int) -> Tensor:
        height, width = x.shape[-2:]
        tokens = self.norm_space(x).permute(0, 2, 3, 1).flatten(1, 2)
        mixed = self._attend(tokens, self.space_qkv, self.space_out)
        x = x + mixed.unflatten(1, (height, width)).permute(0, 3, 1, 2)
        tokens = self.norm_time(x).permute(0, 2, 3, 1).flatten(1, 2).unflatten(0, (-1, frames)).transpose(1, 2)
        mixed = self._attend(tokens, self.time_qkv, self.time_out).transpose(1, 2).flatten(0, 1)
        return x + mixed.unflatten(1, (height, width)).permute(0, 3, 1, 2)


def upsample(x: Tensor, frames: int, time: bool = True) -> tuple[Tensor, int]:
    """Nearest-neighbour x2 along height and width, and (`time`) along time."""
    x = F.interpolate(x, scale_factor=2, mode="nearest")
    return (x.repeat_interleave(2, dim=0), frames * 2) if time else (x, frames)
