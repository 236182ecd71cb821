"""What is paid by card: a checkout at a payment provider, and what the provider tells of it.

The provider tells in events, each of which may come late, twice, or before another that was made earlier. So nothing is
decided by the order: an event is written down once, and what is due of a payment follows from all of its events together
(`due`). What differs from what was booked so far is booked then, in the transaction of the event.

    paid       the amount is credited, once, whoever says so how often
    refunded   what is given back to the card is taken off the balance: it is told in all so far, or refund by refund
    bounced    a refund that did not reach the card is no refund
    disputed   what the bank took back is taken off; `won` gives it back, `lost` leaves it

What is given back is the credit first, and the fee after it: never is more taken off than was credited. A balance may go
below zero by it.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from portico.core.errors import Conflict, InvalidRequest
from portico.core.storage import Db, Row, raise_revision
from portico.ledger import pay

CURRENCY: Final = "usd"
CENT: Final = 10_000_000
"""Nano-dollars."""
PAID, FAILED, REFUNDED, BOUNCED = "paid", "failed", "refunded", "bounced"
DISPUTED, WON, LOST = "disputed", "won", "lost"
STATES: Final = ("waiting", "paid", "expired", "refunded", "disputed")
CREDITED: Final = ("paid", "refunded", "disputed")
"""States in which the amount was credited."""

_HOW: Final = {
    PAID: "card return",
    REFUNDED: "card refund",
    BOUNCED: "card refund failed",
    WON: "card dispute won",
}
_PERCENT: Final = 100_000
"""Of thousandths of a percent."""


class Fee(msgspec.Struct, frozen=True):
    """What is paid beside the amount."""

    percent_thousandths: int = 0
    """2.9 % is 2900."""
    fixed_nanos: int = 0

    def of(self, amount_nanos: int) -> int:
        """The fee on an amount, in whole cents, rounded up."""
        exact = amount_nanos * self.percent_thousandths + self.fixed_nanos * _PERCENT
        return -(-exact // (_PERCENT * CENT)) * CENT


class Payment(msgspec.Struct, frozen=True):
    """A checkout. Its id is the provider's."""

    id: str
    account_id: str
    user_id: str | None
    amount_nanos: int
    fee_nanos: int
    state: str
    returned_nanos: int
    reference: str | None
    created_us: int
    changed_us: int

    @property
    def total_nanos(self) -> int:
        """What the card pays."""
        return self.amount_nanos + self.fee_nanos


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as far as it matters. It names its payment by the checkout's id, or by the provider's reference."""

    id: str
    kind: str
    payment_id: str = ""
    reference: str = ""
    subject: str = ""
    """Of a dispute or of one refund, its id."""
    amount_nanos: int = 0
    """What was paid; what was given back, by this refund or without a subject in all so far; what is disputed."""
    currency: str = CURRENCY


class Due(msgspec.Struct, frozen=True):
    """What follows from all that was told of a payment."""

    state: str
    credited_nanos: int
    returned_nanos: int


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an event. `payment` is None if nobody knows it: the event waits for it."""

    event: str
    payment: Payment | None
    fits: bool
    posted_nanos: int


class AlreadyBooked(Conflict):
    """This event was booked already. Nothing was changed."""


def due(amount_nanos: int, told: Sequence[Told]) -> Due:
    """What is due of a payment of that amount, in whatever order its events came."""
    kinds = {one.kind for one in told}
    if PAID not in kinds:
        return Due("expired" if FAILED in kinds else "waiting", 0, 0)
    disputed = _disputed(told)
    returned = min(amount_nanos, _refunded(told) + disputed)
    if disputed:
        return Due("disputed", amount_nanos, returned)
    return Due("refunded" if returned == amount_nanos else "paid", amount_nanos, returned)


