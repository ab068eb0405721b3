"""Fetching a picture that a request names by its URL: from public addresses alone, each looked up once and pinned."""

import contextlib
import io
import ipaddress
import socket
import ssl
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import IO
from urllib.parse import SplitResult, urljoin, urlsplit

from mediagen.sdk.service.refusals import Refused, wrong

_PORTS = {"http": 80, "https": 443}
_HOPS = 4  # requests of one fetch: the first, and three redirects
_PIECE = 1 << 16
_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given to the open internet
_PATIENCE = 20.0  # seconds that a whole fetch may take


def public(address: str) -> bool:
    """Whether an address is one of the open internet: not of this machine, a local network or a group."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6 and (ip not in _UNICAST or ip.sixtofour or ip.teredo):  # the last two lead into IPv4
        return False
    return ip.is_global and not ip.is_multicast


def fetch(url: str, max_bytes: int) -> IO[bytes]:
    """The file at a URL. Refused for addresses that are not public, for files above `max_bytes`, and for failures."""
    end = time.monotonic() + _PATIENCE
    for _ in range(_HOPS):
        place = _checked(url)
        left = max(0.1, end - time.monotonic())
        line = _Pinned(place, _address(place), left)
        ending = threading.Timer(left, line.cut)  # a server that sends a byte now and then outlives every timeout
        ending.start()
        try:
            line.request("GET", f"{place.path or '/'}{'?' if place.query else ''}{place.query}")
            answer = line.getresponse()
            moved = answer.getheader("location")
            if answer.status in (301, 302, 303, 307, 308) and moved:
                url = urljoin(url, moved)  # checked like the first: it may lead inside
                continue
            if answer.status != 200:
                raise _failed(f"its server answered {answer.status}")
            parts, got = [], 0
            while part := answer.read1(_PIECE):
                parts.append(part)
                got += len(part)
                if got > max_bytes:
                    raise Refused(413, f"got a file above {max_bytes} bytes at the URL, expected less.", "too_large")
            if time.monotonic() > end:
                raise _failed(f"it takes longer than {_PATIENCE:g} s")
            return io.BytesIO(b"".join(parts))
        except (OSError, HTTPException, ValueError):
            raise _failed("its server does not answer as it should") from None
        finally:
            ending.cancel()
            line.close()
    raise _failed("it leads to ever more addresses")


class _Pinned(HTTPConnection):
    """A connection to an address that was checked, whatever its name leads to by now."""

    def __init__(self, place: SplitResult, address: str, timeout: float) -> None:
        port = _PORTS[place.scheme]
        super().__init__(place.hostname or "", port, timeout=timeout)
        self._address, self._secure = (address, port), place.scheme == "https"

    def connect(self) -> None:
        """Connects to the address; the name is what TLS must prove."""
        self.sock = socket.create_connection(self._address, self.timeout)
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """Ends the connection under whoever reads from it."""
        sock: socket.socket | None = self.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _checked(url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        usual = place.port in (None, _PORTS.get(place.scheme))
    except ValueError:
        raise _failed("it cannot be read") from None
    clean = url.isascii() and url.isprintable() and " " not in url
    if not (clean and usual and place.scheme in _PORTS and place.hostname) or place.username or place.password:
        raise _failed("only http and https at their own ports, without a user, are fetched")
    return place


def _address(place: SplitResult) -> str:
    """The address of a name, looked up once; Refused where any of its addresses is not public."""
    try:
        found = socket.getaddrinfo(place.hostname, _PORTS[place.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise _failed("its name is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(public(address) for address in addresses):
        raise _failed("its address is not public")
    return addresses[0]


def _failed(why: str) -> Refused:
    return wrong(f"input_reference: got a URL that is not fetched: {why}.", "invalid_url", "input_reference")
