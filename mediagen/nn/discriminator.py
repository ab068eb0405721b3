"""Discriminators of the autoencoders' adversarial terms, and their hinge losses."""

import torch.nn.functional as F
from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """Scores overlapping patches of a video as real (positive) or rebuilt: (B, 3, F, H, W) to (B, 1, F', H', W')."""

    def __init__(self, width: int = 32, levels: int = 3):
        super().__init__()
        layers: list[nn.Module] = []
        cin = 3
        for level in range(levels):
            cout = width * 2**level
            layers += [nn.Conv3d(cin, cout, (3, 4, 4), stride=(1, 2, 2), padding=1), nn.LeakyReLU(0.2)]
            cin = cout
        self.layers = nn.Sequential(*layers, nn.Conv3d(cin, 1, 3, padding=1))

    def forward(self, video: Tensor) -> Tensor:
        return self.layers(video)


def hinge_critic(critic: nn.Module, real: Tensor, rebuilt: Tensor) -> Tensor:
    """The critic's loss: real above 1, rebuilt below -1."""
    return F.relu(1 - critic(real)).mean() + F.relu(1 + critic(rebuilt)).mean()


def hinge_generator(critic: nn.Module, rebuilt: Tensor) -> Tensor:
    """The autoencoder's adversarial term."""
    return -critic(rebuilt).mean()