def _refunded(told: Sequence[Told]) -> int:
    """What refunds gave back and did not come back. Some may be told of only in the sum of all, and whether that still has
    what bounced in it nobody says: neither count is ever too high."""
    refunds, bounced = _by_subject(told, REFUNDED), _by_subject(told, BOUNCED)
    in_all = refunds.pop("", 0) - sum(bounced.values())
    return max(in_all, sum(amount for subject, amount in refunds.items() if subject not in bounced))


def _disputed(told: Sequence[Told]) -> int:
    """What disputes took and did not give back."""
    won = _by_subject(told, WON)
    return sum(amount for subject, amount in _by_subject(told, DISPUTED, LOST).items() if subject not in won)


def _by_subject(told: Sequence[Told], *kinds: str) -> dict[str, int]:
    """The most that is told of each subject."""
    found: dict[str, int] = {}
    for one in told:
        if one.kind in kinds:
            found[one.subject] = max(found.get(one.subject, 0), one.amount_nanos)
    return found


# -- in the books ------------------------------------------------------------------------------------------------------

_PAYMENT: Final = (
    "SELECT id, account_id, user_id, amount_nanos, fee_nanos, state, returned_nanos, reference, created_us, changed_us"
    " FROM payments"
)
_EVENT: Final = (
    "INSERT INTO payment_events (id, payment_id, kind, reference, subject, amount_nanos, fits, at_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
_TOLD: Final = (
    "SELECT id, kind, payment_id, reference, subject, amount_nanos FROM payment_events"
    " WHERE payment_id = ? AND fits = 1"
)
_CHANGE: Final = "UPDATE payments SET state = ?, returned_nanos = ?, reference = ?, changed_us = ? WHERE id = ?"


def begin(
    db: Db, *, payment_id: str, account_id: str, user_id: str | None, amount_nanos: int, fee_nanos: int
) -> Payment:
    """Writes down a checkout that was made, which waits for its money. Doing it again changes nothing.

    Raises `InvalidRequest` for an amount that is none; `Conflict` if the id is of another payment.
    """
    if not 0 < amount_nanos <= pay.MAX_NANOS or amount_nanos % CENT or fee_nanos < 0 or fee_nanos % CENT:
        raise InvalidRequest("An amount is whole cents above 0.", param="amount")
    sql = (
        "INSERT INTO payments (id, account_id, user_id, amount_nanos, fee_nanos, created_us, changed_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
    )
    db.run(sql, payment_id, account_id, user_id, amount_nanos, fee_nanos, db.now_us, db.now_us)
    made = _one(db.rows(f"{_PAYMENT} WHERE id = ?", payment_id))
    if made is None or (made.account_id, made.amount_nanos, made.fee_nanos) != (account_id, amount_nanos, fee_nanos):
        raise Conflict("There is another payment of that id.")
    return made


def book(db: Db, told: Told) -> Booked:
    """Writes down an event, and moves what is due by it. Raises `AlreadyBooked`, and then nothing was changed."""
    # One after another: two events of one payment, of which each did not see the other, could both find nothing to do.
    raise_revision(db, "payments")
    payment = _payment_of(db, told)
    fits = told.currency == CURRENCY and (payment is None or _fits(db, payment, told))
    known = payment.id if payment is not None else None
    values = (told.kind, told.reference, told.subject, told.amount_nanos, int(fits), db.now_us)
    if not db.run(_EVENT, told.id, known, *values):
        raise AlreadyBooked
    if payment is None or not fits:
        return Booked(event=told.id, payment=payment, fits=fits, posted_nanos=0)
    reference = payment.reference or told.reference or None
    if reference is not None:
        waiting = "UPDATE payment_events SET payment_id = ? WHERE reference = ? AND payment_id IS NULL"
        db.run(waiting, payment.id, reference)
    found = due(payment.amount_nanos, [_told(row) for row in db.rows(_TOLD, payment.id)])
    posted = _move(db, payment, found, told.kind)
    db.run(_CHANGE, found.state, found.returned_nanos, reference, db.now_us, payment.id)
    db.run("UPDATE payment_events SET posted_nanos = ? WHERE id = ?", posted, told.id)
    return Booked(event=told.id, payment=_payment_of(db, told), fits=True, posted_nanos=posted)


def _move(db: Db, payment: Payment, found: Due, kind: str) -> int:
    """Books what differs from what was booked so far; how much that is."""
    credited = found.credited_nanos - (payment.amount_nanos if payment.state in CREDITED else 0)
    back = payment.returned_nanos - found.returned_nanos
    if credited:
        pay.book(db, payment.account_id, "top_up", credited, f"card {payment.id}")
    if back:
        # What was returned before its payment was told is booked with it, and nobody says by which of them.
        how = _HOW.get(kind, "card dispute")
        pay.book(db, payment.account_id, "adjust", back, f"{how} {payment.id}")
    return credited + back


def _fits(db: Db, payment: Payment, told: Told) -> bool:
    """Whether an event can be of this payment: what was paid is what was asked for, and no other goes by its reference."""
    if told.kind == PAID and told.amount_nanos != payment.total_nanos:
        return False
    if not told.reference:
        return True
    if payment.reference is not None:
        return payment.reference == told.reference
    return not db.rows("SELECT 1 FROM payments WHERE reference = ?", told.reference)


def _payment_of(db: Db, told: Told) -> Payment | None:
    if told.payment_id:
        return _one(db.rows(f"{_PAYMENT} WHERE id = ?", told.payment_id))
    return _one(db.rows(f"{_PAYMENT} WHERE reference = ?", told.reference)) if told.reference else None


def _one(rows: Sequence[Row]) -> Payment | None:
    return Payment(*rows[0]) if rows else None


def _told(row: Row) -> Told:
    event, kind, payment_id, reference, subject, amount = row
    return Told(id=event, kind=kind, payment_id=payment_id, reference=reference, subject=subject, amount_nanos=amount)


# -- to look at --------------------------------------------------------------------------------------------------------


class Stray(msgspec.Struct, frozen=True):
    """An event that moved nothing, since nobody knows its payment or it does not fit it."""

    id: str
    kind: str
    payment_id: str | None
    reference: str
    amount_nanos: int
    fits: int
    at_us: int


def payment_of(db: Db, account_id: str, payment_id: str) -> Payment | None:
    """A payment of an account; None if it has none of that id."""
    return _one(db.rows(f"{_PAYMENT} WHERE id = ? AND account_id = ?", payment_id, account_id))


def payers(db: Db, account_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Who began which of these payments of an account, by address."""
    if not ids:
        return {}
    sql = (
        "SELECT p.id, u.email FROM payments p JOIN users u ON u.id = p.user_id"  # noqa: S608
        f" WHERE p.account_id = ? AND p.id IN ({', '.join('?' * len(ids))})"
    )
    return {str(payment_id): str(email) for payment_id, email in db.rows(sql, account_id, *ids)}


def payments(
    db: Db, *, account_id: str | None = None, state: str | None = None, below: tuple[int, str] | None, limit: int
) -> list[Payment]:
    """Payments, the newest first, from below a (time, id) on: of an account or of all, in a state or in any."""
    where, values = ["1 = 1"], []
    for column, value in (("account_id", account_id), ("state", state)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    at_us, payment_id = below or (2**62, "")
    sql = (
        f"{_PAYMENT} WHERE {' AND '.join(where)} AND (created_us < ? OR (created_us = ? AND id < ?))"
        " ORDER BY created_us DESC, id DESC LIMIT ?"
    )
    return [Payment(*row) for row in db.rows(sql, *values, at_us, at_us, payment_id, limit)]


def strays(db: Db, *, limit: int) -> list[Stray]:
    """Events that a person should look at, the newest first."""
    sql = (
        "SELECT id, kind, payment_id, reference, amount_nanos, fits, at_us FROM payment_events"
        " WHERE payment_id IS NULL OR fits = 0 ORDER BY at_us DESC, id DESC LIMIT ?"
    )
    return [Stray(*row) for row in db.rows(sql, limit)]
