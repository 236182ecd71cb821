"""What one process takes on at a time: bytes of request bodies, and calls. Beyond it callers are told to come back (503).

What a request brings with it counts as its body does: files that it names by address, an answer that it goes on from. A
body counts from when its head has been read (its declared length) or from when its pieces arrive (chunked) until the call
it asked for is over. What was taken is given back exactly once, by whoever holds it: the reader while it reads, then the
request while it waits for its turn, then the exchange.
"""

from math import inf
from typing import Final

from portico.core.errors import GatewayBusy

NO_ROOM: Final = "The gateway holds as many request bodies as it may. Try again in a moment."


class Budget:
    """What there is, and what of it is taken. Both are unbounded unless said."""

    __slots__ = ("body_bytes", "calls", "max_body_bytes", "max_calls", "refused_bodies", "refused_calls")

    def __init__(self, *, max_body_bytes: float = inf, max_calls: float = inf) -> None:
        self.max_body_bytes = max_body_bytes
        self.max_calls = max_calls
        self.body_bytes = 0
        """In flight."""
        self.calls = 0
        """Open."""
        self.refused_bodies = 0
        self.refused_calls = 0

    def take_at_once(self, size: int) -> bool:
        """Takes room for that much of a body. False, and nothing is taken, if there is not as much."""
        if self.body_bytes + size > self.max_body_bytes:
            return False
        self.body_bytes += size
        return True

    def take(self, size: int) -> bool:
        """The same for who refuses the body otherwise: it is counted."""
        if self.take_at_once(size):
            return True
        self.refused_bodies += 1
        return False

    def give_back(self, size: int) -> None:
        self.body_bytes -= size

    def begin_call(self) -> None:
        """Raises `GatewayBusy` if there are as many calls as may be."""
        if self.calls >= self.max_calls:
            self.refused_calls += 1
            raise GatewayBusy("The gateway serves as many calls as it may. Try again in a moment.")
        self.calls += 1

    def end_call(self) -> None:
        self.calls -= 1
