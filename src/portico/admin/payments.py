"""Commands on what is paid by card. Money is credited by what the payment provider tells (`book`), and by nothing else.

`BEGIN` and `BOOK` are commands too, in one transaction with their line in the audit, and not in the table: whoever runs
this Portico pays money in with `accounts top-up`, and says so.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from portico.accounts.rows import show_account
from portico.admin import dollars
from portico.admin.command import Command
from portico.admin.desk import AccountRef, Args, Desk, Page, Paging, at, misplaced, says
from portico.core.digits import whole
from portico.core.errors import Conflict
from portico.ledger import payments as books

State = Literal["waiting", "paid", "expired", "refunded", "disputed"]


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A payment by card."""

    id: Annotated[str, says("Its id at the payment provider.")]
    account: str
    user: Annotated[str, says("Who began it.")] | None
    state: Annotated[
        str,
        says(
            "`waiting`: nothing was credited yet. `paid`, `refunded` (all of it), `disputed`: it was. `expired`: unpaid."
        ),
    ]
    amount_usd: str
    fee_usd: Annotated[str, says("What the card paid beside the amount.")]
    returned_usd: Annotated[str, says("What was taken off the balance again, by refunds and disputes.")]
    amount_nanos: int
    fee_nanos: int
    returned_nanos: int
    reference: Annotated[str, says("The provider's name for the payment itself.")] | None
    created: datetime
    changed: datetime


class StrayView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the payment provider told, and that moved nothing."""

    id: Annotated[str, says("The event's id at the payment provider.")]
    kind: Annotated[
        str, says("`paid`, `failed`, `refunded`, `bounced` (a refund that failed), `disputed`, `won` or `lost`.")
    ]
    why: Annotated[str, says("`unknown`: there is no such payment here. `other`: another amount or currency than its.")]
    payment: str | None
    reference: str
    amount_usd: str
    at: datetime


class ListPayments(Paging, frozen=True, kw_only=True):
    account: AccountRef | None = None
    state: Annotated[State, says("Only those in this state.")] | None = None


class ListStrays(Args, frozen=True, kw_only=True):
    limit: Annotated[int, says("How many at most.", ge=1, le=500)] = 100


class BeginPayment(Args, frozen=True, kw_only=True):
    account: AccountRef
    payment: str
    user: str
    amount_nanos: int
    fee_nanos: int


class BookPayment(Args, frozen=True, kw_only=True):
    """`ledger.payments.Told`."""

    event: str
    kind: Literal["paid", "failed", "refunded", "bounced", "disputed", "won", "lost"]
    payment: str = ""
    named: str = ""
    """The reference. Under the name `reference` the audit would let it pass once (`audit.check_reference`)."""
    subject: str = ""
    amount_nanos: int = 0
    currency: str = books.CURRENCY


class BookedView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an event; `id` is the account's, or the event's if nobody knows its payment."""

    id: str
    state: str | None
    fits: bool
    posted_nanos: int


def list_(desk: Desk, args: ListPayments) -> Page[PaymentView]:
    """Lists payments by card, newest first."""
    account_id = None if args.account is None else show_account(desk.db, args.account).id
    found = books.payments(
        desk.db, account_id=account_id, state=args.state, below=_place(args.after), limit=args.limit + 1
    )
    page = Page.cut(found, args.limit, lambda one: f"{one.created_us}.{one.id}")
    return Page(data=[view(one) for one in page.data], next=page.next)


def strays(desk: Desk, args: ListStrays) -> Page[StrayView]:
    """Lists what the payment provider told that fits no payment here: for a person to look at."""
    return Page(
        data=[
            StrayView(
                id=one.id,
                kind=one.kind,
                why="unknown" if one.fits else "other",
                payment=one.payment_id,
                reference=one.reference,
                amount_usd=dollars.usd(one.amount_nanos),
                at=at(one.at_us),
            )
            for one in books.strays(desk.db, limit=args.limit)
        ]
    )


def begin(desk: Desk, args: BeginPayment) -> PaymentView:
    """Writes down a checkout that waits for its money."""
    account = show_account(desk.db, args.account)
    if account.closed_us is not None:
        raise Conflict(f"The account {account.name!r} is closed.")
    made = books.begin(
        desk.db,
        payment_id=args.payment,
        account_id=account.id,
        user_id=args.user,
        amount_nanos=args.amount_nanos,
        fee_nanos=args.fee_nanos,
    )
    return view(made)


def book(desk: Desk, args: BookPayment) -> BookedView:
    """Books what the payment provider told. Raises `AlreadyBooked`."""
    told = books.Told(
        id=args.event,
        kind=args.kind,
        payment_id=args.payment,
        reference=args.named,
        subject=args.subject,
        amount_nanos=args.amount_nanos,
        currency=args.currency,
    )
    booked = books.book(desk.db, told)
    return BookedView(
        id=booked.event if booked.payment is None else booked.payment.account_id,
        state=None if booked.payment is None else booked.payment.state,
        fits=booked.fits,
        posted_nanos=booked.posted_nanos,
    )


BEGIN: Final = Command("payments begin", None, begin)
BOOK: Final = Command("payments book", None, book)


def view(payment: books.Payment) -> PaymentView:
    return PaymentView(
        id=payment.id,
        account=payment.account_id,
        user=payment.user_id,
        state=payment.state,
        amount_usd=dollars.usd(payment.amount_nanos),
        fee_usd=dollars.usd(payment.fee_nanos),
        returned_usd=dollars.usd(payment.returned_nanos),
        amount_nanos=payment.amount_nanos,
        fee_nanos=payment.fee_nanos,
        returned_nanos=payment.returned_nanos,
        reference=payment.reference,
        created=at(payment.created_us),
        changed=at(payment.changed_us),
    )


def _place(after: str) -> tuple[int, str] | None:
    if not after:
        return None
    time, _, payment_id = after.partition(".")
    created_us = whole(time)
    if created_us is None or not payment_id:
        raise misplaced()
    return created_us, payment_id
