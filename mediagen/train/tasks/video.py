"""The training task of the video model: latents encoded once, the world's captions written anew at every step."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mediagen.config import Config
from mediagen.data.batch import pictures_of
from mediagen.data.cache import build_cache, still_to_come
from mediagen.data.captions import EncodedCaptions
from mediagen.data.folder import FolderStream
from mediagen.data.needs import Needs
from mediagen.data.stream import Stream, open_stream
from mediagen.data.world import WorldStream
from mediagen.flow import draw_t, flow_loss, noise_like
from mediagen.generate import STILL, VideoModels, decode_frames
from mediagen.generator import FlowGenerator
from mediagen.media.clip import to_float
from mediagen.media.sheets import save_sheet
from mediagen.nn.denoiser import Conditions
from mediagen.parallel.spread import spread
from mediagen.tae import TAE
from mediagen.text.text import Text, TextEncoder, with_fps
from mediagen.train.task import multiplies_bf16_fast
from mediagen.video import VideoModel
from mediagen.world.words import caption


@dataclass(frozen=True, kw_only=True)
class VideoTaskConfig(Config):
    """What the video model is trained on, and how t is drawn.

    images: share of batches of single pictures (1.0 is the report's first stage, images alone; then 1 : 10).  drop:
    share of captions dropped for classifier-free guidance.  still, past: shares of clips that are given their first
    picture, or their first latent frames.  turning: share of the world's clips in which something else is done from a
    moment on; these are always given what came before it, and told what comes.  t_mean, t_std: of the logit-normal (0
    and 1 in the report; below 0 trains more on noise, where small models learn the layout).  data: a folder of videos
    with captions to learn from in place of the world; `clips` is then how many windows of them are encoded.  first:
    number of the first clip, so that a run that goes on from another's weights sees new ones.  captions_per_clip: how
    many are written and encoded once; 0 writes them anew at every step.  processes: that draw the world's clips and
    write such captions; with fewer than two this process does, on its device.
    """

    data: str | None = None
    difficulty: str = "simple"
    size: tuple[int, int] = (64, 64)
    seconds: float = 2.0
    fps: float = 16.0
    clips: int = 12_000  # encoded once, before training
    first: int = 0
    captions_per_clip: int = 0
    processes: int = 0
    batch: int = 32
    images: float = 0.1
    drop: float = 0.1
    still: float = 0.1
    past: float = 0.1
    turning: float = 0.0
    t_mean: float = -0.5
    t_std: float = 1.2
    guidance: float = 3.0  # of previews
    skip_unusable: bool = False  # films of the folder that cannot be used are left out

    @property
    def needs(self) -> Needs:
        """What is read of a film."""
        return Needs(seconds=self.seconds)


_CHUNK = 64  # clips that are drawn and encoded at a time


@dataclass(frozen=True)
class VideoBatch:
    """latent (B, C, L, h, w), what of it is known (or None), where, and the captions' text."""

    latent: Tensor
    known: Tensor
    clean: Tensor
    text: Text


class VideoTask:
    """Trains a VideoModel by flow matching on the latents of clips; see `mediagen.train.task.Task`."""

    name = "video"

    def __init__(
        self, model: VideoModel, tae: TAE, text: TextEncoder, config: VideoTaskConfig, cache: Path, device: str = "cpu"
    ):
        self.config, self.device = config, device
        wants = (model.config.text_widths, model.config.latent_channels)
        if wants != (text.widths, tae.config.latent_channels):  # seen now, not when thousands of clips are encoded
            raise ValueError(
                f"got text of widths {text.widths} and {tae.config.latent_channels} latent channels, expected "
                f"{wants[0]} and {wants[1]}; set text_widths and latent_channels of the model, or give other models."
            )
        self.model, self.tae, self.text = model.to(device), tae.to(device).eval(), text.to(device).eval()
        about = {
            "difficulty": config.difficulty,
            "size": config.size,
            "seconds": config.seconds,
            "fps": config.fps,
            "tae": float(sum(p.detach().double().abs().sum() for p in self.tae.parameters())),
        }
        self.stream, self._drawn = self._open("train"), None
        if isinstance(self.stream, FolderStream):
            about["data"] = self.stream.mark
        about |= {"first": config.first} if config.first else {}
        about |= {"turning": config.turning} if config.turning else {}
        pool = build_cache(cache, config.clips, self.encode_clips, about=about, device=device)
        self.latents, self.stills = (pool.tensors[name].to(device) for name in ("latent", "still"))
        self.before = pool.tensors["before"]
        self.captions = pool.captions
        tell = partial(clip_captions, config, self.captions)
        once = config.captions_per_clip > 0
        self.told = EncodedCaptions(self.text, tell, config.clips, config.processes) if once else None

    def _open(self, split: str) -> Stream:
        config = self.config
        return open_stream(
            config.data,
            split,
            config.difficulty,
            config.size,
            config.seconds,
            config.fps,
            device=self.device,
            turning=config.turning,
            needs=config.needs,
            skip_unusable=config.skip_unusable,
        )

    @torch.no_grad()
    def encode_clips(self, indices: range) -> tuple[dict[str, Tensor], list[str]]:
        """Latents of some clips and of their first frames alone, how many latent frames come before what the caption
        tells, and the captions of a folder's.

        Those of the world are "": they are written later, anew at every step.
        """
        config = self.config
        latents, stills, captions = [], [], []
        if self._drawn is None and config.data is None and config.processes > 1:  # made ahead by other processes
            self._drawn = spread(partial(_draw, config), still_to_come(indices, config.clips), config.processes)
        for start in range(0, len(indices), _CHUNK):
            chunk = indices[start : start + _CHUNK]
            if self._drawn is None:
                clips = self.stream.clips_at([config.first + index for index in chunk])
                pictures = pictures_of(clips)
                captions += ["" if config.data is None else clip.caption for clip in clips]
            else:
                pictures = torch.stack([torch.from_numpy(next(self._drawn)) for _ in chunk])
                captions += [""] * len(chunk)
            videos = to_float(pictures.to(self.device))
            with torch.autocast(videos.device.type, torch.bfloat16, enabled=multiplies_bf16_fast(videos.device)):
                latents.append(self.tae.encode(videos).half().cpu())
                single = videos.shape[2] == 1  # a clip that is a picture is its own still
                stills.append(latents[-1] if single else self.tae.encode(videos[:, :, :1]).half().cpu())
        before = torch.tensor([self._before(config.first + index) for index in indices])
        return {"latent": torch.cat(latents), "still": torch.cat(stills), "before": before}, captions

    def _before(self, number: int) -> int:
        """Latent frames of clip `number` before something else is done; 0 where one thing is done all the time."""
        if isinstance(self.stream, FolderStream):
            return 0
        turns = self.stream.scene(number).subject.turns
        return round(turns[-1].time * self.config.fps / self.tae.stride[0]) if turns else 0

    def batch(self, step: int, rank: int, world: int) -> VideoBatch:
        config = self.config
        rng = np.random.default_rng((step, rank, world, 11))
        rows = rng.integers(0, len(self.latents), config.batch)
        text = self._write(rows, rng) if self.told is None else self.told.draw(rows, rng, config.drop)
        chosen = torch.from_numpy(rows).to(self.device)
        still = self.stills[chosen].float()
        if rng.random() < config.images:  # a picture stands still for as long as one token lasts
            still = still.repeat_interleave(self.model.config.patch[0], dim=2)
            return VideoBatch(still, torch.zeros_like(still), torch.zeros_like(still[:, :1]), text)
        latent = self.latents[chosen].float()
        known, clean = torch.zeros_like(latent), torch.zeros_like(latent[:, :1])
        before = self.before[rows].tolist()
        for i, given in enumerate(rng.random(config.batch)):
            if before[i]:
                known[i, :, : before[i]], clean[i, :, : before[i]] = latent[i, :, : before[i]], 1.0
            elif given < config.still:
                known[i, :, :1], clean[i, :, :1] = still[i], STILL
            elif given < config.still + config.past and latent.shape[2] > 1:
                count = int(rng.integers(1, latent.shape[2]))
                known[i, :, :count], clean[i, :, :count] = latent[i, :, :count], 1.0
        return VideoBatch(latent, known, clean, text)

    def _write(self, rows: np.ndarray, rng: np.random.Generator) -> Text:
        config = self.config
        told = ("" if rng.random() < config.drop else _tell(config, self.captions[row], row, rng) for row in rows)
        return self.text.encode(list(told))

    def _held_out_captions(self, count: int) -> list[str]:
        held_out = self._open("validation")
        if isinstance(held_out, FolderStream):
            return held_out.captions[:count]
        return [caption(held_out.scene(i).ending, np.random.default_rng(i)) for i in range(count)]

    def loss(
        self, model: nn.Module, batch: VideoBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        assert isinstance(model, VideoModel)
        latent = batch.latent
        t = draw_t(len(latent), rng, self.config.t_mean, self.config.t_std)
        shape = (latent.shape[2], latent.shape[3], latent.shape[4])
        prepared = model.prepare(Conditions(text=batch.text, known=batch.known, clean=batch.clean), shape)
        losses = flow_loss(lambda x, t: model(x, t, prepared), latent, t, noise_like(latent, rng))
        noisy = t < 0.3
        figures: dict[str, float | Tensor] = {
            "noisy_share": noisy.float().mean(),
            "noisy_loss": (losses.detach() * noisy).sum() / noisy.sum().clamp_min(1),
        }
        return losses.mean(), figures

    @torch.no_grad()
    def preview(self, model: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Clips from captions of validation clips, one row each."""
        assert isinstance(model, VideoModel)
        config = self.config
        models = VideoModels(FlowGenerator(self.text, model), self.tae)
        captions = self._held_out_captions(12)
        seconds = config.seconds if config.images < 1 else 1 / config.fps
        grid = models.grid(seconds, config.size, config.fps)
        rng = torch.Generator(self.device).manual_seed(0)
        latent = models.generator.latents(captions, grid, rng=rng, steps=24, scale=config.guidance)
        frames = decode_frames(models, latent, grid.frames)
        save_sheet(list(frames[:, :: max(1, grid.frames // 8)]), folder / f"video-{step:06d}.png", 1, captions)
        return {}


def _draw(config: VideoTaskConfig, index: int) -> np.ndarray:
    """The pictures of clip number `index` of the pool, uint8 (F, H, W, 3), drawn by any process."""
    frames = _stream(config).clips_at([config.first + index])[0].frames
    assert frames is not None
    return frames.numpy()


def clip_captions(config: VideoTaskConfig, captions: list[str], index: int) -> list[str]:
    """The `captions_per_clip` of clip number `index` of a pool."""
    rng = np.random.default_rng((config.first + index, 29))
    return [_tell(config, captions[index], index, rng) for _ in range(config.captions_per_clip)]


def _tell(config: VideoTaskConfig, caption_of: str, index: int, rng: np.random.Generator) -> str:
    """A caption of clip number `index` of the pool: its own, or one of the world's, written anew."""
    told = caption_of or caption(_stream(config).scene(config.first + int(index)).ending, rng)
    return with_fps(told, config.fps)


def _stream(config: VideoTaskConfig, split: str = "train") -> WorldStream:
    """The world's clips, whose captions are written anew; by this alone, so that other processes can."""
    return WorldStream(split, config.difficulty, config.size, config.seconds, config.fps, turning=config.turning)
