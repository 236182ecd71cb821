"""The statement of a month, in the form of a receipt: what there was, what was paid, what calls cost, what was left."""

from datetime import date, timedelta
from typing import Final

from portico.accounts import monthly
from portico.accounts.monthly import Month
from portico.accounts.statement import dollars
from portico.core.errors import NotFound
from portico.ledger.windows import day_of
from portico.web import money
from portico.web.inside.asked import Asked, Led, Needs, Reply, Sent, Shown
from portico.web.inside.room import room
from portico.web.slip import width
from portico.wire import csvtext

KINDS: Final = {"top_up": "Paid in", "refund": "Paid back", "adjust": "Correction"}
_COLUMNS: Final = (
    "line",
    "what",
    "calls",
    "not_charged",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "thinking_tokens",
    "amount_usd",
    "amount_nanos",
)


async def lead(asked: Asked) -> Reply:
    """To the month that is under way, from which links lead to those before."""
    today = await asked.backstage.reading.read(lambda db: day_of(db.now_us))
    return Led(to=f"/console/statements/{today:%Y-%m}")


async def look(asked: Asked) -> Reply:
    said = asked.names["month"]
    as_csv = said.endswith(".csv")
    first = _first_of(said.removesuffix(".csv"))
    kept = asked.backstage.showroom.keeping.usage_days
    found = await asked.backstage.reading.read(lambda db: monthly.month(db, asked.account_id, first, usage_days=kept))
    if as_csv:
        name = f'attachment; filename="statement-{first:%Y-%m}.csv"'
        body = (csvtext.BOM + csvtext.rows(_lines(found))).encode()
        return Sent(body=body, media_type="text/csv; charset=utf-8", headers={"content-disposition": name})
    amounts = [found.opening_nanos, found.closing_nanos, found.charged_nanos]
    amounts += [one.nanos for one in found.payments] + [one.charge_nanos for one in found.models]
    return Shown(
        template="console/statement",
        title="Statement",
        data={
            "found": found,
            "kinds": KINDS,
            "cents": width(money.usd(one) for one in amounts),
            "earlier": "" if found.is_first else f"{first - timedelta(days=1):%Y-%m}",
            "later": "" if found.is_open else f"{found.following:%Y-%m}",
        },
    )


def _first_of(text: str) -> date:
    """Raises `NotFound`."""
    try:
        if len(text) != len("2026-11"):
            raise ValueError(text)
        first = date.fromisoformat(f"{text}-01")
        if not 1970 <= first.year <= 9000:
            raise ValueError(text)
        return first
    except ValueError:
        raise NotFound("There is no statement of that month.") from None


def _lines(found: Month) -> list[list[object]]:
    def line(name: str, what: str, nanos: int, counts: tuple[object, ...] = ("",) * 6) -> list[object]:
        return [name, what, *counts, dollars(nanos), nanos]

    lines: list[list[object]] = [list(_COLUMNS), line("opening", found.first.isoformat(), found.opening_nanos)]
    lines += [line(one.kind, one.note, one.nanos) for one in found.payments]
    for one in found.models:
        tokens = (one.input_tokens, one.cached_tokens, one.output_tokens, one.reasoning_tokens)
        lines.append(line("calls", one.model, -one.charge_nanos, (one.calls, one.released, *tokens)))
    closes = "" if found.is_open else (found.following - timedelta(days=1)).isoformat()
    return [*lines, line("closing", closes, found.closing_nanos)]


ROOMS: Final = (
    room("/console/statements", lead, needs=Needs.VIEWER),
    room("/console/statements/{month}", look, needs=Needs.VIEWER),
)
