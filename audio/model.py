"""AudioModel: the flow-matching transformer over the latent frames of the sound codec.

The shape is the one of Movie Gen Audio (arXiv 2410.13720, section 6.1): plain MLP blocks with cross-attention to the
text, one timestep MLP for all layers with a learned bias per layer, pictures added to the sound frame by frame, and
the sound that is already known beside the noisy latent, as further channels.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from mediagen.config import Config
from mediagen.nn.conditions import TextProjection
from mediagen.nn.transformer import MLP, Block, Memory, RMSNorm, TimestepMLP, mixer
from mediagen.text.text import Text


@dataclass(frozen=True, kw_only=True)
class AudioConfig(Config):
    """Sizes of an audio model.

    text_widths: one per text encoder.  picture_width: of the features of one picture.  picture_taps: latent frames over
    which a convolution follows the pictures' motion before they are added; 0, the report's, for none.  longest: latent
    frames, 25 a second, of the longest sound that is made at once.  mixing: before attention and MLP, an eighth of the
    channels comes from each of a frame's two neighbours; costs nothing and helps small models. Off in the report's
    preset.  early: power of the solver's times (`linear`), for latents that show what they are through much noise; 1,
    the report's, spaces them evenly.
    """

    latent_channels: int = 48
    width: int = 256
    depth: int = 6
    heads: int = 4
    mlp_ratio: float = 4.0
    text_widths: tuple[int, ...] = (128,)
    picture_width: int = 2112
    picture_taps: int = 0
    longest: int = 250
    mixing: bool = False
    early: float = 1.0

    def __post_init__(self) -> None:
        if self.width % self.heads or self.width % 8:
            raise ValueError(f"got width {self.width} and {self.heads} heads, expected a multiple of both 8 and heads.")
        if self.picture_taps and self.picture_taps % 2 == 0:
            raise ValueError(f"got picture_taps={self.picture_taps}, expected 0 or an odd number; add one.")


@dataclass
class Prepared:
    """All of a request that does not depend on t: see `AudioModel.prepare`."""

    memories: list[Memory]
    mask: Tensor  # (B, 1, 1, M)
    added: Tensor  # (B, L, D): positions, pictures and what is known, added to the tokens
    made: Tensor  # (B, 1, L): 1 where sound is to be made, 0 where it is known
    rows: dict[float, Tensor] = field(default_factory=dict)  # modulation by time, (1, 6, D)


class AudioModel(nn.Module):
    """Predicts the velocity of a sound latent from its noisy state, the time, a text, the pictures and known sound."""

    Config = AudioConfig
    PRESETS: ClassVar[dict[str, AudioConfig]] = {
        "debug": AudioConfig(latent_channels=8, width=32, depth=2, heads=2, text_widths=(32,), picture_width=272),
        "tiny": AudioConfig(picture_taps=7, mixing=True, early=2.0),
        "13b": AudioConfig(
            latent_channels=128, width=4608, depth=36, heads=36, text_widths=(768,), picture_width=1024, longest=750
        ),
    }

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.read = nn.Linear(config.latent_channels, width)
        self.recall = nn.Linear(
            config.latent_channels + 1, width, bias=False
        )  # with `read` the one map of all channels
        self.see_norm = RMSNorm(config.picture_width)
        self.see = nn.Linear(config.picture_width, width, bias=False)  # no bias: zeros are "no pictures"
        self.follow = None
        if config.picture_taps:
            self.follow = nn.Conv1d(width, width, config.picture_taps, padding="same", bias=False)
            nn.init.zeros_(self.follow.weight)  # starts as if it were not there
        self.positions = nn.Parameter(_waves(config.longest, width))
        self.timestep = TimestepMLP(width)
        self.text = TextProjection(config.text_widths, width)
        hidden = round(width * config.mlp_ratio)
        self.blocks = nn.ModuleList(Block(width, config.heads, hidden, MLP) for _ in range(config.depth))
        self.norm = RMSNorm(width)
        self.write = nn.Linear(width, config.latent_channels)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """A new, untrained model of a preset: debug, tiny or 13b."""
        if name not in cls.PRESETS:
            raise ValueError(f"got the audio preset '{name}', expected one of {', '.join(cls.PRESETS)}.")
        return cls(cls.PRESETS[name])

    def prepare(
        self,
        text: Text,
        length: int,
        pictures: Tensor | None = None,
        known: Tensor | None = None,
        clean: Tensor | None = None,
        times: list[float] | None = None,
    ) -> Prepared:
        """Computes once what every step needs: text keys and values, all that is added, modulation rows of `times`.

        length: latent frames L.  pictures: features (B, L, P) at 25 Hz, all zeros for a sample without.  known: latent
        (B, C, L), read where clean, bool (B, L), is True. Raises ValueError where a shape does not fit.
        """
        config = self.config
        states, mask = self.text(text)
        batch, device, dtype = len(states), states.device, states.dtype
        if not 1 <= length <= config.longest:
            raise ValueError(
                f"got {length} latent frames, expected 1 to {config.longest}; make longer sound in windows."
            )
        added = self.positions[:length].expand(batch, -1, -1)
        if pictures is not None:
            _check("pictures", pictures, (batch, length, config.picture_width))
            seen = self.see(self.see_norm(pictures.to(device, dtype)))
            if self.follow is not None:
                seen = seen + self.follow(functional.silu(seen).transpose(1, 2)).transpose(1, 2)
            added = added + seen
        made = torch.ones(batch, 1, length, device=device, dtype=dtype)
        if known is not None and clean is not None:
            _check("known", known, (batch, config.latent_channels, length))
            _check("clean", clean, (batch, length))
            kept = clean.to(device, dtype)[:, None]
            added = added + self.recall(torch.cat((known.to(device, dtype) * kept, kept), dim=1).transpose(1, 2))
            made = 1 - kept
        prepared = Prepared([block.text.memorise(states) for block in self._blocks()], mask[:, None, None], added, made)
        if times:
            rows = self.timestep(torch.tensor(times, device=device))
            prepared.rows = {t: rows[i : i + 1] for i, t in enumerate(times)}
        return prepared

    def forward(self, x: Tensor, t: Tensor | float, prepared: Prepared) -> Tensor:
        """The velocity (B, C, L) at x (B, C, L) and t, one number for all or (B,).

        Where sound is known, x is not looked at and the velocity is 0: what is put there stays.
        """
        if isinstance(t, float):
            row = prepared.rows.get(t)
            modulation = self.timestep(torch.tensor([t], device=x.device)) if row is None else row
        else:
            modulation = self.timestep(t)
        tokens = self.read((x * prepared.made).transpose(1, 2)) + prepared.added
        mix = mixer((x.shape[-1],), x.device) if self.config.mixing else None
        for block, memory in zip(self._blocks(), prepared.memories, strict=True):
            tokens = block(tokens, modulation, memory, prepared.mask, mix)
        return self.write(self.norm(tokens)).transpose(1, 2) * prepared.made

    def _blocks(self) -> list[Block]:
        return list(self.blocks)  # type: ignore[arg-type]


def _waves(length: int, width: int) -> Tensor:
    """Sinusoids (length, width): learned positions start here, so that frames never trained still have one."""
    rates = torch.exp(torch.arange(width // 2) * (-math.log(1000.0) / (width // 2)))
    angle = torch.arange(length)[:, None] * rates
    return 0.5 * torch.cat((angle.sin(), angle.cos()), dim=-1)


def _check(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(value.shape) != shape:
        raise ValueError(f"got {name} of shape {tuple(value.shape)}, expected {shape}; match batch, length and model.")
