"""The rest stays: where an edit may be seen, with a soft border, and the film everywhere else, byte for byte.

The border lies inside of the mask: it is SOFT of the picture's height wide, and in it the edit comes up from nothing.
A mask that the model finds is first grown by GROW of the height, for shadows and edges belong to a thing.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

GROW, SOFT = 0.05, 0.02  # of the picture's height


def grown(mask: Tensor) -> Tensor:
    """A mask, bool (F, H, W), with all that lies within GROW of it and room for the border."""
    reach = max(1, round((GROW + SOFT) * mask.shape[1]))
    return F.max_pool2d(mask[:, None].float(), 2 * reach + 1, 1, reach)[:, 0] > 0


def strength(mask: Tensor) -> Tensor:
    """How much of the edit is seen, float (F, H, W) from 0 to 1: 0 outside of the mask, bool (F, H, W)."""
    soft = max(1, round(SOFT * mask.shape[1]))
    inside = F.pad(mask[:, None].float(), (soft,) * 4, mode="replicate")
    return F.avg_pool2d(inside, 2 * soft + 1, 1)[:, 0] * mask


def laid(film: Tensor, edited: Tensor, share: Tensor) -> Tensor:
    """`edited` over `film`, uint8 (F, H, W, 3), by a share (F, H, W); where that is 0, the film's very bytes."""
    mixed = torch.lerp(film.float(), edited.float(), share[..., None]).round_().clamp_(0, 255).to(torch.uint8)
    return torch.where(share[..., None] > 0, mixed, film)


def sized(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures, uint8 (F, H, W, 3), at another size (width, height)."""
    if (frames.shape[2], frames.shape[1]) == size:
        return frames
    small = size[0] * size[1] < frames.shape[1] * frames.shape[2]
    how: dict[str, Any] = {"mode": "bicubic", "align_corners": False, "antialias": small}
    made = F.interpolate(frames.movedim(-1, 1).float(), size[::-1], **how)
    return made.round_().clamp_(0, 255).to(torch.uint8).movedim(1, -1).contiguous()


def sized_share(share: Tensor, size: tuple[int, int]) -> Tensor:
    """A share (F, H, W) at another size (width, height)."""
    if (share.shape[2], share.shape[1]) == size:
        return share
    return F.interpolate(share[:, None], size[::-1], mode="bilinear", align_corners=False)[:, 0]


class Kept:
    """What of a film is kept outside of a mask, over pieces of it: `add`, then PSNR (dB, at most 99) and SSIM."""

    def __init__(self) -> None:
        self._error, self._count, self._alike, self._seen = 0.0, 0, 0.0, 0

    def add(self, film: Tensor, made: Tensor, mask: Tensor) -> None:
        """Pictures, uint8 (F, H, W, 3), before and after, and where they may differ, bool (F, H, W)."""
        from mediagen.edit.measure import structure

        rest = ~mask
        self._error += float((film.float() - made.float()).square().mean(-1)[rest].sum())
        self._count += int(rest.sum())
        for one in range(len(film)):
            alike = structure(film[one : one + 1], made[one : one + 1], mask[one : one + 1])
            if alike == alike:  # some of the picture lies outside
                self._alike, self._seen = self._alike + alike, self._seen + 1

    @property
    def psnr(self) -> float | None:
        """None where nothing lies outside of the mask."""
        if not self._count:
            return None
        error = self._error / self._count
        return 99.0 if error < 1e-9 else min(99.0, float(10 * torch.log10(torch.tensor(255.0**2 / error))))

    @property
    def ssim(self) -> float | None:
        """The mean over the pictures; None where nothing lies outside."""
        return self._alike / self._seen if self._seen else None
