"""What was used: calls, tokens and money by day, model, key and account."""

from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec

from portico.accounts import calls
from portico.accounts.rows import accounts_of, show_account
from portico.admin import audit, dollars
from portico.admin.desk import AccountRef, Args, Desk, Note, Page, Paging, at, checked_text, place_of, says
from portico.core.errors import InvalidRequest, NotFound
from portico.ledger import pay

_COLUMNS: Final = {"day": "day", "model": "model", "key": "key_id", "account": "account_id"}
_SUMS: Final = (
    "calls",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "charge_nanos",
    "cost_nanos",
)


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a report. What it is not told by is empty; token counts are the receipts'."""

    day: str = ""
    model: str = ""
    key: str = ""
    account: str = ""
    account_name: str = ""
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    charge_usd: str
    charge_nanos: int
    cost_usd: Annotated[str, says("What the providers asked for it.")]
    cost_nanos: int


class ShowUsage(Paging, frozen=True, kw_only=True):
    account: AccountRef | None = None
    key: Annotated[str, says("Only of this key, by its id.", max_length=200)] | None = None
    model: Annotated[str, says("Only of this model.", max_length=200)] | None = None
    first: Annotated[date, says("The first day (UTC).")] | None = msgspec.field(name="from", default=None)
    last: Annotated[date, says("The last day (UTC).")] | None = msgspec.field(name="to", default=None)
    by: Annotated[str, says("What a line is for, with commas: some of day, model, key, account.")] = "day,model"


class ListReceipts(Paging, frozen=True, kw_only=True):
    account: AccountRef | None = None
    key: Annotated[str, says("Only of this key, by its id.", max_length=200)] | None = None
    model: Annotated[str, says("Only of this model.", max_length=200)] | None = None
    outcome: (
        Annotated[str, says("How they ended: `ok`, `failed` for all that went wrong, or a code.", max_length=100)]
        | None
    ) = None
    charged: Annotated[bool, says("Only what was charged, or only what was not.")] | None = None
    first: Annotated[date, says("The first day (UTC).")] | None = msgspec.field(name="from", default=None)
    last: Annotated[date, says("The last day (UTC).")] | None = msgspec.field(name="to", default=None)
    search: Annotated[str, says("A request's or a key's id, how a key begins, a model, a code.", max_length=200)] = ""


def check_days(first: date | None, last: date | None) -> None:
    """Raises `InvalidRequest` for days the wrong way around, in which nothing would be found."""
    if first is not None and last is not None and last < first:
        raise InvalidRequest("The last day is before the first.", param="to")


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """A call, on one line. Token counts are null where nothing was reported."""

    request_id: str
    account: str
    key: str
    key_name: str
    at: datetime
    model: str
    outcome: str
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    charge_usd: Annotated[str, says("What was booked for it in the end.")]
    charge_nanos: int
    cost_usd: Annotated[str, says("What the providers asked for it.")]
    cost_nanos: int
    flags: Annotated[
        list[str],
        says(
            "`estimated`, `partial`, `recovered`, `unpriced`, `drained`, `capped`; `adjusted` if something came after."
        ),
    ]


class OneReceipt(Args, frozen=True, kw_only=True):
    request: Annotated[str, says("A request's id (`req_…`), as every answer carries it.", min_length=1, max_length=100)]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One call, explained: what was used, by which prices, and what came of it."""

    request_id: str
    account: str
    key: str
    receipt: Annotated[dict[str, Any], says("The receipt as it was written. It never changes.")]
    notes: Annotated[list[dict[str, Any]], says("What came after it.")]


class RefundCall(Args, frozen=True, kw_only=True):
    request: Annotated[str, says("The request's id (`req_…`).", min_length=1, max_length=100)]
    amount_usd: (
        Annotated[str, says("How many US dollars, in digits. Without it: all that is left of the charge.")] | None
    ) = None
    note: Note = ""
    reference: (
        Annotated[str, says("What makes it unique: of a call it is booked once.", min_length=1, max_length=200)] | None
    ) = None


class CallRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What was given back of a call's charge, and what its account has now."""

    request: str
    account: str
    refunded_usd: str
    refunded_nanos: int
    posted_usd: str
    posted_nanos: int


def receipts(desk: Desk, args: ListReceipts) -> Page[CallView]:
    """Lists calls by their receipts, newest first."""
    check_days(args.first, args.last)
    asked = calls.Filter(
        account=None if args.account is None else show_account(desk.db, args.account).id,
        model=args.model or "",
        key=args.key or "",
        outcome=args.outcome or "",
        charged=args.charged,
        first=args.first,
        last=args.last,
        search=args.search,
    )
    found = calls.page(desk.db, asked, before=args.after, limit=args.limit + 1)
    return Page.cut([call_view(one) for one in found], args.limit, lambda one: one.request_id)


