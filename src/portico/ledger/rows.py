"""Rows that every call of a batch adds or takes away, written in one statement for all of them.

A statement costs more than the row it writes: of sixteen entries each in a statement of its own takes 4.2 us, and in
one for all 1.6 (docs/decisions/0021). So what the writes of a batch add waits for its end, and the holds that they end
are taken with the first of them, all that belong to its account, which is locked by then. Where a single write could
tell the difference `Apart` is raised, and each is made for itself.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, TypeAlias, TypeVar

from portico.core.storage import Db, Row, Value, marks

T = TypeVar("T")

MAX_ROWS: Final = 32
"""In one statement: there are so many of it to be prepared."""

Entry: TypeAlias = tuple[str, str, int, int, str, str, int]
"""(account, kind, posted, held, request, note, time)."""

_ENTRIES: Final = (
    "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, request_id, note, at_us) VALUES {}"
    " ON CONFLICT DO NOTHING"
)
_HOLDS: Final = (
    "INSERT INTO holds (request_id, account_id, key_id, worker_id, amount_nanos, tokens, minute, budgets, at_us)"
    " VALUES {}"
)
_RECEIPTS: Final = (
    "INSERT INTO receipts (request_id, account_id, key_id, at_us, model, outcome, charge_nanos, cost_nanos, body) VALUES {}"
    " ON CONFLICT DO NOTHING"
)
# What the row said when it went: it may have grown, or begun to count in a budget, since it was last looked at.
_TAKE: Final = (
    "DELETE FROM holds WHERE request_id IN ({})"
    " RETURNING request_id, amount_nanos, tokens, minute, budgets, at_us, key_id"
)
_HELD_BY: Final = "SELECT 1 FROM entries WHERE request_id = ? AND kind = 'hold'"


class Apart(Exception):
    """These writes cannot be made together."""


class Rows:
    """What one transaction adds and takes. `together`: `flush` writes it; else each row is written at once."""

    __slots__ = ("_db", "_entries", "_foreseen", "_holds", "_made", "_receipts", "_taken", "together")

    def __init__(self, db: Db, *, together: bool) -> None:
        self._db = db
        self.together = together
        self._entries: list[Sequence[Value]] = []
        self._holds: dict[str, Sequence[Value]] = {}
        self._made: set[str] = set()
        """Requests of the holds that were added, written or not."""
        self._receipts: list[Sequence[Value]] = []
        self._taken: dict[str, Row] = {}
        """Holds whose ends are still to come, by their request."""
        self._foreseen: set[str] = set()
        """Accounts of which all holds were taken that this transaction ends, but for those that it makes."""

    # -- holds

    def hold(self, entry: Entry, key: str, worker: str, tokens: int, minute: int, budgets: int) -> bool:
        """A hold, as its entry says it. False: there is one of that request already."""
        account, _, _, amount, request_id, _, at_us = entry
        row = (request_id, account, key, worker, amount, tokens, minute, budgets, at_us)
        if self.together:
            if request_id in self._made:
                return False
            self._made.add(request_id)
            self._entries.append(entry)
            self._holds[request_id] = row
            return True
        if not _insert(self._db, _ENTRIES, [entry]):
            return False
        _insert(self._db, _HOLDS, [row])
        return True

    def is_held(self, request_id: str) -> bool:
        """Whether there was ever a hold of that request."""
        return request_id in self._made or bool(self._db.rows(_HELD_BY, request_id))

    def is_foreseen(self, account: str) -> bool:
        """Whether `foresee` was told of the account."""
        return account in self._foreseen

    def foresee(self, account: str, requests: Sequence[str]) -> None:
        """Takes the holds of these requests, which `take` will ask for, but for those that were made here: they are taken
        one by one. Their account is locked."""
        self._foreseen.add(account)
        for some in _pieces([one for one in requests if one not in self._made]):
            for row in self._db.rows(_take(len(some)), *some):
                self._taken[row[0]] = row[1:]

    def take(self, request_id: str) -> Row | None:
        """Takes a hold away: its (amount, tokens, minute, budgets, time, key). None: there is none, or somebody else took
        it. Who takes it resolves it."""
        if self.together and request_id not in self._made:
            return self._taken.pop(request_id, None)
        self.flush()
        found = self._db.rows(_take(1), request_id)
        return found[0][1:] if found else None

    def open_of(self, key: str) -> int:
        """How many holds of a key are open that the table does not show."""
        added = sum([1 for row in self._holds.values() if row[2] == key]) if self._holds else 0
        taken = sum([1 for row in self._taken.values() if row[5] == key]) if self._taken else 0
        return added + taken

    def show_holds(self) -> None:
        """Before the open holds are read or changed: what was added is written. Raises `Apart` if some were taken whose
        ends are still to come."""
        if self._taken:
            raise Apart
        self.flush()

    def show_hold(self, request_id: str) -> None:
        """Before one hold is changed: if it was added, it is written. One whose end is still to come needs no change."""
        if request_id in self._holds:
            self.flush()

    # -- what is said once

    def end(self, entry: Entry) -> None:
        """The entry that resolves a hold."""
        self._entries.append(entry)
        if not self.together:
            self.flush()

    def receipt(self, row: Sequence[Value]) -> None:
        """As the table has it; who comes second changes nothing."""
        self._receipts.append(row)
        if not self.together:
            self.flush()

    # -- at the end

    def flush(self) -> None:
        """Writes what was added. Raises `Apart` if an entry was there already: one of these had been made before."""
        entries, self._entries = self._entries, []
        if entries and _insert(self._db, _ENTRIES, entries) != len(entries) and self.together:
            raise Apart
        if self._holds:
            holds, self._holds = list(self._holds.values()), {}
            _insert(self._db, _HOLDS, holds)
        if self._receipts:
            receipts, self._receipts = self._receipts, []
            _insert(self._db, _RECEIPTS, receipts)


def _insert(db: Db, sql: str, rows: Sequence[Sequence[Value]]) -> int:
    """How many of them were not there."""
    added = 0
    for some in _pieces(rows):
        added += db.run(_with_rows(sql, len(some), len(some[0])), *[value for row in some for value in row])
    return added


def _pieces(rows: Sequence[T]) -> Iterable[Sequence[T]]:
    return [rows[at : at + MAX_ROWS] for at in range(0, len(rows), MAX_ROWS)]


@cache
def _with_rows(sql: str, rows: int, width: int) -> str:
    row = f"({marks(range(width))})"
    return sql.format(", ".join([row] * rows))


@cache
def _take(count: int) -> str:
    return _TAKE.format(marks(range(count)))
