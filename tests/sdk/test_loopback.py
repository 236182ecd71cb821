"""The guard that keeps the SDKs on this machine."""

import asyncio
import socket
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from sdk.loopback import Elsewhere

SOMEWHERE = "192.0.2.1"
"""Nobody's (RFC 5737)."""


def test_a_connection_elsewhere_fails_at_once() -> None:
    with socket.socket() as one, pytest.raises(Elsewhere, match=SOMEWHERE):
        one.connect((SOMEWHERE, 80))
    with socket.socket() as one, pytest.raises(Elsewhere, match=SOMEWHERE):
        one.connect_ex((SOMEWHERE, 80))


async def test_so_does_one_of_asyncio() -> None:
    with pytest.raises(Elsewhere, match=SOMEWHERE):
        await asyncio.open_connection(SOMEWHERE, 80)


def test_this_machine_is_reached(site: str) -> None:
    connection = HTTPConnection(urlsplit(site).netloc)
    connection.request("GET", "/cat.png")
    assert connection.getresponse().read().startswith(b"\x89PNG")
    connection.close()
