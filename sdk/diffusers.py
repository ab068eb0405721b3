"""MediagenPipeline: our own models as a pipeline of diffusers, for who has a program around one.

from mediagen.sdk.diffusers import MediagenPipeline

pipe = MediagenPipeline.from_pretrained("path/or/name")  # nothing: the built-in models
frames = pipe("a red ball bounces", num_inference_steps=50).frames[0]
"""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

from mediagen.media.clip import Film
from mediagen.sdk.engine import Engine
from mediagen.sdk.errors import RequestError

_OUTPUTS = ("np", "pil", "pt")


@dataclass
class MediagenOutput(BaseOutput):
    """frames: of each clip, as diffusers has them.  sound: float32 (1, S) of each, at 48 kHz; None without.  fps."""

    frames: Any
    sound: list[Tensor | None]
    fps: float


class MediagenPipeline(DiffusionPipeline):
    """The video pipelines' call over an `Engine`; what that refuses is raised as it is.

    `from_pretrained` takes a folder of ours, a name on the hub, or nothing. A folder that `Engine.save_pretrained`
    wrote also has a model_index.json, so that `DiffusionPipeline.from_pretrained(folder,
    custom_pipeline=FILE, trust_remote_code=True)` reads it, with FILE this file.
    """

    model_cpu_offload_seq = ""

    def __init__(self) -> None:
        super().__init__()
        self.register_to_config()  # which has nothing but, later, where it was read from
        self._engine: Engine | None = None
        self._device: str | None = None
        self._dtype: str | None = None

    @classmethod
    def from_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls, pretrained_model_name_or_path: str | Path | None = None, **given: Any
    ) -> Any:
        """See the class. given: dtype and revision; RequestError for what has no meaning here."""
        dtype, revision = given.pop("dtype", given.pop("torch_dtype", None)), given.pop("revision", None)
        if given:
            raise RequestError(f"{next(iter(given))}: got it, but our models have no use for it; leave it out.")
        pipe = cls()
        pipe._dtype = None if dtype is None else str(dtype).removeprefix("torch.")
        pipe._engine = Engine.from_pretrained(pretrained_model_name_or_path, dtype=pipe._dtype, revision=revision)
        return pipe

    @property
    def engine(self) -> Engine:
        """The engine that works; its limits say what can be asked for."""
        if self._engine is None:  # made by DiffusionPipeline.from_pretrained, which tells the folder alone
            folder = getattr(self.config, "_name_or_path", None)
            self._engine = Engine.from_pretrained(folder, device=self._device, dtype=self._dtype)
        return self._engine

    def to(self, *given: Any, **named: Any) -> Any:
        """On another device, by its name or as torch.device; a dtype is given to `from_pretrained`."""
        device = next((one for one in (*given, *named.values()) if isinstance(one, str | torch.device)), None)
        if device is not None and torch.device(device) != self.engine.models.device:
            self._device = str(device)
            self._engine = Engine.from_pretrained(self.engine.models.path, device=self._device, dtype=self._dtype)
        return self

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str],
        negative_prompt: str = "",
        height: int | None = None,
        width: int | None = None,
        num_frames: int | None = None,
        frame_rate: float | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        num_videos_per_prompt: int = 1,
        generator: torch.Generator | None = None,
        image: Any = None,
        output_type: str = "np",
        return_dict: bool = True,
        sound: bool = True,
        callback_on_step_end: Callable[..., Any] | None = None,
    ) -> MediagenOutput | tuple[Any]:
        """Clips of one prompt or several; None means the models' default.

        generator: its initial seed is the clips'.  callback_on_step_end(pipe, step, t, {"latents"}): t grows to 1.
        """
        if output_type not in _OUTPUTS:
            raise RequestError(f"output_type: got '{output_type}', expected {', '.join(_OUTPUTS)}; give one of them.")
        fps = frame_rate or self.engine.limits.fps

        def on_step(_: Engine, step: int, t: float, info: dict[str, Any]) -> None:
            if callback_on_step_end is not None and info["stage"] == "Making the pictures":
                callback_on_step_end(self, step, t, {"latents": info["latent"]})

        made: list[Film] = []
        for said in [prompt] if isinstance(prompt, str) else prompt:
            clips: Any = self.engine.generate(
                said,
                negative_prompt=negative_prompt,
                height=height,
                width=width,
                seconds=None if num_frames is None else num_frames / fps,
                fps=frame_rate,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                seed=None if generator is None else generator.initial_seed(),
                image=image,
                sound=sound and self.engine.limits.sound,
                num_videos=num_videos_per_prompt,
                callback_on_step_end=on_step,
            )
            made += clips
        frames = _as(made, output_type)
        return MediagenOutput(frames, [clip.sound for clip in made], fps) if return_dict else (frames,)


def _as(clips: list[Film], kind: str) -> Any:
    """Frames as diffusers has them: floats in 0 to 1, (B, F, H, W, C) or (B, F, C, H, W), or lists of pictures."""
    frames = torch.stack([clip.frames for clip in clips])
    if kind == "pil":
        return [[Image.fromarray(frame) for frame in clip.numpy()] for clip in frames]
    floats = frames.float() / 255
    return floats.permute(0, 1, 4, 2, 3) if kind == "pt" else floats.numpy()