def call_view(one: calls.Call) -> CallView:
    tokens = one.tokens
    return CallView(
        request_id=one.request_id,
        account=one.account_id,
        key=one.key_id,
        key_name=one.key_name,
        at=one.at,
        model=one.model,
        outcome=one.outcome,
        input_tokens=tokens.input,
        cached_tokens=tokens.cached,
        output_tokens=tokens.output,
        reasoning_tokens=tokens.reasoning,
        charge_usd=dollars.usd(one.charge_nanos),
        charge_nanos=one.charge_nanos,
        cost_usd=dollars.usd(one.cost_nanos),
        cost_nanos=one.cost_nanos,
        flags=list(one.flags),
    )


def receipt(desk: Desk, args: OneReceipt) -> Receipt:
    """Shows the receipt of a call, with what it cost."""
    found = desk.db.rows("SELECT account_id, key_id, body FROM receipts WHERE request_id = ?", args.request)
    if not found:
        raise NotFound(f"There is no receipt {args.request!r}.")
    account, key, body = found[0]
    notes = desk.db.rows("SELECT kind, at_us, body FROM receipt_notes WHERE request_id = ? ORDER BY id", args.request)
    return Receipt(
        request_id=args.request,
        account=account,
        key=key,
        receipt=msgspec.json.decode(body),
        notes=[{"kind": kind, "at": at(at_us), "body": text} for kind, at_us, text in notes],
    )


def refund(desk: Desk, args: RefundCall) -> CallRefund:
    """Gives back what a call was charged, or some of it, and notes it on its receipt."""
    amount = None if args.amount_usd is None else dollars.nanos(args.amount_usd, "amount_usd")
    checked_text(args.note, "note")
    checked_text(args.reference or "", "reference")
    try:
        account, refunded = pay.refund_call(desk.db, args.request, amount, args.note)
    except pay.MoreThanCharged as error:
        left = f"Of this call's charge {dollars.usd(error.left_nanos)} dollars are left to be given back."
        raise InvalidRequest(left, param="amount_usd") from None
    # The account is locked by now, so that of two at once the second finds what the first wrote down.
    audit.check_reference(desk.db, command="receipts refund", subject=args.request, reference=args.reference)
    found = show_account(desk.db, account)
    return CallRefund(
        request=args.request,
        account=account,
        refunded_usd=dollars.usd(refunded),
        refunded_nanos=refunded,
        posted_usd=dollars.usd(found.posted_nanos),
        posted_nanos=found.posted_nanos,
    )


def show(desk: Desk, args: ShowUsage) -> Page[UsageRow]:
    """Shows what was used, by day, model, key or account."""
    check_days(args.first, args.last)
    by = [word.strip() for word in args.by.split(",") if word.strip()]
    unknown = [word for word in by if word not in _COLUMNS]
    if unknown or len(set(by)) < len(by):
        raise InvalidRequest(f"by: some of {', '.join(_COLUMNS)}, each once, with commas.", param="by")
    wheres: list[str] = ["calls > 0"]
    values: list[str] = []
    account = None if args.account is None else show_account(desk.db, args.account).id
    for column, compare, value in (
        ("account_id", "=", account),
        ("key_id", "=", args.key),
        ("model", "=", args.model),
        ("day", ">=", None if args.first is None else args.first.isoformat()),
        ("day", "<=", None if args.last is None else args.last.isoformat()),
    ):
        if value is not None:
            wheres.append(f"{column} {compare} ?")
            values.append(value)
    columns = [_COLUMNS[word] for word in by]
    sums = ", ".join(f"CAST(COALESCE(SUM({name}), 0) AS BIGINT)" for name in _SUMS)
    order = f" GROUP BY {', '.join(columns)} ORDER BY {', '.join(columns)}" if columns else ""
    start = place_of(args.after)
    sql = f"SELECT {', '.join([*columns, sums])} FROM usage_days WHERE {' AND '.join(wheres)}{order} LIMIT ? OFFSET ?"  # noqa: S608
    rows = desk.db.rows(sql, *values, args.limit + 1, start)
    named = [dict(zip([*by, *_SUMS], row, strict=True)) for row in rows[: args.limit]]
    accounts = accounts_of(desk.db, {row["account"] for row in named if "account" in row})
    names = {account_id: account.name for account_id, account in accounts.items()}
    found = [_line({**row, "account_name": names.get(row.get("account", ""), "")}) for row in named]
    return Page(data=found, next=str(start + args.limit) if len(rows) > args.limit else None)


def _line(values: dict[str, object]) -> UsageRow:
    money = {f"{name}_usd": dollars.usd(int(str(values[f"{name}_nanos"]))) for name in ("charge", "cost")}
    return msgspec.convert({**values, **money}, UsageRow)
