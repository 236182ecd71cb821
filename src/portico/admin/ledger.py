"""Commands on the ledger: do the books add up, and what is in them. They only look."""

from datetime import datetime
from itertools import islice
from typing import Annotated

import msgspec

from portico.accounts.rows import show_account
from portico.admin import dollars
from portico.admin.desk import AccountRef, Desk, Nothing, Page, Paging, at, place_of, says
from portico.ledger import verify as books
from portico.ledger.differences import ADVICE


class DifferenceView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not add up."""

    what: str
    account: str
    request_id: str | None
    booked_nanos: int | None
    expected_nanos: int | None
    message: str
    advice: Annotated[str, says("What is to be done about it.")]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was added up. `ok`: everything agrees."""

    ok: bool
    accounts: int
    entries: int
    open_holds: int
    differences: list[DifferenceView]


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: what it does to what is posted, and to what is held."""

    id: int
    at: datetime
    account: str
    kind: Annotated[str, says("`top_up`, `hold`, `extend`, `settle`, `release`, `adjust` or `refund`.")]
    posted_usd: str
    held_usd: str
    posted_nanos: int
    held_nanos: int
    request_id: str | None
    note: str


class ListEntries(Paging, frozen=True, kw_only=True):
    account: AccountRef | None = None


def verify(desk: Desk, args: Nothing) -> Verified:  # noqa: ARG001
    """Adds up every entry and compares: balances, holds, receipts, payments by card, the usage of days."""
    found = books.verify(desk.db)
    return Verified(
        ok=found.ok,
        accounts=found.accounts,
        entries=found.entries,
        open_holds=found.open_holds,
        differences=[
            DifferenceView(
                what=one.what,
                account=one.account,
                request_id=one.request_id,
                booked_nanos=one.booked,
                expected_nanos=one.expected,
                message=str(one),
                advice=ADVICE[one.what],
            )
            for one in found.differences
        ],
    )


def export(desk: Desk, args: ListEntries) -> Page[EntryView]:
    """Lists the entries of the ledger, oldest first."""
    account_id = None if args.account is None else show_account(desk.db, args.account).id
    found = books.entries(desk.db, account_id=account_id, after=place_of(args.after))
    return Page.cut([_view(entry) for entry in islice(found, args.limit + 1)], args.limit, lambda entry: str(entry.id))


def _view(entry: books.Entry) -> EntryView:
    return EntryView(
        id=entry.id,
        at=at(entry.at_us),
        account=entry.account_id,
        kind=entry.kind,
        posted_usd=dollars.usd(entry.posted_nanos),
        held_usd=dollars.usd(entry.held_nanos),
        posted_nanos=entry.posted_nanos,
        held_nanos=entry.held_nanos,
        request_id=entry.request_id,
        note=entry.note,
    )
