"""Work: one request on its way to a clip. All that belongs to the request lives here; the models are only read."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mediagen.audio.generate import SoundModels, generate_sound
from mediagen.clip import Clip
from mediagen.generate import VideoModels, decode_frames, generate_latent, known_start
from mediagen.grid import SOUND_HOP, SOUND_RATE, Grid
from mediagen.media import resample
from mediagen.sampling import OnStep
from mediagen.sdk.errors import Cancelled, RequestError
from mediagen.sdk.folder import ModelFolder
from mediagen.sdk.requests import Request

_SOUND = ("prompt", "aligned", "codec", "audio")  # the families that make sound, in the order of SoundModels


@dataclass(frozen=True)
class Progress:
    """A moment of the work. stage: what is being done, in words.  step of steps: steps is None where not counted."""

    stage: str
    step: int = 0
    steps: int | None = None


StepCallback = Callable[[int, float, dict[str, Any]], bool | None]
ProgressCallback = Callable[[Progress], None]


class Work:
    """Makes pictures and sound for one request that is filled in, seed included.

    notes: sentences for the user about what was not done as asked.
    """

    def __init__(
        self, models: ModelFolder, request: Request, on_step: StepCallback | None, on_progress: ProgressCallback | None
    ) -> None:
        self.models, self.limits, self.request = models, models.limits, request
        self.notes: list[str] = []
        self._on_step, self._on_progress = on_step, on_progress

    def pictures(self, seconds: float, size: tuple[int, int], fps: float, first: Tensor | None = None) -> Tensor:
        """uint8 (F, H, W, 3) of a new clip; first: the picture (1, H, W, 3) that it begins with."""
        models = self._video_models()
        grid = self._grid(models, seconds, size, fps)
        watch = self._steps("Making the pictures", self._count)
        return self._window(models, grid, first, self._rng(), watch)

    def more_pictures(self, frames: Tensor, count: int, fps: float) -> Tensor:
        """`frames` (F, H, W, 3) and `count` more that go on from them, window by window.

        Each window is as long as the model was trained for, and its first half is known: the clip's last frames.
        """
        models = self._video_models()
        grid = self._grid(models, self.limits.max_seconds, (frames.shape[2], frames.shape[1]), fps)
        time = grid.stride[0]
        rng, parts, made = self._rng(), frames, 0
        fresh = grid.frames - grid.latent[0] // 2 * time
        windows = math.ceil(count / fresh)
        for window in range(windows):
            whole = min(len(parts) // time, grid.latent[0] // 2)  # latent frames of the clip that the window can know
            start = parts[-whole * time :] if whole else parts[-1:]
            watch = self._steps("Making the pictures", windows * self._count, window * self._count)
            new = self._window(models, grid, start, rng, watch)[len(start) :][: min(fresh, count - made)]
            parts, made = torch.cat((parts, new)), made + len(new)
        return parts

    def sound(self, frames: Tensor, fps: float, start: Tensor | None = None) -> Tensor:
        """Float sound (1, S) at 48 kHz that covers the frames (F, H, W, 3) exactly.

        start: sound (1, S') that is there already and goes on, but for a fade of 10 ms. What is longer than the model
        was trained for is made in windows; each knows the sound before it, half a window or more.
        """
        models = self._sound_models()
        heard_of = self.request.sound_prompt or self.request.prompt
        steps = self.limits.sound_steps
        total = round(len(frames) / fps * SOUND_RATE)
        window = round(self.limits.max_seconds * SOUND_RATE)
        made = torch.zeros(1, 0) if start is None else start[:, :total].cpu()
        whole = 0 if made.shape[-1] else window  # what the first window makes when it knows nothing
        windows = (whole > 0) + math.ceil(max(0, total - made.shape[-1] - whole) / (window // 2))
        for index in range(windows):
            heard = made.shape[-1]
            fresh = min(total - heard, window // 2 if heard else window)
            first = math.ceil(max(0, heard + fresh - window) * fps / SOUND_RATE)  # windows begin with a picture
            begin = round(first * SOUND_RATE / fps)
            last = math.ceil((heard + fresh) * fps / SOUND_RATE)
            known = made[:, begin:].to(self.models.device) if heard - begin >= SOUND_HOP else None
            part = generate_sound(
                models,
                frames[first:last].to(self.models.device),
                fps,
                heard_of,
                samples=heard + fresh - begin,
                seed=(self._seed + index) % 2**63,
                steps=steps,
                known=known,
                guidance=self.limits.sound_guidance_scale,
                on_step=self._steps("Making the sound", windows * steps, index * steps),
            ).cpu()
            keep = heard if known is None else begin
            made = torch.cat((made[:, :keep], part[:, keep - begin :]), dim=-1)
        return made

    def more_sound(self, frames: Tensor, clip: Clip) -> Tensor:
        """Float sound (channels, S) at 48 kHz for `frames`, which begin with the clip's: its sound, and more.

        A clip without sound gets one from its beginning on.
        """
        if clip.sound is None or not clip.sound.shape[-1]:
            return self.sound(frames, clip.fps)
        heard = resample(clip.sound, clip.rate, SOUND_RATE)[:, : round(clip.seconds * SOUND_RATE)]
        made = self.sound(frames, clip.fps, heard.mean(0, keepdim=True))
        return torch.cat((heard, made[:, heard.shape[-1] :].expand(len(heard), -1)), dim=-1) if len(heard) > 1 else made

    def check_sound(self) -> None:
        """RequestError where the folder has no models of sound: before the pictures are made, not after."""
        missing = [name for name in _SOUND if not self.models.has(name)]
        if self.request.sound and missing:
            raise RequestError(
                f"got a request with sound, expected one without, for the model folder lacks {', '.join(missing)}; "
                "ask for no sound, or give another folder."
            )

    def _sound_models(self) -> SoundModels:
        if not all(self.models.loaded(name) for name in _SOUND):
            self._stage("Loading")
        return SoundModels(*(self.models.get(name) for name in _SOUND), decoder=self._decoder("codec"))

    def _window(
        self, models: VideoModels, grid: Grid, start: Tensor | None, rng: torch.Generator, watch: OnStep
    ) -> Tensor:
        """One clip of the grid, beginning with the frames `start` where there are some."""
        request = self.request
        assert request.guidance_scale is not None
        known, clean = (None, None)
        if start is not None:
            known, clean = known_start(models, start.to(self.models.device), grid)
        latent = generate_latent(
            models,
            [request.prompt],
            grid,
            rng=rng,
            negative=request.negative_prompt,
            scale=request.guidance_scale,
            steps=self._count,
            known=known,
            clean=clean,
            on_step=watch,
        )
        self._stage("Decoding the pictures")
        return decode_frames(models, latent, grid.frames)[0].cpu()

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

    def _decoder(self, name: str) -> Any:
        """The ONNX decoder of a family, or None where torch's own is used; what is odd about it becomes a note."""
        decoder = self.models.decoder(name)
        if decoder is not None and decoder.note and decoder.note not in self.notes:
            self.notes.append(decoder.note)
        return decoder

    def _grid(self, models: VideoModels, seconds: float, size: tuple[int, int], fps: float) -> Grid:
        return Grid.of(seconds, size, fps, stride=models.tae.stride, patch=models.video.config.patch)

    def _rng(self) -> torch.Generator:
        return torch.Generator(self.models.device).manual_seed(self._seed)

    @property
    def _seed(self) -> int:
        assert self.request.seed is not None
        return self.request.seed

    @property
    def _count(self) -> int:
        assert self.request.num_inference_steps is not None
        return self.request.num_inference_steps

    def _stage(self, stage: str, step: int = 0, steps: int | None = None) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(stage, step, steps))

    def _steps(self, stage: str, steps: int, done: int = 0) -> OnStep:
        """What a solver calls after each step: tells the callbacks, and cancels where one says False."""
        self._stage(stage, done, steps)

        def on_step(index: int, t: float, latent: Tensor) -> None:
            self._stage(stage, done + index + 1, steps)
            if self._on_step is not None:
                info = {"stage": stage, "steps": steps, "latent": latent}
                if self._on_step(done + index, t, info) is False:
                    raise Cancelled(f"cancelled after step {done + index + 1} of {steps} ({stage.lower()}).")

        return on_step
