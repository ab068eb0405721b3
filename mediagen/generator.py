"""The seam above the velocity: whatever makes latents of prompts, and the first that does, flow matching."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from mediagen.grid import Grid
from mediagen.guidance import cfg
from mediagen.nn.denoiser import Conditions
from mediagen.sampling import OnStep, euler, linear_quadratic
from mediagen.text.text import TextEncoder, with_fps
from mediagen.video import VideoModel


class Generator(Protocol):
    """Makes latents. Nothing above it knows whether by a velocity, a score or masked tokens."""

    @property
    def patch(self) -> tuple[int, int, int]:
        """Latent cells in time, height and width that a clip's latent must be a multiple of."""
        ...

    def latents(self, prompts: list[str], grid: Grid, *, rng: torch.Generator | list[torch.Generator], steps: int,
                scale: float, negative: str = "", conditions: Conditions | None = None,
                on_step: OnStep | None = None) -> Tensor:  # fmt: skip
        """Float32 latents (B, C, L, h, w) of one clip per prompt.

        rng: for all together, or one each, with which every clip has the noise that it would have alone.  scale: of
        classifier-free guidance, away from `negative`.  conditions: all but the text, for B samples.
        on_step(index, t, x) is called after each step; what it raises cancels.
        """
        ...


@dataclass(frozen=True)
class FlowGenerator:
    """Flow matching with a VideoModel: Euler's rule on the linear-quadratic schedule (Movie Gen, section 3.4.2).

    schedule: gives the times of so many steps; `linear` for a model that was distilled to even ones.
    """

    text: TextEncoder
    video: VideoModel
    schedule: Callable[[int], list[float]] = linear_quadratic

    @property
    def patch(self) -> tuple[int, int, int]:
        return self.video.config.patch

    @torch.no_grad()
    def latents(self, prompts: list[str], grid: Grid, *, rng: torch.Generator | list[torch.Generator],
                steps: int = 50, scale: float = 3.0, negative: str = "", conditions: Conditions | None = None,
                on_step: OnStep | None = None, times: list[float] | None = None) -> Tensor:  # fmt: skip
        """See `Generator`. The solver's state is float32, whatever the weights are.  times: another schedule."""
        guided = scale != 1.0
        words = [with_fps(prompt, grid.fps) for prompt in prompts] + [negative] * (len(prompts) * guided)
        times = times or self.schedule(steps)
        told = (conditions or Conditions()).repeat(2 if guided else 1)
        prepared = self.video.prepare(replace(told, text=self.text.encode(words)), grid.latent, times)
        each = rng if isinstance(rng, list) else [rng]
        shape = (len(prompts) // len(each), self.video.config.latent_channels, *grid.latent)
        noise = torch.cat([torch.randn(shape, generator=own, device=own.device) for own in each])
        return euler(cfg(self.video, prepared, scale), noise, times, on_step)
