"""Answers of the house as they are sent, and a store of those that were made, bounded by bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

import msgspec

_OVERHEAD: Final = 2048
"""What an answer costs beside its body, roughly."""


class Answer(msgspec.Struct, frozen=True):
    """A status, header fields by their names in lower case, and the body, compressed where the headers say so."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class Kept:
    """Answers by what was asked; those that were asked for least lately go first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()

    def get(self, key: Hashable) -> Answer | None:
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
        return found

    def put(self, key: Hashable, answer: Answer) -> None:
        before = self._answers.pop(key, None)
        self._bytes -= 0 if before is None else _size(before)
        self._answers[key] = answer
        self._bytes += _size(answer)
        while self._bytes > self._max_bytes:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= _size(oldest)


def _size(answer: Answer) -> int:
    return len(answer.body) + _OVERHEAD
