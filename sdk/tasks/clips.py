"""ClipWork: a request for pictures, with their sound, on its way to a clip."""

import math

import torch
from torch import Tensor

from mediagen.audio.conditions import mentions_music, sound_prompt
from mediagen.audio.generate import count_sound_steps, generate_sound, see_pictures
from mediagen.generate import VideoModels, decode_frames, generate_latent, known_start
from mediagen.grid import SOUND_HOP, SOUND_RATE, Grid
from mediagen.media.clip import Clip
from mediagen.media.resample import resample
from mediagen.sampling import OnStep
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.requests import Request
from mediagen.sdk.tasks.work import StepCallback, Work


class ClipWork(Work):
    """Makes pictures and sound for one request that is filled in, seed included."""

    def __init__(
        self, models: ModelFolder, request: Request, on_step: StepCallback | None, on_progress: ProgressCallback | None
    ) -> None:
        super().__init__(models, request, on_step, on_progress)
        self.request = request

    def pictures(self, seeds: list[int], seconds: float, size: tuple[int, int], fps: float,
                 first: Tensor | None = None) -> Tensor:  # fmt: skip
        """uint8 (B, F, H, W, 3) of new clips, one with the noise of each seed; first: the picture (1, H, W, 3) that
        they begin with."""
        models = self._video_models()
        grid = self._grid(models, seconds, size, fps)
        on_step = self._steps("Making the pictures", self._count)
        return self._window(models, grid, first, [self._rng(seed) for seed in seeds], on_step)

    def more_pictures(self, frames: Tensor, count: int, fps: float) -> Tensor:
        """`frames` (F, H, W, 3) and `count` more that go on from them, window by window.

        Each window is as long as the model was trained for, and its first half is known: the clip's last frames.
        """
        models = self._video_models()
        grid = self._grid(models, self.limits.max_seconds, (frames.shape[2], frames.shape[1]), fps)
        time = grid.stride[0]
        rng, parts, made = self._rng(self._seed), frames, 0
        fresh = grid.frames - grid.latent[0] // 2 * time
        windows = math.ceil(count / fresh)
        for window in range(windows):
            whole = min(len(parts) // time, grid.latent[0] // 2)  # latent frames of the clip that the window can know
            start = parts[-whole * time :] if whole else parts[-1:]
            on_step = self._steps("Making the pictures", windows * self._count, window * self._count)
            new = self._window(models, grid, start, [rng], on_step)[0][len(start) :][: min(fresh, count - made)]
            parts, made = torch.cat((parts, new)), made + len(new)
        return parts

    def sound(self, frames: Tensor, fps: float, start: Tensor | None = None) -> Tensor:
        """Float sound (1, S) at 48 kHz that covers the frames (F, H, W, 3) exactly.

        start: sound (1, S') that is there already and goes on. Music is made where the prompt asks for it, or may go
        on in `start`.
        """
        models = self._sound_models()
        total = round(len(frames) / fps * SOUND_RATE)
        if start is not None and start.shape[-1] >= total:
            return start[:, :total].cpu()
        known = start if start is not None and start.shape[-1] >= SOUND_HOP else None
        limits, words = self.limits, self.request.sound_prompt or self.request.prompt
        pictures = see_pictures(models.aligned, frames.to(self.models.device), fps)
        way = self._way(models, limits.sound_steps, limits.sound_guidance_scale, limits.sound_candidates)
        music = start is not None or mentions_music(words)
        way = self._ranked(models, way, words, pictures, music=music)
        count = count_sound_steps(0 if known is None else known.shape[-1], total, total, way)
        on_step = self._steps("Making the sound", count)
        return generate_sound(
            models,
            pictures,
            sound_prompt(words, None if music else ""),
            samples=total,
            seed=self._seed,
            known=None if known is None else known.to(self.models.device),
            way=way,
            on_step=on_step,
        ).cpu()

    def more_sound(self, frames: Tensor, clip: Clip) -> Tensor:
        """Float sound (channels, S) at 48 kHz for `frames`, which begin with the clip's: its sound, and more.

        A clip without sound gets one from its beginning on.
        """
        if clip.sound is None or not clip.sound.shape[-1]:
            return self.sound(frames, clip.fps)
        heard = resample(clip.sound, clip.rate, SOUND_RATE)[:, : round(clip.seconds * SOUND_RATE)]
        made = self.sound(frames, clip.fps, heard.mean(0, keepdim=True))
        return torch.cat((heard, made[:, heard.shape[-1] :].expand(len(heard), -1)), dim=-1)

    def _window(
        self, models: VideoModels, grid: Grid, start: Tensor | None, rngs: list[torch.Generator], on_step: OnStep
    ) -> Tensor:
        """Clips (B, F, H, W, 3) of the grid, one for each of `rngs`, beginning with the frames `start` if any."""
        request = self.request
        assert request.guidance_scale is not None
        known, clean = (None, None)
        if start is not None:
            known, clean = known_start(models, start.to(self.models.device), grid)
            known, clean = (part.expand(len(rngs), -1, -1, -1, -1) for part in (known, clean))
        latent = generate_latent(
            models,
            [request.prompt] * len(rngs),
            grid,
            rng=rngs,
            negative=request.negative_prompt,
            scale=request.guidance_scale,
            steps=self._count,
            known=known,
            clean=clean,
            on_step=on_step,
        )
        self._stage("Decoding the pictures")
        return torch.cat([decode_frames(models, one[None], grid.frames) for one in latent]).cpu()

    def _video_models(self) -> VideoModels:
        if not all(self.models.loaded(name) for name in ("prompt", "tae", "video")):
            self._stage("Loading")
        made = VideoModels(
            self.models.get("prompt"), self.models.get("tae"), self.models.get("video"), self._decoder("tae")
        )
        self._stage("Reading the prompt")
        for name in ("prompt", "negative_prompt"):
            if made.text.too_long([getattr(self.request, name)])[0]:
                self.notes.append(f"the {name.replace('_', ' ')} is longer than the model reads; its end was left out.")
        return made

    def _grid(self, models: VideoModels, seconds: float, size: tuple[int, int], fps: float) -> Grid:
        return Grid.of(seconds, size, fps, stride=models.tae.stride, patch=models.video.config.patch)

    def _rng(self, seed: int) -> torch.Generator:
        return torch.Generator(self.models.device).manual_seed(seed)
