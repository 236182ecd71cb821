"""What a caller sees of its own account, with its own key:

    GET  /v1/balance            what there is, what open calls hold, what is left
    GET  /v1/key                what the key may still spend, its budgets, what is used of them and when they begin anew
    GET  /v1/usage              by=day,model,key  from=, to= (days of UTC)  limit=, after=  format=csv, or Accept: text/csv
    GET  /v1/receipts/{id}      one call, explained: its usage, its lines, its hold and settlement; waited for a moment
    POST /v1/estimate           a request in any dialect: what would be held for it, of what, and whether there is as much

An account is the key's. What is another's is a 404 that nothing tells from what never was.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol

from portico.accounts import Caller, rows, statement
from portico.accounts.keyuse import budget_of
from portico.accounts.statement import UsagePage, UsageQuery, dollars
from portico.core.errors import InvalidRequest, RouteNotFound
from portico.core.storage import Db, Reading
from portico.http.query import Query
from portico.http.routes import Action, Route
from portico.ledger.windows import BUDGET_DAY, BUDGET_MONTH
from portico.wire import csvtext, jsontext
from portico.wire.http import Exchange, Headers

_JSON: Final = ("content-type", "application/json")
_CSV: Final = ("content-type", "text/csv; charset=utf-8")
_NEVER_KEPT: Final = ("cache-control", "no-store")
NEXT: Final = "x-portico-next"
"""Of a page in CSV: the `after` of the one behind it."""
_BUDGETS: Final = {"day": BUDGET_DAY, "month": BUDGET_MONTH}
RECEIPT_WAIT_S: Final = 2.0
"""How long a receipt is waited for whose call is not settled yet."""
FIRST_PAUSE_S: Final = 0.005
LONGEST_PAUSE_S: Final = 0.1


class Estimator(Protocol):
    """What would be held for the request in a body, `ceiling_nanos` of it."""

    def __call__(self, exchange: Exchange, query: Query, caller: Caller) -> Awaitable[dict[str, Any]]: ...


class AccountPages:
    """Answers these routes from the store."""

    def __init__(
        self,
        reading: Reading,
        today: Callable[[], date],
        estimate: Estimator | None = None,
        *,
        patience_s: float = RECEIPT_WAIT_S,
    ) -> None:
        self._reading = reading
        self._patience_s = patience_s
        self._today = today
        self._estimate = estimate

    async def serve(self, exchange: Exchange, route: Route, query: Query, caller: Caller) -> None:
        """Answers one request. Raises what is wrong with it, `NotFound`, `StorageUnavailable`."""
        match route.action:
            case Action.BALANCE:
                _send(exchange, await self._balance(caller))
            case Action.KEY:
                _send(exchange, await self._reading.read(lambda db: _key(db, caller)))
            case Action.RECEIPT:
                _send(exchange, await self._receipt(caller, route.item or ""))
            case Action.USAGE:
                await self._usage(exchange, query, caller)
            case Action.ESTIMATE if self._estimate is not None:
                _send(exchange, await self._estimated(await self._estimate(exchange, query, caller), caller))
            case _:
                raise RouteNotFound

    async def _estimated(self, told: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """An estimate, and whether there is as much: an open account's calls are served whatever it has."""
        found = await self._reading.read(lambda db: statement.balance(db, caller.tenant))
        return told | {
            "covered": not caller.prepaid or found.available_nanos >= told["ceiling_nanos"],
            "available": dollars(found.available_nanos),
            "available_nanos": found.available_nanos,
        }

    async def _receipt(self, caller: Caller, wanted: str) -> dict[str, Any]:
        """A call is settled after the last byte of its answer, by whichever worker gave it: whoever asks sooner waits."""
        pause_s, left_s = FIRST_PAUSE_S, self._patience_s
        while True:
            try:
                return await self._reading.read(lambda db: statement.receipt(db, caller.tenant, wanted))
            except statement.StillOpen:
                if left_s <= 0:
                    raise
            await asyncio.sleep(pause_s)
            pause_s, left_s = min(pause_s * 2, LONGEST_PAUSE_S), left_s - pause_s

    async def _balance(self, caller: Caller) -> dict[str, Any]:
        found = await self._reading.read(lambda db: statement.balance(db, caller.tenant))
        return {
            "object": "balance",
            "account": found.account,
            "name": found.name,
            "kind": found.kind,
            "currency": "USD",
            "posted": dollars(found.posted_nanos),
            "held": dollars(found.held_nanos),
            "available": dollars(found.available_nanos),
            "posted_nanos": found.posted_nanos,
            "held_nanos": found.held_nanos,
            "available_nanos": found.available_nanos,
        }

    async def _usage(self, exchange: Exchange, query: Query, caller: Caller) -> None:
        as_csv = _wants_csv(exchange.request.headers.get("accept", ""), query)
        asked = UsageQuery.of(query.parameters, self._today())
        page = await self._reading.read(lambda db: statement.usage(db, caller.tenant, asked))
        if not as_csv:
            _send(exchange, _usage_json(asked, page))
            return
        headers: Headers = [_CSV, _NEVER_KEPT, ("content-disposition", 'attachment; filename="usage.csv"')]
        if page.following is not None:
            headers = [*headers, (NEXT, str(page.following))]
        exchange.send(200, headers, _usage_csv(page))


