"""What callers of each model got: how many calls, how many failed, how soon the others began to be answered. And the
same of each provider that was tried for them, which fares worse than its callers where another one stepped in.

Counted in slots of 16 minutes, 90 to a day, that begin when the day does in UTC. Of waits it is kept how many were within
each of some fixed bounds, so that what many workers counted is added up, in any order, and nothing is lost by it; of a
percentile that leaves an upper bound.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, TypeAlias, TypeVar

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
    """What was counted of one name in one slot. Calls that did not fail are those in `waits`."""

    calls: int = 0
    failed: int = 0
    waits: Waits = msgspec.field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Counts what another counted, too."""
        self.calls += other.calls
        self.failed += other.failed
        self.waits = added(self.waits, other.waits)


Served: TypeAlias = tuple[str, str]
"""(model that was asked for, provider that was tried)."""
Name = TypeVar("Name", str, Served)
Key: TypeAlias = tuple[int, str]
"""Which slot since 1970, and which model."""
TryKey: TypeAlias = tuple[int, Served]


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


class SlotTally(Generic[Name]):
    """Counts in memory by name, until what was counted is taken. `now`: seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._slot = 0
        self._current: dict[Name, Counts] = {}
        """Of `_slot`; it is in `_counts` too."""
        self._counts: dict[tuple[int, Name], Counts] = {}

    def answered(self, name: Name, first_s: float) -> None:
        """A call began to be answered so many seconds after it came."""
        counts = self._current.get(name) if self._now() // SLOT_S == self._slot else None
        if counts is None:
            counts = self._of(name)
        counts.calls += 1
        waits = counts.waits
        bound = _BUCKETS[bisect_left(_BOUNDS_S, first_s)]
        waits[bound] = waits.get(bound, 0) + 1

    def failed(self, name: Name) -> None:
        """A call failed for another's fault than its caller's."""
        counts = self._of(name)
        counts.calls += 1
        counts.failed += 1

    def _of(self, name: Name) -> Counts:
        """Where a call is counted."""
        slot = int(self._now() // SLOT_S)
        if slot != self._slot:
            self._slot, self._current = slot, {}
        counts = self._current.get(name)
        if counts is None:
            counts = self._current[name] = self._counts.setdefault((slot, name), Counts())
        return counts

    def take(self) -> dict[tuple[int, Name], Counts]:
        """What was counted since this was done last."""
        taken, self._counts = self._counts, {}
        self._current = {}
        return taken

    def put_back(self, taken: Mapping[tuple[int, Name], Counts]) -> None:
        """What was taken could not be kept; what is too old by now need not be."""
        oldest = slot_of(self._now() - KEPT_S)
        for key, counts in taken.items():
            if key[0] >= oldest:
                self._counts.setdefault(key, Counts()).add(counts)


class TrafficTally(SlotTally[str]):
    """Of calls, by the model that was asked for."""


class TryTally(SlotTally[Served]):
    """Of attempts, by model and provider: one call may be several."""


def by_name(counted: Iterable[tuple[tuple[int, Name], Counts]]) -> dict[Name, dict[int, Counts]]:
    """Name -> slot -> what was counted."""
    names: dict[Name, dict[int, Counts]] = {}
    for (slot, name), counts in counted:
        names.setdefault(name, {})[slot] = counts
    return names
