"""The critic of the codec's adversarial term."""

import torch
from torch import Tensor, nn

from mediagen.nn.spectral import spectrum


class SpectralCritic(nn.Module):
    """Scores patches of complex short-time spectra at several resolutions as real (positive) or rebuilt.

    (B, 1, S) -> (B, N), all patches of all resolutions side by side. The multi-resolution spectrogram discriminator of
    EnCodec and DAC (arXiv 2306.06546, section 3.3), with strides that let a CPU train it.
    """

    def __init__(self, width: int = 12, sizes: tuple[int, ...] = (256, 1024, 2048)) -> None:
        super().__init__()
        self.sizes = sizes
        self.nets = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(2, width, (8, 3), (4, 1), (4, 1)), nn.LeakyReLU(0.2),
                nn.Conv2d(width, 2 * width, (8, 4), (4, 2), (4, 1)), nn.LeakyReLU(0.2),
                nn.Conv2d(2 * width, 2 * width, (5, 4), (2, 2), (2, 1)), nn.LeakyReLU(0.2),
                nn.Conv2d(2 * width, 1, 3, 1, 1),
            )
            for _ in sizes
        )  # fmt: skip

    def forward(self, sound: Tensor) -> Tensor:
        scores = []
        for size, net in zip(self.sizes, self.nets, strict=True):
            parts = torch.view_as_real(spectrum(sound[:, 0], size, size // 4)).permute(0, 3, 1, 2)
            magnitude = (parts.square().sum(1, keepdim=True) + 1e-6).sqrt()
            # the modulus on a logarithmic scale, so that quiet parts are judged too; the phase as it is
            scores.append(net(parts / magnitude * torch.log1p(300 * magnitude)).flatten(1))
        return torch.cat(scores, 1)
