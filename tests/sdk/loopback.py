"""No test of an SDK reaches another host, whatever the SDK has in mind."""

import socket
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


class Elsewhere(Exception):
    """A test would connect to a host that is not this one.

    It is no `OSError`, so that nobody takes it for a host that is down.
    """


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))


def _guarded(connect: Callable[[socket.socket, Any], T]) -> Callable[[socket.socket, Any], T]:
    def guarded(self: socket.socket, address: Any) -> T:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] != "127.0.0.1":
            raise Elsewhere(address[0])
        return connect(self, address)

    return guarded
