"""A receipt that visitors may look at: one call as a running Portico told it; and how a race for money ended."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from portico.web import evidence, money
from portico.web.evidence import Sample
from portico.web.page import NotHere, View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site.changes import UNDATED
from portico.web.slip import Slip, width
from portico.web.words import Say


async def look(_: Showroom, visit: Visit, __: Mapping[str, str]) -> View:
    told, race = evidence.sample(), evidence.race()
    if told is None or race is None:
        raise NotHere
    slip = told.slip
    say = Say(visit.locale, markup=False)
    return View(
        template="receipt",
        title=say("A sample receipt"),
        summary=say(
            "One call from the hold to the balance after it, line by line, as a running Portico wrote it down."
        ),
        data={
            "told": told,
            "slip": slip,
            "at": datetime.fromtimestamp(slip.at_us // 1_000_000, UTC),
            "undated": UNDATED.isoformat(),
            "digits": width([*(money.exact(line.amount_femtos) for line in slip.lines), money.usd(slip.charge_nanos)]),
            "cents": width([money.usd(one) for one in _movements(told, slip)]),
            "race": race,
        },
        twin={
            "object": "sample_receipt",
            "simulated": True,
            **msgspec.to_builtins(told),
            "race": msgspec.to_builtins(race),
        },
    )


def _movements(told: Sample, slip: Slip) -> list[int]:
    given_back = slip.hold_nanos - slip.charge_nanos
    return [told.before_nanos, slip.hold_nanos, slip.charge_nanos, given_back, told.after_nanos]


PAGES: Final = (at("/receipts/sample", look),)
