"""Money paid in and back. Each is one entry, and the balance with it in the same transaction.

What is given back for a call names it, and is a note on its receipt.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from portico.core.errors import Conflict, InvalidRequest, NotFound
from portico.core.storage import Db

MAX_NANOS: Final = 10**18
"""A thousand million dollars: what one entry may move."""
MOST_NANOS: Final = 5 * MAX_NANOS
"""What a balance may come to by it, so that it fits a 64-bit integer whatever is booked besides. SQLite does not refuse a
sum that is beyond: it becomes a fraction."""

_PAY: Final = (
    "UPDATE accounts SET posted_nanos = posted_nanos + ? WHERE id = ? AND closed_us IS NULL AND posted_nanos <= ?"
    " RETURNING posted_nanos, held_nanos"
)
_TAKE: Final = (
    "UPDATE accounts SET posted_nanos = posted_nanos - ? WHERE id = ? AND posted_nanos >= ?"
    " RETURNING posted_nanos, held_nanos"
)
_ENTRY: Final = (
    "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, note, at_us, request_id)"
    " VALUES (?, ?, ?, 0, ?, ?, ?)"
)
_LOCK: Final = "UPDATE accounts SET revision = revision WHERE id = ?"
_ENDED: Final = "SELECT account_id, -posted_nanos FROM entries WHERE request_id = ? AND kind IN ('settle', 'release')"
_ADJUSTED: Final = "SELECT -posted_nanos FROM entries WHERE request_id = ? AND kind = 'adjust'"
# The kinds are named as the index of payments names them, so that it is used.
REFUNDED: Final = (
    "SELECT CAST(COALESCE(SUM(posted_nanos), 0) AS BIGINT) FROM entries"
    " WHERE kind IN ('top_up', 'refund', 'adjust') AND kind = 'refund'"
)
"""What was given back, in nano-dollars; to be gone on with, of what."""
_NOTE: Final = "INSERT INTO receipt_notes (request_id, kind, body, at_us) VALUES (?, 'refund', ?, ?)"
_BOOK: Final = "UPDATE accounts SET posted_nanos = posted_nanos + ? WHERE id = ? RETURNING posted_nanos, held_nanos"
_FREE: Final = "This call was not charged: there is nothing to give back."
_CODE: Final = (
    "UPDATE codes SET redeemed_us = ?, account_id = ? WHERE digest = ? AND redeemed_us IS NULL"
    " AND (expires_us IS NULL OR expires_us > ?) RETURNING amount_nanos, prefix"
)


class RedeemedBefore(InvalidRequest):
    """This account redeemed the code already."""

    at_us = 0
    """When."""


class Balance(msgspec.Struct, frozen=True):
    """How an account stands. `posted_nanos` may be below zero."""

    posted_nanos: int
    held_nanos: int

    @property
    def available_nanos(self) -> int:
        return self.posted_nanos - self.held_nanos


def lock_account(db: Db, account_id: str) -> None:
    """Touches an account's row: of two transactions that do, the second waits for the first, and finds what it did."""
    db.run(_LOCK, account_id)


def top_up(db: Db, account_id: str, amount_nanos: int, note: str = "") -> Balance:
    """Pays money in. Raises `InvalidRequest` for an amount that is none or makes the balance too large, `NotFound` for an
    account that is not open."""
    return _paid(db, account_id, "top_up", amount_nanos, note)


def refund(db: Db, account_id: str, amount_nanos: int, note: str = "") -> Balance:
    """Gives back some of what was charged. Raises as `top_up` does."""
    return _paid(db, account_id, "refund", amount_nanos, note)


class MoreThanCharged(InvalidRequest):
    """More is to be given back of a call than is left of its charge."""

    left_nanos = 0


class Returned(msgspec.Struct, frozen=True):
    """What is given back for a call: the body of a note on its receipt."""

    refunded_nanos: int
    note: str = ""


