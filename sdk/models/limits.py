"""Limits: what a model folder was trained for, and its defaults; stored as engine.json beside the models."""

import math
from dataclasses import dataclass

from mediagen.config import Config

FACTORS = (2, 4)  # by which pictures are made larger, once or twice


@dataclass(frozen=True, kw_only=True)
class Limits(Config):
    """Defaults and bounds of one model folder.

    width, height: default size in pixels.  sizes: every (width, height) trained for; () means only the default.
    fps: default frames per second.  rates: every fps trained for; () means only the default.
    seconds: default length.  min_seconds, max_seconds: what one request may ask for; longer clips come from `extend`.
    max_extended_seconds: longest clip that `extend` may make.  max_story_seconds: longest film of several scenes.
    max_sound_seconds: longest film that is given sound.
    steps, guidance_scale: of the pictures.  fast_steps: of the distilled model, which makes what is asked for without
    other steps, guidance or negative words; 0 where the folder has none.
    sound_steps, sound_guidance_scale, sound_candidates: of the sound.
    edit_steps, edit_guidance_scale, edit_picture_guidance_scale: of edits.  max_edit_seconds: longest film to edit.
    upscale: largest factor by which pictures are made larger, 2 or 4; 1 where the folder lacks models of it.
    upscale_steps: of that.  max_upscale_pixels: of a larger picture.  max_upscale_seconds: longest film for it.
    frame_step: of public models, a clip has a frame and a multiple of so many more; 1 for any number.
    pixel_bytes: of memory for each pixel of a window while it is made; 0 for what the built-in models take.
    sound: whether clips have sound where nothing is said about it; never where the folder lacks models of it.
    difficulty: of the world's scenes that the models were trained on ("simple" or "standard"), and are judged by.
    rewrite: whether prompts become captions of that world; false for models that learned from other films.
    """

    width: int = 64
    height: int = 64
    sizes: tuple[tuple[int, int], ...] = ()
    fps: float = 16.0
    rates: tuple[float, ...] = ()
    seconds: float = 2.0
    min_seconds: float = 0.5
    max_seconds: float = 2.0
    max_extended_seconds: float = 60.0
    max_story_seconds: float = 300.0
    max_sound_seconds: float = 3_600.0
    steps: int = 50
    guidance_scale: float = 3.0
    fast_steps: int = 0
    sound_steps: int = 32
    sound_guidance_scale: float = 3.0
    sound_candidates: int = 1
    frame_step: int = 1
    pixel_bytes: int = 0
    edit_steps: int = 32
    edit_guidance_scale: float = 3.0
    edit_picture_guidance_scale: float = 1.5
    max_edit_seconds: float = 3_600.0
    upscale: int = 4
    upscale_steps: int = 8
    max_upscale_pixels: int = 1920 * 1088
    max_upscale_seconds: float = 3_600.0
    difficulty: str = "simple"
    rewrite: bool = True
    sound: bool = True

    def __post_init__(self) -> None:
        positive = {
            name: getattr(self, name)
            for name in ("width", "height", "fps", "seconds", "max_seconds", "steps", "sound_steps")
        }
        for name, value in positive.items():
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"Limits.{name}: got {value}, expected a number above 0; correct engine.json.")
        if self.upscale not in (1, *FACTORS):
            raise ValueError(f"Limits.upscale: got {self.upscale}, expected 1, 2 or 4; correct engine.json.")
        if not self.min_seconds <= self.seconds <= self.max_seconds:
            raise ValueError(
                f"Limits.seconds: got {self.seconds}, expected {self.min_seconds} to {self.max_seconds}; "
                "correct engine.json."
            )

    @property
    def of_edits(self) -> dict[str, float]:
        """What is said of edits, by name."""
        return {name: getattr(self, name) for name in vars(self) if name.startswith(("edit_", "max_edit_"))}

    @property
    def all_sizes(self) -> tuple[tuple[int, int], ...]:
        """Every (width, height) that a request may ask for, the default first."""
        return tuple(dict.fromkeys(((self.width, self.height), *self.sizes)))

    @property
    def larger_sizes(self) -> tuple[tuple[int, int], ...]:
        """Every (width, height) beyond `all_sizes` that clips are delivered in, made larger from one of them."""
        factors = [factor for factor in FACTORS if factor <= self.upscale]
        found = [(factor * width, factor * height) for factor in factors for width, height in self.all_sizes]
        fit = [size for size in found if size[0] * size[1] <= self.max_upscale_pixels]
        return tuple(size for size in dict.fromkeys(fit) if size not in self.all_sizes)

    def made_at(self, size: tuple[int, int]) -> tuple[tuple[int, int], int]:
        """The trained size that pictures of `size` are made in, and the factor by which they are made larger then."""
        for factor in (1, *FACTORS):
            small = size[0] // factor, size[1] // factor
            if small in self.all_sizes and (small[0] * factor, small[1] * factor) == size:
                return small, factor
        raise ValueError(f"got {size}, expected one of all_sizes or larger_sizes; ask `fit` first.")

    @property
    def all_rates(self) -> tuple[float, ...]:
        """Every fps that a request may ask for, the default first."""
        return tuple(dict.fromkeys((self.fps, *self.rates)))
