"""The video decoder as an ONNX graph: frame-major, its upsampling folded into the convolutions that follow it.

Repeating each cell and convolving with three taps is the same as two taps for every other output: of (a, b, c), the
even ones see (a, b + c) and the odd ones (a + b, c). In space that is 16 products in place of 36, in time 4
in place of 6, and the convolution over space works on half of the frames, since each would come twice.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.export.graph import Graph, Rows, Taps, keep, pad_edge
from mediagen.nn.conv import ChannelNorm, ConvBlock, FrameAttention, SpaceConv, TimeConv
from mediagen.tae import TAE


class TAEGraph(Graph):
    """`TAE.decode`, from a latent (B, C, L, h, w) to frames (B, F, 3, H, W)."""

    output = "frames"
    axes = ("batch", "channels", "time", "height", "width")
    output_axes = ("batch", "time", "channels", "height", "width")

    def __init__(self, model: TAE) -> None:
        super().__init__()
        self.model = [model]  # in a list: torch's own decoder is no part of the graph
        self.stride, (stem, self.block, other) = model.stride, model.config.stem
        self.stem = stem
        if self.block != other or self.stride[1] != self.stride[2]:
            raise ValueError(f"got a stem of {model.config.stem}, expected equal height and width; export another TAE.")
        self.channels = model.config.latent_channels
        self.example = (2, self.channels, 3, 4, 5)
        self.shapes = tuple((b, self.channels, *grid) for b, grid in ((1, (4, 8, 8)), (2, (1, 3, 2)), (1, (5, 1, 6))))
        scale, shift = model.latent_std.double(), model.latent_mean.double()

        def raw(weight: Tensor, bias: Tensor) -> Rows:  # a product that takes the normalised latent
            weight = weight.flatten(1).double()
            return Rows(weight * scale, bias.double() + weight @ shift)

        assert model.from_latent.bias is not None and model.write.bias is not None
        self.from_latent = raw(model.from_latent.weight, model.from_latent.bias)
        self.attention = None if model.decoder_attention is None else _Attention(model.decoder_attention)
        layers: list[nn.Module] = []
        for level in model.decoder:
            self.finest = len(layers)  # in the end, where the blocks of the finest level begin
            layers += [_Block(block) for block in level.blocks]  # type: ignore[union-attr]
            layers += [_Up(level.narrow, level.space, level.time)] if level.narrow is not None else []  # type: ignore[arg-type]
        self.layers = nn.ModuleList(layers)
        order = _frames_first(stem, self.block)
        self.write = _Space(model.write, model.write.weight[order], model.write.bias[order])
        self.linear = self.blend = None
        if model.config.skip:
            rows = _finest_first(self.stride, model.config.stem)
            self.linear = raw(model.linear_out.weight[rows], model.linear_out.bias[rows])
        if model.config.skip and model.config.blend:
            self.blend = Rows(model.blend.weight.flatten(1)[:, order], _bias(model.blend))

    def forward(self, latent: Tensor) -> Tensor:
        batch, _, length, height, width = latent.shape
        cells = latent.permute(0, 2, 3, 4, 1).reshape(batch * length, height, width, self.channels)
        x = self.from_latent(cells)
        if self.attention is not None:
            x = self.attention(x, batch)
        plain = None
        if self.linear is not None:  # as the finest level lies: (frames, height, width, folded pixels)
            plain = _pixels(self.linear(cells), self.stride[1] // self.block, 3 * self.stem * self.block**2)
            plain = plain.permute(0, 2, 3, 1)
        for layer in self.layers[: self.finest]:
            x = layer(x, batch)
        if plain is not None and self.blend is not None:
            x = x + self.blend(plain)
        for layer in self.layers[self.finest :]:
            x = layer(x, batch)
        video = self.write(x) if plain is None else self.write(x) + plain
        return _pixels(video, self.block).reshape(batch, -1, 3, self.stride[1] * height, self.stride[2] * width)

    def reference(self, latent: Tensor, *first: Tensor) -> Tensor:
        return self.model[0].decode(latent).movedim(2, 1)

    def card(self) -> dict[str, Any]:
        time, height, width = self.stride
        return {
            "what": "video decoder",
            "strides": {"time": time, "height": height, "width": width},
            "latent_range": "zero mean, unit variance per channel; as the sampler gives it",
            "output_range": [-1, 1],
            "output_meaning": "red, green, blue; clamp, then (x + 1) * 127.5, rounded, is an 8-bit picture",
            "frames": f"{time} for each latent frame; keep as many as the clip has and drop the rest",
            "tiling": {
                "above": 8,
                "tile": 4,
                "overlap": 2,
                "unit": "latent frames",
                "how": f"decode tiles of 4 latent frames that start 2 apart; over the {2 * time} frames that two tiles "
                f"share, frame i is (1 - w) of the earlier and w of the later, w = (i + 0.5) / {2 * time}",
            },
        }


class _Block(nn.Module):
    def __init__(self, block: ConvBlock) -> None:
        super().__init__()
        self.norms = nn.ModuleList((_Norm(block.norm_in), _Norm(block.norm_out)))
        self.convs = nn.ModuleList(_Space(conv, conv.weight, _bias(conv)) for conv in (block.space_in, block.space_out))
        self.time = Taps(_taps(block.time), _bias(block.time.mix))

    def forward(self, x: Tensor, batch: int) -> Tensor:
        y = x
        for norm, conv in zip(self.norms, self.convs, strict=True):
            y = conv(F.silu(norm(y)))
        return x + self.time(_over_time(y, batch)).reshape(x.shape)


class _Space(nn.Module):
    """A convolution over space with other kernels than those of `like`, padded as that is."""

    def __init__(self, like: SpaceConv, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.replicate = like.replicate
        self.taps = Taps(weight, bias, (0, 0) if like.replicate else (1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.taps(pad_edge(x, 1, 1) if self.replicate else x)


class _Up(nn.Module):
    """Narrows, then doubles time, height and width: each convolution gives all phases, which are interleaved."""

    def __init__(self, narrow: nn.Conv2d, space: SpaceConv, time: TimeConv) -> None:
        super().__init__()
        self.width = space.out_channels
        self.narrow = Rows(narrow.weight.flatten(1), _bias(narrow))
        phases = [part for rows in _halves(space.weight, 2) for part in _halves(rows, 3)]
        self.space = _Space(space, torch.cat(phases), _bias(space).repeat(4))
        self.time = Taps(torch.cat(_halves(_taps(time), 2)), _bias(time.mix).repeat(2))

    def forward(self, x: Tensor, batch: int) -> Tensor:
        frames, height, width = x.shape[:3]
        a, b, c, d = (self.width * i for i in range(1, 5))
        z = self.space(self.narrow(x))
        upper = torch.cat((z[:, :-1, :-1, :a], z[:, :-1, 1:, a:b]), 3).reshape(frames, height, 1, -1)
        lower = torch.cat((z[:, 1:, :-1, b:c], z[:, 1:, 1:, c:d]), 3).reshape(frames, height, 1, -1)
        z = torch.cat((upper, lower), 2).reshape(frames, 2 * height, 2 * width, self.width)
        z = self.time(_over_time(z, batch))
        even, odd = z[:, :-1, :, :a].reshape(frames, 1, -1), z[:, 1:, :, a:b].reshape(frames, 1, -1)
        return torch.cat((even, odd), 1).reshape(2 * frames, 2 * height, 2 * width, self.width)


class _Norm(nn.Module):
    weight: Tensor
    bias: Tensor

    def __init__(self, norm: ChannelNorm) -> None:
        super().__init__()
        keep(self, weight=norm.weight, bias=norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-6)


class _Attention(nn.Module):
    def __init__(self, attention: FrameAttention) -> None:
        super().__init__()
        own, self.heads = attention, attention.heads
        self.norms = nn.ModuleList((_Norm(own.norm_space), _Norm(own.norm_time)))
        self.reads = nn.ModuleList(Rows(part.weight, part.bias) for part in (own.space_qkv, own.time_qkv))
        self.writes = nn.ModuleList(Rows(part.weight, part.bias) for part in (own.space_out, own.time_out))

    def forward(self, x: Tensor, batch: int) -> Tensor:
        frames, height, width, channels = x.shape
        x = x.reshape(frames, height * width, channels)
        x = x + self._attend(x, 0)
        x = x.reshape(batch, -1, height * width, channels).transpose(1, 2).flatten(0, 1)
        x = x + self._attend(x, 1)
        x = x.reshape(batch, height * width, -1, channels).transpose(1, 2)
        return x.reshape(frames, height, width, channels)

    def _attend(self, x: Tensor, axis: int) -> Tensor:
        count, tokens, channels = x.shape
        parts = self.reads[axis](self.norms[axis](x)).reshape(count, tokens, 3 * self.heads, -1).transpose(1, 2)
        q, k, v = (parts[:, i * self.heads : (i + 1) * self.heads] for i in range(3))
        weights = (q @ k.transpose(-1, -2) * (channels // self.heads) ** -0.5).softmax(-1)
        return self.writes[axis]((weights @ v).transpose(1, 2).reshape(count, tokens, channels))


def _over_time(x: Tensor, batch: int) -> Tensor:
    """(B * F, H, W, C) to (B, F + 2, H * W, C), the first and the last frame twice."""
    _, height, width, channels = x.shape
    return pad_edge(x.reshape(batch, -1, height * width, channels), 1, 0)


def _taps(time: TimeConv) -> Tensor:
    """The three matrices of a convolution over time as a kernel (out, C, 3, 1)."""
    return torch.stack(time.mix.weight[:, :, 0].chunk(3, 1), 2)


def _halves(weight: Tensor, axis: int) -> list[Tensor]:
    """The two-tap kernels of the even and of the odd outputs, where three taps along `axis` follow a doubling."""
    a, b, c = weight.detach().double().unbind(axis)
    return [torch.stack((a, b + c), axis), torch.stack((a + b, c), axis)]


def _frames_first(frames: int, block: int) -> Tensor:
    """Order that makes channels (C a b c) of folded pixels (a C b c), so that each frame lies whole."""
    return torch.arange(3 * frames * block**2).reshape(3, frames, block**2).transpose(0, 1).flatten()


def _finest_first(stride: tuple[int, int, int], stem: tuple[int, int, int]) -> Tensor:
    """Order that makes channels (C t p x q y r) of a cell's pixels (t, p C q r, x, y): frames of the finest level, each
    with its folded pixels as `_frames_first` has them."""
    t, x, y = (whole // part for whole, part in zip(stride, stem, strict=True))
    order = torch.arange(3 * stride[0] * stride[1] * stride[2]).reshape(3, t, stem[0], x, stem[1], y, stem[2])
    return order.permute(1, 2, 0, 4, 6, 3, 5).flatten()


def _pixels(x: Tensor, block: int, channels: int = 3) -> Tensor:
    """(N, H, W, (a C b c)) to (N * a, C, H * b, W * c)."""
    x = F.pixel_shuffle(x.permute(0, 3, 1, 2), block)
    return x.reshape(-1, channels, *x.shape[-2:])


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias
