"""The first page: what is left, what was spent, what went wrong; and money by day, by model or key."""

from datetime import timedelta
from typing import Any, Final

import msgspec

from portico.accounts import calls, overview
from portico.accounts.calls import Filter
from portico.accounts.statement import Balance, balance
from portico.core.storage import Db
from portico.ledger.windows import day_of
from portico.web import chart, money
from portico.web.console import asking
from portico.web.inside.asked import Asked, Needs, Reply, Shown
from portico.web.inside.room import room
from portico.web.site.models import SAMPLES
from portico.web.slip import OUTCOMES, width

PERIODS: Final = (7, 30, 90)
SERIES: Final = 5
USAGE: Final = "/console/usage"


class Found(msgspec.Struct, frozen=True):
    balance: Balance
    days_left: int | None
    spent: overview.Spent
    troubles: tuple[overview.Trouble, ...]
    bars: overview.Bars
    has_keys: bool
    has_calls: bool


async def look(asked: Asked) -> Reply:
    said = asked.first("period")
    period = int(said) if said in [str(one) for one in PERIODS] else 30
    by = asked.first("by") if asked.first("by") in overview.BY else "model"
    found = await asked.backstage.reading.read(lambda db: _find(asked, db, period, by))
    template = "console/overview" if found.has_calls else "console/overview_empty"
    return Shown(template=template, title="Overview", data=_data(found, period, by))


def _find(asked: Asked, db: Db, period: int, by: str) -> Found:
    account, today = asked.account_id, day_of(db.now_us)
    left, spent = balance(db, account), overview.spent(db, account)
    return Found(
        balance=left,
        days_left=spent.days_left(left.available_nanos),
        spent=spent,
        troubles=tuple(overview.troubles(db, account)),
        bars=overview.bars(db, account, today - timedelta(days=period - 1), today, by=by, most=SERIES),
        has_keys=overview.has_keys(db, account),
        has_calls=overview.has_calls(db, account),
    )


def _data(found: Found, period: int, by: str) -> dict[str, Any]:
    bars, spent = found.bars, found.spent
    spans = (("today", spent.today), ("7 days", spent.week), ("this month", spent.month))
    failed = sum(one.calls for one in found.troubles)
    first = spent.today.last - timedelta(days=1)
    return {
        "found": found,
        "period": period,
        "by": by,
        "periods": PERIODS,
        "spans": spans,
        "failed": failed,
        "charged_for_failed": sum(one.charge_nanos for one in found.troubles),
        "since_us": min((one.since_us for one in found.troubles), default=None),
        "trouble_link": asking.address(USAGE, Filter(first=first, last=spent.today.last, outcome=calls.FAILED)),
        "trouble_links": [
            asking.address(USAGE, Filter(first=first, last=spent.today.last, outcome=one.outcome, model=one.model))
            for one in found.troubles
        ],
        "cause_links": [
            asking.address(USAGE, Filter(first=spent.week.first, last=spent.week.last, model=one.model, key=one.key_id))
            for one in spent.causes
        ],
        "drawn": chart.stacks(bars.nanos),
        "day_links": [asking.address(USAGE, Filter(first=day, last=day)) for day in bars.days],
        "cents": width([money.usd(one) for day in bars.nanos for one in day] + [money.usd(sum(bars.totals))]),
        "sums": [sum(day[place] for day in bars.nanos) for place in range(len(bars.series))],
        "OUTCOMES": OUTCOMES,
        "sample_name": SAMPLES["chat"].name,
    }


ROOMS: Final = (room("/console", look, needs=Needs.VIEWER),)
