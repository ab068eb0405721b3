"""What a user touches: the engine, requests, catalog, command line and benchmarks.

Names are imported when first used, so that `import mediagen.sdk` is quick; `from mediagen.sdk import Engine` brings
torch.
"""

if __name__ != "mediagen.sdk":
    raise ImportError("got the bare name 'sdk', expected 'mediagen.sdk'; write 'from mediagen import sdk' instead.")

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediagen.clip import Clip
    from mediagen.sdk.engine import Engine
    from mediagen.sdk.errors import Cancelled, MediagenError, ModelError, RequestError
    from mediagen.sdk.jobs import Job
    from mediagen.sdk.limits import Limits
    from mediagen.sdk.progress import Progress
    from mediagen.sdk.remote import RemoteEngine
    from mediagen.sdk.requests import ExtendRequest, GenerateRequest
    from mediagen.sdk.sound_requests import SoundRequest
    from mediagen.sdk.soundtracks import Soundtrack

__all__ = [
    "Cancelled",
    "Clip",
    "Engine",
    "ExtendRequest",
    "GenerateRequest",
    "Job",
    "Limits",
    "MediagenError",
    "ModelError",
    "Progress",
    "RemoteEngine",
    "RequestError",
    "SoundRequest",
    "Soundtrack",
]

_HOME = {
    "Cancelled": "mediagen.sdk.errors",
    "Clip": "mediagen.clip",
    "Engine": "mediagen.sdk.engine",
    "ExtendRequest": "mediagen.sdk.requests",
    "GenerateRequest": "mediagen.sdk.requests",
    "Job": "mediagen.sdk.jobs",
    "Limits": "mediagen.sdk.limits",
    "MediagenError": "mediagen.sdk.errors",
    "ModelError": "mediagen.sdk.errors",
    "Progress": "mediagen.sdk.progress",
    "RemoteEngine": "mediagen.sdk.remote",
    "RequestError": "mediagen.sdk.errors",
    "SoundRequest": "mediagen.sdk.sound_requests",
    "Soundtrack": "mediagen.sdk.soundtracks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mediagen.sdk' has no attribute '{name}'; it has {', '.join(__all__)}.")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
