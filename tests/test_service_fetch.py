"""Fetching of URLs: nothing inside is reached, by any way of writing it, by a redirect, or by a name that changes."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from mediagen.sdk.service.intake import fetch
from mediagen.sdk.service.refusals import Refused

INSIDE = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
          "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "2002:7f00:1::",
          "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "fec0::1", "::7f00:1"]  # fmt: skip


class Site(BaseHTTPRequestHandler):
    """/picture is one, /inside leads to this machine, /round to itself; /endless is long, /slow is late."""

    def do_GET(self) -> None:
        moved = {"/inside": "http://127.0.0.1/picture", "/round": "/round", "/moved": "/picture"}.get(self.path)
        self.send_response(302 if moved else 200 if self.path in ("/picture", "/endless", "/slow") else 404)
        if moved:
            self.send_header("Location", moved)
        if self.path == "/slow":
            time.sleep(1)
        self.end_headers()
        self.wfile.write(b"picture" if self.path == "/picture" else b"x" * 5000)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site(monkeypatch) -> Iterator[list[str]]:
    """A server that stands for a public one called example.com; how often that name is looked up."""
    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    asked: list[str] = []

    resolve = socket.getaddrinfo

    def look_up(name: str, port: int, *rest: Any, **named: Any) -> list[Any]:
        if name != "example.com":
            return resolve(name, port, *rest, **named)
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]

    connect = socket.create_connection

    def connected(address: tuple[str, int], timeout: float) -> socket.socket:
        assert address == ("93.184.216.34", 80), "not the address that was checked"
        return connect(("127.0.0.1", server.server_port), timeout)

    monkeypatch.setattr(fetch.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(fetch.socket, "create_connection", connected)
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_public_picture_is_fetched_from_the_address_that_was_checked(site):
    assert fetch.fetch("http://example.com/picture", 99).read() == b"picture"
    assert site == ["example.com"], "a second look might give another address"
    assert fetch.fetch("http://example.com/moved", 99).read() == b"picture"


@pytest.mark.parametrize("path", ["inside", "round", "nothing", "endless", "slow"])
def test_what_a_public_site_may_try_is_refused(site, path, monkeypatch):
    monkeypatch.setattr(fetch, "_PATIENCE", 0.5)
    with pytest.raises(Refused):
        fetch.fetch(f"http://example.com/{path}", 99)


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_not_public(address):
    assert not fetch.public(address)


def test_addresses_outside_are_public():
    assert fetch.public("93.184.216.34") and fetch.public("2606:2800:220:1::1")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.com/a", "http://example.com:22/", "http://a:b@example.com/", "http://", "//x",
     "http://127.0.0.1/", "http://[::1]/", "http://example.com/a b", "http://example.com/\r\nHost: x", "http://[/",
     "http://example.com:x/", "http://\u2488.com/"],
)  # fmt: skip
def test_urls_of_other_kinds_are_refused(site, url):
    with pytest.raises(Refused, match="not fetched"):
        fetch.fetch(url, 99)
