"""Fetching of URLs: nothing inside is reached, by any way of writing it, by a redirect, or by a name that changes."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from net import Net

from mediagen.sdk.service.intake import fetch
from mediagen.sdk.service.intake.outside import public
from mediagen.sdk.service.refusals import Refused

TLS = Path(__file__).parent / "tls"  # certificates for a hundred years, of these names and by nobody
SLACK = 2.0  # seconds that a busy machine may add
INSIDE = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
          "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "2002:7f00:1::",
          "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "fec0::1", "::7f00:1"]  # fmt: skip


class Site(BaseHTTPRequestHandler):
    """/picture is one, /inside leads to this machine, /round to itself; /endless is long, /slow is late.

    /drip sends a byte now and then, for ever.
    """

    def do_GET(self) -> None:
        moved = {"/inside": "http://127.0.0.1/picture", "/round": "/round", "/moved": "/picture"}.get(self.path)
        self.send_response(302 if moved else 200 if self.path in ("/picture", "/endless", "/slow", "/drip") else 404)
        if moved:
            self.send_header("Location", moved)
        if self.path == "/slow":
            time.sleep(1)
        self.end_headers()
        while self.path == "/drip":
            try:
                self.wfile.write(b"x")
            except OSError:
                return
            time.sleep(0.05)
        self.wfile.write(b"picture" if self.path in ("/picture", "/nothing") else b"x" * 5000)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site(monkeypatch) -> Iterator[Net]:
    """A server that stands for a public one called example.com."""
    with serving() as port:
        yield Net(monkeypatch, port)


@contextlib.contextmanager
def serving(certificate: str | None = None) -> Iterator[int]:
    """The port of a `Site`, which shows a certificate of tests/tls."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / f"{certificate}.crt", TLS / f"{certificate}.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda request, client_address: None  # who hangs up on it is meant to
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_public_picture_is_fetched_from_the_address_that_was_checked(site):
    assert fetch.fetch("http://example.com/picture", 99).read() == b"picture"
    assert site.asked == ["example.com"], "a second look might give another address"
    assert fetch.fetch("http://example.com/moved", 99).read() == b"picture"


@pytest.mark.parametrize("path", ["inside", "round", "nothing", "endless", "slow", "drip"])
def test_what_a_public_site_may_try_is_refused(site, path, monkeypatch):
    monkeypatch.setattr(fetch, "_PATIENCE", 0.5)
    begun = time.monotonic()
    with pytest.raises(Refused):
        fetch.fetch(f"http://example.com/{path}", 99 if path != "drip" else 10**6)
    assert time.monotonic() - begun < 0.5 + SLACK


def test_one_address_inside_among_public_ones_is_one_too_many(site):
    """The order of addresses is the sender's to choose, and so is which of them a connection would try next."""
    for mixed in (["93.184.216.34", "127.0.0.1"], ["10.0.0.1", "93.184.216.34"], []):
        site.addresses = mixed
        with pytest.raises(Refused, match="not public"):
            fetch.fetch("http://example.com/picture", 99)


def test_a_name_that_is_never_found_does_not_outlast_the_patience(site, monkeypatch):
    monkeypatch.setattr(fetch, "_PATIENCE", 0.3)
    site.late, begun = 5.0, time.monotonic()
    with pytest.raises(Refused, match="too long"):
        fetch.fetch("http://example.com/picture", 99)
    assert time.monotonic() - begun < 0.3 + SLACK


@pytest.mark.parametrize("certificate", ["example.com", "other.example"])
def test_tls_must_prove_the_name_that_was_asked_for(monkeypatch, certificate):
    """Both certificates are trusted here; the one of another name is that of another site."""
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / f"{certificate}.crt"))
    with serving(certificate) as port:
        Net(monkeypatch, port)
        if certificate == "example.com":
            assert fetch.fetch("https://example.com/picture", 99).read() == b"picture"
        else:
            with pytest.raises(Refused, match="not fetched"):
                fetch.fetch("https://example.com/picture", 99)


def test_a_certificate_that_nobody_vouches_for_is_not_enough(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "other.example.crt"))
    with serving("example.com") as port:
        Net(monkeypatch, port)
        with pytest.raises(Refused, match="not fetched"):
            fetch.fetch("https://example.com/picture", 99)


@pytest.mark.parametrize("says", [b"", b"\x16\x03\x03\x40\x00"])
def test_a_server_that_drags_its_handshake_does_not_outlast_the_patience(monkeypatch, says):
    """It takes the connection and says nothing, or begins a long record and adds a byte to it now and then."""
    monkeypatch.setattr(fetch, "_PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        Net(monkeypatch, server.getsockname()[1])

        def drag() -> None:
            with server.accept()[0] as line, contextlib.suppress(OSError):
                line.sendall(says)
                for _ in range(200):
                    time.sleep(0.05)
                    line.sendall(b"\0" if says else b"")

        threading.Thread(target=drag, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(Refused):
            fetch.fetch("https://example.com/picture", 99)
        assert time.monotonic() - begun < 0.5 + SLACK


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_not_public(address):
    assert not public(address)


def test_addresses_outside_are_public():
    assert public("93.184.216.34") and public("2606:2800:220:1::1")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.com/a", "http://example.com:22/", "http://a:b@example.com/", "http://", "//x",
     "http://127.0.0.1/", "http://[::1]/", "http://example.com/a b", "http://example.com/\r\nHost: x", "http://[/",
     "http://example.com:x/", "http://\u2488.com/"],
)  # fmt: skip
def test_urls_of_other_kinds_are_refused(site, url):
    with pytest.raises(Refused, match="not fetched"):
        fetch.fetch(url, 99)


def test_a_server_that_drags_its_headers_does_not_outlast_the_patience(monkeypatch):
    """Each byte comes in time, and there is no end of them."""
    monkeypatch.setattr(fetch, "_PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        Net(monkeypatch, server.getsockname()[1])

        def drag() -> None:
            with server.accept()[0] as line, contextlib.suppress(OSError):
                line.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                for _ in range(200):
                    time.sleep(0.05)
                    line.sendall(b"x")

        threading.Thread(target=drag, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(Refused):
            fetch.fetch("http://example.com/picture", 99)
        assert time.monotonic() - begun < 0.5 + SLACK
