"""Stories of a service, with the face of an engine's."""

import copy
from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from mediagen.sdk.remote import payload
from mediagen.sdk.remote.jobs import RemoteJob
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.wishes import StoryWishes

if TYPE_CHECKING:
    from mediagen.media.clip import Film


class RemoteStory:
    """A story that a service made: `clip`, `scenes` and `save`; files are fetched when they are asked for."""

    def __init__(self, job: "RemoteJob[Film]", count: int) -> None:
        self.job, self._count = job, count

    @cached_property
    def clip(self) -> "Film":
        """The whole film."""
        return self.job.result()

    @cached_property
    def scenes(self) -> "list[Film]":
        """Each scene, as a film of its own."""
        made = []
        for number in range(1, self._count + 1):
            scene = copy.copy(self.job)
            scene.variant = f"scene-{number}"
            made.append(scene.result())
        return made

    def save(self, path: str | Path) -> Path:
        """Writes the film, as the service made it."""
        return self.job.save(path)


class RemoteStories:
    """The part of a remote engine that tells stories."""

    @abstractmethod
    def _job(self, path: str, fields: dict[str, Any], *uploads: tuple[str, bytes] | None) -> RemoteJob[Any]: ...

    @abstractmethod
    def _waited(self, job: RemoteJob[Any], on_progress: ProgressCallback | None) -> RemoteJob[Any]: ...

    def story(
        self, scenes: Any, *, on_progress: ProgressCallback | None = None, **wishes: Unpack[StoryWishes]
    ) -> RemoteStory:
        """As `Engine.story`; a scene is made again by telling the story again, with that scene's `seed` or words."""
        job = self._waited(self.submit_story(scenes, **wishes), on_progress)
        return RemoteStory(job, len(job.told()["scenes"]))

    def submit_story(self, scenes: Any, **wishes: Unpack[StoryWishes]) -> "RemoteJob[Film]":
        """As `Engine.submit_story`; the result is the whole film."""
        return self._job("/v1/videos/stories", payload.fields(None, {"scenes": scenes, **wishes}))
