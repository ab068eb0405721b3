"""Settings of the service: where its data is, and what it takes at most."""

import os
from dataclasses import dataclass
from pathlib import Path

from mediagen.config import Config

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Settings(Config):
    """What one service allows.

    workers: jobs made side by side.  models: that are in memory at once, of several.
     max_queue: jobs that may wait.  max_wait: estimated seconds of work that may
    wait.  max_job_seconds, max_job_mib: estimated cost of one job; 0 for half of the machine's memory.
    max_upload_mib: bytes of a file as it is sent.  max_pixels: of a file when decoded, over all frames.
    decode_seconds: how long decoding a file may take.  decode_mib: memory that decoding one may take.
    lease: seconds after which a worker that says nothing counts as dead.  max_attempts: how often a job may be begun.
    max_listeners: streams of events open at once.  poll: seconds between looks at the queue.
    url_inputs: whether pictures are fetched from URLs (`fetch`).  keep_days: after which jobs that have ended go, with
    their files; 0 keeps them.  aliases: other names of the served model.  adapt: whether sizes and lengths that were
    meant for another model become the nearest ones of this.  webhook_url: told of every job that names none itself.
    webhook_secret: what is told is signed by.
    """

    workers: int = 1
    models: int = 1
    max_queue: int = 256
    max_wait: float = 24 * 3600.0
    max_job_seconds: float = 3600.0
    max_job_mib: int = 0
    max_upload_mib: int = 64
    max_pixels: int = 2**26
    decode_seconds: float = 30.0
    decode_mib: int = 768
    lease: float = 30.0
    max_attempts: int = 10
    max_listeners: int = 64
    poll: float = 0.5
    url_inputs: bool = False
    keep_days: float = 0.0
    aliases: tuple[str, ...] = ()
    adapt: bool = False
    webhook_url: str = ""
    webhook_secret: str = ""

    @property
    def upload_bytes(self) -> int:
        """Most bytes of an uploaded file."""
        return self.max_upload_mib * MIB

    @property
    def text_bytes(self) -> int:
        """Most bytes of JSON, and of a text in a form: a picture may stand in it as base64."""
        return min(self.upload_bytes * 3 // 2, 24 * MIB)

    @property
    def job_bytes(self) -> int:
        """Most bytes that one job may be estimated to need."""
        return self.max_job_mib * MIB or _memory() // 2


def data_home() -> Path:
    """Where the service keeps its data unless told otherwise: the user's own data folder."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "mediagen"


def _memory() -> int:
    """Bytes of memory of the machine; 8 GiB where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 8 * 2**30
