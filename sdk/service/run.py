"""Run: the service as a program, from an address and a data folder to a server that answers."""

import contextlib
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mediagen.sdk.errors import MediagenError, RequestError
from mediagen.sdk.service.settings import Settings

_LOCK = "lock"


def loopback(host: str) -> bool:
    """Whether a name or address is one that only this machine reaches."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(host: str, token: str | None) -> None:
    """RequestError for an address that others can reach without a token."""
    if not loopback(host) and not token:
        raise RequestError(
            f"got the host '{host}', which others can reach, without a token; give --token, or set MEDIAGEN_TOKEN."
        )
    if token is not None and not (token.isascii() and token.isprintable() and token.strip() == token and token):
        raise RequestError("got a token that cannot be sent in a header, expected printable ASCII; give another.")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a data folder for this process; RequestError where another server has it. A kill frees it."""
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("w")
    except OSError as error:
        raise RequestError(f"got the data folder '{folder}', which cannot be written ({error.strerror}).") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RequestError(
                f"got the data folder '{folder}', which another server uses; stop that one, or give another folder."
            ) from None
        yield


def name_of(model: str | None) -> str:
    """What a model is called in the API: the last part of its folder or name; 'mediagen' for the built-in one."""
    return "mediagen" if model is None else Path(model).name or "mediagen"


def serve(
    engine: Any, folder: Path, *, host: str, port: int, token: str | None, settings: Settings, model: str
) -> None:
    """Serves until it is told to stop. Raises as `check_address` and `locked`."""
    check_address(host, token)
    import uvicorn

    from mediagen.sdk.service.app import build
    from mediagen.sdk.service.service import Service
    from mediagen.sdk.service.store import Store

    with locked(folder):
        service = Service(engine, Store(folder), settings, model)
        config = uvicorn.Config(
            build(service, token),
            host=host,
            port=port,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=64 * 1024,
        )
        try:
            uvicorn.Server(config).run()
        except SystemExit:  # uvicorn's way to say that the address is taken; it logs why
            raise MediagenError(f"cannot listen on {host}:{port}; give another --port.") from None
