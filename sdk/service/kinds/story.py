"""Films of several scenes."""

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from mediagen.sdk.errors import Cancelled
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.service.intake import cost
from mediagen.sdk.service.kinds import tabs
from mediagen.sdk.service.kinds.generate import PICTURES
from mediagen.sdk.service.kinds.kind import Kind, Outcome, check_sound
from mediagen.sdk.service.kinds.sounds import FAMILIES
from mediagen.sdk.tasks.progress import STORY, Stages
from mediagen.sdk.tasks.results import seeded
from mediagen.sdk.tasks.stories import PARTS
from mediagen.sdk.tasks.story_requests import StoryRequest

_KEPT = 7 * 86_400.0  # seconds
_PICTURES, _AFTER = ("Making the pictures", "Decoding the pictures"), ("Making the sound", "Writing")
_TAKES = "takes"  # in the data folder: scenes of stories that are being made


class StoryKind(Kind):
    """A film of several scenes with one soundtrack; each scene is a video of its own beside it."""

    name, what, method, made = "story", "films of several scenes", "story", "of several scenes"
    families, request = PICTURES, StoryRequest
    routes, summary, rank = ("/v1/videos/stories",), ("Make a film of several scenes",), 1
    tab = tabs.Tab(
        "Story",
        "Make the film",
        "",
        "",
        (
            tabs.Field("scenes", "Scenes", "scenes", main=True),
            tabs.Field("seconds", "Seconds of a scene", empty="as usual", low=0),
            tabs.Field("music", "Music, all through", "text", empty="none", needs="sound"),
            tabs.Field("dissolve", "A dissolve takes, seconds", value="0.5", low=0, high=10),
            tabs.Field("size", "Size", "select"),
            tabs.STEPS,
            tabs.GUIDANCE,
            tabs.SEED,
            tabs.NEGATIVE,
            tabs.REWRITE,
            tabs.STRICT,
            tabs.SOUND,
        ),
        optional=True,
    )

    def check(self, request: Any, engine: Any, about: dict[str, Any]) -> Any:
        """See Kind."""
        full = seeded(request).fit(engine.limits)[0]
        check_sound(full, engine, FAMILIES)
        return full

    def price(self, full: Any, limits: Limits, about: dict[str, Any]) -> cost.Cost:
        """See Kind."""
        size = (full.width, full.height)
        each = [
            cost.estimate(full.scene(index).model_copy(update={"sound": full.sound}), limits, size, full.fps)
            for index in range(len(full.scenes))
        ]
        film = full.timeline.frames * size[0] * size[1] * 2 * 3  # bytes of the scenes and of the film
        return cost.Cost(sum(one.units for one in each), max(one.bytes for one in each) + film)

    def outcome(self, full: Any, about: dict[str, Any]) -> Outcome:
        """See Kind."""
        return Outcome((full.width, full.height), full.fps, full.timeline.frames / full.fps)

    def stages(self, values: dict[str, Any]) -> Stages:
        """See Kind."""
        return STORY

    def caption(self, values: dict[str, Any]) -> str | None:
        """See Kind."""
        return " | ".join(scene["prompt"] for scene in values["scenes"])

    def beside(self, values: dict[str, Any], folder: Path) -> dict[str, Any]:
        """See Kind: where its scenes stand, so that a server that was killed goes on with them."""
        mark = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:24]
        return {"folder": folder / _TAKES / mark}

    def make(self, engine: Any, given: dict[str, Any], values: dict[str, Any], **calls: Any) -> Any:
        """See Kind."""
        asked = {name: value for name, value in values.items() if name != "prompt"}
        _sweep(given["folder"].parent)
        try:
            made = engine.story(**asked, folder=given["folder"], **calls)
        except Cancelled:  # also where the server ends, which goes on with it when it is started again
            raise
        except Exception:
            shutil.rmtree(given["folder"], ignore_errors=True)
            raise
        shutil.rmtree(given["folder"], ignore_errors=True)
        return made

    def told(self, job: Any, store: Any) -> dict[str, Any]:
        """See Kind: how each scene stands."""
        done = job.step if job.steps and job.stage in _PICTURES else 0
        if job.status == "completed" or job.stage in _AFTER:
            done = len(job.values["scenes"]) * PARTS
        scenes = []
        for index, scene in enumerate(job.values["scenes"]):
            share = max(0, min(PARTS, done - PARTS * index))
            status = "completed" if share == PARTS else job.status if share or index == done // PARTS else "queued"
            scenes.append({"id": f"scene-{index + 1}", "prompt": scene["prompt"], "status": status, "progress": share})
        return {"scenes": scenes}


def _sweep(folder: Path) -> None:
    """Removes scenes of stories that were cancelled long ago."""
    for old in folder.iterdir() if folder.is_dir() else ():
        if old.stat().st_mtime < time.time() - _KEPT:
            shutil.rmtree(old, ignore_errors=True)


KIND = StoryKind()
