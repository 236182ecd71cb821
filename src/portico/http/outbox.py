"""What connections have to write, held until the loop has handed out everything that arrived.

A gateway with many streams open reads pieces of many answers in one turn of its loop. Written one by one between the
reads, each would wake its reader, and the kernel spends more on that than on the bytes; written together at the end of the
turn they cost one waking, and what belongs to one caller goes out in one call. No piece waits longer than that turn.
"""

import asyncio
from typing import Protocol


class Holding(Protocol):
    """A connection with something to write."""

    def flush(self) -> None:
        """Writes what is held. Must be harmless when nothing is, or when the connection is gone."""


class Outbox:
    """The connections of one loop that hold something."""

    __slots__ = ("_holding", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._holding: list[Holding] = []

    def add(self, connection: Holding) -> None:
        """To be called when a connection begins to hold something."""
        if not self._holding:
            self._loop.call_soon(self._flush)
        self._holding.append(connection)

    def _flush(self) -> None:
        holding, self._holding = self._holding, []
        for connection in holding:
            connection.flush()
