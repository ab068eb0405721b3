"""Stories: the part of an engine that makes films of several scenes."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from mediagen.personalize.character import Character
from mediagen.personalize.store import Store
from mediagen.sdk.jobs import Job, LocalJob, Queue
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.tasks.progress import STORY, Advance, ProgressCallback
from mediagen.sdk.tasks.results import seeded
from mediagen.sdk.tasks.stories import OnScene, Story, StoryWork
from mediagen.sdk.tasks.story_requests import StoryRequest
from mediagen.sdk.tasks.takes import Takes
from mediagen.sdk.tasks.wishes import MadeStoryWishes, StoryWishes

StepCallback = Callable[[Any, int, float, dict[str, Any]], bool | None]  # of the engine, step, t, info
Scenes = str | Sequence[str | dict[str, Any]]


class Stories:
    """Stories with the models of an engine."""

    _queue: Queue
    models: ModelFolder

    @property
    @abstractmethod
    def characters(self) -> Store: ...

    @abstractmethod
    def _step(self, callback: StepCallback | None) -> Callable[[int, float, dict[str, Any]], bool | None] | None: ...

    def story(
        self,
        scenes: Scenes,
        *,
        character: Character | None = None,
        folder: str | Path | None = None,
        on_scene: OnScene | None = None,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
        **wishes: Unpack[StoryWishes],
    ) -> Story:
        """A film of several scenes with one soundtrack: `.clip`, `.scenes`, `.remake(i)`, `.save(path)`.

        scenes: "a red ball rolls right in a meadow | it bounces | night falls", or a list of texts and of tables with
        what `SceneRequest` has: prompt, seconds, transition ("continue", "cut" or "dissolve"), seed, character,
        sound_prompt. What a scene leaves open is taken from the one before.  wishes: seconds of a scene, music that
        goes through, seed and all else that `StoryRequest` has.  character: who is in every scene.  folder: where
        scenes stand as they are made, so that a story that was killed goes on; None keeps them in memory.
        on_scene(index, clip) is called when a scene's pictures are there, without sound yet; callbacks: `generate`.
        Raises RequestError before any work, which names the scene; errors as in `generate`.
        """
        request = StoryRequest.of({"scenes": scenes, **wishes})
        return self.run_story(request, character=character, folder=folder, on_scene=on_scene,
                              callback_on_step_end=callback_on_step_end, on_progress=on_progress)  # fmt: skip

    def submit_story(self, scenes: Scenes, **wishes: Unpack[MadeStoryWishes]) -> Job[Story]:
        """A Job that makes a story while the caller goes on; wishes: as of `story`, without callbacks."""
        given: Any = dict(wishes)
        beside = {name: given.pop(name) for name in ("character", "folder", "on_scene") if name in given}
        request = seeded(StoryRequest.of({"scenes": scenes, **given}))
        request.fit(self.models.limits)
        return self._queue.add(LocalJob(Advance(STORY)), partial(self.run_story, request, **beside))

    def run_story(
        self,
        request: StoryRequest,
        *,
        character: Character | None = None,
        folder: str | Path | None = None,
        on_scene: OnScene | None = None,
        callback_on_step_end: StepCallback | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Story:
        """Meets a request for a story that is made already; `story` makes one, calls this, and says the rest."""
        takes, step = Takes(None if folder is None else Path(folder)), self._step(callback_on_step_end)

        def made(asked: StoryRequest) -> Story:
            full = seeded(asked)
            work = StoryWork(self.models, full, self.characters, takes, character, on_scene, step, on_progress)
            return work.make(made)

        return made(request)
