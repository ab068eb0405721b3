"""The training task of the temporal autoencoder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.data.batch import pictures_of
from mediagen.data.stream import Stream, open_stream
from mediagen.data.survey import Needs
from mediagen.judge.measures import psnr
from mediagen.media.clip import to_float, to_uint8
from mediagen.media.sheets import save_sheet
from mediagen.nn.discriminator import PatchDiscriminator, hinge_critic, hinge_generator
from mediagen.tae import TAE, outlier_penalty
from mediagen.text.aligned import AlignedEncoder

FPS = 16.0


@dataclass(frozen=True, kw_only=True)
class TAETaskConfig(Config):
    """What the autoencoder is trained on and by which terms.

    Every fourth batch is of single images, as in Movie Gen (images : videos = 1 : 3).  motion_weight: extra weight of
    pixels that differ from their clip's mean, without which small moving things are the last to be learnt.
    data: a folder of videos with captions to learn from in place of the world.  pool: clips that are drawn once and
    kept on the device (3 bytes a pixel); 0 draws new ones at every step.
    """

    data: str | None = None
    difficulty: str = "simple"
    size: tuple[int, int] = (64, 64)
    frames: int = 16  # of a training clip; the autoencoder takes any length
    batch: int = 8  # clips; image batches hold `images` times as many pictures, which cost half a clip each
    images: int = 1
    pool: int = 0
    crop: int = 0  # side of the square that clips are cut to, at random places; 0 for whole ones
    whole: int = 4  # every which batch of clips, and all of pictures, are whole nonetheless, with fewer of them
    motion_weight: float = 2.0
    outlier_weight: float = 0.01
    perceptual_weight: float = 0.0  # of the distance in the patch states of an aligned encoder
    adversarial_weight: float = 0.0
    critic_start: int = 0  # step at which these two terms start
    skip_unusable: bool = False  # films of the folder that cannot be used are left out
    fit_clips: int = 256  # for the PCA that starts the linear path; 0 to keep the model as given

    def __post_init__(self) -> None:
        if 0 < self.fit_clips < self.batch:
            raise ValueError(
                f"got fit_clips={self.fit_clips} and batch={self.batch}, expected 0 or at least the batch; raise it."
            )

    @property
    def needs(self) -> Needs:
        """What is read of a film."""
        return Needs(captions=False, seconds=self.frames / FPS)


@dataclass(frozen=True)
class TAEBatch:
    """video (B, 3, F, H, W) in [-1, 1], and the number of its step."""

    video: Tensor
    step: int


class TAETask:
    """Trains a TAE to rebuild clips; see `mediagen.train.task.Task`."""

    name = "tae"

    def __init__(
        self, model: TAE, config: TAETaskConfig, device: str = "cpu", eyes: AlignedEncoder | None = None
    ) -> None:
        """eyes: whose patch states the perceptual term compares; needed where its weight is above 0."""
        if (eyes is None) != (config.perceptual_weight == 0):
            raise ValueError(
                "got a perceptual_weight without an aligned encoder, or the reverse; give both or neither."
            )
        self.config, self.device = config, device
        self.model = model.to(device)
        # Of a scene any stretch is drawn, but a film is cut to what is wanted of it: it may be shorter than a scene.
        seconds = 2.0 if config.data is None else config.frames / FPS
        self.stream, self.validation = (
            open_stream(
                config.data,
                split,
                config.difficulty,
                config.size,
                seconds,
                FPS,
                device=device,
                needs=config.needs,
                skip_unusable=config.skip_unusable,
            )
            for split in ("train", "validation")
        )
        if config.frames > self.stream.frames:
            raise ValueError(f"got frames={config.frames}, expected at most {self.stream.frames}, a clip's; lower it.")
        chunks = (range(first, min(first + 64, config.pool)) for first in range(0, config.pool, 64))
        self.pool = [pictures_of(self.stream.clips_at(chunk)).to(device) for chunk in chunks]
        self.eyes = eyes.to(device).eval().requires_grad_(False) if eyes is not None else None
        if config.adversarial_weight > 0:
            self.critic = PatchDiscriminator().to(device)
        if config.fit_clips and model.config.skip:
            parts = [
                self._videos(10**9 + i, config.batch, self.stream) for i in range(config.fit_clips // config.batch)
            ]
            model.fit_linear(torch.cat(parts))

    def _videos(self, step: int, count: int, stream: Stream, rank: int = 0, world: int = 1) -> Tensor:
        rng = torch.Generator().manual_seed(step)
        start = int(torch.randint(0, stream.frames - self.config.frames + 1, (), generator=rng))
        frames = list(range(start, start + self.config.frames))
        if self.pool and stream is self.stream:
            return to_float(self._from_pool(step, count, rank, world)[:, frames])
        return to_float(pictures_of(stream.clips(step, count, rank, world, frames=frames)).to(self.device))

    def _from_pool(self, step: int, count: int, rank: int, world: int) -> Tensor:
        rng = torch.Generator().manual_seed(step * world + rank)
        rows = torch.randint(self.config.pool, (count,), generator=rng).tolist()
        return torch.stack([self.pool[row // 64][row % 64] for row in rows])

    def batch(self, step: int, rank: int, world: int) -> TAEBatch:
        """Clips; in every fourth step single pictures."""
        config = self.config
        if step % 4:
            if not config.crop or step % config.whole == 1:
                share = (config.crop**2 / (config.size[0] * config.size[1])) if config.crop else 1
                return TAEBatch(self._videos(step, max(1, round(config.batch * share)), self.stream, rank, world), step)
            videos = self._videos(step, config.batch, self.stream, rank, world)
            return TAEBatch(crops(videos, config.crop, np.random.default_rng((step, rank, 5))), step)
        frames = [step // 4 * 7 % self.stream.frames]
        count = config.batch * config.images
        if self.pool:
            return TAEBatch(to_float(self._from_pool(step, count, rank, world)[:, frames]), step)
        clips = self.stream.clips(step, count, rank, world, frames=frames)
        return TAEBatch(to_float(pictures_of(clips).to(self.device)), step)

    def _rebuild(self, model: TAE, video: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """The rebuilt video and the raw latent; updates the statistics that normalise latents."""
        raw = model.encode_raw(video).float()
        if model.training and video.shape[2] > 1:
            with torch.no_grad():
                std, mean = torch.std_mean(raw.detach(), dim=(0, 2, 3, 4))
                model.latent_mean.lerp_(mean, 0.02)
                model.latent_std.lerp_(std, 0.02)
        level = model.config.noise * torch.rand(len(raw), 1, 1, 1, 1, generator=rng, device=raw.device)
        noise = torch.randn(raw.shape, generator=rng, device=raw.device) * model.latent_std.view(1, -1, 1, 1, 1)
        return model.decode_raw(raw + level * noise)[:, :, : video.shape[2]].float(), raw

    def loss(self, model: nn.Module, batch: TAEBatch, rng: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        assert isinstance(model, TAE)
        config, video = self.config, batch.video
        rebuilt, raw = self._rebuild(model, video, rng)
        moving = (video - video.mean(2, keepdim=True)).abs().amax(1, keepdim=True)
        weight = 1 + config.motion_weight * (moving * 4).clamp_max(1)
        error = rebuilt - video
        pixels = ((error.abs() + 2 * error.square()) * weight).mean()
        outliers = outlier_penalty(raw)
        total = pixels + config.outlier_weight * outliers
        figures: dict[str, float | Tensor] = {
            "pixels": pixels.detach(),
            "psnr": -10 * (error.detach().square().mean() / 4).log10(),
            "outliers": outliers.detach(),
        }
        if self.eyes is not None and batch.step >= config.critic_start:
            seen = self._seen_apart(self.eyes, rebuilt, video)
            total, figures["perceptual"] = total + config.perceptual_weight * seen, seen.detach()
        if self._judged(batch):
            score = hinge_generator(self.critic, rebuilt)
            total, figures["score"] = total + config.adversarial_weight * score, score.detach()
        return total, figures

    @staticmethod
    def _seen_apart(eyes: AlignedEncoder, rebuilt: Tensor, video: Tensor) -> Tensor:
        """Squared distance of the patch states of every fourth frame."""
        a, b = (
            eyes.look(eyes.standardise(clips[:, :, ::4].transpose(1, 2).flatten(0, 1)))[1] for clips in (rebuilt, video)
        )
        return (a - b).square().mean()

    def _judged(self, batch: TAEBatch) -> bool:
        return self.config.adversarial_weight > 0 and batch.step >= self.config.critic_start

    def critic_loss(self, critic: nn.Module, batch: TAEBatch, rng: torch.Generator) -> Tensor:
        if not self._judged(batch):
            return sum((p.sum() * 0 for p in critic.parameters()), torch.zeros((), device=self.device))
        with torch.no_grad():
            rebuilt, _ = self._rebuild(self.model.eval(), batch.video, rng)
            self.model.train()
        return hinge_critic(critic, batch.video, rebuilt)

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Held-out clips above their reconstructions."""
        assert isinstance(model, TAE)
        videos = to_float(pictures_of(self.validation.clips(0, 16)).to(self.device))
        rebuilt = model.decode(model.encode(videos), videos.shape[2])
        rows = [row[::4] for pair in zip(videos[:6], rebuilt[:6], strict=True) for row in to_uint8(torch.stack(pair))]
        save_sheet(rows, folder / f"tae-{step:06d}.png", 1, ["true", "rebuilt"] * (len(rows) // 2))
        return {"validation_psnr": float(psnr(to_uint8(videos), to_uint8(rebuilt)).mean())}


def crops(videos: Tensor, side: int, rng: np.random.Generator) -> Tensor:
    """Of each video (B, C, F, H, W) a square of `side`: of three random ones that in which most moves."""
    cut = []
    for video in videos:
        tops = rng.integers(0, video.shape[2] - side + 1, 3)
        lefts = rng.integers(0, video.shape[3] - side + 1, 3)
        windows = [video[:, :, y : y + side, x : x + side] for y, x in zip(tops, lefts, strict=True)]
        cut.append(max(windows, key=lambda window: float((window[:, 1:] - window[:, :-1]).abs().mean())))
    return torch.stack(cut)
