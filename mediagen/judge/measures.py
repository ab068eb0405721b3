"""Figures of merit that need no network: PSNR, SSIM, the Fréchet distance, and the interval of a share."""

import math

import torch
import torch.nn.functional as F


def psnr(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of uint8 frames, in dB over a whole clip; `inf` where they are equal.

    a, b: uint8 (..., F, H, W, 3). Returns float64 (...,).
    """
    _same(a, b)
    error = (a.double() - b.double()).square().mean(dim=(-4, -3, -2, -1))
    return 10 * torch.log10(255.0**2 / error)


def ssim(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Structural similarity of uint8 frames, mean over pixels, channels and frames; 1 where they are equal.

    a, b: uint8 (..., F, H, W, 3), H and W at least 11. Returns float32 (...,). Gaussian window 11x11 of sigma 1.5,
    K1 = 0.01, K2 = 0.03, whole windows only (Wang et al., IEEE TIP 13(4), 2004, section III-C).
    """
    _same(a, b)
    if min(a.shape[-3:-1]) < 11:
        raise ValueError(
            f"got frames of {a.shape[-2]}x{a.shape[-3]}, expected at least 11x11; compare larger pictures."
        )
    lead = a.shape[:-4]
    # Means and (co)variances of every window come from one pair of separable convolutions over five stacked pictures.
    # Double precision: variances are small differences of large numbers, and flat pictures would lose 1e-4 in single.
    x, y = (frames.movedim(-1, -3).reshape(-1, *frames.shape[-3:-1]).double() for frames in (a, b))
    taps = torch.exp(-((torch.arange(11, device=x.device, dtype=x.dtype) - 5) ** 2) / (2 * 1.5**2))
    taps = taps / taps.sum()
    stack = torch.stack((x, y, x * x, y * y, x * y), dim=1)
    stack = stack.flatten(0, 1).unsqueeze(1)
    stack = F.conv2d(F.conv2d(stack, taps.view(1, 1, 11, 1)), taps.view(1, 1, 1, 11))
    mean_x, mean_y, xx, yy, xy = stack.unflatten(0, (-1, 5)).squeeze(2).unbind(1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    value = (2 * mean_x * mean_y + c1) * (2 * (xy - mean_x * mean_y) + c2)
    value = value / ((mean_x**2 + mean_y**2 + c1) * (xx - mean_x**2 + yy - mean_y**2 + c2))
    return value.mean(dim=(-2, -1)).reshape(*lead, -1).mean(-1).float()


def frechet(a: torch.Tensor, b: torch.Tensor) -> float:
    """Fréchet distance between two sets of features taken as Gaussians (Heusel et al., arXiv 1706.08500, eq. 6).

    a, b: (N, D) and (M, D) features, at least two rows each. The estimate is biased upwards by small sets: compare it
    with the distance between two real sets of the same sizes.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"got features {tuple(a.shape)} and {tuple(b.shape)}, expected (N, D) and (M, D), N and M > 1."
        )
    a, b = a.double(), b.double()
    cov_a, cov_b = torch.cov(a.T).reshape(a.shape[1], -1), torch.cov(b.T).reshape(b.shape[1], -1)
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors * values.clamp_min(0).sqrt() @ vectors.T
    # tr sqrt(A B) = tr sqrt(sqrt(A) B sqrt(A)), and the latter is symmetric: no complex matrix root is needed.
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp_min(0).sqrt().sum()
    distance = (a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross
    return max(0.0, float(distance))


def wilson(hits: float, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share of `hits` in `count` trials (Wilson, JASA 22, 1927); (0, 1) for no trials."""
    if count < 0 or hits < 0 or hits > count:
        raise ValueError(f"got {hits} hits in {count} trials, expected 0 <= hits <= trials.")
    if count == 0:
        return 0.0, 1.0
    share, spread = hits / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def _same(a: torch.Tensor, b: torch.Tensor) -> None:
    if a.shape != b.shape or a.dtype != torch.uint8 or b.dtype != torch.uint8 or a.ndim < 4 or a.shape[-1] != 3:
        raise ValueError(
            f"got {a.dtype} {tuple(a.shape)} and {b.dtype} {tuple(b.shape)}, expected two uint8 (..., F, H, W, 3) of "
            "one shape; pass frames as in Clip.frames."
        )
