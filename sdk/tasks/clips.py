"""ClipWork: a request for pictures, with their sound, on its way to a clip."""

import torch
from torch import Tensor

from mediagen.audio.conditions import mentions_music, sound_prompt
from mediagen.audio.extend import Pictures
from mediagen.audio.generate import SoundModels, count_sound_steps, generate_sound, see_pictures
from mediagen.generate import VideoModels, Way, count_windows, extend_video, generate_video
from mediagen.generator import FlowGenerator
from mediagen.grid import SOUND_HOP, SOUND_RATE
from mediagen.media.clip import Clip
from mediagen.media.resample import resample
from mediagen.sampling import linear, linear_quadratic
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
        return generate_video(
            models,
            self.request.words,
            models.grid(seconds, size, fps),
            rngs=[self._rng(seed) for seed in seeds],
            negative=self.request.negative_prompt,
            way=self._how,
            begin=first,
            on_step=self._steps("Making the pictures", self._count),
            on_decode=self._decoding,
        )

    def more_pictures(self, frames: Tensor, count: int, fps: float) -> Tensor:
        """`frames` (F, H, W, 3) and `count` more that go on from them, in windows of the models' longest clip."""
        models = self._video_models()
        grid = models.grid(self.limits.max_seconds, (frames.shape[2], frames.shape[1]), fps)
        return extend_video(
            models,
            frames,
            self.request.words,
            grid,
            count,
            rng=self._rng(self._seed),
            negative=self.request.negative_prompt,
            way=self._how,
            on_step=self._steps("Making the pictures", count_windows(grid, count) * self._count),
            on_decode=self._decoding,
        )

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
        limits, words = self.limits, self.request.sound_prompt or self.request.words
        pictures = self._watched(models, frames, fps)
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

    @property
    def step_count(self) -> int:
        """Sampling steps of the pictures."""
        return self._count

    def _watched(self, models: SoundModels, frames: Tensor, fps: float) -> Pictures:
        """What the model of sound sees of frames (F, H, W, 3)."""
        return see_pictures(models.aligned, frames.to(self.models.device), fps)

    def _video_models(self) -> VideoModels:
        fast = self.request.is_fast(self.limits)
        names = ("prompt", "tae", "video_fast" if fast else "video")
        if not all(self.models.loaded(name) for name in names):
            self._stage("Loading")
        text, tae, video = (self.models.get(name) for name in names)
        generator = FlowGenerator(text, video, linear if fast else linear_quadratic)
        made = VideoModels(generator, tae, self._decoder("tae"))
        self._stage("Reading the prompt")
        for name, words in (("prompt", self.request.words), ("negative prompt", self.request.negative_prompt)):
            if text.too_long([words])[0]:
                self.notes.append(f"the {name} is longer than the model reads; its end was left out.")
        return made

    def _decoding(self) -> None:
        self._stage("Decoding the pictures")

    @property
    def _how(self) -> Way:
        assert self.request.guidance_scale is not None
        return Way(steps=self._count, scale=self.request.guidance_scale)

    def _rng(self, seed: int) -> torch.Generator:
        return torch.Generator(self.models.device).manual_seed(seed)
