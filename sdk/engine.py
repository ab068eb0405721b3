"""Engine: the models of one folder behind `generate` and `extend`, the face of mediagen in Python."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

from mediagen.media.clip import Clip, Film
from mediagen.personalize.character import Character
from mediagen.sdk.editing import Editing
from mediagen.sdk.hub.opening import HubWishes, opened, opened_again
from mediagen.sdk.jobs import Queue
from mediagen.sdk.models.exporting import export_onnx
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.models.sharing import save_pretrained
from mediagen.sdk.people import People
from mediagen.sdk.stories import Stories
from mediagen.sdk.submits import Submits
from mediagen.sdk.tasks import judges, person_clips, results
from mediagen.sdk.tasks.progress import Progress, ProgressCallback
from mediagen.sdk.tasks.replay import read, words_of
from mediagen.sdk.tasks.requests import ExtendRequest, GenerateRequest
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.sounds import heard_of
from mediagen.sdk.tasks.soundtracks import Soundtrack
from mediagen.sdk.tasks.wishes import (
    ClipWishes,
    FilmSoundWishes,
    HeardFilmWishes,
    HeardSoundWishes,
    MadeClipWishes,
)
from mediagen.sdk.upscaling import Upscaling

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Engine", "Progress"]
StepCallback = Callable[["Engine", int, float, dict[str, Any]], bool | None]


class Engine(Submits, Editing, People, Stories, Upscaling):
    """Makes clips. One engine serves any number of threads: models are loaded once and only read.

    What belongs to a request (random numbers, state of the sampler) lives in the call; torch's global random state is
    never touched. The same request with the same seed on the same machine gives the same clip.
    """

    def __init__(self, models: ModelFolder) -> None:
        self.models = models
        self._queue = Queue()

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        device: str | None = None,
        revision: str | None = None,
        decoder: str | None = None,
        dtype: str | None = None,
        **hub: Unpack[HubWishes],
    ) -> Self:
        """The engine of a model folder, a name "owner/model" on the Hugging Face hub, or (None) the built-in models.

        device: "cpu", "cuda", ...; None takes a GPU where there is one.  revision: of a hub model.
        decoder: what turns latents into pictures and sound, "onnx" or "torch"; None takes ONNX on a CPU where the
        decoders that `export_onnx` wrote stand beside the weights that they were made from, as in the built-in models.
        dtype: of the weights of the transformers, "bfloat16" or "float32"; None takes bfloat16 on a GPU. What a sampler
        adds up is float32 either way.
        hub: of models in diffusers' layout (see docs/models.md): offload, quantize, tiling, lora, sound_model.
        Raises ModelError where there is no such folder or decoder, RequestError where there is no such device or dtype.
        Weights are read when they are first needed.
        """
        return cls(opened(model, device, revision, decoder, dtype, hub))

    @classmethod
    def to_repeat(cls, settings: dict[str, Any], model: str | Path | None = None, **hub: Unpack[HubWishes]) -> Self:
        """The engine that makes a clip again: with its dtype and decoder, or another; raises as `from_pretrained`."""
        return cls(opened_again(settings, model, hub))

    @property
    def limits(self) -> Limits:
        """What the models were trained for, and the defaults: sizes, seconds, fps, steps, guidance."""
        return self.models.limits

    @property
    def decoder(self) -> str:
        """What turns latents into pictures and sound: "onnx" or "torch"."""
        return self.models.runtime

    def export_onnx(self, folder: str | Path) -> list[Path]:
        """Writes the decoders as ONNX files, each with a JSON that says how to use it, and returns the files.

        They stand in folder/tae/decoder.onnx and so on; where `folder` is the model folder, engines use them from then
        on. Each is held against torch at three shapes; one that differs by more than 1e-4 is not written and ends in
        ModelError. RequestError where a package is missing (extra `onnx`) or the model folder has no decoder.
        """
        return export_onnx(self.models, Path(folder))

    def save_pretrained(self, folder: str | Path, *, license: str | None = None) -> Path:
        """Writes the models to `folder` as others can fetch them, with a card of what is known of them, README.md.

        `from_pretrained` reads such a folder, and the same files from the hub.  license: of the weights, as the hub
        names it.  Raises ModelError where the folder has something else in it.
        """
        return save_pretrained(self.models, Path(folder), license)

    @overload
    def generate(self, prompt: str, *, num_videos: None = None, **wishes: Unpack[MadeClipWishes]) -> Film: ...
    @overload
    def generate(self, prompt: str, *, num_videos: int, **wishes: Unpack[MadeClipWishes]) -> list[Film]: ...
    def generate(
        self,
        prompt: str,
        *,
        character: Character | None = None,
        person_scale: float | None = None,
        candidates: int | None = None,
        num_videos: int | None = None,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
        **wishes: Unpack[ClipWishes],
    ) -> Film | list[Film]:
        """A clip from a prompt: uint8 frames (F, H, W, 3), float32 sound (1, S) at 48 kHz, or None without.

        wishes: as of `GenerateRequest`, where None means the default of the model folder (`limits`): negative_prompt,
        seconds, fps, width and height in pixels, num_inference_steps, guidance_scale, seed (drawn where None; it is in
        `clip.settings`), sound (whether to make some, where the models can by default), sound_prompt, image: the
        first frame, a path, a PIL image or uint8 (H, W, 3), rewrite: whether the prompt becomes a caption as the models
        were taught, and strict: refuse words that they don't know.
        character: a person to show; a prompt with @name shows one that is kept.  person_scale: how strongly, 1 as the
        words.  candidates: so many are made, and the most like is kept.
        num_videos: a list of so many, with the seed and those after it, made together where that is faster.
        callback_on_step_end(engine, step, t, info) is called after every sampling step, with info["stage"]
        and info["steps"]; where it returns False the work stops with Cancelled.  on_progress(Progress) hears
        every stage.
        Raises RequestError before any work where the request cannot be met, ModelError for damaged or missing models.
        """
        request, calls = (
            GenerateRequest.of({"prompt": prompt, **wishes}),
            (self._step(callback_on_step_end), on_progress),
        )
        cast = person_clips.Cast(character, person_scale, candidates)
        made = person_clips.clips(
            self.models, request, 1 if num_videos is None else num_videos, self.characters, *calls, cast=cast
        )
        return made[0] if num_videos is None else made

    def score(self, clip: Clip | str | Path, prompt: str | None = None) -> dict[str, float]:
        """What the judges of the model folder say of a clip (or the one in a file), for a prompt; None: its own.

        colour, kind, motion, place and so on: how sure the recogniser is of what the prompt names of them, 0 to 1.
        "whole object": share of frames with one of that colour.  "sound and words", "sound and pictures": how well they
        fit, -1 to 1; "music": whether there is some.  What the folder has no judge for is left out.
        Raises RequestError for a file that cannot be read or a prompt that the judges cannot look for.
        """
        clip = clip if isinstance(clip, Clip) else read(clip)
        return judges.score(self.models, clip, words_of(clip) if prompt is None else prompt)

    def extend(
        self,
        clip: Clip | str | Path,
        prompt: str | None = None,
        seconds: float | None = None,
        *,
        negative_prompt: str = "",
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        seed: int | None = None,
        sound: bool | None = None,
        sound_prompt: str | None = None,
        rewrite: bool = True,
        strict: bool = False,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Film:
        """The clip (or the one in a file) and `seconds` more, with pictures and sound that go on from its end.

        prompt: what happens next; None for the clip's own.  The frames that are there stay as they are, and so does the
        person in them, where `characters` has them.
        The rest as in `generate`; RequestError also for a file that cannot be read or a clip without pictures.
        """
        clip = clip if isinstance(clip, Clip) else read(clip)
        asked = {"prompt": clip.caption if prompt is None else prompt, "negative_prompt": negative_prompt}
        asked |= {"seconds": seconds, "num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale}
        asked |= {"seed": seed, "sound": sound, "sound_prompt": sound_prompt, "rewrite": rewrite, "strict": strict}
        request = ExtendRequest.of(asked)
        return self.run_extend(clip, request, callback_on_step_end=callback_on_step_end, on_progress=on_progress)

    @overload
    def add_audio(
        self, video: str | Path, prompt: str | None = None, **wishes: Unpack[HeardFilmWishes]
    ) -> Soundtrack: ...
    @overload
    def add_audio(self, video: Clip, prompt: str | None = None, **wishes: Unpack[HeardFilmWishes]) -> Film: ...
    def add_audio(
        self,
        video: Clip | str | Path,
        prompt: str | None = None,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
        **wishes: Unpack[FilmSoundWishes],
    ) -> Film | Soundtrack:
        """New sound that fits the pictures of a video of any length, rate and size.

        A file gives a `Soundtrack`, whose `save` copies the pictures bit for bit; a clip gives a clip.  prompt: what is
        heard or seen; None leaves it to the pictures.  wishes: music_prompt, effects, music, start, end, keep_audio,
        candidates, seed and all else that `SoundRequest` has; callbacks as in `generate`.
        Raises RequestError for a file that cannot be read and wishes that cannot be met, before any work.
        """
        request = SoundRequest.of({"prompt": prompt, **wishes})
        return self.run_sound(video, request, callback_on_step_end=callback_on_step_end, on_progress=on_progress)

    def generate_audio(self, prompt: str | None, seconds: float = 10.0, **wishes: Unpack[HeardSoundWishes]) -> Clip:
        """Sound (1, S) at 48 kHz of so many seconds, as a clip; prompt: None for music; wishes, errors: `add_audio`."""
        return self._audio(None, {"prompt": prompt, "seconds": seconds, **wishes})

    def extend_audio(
        self,
        sound: Clip | str | Path,
        seconds: float = 5.0,
        prompt: str | None = None,
        **wishes: Unpack[HeardSoundWishes],
    ) -> Clip:
        """The sound of a clip or file, which stays as it is, and `seconds` more; wishes, errors: `add_audio`."""
        return self._audio(sound, {"prompt": prompt, "seconds": seconds, **wishes})

    def fill_audio(
        self,
        sound: Clip | str | Path,
        start: float,
        end: float,
        prompt: str | None = None,
        **wishes: Unpack[HeardSoundWishes],
    ) -> Clip:
        """The sound of a clip or file with start to end (seconds) made anew; wishes, errors: `add_audio`."""
        return self._audio(sound, {"prompt": prompt, "start": start, "end": end, **wishes})

    def run(
        self,
        request: GenerateRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Film:
        """Meets a request that is made already; `generate` makes one, calls this, and says the rest."""
        return person_clips.clips(
            self.models, request, 1, self.characters, self._step(callback_on_step_end), on_progress
        )[0]

    def run_several(
        self,
        request: GenerateRequest,
        count: int,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> list[Film]:
        """`run` for several clips, with the seed of the request and those after it."""
        step = self._step(callback_on_step_end)
        return person_clips.clips(self.models, request, count, self.characters, step, on_progress)

    def run_extend(
        self,
        clip: Clip,
        request: ExtendRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Film:
        """Meets a request to extend that is made already; `extend` makes one, calls this, and says the rest."""
        calls = self._step(callback_on_step_end), on_progress
        return person_clips.longer(self.models, clip, request, self.characters, *calls)

    def run_sound(
        self,
        video: Clip | str | Path,
        request: SoundRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Film | Soundtrack:
        """Meets a request for a video's sound; `add_audio` makes one, calls this, and says the rest."""
        return results.soundtrack(self.models.sound, video, request, self._step(callback_on_step_end), on_progress)

    def _audio(self, sound: Clip | str | Path | None, wishes: dict[str, Any]) -> Clip:
        calls = {name: wishes.pop(name, None) for name in ("callback_on_step_end", "on_progress")}
        request = SoundRequest.of(wishes)
        return self.run_audio(None if sound is None else heard_of(sound, self.limits), request, **calls)

    def run_audio(
        self,
        heard: "Tensor | None",
        request: SoundRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Clip:
        """Meets a request for sound alone, or after what is `heard` (channels, S), that is made already."""
        return results.sound(self.models.sound, heard, request, self._step(callback_on_step_end), on_progress)

    def _step(self, callback: StepCallback | None) -> Callable[[int, float, dict[str, Any]], bool | None] | None:
        """The callback as the work calls it, which does not know the engine."""
        return None if callback is None else partial(callback, self)
