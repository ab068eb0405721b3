"""PipelineFolder: a pipeline of diffusers in the place of a `ModelFolder`, with a folder of ours for the sound."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

import gc
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mediagen.export.runtime import OnnxDecoder
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.hub.entry import Call
from mediagen.sdk.hub.layout import Layout
from mediagen.sdk.hub.memory import Memory, in_memory
from mediagen.sdk.hub.preview import Previewer
from mediagen.sdk.models.folder import SOUND_FAMILIES, ModelFolder
from mediagen.sdk.models.limits import Limits

PICTURES = ("prompt", "tae", "video")  # families of a model folder that a pipeline stands in for
_CACHED = re.compile(r"models--(?P<owner>[^/]+)--(?P<name>[^/]+)/snapshots/(?P<revision>[0-9a-f]{7,40})$")
log = logging.getLogger(__name__)


class PipelineFolder(ModelFolder):
    """One pipeline. Like a `ModelFolder` it reads weights when they are first needed, once, and shares them.

    A scheduler keeps the state of its run, so that one call is made at a time (`using`); others wait for it.
    sound: the folder of ours, or the pipeline, that gives films their sound.
    Raises ModelError for a class that is not known or a damaged folder, RequestError for a missing package.
    """

    def __init__(
        self,
        path: str | Path,
        device: torch.device,
        dtype: torch.dtype | None = None,
        memory: Memory | None = None,
        sound: ModelFolder | None = None,
    ) -> None:
        self.path, self.device = Path(path), device
        self.layout = Layout(self.path)
        self.layout.require_packages()
        self.entry, self.memory = self.layout.entry, memory or Memory()
        self.dtype = dtype or (torch.bfloat16 if device.type == "cuda" else torch.float32)
        self._sound = sound
        self._limits = self.layout.limits
        if sound is not None:
            said = sound.limits
            self._limits = self._limits.replace(
                sound=said.sound or self.entry.speaks or isinstance(sound, PipelineFolder),
                sound_steps=said.sound_steps,
                sound_guidance_scale=said.sound_guidance_scale,
                sound_candidates=said.sound_candidates,
                max_sound_seconds=said.max_sound_seconds,
            )
        self._lock, self._call_lock = threading.RLock(), threading.RLock()
        self._pipes: dict[str, Any] = {}
        self._previewer: Previewer | None = None

    @property
    def limits(self) -> Limits:
        """See ModelFolder."""
        return self._limits

    @property
    def sound(self) -> ModelFolder:
        """See ModelFolder: the folder whose models make sound."""
        return self if self._sound is None else self._sound

    def can(self, task: str) -> bool:
        """Whether the pipeline does a task."""
        return self.entry.call(task) is not None

    def makes(self, kind: str) -> bool:
        """Whether a kind of job can be made; for the service."""
        tasks = {"generate": ("generate", "picture", "character"), "extend": ("extend",), "edit": ("edit",)}
        if kind in ("extend_sound", "fill_sound"):
            return not isinstance(self.sound, PipelineFolder)
        return kind not in tasks or any(map(self.can, tasks[kind]))

    def has(self, name: str) -> bool:
        """See ModelFolder: a pipeline that makes clips stands in for the families of pictures."""
        if name == "edit":
            return self.can("edit")
        if name in ("tae", "video"):
            return any(map(self.can, ("generate", "picture", "character")))
        return self._sound.has(name) if self._sound is not None else self.can("sound") and name in SOUND_FAMILIES

    def get(self, name: str) -> Any:
        """See ModelFolder. The "tae" only shows latents on their way."""
        if name == "tae":
            self._previewer = self._previewer or Previewer(self)
            return self._previewer
        if name == "video" or self._sound is None:
            return self.pipeline(next(iter(self.entry.calls)))
        return self._sound.get(name)

    def loaded(self, name: str) -> bool:
        """See ModelFolder."""
        return bool(self._pipes) if name in PICTURES else self._sound is not None and self._sound.loaded(name)

    @property
    def runtime(self) -> str:
        """See ModelFolder: pictures are decoded by the pipeline."""
        return "torch"

    def decoder(self, name: str) -> OnnxDecoder | None:
        """See ModelFolder."""
        return None if self._sound is None or name == "tae" else self._sound.decoder(name)

    def exportable(self) -> list[str]:
        """See ModelFolder: nothing of a pipeline is exported."""
        return []

    def call(self, task: str) -> Call:
        """How a task is done; RequestError where the pipeline cannot."""
        call = self.entry.call(task)
        if call is None:
            words = {"generate": "making a clip from words alone", "picture": "starting from a picture",
                     "extend": "continuing a clip", "edit": "editing a film", "character": "a person from a photo",
                     "sound": "sound"}  # fmt: skip
            able = " or ".join(words[one] for one in self.entry.tasks)
            given = " ".join(["give it one with image" if task == "generate" and self.can("picture") else
                              "take another model"])  # fmt: skip
            raise RequestError(f"got a request for {words[task]}, but {self.layout.name} is for {able}; {given}.")
        return call

    def pipeline(self, task: str) -> Any:
        """The pipeline that does a task, on its device; classes that do others share its weights."""
        import diffusers

        name = self.call(task).pipeline
        with self._lock:
            if name not in self._pipes:
                main = self._main()
                self._pipes[name] = main if name == self.layout.name else _sibling(getattr(diffusers, name), main)
                if name != self.layout.name and self.memory.offload != "none":  # hooks know the pipeline they are of
                    self.memory.place(self._pipes[name], self.device, self.dtype, [])
            return self._pipes[name]

    @contextmanager
    def using(self, task: str) -> Iterator[Any]:
        """The pipeline for one call, alone; OutOfMemory, with what to try next, where memory runs out."""
        with self._call_lock:
            try:
                pipe = self.pipeline(task)
            except (torch.OutOfMemoryError, MemoryError) as error:
                self._pipes.clear()
                with in_memory(None, self.memory):
                    raise error
            with in_memory(pipe, self.memory):
                yield pipe

    def unload(self) -> None:
        """Frees the weights, which are read again when they are needed; waits for a call that is being made."""
        with self._call_lock, self._lock:
            self._pipes.clear()
            self._previewer = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def told(self) -> dict[str, Any]:
        """See ModelFolder: also the pipeline, the revision, the versions of libraries and the licence."""
        import diffusers
        import transformers

        said = {**super().told(), "pipeline": self.layout.name, "diffusers": diffusers.__version__,
                "torch": torch.__version__, "transformers": transformers.__version__,
                "licence": self.layout.licence, "memory": self.memory.told()}  # fmt: skip
        cached = _CACHED.search(self.path.resolve().as_posix())
        if cached is not None:
            said |= {"weights": f"{cached['owner']}/{cached['name']}", "revision": cached["revision"]}
        if self._sound is not None:
            of_sound = self._sound.told()
            said["sound_model"] = of_sound.get("weights", of_sound["model"])
        return said | ({"untrained": True} if self.layout.random else {})

    def _main(self) -> Any:
        """The pipeline of the folder's own class, loaded."""
        import diffusers

        name = self.layout.name
        if name not in self._pipes:
            lacking = self.layout.missing()
            if lacking:
                raise ModelError(
                    f"got the folder '{self.path.name}' without {', '.join(lacking[:5])}; "
                    "fetch the model again: mediagen fetch."
                )
            types: dict[str, torch.dtype] = {part: torch.float32 for part in self.entry.exact}
            try:
                with _quiet():
                    pipe = getattr(diffusers, name).from_pretrained(
                        self.path,
                        dtype={"default": self.dtype, **types} if types else self.dtype,
                        use_safetensors=True,
                        local_files_only=True,
                        **self.memory.loading(self.layout.transformers),
                    )
            except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
                why = " ".join(str(error).split())[:300]
                raise ModelError(f"cannot load the {name} in '{self.path.name}': {why}") from None
            for part in pipe.components.values():
                if isinstance(part, nn.Module):
                    part.eval()
            pipe.set_progress_bar_config(disable=True)
            self.memory.place(pipe, self.device, self.dtype, self.layout.transformers)
            log.info("%s: the weights are under %s.", self.path.name, self.layout.licence)
            self._pipes[name] = pipe
        return self._pipes[name]


def _sibling(kind: Any, pipe: Any) -> Any:
    """A pipeline of another class over the same components, and those that it has besides left empty."""
    import inspect

    known = {**pipe.components, **{name: value for name, value in pipe.config.items() if not name.startswith("_")}}
    wanted = inspect.signature(kind.__init__).parameters
    made = {name: known.get(name) if name in known and not _is_index(known[name]) else pipe.components.get(name)
            for name in wanted if name != "self" and (name in known or name in kind._optional_components)}  # fmt: skip
    sibling = kind(**made)
    sibling.set_progress_bar_config(disable=True)
    return sibling


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars that both libraries draw while they load; who uses them besides finds them as they were."""
    from diffusers.utils import logging as ours
    from transformers.utils import logging as theirs

    shown = [(kind, kind.is_progress_bar_enabled()) for kind in (ours, theirs)]
    for kind, _ in shown:
        kind.disable_progress_bar()
    try:
        yield
    finally:
        for kind, was in shown:
            if was:
                kind.enable_progress_bar()


def _is_index(value: Any) -> bool:
    """Whether a value of a pipeline's config names a component's class."""
    return isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[1], str)
