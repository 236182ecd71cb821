"""Calls that are open, as their holds tell of them, and those that an operator ends.

Whoever ends a call leaves its id in `endings` and raises the revision of that name; each worker looks at it within half a
second, ends what it serves itself, and takes those rows away. What nobody serves any more is forgotten after a minute.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from portico.core.storage import Db, Row, raise_revision
from portico.metering.receipt import Receipt, decode

REVISION: Final = "endings"
KEPT_US: Final = 60_000_000

_OPEN: Final = (
    "SELECT h.request_id, h.account_id, COALESCE(a.name, ''), h.key_id, COALESCE(k.name, ''), COALESCE(k.prefix, ''),"
    " h.amount_nanos, h.at_us, h.worker_id, COALESCE(l.label, ''), CASE WHEN e.at_us IS NULL THEN 0 ELSE 1 END,"
    " h.checkpoint FROM holds h LEFT JOIN accounts a ON a.id = h.account_id LEFT JOIN keys k ON k.id = h.key_id"
    " LEFT JOIN leases l ON l.worker_id = h.worker_id LEFT JOIN endings e ON e.request_id = h.request_id"
)


class OpenCall(msgspec.Struct, frozen=True):
    """A call that holds money, or did when its gateway died."""

    request_id: str
    account_id: str
    account_name: str
    key_id: str
    key_name: str
    key_prefix: str
    held_nanos: int
    at_us: int
    worker_id: str
    label: str
    """Which process serves it."""
    ending: bool
    """It is about to be ended."""
    so_far: Receipt | None
    """What was known of it at its last checkpoint, of streams alone; None: nothing yet."""


def open_calls(db: Db, *, account: str | None = None, limit: int) -> list[OpenCall]:
    """Those of an account (by id) or of all, that are open for longest first."""
    where, values = ("", ()) if account is None else (" WHERE h.account_id = ?", (account,))
    return [_call(row) for row in db.rows(f"{_OPEN}{where} ORDER BY h.at_us, h.request_id LIMIT ?", *values, limit)]


def open_call(db: Db, request_id: str) -> OpenCall | None:
    """None: it is over, or never was."""
    rows = db.rows(f"{_OPEN} WHERE h.request_id = ?", request_id)
    return _call(rows[0]) if rows else None


def count_open(db: Db) -> int:
    return int(db.rows("SELECT COUNT(*) FROM holds")[0][0])


def _call(row: Row) -> OpenCall:
    request_id, account, name, key, key_name, prefix, held, at_us, worker, label, ending, checkpoint = row
    try:
        so_far = decode(checkpoint) if checkpoint else None
    except ValueError:
        so_far = None
    return OpenCall(request_id, account, name, key, key_name, prefix, held, at_us, worker, label, bool(ending), so_far)


# -- ending them -------------------------------------------------------------------------------------------------------


def end_call(db: Db, request_id: str) -> None:
    """Has a call ended by whichever worker serves it."""
    raise_revision(db, REVISION)
    sql = "INSERT INTO endings (request_id, at_us) VALUES (?, ?) ON CONFLICT DO NOTHING"
    db.run(sql, request_id, db.now_us)


def to_be_ended(db: Db) -> list[str]:
    return [row[0] for row in db.rows("SELECT request_id FROM endings")]


def was_ended(db: Db, request_ids: Sequence[str]) -> None:
    """Whoever served these has ended them."""
    for request_id in request_ids:
        db.run("DELETE FROM endings WHERE request_id = ?", request_id)


def sweep(db: Db) -> int:
    """Forgets what nobody serves."""
    return db.run("DELETE FROM endings WHERE at_us < ?", db.now_us - KEPT_US)
