"""The Task that aligns words with pictures: each caption finds its frame in the batch, each frame its caption."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mediagen.config import Config
from mediagen.data.folder import FolderStream
from mediagen.data.stream import open_stream
from mediagen.data.survey import Needs
from mediagen.media.clip import to_float
from mediagen.text.aligned import AlignedEncoder
from mediagen.text.text import with_fps
from mediagen.text.tokenizer import tokenize
from mediagen.world.draw import render
from mediagen.world.scene import SPLITS, draw_scene
from mediagen.world.words import caption

_GROUPS = 4  # instants in a batch; a frame index is shared by a group, which makes drawing cheap


@dataclass(frozen=True, kw_only=True)
class AlignedTaskConfig(Config):
    """What an aligned encoder is trained on.

    batch: frames and captions a step.  standard: share of difficulty "standard".  seconds, fps: of the clips
    that the frames are from.  noise: largest standard deviation of noise on the pictures.  check: pairs of a preview.
    data: a folder of videos with captions, of which `pool` pictures are kept and a share `own` of each batch is drawn;
    the rest is the world's.  skip_unusable: leaves out films that cannot be used.
    """

    batch: int = 64
    standard: float = 0.4
    seconds: float = 2.0
    fps: float = 16.0
    noise: float = 0.1
    check: int = 64
    data: str | None = None
    own: float = 0.5
    pool: int = 1024
    skip_unusable: bool = False

    @property
    def needs(self) -> Needs:
        """What is read of a film."""
        return Needs()


@dataclass(frozen=True)
class AlignedBatch:
    """frames uint8 (B, 1, H, W, 3), and the captions' ids (B, M) and mask (B, M)."""

    frames: Tensor
    ids: Tensor
    mask: Tensor


class AlignedTask:
    """Trains an aligned encoder by CLIP's symmetric contrast (Radford et al. 2021, section 2.3)."""

    name = "aligned"

    def __init__(self, model: AlignedEncoder, config: AlignedTaskConfig | None = None) -> None:
        self.model = model
        self.config = config or AlignedTaskConfig()
        self.pool = self._films("train", self.config.pool)

    def batch(self, step: int, rank: int, world: int) -> AlignedBatch:
        """Frames at random instants of training clips, with one caption each; those of films of one's own come last."""
        config = self.config
        own = round(config.batch * config.own) if self.pool else 0
        first = (step * world + rank) * config.batch
        frames, captions = self._pairs("train", first, config.batch - own)
        rows = np.random.default_rng((step, rank, 41)).integers(0, max(1, len(self.pool)), own)
        chosen = [self.pool[row] for row in rows]
        return self._told([*frames, *(frame for frame, _ in chosen)], [*captions, *(words for _, words in chosen)])

    def loss(
        self, model: AlignedEncoder, batch: AlignedBatch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Cross entropy of finding the caption of each frame and the frame of each caption, and the share found."""
        device = next(model.parameters()).device
        video = to_float(batch.frames.to(device))
        noise = torch.randn(video.shape, generator=rng, device=rng.device).to(device)
        amount = torch.rand((len(video), 1, 1, 1, 1), generator=rng, device=rng.device).to(device)
        pictures = model.standardise((video + self.config.noise * amount * noise).squeeze(2))
        alike = model.scale() * model.see(pictures) @ model.read(batch.ids.to(device), batch.mask.to(device)).T
        own = torch.arange(len(alike), device=device)
        found = (alike.detach().argmax(1) == own).float().mean()
        return (F.cross_entropy(alike, own) + F.cross_entropy(alike.T, own)) / 2, {"found": found}

    @torch.no_grad()
    def preview(self, model: AlignedEncoder, folder: Path, step: int) -> dict[str, float]:
        """Share of validation frames whose caption is found among `check` of them, and of captions whose frame is.

        With films of one's own, among those that are held out, as many as there are.
        """
        held_out = self._films("validation", self.config.check)
        pairs = ([frame for frame, _ in held_out], [words for _, words in held_out])
        batch = self._told(*(pairs if held_out else self._pairs("validation", 0, self.config.check)))
        device = next(model.parameters()).device
        words = model.read(batch.ids.to(device), batch.mask.to(device))
        alike = model.embed_frames(batch.frames.to(device))[:, 0] @ words.T
        own = torch.arange(len(alike), device=device)
        return {
            "caption_found": float((alike.argmax(1) == own).float().mean()),
            "frame_found": float((alike.argmax(0) == own).float().mean()),
        }

    def _films(self, split: str, count: int) -> list[tuple[Tensor, str]]:
        """Pictures (1, H, W, 3) of films of one's own and their captions; none without, or where none are held out.

        In validation each film is seen once: two pictures of one film have one caption, and neither could be told.
        """
        config, size = self.config, (self.model.size, self.model.size)
        if config.data is None:
            return []
        stream = open_stream(config.data, split, "standard", size, 1 / config.fps, config.fps, needs=config.needs,
                             skip_unusable=config.skip_unusable)  # fmt: skip
        if not isinstance(stream, FolderStream):
            return []
        count = min(count, len(stream.videos)) if split == "validation" else count
        clips = (stream.clips_at([number], frames=[0])[0] for number in range(count))
        return [(clip.frames, clip.caption) for clip in clips if clip.frames is not None]

    def _told(self, frames: list[Tensor], captions: list[str]) -> AlignedBatch:
        device = next(self.model.parameters()).device
        ids, mask, _ = tokenize(self.model.tokenizer, captions, self.model.config.tokens)
        return AlignedBatch(torch.stack([frame.to(device) for frame in frames]), ids, mask)

    def _pairs(self, split: str, first: int, count: int) -> tuple[list[Tensor], list[str]]:
        """Frames (1, H, W, 3) of the world's scenes and captions of them."""
        config = self.config
        frames, captions, device = list[Tensor](), list[str](), next(self.model.parameters()).device
        for group in torch.arange(first, first + count).chunk(_GROUPS) if count else ():
            rng = np.random.default_rng((int(group[0]), SPLITS.index(split), 19))
            scenes = [
                draw_scene(seed, split, difficulty, seconds=config.seconds, fps=config.fps)
                for seed, difficulty in zip(
                    group.tolist(),
                    np.where(rng.random(len(group)) < config.standard, "standard", "simple").tolist(),
                    strict=True,
                )
            ]
            size = (self.model.size, self.model.size)
            frames.extend(render(scenes, size, device, [int(rng.integers(scenes[0].frames))]))
            for scene in scenes:
                text = caption(scene, rng)
                captions.append(with_fps(text, config.fps) if rng.random() < 0.3 else text)
        return frames, captions
