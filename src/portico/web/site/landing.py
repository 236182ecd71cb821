"""The landing: one sentence, one call that works, the models with what they cost."""

from collections.abc import Mapping
from typing import Final

from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import shelf
from portico.web.words import Say

SHOWN: Final = 12


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    job = shelf.Job()
    rows = [row for row in await shelf.rows(showroom) if shelf.is_chat(row) and not row.gone and row.prices.known]
    priced = [(cost, row) for row in rows if (cost := shelf.cost_of(job, row.rates)) is not None]
    priced.sort(key=lambda pair: (pair[0], pair[1].name))
    say = Say(visit.locale, markup=False)
    return View(
        template="landing",
        title=say("One door to every model"),
        summary=say(
            "Use Gemini, GPT and Claude through the client you have: one key, one base URL, a receipt for every call."
        ),
        data={"rows": _spread(priced), "all": len(rows), "job": job, "simulated": showroom.simulated},
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
