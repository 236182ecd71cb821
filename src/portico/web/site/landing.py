"""The landing: one sentence, one call that works, the models with what they cost, and what is claimed with its evidence."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from portico.web import evidence
from portico.web.evidence import FLOOR, OURS, Measured, number
from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import conformance, shelf
from portico.web.site.benchmarks import ROWS, Row
from portico.web.words import Say, whole

SHOWN: Final = 12


HEADLINES: Final = ("latency_p99", "small")
"""The rows of the bench of which one is told, the first that was measured."""


class Headline(msgspec.Struct, frozen=True):
    """A figure of the bench: of how many answers, of which day, beside the floor's ("" if that was not measured)."""

    row: Row
    value: str
    floor: str
    n: str
    day: date
    quick: bool


class Laws(msgspec.Struct, frozen=True):
    """What the last run of the laws came to."""

    judged: int
    skipped: int
    day: date


def headline(run: Measured) -> Headline | None:
    """None: neither was measured."""
    for name in HEADLINES:
        ours, floor = run.figure(name, OURS), run.figure(name, FLOOR)
        if ours is not None and not ours.failed:
            least = "" if floor is None else number(floor.value)
            return Headline(ROWS[name], number(ours.value), least, whole(ours.answered), run.at.date(), run.quick)
    return None


def laws() -> Laws:
    found = conformance.found()
    skipped = sum(sum(law.skipped.values()) for law in found.laws)
    return Laws(sum(law.judged for law in found.laws), skipped, found.date)


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    job = shelf.Job()
    rows = [row for row in await shelf.rows(showroom) if shelf.is_chat(row) and not row.gone and row.prices.known]
    priced = [(cost, row) for row in rows if (cost := shelf.cost_of(job, row.rates)) is not None]
    priced.sort(key=lambda pair: (pair[0], pair[1].name))
    run = evidence.bench()
    say = Say(visit.locale, markup=False)
    return View(
        template="landing",
        title=say("One door to every model"),
        summary=say(
            "Use Gemini, GPT and Claude through the client you have: one key, one base URL, a receipt for every call."
        ),
        data={"rows": _spread(priced), "all": len(rows), "job": job, "simulated": showroom.simulated}
        | {"bench": None if run is None else headline(run), "laws": laws(), "race": evidence.race()},
    )


def _spread(priced: list[tuple[int, shelf.Row]]) -> list[tuple[int, shelf.Row]]:
    """The cheapest few of every vendor, by cost: a list by cost alone would be one vendor's."""
    vendors: dict[str, list[tuple[int, shelf.Row]]] = {}
    for pair in priced:
        vendors.setdefault(pair[1].model.vendor, []).append(pair)
    each = max(1, SHOWN // max(1, len(vendors)))
    chosen = [pair for pairs in vendors.values() for pair in pairs[:each]]
    return sorted(chosen, key=lambda pair: (pair[0], pair[1].name))


PAGES: Final = (at("/", look),)
