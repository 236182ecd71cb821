"""Names that a provider takes in place of the caller's own, no two alike."""

from collections.abc import Iterable
from typing import Final

_ROOM: Final = 8
"""Characters that a number and what stands before it may need."""


class FreeNames:
    """Gives out names that nobody has, with `_2`, `_3` … behind those that somebody has.

    Counting goes on where it stopped for names that begin alike, so that many of them are no more work each than few.
    """

    def __init__(self, taken: Iterable[str], longest: int) -> None:
        """`taken`: names that somebody has already; `longest`: characters of the longest name to be given."""
        self._taken = set(taken)
        self._longest = longest
        self._numbers: dict[str, int] = {}

    def free(self, name: str) -> str:
        """The name, or the first like it that is free; it is not any more."""
        if name in self._taken:
            name = self._numbered(name)
        self._taken.add(name)
        return name

    def _numbered(self, name: str) -> str:
        stem = name[: self._longest - _ROOM]
        number = self._numbers.get(stem, 2)
        while (found := f"{name[: self._longest - len(str(number)) - 1]}_{number}") in self._taken:
            number += 1
        self._numbers[stem] = number + 1
        return found
