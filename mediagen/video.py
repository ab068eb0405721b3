"""VideoModel: the flow-matching transformer over the latents of the temporal autoencoder.

The block is the one of Movie Gen (arXiv 2410.13720, section 3.1.3): RMSNorm, full attention, cross-attention between
attention and MLP, SwiGLU, one timestep MLP for all layers with a learned bias per layer, factorised learned positions
added to the input of every layer, patches of 1x2x2 latent cells.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import torch
from einops import rearrange
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.nn.conditions import TextProjection
from mediagen.nn.transformer import Block, Memory, RMSNorm, TimestepMLP, mixer
from mediagen.text.text import Text


@dataclass(frozen=True, kw_only=True)
class VideoConfig(Config):
    """Sizes of a video model.

    text_widths: one per text encoder.  longest: rows of the position tables, in tokens (time, height, width).
    mixing: before attention and MLP, an eighth of the channels comes from each of a token's six neighbours in time,
    height and width; costs nothing and helps small models to draw whole objects. Off in the report's presets.
    """

    latent_channels: int = 16
    patch: tuple[int, int, int] = (1, 2, 2)
    width: int = 256
    depth: int = 8
    heads: int = 4
    hidden: int = 704
    text_widths: tuple[int, ...] = (128,)
    longest: tuple[int, int, int] = (16, 16, 16)
    mixing: bool = False


@dataclass
class Prepared:
    """All of a request that does not depend on t: see `VideoModel.prepare`."""

    memories: list[Memory]
    mask: Tensor  # (B, 1, 1, M)
    condition: Tensor  # (B, C + 1, L, h, w): the known latent and where it is clean
    positions: Tensor  # (N, D)
    shape: tuple[int, int, int]  # of the latent
    rows: dict[float, Tensor] = field(default_factory=dict)  # modulation by time, (1, 6, D)


class VideoModel(nn.Module):
    """Predicts the velocity of a latent from its noisy state, the time, a text and what of it is already known."""

    Config = VideoConfig
    PRESETS: ClassVar[dict[str, VideoConfig]] = {
        "tiny": VideoConfig(mixing=True),
        "small": VideoConfig(width=384, depth=8, heads=6, hidden=1024, longest=(32, 32, 32), mixing=True),
        "5b": VideoConfig(
            width=3072, depth=32, heads=24, hidden=8192, text_widths=(4096, 1472, 1280), longest=(32, 64, 64)
        ),
        "30b": VideoConfig(
            width=6144, depth=48, heads=48, hidden=16384, text_widths=(4096, 1472, 1280), longest=(32, 120, 120)
        ),
    }

    def __init__(self, config: VideoConfig):
        super().__init__()
        self.config = config
        cells = config.patch[0] * config.patch[1] * config.patch[2]
        self.read = nn.Linear((2 * config.latent_channels + 1) * cells, config.width)
        self.positions = nn.ParameterList(torch.randn(rows, config.width) * 0.02 for rows in config.longest)
        self.timestep = TimestepMLP(config.width)
        self.text = TextProjection(config.text_widths, config.width)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.hidden) for _ in range(config.depth))
        self.norm = RMSNorm(config.width)
        self.write = nn.Linear(config.width, config.latent_channels * cells)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)
        with torch.no_grad():  # the known latent starts without influence
            columns = self.read.weight.view(config.width, cells, -1)
            columns[:, :, config.latent_channels :] = 0

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """A new, untrained model of a preset: tiny, small, 5b or 30b."""
        if name not in cls.PRESETS:
            raise ValueError(f"got the video preset '{name}', expected one of {', '.join(cls.PRESETS)}.")
        return cls(cls.PRESETS[name])

    def prepare(
        self,
        text: Text,
        shape: tuple[int, int, int],
        known: Tensor | None = None,
        clean: Tensor | None = None,
        times: list[float] | None = None,
    ) -> Prepared:
        """Computes once what every step needs: text keys and values, positions, conditions, modulation rows of `times`.

        shape: (L, h, w) of the latent.  known: (B, C, L, h, w), given where clean (B, 1, L, h, w) is 1.
        """
        patch, config = self.config.patch, self.config
        tokens = tuple(cells // size for cells, size in zip(shape, patch, strict=True))
        if any(cells % size for cells, size in zip(shape, patch, strict=True)) or any(
            count > longest for count, longest in zip(tokens, config.longest, strict=True)
        ):
            raise ValueError(
                f"got a latent of {shape}, expected multiples of {patch} and at most {config.longest} tokens a side; "
                "ask for a smaller or shorter clip."
            )
        states, mask = self.text(text)
        device, dtype = states.device, states.dtype
        batch = len(states)
        if known is None or clean is None:
            condition = torch.zeros(batch, config.latent_channels + 1, *shape, device=device, dtype=dtype)
        else:
            condition = torch.cat((known * clean, clean), dim=1).to(device=device, dtype=dtype)
        time, height, width = (table[:count] for table, count in zip(self.positions, tokens, strict=True))
        positions = time[:, None, None] + height[None, :, None] + width[None, None, :]
        prepared = Prepared(
            memories=[block.text.memorise(states) for block in self._blocks()],
            mask=mask[:, None, None, :],
            condition=condition,
            positions=positions.flatten(0, 2),
            shape=shape,
        )
        if times:
            rows = self.timestep(torch.tensor(times, device=device))
            prepared.rows = {t: rows[i : i + 1] for i, t in enumerate(times)}
        return prepared

    def forward(self, x: Tensor, t: Tensor | float, prepared: Prepared) -> Tensor:
        """The velocity at x (B, C, L, h, w) and t, one number for all or (B,)."""
        if isinstance(t, float):
            row = prepared.rows.get(t)
            modulation = self.timestep(torch.tensor([t], device=x.device)) if row is None else row
        else:
            modulation = self.timestep(t)
        a, b, c = self.config.patch
        pattern = "B C (L a) (h b) (w c) -> B (L h w) (a b c C)"
        tokens = self.read(rearrange(torch.cat((x, prepared.condition), dim=1), pattern, a=a, b=b, c=c))
        grid = (prepared.shape[0] // a, prepared.shape[1] // b, prepared.shape[2] // c)
        mix = mixer(grid, x.device) if self.config.mixing else None
        for block, memory in zip(self._blocks(), prepared.memories, strict=True):
            tokens = block(tokens + prepared.positions, modulation, memory, prepared.mask, mix)
        out = self.write(self.norm(tokens))
        pattern = "B (L h w) (a b c C) -> B C (L a) (h b) (w c)"
        return rearrange(out, pattern, L=grid[0], h=grid[1], w=grid[2], a=a, b=b, c=c)

    def _blocks(self) -> list[Block]:
        return list(self.blocks)  # type: ignore[arg-type]
