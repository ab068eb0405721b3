"""SoundRecogniser: a small network that says what a sound is of; it judges generated sound."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.nn.spectral import log_mel
from mediagen.world.sounds import SOUND_CLASSES


@dataclass(frozen=True, kw_only=True)
class SoundRecogniserConfig(Config):
    """Shape of the recogniser: mel bands, widths of its stages (each halves bands and frames), number of classes."""

    bands: int = 64
    widths: tuple[int, ...] = (16, 32, 64, 96)
    classes: int = len(SOUND_CLASSES)


class SoundRecogniser(nn.Module):
    """A convolutional network on log-mel spectra: 48 kHz sound (B, 1, S) -> logits (B, classes), any S."""

    Config = SoundRecogniserConfig

    def __init__(self, config: SoundRecogniserConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SoundRecogniserConfig()
        layers: list[nn.Module] = []
        width = 1
        for out in config.widths:
            layers += [nn.Conv2d(width, out, 3, (2, 2), 1), nn.GroupNorm(4, out), nn.SiLU()]
            width = out
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(2 * width * (config.bands >> len(config.widths)), config.classes)

    def features(self, sound: Tensor) -> Tensor:
        """(B, 1, S) -> (B, D), what the class is decided from; also for Fréchet distances of sounds."""
        spectra = (log_mel(sound, bands=self.config.bands) + 6.0) / 3.0
        hidden = self.body(spectra).flatten(1, 2)  # bands are kept apart, times are pooled
        return torch.cat([hidden.mean(-1), hidden.amax(-1)], 1)

    def forward(self, sound: Tensor) -> Tensor:
        return self.head(self.features(sound))

    @torch.inference_mode()
    def classify(self, sound: Tensor) -> list[str]:
        """The most likely class of each of (B, 1, S), as in `SOUND_CLASSES`."""
        return [SOUND_CLASSES[index] for index in self(sound).argmax(1).tolist()]
