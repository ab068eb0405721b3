"""Work: one request on its way. All that belongs to the request lives here; the models are only read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from mediagen.audio.extend import Extension, Pictures
from mediagen.audio.generate import SoundModels, Way
from mediagen.audio.judge.rank import Ranker
from mediagen.audio.sampler import Guidance
from mediagen.sampling import OnStep
from mediagen.sdk.errors import Cancelled, RequestError
from mediagen.sdk.models.catalog import SOUND_FAMILIES
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.progress import Progress, ProgressCallback
from mediagen.sdk.tasks.requests import Asked

StepCallback = Callable[[int, float, dict[str, Any]], bool | None]


class Work:
    """What making clips and making sound share: models, progress, cancelling, random numbers.

    request: filled in, seed included.  notes: sentences for the user about what was not done as asked.
    """

    def __init__(
        self, models: ModelFolder, request: Asked, on_step: StepCallback | None, on_progress: ProgressCallback | None
    ) -> None:
        self.models, self.limits, self.asked = models, models.limits, request
        self.notes: list[str] = []
        self._on_step, self._on_progress = on_step, on_progress

    def check_sound(self) -> None:
        """RequestError where the folder has no models of sound: before anything is made, not after."""
        missing = [name for name in SOUND_FAMILIES if not self.models.has(name)]
        if missing:
            raise RequestError(
                f"got a request with sound, expected one without, for the model folder lacks {', '.join(missing)}; "
                "ask for no sound, or give another folder."
            )

    def _sound_models(self) -> SoundModels:
        if not all(self.models.loaded(name) for name in SOUND_FAMILIES):
            self._stage("Loading")
        return SoundModels(*(self.models.get(name) for name in SOUND_FAMILIES), decoder=self._decoder("codec"))

    def _way(self, models: SoundModels, steps: int, guidance: Guidance, candidates: int, **plan: str) -> Way:
        """How sound is made; several candidates need the scorer that `_ranked` gives a choice by."""
        if candidates > 1 and not self.models.has("sound_scorer"):
            raise RequestError(
                f"got {candidates} candidates, expected 1, for the model folder has no sound_scorer to choose by; "
                "ask for 1, or give another folder."
            )
        return Way(plan=Extension.fit(models.audio, **plan), steps=steps, guidance=guidance, candidates=candidates)

    def _ranked(self, models: SoundModels, way: Way, words: str, pictures: Pictures | None, *, music: bool = True,
                effects: bool = True) -> Way:  # fmt: skip
        """The way with what chooses among its candidates: see `Ranker`."""
        if way.candidates == 1:
            return way
        scorer, decoder = self.models.get("sound_scorer"), models.decoder or models.codec
        return replace(way, choose=Ranker(scorer, decoder, words, pictures, music, effects))

    def _decoder(self, name: str) -> Any:
        """The ONNX decoder of a family, or None where torch's own is used; what is odd about it becomes a note."""
        decoder = self.models.decoder(name)
        if decoder is not None and decoder.note and decoder.note not in self.notes:
            self.notes.append(decoder.note)
        return decoder

    @property
    def _seed(self) -> int:
        assert self.asked.seed is not None
        return self.asked.seed

    @property
    def _count(self) -> int:
        assert self.asked.num_inference_steps is not None
        return self.asked.num_inference_steps

    def _stage(self, stage: str, step: int = 0, steps: int | None = None) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(stage, step, steps))

    @property
    def seed(self) -> int:
        """The seed of the request."""
        return self._seed

    def steps_of(self, stage: str, steps: int, done: int = 0) -> OnStep:
        """What a solver calls after each step; done: of the steps, before its first."""
        return self._steps(stage, steps, done)

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
