"""EditModel: the video model that also reads the film it edits, and which kind of edit is wanted.

As in Movie Gen Edit (arXiv 2410.13720, section 5.1.1): the film's latent stands beside the noisy one in channels, and a
learned vector for each task gives four tokens beside the text and a shift of the timestep (Emu Edit, arXiv 2311.10089).
"""

from dataclasses import replace
from typing import ClassVar

from mediagen.nn.denoiser import Conditions
from mediagen.video import PreparedVideo, VideoConfig, VideoModel
from mediagen.world.edit_names import TASKS


def edit_config(base: VideoConfig) -> VideoConfig:
    """The config of an editing model that starts from a video model of `base`."""
    return base.replace(beside_channels=base.latent_channels, tasks=len(TASKS))


class EditModel(VideoModel):
    """A video model whose `beside` is the latent of the film as it is; grown from one, it starts as that one.

    A single frame is a film of one token in time, which may stand anywhere in time.
    """

    what = "edit"
    PRESETS: ClassVar[dict[str, VideoConfig]] = {name: edit_config(base) for name, base in VideoModel.PRESETS.items()}

    def prepare(
        self,
        conditions: Conditions,
        shape: tuple[int, int, int],
        times: list[float] | None = None,
        first: int = 0,
    ) -> PreparedVideo:
        """See VideoModel. first: the token in time at which the latent begins; ValueError where it leaves the model."""
        made = super().prepare(conditions, shape, times)
        if not first:
            return made
        length, height, width = (cells // size for cells, size in zip(shape, self.config.patch, strict=True))
        if first < 0 or first + length > self.config.longest[0]:
            raise ValueError(
                f"got {length} tokens in time from {first} on, expected them within {self.config.longest[0]}; "
                "begin earlier."
            )
        time, rows, columns = self.positions
        positions = (
            time[first : first + length, None, None] + rows[:height][None, :, None] + columns[:width][None, None, :]
        )
        return replace(made, positions=positions.flatten(0, 2))
