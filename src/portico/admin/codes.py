"""Commands on redemption codes: money on paper. A code is shown once, is kept as a digest, and is worth its amount once."""

from datetime import datetime
from random import Random
from typing import Annotated, Any, Final

import msgspec

from portico.accounts.keys import digest_of
from portico.admin import dollars
from portico.admin.desk import (
    Args,
    Desk,
    Dollars,
    Note,
    Page,
    Paging,
    at,
    at_or_none,
    checked_text,
    misplaced,
    says,
    us_of,
)
from portico.core.digits import whole
from portico.core.errors import InvalidRequest
from portico.core.ids import random_token
from portico.core.storage import Row

CODE_PREFIX: Final = "code-"
_CHARACTERS: Final = 24
_SHOWN: Final = len(CODE_PREFIX) + 6


class CodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A code, without the code itself."""

    prefix: Annotated[str, says("How it begins.")]
    amount_usd: str
    amount_nanos: int
    state: Annotated[str, says("`open`, `redeemed` or `expired`.")]
    note: str
    created: datetime
    expires: datetime | None = None
    redeemed: datetime | None = None
    account: Annotated[str, says("Whose it became.")] | None = None


class IssuedCode(CodeView, frozen=True, kw_only=True):
    """A code, and the only sight of it."""

    code: Annotated[str, says("The code itself. It is shown this once.")]

    def __repr__(self) -> str:
        return f"IssuedCode(prefix={self.prefix!r})"


class CreateCodes(Args, frozen=True, kw_only=True):
    amount_usd: Dollars
    count: Annotated[int, says("How many codes of that amount.", ge=1, le=1000)] = 1
    note: Note = ""
    expires: Annotated[datetime, says("When it is worth nothing any more. Without an offset: UTC.")] | None = None


class ListCodes(Paging, frozen=True, kw_only=True):
    open: Annotated[bool, says("Only those that may still be redeemed.")] = False


def create(desk: Desk, args: CreateCodes) -> Page[IssuedCode]:
    """Creates redemption codes, and shows them this once."""
    amount, expires_us = dollars.nanos(args.amount_usd, "amount_usd"), us_of(args.expires, "expires")
    if expires_us is not None and expires_us <= desk.db.now_us:
        raise InvalidRequest("expires: that has passed.", param="expires")
    checked_text(args.note, "note")
    sql = "INSERT INTO codes (digest, prefix, amount_nanos, note, created_us, expires_us) VALUES (?, ?, ?, ?, ?, ?)"
    made = []
    for _ in range(args.count):
        code = _new_code(desk.rng)
        row: Row = (code[:_SHOWN], amount, args.note, desk.db.now_us, expires_us, None, None)
        desk.db.run(sql, digest_of(code), *row[:5])
        made.append(IssuedCode(code=code, **_fields(desk, row)))
    return Page(data=made)


def list_(desk: Desk, args: ListCodes) -> Page[CodeView]:
    """Lists redemption codes, newest first."""
    below_us, digest = _place(args.after)
    open_ = " AND redeemed_us IS NULL AND (expires_us IS NULL OR expires_us > ?)" if args.open else ""
    sql = (
        "SELECT prefix, amount_nanos, note, created_us, expires_us, redeemed_us, account_id, digest FROM codes"  # noqa: S608
        f" WHERE (created_us < ? OR (created_us = ? AND digest < ?)){open_} ORDER BY created_us DESC, digest DESC LIMIT ?"
    )
    now = (desk.db.now_us,) if args.open else ()
    rows = desk.db.rows(sql, below_us, below_us, digest, *now, args.limit + 1)
    page = Page.cut(rows, args.limit, lambda row: f"{row[3]}.{row[7]}")
    return Page(data=[CodeView(**_fields(desk, row)) for row in page.data], next=page.next)


def _new_code(rng: Random) -> str:
    return CODE_PREFIX + random_token(rng, _CHARACTERS)


def _place(after: str) -> tuple[int, str]:
    if not after:
        return 2**62, ""
    time, _, digest = after.partition(".")
    created_us = whole(time)
    if created_us is None or not digest:
        raise misplaced()
    return created_us, digest


def _fields(desk: Desk, row: Row) -> dict[str, Any]:
    prefix, amount, note, created_us, expires_us, redeemed_us, account = row[:7]
    expired = expires_us is not None and expires_us <= desk.db.now_us
    return {
        "prefix": prefix,
        "amount_usd": dollars.usd(amount),
        "amount_nanos": amount,
        "state": "redeemed" if redeemed_us is not None else "expired" if expired else "open",
        "note": note,
        "created": at(created_us),
        "expires": at_or_none(expires_us),
        "redeemed": at_or_none(redeemed_us),
        "account": account,
    }
