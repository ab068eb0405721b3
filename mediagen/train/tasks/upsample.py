"""The training task of the upsampler: true frames out of what a bad film, the autoencoder or the generator made."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.data.cache import build_cache, mark
from mediagen.data.degrade import second_order
from mediagen.data.folder import FolderStream
from mediagen.data.needs import Needs
from mediagen.data.stream import Stream, open_stream
from mediagen.flow import draw_t, flow_loss, interpolate, noise_like
from mediagen.guidance import cfg
from mediagen.judge.measures import psnr
from mediagen.media.clip import to_float, to_uint8
from mediagen.media.sheets import save_sheet
from mediagen.nn.denoiser import Conditions
from mediagen.sampling import euler
from mediagen.tae import TAE
from mediagen.text.text import TextEncoder, with_fps
from mediagen.train.task import multiplies_bf16_fast
from mediagen.upsample import (
    FACTOR,
    UpsampleModel,
    UpsampleModels,
    UpsampleWay,
    decode_large,
    difference,
    enlarged,
    upscale_latents,
)
from mediagen.video import VideoModel

_WINDOW = 32  # frames of a clip that the autoencoder and the generator see, of which some are learnt from
_LIFTED = 6  # steps in which the generator makes a clip again that was noised part of the way


@dataclass(frozen=True, kw_only=True)
class UpsampleTaskConfig(Config):
    """What the upsampler is trained on.

    degraded, rebuilt, made: how often the small film is a bad one (second order), what the autoencoder returns, and
    what the generator makes of it from part of the way, in parts of their sum; half the first (Movie Gen, section
    3.1.5).  data: a folder of films in place of the world.  sizes: of the true pictures, (width, height), drawn alike;
    of the larger ones squares of `side` pixels are cut.  standard: share of scenes of that difficulty.  single: share
    of batches of frames alone, `frames` times as many.  past: share of windows whose first `overlap` frames are known.
    """

    data: str | None = None
    sizes: tuple[tuple[int, int], ...] = ((128, 128), (256, 256))
    side: int = 128
    fps: float = 16.0
    frames: int = 14
    overlap: int = 4
    standard: float = 0.5
    clips: int = 1_024
    first: int = 0
    batch: int = 4
    degraded: float = 2.0
    rebuilt: float = 1.0
    made: float = 1.0
    single: float = 0.7
    past: float = 0.2
    t_mean: float = 0.0
    t_std: float = 1.2
    skip_unusable: bool = False

    def __post_init__(self) -> None:
        shares = (self.degraded, self.rebuilt, self.made)
        if min(shares) < 0 or not sum(shares):
            raise ValueError(f"got shares of {shares}, expected none below 0 and one above; raise one.")
        if not 0 < self.overlap < self.frames <= _WINDOW:
            raise ValueError(
                f"got frames={self.frames} and overlap={self.overlap}, expected 0 < overlap < frames <= {_WINDOW}."
            )
        if any(side < self.side for size in self.sizes for side in size):
            raise ValueError(f"got sizes {self.sizes} and side={self.side}, expected none smaller; lower the side.")

    @property
    def needs(self) -> Needs:
        """What is read of a film."""
        return Needs(captions=self.made > 0, seconds=_WINDOW / self.fps)


@dataclass(frozen=True)
class Damage:
    """What makes small films bad: the autoencoder of films and, where it is there, what generates them.

    size: (width, height) that the generator knows.
    """

    tae: TAE
    text: TextEncoder | None = None
    video: VideoModel | None = None
    size: tuple[int, int] = (0, 0)

    @torch.no_grad()
    def rebuilt(self, small: Tensor) -> Tensor:
        """uint8 (F, h, w, 3) after the autoencoder."""
        return self._decoded(self.tae.encode(to_float(small[None])), len(small))

    @torch.no_grad()
    def made(self, small: Tensor, caption: str, fps: float, t: float, rng: torch.Generator) -> Tensor:
        """uint8 (F, h, w, 3) of the generator, from `t` of the way on (SDEdit, arXiv 2108.01073): the same film, drawn
        as the generator draws. Where it does not know such a film, `rebuilt`."""
        if self.video is None or self.text is None or (small.shape[2], small.shape[1]) != self.size:
            return self.rebuilt(small)
        latent = self.tae.encode(to_float(small[None])).float()
        times = [t + (1 - t) * step / _LIFTED for step in range(_LIFTED + 1)]
        x = interpolate(latent, noise_like(latent, rng), torch.tensor([t], device=latent.device))
        shape = (latent.shape[2], latent.shape[3], latent.shape[4])
        told = Conditions(text=self.text.encode([with_fps(caption, fps), ""]))
        prepared = self.video.prepare(told, shape, times)
        return self._decoded(euler(cfg(self.video, prepared, 3.0), x, times), len(small))

    def _decoded(self, latent: Tensor, frames: int) -> Tensor:
        return to_uint8(self.tae.decode(latent, frames).float())[0]


@dataclass(frozen=True)
class UpsampleBatch:
    """latent: the `difference`; beside, known: (B, C, F, h, w); clean (B, 1, F, h, w)."""

    latent: Tensor
    beside: Tensor
    known: Tensor
    clean: Tensor


class UpsampleTask:
    """Trains an UpsampleModel by flow matching on latents of frames; see `mediagen.train.task.Task`.

    tae: of single frames.
    """

    name = "upsample"

    def __init__(
        self,
        model: UpsampleModel,
        tae: TAE,
        damage: Damage,
        config: UpsampleTaskConfig,
        cache: Path,
        device: str = "cpu",
    ) -> None:
        self.config, self.device, self.damage = config, device, damage
        wants, given = (model.config.latent_channels, model.config.beside_channels), tae.config.latent_channels
        if wants != (given, given) or tae.config.time:
            raise ValueError(
                f"got a model of {wants[0]} latent channels with {wants[1]} beside and an autoencoder of {given} "
                f"{'of films' if tae.config.time else 'of frames'}, expected equal numbers and one of frames."
            )
        self.model, self.tae = model.to(device), tae.to(device).eval()
        self.streams = [self._open("train", size, kind) for size in config.sizes for kind in ("simple", "standard")]
        about = {name: getattr(config, name) for name in ("sizes", "side", "fps", "standard", "first", "frames")}
        about |= {"shares": [config.degraded, config.rebuilt, config.made], "tae": mark(self.tae)}
        about |= {"damage": [mark(damage.tae), mark(damage.video)]}
        if isinstance(self.streams[0], FolderStream):
            about["data"] = self.streams[0].mark
        self.pool = build_cache(cache, config.clips, self.encode_clips, about=about, device=device, shard=64)

    def _open(self, split: str, size: tuple[int, int], difficulty: str) -> Stream:
        config = self.config
        return open_stream(config.data, split, difficulty, size, _WINDOW / config.fps, config.fps, device=self.device,
                           needs=config.needs, skip_unusable=config.skip_unusable)  # fmt: skip

    def pair(self, number: int, split: str = "train") -> tuple[Tensor, Tensor]:
        """A small film, uint8 (F, h, w, 3), and the true one at twice the size; a pure function of the number."""
        config = self.config
        rng = np.random.default_rng((number, 211))
        size = int(rng.integers(len(config.sizes)))
        standard = int(rng.random() < config.standard)
        streams = self.streams if split == "train" else [
            self._open(split, side, kind) for side in config.sizes for kind in ("simple", "standard")
        ]  # fmt: skip
        clip = streams[2 * size + standard].clips_at([number])[0]
        assert clip.frames is not None
        true = clip.frames
        shares = np.array([config.degraded, config.rebuilt, config.made])
        kind = int(rng.choice(3, p=shares / shares.sum()))
        dice = torch.Generator(self.device).manual_seed(number)
        height, width = true.shape[1] // FACTOR, true.shape[2] // FACTOR
        pictures = true.to(self.device).permute(0, 3, 1, 2).float() / 255
        start = int(rng.integers(len(true) - config.frames + 1))
        shown = slice(start, start + config.frames)
        if kind == 0:
            with torch.autocast(torch.device(self.device).type, enabled=False):  # resizing knows no half precision
                small = second_order(pictures[shown], (height, width), dice)
        else:
            small = F.interpolate(pictures, (height, width), mode="area")
        seen = (small * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        with _quickly(self.device):
            if kind == 1:
                seen = self.damage.rebuilt(seen)[shown]
            elif kind == 2:
                t = float(rng.uniform(0.4, 0.9))
                seen = self.damage.made(seen, clip.caption, config.fps, t, dice)[shown]
        top, left = (FACTOR * int(rng.integers((side - config.side) // FACTOR + 1)) for side in true.shape[1:3])
        true = true[shown, top : top + config.side, left : left + config.side]
        seen = seen[:, top // FACTOR :, left // FACTOR :][:, : config.side // FACTOR, : config.side // FACTOR]
        return seen.cpu(), true.cpu()

    @torch.no_grad()
    def encode_clips(self, numbers: range) -> tuple[dict[str, Tensor], list[str]]:
        """Latents of pairs: of the true frames, and of those beside."""
        made: dict[str, list[Tensor]] = {"latent": [], "beside": []}
        for number in numbers:
            seen, true = self.pair(self.config.first + number)
            for name, video in (("latent", to_float(true[None])), ("beside", enlarged(seen))):
                with _quickly(self.device):
                    made[name].append(self.tae.encode(video.to(self.device)).half().cpu())
        return {name: torch.cat(parts) for name, parts in made.items()}, [""] * len(numbers)

    def batch(self, step: int, rank: int, world: int) -> UpsampleBatch:
        """Windows, or as many frames alone."""
        config = self.config
        rng = np.random.default_rng((step, rank, world, 103))
        single = rng.random() < config.single
        count = config.batch * (config.frames if single else 1)
        rows = torch.from_numpy(rng.integers(0, len(self.pool), count))
        latent, beside = (self.pool.tensors[name][rows] for name in ("latent", "beside"))
        if single:
            chosen = torch.from_numpy(rng.integers(0, config.frames, count))[:, None, None, None, None]
            chosen = chosen.expand(-1, latent.shape[1], 1, *latent.shape[3:])
            latent, beside = latent.gather(2, chosen), beside.gather(2, chosen)
        beside = beside.float().to(self.device)
        latent = difference(latent.float().to(self.device), beside)
        known, clean = torch.zeros_like(latent), torch.zeros_like(latent[:, :1])
        if not single:
            past = torch.from_numpy(rng.random(count) < config.past)
            known[past, :, : config.overlap] = latent[past, :, : config.overlap]
            clean[past, :, : config.overlap] = 1.0
        return UpsampleBatch(latent, beside, known, clean)

    def loss(
        self, model: UpsampleModel, batch: UpsampleBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Mean squared error of the velocity."""
        latent = batch.latent
        t = draw_t(len(latent), rng, self.config.t_mean, self.config.t_std)
        told = Conditions(known=batch.known, clean=batch.clean, beside=batch.beside)
        prepared = model.ready(told, (latent.shape[2], latent.shape[3], latent.shape[4]))
        losses = flow_loss(lambda x, t: model(x, t, prepared), latent, t, noise_like(latent, rng))
        return losses.mean(), {}

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Validation films as they are given, by bicubic interpolation, upsampled, and true; PSNR of the two."""
        assert isinstance(model, UpsampleModel)
        rows, titles, figures = [], list[str](), dict[str, list[float]]()
        models = UpsampleModels(model.eval(), self.tae)
        for number in range(8):
            seen, true = self.pair(number, "validation")
            rng = torch.Generator(self.device).manual_seed(number)
            latents = upscale_latents(models, [seen], rng=rng, way=UpsampleWay(window=self.config.frames))
            made = torch.cat(list(decode_large(self.tae, latents, (true.shape[2], true.shape[1]))))
            plain = bicubic(seen)
            for name, frames in (("psnr", made), ("bicubic_psnr", plain)):
                figures.setdefault(name, []).append(float(psnr(true[None], frames[None]).mean()))
            middle = len(true) // 2
            rows.append(torch.stack([plain[middle], made[middle], true[middle]]))
            titles.append("bicubic, made, true")
        save_sheet(rows, folder / f"upsample-{step:06d}.png", 1, titles)
        return {name: float(np.mean(values)) for name, values in figures.items()}


def _quickly(device: str) -> torch.autocast:
    """Half precision where that is faster, for what is frozen."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=multiplies_bf16_fast(torch.device(device)))


def bicubic(frames: Tensor) -> Tensor:
    """uint8 (F, h, w, 3) at twice the size, as is usual without a model."""
    wide = F.interpolate(frames.permute(0, 3, 1, 2).float(), scale_factor=FACTOR, mode="bicubic")
    return wide.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
