"""Guard: what stands before every route. Token, size of the body, strange pages, and errors that nobody expected."""

import hashlib
import hmac
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediagen.sdk.service.http.address import loopback
from mediagen.sdk.service.refusals import Refused, disk_full

log = logging.getLogger("mediagen.service")
_GUARDED = ("/v1", "/metrics")  # by a token; the page, the documents and /healthz tell nothing
_DIGITS = 18  # of a length: int() itself refuses thousands
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
}


class Guard:
    """token: None for a service without one, which then answers to names of this machine alone.

    max_body: bytes of a body.  count(method, status): hears every answer.
    """

    def __init__(self, app: ASGIApp, token: str | None, max_body: int, count: Callable[[str, int], None]) -> None:
        self.app, self.max_body, self.count = app, max_body, count
        self.token = None if token is None else _digest(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it with a refusal."""
        if scope["type"] == "websocket":  # there are none, and nobody has checked who asks
            return await send({"type": "websocket.close"})
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self.count(scope["method"], message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, self._limited(receive), sending)
        except Refused as refused:
            if not started:
                await refused.response()(scope, receive, sending)
        except Exception as error:
            log.exception("%s %s failed", scope["method"], scope["path"])
            refused = Refused(500, "the server failed to answer; its log says more.", "server_error")
            if disk_full(error):
                refused = Refused(507, "the server's disk is full; try again when there is room.", "storage_full")
            if not started:
                await refused.response()(scope, receive, sending)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != host.lower():
            raise Refused(403, "got a request from another site's page, expected one of this server's.", "wrong_origin")
        if self.token is None:
            # A page of a stranger may give its own name this machine's address.
            name = host if host.endswith("]") else host.rpartition(":")[0] or host
            if not loopback(name.lower().strip("[]")):
                raise Refused(403, "got a Host that is not this machine; use 127.0.0.1 or localhost.", "wrong_host")
        elif scope["path"].startswith(_GUARDED):
            kind, _, given = headers.get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not hmac.compare_digest(_digest(given.strip()), self.token):
                raise Refused(
                    401,
                    "got no valid token, expected the server's; send it as 'Authorization: Bearer TOKEN'.",
                    "invalid_api_key",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > _DIGITS or int(length) > self.max_body:
            raise self._too_large()

    def _limited(self, receive: Receive) -> Receive:
        """`receive` that stops a body that turns out to be larger than its header said, or had none."""
        got = 0

        async def receiving() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self.max_body:
                raise self._too_large()
            return message

        return receiving

    def _too_large(self) -> Refused:
        return Refused(413, f"got a body above {self.max_body} bytes, expected less; send a smaller file.", "too_large")


def _netloc(origin: str) -> str:
    """Host and port of an origin; empty for one that has none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _digest(token: str) -> bytes:
    """Of equal length for every token, so that comparing takes equal time."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
