"""What was paid into an account, back and off it, line by line; and how often it may guess a code."""

from collections.abc import Mapping
from typing import Final

import msgspec

from portico.core.errors import LimitReached
from portico.core.storage import Db, Row

GUESSES: Final = 10
"""Codes that an account may try in an hour and that are none."""
GUESS: Final = "guess"
"""Of counters: the kind. The window is an hour since 1970."""
_HOUR_US: Final = 3_600_000_000
_PAID: Final = (
    "SELECT id, kind, posted_nanos, request_id, note, at_us FROM entries"
    " WHERE account_id = ? AND kind IN ('top_up', 'refund', 'adjust')"
)
_WHO: Final = (
    "SELECT at_us, actor FROM audit WHERE subject IN ({}) AND at_us >= ? AND at_us <= ? AND command IN"
    " ('accounts top-up', 'accounts refund', 'accounts withdraw', 'codes redeem', 'receipts refund') ORDER BY id"
)
_GUESS: Final = (
    'INSERT INTO counters (subject, kind, "window", used) VALUES (?, ?, ?, 1)'
    ' ON CONFLICT (subject, kind, "window") DO UPDATE SET used = counters.used + 1 RETURNING used'
)
_TAKEN_BACK: Final = 'UPDATE counters SET used = used - 1 WHERE subject = ? AND kind = ? AND "window" = ?'


class Line(msgspec.Struct, frozen=True):
    """One line: what it does to the balance, for which call (of a correction, or a refund of its charge), and who did it,
    as the audit says."""

    id: int
    kind: str
    posted_nanos: int
    request_id: str | None
    note: str
    at_us: int
    actor: str = ""


class Lines(msgspec.Struct, frozen=True):
    """A page of lines, the newest first. `newer`, `older`: whether there are more on either side."""

    lines: tuple[Line, ...]
    newer: bool
    older: bool


def lines(db: Db, account_id: str, *, below: int | None = None, above: int | None = None, limit: int = 50) -> Lines:
    """What was paid of an account: the newest, or those next below or above an id."""
    if above is not None:
        sql = f"{_PAID} AND id > ? ORDER BY id LIMIT ?"
        rows = db.rows(sql, account_id, above, limit + 1)
        found, newer = rows[:limit][::-1], len(rows) > limit
        older = bool(found) and bool(db.rows(f"{_PAID} AND id < ? LIMIT 1", account_id, found[-1][0]))
    else:
        sql = f"{_PAID} AND id < ? ORDER BY id DESC LIMIT ?"
        rows = db.rows(sql, account_id, 2**62 if below is None else below, limit + 1)
        found, older = rows[:limit], len(rows) > limit
        newer = below is not None and bool(db.rows(f"{_PAID} AND id >= ? LIMIT 1", account_id, below))
    if not found:
        return Lines((), newer, older)
    # A change and its line in the audit are one transaction, and so of one time.
    times = [row[-1] for row in found]
    subjects = [account_id, *{row[3] for row in found if row[1] == "refund" and row[3] is not None}]
    sql = _WHO.format(", ".join("?" * len(subjects)))
    actors = {row[0]: str(row[1]) for row in db.rows(sql, *subjects, min(times), max(times))}
    return Lines(tuple([_line(row, actors) for row in found]), newer, older)


def _line(row: Row, actors: Mapping[int, str]) -> Line:
    number, kind, posted, request_id, note, at_us = row
    return Line(number, kind, posted, request_id, note, at_us, actors.get(at_us, ""))


def hour_of(at_us: int) -> int:
    return at_us // _HOUR_US


def guess(db: Db, account_id: str) -> None:
    """Counts a guess of a code, before it is tried. Raises `LimitReached` if there were too many this hour."""
    hour = hour_of(db.now_us)
    used = db.rows(_GUESS, account_id, GUESS, hour)[0][0]
    if used > GUESSES:
        left_s = ((hour + 1) * _HOUR_US - db.now_us) / 1_000_000
        raise LimitReached("Too many codes were tried that are none. Try again in an hour.", retry_after_s=left_s)


def guessed(db: Db, account_id: str) -> None:
    """It was one: it does not count."""
    db.run(_TAKEN_BACK, account_id, GUESS, hour_of(db.now_us))
