"""What the audio model is trained on: the settings of its task."""

import math
from dataclasses import dataclass

from mediagen.audio.conditions import LATENT_RATE
from mediagen.config import Config
from mediagen.data.survey import Needs


@dataclass(frozen=True, kw_only=True)
class AudioTaskConfig(Config):
    """What the audio model is trained on, and how t is drawn.

    clips: films of the world, `seconds` long, encoded once, before training (0.8 MB each on disk and in memory for
    the tiny models).  standard: share of that difficulty.  windows: seconds of the windows that batches are cut to,
    one drawn per batch; one that is named twice is drawn twice as often.  singles: share of the clips that are not a
    film but single shots, as long as the first window, each with a sound of its own, as generated clips are.  batch:
    windows of the longest kind; of shorter ones there are more, so that every step hears as much.
    made: smallest and largest share of a window that is to be made where the rest is known.  t_mean, t_std: of the
    logit-normal (0 and 1 in the report; a latent that repeats itself shows through much noise, so that only what is
    noisier still has to be told from the conditions).  check: sounds of a preview, made in `preview_steps` with
    `guidance`.
    data: a folder of videos with captions and sound tracks to learn from in place of the world; `clips` is then how
    many windows of them are encoded.  captions_per_clip: prompts of each clip that are written and encoded
    once, of the whole clip; 0 writes them anew for every window.  processes: that make sounds and prompts first.
    """

    data: str | None = None
    standard: float = 0.0
    size: tuple[int, int] = (64, 64)
    seconds: float = 10.0
    fps: float = 16.0
    clips: int = 2048
    batch: int = 6
    windows: tuple[float, ...] = (2.0, 2.0, 2.0, 5.0, 10.0)
    singles: float = 0.25
    made: tuple[float, float] = (0.5, 1.0)
    t_mean: float = -1.5
    t_std: float = 1.2
    check: int = 8
    preview_steps: int = 16
    guidance: float = 3.0
    captions_per_clip: int = 0
    processes: int = 0
    skip_unusable: bool = False  # films of the folder that cannot be used, as those without sound, are left out

    def __post_init__(self) -> None:
        if not self.windows or min(self.windows) <= 0 or max(self.windows) > self.seconds:
            raise ValueError(
                f"got windows of {self.windows} s in clips of {self.seconds:g} s, expected above 0 and no longer than "
                "the clips; change windows or seconds."
            )
        single = self.windows[0]
        counts = (single * self.fps, single * LATENT_RATE, self.seconds / single)
        if self.singles and not all(math.isclose(count, round(count)) for count in counts):
            raise ValueError(
                f"got singles={self.singles:g} of {single:g} s, expected whole frames at {self.fps:g} and 25 a second, "
                f"and a whole number of them in {self.seconds:g} s; change windows[0], or set singles=0."
            )

    @property
    def needs(self) -> Needs:
        """What is read of a film."""
        return Needs(sound=True, seconds=self.seconds)
