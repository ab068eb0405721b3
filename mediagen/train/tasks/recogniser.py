"""The Task that trains the Recogniser: on rendered scenes alone, blurred and noised as decoders do."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.judge.recogniser import ATTRIBUTES, UNKNOWN, Recogniser, labels
from mediagen.media.clip import to_float, to_uint8
from mediagen.media.sheets import save_sheet
from mediagen.parallel.spread import spread
from mediagen.world.draw import render
from mediagen.world.scene import Scene, draw_scene

SHOWN = ("colour", "kind", "motion", "place")  # answers beneath the preview's clips


@dataclass(frozen=True, kw_only=True)
class RecogniserTaskConfig(Config):
    """What the Recogniser is trained on.

    batch: clips a step, at least 2.  standard: share of clips of that difficulty, the rest is "simple".  size: (width,
    height).  blur, noise: largest standard deviations, in pixels and in units of the range [-1, 1].  coarse: largest
    reduction of the pictures.  lag: largest share of a frame taken from its neighbours.  check: clips of a preview.
    pool: so many clips are drawn once, by `processes` processes, for a GPU that would wait for them; 0 draws new ones
    at every step.
    """

    batch: int = 16
    standard: float = 1.0
    size: tuple[int, int] = (64, 64)
    seconds: float = 2.0
    fps: float = 16.0
    blur: float = 1.2
    noise: float = 0.12
    coarse: float = 2.5
    lag: float = 0.3
    check: int = 96
    pool: int = 0
    processes: int = 0

    def __post_init__(self) -> None:
        if self.batch < 2 or not 0 <= self.standard <= 1:
            raise ValueError(f"got batch={self.batch} and standard={self.standard}, expected 2 or more and 0 to 1.")


class RecogniserTask:
    """Trains `model` to name what rendered clips show; see mediagen.train.loop for the seam."""

    name = "recogniser"

    def __init__(self, model: Recogniser, config: RecogniserTaskConfig | None = None, device: str = "cpu") -> None:
        self.config, self.device = config or RecogniserTaskConfig(), device
        self.model = model.to(device)
        self.pool: Tensor | None = None
        if self.config.pool:
            draw = partial(_drawn, self.config, model.config.frames)
            drawn = spread(draw, range(self.config.pool), self.config.processes)
            self.pool = torch.stack([torch.from_numpy(frames) for frames in drawn]).to(device)
            self.classes = labels([_scene(self.config, "train", number) for number in range(self.config.pool)])

    def batch(self, step: int, rank: int, world: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Frames uint8 (B, F, H, W, 3), only those that the model looks at, and classes (B,) by attribute."""
        if self.pool is not None:
            rng = np.random.default_rng((step, rank, world, 17))
            rows = torch.from_numpy(rng.integers(0, len(self.pool), self.config.batch))
            classes = {name: value[rows] for name, value in self.classes.items()}
            return self.pool[rows.to(self.pool.device)], classes
        return self._clips("train", (step * world + rank) * self.config.batch, self.config.batch)

    def loss(
        self, model: nn.Module, batch: tuple[Tensor, dict[str, Tensor]], rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Mean cross entropy over the attributes, and the shares of right answers."""
        device = next(model.parameters()).device
        frames, classes = batch
        logits = model(self.degrade(to_float(frames.to(device)), rng))
        classes = {name: value.to(device) for name, value in classes.items()}
        parts, figures = [], dict[str, float | Tensor]()
        for name, found in logits.items():
            known = classes[name] != UNKNOWN
            if bool(known.any()):
                wrong = F.cross_entropy(found, classes[name], label_smoothing=0.02, ignore_index=UNKNOWN)
                parts.append(wrong * known.float().mean())  # every answer counts alike
                figures[name] = (found.detach().argmax(1) == classes[name])[known].float().mean()
        return torch.stack(parts).sum() / len(logits), figures

    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Shares of right answers on validation clips, clean and degraded; draws degraded clips with the answers."""
        rng = torch.Generator(self.device).manual_seed(0)
        hits: dict[str, list[Tensor]] = {
            f"{name}{kind}": [] for name in self.model.config.classes for kind in ("", "_degraded")
        }
        pictures: list[Tensor] = []
        captions: list[str] = []
        was_training = model.training
        model.eval()
        with torch.inference_mode():
            for first in range(0, self.config.check, self.config.batch):
                frames, wanted = self._clips("validation", first, min(self.config.batch, self.config.check - first))
                clean = to_float(frames)
                for kind, video in (("", clean), ("_degraded", self.degrade(clean, rng))):
                    found = {name: logits.argmax(1).cpu() for name, logits in model(video).items()}
                    for name in found:
                        known = wanted[name] != UNKNOWN
                        hits[f"{name}{kind}"].append((found[name] == wanted[name])[known])
                    if kind and first == 0:
                        pictures += list(to_uint8(video)[:, ::4].cpu())
                        names = zip(*([ATTRIBUTES[k][i] for i in found[k].tolist()] for k in SHOWN), strict=True)
                        captions += [" ".join(words) for words in names]
        model.train(was_training)
        save_sheet(pictures, folder / f"recogniser-{step:06d}.png", 2, captions)
        return {name: float(torch.cat(found).float().mean()) for name, found in hits.items()}

    def degrade(self, video: Tensor, rng: torch.Generator) -> Tensor:
        """Clips (B, 3, F, H, W) as a decoder might return them; a third of them stays as it is."""
        config, batch = self.config, video.shape[0]

        def draw(*shape: int) -> Tensor:
            return torch.rand(shape, generator=rng, device=rng.device).to(video.device)

        hit = draw(3, batch)
        lag = (draw(batch) * config.lag * (hit[0] < 0.4)).view(-1, 1, 1, 1, 1)
        before, after = video[:, :, :1], video[:, :, -1:]
        around = torch.cat((before, video[:, :, :-1]), 2) + torch.cat((video[:, :, 1:], after), 2)
        video = video * (1 - lag) + around * (lag / 2)
        softened = []
        height, width = video.shape[-2:]
        for clip, chance, amount in zip(video.unbind(0), hit[1].tolist(), draw(batch).tolist(), strict=True):
            frames = clip.transpose(0, 1)
            if chance < 0.3:
                frames = _blur(frames, 0.3 + (config.blur - 0.3) * amount)
            elif chance < 0.6:
                factor = 1 + (config.coarse - 1) * amount
                small = F.interpolate(frames, size=(round(height / factor), round(width / factor)), mode="area")
                frames = F.interpolate(small, size=(height, width), mode="bilinear", align_corners=False)
            softened.append(frames.transpose(0, 1))
        video = torch.stack(softened)
        noise = torch.randn(video.shape, generator=rng, device=rng.device).to(video.device)
        return video + noise * (draw(batch) * config.noise * (hit[2] < 0.5)).view(-1, 1, 1, 1, 1)

    def _clips(self, split: str, first: int, count: int) -> tuple[Tensor, dict[str, Tensor]]:
        """`count` clips from scene number `first` on, only the frames that the model looks at, and their classes."""
        scenes = [_scene(self.config, split, number) for number in range(first, first + count)]
        return _draw(self.config, scenes, self.model.config.frames, self.device), labels(scenes)


def _scene(config: RecogniserTaskConfig, split: str, number: int) -> Scene:
    standard = np.random.default_rng((number, 7)).random() < config.standard
    aspect = config.size[0] / config.size[1]
    difficulty = "standard" if standard else "simple"
    return draw_scene(number, split, difficulty, seconds=config.seconds, fps=config.fps, aspect=aspect)


def _draw(config: RecogniserTaskConfig, scenes: list[Scene], frames: int, device: str) -> Tensor:
    looked_at = torch.linspace(0, scenes[0].frames - 1, frames).round().long().tolist()
    return render(scenes, size=config.size, device=device, frames=looked_at)


def _drawn(config: RecogniserTaskConfig, frames: int, number: int) -> np.ndarray:
    """Clip number `number` of the pool, uint8 (F, H, W, 3), drawn by any process."""
    return _draw(config, [_scene(config, "train", number)], frames, "cpu")[0].numpy()


def _blur(frames: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (F, C, H, W) with mirrored borders."""
    radius = max(1, round(2.5 * sigma))
    taps = torch.exp(-((torch.arange(-radius, radius + 1, device=frames.device) / sigma) ** 2) / 2)
    taps = (taps / taps.sum()).to(frames.dtype)
    x = F.pad(frames.flatten(0, 1).unsqueeze(1), (radius,) * 4, mode="reflect")
    x = F.conv2d(F.conv2d(x, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))
    return x.view_as(frames)
