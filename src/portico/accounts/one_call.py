"""One call as the books tell it: its receipt, whose it is, and what the ledger booked for it. Plain SQL on a question's
connection.
"""

from typing import Any, Final

import msgspec

from portico.accounts import statement
from portico.core.errors import NotFound
from portico.core.storage import Db

_BOOKED: Final = "SELECT id, kind, posted_nanos, at_us FROM entries WHERE request_id = ? AND "
_NEWEST: Final = "SELECT COALESCE(MAX(id), 0) FROM entries"
_SINCE: Final = "SELECT CAST(COALESCE(SUM(posted_nanos), 0) AS BIGINT) FROM entries WHERE account_id = ? AND id > ?"
FARTHEST_BACK: Final = 200_000
"""A balance is counted back over so many entries of the ledger at most."""


class Booked(msgspec.Struct, frozen=True):
    """What the ledger says of a call. Times are None where an entry is not there (any more)."""

    held_us: int | None = None
    ended_us: int | None = None
    released: bool = False
    balance_nanos: int | None = None
    """What the account had once it was booked; None: that is too long ago to be counted back."""
    adjusted_us: int | None = None
    adjusted_nanos: int = 0
    """By how much the charge was changed later."""


def booked(db: Db, account: str, request_id: str) -> Booked:
    """The entries of a call of this account."""
    found: dict[str, tuple[int, str, int, int]] = {}
    for name, which in (
        ("hold", "kind = 'hold'"),
        ("end", "kind IN ('settle', 'release')"),
        ("adjust", "kind = 'adjust'"),
    ):
        rows = db.rows(f"{_BOOKED}{which} AND account_id = ?", request_id, account)
        if rows:
            found[name] = (int(rows[0][0]), rows[0][1], int(rows[0][2]), int(rows[0][3]))
    hold, end, adjust = found.get("hold"), found.get("end"), found.get("adjust")
    return Booked(
        held_us=hold and hold[3],
        ended_us=end and end[3],
        released=end is not None and end[1] == "release",
        balance_nanos=None if end is None else _balance_at(db, account, end[0]),
        adjusted_us=adjust and adjust[3],
        adjusted_nanos=0 if adjust is None else -adjust[2],
    )


def _balance_at(db: Db, account: str, entry: int) -> int | None:
    """What the account had when this entry was booked: what it has, less what came since."""
    if int(db.rows(_NEWEST)[0][0]) - entry > FARTHEST_BACK:
        return None
    posted = db.rows("SELECT posted_nanos FROM accounts WHERE id = ?", account)
    return int(posted[0][0]) - int(db.rows(_SINCE, account, entry)[0][0]) if posted else None


class OpenYet(msgspec.Struct, frozen=True):
    """A call that is not over: what is held for it."""

    request_id: str
    held_nanos: int
    at_us: int


class Told(msgspec.Struct, frozen=True):
    """A call that is over."""

    receipt: dict[str, Any]
    """As `GET /v1/receipts/{id}` tells it."""
    booked: Booked
    account_name: str
    key_name: str
    key_prefix: str


def call(db: Db, account: str | None, request_id: str, *, cost: bool) -> Told | OpenYet:
    """A call of an account; of any (None) for who runs this Portico. Raises `NotFound`."""
    if account is None:
        account = _whose(db, request_id)
    try:
        receipt = statement.receipt(db, account, request_id, cost=cost)
    except statement.StillOpen:
        sql = "SELECT amount_nanos, at_us FROM holds WHERE request_id = ? AND account_id = ?"
        held = db.rows(sql, request_id, account)
        if not held:
            raise
        return OpenYet(request_id, *held[0])
    name = db.rows("SELECT name FROM accounts WHERE id = ?", account)
    key_id = receipt.get("key_id", "")
    key = db.rows("SELECT name, prefix FROM keys WHERE id = ? AND account_id = ?", key_id, account)
    return Told(
        receipt=receipt,
        booked=booked(db, account, request_id),
        account_name=name[0][0] if name else account,
        key_name=key[0][0] if key else "",
        key_prefix=key[0][1] if key else "",
    )


def _whose(db: Db, request_id: str) -> str:
    found = db.rows("SELECT account_id FROM receipts WHERE request_id = ?", request_id)
    found = found or db.rows("SELECT account_id FROM holds WHERE request_id = ?", request_id)
    if not found:
        raise NotFound("There is no receipt of that id.")
    return str(found[0][0])
