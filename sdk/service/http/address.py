"""Addresses that the service may be given: one that others reach needs a token."""

import ipaddress

from mediagen.sdk.errors import RequestError


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
