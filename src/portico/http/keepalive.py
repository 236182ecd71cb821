"""TCP keep-alive: how the kernel finds out that the machine or the network behind a silent connection is gone.

Where a stream may be silent for minutes and no comment may be sent (mapping.md 3.4, Gemini), nothing else would tell: a
peer that vanished without a word is given up after IDLE_S + COUNT * INTERVAL_S seconds. A peer that closed properly is
found sooner, by probing (`http/connection.py`).
"""

import contextlib
import socket
from collections.abc import Iterable
from typing import Final, Protocol

IDLE_S: Final = 15
"""Silence before the first probe."""
INTERVAL_S: Final = 5
COUNT: Final = 3
"""Probes in a row that may stay unanswered."""

OPTIONS: Final = tuple(
    [
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", IDLE_S), ("TCP_KEEPINTVL", INTERVAL_S), ("TCP_KEEPCNT", COUNT))
        if hasattr(socket, name)  # macOS names the first otherwise, and its default of two hours is left as it is
    ]
)


class _Socket(Protocol):
    def setsockopt(self, level: int, option: int, value: int, /) -> None: ...


def keep_watch(listeners: Iterable[_Socket]) -> None:
    """Has every connection that these sockets accept watched: options of a listener are those of what it accepts."""
    for listener in listeners:
        with contextlib.suppress(OSError):  # not a TCP socket
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for level, option, value in OPTIONS:
                listener.setsockopt(level, option, value)
