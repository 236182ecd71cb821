"""Commands on accounts: who owns money here. An account is never deleted, since its books have to add up: it is closed."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from portico.accounts import rows
from portico.accounts.keys import digest_of
from portico.admin import audit, dollars
from portico.admin.desk import AccountRef, Args, Desk, Dollars, Note, Page, Paging, at, at_or_none, checked_text, says
from portico.core.errors import Conflict
from portico.ledger import pay

Kind = Annotated[
    Literal["prepaid", "open"],
    says("`prepaid`: calls are refused beyond the balance. `open`: calls are recorded, and not limited by it."),
]


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account. What may be spent is `available`: what was posted, less what open calls hold."""

    id: str
    name: str
    kind: str
    state: Annotated[str, says("`active` or `closed`.")]
    posted_usd: str
    held_usd: str
    available_usd: str
    posted_nanos: int
    held_nanos: int
    available_nanos: int
    created: datetime
    closed: datetime | None = None


class CreateAccount(Args, frozen=True, kw_only=True):
    name: Annotated[str, says("Its name, which no other account has.", min_length=1, max_length=200)]
    kind: Kind = "prepaid"


class OneAccount(Args, frozen=True, kw_only=True):
    account: AccountRef


class ListAccounts(Paging, frozen=True, kw_only=True):
    closed: Annotated[bool, says("Closed ones, too.")] = False


class SetAccount(Args, frozen=True, kw_only=True):
    account: AccountRef
    kind: Kind


class Pay(Args, frozen=True, kw_only=True):
    account: AccountRef
    amount_usd: Dollars
    note: Note = ""
    reference: (
        Annotated[
            str,
            says(
                "What makes it unique, such as an invoice's number: of an account it is booked once.",
                min_length=1,
                max_length=200,
            ),
        ]
        | None
    ) = None


class RedeemCode(Args, frozen=True, kw_only=True):
    account: AccountRef
    code: Annotated[str, says("The code.", min_length=1, max_length=200)]


def create(desk: Desk, args: CreateAccount) -> AccountView:
    """Creates an account."""
    return view(rows.create_account(desk.db, desk.rng, name=args.name, kind=args.kind))


def list_(desk: Desk, args: ListAccounts) -> Page[AccountView]:
    """Lists accounts and their balances, oldest first."""
    found = rows.list_accounts(desk.db, closed=args.closed, after=args.after, limit=args.limit + 1)
    return Page.cut([view(account) for account in found], args.limit, lambda account: account.id)


def show(desk: Desk, args: OneAccount) -> AccountView:
    """Shows an account and its balance."""
    return view(rows.show_account(desk.db, args.account))


def set_(desk: Desk, args: SetAccount) -> AccountView:
    """Makes an account prepaid or open. Its keys follow within a second."""
    return view(rows.set_account_kind(desk.db, args.account, args.kind))


def top_up(desk: Desk, args: Pay) -> AccountView:
    """Pays dollars into an account."""
    amount = dollars.nanos(args.amount_usd, "amount_usd")
    found = _unbooked(desk, _open(desk, args.account), args, "accounts top-up")
    pay.top_up(desk.db, found.id, amount, args.note)
    return view(rows.show_account(desk.db, found.id))


def refund(desk: Desk, args: Pay) -> AccountView:
    """Gives back dollars that were charged."""
    amount = dollars.nanos(args.amount_usd, "amount_usd")
    found = _unbooked(desk, _open(desk, args.account), args, "accounts refund")
    pay.refund(desk.db, found.id, amount, args.note)
    return view(rows.show_account(desk.db, found.id))


def withdraw(desk: Desk, args: Pay) -> AccountView:
    """Takes dollars out of an account: paid in by mistake, or paid out."""
    amount = dollars.nanos(args.amount_usd, "amount_usd")
    found = _unbooked(desk, rows.show_account(desk.db, args.account), args, "accounts withdraw")
    pay.withdraw(desk.db, found.id, amount, args.note)
    return view(rows.show_account(desk.db, found.id))


def redeem(desk: Desk, args: RedeemCode) -> AccountView:
    """Redeems a code for an account."""
    found = _open(desk, args.account)
    pay.redeem(desk.db, found.id, digest_of(args.code.strip()))
    return view(rows.show_account(desk.db, found.id))


def _unbooked(desk: Desk, found: rows.Account, args: Pay, command: str) -> rows.Account:
    checked_text(args.note, "note")
    checked_text(args.reference or "", "reference")
    pay.lock_account(desk.db, found.id)  # of two at once the second finds what the first has booked
    audit.check_reference(desk.db, command=command, subject=found.id, reference=args.reference)
    return found


def _open(desk: Desk, account: str) -> rows.Account:
    found = rows.show_account(desk.db, account)
    if found.closed_us is not None:
        raise Conflict(f"The account {found.name!r} is closed.")
    return found


def delete(desk: Desk, args: OneAccount) -> AccountView:
    """Closes an account: its keys open nothing any more. Its books stay."""
    return view(rows.close_account(desk.db, args.account))


def view(account: rows.Account) -> AccountView:
    return AccountView(
        id=account.id,
        name=account.name,
        kind=account.kind,
        state="active" if account.closed_us is None else "closed",
        posted_usd=dollars.usd(account.posted_nanos),
        held_usd=dollars.usd(account.held_nanos),
        available_usd=dollars.usd(account.available_nanos),
        posted_nanos=account.posted_nanos,
        held_nanos=account.held_nanos,
        available_nanos=account.available_nanos,
        created=at(account.created_us),
        closed=at_or_none(account.closed_us),
    )
