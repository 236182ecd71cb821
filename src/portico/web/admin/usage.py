"""Usage of all, with what is left of it: what callers paid, less what the providers asked."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from portico.admin.dollars import usd
from portico.core import digits
from portico.core.errors import InvalidRequest, NotFound
from portico.ledger.margins import given_back, margins
from portico.web.admin.forms import PAGE, page
from portico.web.inside.asked import Asked, Reply, Sent, Shown
from portico.wire import csvtext

BYS: Final = ("day", "model", "account", "key", "provider")
DAYS: Final = 30
HEAD: Final = (
    "id",
    "calls",
    "input_tokens",
    "output_tokens",
    "charge_usd",
    "charge_nanos",
    "cost_usd",
    "cost_nanos",
    "margin_usd",
    "margin_nanos",
)
MOST: Final = 100_000
"""Lines of a CSV file."""


class Line(msgspec.Struct, frozen=True):
    """A line of the report. `cost_known`: False where part of the cost is unknown."""

    name: str
    id: str
    calls: int
    tokens_in: int | None
    tokens_out: int | None
    charge_nanos: int
    cost_nanos: int
    unknown: int = 0

    @property
    def margin_nanos(self) -> int:
        return self.charge_nanos - self.cost_nanos

    @property
    def margin(self) -> str:
        """Of what was charged, in percent; "": nothing was charged."""
        if not self.charge_nanos:
            return ""
        tenths = self.margin_nanos * 1000 // self.charge_nanos
        sign, tenths = ("-", -tenths) if tenths < 0 else ("", tenths)
        return f"{sign}{tenths // 10}.{tenths % 10} %"


class Asking(msgspec.Struct, frozen=True):
    """What an address asks for."""

    by: str
    first: date
    last: date
    account: str = ""
    key: str = ""
    model: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """Of the command."""
        told = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return told | {name: value for name in ("account", "key", "model") if (value := getattr(self, name))}

    def link(self, path: str = "/admin/usage", **other: str) -> str:
        """The address of the same with something else."""
        return f"{path}?{urlencode({'by': self.by, **self.fields, **other})}"


def asking(asked: Asked) -> Asking:
    """Raises `InvalidRequest`."""
    today = asked.backstage.showroom.now().date()
    by = asked.first("by", "model")
    if by not in BYS:
        raise InvalidRequest("Usage is told by day, model, account, key or provider.", param="by")
    last = asked.day("to") or today
    first = asked.day("from") or last - timedelta(days=DAYS - 1)
    named = {name: asked.first(name).strip() for name in ("account", "key", "model")}
    return Asking(by, first, last, **named)


async def usage(asked: Asked) -> Shown:
    told = asking(asked)
    start = digits.whole(asked.first("after"), 9) or 0
    errors: dict[str, str] = {}
    lines: Sequence[Line] = ()
    following, total, whole, returned = None, None, True, 0
    try:
        if told.by == "provider":
            found = await asked.backstage.reading.read(lambda db: margins(db, told.first, told.last))
            lines, whole = [_of_provider(one) for one in found.providers], found.whole
            total = _sum(lines)
        else:
            listed = await asked.do("usage", by=told.by, after=str(start), limit=PAGE, **told.fields)
            lines, following = [_line(row, told.by) for row in listed.data], listed.next
            total = await _total(asked, told)
        if not told.key and not told.model:
            account = "" if told.by == "provider" else told.account
            returned = await asked.backstage.reading.read(lambda db: given_back(db, told.first, told.last, account))
    except (NotFound, InvalidRequest) as error:
        errors = {error.param or "account": error.message}
    shown = page(
        asked,
        "usage",
        "Usage and margin",
        told=told,
        lines=lines,
        total=total,
        whole=whole,
        returned=returned,
        next=told.link(after=following) if following else "",
        previous=told.link(after=str(max(0, start - PAGE))) if start else "",
        bys=BYS,
        wide=max(
            [len(usd(one).partition(".")[2]) for line in lines for one in (line.charge_nanos, line.cost_nanos)] or [2]
        ),
    )
    return msgspec.structs.replace(shown, errors=errors, status=422) if errors else shown


def _line(row: Any, by: str) -> Line:
    own = getattr(row, by)
    name = row.account_name if by == "account" else own
    return Line(name or own, own, row.calls, row.input_tokens, row.output_tokens, row.charge_nanos, row.cost_nanos)


def _of_provider(one: Any) -> Line:
    return Line(one.provider, "", one.calls, None, None, one.charge_nanos, one.cost_nanos, one.unknown)


def _sum(lines: Sequence[Line]) -> Line:
    return Line(
        "", "", sum(one.calls for one in lines), None, None,
        sum(one.charge_nanos for one in lines), sum(one.cost_nanos for one in lines), sum(one.unknown for one in lines),
    )  # fmt: skip


async def _total(asked: Asked, told: Asking) -> Line:
    """Of the whole period, and not of this page of it."""
    (row,) = (await asked.do("usage", by="", limit=1, **told.fields)).data
    return Line("", "", row.calls, row.input_tokens, row.output_tokens, row.charge_nanos, row.cost_nanos)


async def usage_csv(asked: Asked) -> Reply:
    """The same lines as a file, all of them."""
    told = asking(asked)
    if told.by == "provider":
        found = await asked.backstage.reading.read(lambda db: margins(db, told.first, told.last))
        lines = [_of_provider(one) for one in found.providers]
    else:
        lines, after = [], ""
        while len(lines) < MOST:
            listed = await asked.do("usage", by=told.by, after=after, limit=500, **told.fields)
            lines += [_line(row, told.by) for row in listed.data]
            if not listed.next:
                break
            after = listed.next
    rows: list[list[object]] = [[told.by, *HEAD], *[[line.name, *_cells(line)] for line in lines]]
    name = f"portico-usage-by-{told.by}-{told.first}-{told.last}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Sent(body=(csvtext.BOM + csvtext.rows(rows)).encode(), media_type="text/csv; charset=utf-8", headers=headers)


def _cells(line: Line) -> list[object]:
    money = [(usd(nanos), nanos) for nanos in (line.charge_nanos, line.cost_nanos, line.margin_nanos)]
    return [line.id, line.calls, line.tokens_in, line.tokens_out, *[cell for pair in money for cell in pair]]
