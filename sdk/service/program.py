"""The service as a program, from an address and a data folder to a server that answers."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mediagen.sdk.errors import MediagenError, RequestError
from mediagen.sdk.service.http.address import check_address
from mediagen.sdk.service.settings import Settings

_LOCK = "lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a data folder for this process; RequestError where another server has it. A kill frees it.

    By a database, for SQLite locks files in the way of each system.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RequestError(f"got the data folder '{folder}', which cannot be written ({why}).") from None
    with contextlib.closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise RequestError(f"got the data folder '{folder}', which cannot be written ({error}).") from None
            raise RequestError(
                f"got the data folder '{folder}', which another server uses; stop that one, or give another folder."
            ) from None
        yield


def check_webhooks(url: str, secret: str) -> None:
    """RequestError for a URL that cannot be told of jobs, and for a secret that signs nothing safely."""
    from mediagen.sdk.service.intake.outside import NotReached, place_of
    from mediagen.sdk.service.queue.webhooks import key_of

    if secret:
        key_of(secret)
    if url and not secret:
        raise RequestError("got a webhook URL without a secret to sign by; give --webhook-secret, or leave it out.")
    try:
        _ = url and place_of(url, trusted=True)
    except NotReached as error:
        raise RequestError(f"--webhook-url: got '{url}', which cannot be asked: {error}; give another.") from None


def name_of(model: str | None) -> str:
    """What a model is called in the API: the last part of its folder or name; 'mediagen' for the built-in one."""
    return "mediagen" if model is None else Path(model).name or "mediagen"


def names_of(models: Sequence[str | None]) -> dict[str, str | None]:
    """Folders and names by what they are called in the API; RequestError for two that are called the same."""
    found: dict[str, str | None] = {}
    for model in models:
        name = name_of(model)
        if name in found:
            raise RequestError(f"--model: got two that are called '{name}'; rename one of the folders.")
        found[name] = model
    return found


def serve(
    engine: Any,
    folder: Path,
    *,
    host: str,
    port: int,
    token: str | None,
    settings: Settings,
    model: str,
    others: Mapping[str, Any] | None = None,
    ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Serves until it is told to stop; calls ready(port) when it answers. Raises as `check_address` and `locked`."""
    check_address(host, token)
    import uvicorn

    from mediagen.sdk.service.http.app import build
    from mediagen.sdk.service.queue.store import Store
    from mediagen.sdk.service.service import Service

    with locked(folder):
        service = Service(engine, Store(folder), settings, model, others)
        config = uvicorn.Config(
            build(service, token),
            host=host,
            port=port,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=64 * 1024,
        )

        class Told(uvicorn.Server):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                if self.started:
                    ready(self.servers[0].sockets[0].getsockname()[1] if self.servers else port)

        try:
            Told(config).run()
        except SystemExit:  # uvicorn's way to say that the address is taken; it logs why
            raise MediagenError(f"cannot listen on {host}:{port}; give another --port.") from None
