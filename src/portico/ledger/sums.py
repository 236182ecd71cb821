"""Rows that many calls change, carried through a transaction: balances, counters of limits, the day's usage.

A batch holds dozens of calls of a few accounts. The first that touches such a row locks and reads it; all of them decide by
what it has become since; and it is written once, at the end. The decisions are those of one statement for each, since
nobody else can change a row that this transaction has locked.

The locks are taken in one order: an account, then what belongs to it (docs/decisions/0021).
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from portico.core.storage import Db
from portico.ledger import windows
from portico.ledger.rows import Rows

_STANDING: Final = (
    "UPDATE accounts SET held_nanos = held_nanos WHERE id = ? RETURNING posted_nanos, held_nanos, closed_us"
)
_MOVE: Final = "UPDATE accounts SET posted_nanos = posted_nanos + ?, held_nanos = held_nanos + ? WHERE id = ?"
_TAKE: Final = 'UPDATE counters SET used = used + ? WHERE subject = ? AND kind = ? AND "window" = ? RETURNING used'
_CORRECT: Final = 'UPDATE counters SET used = used + ? WHERE subject = ? AND kind = ? AND "window" = ?'
_BEGIN: Final = 'INSERT INTO counters (subject, kind, "window", used) VALUES (?, ?, ?, ?)'
_OPEN_CALLS: Final = "SELECT COUNT(*) FROM holds WHERE key_id = ?"
_USAGE: Final = (
    "INSERT INTO usage_days (account_id, day, model, key_id, calls, input_tokens, cached_tokens, output_tokens,"
    " reasoning_tokens, charge_nanos, cost_nanos, released) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (account_id, day, model, key_id) DO UPDATE SET calls = usage_days.calls + excluded.calls,"
    " input_tokens = usage_days.input_tokens + excluded.input_tokens,"
    " cached_tokens = usage_days.cached_tokens + excluded.cached_tokens,"
    " output_tokens = usage_days.output_tokens + excluded.output_tokens,"
    " reasoning_tokens = usage_days.reasoning_tokens + excluded.reasoning_tokens,"
    " charge_nanos = usage_days.charge_nanos + excluded.charge_nanos,"
    " cost_nanos = usage_days.cost_nanos + excluded.cost_nanos, released = usage_days.released + excluded.released"
)

Day: TypeAlias = tuple[str, str, str, str]
"""(account, day, model, key)."""


class Standing(msgspec.Struct):
    """An account in this transaction. `posted` and `held` are what they have become; the moves are not written yet."""

    posted: int
    held: int
    closed: bool
    posted_moved: int = 0
    held_moved: int = 0

    @property
    def available(self) -> int:
        return self.posted - self.held


class Counter:
    """A window of a limit in this transaction: how much of it is used, once that was read (None: nobody asked), and by how
    much it is to be changed."""

    __slots__ = ("moved", "used")

    def __init__(self) -> None:
        self.used: int | None = None
        self.moved = 0

    def move(self, difference: int) -> None:
        """Counts more, or less."""
        self.moved += difference
        if self.used is not None:
            self.used += difference


CARRIED: Final = "ledger"


def sums_of(db: Db) -> tuple["Sums", bool]:
    """What this transaction carries, and whether somebody else flushes it."""
    carried = db.carried
    if carried is None:
        return Sums(db, together=False), False
    sums = carried.get(CARRIED)
    if not isinstance(sums, Sums):
        sums = carried[CARRIED] = Sums(db, together=True)
    return sums, True


class Sums:
    """What one transaction carries. `flush` writes it; nothing that was carried may be read by a statement before."""

    __slots__ = ("_counters", "_db", "_now", "_open_calls", "_standings", "_usage", "rows")

    def __init__(self, db: Db, *, together: bool) -> None:
        self._db = db
        self.rows = Rows(db, together=together)
        """Holds, entries and receipts, written before what is carried here."""
        self._standings: dict[str, Standing | None] = {}
        self._counters: dict[tuple[str, str, int], Counter] = {}
        """By subject, kind and window."""
        self._now: dict[tuple[str, str], Counter] = {}
        """Those of now that were read, by subject and kind."""
        self._open_calls: dict[str, int] = {}
        self._usage: dict[Day, list[int]] = {}

    @property
    def now_us(self) -> int:
        """See `Db.now_us`."""
        return self._db.now_us

    # -- accounts

    def standing(self, account: str) -> Standing | None:
        """An account, locked; None: there is none of that name."""
        found = self._standings.get(account)
        if found is None and account not in self._standings:
            rows = self._db.rows(_STANDING, account)
            if rows:
                posted, held, closed_us = rows[0]
                found = Standing(posted, held, closed_us is not None)
            self._standings[account] = found
        return found

    def move(self, account: str, posted: int, held: int) -> None:
        """Changes a balance. An account that there is none of has none to change."""
        standing = self.standing(account)
        if standing is not None:
            standing.posted += posted
            standing.held += held
            standing.posted_moved += posted
            standing.held_moved += held

    # -- the limits of keys; the account is locked before

    def counter(self, account: str, subject: str, kind: str) -> Counter:
        """What counts a window of now, read. It is begun if it was not yet."""
        counter = self._now.get((subject, kind))
        if counter is None:
            counter = self._now[subject, kind] = self._read(account, subject, kind)
        return counter

    def _read(self, account: str, subject: str, kind: str) -> Counter:
        of = (subject, kind, windows.window_of(kind, self._db.now_us))
        counter = self._counter(of)
        if rows := self._db.rows(_TAKE, counter.moved, *of):
            counter.used = int(rows[0][0])
        else:
            if kind in windows.BUDGETS:  # which begins with what is held and what was spent
                self.rows.show_holds()
                self._flush_usage()
            counter.used = windows.already(self._db, account, subject, kind)
            self._db.run(_BEGIN, *of, counter.used)
        counter.moved = 0
        return counter

    def _counter(self, of: tuple[str, str, int]) -> Counter:
        counter = self._counters.get(of)
        if counter is None:
            counter = self._counters[of] = Counter()
        return counter

    def correct(self, subject: str, kind: str, window: int, difference: int) -> None:
        """Counts more, or less, in a window than was taken of it; nothing where it was never begun."""
        if difference:
            self._counter((subject, kind, window)).move(difference)

    def open_calls(self, key: str) -> int:
        """How many holds of a key are open. Nobody else counts them until this transaction ends."""
        count = self._open_calls.get(key)
        if count is None:
            windows.lock(self._db, key)
            count = int(self._db.rows(_OPEN_CALLS, key)[0][0]) + self.rows.open_of(key)
            self._open_calls[key] = count
        return count

    def count_open(self, key: str, difference: int) -> None:
        """A hold of a key was made, or resolved."""
        if key in self._open_calls:
            self._open_calls[key] += difference

    # -- the day's usage

    def count_usage(self, day: Day, counts: Sequence[int]) -> None:
        """Adds to what a key used of a model on a day: calls, four kinds of tokens, the charge, the cost,
        and calls that came to nothing."""
        so_far = self._usage.get(day)
        if so_far is None:
            self._usage[day] = list(counts)
        else:
            for at, count in enumerate(counts):
                so_far[at] += count

    # -- at the end

    def flush(self) -> None:
        """Writes what is carried. More may follow. Raises `rows.Apart`."""
        self.rows.flush()
        run = self._db.run
        for account, standing in self._standings.items():
            if standing is not None and (standing.posted_moved or standing.held_moved):
                run(_MOVE, standing.posted_moved, standing.held_moved, account)
        self._standings.clear()
        for of, counter in self._counters.items():
            if counter.moved:
                run(_CORRECT, counter.moved, *of)
        self._counters.clear()
        self._now.clear()
        self._open_calls.clear()
        self._flush_usage()

    def _flush_usage(self) -> None:
        for day, counts in self._usage.items():
            self._db.run(_USAGE, *day, *counts)
        self._usage.clear()
