"""The training task of the temporal autoencoder."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mediagen.clip import to_float, to_uint8
from mediagen.config import Config
from mediagen.measure import psnr
from mediagen.nn.discriminator import PatchDiscriminator, hinge_critic, hinge_generator
from mediagen.sheets import save_sheet
from mediagen.tae import TAE, outlier_penalty
from mediagen.world.stream import Stream, open_stream, pictures_of

FPS = 16.0


@dataclass(frozen=True, kw_only=True)
class TAETaskConfig(Config):
    """What the autoencoder is trained on and by which terms.

    Every fourth batch is of single images, as in Movie Gen (images : videos = 1 : 3).  motion_weight: extra weight of
    pixels that differ from their clip's mean, without which small moving things are the last to be learnt.
    data: a folder of videos with captions to learn from in place of the world.
    """

    data: str | None = None
    difficulty: str = "simple"
    size: tuple[int, int] = (64, 64)
    frames: int = 16  # of a training clip; the autoencoder takes any length
    batch: int = 8  # clips; image batches hold `images` times as many pictures, which cost half a clip each
    images: int = 1
    motion_weight: float = 2.0
    outlier_weight: float = 0.01
    perceptual_weight: float = 0.0
    adversarial_weight: float = 0.0
    adversarial_start: int = 0  # step of the critic's and the perceptual term's start
    fit_clips: int = 256  # for the PCA that starts the linear path; 0 to keep the model as given


class TAETask:
    """Trains a TAE to rebuild clips; see `mediagen.train.loop.Task`."""

    name = "tae"

    def __init__(self, model: TAE, config: TAETaskConfig, device: str = "cpu"):
        self.config, self.device = config, device
        self.model = model.to(device)
        # Of a scene any stretch is drawn, but a film is cut to what is wanted of it: it may be shorter than a scene.
        seconds = 2.0 if config.data is None else config.frames / FPS
        self.stream, self.validation = (
            open_stream(config.data, split, config.difficulty, config.size, seconds, FPS, device=device)
            for split in ("train", "validation")
        )
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
        return to_float(pictures_of(stream.clips(step, count, rank, world, frames=frames)).to(self.device))

    def batch(self, step: int, rank: int, world: int) -> Tensor:
        """(B, 3, F, H, W) in [-1, 1]; F = 1 in every fourth step."""
        config = self.config
        if step % 4:
            return self._videos(step, config.batch, self.stream, rank, world)
        frames = [step // 4 * 7 % self.stream.frames]
        clips = self.stream.clips(step, config.batch * config.images, rank, world, frames=frames)
        return to_float(pictures_of(clips).to(self.device))

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

    def loss(self, model: nn.Module, batch: Tensor, rng: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        assert isinstance(model, TAE)
        config = self.config
        rebuilt, raw = self._rebuild(model, batch, rng)
        moving = (batch - batch.mean(2, keepdim=True)).abs().amax(1, keepdim=True)
        weight = 1 + config.motion_weight * (moving * 4).clamp_max(1)
        error = rebuilt - batch
        pixels = ((error.abs() + 2 * error.square()) * weight).mean()
        outliers = outlier_penalty(raw)
        total = pixels + config.outlier_weight * outliers
        if config.adversarial_weight > 0:
            score = hinge_generator(self.critic, rebuilt)
            total = total + config.adversarial_weight * score
        figures: dict[str, float | Tensor] = {
            "pixels": pixels.detach(),
            "psnr": -10 * (error.detach().square().mean() / 4).log10(),
            "outliers": outliers.detach(),
        }
        return total, figures

    def critic_loss(self, critic: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        with torch.no_grad():
            rebuilt, _ = self._rebuild(self.model.eval(), batch, rng)
            self.model.train()
        return hinge_critic(critic, batch, rebuilt)

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Held-out clips above their reconstructions."""
        assert isinstance(model, TAE)
        videos = to_float(pictures_of(self.validation.clips(0, 16)).to(self.device))
        rebuilt = model.decode(model.encode(videos), videos.shape[2])
        rows = [row[::4] for pair in zip(videos[:6], rebuilt[:6], strict=True) for row in to_uint8(torch.stack(pair))]
        save_sheet(rows, folder / f"tae-{step:06d}.png")
        return {"validation_psnr": float(psnr(to_uint8(videos), to_uint8(rebuilt)).mean())}
