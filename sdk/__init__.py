"""What a user touches: the engine, requests, catalog, command line and benchmarks.

Names are imported when first used, so that `import mediagen.sdk` is quick; `from mediagen.sdk import Engine` brings
torch.
"""

if __name__ != "mediagen.sdk":
    raise ImportError("got the bare name 'sdk', expected 'mediagen.sdk'; write 'from mediagen import sdk' instead.")

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediagen.media.clip import Clip, Film
    from mediagen.sdk.engine import Engine
    from mediagen.sdk.errors import Cancelled, MediagenError, ModelError, NotYet, OutputError, RequestError
    from mediagen.sdk.jobs import Job
    from mediagen.sdk.models.limits import Limits
    from mediagen.sdk.remote.engine import RemoteEngine
    from mediagen.sdk.tasks.progress import Progress
    from mediagen.sdk.tasks.replay import again
    from mediagen.sdk.tasks.requests import ExtendRequest, GenerateRequest
    from mediagen.sdk.tasks.sound_requests import SoundRequest
    from mediagen.sdk.tasks.soundtracks import Soundtrack

__all__ = [
    "Cancelled",
    "Clip",
    "Engine",
    "ExtendRequest",
    "Film",
    "GenerateRequest",
    "Job",
    "Limits",
    "MediagenError",
    "ModelError",
    "NotYet",
    "OutputError",
    "Progress",
    "RemoteEngine",
    "RequestError",
    "SoundRequest",
    "Soundtrack",
    "again",
]

_HOME = {
    "Cancelled": "mediagen.sdk.errors",
    "Clip": "mediagen.media.clip",
    "Engine": "mediagen.sdk.engine",
    "ExtendRequest": "mediagen.sdk.tasks.requests",
    "Film": "mediagen.media.clip",
    "GenerateRequest": "mediagen.sdk.tasks.requests",
    "Job": "mediagen.sdk.jobs",
    "Limits": "mediagen.sdk.models.limits",
    "MediagenError": "mediagen.sdk.errors",
    "ModelError": "mediagen.sdk.errors",
    "NotYet": "mediagen.sdk.errors",
    "OutputError": "mediagen.sdk.errors",
    "Progress": "mediagen.sdk.tasks.progress",
    "RemoteEngine": "mediagen.sdk.remote.engine",
    "RequestError": "mediagen.sdk.errors",
    "SoundRequest": "mediagen.sdk.tasks.sound_requests",
    "Soundtrack": "mediagen.sdk.tasks.soundtracks",
    "again": "mediagen.sdk.tasks.replay",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mediagen.sdk' has no attribute '{name}'; it has {', '.join(__all__)}.")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
