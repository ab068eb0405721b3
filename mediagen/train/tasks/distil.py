"""The training task of distillation: guidance into the weights first, then few steps in place of many."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mediagen.flow import draw_t, interpolate, noise_like
from mediagen.generate import VideoModels, decode_frames
from mediagen.generator import FlowGenerator
from mediagen.media.sheets import save_sheet
from mediagen.nn.denoiser import Conditions
from mediagen.sampling import linear
from mediagen.tae import TAE
from mediagen.text.text import Text, TextEncoder
from mediagen.train.tasks.video import VideoBatch, VideoTask, VideoTaskConfig
from mediagen.video import PreparedVideo, VideoModel


@dataclass(frozen=True, kw_only=True)
class DistilTaskConfig(VideoTaskConfig):
    """What a video model is distilled on: the clips of `VideoTaskConfig`, whose captions none is dropped of here.

    scale: of the guidance that is learnt from the teacher, which is the model as it was given; 1 for none.
    nodes: steps from noise to clip that the student is to take, evenly spaced; 0 to learn the velocity at every t.
    substeps: of the teacher for each of these.
    """

    drop: float = 0.0
    scale: float = 3.0
    nodes: int = 0
    substeps: int = 3

    def __post_init__(self) -> None:
        if self.drop or self.nodes < 0 or self.substeps < 1:
            raise ValueError(
                f"got drop={self.drop}, nodes={self.nodes} and substeps={self.substeps}, expected drop=0, nodes of 0 "
                "or more and substeps of 1 or more; change them."
            )


class DistilTask(VideoTask):
    """Teaches a VideoModel to do in one evaluation what it did in several; see `mediagen.train.task.Task`.

    With nodes, the student's velocity at a node is the straight line to where the teacher's solver is at the next one
    (progressive distillation, arXiv 2202.00512, at fixed nodes and for flow matching).
    """

    name = "distil"

    def __init__(
        self, model: VideoModel, tae: TAE, text: TextEncoder, config: DistilTaskConfig, cache: Path, device: str = "cpu"
    ) -> None:
        self.teacher = copy.deepcopy(model).to(device).eval().requires_grad_(False)
        super().__init__(model, tae, text, config, cache, device)
        self.distil = config

    def loss(
        self, model: nn.Module, batch: VideoBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Mean squared error of the student's velocity to the teacher's."""
        assert isinstance(model, VideoModel)
        config, latent = self.distil, batch.latent
        noise = noise_like(latent, rng)
        if config.nodes:
            times = torch.tensor(linear(config.nodes), device=latent.device)
            node = torch.randint(config.nodes, (len(latent),), generator=rng, device=rng.device).to(latent.device)
            t, until = times[node], times[node + 1]
        else:
            t = draw_t(len(latent), rng, config.t_mean, config.t_std)
            until = t
        x = interpolate(latent, noise, t)
        with torch.no_grad():
            target = self._taught(x, t, until, batch)
        prepared = model.prepare(Conditions(text=batch.text, known=batch.known, clean=batch.clean), _shape(latent))
        wrong = (model(x, t, prepared) - target).square().flatten(1).mean(1)
        return wrong.mean(), {"first": wrong.detach()[t == 0].mean()} if bool((t == 0).any()) else {}

    def _taught(self, x: Tensor, t: Tensor, until: Tensor, batch: VideoBatch) -> Tensor:
        """The teacher's velocity at t, or, where `until` is later, the mean of those on its way there."""
        prepared = self._prepared(batch)
        if not self.distil.nodes:
            return self._guided(x, t, prepared)
        step = (until - t) / self.distil.substeps
        wide = step.view(-1, 1, 1, 1, 1)
        end = x
        for index in range(self.distil.substeps):
            end = end + wide * self._guided(end, t + index * step, prepared)
        return (end - x) / (wide * self.distil.substeps)

    def _prepared(self, batch: VideoBatch) -> PreparedVideo:
        told = Conditions(known=batch.known, clean=batch.clean)
        words = batch.text
        if self.distil.scale != 1:
            told = told.repeat(2)
            words = Text.cat([words, self.text.encode([""] * len(words))])
        return self.teacher.prepare(replace(told, text=words), _shape(batch.latent))

    def _guided(self, x: Tensor, t: Tensor, prepared: PreparedVideo) -> Tensor:
        if self.distil.scale == 1:
            return self.teacher(x, t, prepared)
        prompt, null = self.teacher(torch.cat((x, x)), torch.cat((t, t)), prepared).chunk(2)
        return torch.lerp(null, prompt, self.distil.scale)

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Clips of the student beneath the teacher's, from the same noise, and how far apart their latents are."""
        assert isinstance(model, VideoModel)
        config, captions, made = self.distil, self._held_out_captions(6), []
        for net, times, scale in (
            (self.teacher, linear(24), config.scale),
            (model, linear(config.nodes or 24), 1.0),
        ):
            models = VideoModels(FlowGenerator(self.text, net), self.tae)
            grid = models.grid(config.seconds, config.size, config.fps)
            rng = torch.Generator(self.device).manual_seed(0)
            generator = FlowGenerator(self.text, net)
            made.append(generator.latents(captions, grid, rng=rng, scale=scale, times=times))
        rows = [decode_frames(models, latent, grid.frames)[:, :: max(1, grid.frames // 8)] for latent in made]
        pairs = [frames for pair in zip(*rows, strict=True) for frames in pair]
        save_sheet(pairs, folder / f"distil-{step:06d}.png", 1, [c for caption in captions for c in (caption, "")])
        return {"distance": float((made[0] - made[1]).square().mean().sqrt())}


def _shape(latent: Tensor) -> tuple[int, int, int]:
    return latent.shape[2], latent.shape[3], latent.shape[4]