def refund_call(db: Db, request_id: str, amount_nanos: int | None = None, note: str = "") -> tuple[str, int]:
    """Gives back what a call was charged, or some of it: (account, nano-dollars). Of one call never more than its charge,
    however often. Raises `NotFound` for a call that the books do not know as ended, or whose account is not open,
    `Conflict` where nothing is left of its charge, `MoreThanCharged` for more than is."""
    ended = db.rows(_ENDED, request_id)
    if not ended:
        raise NotFound(f"The books know of no call {request_id!r} that is over.")
    account, charge = ended[0]
    lock_account(db, account)  # of two at once the second finds what the first gave back
    charge += sum(more for (more,) in db.rows(_ADJUSTED, request_id))
    refunded = db.rows(f"{REFUNDED} AND account_id = ? AND request_id = ?", account, request_id)[0][0]
    left = charge - refunded
    if left <= 0:
        raise Conflict("All that this call was charged was given back already." if refunded else _FREE)
    amount = left if amount_nanos is None else amount_nanos
    if amount > left:
        error = MoreThanCharged(f"Of this call's charge {left} nano-dollars are left to be given back.", param="amount")
        error.left_nanos = left
        raise error
    # Lists of payments tell notes, and so which call it was for.
    _paid(db, account, "refund", amount, f"{request_id}: {note}" if note else request_id, request_id)
    db.run(_NOTE, request_id, msgspec.json.encode(Returned(amount, note)).decode(), db.now_us)
    return account, amount


def withdraw(db: Db, account_id: str, amount_nanos: int, note: str = "") -> Balance:
    """Takes out what was paid in by mistake, or is paid out: below zero, too, where it was spent already, and of an account
    that is closed. Raises `InvalidRequest` for an amount that is none or makes the balance too small, `NotFound`."""
    _check(amount_nanos)
    found = db.rows(_TAKE, amount_nanos, account_id, amount_nanos - MOST_NANOS)
    if not found:
        if db.rows("SELECT 1 FROM accounts WHERE id = ?", account_id):
            raise InvalidRequest(f"A balance is at least -{MOST_NANOS} nano-dollars.", param="amount")
        raise NotFound(f"There is no account {account_id!r}.")
    db.run(_ENTRY, account_id, "adjust", -amount_nanos, note, db.now_us, None)
    return Balance(*found[0])


def redeem(db: Db, account_id: str, code_digest: str) -> Balance:
    """Pays in what a code is worth, once, whoever else tries it at the same time.

    Raises `RedeemedBefore` if it was this account that redeemed it; `InvalidRequest` if there is no such code, another
    redeemed it, or it has expired.
    """
    found = db.rows(_CODE, db.now_us, account_id, code_digest, db.now_us)
    if not found:
        before = "SELECT redeemed_us FROM codes WHERE digest = ? AND account_id = ? AND redeemed_us IS NOT NULL"
        for (redeemed_us,) in db.rows(before, code_digest, account_id):
            when = datetime.fromtimestamp(redeemed_us / 1_000_000, UTC)
            error = RedeemedBefore(
                f"This account redeemed the code already, on {when:%Y-%m-%d %H:%M} UTC.", param="code"
            )
            error.at_us = redeemed_us
            raise error
        raise InvalidRequest("This code does not exist, has expired, or was redeemed already.", param="code")
    amount, prefix = found[0]
    return _paid(db, account_id, "top_up", amount, f"code {prefix}…")


def book(db: Db, account_id: str, kind: str, nanos: int, note: str) -> Balance:
    """Books what happened elsewhere, up or down: it is so, whether the account is open, and may take it below zero.
    Raises `NotFound`."""
    found = db.rows(_BOOK, nanos, account_id)
    if not found:
        raise NotFound(f"There is no account {account_id!r}.")
    db.run(_ENTRY, account_id, kind, nanos, note, db.now_us, None)
    return Balance(*found[0])


def _paid(db: Db, account_id: str, kind: str, amount_nanos: int, note: str, request_id: str | None = None) -> Balance:
    _check(amount_nanos)
    found = db.rows(_PAY, amount_nanos, account_id, MOST_NANOS - amount_nanos)
    if not found:
        if db.rows("SELECT 1 FROM accounts WHERE id = ? AND closed_us IS NULL", account_id):
            raise InvalidRequest(f"A balance is at most {MOST_NANOS} nano-dollars.", param="amount")
        raise NotFound(f"There is no open account {account_id!r}.")
    db.run(_ENTRY, account_id, kind, amount_nanos, note, db.now_us, request_id)
    return Balance(*found[0])


def _check(amount_nanos: int) -> None:
    if not 0 < amount_nanos <= MAX_NANOS:
        raise InvalidRequest(f"An amount is above 0 and at most {MAX_NANOS} nano-dollars.", param="amount")
