"""AudioModel: the flow-matching transformer over the latent frames of the sound codec.

The shape is the one of Movie Gen Audio (arXiv 2410.13720, section 6.1): plain MLP blocks with cross-attention to the
text, one timestep MLP for all layers with a learned bias per layer, pictures added to the sound frame by frame, and
the sound that is already known beside the noisy latent, as further channels.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mediagen.config import Config
from mediagen.nn.denoiser import Conditions, Denoiser, Prepared, Tensors, check_sizes, grow_rows
from mediagen.nn.transformer import MLP, RMSNorm, mixer


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
        names = ("latent_channels", "width", "depth", "heads", "text_widths", "picture_width", "longest")
        check_sizes(**{name: getattr(self, name) for name in names})
        if self.mlp_ratio * self.width < 1 or self.early <= 0:
            raise ValueError(
                f"got mlp_ratio={self.mlp_ratio:g} and early={self.early:g}, expected numbers above 0; raise them."
            )
        if self.picture_taps < 0 or (self.picture_taps and self.picture_taps % 2 == 0):
            raise ValueError(f"got picture_taps={self.picture_taps}, expected 0 or an odd number; add one.")


@dataclass(frozen=True, kw_only=True)
class SoundConditions(Conditions):
    """What the audio model is told: besides a denoiser's conditions, what is seen.

    pictures: features (B, L, P) at 25 Hz, all zeros for a sample without.  known: latent (B, C, L), read where clean,
    bool (B, L), is True.
    """

    pictures: Tensor | None = None


@dataclass(kw_only=True)
class PreparedSound(Prepared):
    """See `AudioModel.prepare`."""

    added: Tensor  # (B, L, D): positions, pictures and what is known, added to the tokens
    made: Tensor  # (B, 1, L): 1 where sound is to be made, 0 where it is known


class AudioModel(Denoiser):
    """Predicts the velocity of a sound latent from its noisy state, the time, a text, the pictures and known sound."""

    what = "audio"
    Config = AudioConfig
    PRESETS: ClassVar[dict[str, AudioConfig]] = {
        "debug": AudioConfig(latent_channels=8, width=32, depth=2, heads=2, text_widths=(32,), picture_width=272),
        "tiny": AudioConfig(picture_taps=7, mixing=True, early=2.0),
        "13b": AudioConfig(
            latent_channels=128, width=4608, depth=36, heads=36, text_widths=(768,), picture_width=1024, longest=750
        ),
    }

    def __init__(self, config: AudioConfig) -> None:
        width = config.width
        super().__init__(config, round(width * config.mlp_ratio), MLP)
        self.read = nn.Linear(config.latent_channels, width)
        # With `read` the one map of all channels.
        self.recall = nn.Linear(config.latent_channels + 1, width, bias=False)
        self.see_norm = RMSNorm(config.picture_width)
        self.see = nn.Linear(config.picture_width, width, bias=False)  # no bias: zeros are "no pictures"
        self.follow = None
        if config.picture_taps:
            self.follow = nn.Conv1d(width, width, config.picture_taps, padding="same", bias=False)
            nn.init.zeros_(self.follow.weight)  # starts as if it were not there
        self.positions = nn.Parameter(_waves(config.longest, width))
        self.write = nn.Linear(width, config.latent_channels)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    def prepare(self, conditions: SoundConditions, length: int, times: list[float] | None = None) -> PreparedSound:
        """Computes once what every step needs: text, all that is added, modulation rows of `times`.

        length: latent frames L. Raises ValueError where a shape does not fit.
        """
        config, pictures = self.config, conditions.pictures
        if not 1 <= length <= config.longest:
            raise ValueError(
                f"got {length} latent frames, expected 1 to {config.longest}; make longer sound in windows."
            )
        if conditions.beside is not None:
            raise ValueError("got a latent beside, which no audio model reads; leave it out.")
        told = self.read_text(conditions, times)
        states = told.readings[0].states
        batch, device, dtype = len(states), states.device, self.dtype
        added = self.positions[:length].expand(batch, -1, -1)
        if pictures is not None:
            _check("pictures", pictures, (batch, length, config.picture_width))
            seen = self.see(self.see_norm(pictures.to(device, dtype)))
            if self.follow is not None:
                seen = seen + self.follow(functional.silu(seen).transpose(1, 2)).transpose(1, 2)
            added = added + seen
        made = torch.ones(batch, 1, length, device=device, dtype=dtype)
        if conditions.known is not None and conditions.clean is not None:
            _check("known", conditions.known, (batch, config.latent_channels, length))
            _check("clean", conditions.clean, (batch, length))
            kept = conditions.clean.to(device, dtype)[:, None]
            known = torch.cat((conditions.known.to(device, dtype) * kept, kept), dim=1)
            added = added + self.recall(known.transpose(1, 2))
            made = 1 - kept
        return PreparedSound(**vars(told), added=added, made=made)

    def forward(self, x: Tensor, t: Tensor | float, prepared: PreparedSound) -> Tensor:
        """The velocity (B, C, L) at x (B, C, L) and t, one number for all or (B,), in the type of x.

        Where sound is known, x is not looked at and the velocity is 0: what is put there stays.
        """
        seen = x.to(prepared.made.dtype) * prepared.made
        tokens = self.read(seen.transpose(1, 2)) + prepared.added
        mix = mixer((x.shape[-1],), x.device) if self.config.mixing else None
        return (self.write(self.run_blocks(tokens, t, prepared, mix)).transpose(1, 2) * prepared.made).to(x.dtype)

    def grow(self, tensors: Tensors, old: AudioConfig) -> Tensors:
        """The tensors of a smaller model as this one's: new positions start as built, new taps at zero.

        With no new text the grown model equals the old one. What reads and writes the latent starts as built where that
        has other channels.
        """
        grown = self.grow_shared(tensors, old)
        grown["positions"] = grow_rows(grown["positions"], self.positions)
        extra = (self.config.picture_taps - old.picture_taps) // 2
        if old.picture_taps and extra > 0:
            grown["follow.weight"] = functional.pad(grown["follow.weight"], (extra, extra))
        if old.latent_channels != self.config.latent_channels:
            latent = ("read", "recall", "write")
            return {name: value for name, value in grown.items() if name.partition(".")[0] not in latent}
        return grown


def _waves(length: int, width: int) -> Tensor:
    """Sinusoids (length, width): learned positions start here, so that frames never trained still have one."""
    rates = torch.exp(torch.arange(width // 2) * (-math.log(1000.0) / (width // 2)))
    angle = torch.arange(length)[:, None] * rates
    return 0.5 * torch.cat((angle.sin(), angle.cos()), dim=-1)


def _check(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(value.shape) != shape:
        raise ValueError(f"got {name} of shape {tuple(value.shape)}, expected {shape}; match batch, length and model.")
