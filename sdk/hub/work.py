"""PipelineWork: a request for pictures on its way through a pipeline of diffusers."""

import inspect
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mediagen.audio.extend import Pictures
from mediagen.audio.generate import SoundModels, see_pictures
from mediagen.grid import SOUND_RATE
from mediagen.media.resample import resample
from mediagen.sampling import OnStep
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.hub.entry import Call
from mediagen.sdk.hub.folder import PipelineFolder
from mediagen.sdk.hub.hearing import hearing
from mediagen.sdk.tasks.clips import ClipWork

_RANDOM = "these weights are random and were never trained: the pictures are noise."
_GREY = 127  # of a picture that is to be made, where it stands in for one


class PipelineWork(ClipWork):
    """Makes pictures with a pipeline and sound with the folder's models of sound, for one request that is filled in."""

    models: PipelineFolder

    _own: Tensor | None = None  # sound (channels, S) at 48 kHz that the pipeline made with the pictures

    def pictures(self, seeds: list[int], seconds: float, size: tuple[int, int], fps: float,
                 first: Tensor | None = None) -> Tensor:  # fmt: skip
        """See ClipWork; a pipeline is given one seed at a time."""
        task = "generate" if first is None else "picture"
        if task == "picture" and not self.models.can("picture") and self.models.can("character"):
            task = "character"
            self.notes.append("the picture is of the person in the clip, not its first frame.")
        count = round(seconds * fps)
        return torch.stack([self._make(task, count, size, fps, seed=seed, given=first) for seed in seeds])

    def more_pictures(self, frames: Tensor, count: int, fps: float) -> Tensor:
        """See ClipWork: in windows of the model's longest clip, each from the last frames of what is there."""
        size, window = (frames.shape[2], frames.shape[1]), round(self.limits.max_seconds * fps)
        step, made = self.limits.frame_step, 0
        known = self._overlap(len(frames), window)
        if window <= known:
            raise RequestError("got a model of clips of one frame, which cannot go on from one; take another model.")
        windows = -(-count // (window - known))
        for index in range(windows):
            before = frames[-self._overlap(len(frames), window) :]
            wanted = min(window, len(before) + count - made)
            length = min(window, 1 + step * -(-(wanted - 1) // step))
            seen = self._make("extend", length, size, fps, seed=self._seed + index, given=before, index=index,
                              of=windows)  # fmt: skip
            new = seen[len(before) :][: count - made]
            frames, made = torch.cat((frames, new)), made + len(new)
        return frames

    def edited(self, film: Tensor, fps: float, mask: Tensor | None = None) -> Tensor:
        """uint8 (F, H, W, 3) of a film (F, H, W, 3) changed as the prompt says.

        mask: float (F, H, W) of where, 1 for what is changed; RequestError where the model takes none.
        """
        if mask is not None and not self.models.call("edit").mask:
            raise RequestError(f"mask: got one, but {self.models.layout.name} takes none; leave it out.")
        size, step = (film.shape[2], film.shape[1]), self.limits.frame_step
        length = 1 + step * ((len(film) - 1) // step)
        if length < len(film):
            self.notes.append(f"the last {len(film) - length} frames were left out: {step}k + 1 are made.")
        return self._make(
            "edit",
            length,
            size,
            fps,
            seed=self._seed,
            given=film[:length],
            mask=None if mask is None else mask[:length],
        )

    def with_person(self, seconds: float, size: tuple[int, int], fps: float, photo: Tensor) -> Tensor:
        """uint8 (F, H, W, 3) of a clip with the person of a photo (1, H, W, 3)."""
        return self._make("character", round(seconds * fps), size, fps, seed=self._seed, given=photo)

    def sound(self, frames: Tensor, fps: float, start: Tensor | None = None) -> Tensor:
        """See ClipWork; the pipeline's own where it made one and no other words are given for it."""
        if self._own is not None and start is None and self.request.sound_prompt is None:
            total = round(len(frames) / fps * SOUND_RATE)
            return torch.nn.functional.pad(self._own[:, :total], (0, max(0, total - self._own.shape[-1])))
        if isinstance(self.models.sound, PipelineFolder):
            from mediagen.sdk.hub.sound import words_to_sound

            return words_to_sound(self, self.models.sound, frames, fps, start)
        return super().sound(frames, fps, start)

    def check_sound(self) -> None:
        """See Work: a pipeline that makes sound itself needs no other."""
        if not self.models.entry.speaks and not isinstance(self.models.sound, PipelineFolder):
            super().check_sound()

    def _watched(self, models: SoundModels, frames: Tensor, fps: float) -> Pictures:
        """See ClipWork: at the rate that the model of sound was trained for, and in the size that it sees."""
        rate, size = self.models.sound.limits.fps, (models.aligned.size, models.aligned.size)
        count = max(1, round(len(frames) / fps * rate))
        chosen = ((torch.arange(count) + 0.5) / rate * fps).long().clamp(max=len(frames) - 1)
        small = torch.nn.functional.interpolate(
            frames[chosen].permute(0, 3, 1, 2).float(), size=size, mode="bilinear", antialias=True, align_corners=False
        )
        seen = small.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        return see_pictures(models.aligned, seen.to(self.models.device), rate)

    def _overlap(self, there: int, window: int) -> int:
        """Frames that a window goes on from: of those that are there, one and a multiple of the model's step."""
        step = self.limits.frame_step
        most = min(self.models.entry.overlap, there, max(1, window // 2 + 1))
        return 1 + step * ((most - 1) // step)

    def _make(self, task: str, count: int, size: tuple[int, int], fps: float, *, seed: int, given: Tensor | None = None,
              mask: Tensor | None = None, index: int = 0, of: int = 1) -> Tensor:  # fmt: skip
        """uint8 frames (count, H, W, 3) of one call. given: what the task starts from.  index, of: which call it is."""
        models, call = self.models, self.models.call(task)
        if not models.loaded("video"):
            self._stage("Loading")
        if models.layout.random and _RANDOM not in self.notes:
            self.notes.append(_RANDOM)
        with models.using(task) as pipe:
            self._read_whole(pipe)
            on_step = self._steps("Making the pictures", of * self._count, index * self._count)
            asked = self._asked(call, count, size, fps) | models.layout.call
            asked |= self._start(call, task, pipe, count, size, given, mask)
            asked["generator"] = torch.Generator("cpu").manual_seed(seed)
            if not call.scale and hasattr(pipe, "guider"):
                pipe.guider = pipe.guider.new(guidance_scale=self.request.guidance_scale)
            heard = Heard(self, pipe, on_step, count, size)
            with hearing(pipe, asked, heard), torch.no_grad():
                made = pipe(**asked)
            self._stage("Decoding the pictures")
            frames = _uint8(made.frames[0])
            self._own = _own_sound(made, pipe)
        if len(frames) < count:
            raise ModelError(f"got {len(frames)} frames of {models.layout.name}, expected {count}; ask for fewer.")
        frames = frames[:count] if task != "extend" or len(frames) == count else frames[-count:]
        return frames if frames.shape[1:3] == (size[1], size[0]) else _scaled(frames, size)

    def _read_whole(self, pipe: Any) -> None:
        """A note where the prompt is longer than the pipeline reads."""
        default = inspect.signature(type(pipe).__call__).parameters.get("max_sequence_length")
        most = self.models.layout.call.get("max_sequence_length", default and default.default)
        note = f"the prompt is longer than the {most} tokens that the model reads; its end was left out."
        if most and note not in self.notes and len(pipe.tokenizer(self.request.prompt).input_ids) > most:
            self.notes.append(note)

    def _asked(self, call: Call, count: int, size: tuple[int, int], fps: float) -> dict[str, Any]:
        request = self.request
        asked: dict[str, Any] = {
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt,
            "num_inference_steps": self._count,
            "output_type": "np",
            call.frames: count,
        }
        if call.size:
            asked |= {"width": size[0], "height": size[1]}
        if call.fps:
            asked[call.fps] = int(fps) if float(fps).is_integer() else fps
        if call.scale:
            asked[call.scale] = request.guidance_scale
        return asked

    def _start(self, call: Call, task: str, pipe: Any, count: int, size: tuple[int, int], given: Tensor | None,
               mask: Tensor | None) -> dict[str, Any]:  # fmt: skip
        """The arguments that say what the task starts from."""
        if given is None:
            return {}
        if task == "character":
            from mediagen.sdk.hub.person import person

            return person(call, pipe, _pictures(given)[0], self.models.device, self.models.dtype)
        if call.first:
            return {call.first: _pictures(given[-1:])[0]}
        if call.before:
            return {call.before: _pictures(given)} | ({call.overlap: len(given)} if call.overlap else {})
        if not call.mask:
            return {call.film: _pictures(given)}
        if task == "edit":  # all of the film is there; white is what is made anew
            where = torch.ones(given.shape[:3]) if mask is None else mask
        else:
            rest = torch.full((count - len(given), *given.shape[1:]), _GREY, dtype=torch.uint8)
            where = torch.cat((torch.zeros(given.shape[:3]), torch.ones(rest.shape[:3])))
            given = torch.cat((given, rest))
        masks = [Image.fromarray((one.numpy() * 255).astype(np.uint8), "L").convert("RGB") for one in where]
        return {call.film: _pictures(given), call.mask: masks}


class Heard:
    """What a pipeline tells of a step, told on in the words of the house: t grows to 1, latents are (B, C, L, h, w)."""

    def __init__(self, work: PipelineWork, pipe: Any, on_step: OnStep, count: int, size: tuple[int, int]) -> None:
        self._work, self._pipe, self._on_step = work, pipe, on_step
        self._count, self._size = count, size
        self._most = float(getattr(pipe.scheduler.config, "num_train_timesteps", 1000))
        self._heard = 0

    def __call__(self, index: int, latent: Tensor | None) -> None:
        """Hears the end of one step; what it raises cancels."""
        seen = torch.zeros(1, 1, 1, 1, 1) if latent is None else self._axes(latent.detach())
        steps, times = self._work.step_count, self._pipe.scheduler.timesteps
        if len(times) == steps:
            left = max(1.0, float(times[index + 1])) if index + 1 < steps else 0.0  # the end is told at the end alone
            reached = 1.0 - left / self._most
        else:  # those that noise each frame by itself, say
            index, reached = min(self._heard, steps - 1), min(1.0, (self._heard + 1) / steps)
        self._heard += 1
        self._on_step(index, min(1.0, max(0.0, reached)), seen)

    def _axes(self, latent: Tensor) -> Tensor:
        kind, pipe = self._work.models.entry.latent, self._pipe
        if kind == "BLCHW":
            return latent.permute(0, 2, 1, 3, 4)
        if kind != "packed" or latent.ndim != 3:
            return latent
        width, height = (edge // pipe.vae_spatial_compression_ratio for edge in self._size)
        length = (self._count - 1) // pipe.vae_temporal_compression_ratio + 1
        sizes = pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size
        return pipe._unpack_latents(latent, length, height, width, *sizes)


def _pictures(frames: Tensor) -> list[Image.Image]:
    return [Image.fromarray(frame) for frame in frames.cpu().numpy()]


def _uint8(frames: Any) -> Tensor:
    """uint8 (F, H, W, 3) of floats in 0 to 1."""
    values = torch.as_tensor(np.asarray(frames)).float()
    if not values.isfinite().all():
        raise ModelError("the model gave pictures that are no numbers; try --dtype float32, or fewer changes of it.")
    return (values.clamp(0, 1) * 255).round().to(torch.uint8)


def _scaled(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Frames of another size, for a pipeline that takes the shape of its picture."""
    scaled = [np.asarray(one.resize(size, Image.Resampling.LANCZOS)) for one in _pictures(frames)]
    return torch.from_numpy(np.stack(scaled))


def _own_sound(made: Any, pipe: Any) -> Tensor | None:
    """Sound (channels, S) at 48 kHz that came with the pictures, or None."""
    sound = getattr(made, "audio", None)
    if sound is None:
        return None
    wave = torch.as_tensor(sound[0]).float().cpu()
    rate = int(pipe.vocoder.config.output_sampling_rate)
    return resample(wave if wave.ndim == 2 else wave[None], rate, SOUND_RATE).clamp(-1, 1)
