"""The sound decoder as an ONNX graph: transposed convolutions as plain ones, the inverse MDCT as one matrix product."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mediagen.audio.codec.model import Codec, Norm, Residual, Snake
from mediagen.audio.codec.model import Up as CodecUp
from mediagen.export.graph import Graph, Rows, Taps, keep
from mediagen.grid import SOUND_HOP, SOUND_RATE


class CodecGraph(Graph):
    """`Codec.decode`, from a latent (B, C, L) and the frame at which it begins to sound (B, 1, 1920 L)."""

    scale: Tensor
    shift: Tensor

    output = "sound"
    axes = ("batch", "channels", "time")
    output_axes = ("batch", "channels", "time")
    positioned = True

    def __init__(self, model: Codec) -> None:
        super().__init__()
        self.model = [model]  # in a list: torch's own decoder is no part of the graph
        self.channels = model.config.latent
        self.example = (2, self.channels, 5)
        self.shapes = ((1, self.channels, 50), (2, self.channels, 1), (3, self.channels, 13))
        keep(self, scale=model.latent_std, shift=model.latent_mean)
        self.layers = nn.Sequential(*(_layer(part) for part in model.decoder))
        self.frontend = model.frontend

    def forward(self, latent: Tensor, first: Tensor) -> Tensor:
        x = latent.permute(0, 2, 1).unsqueeze(1) * self.scale + self.shift
        begin = first * (SOUND_HOP // self.frontend.hop)
        return self.frontend.synthesise(self.layers(x).squeeze(1).permute(0, 2, 1), begin)

    def reference(self, latent: Tensor, *first: Tensor) -> Tensor:
        return self.model[0].decode(latent, first=int(first[0]))

    def card(self) -> dict[str, Any]:
        return {
            "what": "sound decoder",
            "strides": {"time": SOUND_HOP},
            "rate": SOUND_RATE,
            "latent_rate": SOUND_RATE / SOUND_HOP,
            "latent_range": "zero mean, unit variance per channel; as the sampler gives it",
            "output_range": [-1, 1],
            "output_meaning": "one channel of sound; clamp",
            "frames": f"{SOUND_HOP} samples for each latent frame; keep as many as the clip has and drop the rest",
            "tiling": "decode parts with 16 latent frames more on each side, give `first`, and cut those off",
        }


class _Norm(nn.Module):
    gain: Tensor

    def __init__(self, norm: Norm) -> None:
        super().__init__()
        keep(self, gain=norm.gain[:, 0])

    def forward(self, x: Tensor) -> Tensor:
        return x * ((x.square().mean(-1, keepdim=True) + 1e-4).rsqrt() * self.gain)


class _Snake(nn.Module):
    a: Tensor

    def __init__(self, snake: Snake) -> None:
        super().__init__()
        keep(self, a=snake.a[:, 0])

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.a * x).sin().square() / (self.a + 1e-9)


class _Residual(nn.Module):
    def __init__(self, unit: Residual) -> None:
        super().__init__()
        self.body = nn.Sequential(*(_layer(part) for part in unit.body))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class _Up(nn.Module):
    """A transposed convolution of 2s taps and stride s: two taps on the latent's side give s outputs at once."""

    def __init__(self, up: CodecUp) -> None:
        super().__init__()
        self.stride, weight, bias = up.stride, up.conv.weight, up.conv.bias
        assert bias is not None
        self.width = weight.shape[1]
        late, early = weight.split(self.stride, dim=2)  # what a frame adds to its own outputs and to the next ones
        taps = torch.stack((early, late), -1).permute(2, 1, 0, 3)  # (stride, out, in, 2)
        self.conv = Taps(taps.flatten(0, 1).unsqueeze(2), bias.repeat(self.stride), padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        left = self.stride // 2
        made = self.conv(x).reshape(len(x), 1, -1, self.width)
        return made[:, :, left : left - self.stride]


def _layer(part: nn.Module) -> nn.Module:
    """One layer of the codec's decoder for (B, 1, F, C)."""
    if isinstance(part, nn.Conv1d):
        assert part.bias is not None
        if part.kernel_size[0] == 1:
            return Rows(part.weight[:, :, 0], part.bias)
        assert isinstance(part.padding, tuple)
        return Taps(part.weight.unsqueeze(2), part.bias, (0, part.padding[0]), part.dilation[0])
    rewritten: dict[type, Callable[[Any], nn.Module]] = {
        Norm: _Norm,
        Snake: _Snake,
        Residual: _Residual,
        CodecUp: _Up,
        nn.SiLU: lambda same: same,
    }
    return rewritten[type(part)](part)
