"""Engine: the models of one folder behind `generate` and `extend`, the face of mediagen in Python."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

from mediagen.media.clip import Clip
from mediagen.sdk.edits import Edits
from mediagen.sdk.errors import MediagenError, RequestError
from mediagen.sdk.hub.opening import HubWishes, opened, opened_again
from mediagen.sdk.jobs import Job, LocalJob, Queue
from mediagen.sdk.models.exporting import export_onnx
from mediagen.sdk.models.folder import ModelFolder, device_of, dtype_of
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks import results
from mediagen.sdk.tasks.progress import Progress, ProgressCallback, Share
from mediagen.sdk.tasks.replay import decoder_of, dtype_name, read
from mediagen.sdk.tasks.requests import ExtendRequest, GenerateRequest
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.sounds import heard_of
from mediagen.sdk.tasks.soundtracks import Soundtrack

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Engine", "Progress"]
StepCallback = Callable[["Engine", int, float, dict[str, Any]], bool | None]


class Engine(Edits):
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
        where = device_of(device)
        given = dtype_of(dtype, where)
        return cls(opened(model, where, revision, decoder, given, hub))

    @classmethod
    def to_repeat(cls, settings: dict[str, Any], model: str | Path | None = None) -> Self:
        """The engine that makes a clip again: with its dtype and decoder, or another; raises as `from_pretrained`."""
        dtype = dtype_name(settings)
        if "pipeline" in settings:
            return cls(opened_again(settings, model, dtype_of(dtype, device_of(None))))
        try:
            return cls.from_pretrained(model, decoder=decoder_of(settings), dtype=dtype)
        except MediagenError:
            return cls.from_pretrained(model, dtype=dtype)

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

    def generate(
        self,
        prompt: str,
        *,
        negative_prompt: str = "",
        seconds: float | None = None,
        fps: float | None = None,
        width: int | None = None,
        height: int | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        seed: int | None = None,
        sound: bool = True,
        sound_prompt: str | None = None,
        image: Any = None,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Clip:
        """A clip from a prompt: uint8 frames (F, H, W, 3), float32 sound (1, S) at 48 kHz (None where sound is False).

        None means the default of the model folder (`limits`).  seconds: length.  width, height: pixels.  seed:
        None draws one; it is stored in `clip.settings`.  image: the first frame, a path, a PIL image or uint8
        (H, W, 3).  callback_on_step_end(engine, step, t, info) is called after every sampling step, with info["stage"]
        and info["steps"]; where it returns False the work stops with Cancelled.  on_progress(Progress) hears
        every stage.
        Raises RequestError before any work where the request cannot be met, ModelError for damaged or missing models.
        """
        request = GenerateRequest.of(
            {
                "prompt": prompt,
                "negative_prompt": negative_prompt,
                "seconds": seconds,
                "fps": fps,
                "width": width,
                "height": height,
                "num_inference_steps": num_inference_steps,
                "guidance_scale": guidance_scale,
                "seed": seed,
                "sound": sound,
                "sound_prompt": sound_prompt,
                "image": image,
            }
        )
        return self.run(request, callback_on_step_end=callback_on_step_end, on_progress=on_progress)

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
        sound: bool = True,
        sound_prompt: str | None = None,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Clip:
        """The clip (or the one in a file) and `seconds` more, with pictures and sound that go on from its end.

        prompt: what happens next; None for the clip's own.  The frames that are there stay as they are.
        The rest as in `generate`; RequestError also for a file that cannot be read or a clip without pictures.
        """
        clip = clip if isinstance(clip, Clip) else read(clip)
        request = ExtendRequest.of(
            {
                "prompt": clip.caption if prompt is None else prompt,
                "seconds": seconds,
                "negative_prompt": negative_prompt,
                "num_inference_steps": num_inference_steps,
                "guidance_scale": guidance_scale,
                "seed": seed,
                "sound": sound,
                "sound_prompt": sound_prompt,
            }
        )
        return self.run_extend(clip, request, callback_on_step_end=callback_on_step_end, on_progress=on_progress)

    @overload
    def add_audio(self, video: str | Path, prompt: str | None = None, **wishes: Any) -> Soundtrack: ...
    @overload
    def add_audio(self, video: Clip, prompt: str | None = None, **wishes: Any) -> Clip: ...
    def add_audio(
        self,
        video: Clip | str | Path,
        prompt: str | None = None,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
        **wishes: Any,
    ) -> Clip | Soundtrack:
        """New sound that fits the pictures of a video of any length, rate and size.

        A file gives a `Soundtrack`, whose `save` copies the pictures bit for bit; a clip gives a clip.  prompt: what is
        heard or seen; None leaves it to the pictures.  wishes: music_prompt, effects, music, start, end, keep_audio,
        candidates, seed and all else that `SoundRequest` has; callbacks as in `generate`.
        Raises RequestError for a file that cannot be read and wishes that cannot be met, before any work.
        """
        request = SoundRequest.of({"prompt": prompt, **wishes})
        return self.run_sound(video, request, callback_on_step_end=callback_on_step_end, on_progress=on_progress)

    def generate_audio(self, prompt: str | None, seconds: float = 10.0, **wishes: Any) -> Clip:
        """Sound (1, S) at 48 kHz of so many seconds, as a clip; prompt: None for music; wishes, errors: `add_audio`."""
        return self._audio(None, {"prompt": prompt, "seconds": seconds, **wishes})

    def extend_audio(
        self, sound: Clip | str | Path, seconds: float = 5.0, prompt: str | None = None, **wishes: Any
    ) -> Clip:
        """The sound of a clip or file, which stays as it is, and `seconds` more; wishes, errors: `add_audio`."""
        return self._audio(sound, {"prompt": prompt, "seconds": seconds, **wishes})

    def fill_audio(
        self, sound: Clip | str | Path, start: float, end: float, prompt: str | None = None, **wishes: Any
    ) -> Clip:
        """The sound of a clip or file with start to end (seconds) made anew; wishes, errors: `add_audio`."""
        return self._audio(sound, {"prompt": prompt, "start": start, "end": end, **wishes})

    def submit(self, prompt: str, *, clip: Clip | str | Path | None = None, **settings: Any) -> Job[Clip]:
        """A Job that makes a clip from a prompt, or (with `clip`) a longer one, while the caller goes on.

        settings: as of `generate` and `extend`, without callbacks.  Jobs of an engine are made one after the other.
        Raises RequestError at once for a wrong request; what comes later is raised by `Job.result`.
        """
        asked = {"prompt": prompt, **settings}
        if clip is None:
            make = partial(self.run, request := GenerateRequest.of(asked))
            request.fit(self.limits)
        else:
            clip = clip if isinstance(clip, Clip) else read(clip)
            make = partial(self.run_extend, clip, request := ExtendRequest.of(asked))
        return self._queue.add(LocalJob(Share(sound=request.sound)), make)

    @overload
    def submit_audio(self, prompt: str | None = None, *, video: str | Path, **wishes: Any) -> Job[Soundtrack]: ...
    @overload
    def submit_audio(
        self, prompt: str | None = None, *, video: Clip | None = None, sound: Clip | str | Path | None = None,
        **wishes: Any,
    ) -> Job[Clip]: ...  # fmt: skip
    def submit_audio(
        self,
        prompt: str | None = None,
        *,
        video: Clip | str | Path | None = None,
        sound: Clip | str | Path | None = None,
        **wishes: Any,
    ) -> Job[Any]:
        """`submit` for sound: what is given says which.

        video: its soundtrack, as `add_audio`.  sound, with seconds: more of it, as `extend_audio`; with start and end:
        a gap of it, as `fill_audio`.  Neither: sound of so many seconds, as `generate_audio`.  wishes: theirs, without
        callbacks.
        """
        request = SoundRequest.of({"prompt": prompt, **wishes})
        if video is None:
            heard = None if sound is None else heard_of(sound, self.limits)
            request.alone(self.limits, None if heard is None else heard.shape[-1])
            make = partial(self._run_audio, heard, request)
        elif sound is not None:
            raise RequestError("got a video and a sound, expected one of them; leave one out.")
        else:
            request.for_film(self.limits)
            make = partial(self.run_sound, video, request)
        return self._queue.add(LocalJob(Share(pictures=False)), make)

    def run(
        self,
        request: GenerateRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Clip:
        """Meets a request that is made already; `generate` makes one, calls this, and says the rest."""
        return results.clip(self.models, request, self._step(callback_on_step_end), on_progress)

    def run_extend(
        self,
        clip: Clip,
        request: ExtendRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Clip:
        """Meets a request to extend that is made already; `extend` makes one, calls this, and says the rest."""
        return results.longer(self.models, clip, request, self._step(callback_on_step_end), on_progress)

    def run_sound(
        self,
        video: Clip | str | Path,
        request: SoundRequest,
        *,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Clip | Soundtrack:
        """Meets a request for a video's sound; `add_audio` makes one, calls this, and says the rest."""
        return results.soundtrack(self.models.sound, video, request, self._step(callback_on_step_end), on_progress)

    def _audio(self, sound: Clip | str | Path | None, wishes: dict[str, Any]) -> Clip:
        calls = {name: wishes.pop(name, None) for name in ("callback_on_step_end", "on_progress")}
        request = SoundRequest.of(wishes)
        return self._run_audio(None if sound is None else heard_of(sound, self.limits), request, **calls)

    def _run_audio(
        self, heard: "Tensor | None", request: SoundRequest, *, callback_on_step_end: StepCallback | None,
        on_progress: ProgressCallback | None,
    ) -> Clip:  # fmt: skip
        return results.sound(self.models.sound, heard, request, self._step(callback_on_step_end), on_progress)

    def _step(self, callback: StepCallback | None) -> Callable[[int, float, dict[str, Any]], bool | None] | None:
        """The callback as the work calls it, which does not know the engine."""
        return None if callback is None else partial(callback, self)
