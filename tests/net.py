"""The net as the service sees it in tests: one name of a public address, which leads to a server of the test."""

import socket
import time
from typing import Any

import pytest


class Net:
    """example.com is the one name, and its addresses lead to a server here.

    addresses: what the name is looked up to.  asked: how often it is.  port: of the server.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        self.port, self.asked, self.addresses, self.late = port, list[str](), ["93.184.216.34"], 0.0
        self._resolve, self._connect = socket.getaddrinfo, socket.create_connection
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        monkeypatch.setattr(socket, "create_connection", self._connected)

    def _look_up(self, name: str, port: int, *rest: Any, **named: Any) -> list[Any]:
        if name != "example.com":
            return self._resolve(name, port, *rest, **named)
        self.asked.append(name)
        time.sleep(self.late)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.addresses]

    def _connected(self, address: tuple[str, int], timeout: float, *rest: Any) -> socket.socket:
        if rest:  # the test's own question to the service
            return self._connect(address, timeout, *rest)
        assert address[0] == "93.184.216.34" and address[1] in (80, 443), "not the address that was checked"
        return self._connect(("127.0.0.1", self.port), timeout)
