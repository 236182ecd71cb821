"""Faults that happen once: the texts that have had theirs."""

from portico.simulator.answer import seal
from portico.simulator.faults import Wishes, wishes

_REMEMBERED = 10_000


class Once:
    """Remembers which texts and headers were seen, so that `once:` faults strike the first time only."""

    def __init__(self) -> None:
        self._seen: dict[bytes, None] = {}

    def wishes(self, text: str, header: str) -> Wishes:
        """The markers of a request, without those that have happened already."""
        wished = wishes(text, header)
        if not wished.once:
            return wished
        mark = seal(text, header)
        if mark in self._seen:
            return wished.without(wished.once)
        self._seen[mark] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return wished
