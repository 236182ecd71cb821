"""What callers of each model got: how many calls, how many failed, how soon the others began to be answered.

Counted in slots of 16 minutes, 90 to a day, that begin when the day does in UTC. Of waits it is kept how many were within
each of some fixed bounds, so that what many workers counted is added up, in any order, and nothing is lost by it; of a
percentile that leaves an upper bound.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import msgspec

SLOT_S: Final = 960
SLOTS: Final = 90
"""Of 24 hours."""
KEPT_S: Final = 25 * 3600
"""So long a slot is remembered: the oldest that is shown began almost 24 hours ago."""

_STEPS: Final = (100, 125, 160, 200, 250, 315, 400, 500, 630, 800)
"""Ten to a decade, each a quarter more than the one before (ISO 3): numbers that people can read."""
BOUNDS_MS: Final = (
    *(10, 13, 16, 20, 25, 32, 40, 50, 63, 80),
    *[step * decade for decade in (1, 10, 100, 1000) for step in _STEPS if step * decade < 10**6],
)
"""From 10 ms to more than 10 minutes."""
BEYOND_MS: Final = 10**9
"""In the place of a bound, for what took longer than the last."""
_BOUNDS_S: Final = tuple([bound / 1000 for bound in BOUNDS_MS])
_BUCKETS: Final = (*BOUNDS_MS, BEYOND_MS)

Waits: TypeAlias = dict[int, int]
"""Milliseconds -> how many calls waited so long at most, and longer than the next bound below."""


class Counts(msgspec.Struct):
    """What was counted of one model in one slot. Calls that did not fail are those in `waits`."""

    calls: int = 0
    failed: int = 0
    waits: Waits = msgspec.field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Counts what another counted, too."""
        self.calls += other.calls
        self.failed += other.failed
        self.waits = added(self.waits, other.waits)


Key: TypeAlias = tuple[int, str]
"""Which slot since 1970, and which model."""


def added(*parts: Mapping[int, int]) -> Waits:
    """All of them, in the order of the bounds."""
    total: Waits = {}
    for part in parts:
        for bound, count in part.items():
            total[bound] = total.get(bound, 0) + count
    return dict(sorted(total.items()))


def within_ms(waits: Mapping[int, int], percent: int) -> int | None:
    """So many milliseconds passed at most, for `percent` of 100 calls (the nearest rank). None: there were none, or it took
    longer than anything that is told apart."""
    rank = -(-sum(waits.values()) * percent // 100)
    for bound in sorted(waits):
        rank -= waits[bound]
        if rank <= 0:
            return bound if bound < BEYOND_MS else None
    return None


def slot_of(seconds: float) -> int:
    """The slot of a time in seconds since 1970."""
    return int(seconds // SLOT_S)


class TrafficTally:
    """Counts in memory, until what was counted is taken. `now`: seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._slot = 0
        self._current: dict[str, Counts] = {}
        """Of `_slot`, by model; it is in `_counts` too."""
        self._counts: dict[Key, Counts] = {}

    def answered(self, model: str, first_s: float) -> None:
        """A call began to be answered so many seconds after it came."""
        waits = self._of(model).waits
        bound = _BUCKETS[bisect_left(_BOUNDS_S, first_s)]
        waits[bound] = waits.get(bound, 0) + 1

    def failed(self, model: str) -> None:
        """A call failed for another's fault than its caller's."""
        self._of(model).failed += 1

    def _of(self, model: str) -> Counts:
        """Where a call of a model is counted, with that call in it."""
        slot = int(self._now() // SLOT_S)
        if slot != self._slot:
            self._slot, self._current = slot, {}
        counts = self._current.get(model)
        if counts is None:
            counts = self._current[model] = self._counts.setdefault((slot, model), Counts())
        counts.calls += 1
        return counts

    def take(self) -> dict[Key, Counts]:
        """What was counted since this was done last."""
        taken, self._counts = self._counts, {}
        self._current = {}
        return taken

    def put_back(self, taken: Mapping[Key, Counts]) -> None:
        """What was taken could not be kept; what is too old by now need not be."""
        oldest = slot_of(self._now() - KEPT_S)
        for key, counts in taken.items():
            if key[0] >= oldest:
                self._counts.setdefault(key, Counts()).add(counts)


def by_model(counted: Iterable[tuple[Key, Counts]]) -> dict[str, dict[int, Counts]]:
    """Model -> slot -> what was counted."""
    models: dict[str, dict[int, Counts]] = {}
    for (slot, model), counts in counted:
        models.setdefault(model, {})[slot] = counts
    return models
