"""Submits: the half of an engine that makes clips and sounds while the caller goes on."""

from abc import ABC, abstractmethod
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

from mediagen.media.clip import Clip, Film
from mediagen.personalize.store import mentioned
from mediagen.sdk.errors import RequestError
from mediagen.sdk.jobs import Job, LocalJob, Queue
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.person_clips import worded
from mediagen.sdk.tasks.progress import SILENT, SOUND_ALONE, WITH_SOUND, Advance
from mediagen.sdk.tasks.replay import read
from mediagen.sdk.tasks.requests import ExtendRequest, GenerateRequest
from mediagen.sdk.tasks.sound_requests import SoundRequest
from mediagen.sdk.tasks.sounds import heard_of
from mediagen.sdk.tasks.soundtracks import Soundtrack
from mediagen.sdk.tasks.wishes import ClipWishes, SoundWishes

if TYPE_CHECKING:
    from torch import Tensor


class Submits(ABC):
    """Jobs of an engine, made one after the other; what makes them is the engine's own `run`, and so on."""

    _queue: Queue

    @property
    @abstractmethod
    def limits(self) -> Limits: ...

    @abstractmethod
    def run(self, request: GenerateRequest) -> Film: ...

    @abstractmethod
    def run_extend(self, clip: Clip, request: ExtendRequest) -> Film: ...

    @abstractmethod
    def run_sound(self, video: Clip | str | Path, request: SoundRequest) -> Film | Soundtrack: ...

    @abstractmethod
    def run_audio(self, heard: "Tensor | None", request: SoundRequest) -> Clip: ...

    def submit(
        self, prompt: str, *, clip: Clip | str | Path | None = None, **settings: Unpack[ClipWishes]
    ) -> Job[Film]:
        """A Job that makes a clip from a prompt, or (with `clip`) a longer one, while the caller goes on.

        settings: as of `generate` and `extend`, without callbacks.  Jobs of an engine are made one after the other.
        Raises RequestError at once for a wrong request; what comes later is raised by `Job.result`.
        """
        asked: dict[str, Any] = {"prompt": prompt, **settings}
        if clip is None:
            make = partial(self.run, request := GenerateRequest.of(asked))
            (worded(request, self.limits) if mentioned(request.prompt) else request).fit(self.limits)
        else:
            clip = clip if isinstance(clip, Clip) else read(clip)
            make = partial(self.run_extend, clip, request := ExtendRequest.of(asked))
        sounds = bool(request.with_defaults(self.limits).sound)
        return self._queue.add(LocalJob(Advance(WITH_SOUND if sounds else SILENT)), make)

    @overload
    def submit_audio(
        self, prompt: str | None = None, *, video: str | Path, **wishes: Unpack[SoundWishes]
    ) -> Job[Soundtrack]: ...  # fmt: skip
    @overload
    def submit_audio(
        self, prompt: str | None = None, *, video: Clip | None = None, sound: Clip | str | Path | None = None,
        **wishes: Unpack[SoundWishes],
    ) -> Job[Clip]: ...  # fmt: skip
    def submit_audio(
        self,
        prompt: str | None = None,
        *,
        video: Clip | str | Path | None = None,
        sound: Clip | str | Path | None = None,
        **wishes: Unpack[SoundWishes],
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
            make = partial(self.run_audio, heard, request)
        elif sound is not None:
            raise RequestError("got a video and a sound, expected one of them; leave one out.")
        else:
            request.for_film(self.limits)
            make = partial(self.run_sound, video, request)
        return self._queue.add(LocalJob(Advance(SOUND_ALONE)), make)
