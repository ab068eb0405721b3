"""Text: prompt, character and aligned encoders behind one encode(prompts) -> Text (Movie Gen, section 3.1.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from mediagen.config import Config
from mediagen.text.encoders import Encoder, EncoderConfig


@dataclass(frozen=True, kw_only=True)
class TextConfig(Config):
    """Which encoders read a prompt, in the order of `Text.parts`.  download: fetch public weights that are missing."""

    encoders: tuple[EncoderConfig, ...] = (EncoderConfig(),)
    download: bool = False


PRESETS: dict[str, TextConfig] = {
    "tiny": TextConfig(),
    "standard": TextConfig(
        encoders=(EncoderConfig(tokens=72, width=192, layers=4, heads=4, ff=512, tokenizer="tokenizer-standard.json"),)
    ),
    "debug": TextConfig(encoders=(EncoderConfig(width=32, layers=1, heads=2, ff=64),)),
    "paper": TextConfig(  # Movie Gen, section 3.1.4
        encoders=(
            EncoderConfig(kind="prompt", source="google/ul2", tokens=512),
            EncoderConfig(kind="character", source="google/byt5-small", tokens=256),
            EncoderConfig(kind="aligned", source="facebook/metaclip-h14-fullcc2.5b", tokens=77),
        )
    ),
    "paper-audio": TextConfig(
        encoders=(EncoderConfig(kind="prompt", source="google-t5/t5-base", tokens=512),)
    ),  # section 6
}


@dataclass(frozen=True)
class Text:
    """Encoded prompts: for each encoder its states, float (B, M, D), zero where its mask, bool (B, M), is False."""

    parts: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, rows: slice | Tensor | list[int]) -> "Text":
        """Some of the prompts, as a Text."""
        return Text(tuple(part[rows] for part in self.parts), tuple(mask[rows] for mask in self.masks))

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> "Text":
        """On another device, or with states of another type."""
        return Text(
            tuple(part.to(device=device, dtype=dtype) for part in self.parts),
            tuple(mask.to(device=device) for mask in self.masks),
        )

    @staticmethod
    def cat(texts: "Sequence[Text]") -> "Text":
        """Several Texts of the same encoders as one, in order, padded to the longest."""
        if len({tuple(part.shape[-1] for part in text.parts) for text in texts}) != 1:
            raise ValueError(
                "got texts of different encoders (or none), expected the same; encode them by one TextEncoder."
            )
        parts, masks = [], []
        for index in range(len(texts[0].parts)):
            length = max(text.parts[index].shape[1] for text in texts)
            missing = [length - text.parts[index].shape[1] for text in texts]
            parts.append(
                torch.cat([functional.pad(t.parts[index], (0, 0, 0, m)) for t, m in zip(texts, missing, strict=True)])
            )
            masks.append(
                torch.cat([functional.pad(t.masks[index], (0, m)) for t, m in zip(texts, missing, strict=True)])
            )
        return Text(tuple(parts), tuple(masks))


class TextEncoder(nn.Module):
    """One or several text encoders side by side; frozen in use: `encode` keeps no gradients."""

    Config: ClassVar = TextConfig

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        self.encoders = nn.ModuleList(Encoder.of(part, config.download) for part in config.encoders)

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """An encoder with fresh weights ("tiny", "debug"), or with public ones that are on this machine ("paper")."""
        if name not in PRESETS:
            raise ValueError(f"got the preset '{name}', expected one of {', '.join(PRESETS)}.")
        return cls(PRESETS[name])

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each part of the Text that `encode` makes."""
        return tuple(encoder.width for encoder in self.parts)

    @torch.no_grad()
    def encode(self, prompts: Sequence[str]) -> Text:
        """The states of `prompts`, "" included; a prompt's states do not depend on the other prompts of the call.

        A prompt that is too long is cut and, once, a warning is logged; see `too_long`.
        """
        if isinstance(prompts, str) or not prompts:
            raise ValueError(f"got {prompts!r} as prompts, expected a list of one or more; write [prompt].")
        pairs = [encoder.encode(prompts) for encoder in self.parts]
        return Text(tuple(states for states, _ in pairs), tuple(mask for _, mask in pairs))

    def too_long(self, prompts: Sequence[str]) -> list[bool]:
        """For each prompt, whether an encoder cuts it."""
        cuts = [encoder.tokenize(prompts)[2] for encoder in self.parts]
        return [any(cut) for cut in zip(*cuts, strict=True)]

    @property
    def parts(self) -> list[Encoder]:
        """The encoders, in the order of `Text.parts`."""
        return [encoder for encoder in self.encoders if isinstance(encoder, Encoder)]


def with_fps(prompt: str, fps: float) -> str:
    """The prompt with its frame rate before it, "FPS-16 a red ball" (Movie Gen, section 3.1.4)."""
    return f"FPS-{fps:g} {prompt}".rstrip()
