"""What changed and what will: models that came or go, and prices by the day they hold from, by the catalog's dates."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from portico.catalog import PriceKind, PriceRow, Tier
from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import shelf
from portico.web.site.shelf import Rate, Row
from portico.web.words import Say

UNDATED: Final = date(2024, 1, 1)
"""Since when a price holds of which no day is written down: that is no change."""
MOST: Final = 150


class Change(msgspec.Struct, frozen=True):
    """One line. `what` is one of the three words of the page."""

    day: date
    model: str
    what: str
    row: PriceRow | None = None
    rate: Rate | None = None
    successor: str | None = None


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    every = [change for row in await shelf.rows(showroom) for change in changes_of(row)]
    every.sort(key=lambda change: (change.day, change.model), reverse=True)
    say = Say(visit.locale, markup=False)
    return View(
        template="changes",
        title=say("Changes"),
        summary=say("Models that came or go, and prices by the day they hold from, the newest first."),
        data={"changes": every[:MOST], "today": showroom.now().date()},
        twin={"object": "list", "data": [_told(change) for change in every]},
    )


def changes_of(row: Row) -> Iterable[Change]:
    """Everything dated of one model. A price that has ended for another is history, and is told all the same."""
    model = row.model
    if model.created is not None:
        yield Change(model.created, model.name, "Added")
    if row.ends is not None:
        yield Change(row.ends, model.name, "Ends", successor=model.successor)
    for price in model.prices.rows:
        if price.effective_from > UNDATED and price.tier is Tier.STANDARD and price.kind is not PriceKind.USE:
            yield Change(price.effective_from, model.name, "Price", price, Rate.of(price, row.rates.markup_permille))


def _told(change: Change) -> dict[str, Any]:
    told: dict[str, Any] = {"day": change.day.isoformat(), "model": change.model, "what": change.what.lower()}
    if change.successor is not None:
        told["successor"] = change.successor
    if change.row is not None:
        told["of"] = change.row.kind.value + ("_cached" if change.row.cached else "")
    return told


PAGES: Final = (at("/changes", look),)