def _key(db: Db, caller: Caller) -> dict[str, Any]:
    """What the key that asks may still spend: the least of the balance, if that limits it, and of what its budgets have
    left; None: nothing limits it. Raises `NotFound` for one that is in no database."""
    key = rows.show_key(db, caller.key_id, account_id=caller.tenant)
    account = statement.balance(db, caller.tenant)
    budgets = {name: budget_of(db, key, kind) for name, kind in _BUDGETS.items()}
    left = [budget.left_nanos for budget in budgets.values() if budget is not None]
    if account.kind == "prepaid":
        left.append(account.available_nanos)
    spendable = max(0, min(left)) if left else None
    told: dict[str, Any] = {
        "object": "key",
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "account": key.account_id,
        "currency": "USD",
        "spendable": None if spendable is None else dollars(spendable),
        "spendable_nanos": spendable,
    }
    for name, budget in budgets.items():
        told[f"budget_{name}"] = None if budget is None else dollars(budget.cap_nanos)
        told[f"used_{name}"] = None if budget is None else dollars(budget.used_nanos)
        told[f"resets_{name}"] = None if budget is None else _time(db.now_us + round(budget.resets_in_s * 1_000_000))
    return told | {"expires": None if key.expires_us is None else _time(key.expires_us)}


def _time(at_us: int) -> str:
    """To the second: windows and expiries begin and end on one."""
    return datetime.fromtimestamp(round(at_us / 1_000_000), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _wants_csv(accept: str, query: Query) -> bool:
    said = query.parameters.get("format")
    if said not in (None, "json", "csv"):
        raise InvalidRequest("format: json or csv.", param="format")
    if said is not None:
        return said == "csv"
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    return "text/csv" in kinds and "application/json" not in kinds


def _usage_json(asked: UsageQuery, page: UsagePage) -> dict[str, Any]:
    rows = [dict(zip(page.columns, row, strict=True)) for row in page.rows]
    total = dict(zip(statement.SUMS, page.total, strict=True))
    for row in (*rows, total):
        row["charge"] = dollars(row["charge_nanos"])
    return {
        "object": "usage",
        "from": asked.first.isoformat(),
        "to": asked.last.isoformat(),
        "by": list(asked.by),
        "currency": "USD",
        "data": rows,
        "total": total,
        "next": None if page.following is None else str(page.following),
    }


def _usage_csv(page: UsagePage) -> bytes:
    """RFC 4180. A name that a spreadsheet would take for a formula is written as text."""
    lines: list[list[Any]] = [[*page.columns, "charge_usd"]]
    lines += [[*row, dollars(row[-1])] for row in page.rows]
    return csvtext.rows(lines).encode()


def _send(exchange: Exchange, body: Any) -> None:
    exchange.send(200, [_JSON, _NEVER_KEPT], jsontext.encode(body))
