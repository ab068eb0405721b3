"""Previewer: pictures of latents on their way, by a linear map to red, green and blue."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

_SHADES = (-0.8, 0.0, 0.8)  # of each colour that the map is fitted to
_SIZE = 64  # pixels of the plain pictures


class Previewer(nn.Module):
    """Stands where a model folder has its "tae", for whoever shows a clip that is being made.

    The map is fitted by least squares to plain pictures that the pipeline's own autoencoder has encoded, once. Where
    that is not to be had (offloaded weights, an encoder that cannot), brightness is the direction in which the
    latents differ most: forms without colours.  models: the `PipelineFolder`.
    """

    def __init__(self, models: Any) -> None:
        super().__init__()
        self._models = (models,)  # a tuple, so that the pipeline is no part of this module
        self._map: Tensor | None = None
        self._tried = False

    @torch.no_grad()
    def decode(self, latent: Tensor, frames: int | None = None) -> Tensor:
        """Pictures (B, 3, L, h, w) in -1 to 1 of latents (B, C, L, h, w), a picture for each latent frame."""
        latent = latent.float().cpu()
        flat = latent.permute(0, 2, 3, 4, 1)
        found = self._fitted(latent.shape[1])
        if found is not None:
            return (flat @ found[:-1] + found[-1]).permute(0, 4, 1, 2, 3).clamp(-1, 1)
        values = flat.reshape(-1, flat.shape[-1])
        _, _, directions = torch.pca_lowrank(values, q=1, niter=2) if len(values) > 1 else (0, 0, values.T)
        light = ((values - values.mean(0)) @ directions[:, :1]).reshape(*flat.shape[:-1])
        return (light / light.abs().max().clamp(min=1e-6))[:, None].expand(-1, 3, -1, -1, -1)

    def _fitted(self, channels: int) -> Tensor | None:
        """The map (C + 1, 3), whose last row is added; None where there is none."""
        if not self._tried:
            self._tried = True
            models = self._models[0]
            if models.memory.offload == "none":
                try:
                    self._map = _fit(models.pipeline(next(iter(models.entry.calls))).vae)
                except (RuntimeError, ValueError, AttributeError, TypeError):
                    self._map = None
        return self._map if self._map is not None and len(self._map) == channels + 1 else None


@torch.no_grad()
def _fit(vae: nn.Module) -> Tensor:
    """Least squares from an autoencoder's latents, normalised as the transformer sees them, to plain colours."""
    weight = next(vae.parameters())
    shades = torch.cartesian_prod(*[torch.tensor(_SHADES)] * 3)
    rows = []
    for shade in shades:
        plain = shade[None, :, None, None, None].expand(-1, -1, 1, _SIZE, _SIZE)
        posterior = vae.encode(plain.to(weight.device, weight.dtype))  # pyright: ignore[reportCallIssue]
        rows.append(posterior.latent_dist.mode().float().cpu().mean((0, 2, 3, 4)))
    latents = torch.stack(rows)
    config: Mapping[str, Any] = vae.config  # pyright: ignore[reportAssignmentType]
    here = {**dict(vae.named_buffers()), **config}  # those of LTX are buffers
    mean, std = here.get("latents_mean"), here.get("latents_std")
    if mean is not None and std is not None:
        latents = (latents - torch.as_tensor(mean).float().cpu()) / torch.as_tensor(std).float().cpu()
    else:
        latents = latents * float(here.get("scaling_factor") or 1.0)
    known = torch.cat((latents, torch.ones(len(latents), 1)), 1)
    return torch.linalg.lstsq(known, shades, driver="gelsd").solution
