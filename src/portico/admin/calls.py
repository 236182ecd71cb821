"""Commands on calls that are open: what runs right now, and ending one of them."""

from datetime import datetime
from typing import Annotated

import msgspec

from portico.accounts.rows import show_account
from portico.admin import dollars
from portico.admin.desk import AccountRef, Args, Desk, Page, at, says
from portico.core.errors import NotFound
from portico.ledger import open_calls

RequestId = Annotated[str, says("A request's id (`req_…`), as every answer carries it.", min_length=1, max_length=100)]


class OpenCallView(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is open. What a stream has used so far is known from its first event on, and every few seconds."""

    request_id: str
    account: str
    account_name: str
    key: str
    key_name: str
    key_prefix: str
    began: datetime
    age_s: Annotated[int, says("For how many seconds it is open.")]
    held_usd: str
    held_nanos: int
    worker: Annotated[str, says("Who serves it.")]
    machine: Annotated[str, says("The name of the machine it runs on.")]
    process: Annotated[str, says("The number of that process there.")]
    ending: Annotated[bool, says("It is about to be ended.")]
    model: Annotated[str, says("Which model answers.")] | None = None
    provider: Annotated[str, says("Where it is asked.")] | None = None
    output_tokens: int | None = None
    charge_nanos: Annotated[int, says("What it would be charged if it ended there.")] | None = None


class ListCalls(Args, frozen=True, kw_only=True):
    account: AccountRef | None = None
    limit: Annotated[int, says("How many at most.", ge=1, le=500)] = 100


class OneCall(Args, frozen=True, kw_only=True):
    request: RequestId


def list_(desk: Desk, args: ListCalls) -> Page[OpenCallView]:
    """Lists the calls that are open, the oldest first."""
    account = None if args.account is None else show_account(desk.db, args.account).id
    found = open_calls.open_calls(desk.db, account=account, limit=args.limit)
    return Page(data=[_view(desk, call) for call in found])


def end(desk: Desk, args: OneCall) -> OpenCallView:
    """Ends an open call within a second. Its provider is stopped, and what was delivered of it is charged."""
    found = open_calls.open_call(desk.db, args.request)
    if found is None:
        raise NotFound(f"No call {args.request!r} is open.")
    open_calls.end_call(desk.db, found.request_id)
    return _view(desk, msgspec.structs.replace(found, ending=True))


def _view(desk: Desk, call: open_calls.OpenCall) -> OpenCallView:
    told, parts = call.so_far, call.label.split(":")
    return OpenCallView(
        request_id=call.request_id,
        account=call.account_id,
        account_name=call.account_name,
        key=call.key_id,
        key_name=call.key_name,
        key_prefix=call.key_prefix,
        began=at(call.at_us),
        age_s=max(0, desk.db.now_us - call.at_us) // 1_000_000,
        held_usd=dollars.usd(call.held_nanos),
        held_nanos=call.held_nanos,
        worker=call.worker_id,
        machine=parts[0] if len(parts) > 1 else "",
        process=parts[-2] if len(parts) > 1 else "",
        ending=call.ending,
        model=None if told is None else told.model or None,
        provider=None if told is None else told.provider or None,
        output_tokens=None if told is None or told.usage is None else told.output_tokens,
        charge_nanos=None if told is None else told.charge_nanos,
    )
