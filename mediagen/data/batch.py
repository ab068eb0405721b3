"""Batches: which clips belong to a step, and clips of one shape as one tensor."""

from collections.abc import Sequence

import torch

from mediagen.media.clip import Clip

PER_STEP = 2**16  # scene numbers set aside for each step, so that no batch size makes two steps share a scene


def check_batch(step: int, batch: int, rank: int, world: int) -> None:
    if step < 0 or batch < 1 or not 0 <= rank < world or batch * world > PER_STEP:
        raise ValueError(
            f"got step {step}, batch {batch}, rank {rank} of {world}; expected step >= 0, batch >= 1, "
            f"0 <= rank < world and at most {PER_STEP} clips in a step."
        )


def pictures_of(clips: Sequence[Clip]) -> torch.Tensor:
    """The pictures of clips of one length and size, uint8 (B, F, H, W, 3)."""
    return torch.stack([clip.frames for clip in clips if clip.frames is not None])


def sounds_of(clips: Sequence[Clip]) -> torch.Tensor:
    """The sounds of clips of one length, (B, channels, S)."""
    return torch.stack([clip.sound for clip in clips if clip.sound is not None])
