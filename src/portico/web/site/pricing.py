"""Prices of all models, and what a load would cost: a form whose result is in the address.

/pricing?calls=1000&in=13000&cached=60&out=800&think=0&img=0&search=0      &all=1: not only the cheapest
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.web import money
from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import shelf
from portico.web.site.job import FIELDS, Cost, cost_on, factor, fits, is_asked, job_of, query_of
from portico.web.site.shelf import Job
from portico.web.words import Say

SHOWN: Final = 40
"""So many of the cheapest models stand in the list, unless all are asked for."""
PRESETS: Final = (
    ("A coding agent's turn", Job(1000, 13_000, 60, 800)),
    ("An answer from documents", Job(5000, 6000, 0, 400)),
    ("A page with a picture", Job(1000, 500, 0, 500, images=1)),
    ("A hard question, thought through", Job(200, 2000, 0, 1000, thinking_tokens=8000)),
    ("An answer from the web", Job(500, 1500, 0, 600, searches=2)),
    ("A long document, summarised", Job(200, 250_000, 0, 1500)),
)


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    rows = [row for row in await shelf.rows(showroom) if not row.gone]
    job = job_of(visit)
    chats = [row for row in rows if shelf.is_chat(row)]
    costs = [cost for row in chats if (cost := cost_on(row, job)) is not None]
    costs.sort(key=lambda cost: (cost.call, cost.row.name))
    too_long = sum(1 for row in chats if not fits(row, job))
    say = Say(visit.locale, markup=False)
    every = visit.first("all") == "1"
    return View(
        template="pricing",
        title=say("Pricing"),
        summary=say("What every model costs per million tokens, and what your load would cost on each."),
        data={
            "rows": rows,
            "job": job,
            "costs": costs if every else costs[:SHOWN],
            "priced": len(costs),
            "too_long": too_long,
            "unpriced": len(chats) - too_long - len(costs),
            "columns": columns(job, costs),
            "presets": PRESETS,
            "query": query_of(job),
            "query_of": query_of,
            "factor": factor,
            "every": every,
            "most": {name: most for name, (_field, most) in FIELDS.items()},
            "image_tokens": shelf.IMAGE_TOKENS,
        },
        twin={
            "object": "list",
            "currency": "USD",
            "job": msgspec.to_builtins(job),
            "too_long_for": too_long,
            "price_unknown": len(chats) - too_long - len(costs),
            "data": [_told(cost) for cost in costs],
        },
        follows=not (every or is_asked(visit)),
    )


def columns(job: Job, costs: Sequence[Cost]) -> list[tuple[str, str, int]]:
    """What a call is made of: the line's name, its title in English, how many there are of it."""
    cached = job.input_tokens * job.cached_percent // 100
    every = [
        ("input", "Input", job.input_tokens - cached),
        ("cached", "Cached", cached),
        ("images", "Images", job.images),
        ("output", "Output", job.output_tokens),
        ("thinking", "Thinking", job.thinking_tokens),
        ("searches", "Web searches", job.searches),
    ]
    there = {name for cost in costs for name in cost.lines}
    return [(name, title, count) for name, title, count in every if count and name in there]


def _told(cost: Cost) -> dict[str, Any]:
    amounts = (("per_call", cost.call), ("per_day", cost.day), ("per_month", cost.month))
    return {
        "id": cost.row.name,
        **{name: money.plain(money.usd(value)) for name, value in amounts},
        "lines": {name: money.plain(money.price(rate.milli_nanos)) for name, rate in cost.lines.items()},
        "crosses_tokens": cost.row.prices.band if cost.crosses else None,
    }


PAGES: Final = (at("/pricing", look),)
