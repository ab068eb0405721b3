"""UpscaleWork: a film on its way to larger pictures, twice as large each time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mediagen.media.clip import Clip, Film
from mediagen.sdk.errors import ModelError
from mediagen.sdk.models.catalog import UPSCALE_FAMILIES
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.edit_sources import ClipSource, Source, source_of
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.results import seeded, settings_of_work
from mediagen.sdk.tasks.upscale_requests import UpscaleRequest
from mediagen.sdk.tasks.upscaled import Larger, Spool, UpscaledFilm
from mediagen.sdk.tasks.work import StepCallback, Work
from mediagen.upsample import FACTOR, UpsampleModels, UpsampleWay, count_sections, upscale_latents

STAGE = "Enlarging the pictures"
_TOGETHER = 512 * 512  # pixels up to which several windows in time are solved together


class UpscaleWork(Work):
    """Makes one source larger by one request that is filled in, seed included."""

    def __init__(
        self,
        models: ModelFolder,
        request: UpscaleRequest,
        on_step: StepCallback | None,
        on_progress: ProgressCallback | None,
    ) -> None:
        super().__init__(models, request, on_step, on_progress)
        self.request = request

    def make(self, source: Source) -> Larger:
        """The larger pictures; of the film itself few are in memory at once."""
        if not all(self.models.loaded(name) for name in UPSCALE_FAMILIES):
            self._stage("Loading")
        assert self.request.keep is not None
        models = UpsampleModels(*(self.models.get(name) for name in UPSCALE_FAMILIES))
        rng = torch.Generator(self.models.device).manual_seed(self._seed)
        sizes = [source.size]
        while sizes[-1][0] < self.request.factor * source.size[0]:
            sizes.append((FACTOR * sizes[-1][0], FACTOR * sizes[-1][1]))
        ways = [UpsampleWay(steps=self._count, section=3 if w * h <= _TOGETHER else 1) for w, h in sizes[1:]]
        counts = [count_sections(len(source.times), way) * way.steps for way in ways]
        pieces: Callable[[], Iterator[Tensor]] = source.whole
        made: Larger | None = None
        for index, (size, way) in enumerate(zip(sizes[1:], ways, strict=True)):
            on_step = self._steps(STAGE, sum(counts), sum(counts[:index]))
            spool = Spool()
            for latent in upscale_latents(models, pieces(), rng=rng, way=way, on_step=on_step):
                spool.add(latent)
            made = Larger(models.tae, spool, size, pieces, self.request.keep)
            pieces = made.pieces
        assert made is not None
        return made


def check_models(models: ModelFolder) -> None:
    """ModelError where a folder has no models that make pictures larger."""
    lacking = [name for name in UPSCALE_FAMILIES if not models.has(name)]
    if lacking:
        raise ModelError(
            f"got the model folder '{models.path}', which has no {' and no '.join(lacking)}; train them with "
            "'mediagen train', see docs/upscale.md, or give a folder that has them."
        )


def upscaled(
    models: ModelFolder,
    video: Clip | str | Path,
    request: UpscaleRequest,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> Film | UpscaledFilm:
    """A clip with larger pictures, or a film's file."""
    check_models(models)
    source = source_of(video, models.limits.max_upscale_seconds)
    full = seeded(request.fit(models.limits, source.size))
    if full.keep is None:
        full = full.model_copy(update={"keep": 0.0 if source.settings else 1.0})
    work = UpscaleWork(models, full, on_step, on_progress)
    larger = work.make(source)
    caption = str(source.settings.get("prompt", ""))
    settings = {**settings_of_work(work, request, []), "source": source.settings}
    if isinstance(source, ClipSource):
        return Film(torch.cat(list(larger.pieces())), source.clip.fps, source.clip.sound, source.clip.rate,
                    source.clip.caption, settings)  # fmt: skip
    return UpscaledFilm(larger, source.footage, caption, settings)


def enlarged(
    models: ModelFolder,
    clip: Film,
    factor: int,
    on_step: StepCallback | None,
    on_progress: ProgressCallback | None,
) -> Film:
    """A new clip of a size beyond what the models make at once: its settings tell the size, and how it came to it."""
    request = UpscaleRequest.of({"factor": factor, "seed": clip.settings["seed"]})
    made = upscaled(models, clip, request, on_step, on_progress)
    assert isinstance(made, Film)
    width, height = (factor * clip.settings[name] for name in ("width", "height"))
    told = {"factor": factor, "num_inference_steps": made.settings["num_inference_steps"]}
    return replace(made, settings={**clip.settings, "width": width, "height": height, "upscaled": told})
