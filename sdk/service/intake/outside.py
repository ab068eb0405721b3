"""Outside: connections to public addresses alone, each name looked up once and pinned, none longer than its time."""

import contextlib
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}
_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given to the open internet
_PIECE = 1 << 16


class NotReached(Exception):
    """What was asked for is not reached; the text says why, after "...: "."""


def public(address: str) -> bool:
    """Whether an address is one of the open internet: not of this machine, a local network or a group."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6 and (ip not in _UNICAST or ip.sixtofour or ip.teredo):  # the last two lead into IPv4
        return False
    return ip.is_global and not ip.is_multicast


def place_of(url: str, *, trusted: bool = False) -> SplitResult:
    """The parts of a URL; NotReached for one that is never asked. trusted: it may name any port."""
    try:
        place = urlsplit(url)
        usual = place.port in (None, _PORTS.get(place.scheme)) or trusted
    except ValueError:
        raise NotReached("it cannot be read") from None
    clean = url.isascii() and url.isprintable() and " " not in url
    if not (clean and usual and place.scheme in _PORTS and place.hostname) or place.username or place.password:
        raise NotReached("only http and https at their own ports, without a user, are asked")
    return place


def address_of(place: SplitResult, end: float, *, trusted: bool = False) -> str:
    """The address of a name, looked up once; NotReached where any of its addresses is not public.

    end: on the monotonic clock.  trusted: any address will do.
    """
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def look_up() -> None:  # in a thread, since nothing but the resolver's own patience ends it
        try:
            answers.put(socket.getaddrinfo(place.hostname, _PORTS[place.scheme], type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, name="mediagen-look-up", daemon=True).start()
    try:
        found = answers.get(timeout=max(0.0, end - time.monotonic()))
    except queue.Empty:
        raise NotReached("its name takes too long to be looked up") from None
    if isinstance(found, Exception):
        raise NotReached("its name is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (trusted or all(public(address) for address in addresses)):
        raise NotReached("its address is not public")
    return addresses[0]


class Line(HTTPConnection):
    """A connection to an address that was checked, whatever its name leads to by now, which ends at a moment."""

    def __init__(self, place: SplitResult, address: str, end: float) -> None:
        port = place.port or _PORTS[place.scheme]
        super().__init__(place.hostname or "", port)
        self._address, self._secure, self.end = (address, port), place.scheme == "https", end
        self._held: socket.socket | None = None
        self._over = threading.Event()

    def connect(self) -> None:
        """Connects to the address; the name is what TLS must prove."""
        held = self._hold(socket.create_connection(self._address, max(0.1, self.end - time.monotonic())))
        if self._secure:
            context = ssl.create_default_context()
            secured = context.wrap_socket(held, server_hostname=self.host, do_handshake_on_connect=False)
            self._hold(secured)  # wrapping takes the socket out of the other: held first, so that `cut` finds it
            secured.do_handshake()
            held = secured
        self.sock = held

    def _hold(self, held: socket.socket) -> socket.socket:
        self._held = held
        if self._over.is_set():
            raise TimeoutError
        return held

    def cut(self) -> None:
        """Ends the connection under whoever waits for it, in whatever state it is."""
        self._over.set()
        if self._held is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._held, socket.SHUT_RDWR)  # not TLS's own, which would take its state away

    def close(self) -> None:
        """Closes it."""
        super().close()
        if self._held is not None:
            self._held.close()


@contextlib.contextmanager
def asked(
    url: str, end: float, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None, *,
    trusted: bool = False,
) -> Iterator[HTTPResponse]:  # fmt: skip
    """The answer of a URL. NotReached where there is none by `end`, and for what goes wrong while it is read.

    trusted: the address is the operator's word, and may be inside.
    """
    place = place_of(url, trusted=trusted)
    line = Line(place, address_of(place, end, trusted=trusted), end)
    # A server that sends a byte now and then outlives every timeout of a socket.
    ending = threading.Timer(max(0.0, end - time.monotonic()), line.cut)
    ending.start()
    answer: HTTPResponse | None = None
    try:
        target = f"{place.path or '/'}{'?' if place.query else ''}{place.query}"
        line.request(method, target, body, {"User-Agent": "mediagen", **(headers or {})})
        answer = line.getresponse()
        yield answer
    except (OSError, HTTPException, ValueError):
        raise NotReached("its server does not answer as it should") from None
    finally:
        ending.cancel()
        if answer is not None:
            answer.close()
        line.close()


def read(answer: HTTPResponse, end: float, most: int) -> bytes | None:
    """The body of an answer, None where it has more than `most` bytes; NotReached where it is not there by `end`."""
    parts, got = [], 0
    while part := answer.read1(_PIECE):
        parts.append(part)
        got += len(part)
        if got > most:
            return None
        if time.monotonic() > end:
            break
    if time.monotonic() > end:  # cut off, a body looks like one that has ended
        raise NotReached("it takes too long")
    return b"".join(parts)
