"""The chance that a worker gives to whoever needs some."""

from random import SystemRandom
from typing import Final

_POOL_BYTES: Final = 8192


class PooledRandom(SystemRandom):
    """The system's randomness, drawn a few hundred tokens at a time: asking the kernel costs more than all else of an id.

    Not to be carried over a fork: both processes would draw the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pool = b""
        self._at = 0

    def randbytes(self, n: int) -> bytes:
        if n > _POOL_BYTES:
            return super().randbytes(n)
        at = self._at
        if at + n > len(self._pool):
            self._pool, at = super().randbytes(_POOL_BYTES), 0
        self._at = at + n
        return self._pool[at : at + n]

    def random(self) -> float:
        return (int.from_bytes(self.randbytes(7), "big") >> 3) / 2**53
