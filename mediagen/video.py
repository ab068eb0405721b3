"""VideoModel: the flow-matching transformer over the latents of the temporal autoencoder.

The block is the one of Movie Gen (arXiv 2410.13720, section 3.1.3): RMSNorm, full attention, cross-attention between
attention and MLP, SwiGLU, one timestep MLP for all layers with a learned bias per layer, factorised learned positions
added to the input of every layer, patches of 1x2x2 latent cells.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from einops import rearrange
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.nn.denoiser import Conditions, Denoiser, Prepared, Tensors, check_sizes, grow_rows
from mediagen.nn.transformer import mixer


@dataclass(frozen=True, kw_only=True)
class VideoConfig(Config):
    """Sizes of a video model.

    text_widths: one per text encoder.  longest: rows of the position tables, in tokens (time, height, width).
    mixing: before attention and MLP, an eighth of the channels comes from each of a token's six neighbours in time,
    height and width; costs nothing and helps small models to draw whole objects. Off in the report's presets.
    beside_channels: of a second latent that is read beside the noisy one.  tasks: that the model tells apart by a
    learned vector each. Both are for models of editing and upsampling, and 0 here.
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
    beside_channels: int = 0
    tasks: int = 0

    def __post_init__(self) -> None:
        names = ("latent_channels", "patch", "width", "depth", "heads", "hidden", "text_widths", "longest")
        check_sizes(**{name: getattr(self, name) for name in names})
        if self.beside_channels < 0 or self.tasks < 0:
            raise ValueError(
                f"got beside_channels={self.beside_channels} and tasks={self.tasks}, expected 0 or more; raise them."
            )

    @property
    def read_channels(self) -> int:
        """Of a cell of the input: the noisy latent, the known one, where it is clean, and the one beside."""
        return 2 * self.latent_channels + 1 + self.beside_channels


@dataclass(kw_only=True)
class PreparedVideo(Prepared):
    """See `VideoModel.prepare`."""

    condition: Tensor  # (B, C + 1 + beside, L, h, w): the known latent, where it is clean, and the latent beside
    positions: Tensor  # (N, D)


class VideoModel(Denoiser):
    """Predicts the velocity of a latent from its noisy state, the time, a text and what of it is already known."""

    what = "video"
    Config = VideoConfig
    PRESETS: ClassVar[dict[str, VideoConfig]] = {
        "tiny": VideoConfig(mixing=True),
        "standard": VideoConfig(
            patch=(2, 2, 2), width=320, heads=5, hidden=864, text_widths=(192,), longest=(16, 32, 32), mixing=True
        ),
        "small": VideoConfig(width=384, depth=8, heads=6, hidden=1024, longest=(32, 32, 32), mixing=True),
        "5b": VideoConfig(
            width=3072, depth=32, heads=24, hidden=8192, text_widths=(4096, 1472, 1280), longest=(32, 64, 64)
        ),
        "30b": VideoConfig(
            width=6144, depth=48, heads=48, hidden=16384, text_widths=(4096, 1472, 1280), longest=(32, 120, 120)
        ),
    }

    def __init__(self, config: VideoConfig):
        super().__init__(config, config.hidden, tasks=config.tasks)
        cells = config.patch[0] * config.patch[1] * config.patch[2]
        self.read = nn.Linear(config.read_channels * cells, config.width)
        self.positions = nn.ParameterList(torch.randn(rows, config.width) * 0.02 for rows in config.longest)
        self.write = nn.Linear(config.width, config.latent_channels * cells)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)
        with torch.no_grad():  # what is known and what stands beside start without influence
            self.read.weight.unflatten(1, (cells, -1))[:, :, config.latent_channels :] = 0

    def prepare(
        self, conditions: Conditions, shape: tuple[int, int, int], times: list[float] | None = None
    ) -> PreparedVideo:
        """Computes once what every step needs: text, positions, conditions, modulation rows of `times`.

        shape: (L, h, w) of the latent; known and beside are (B, C, L, h, w), clean (B, 1, L, h, w).
        Raises ValueError for what this model was not built for.
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
        told = self.read_text(conditions, times)
        time, height, width = (table[:count] for table, count in zip(self.positions, tokens, strict=True))
        positions = time[:, None, None] + height[None, :, None] + width[None, None, :]
        return PreparedVideo(
            **vars(told),
            condition=self._condition(conditions, told.readings[0].states, shape),
            positions=positions.flatten(0, 2),
        )

    def _condition(self, conditions: Conditions, like: Tensor, shape: tuple[int, int, int]) -> Tensor:
        """The channels beside the noisy latent; zeros where nothing is given."""
        config, known, clean, beside = self.config, conditions.known, conditions.clean, conditions.beside
        made = like.new_zeros(len(like), config.read_channels - config.latent_channels, *shape, dtype=self.dtype)
        if known is not None and clean is not None:
            made[:, : config.latent_channels + 1] = torch.cat((known * clean, clean), dim=1)
        if beside is not None:
            wanted = (len(like), config.beside_channels, *shape)
            if tuple(beside.shape) != wanted or not config.beside_channels:
                raise ValueError(
                    f"got a latent beside of {tuple(beside.shape)}, expected {wanted}; match the beside_channels of "
                    "the model."
                )
            made[:, config.latent_channels + 1 :] = beside
        return made

    def forward(self, x: Tensor, t: Tensor | float, prepared: PreparedVideo) -> Tensor:
        """The velocity at x (B, C, L, h, w) and t, one number for all or (B,), in the type of x."""
        a, b, c = self.config.patch
        pattern = "B C (L a) (h b) (w c) -> B (L h w) (a b c C)"
        seen = torch.cat((x.to(prepared.condition.dtype), prepared.condition), dim=1)
        tokens = self.read(rearrange(seen, pattern, a=a, b=b, c=c))
        grid = (x.shape[2] // a, x.shape[3] // b, x.shape[4] // c)
        mix = mixer(grid, x.device) if self.config.mixing else None
        out = self.write(self.run_blocks(tokens, t, prepared, mix, prepared.positions))
        pattern = "B (L h w) (a b c C) -> B C (L a) (h b) (w c)"
        return rearrange(out, pattern, L=grid[0], h=grid[1], w=grid[2], a=a, b=b, c=c).to(x.dtype)

    def grow(self, tensors: Tensors, old: VideoConfig) -> Tensors:
        """The tensors of a smaller model as this one's: what is new in positions and tasks starts as built.

        With nothing beside, no new task and no new text the grown model equals the old one. What reads and writes the
        latent starts as built where that has other channels or patches.
        """
        grown, new = self.grow_shared(tensors, old), self.config
        for axis, table in enumerate(self.positions):
            name = f"positions.{axis}"
            grown[name] = grow_rows(grown[name], table)
        if (old.latent_channels, old.patch) != (new.latent_channels, new.patch):
            return {name: value for name, value in grown.items() if name.partition(".")[0] not in ("read", "write")}
        if new.read_channels > old.read_channels:  # in each cell channels are innermost, those beside last
            columns = grown["read.weight"].unflatten(1, (-1, old.read_channels))
            padded = nn.functional.pad(columns, (0, new.read_channels - old.read_channels))
            grown["read.weight"] = padded.flatten(1)
        return grown
