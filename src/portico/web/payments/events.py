"""Stripe's events in the ledger's words. What we need is typed; what is of no concern to us is None."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.admin.payments import BookPayment
from portico.ledger.payments import BOUNCED, CENT, DISPUTED, FAILED, LOST, PAID, REFUNDED, WON

_Cents = int


class _Session(msgspec.Struct):
    id: str
    mode: str
    payment_status: str
    amount_total: _Cents | None = None
    currency: str | None = None
    payment_intent: str | None = None


class _Charge(msgspec.Struct):
    amount_refunded: _Cents
    currency: str
    payment_intent: str | None = None


class _Refund(msgspec.Struct):
    id: str
    amount: _Cents
    currency: str
    status: str | None = None
    payment_intent: str | None = None


class _Dispute(msgspec.Struct):
    id: str
    amount: _Cents
    currency: str
    status: str
    payment_intent: str | None = None


class Event(msgspec.Struct):
    """What all of them have."""

    id: str
    type: str
    livemode: bool
    data: dict[str, Any]


SESSIONS: Final = {
    "checkout.session.completed": PAID,
    "checkout.session.async_payment_succeeded": PAID,
    "checkout.session.async_payment_failed": FAILED,
    "checkout.session.expired": FAILED,
}
REFUNDED_IN_ALL: Final = "charge.refunded"
REFUNDS: Final = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
"""Of one each. What is behind the last is told by the others too, at newer versions of the interface."""
_REFUNDS: Final = {"pending": REFUNDED, "succeeded": REFUNDED, "failed": BOUNCED, "canceled": BOUNCED}
DISPUTES: Final = {
    "charge.dispute.created": DISPUTED,
    "charge.dispute.funds_withdrawn": DISPUTED,
    "charge.dispute.funds_reinstated": WON,
}
CLOSED: Final = "charge.dispute.closed"
_OUTCOMES: Final = {"won": WON, "lost": LOST}
KNOWN: Final = (*SESSIONS, REFUNDED_IN_ALL, *REFUNDS, *DISPUTES, CLOSED)
"""What a webhook has to be told."""


def booking(event: Event) -> BookPayment | None:
    """What is to be booked of an event; None: nothing. Raises `msgspec.ValidationError` for one that is not as Stripe
    writes it."""
    found = event.data.get("object")
    if event.type in SESSIONS:
        return _of_session(event, found, SESSIONS[event.type])
    if event.type in REFUNDS:
        return _of_refund(event, msgspec.convert(found, _Refund))
    if event.type == REFUNDED_IN_ALL:
        charge = msgspec.convert(found, _Charge)
        return _of_charge(event, REFUNDED, charge.amount_refunded, charge.currency, charge.payment_intent)
    if event.type in DISPUTES or event.type == CLOSED:
        return _of_dispute(event, msgspec.convert(found, _Dispute))
    return None


def _of_session(event: Event, found: Any, kind: str) -> BookPayment | None:
    session = msgspec.convert(found, _Session)
    if session.mode != "payment":
        return None
    if kind == PAID and session.payment_status != "paid":
        return None  # a bank is still to pay; then comes async_payment_succeeded
    return _made(
        event,
        kind=kind,
        payment=session.id,
        named=session.payment_intent or "",
        amount_nanos=(session.amount_total or 0) * CENT,
        currency=(session.currency or "").lower(),
    )


def _of_refund(event: Event, refund: _Refund) -> BookPayment | None:
    kind = _REFUNDS.get(refund.status or "")
    if kind is None:
        return None  # somebody is still to say where it should go
    return _of_charge(event, kind, refund.amount, refund.currency, refund.payment_intent, subject=refund.id)


def _of_dispute(event: Event, dispute: _Dispute) -> BookPayment | None:
    if event.type == CLOSED:
        kind = _OUTCOMES.get(dispute.status)
    else:
        # An inquiry (`warning_…`) takes no money yet.
        kind = None if dispute.status.startswith("warning_") else DISPUTES[event.type]
    if kind is None:
        return None
    return _of_charge(event, kind, dispute.amount, dispute.currency, dispute.payment_intent, subject=dispute.id)


def _of_charge(
    event: Event, kind: str, cents: int, currency: str, reference: str | None, *, subject: str = ""
) -> BookPayment | None:
    if not reference:
        return None  # of no checkout: those always have one
    return _made(
        event,
        kind=kind,
        named=reference,
        subject=subject,
        amount_nanos=cents * CENT,
        currency=currency.lower(),
    )


def _made(event: Event, **fields: Any) -> BookPayment:
    said: Mapping[str, Any] = {"event": event.id, **fields}
    return msgspec.convert(said, BookPayment)
