"""Prices of all models, and what a load would cost: a form whose result is in the address.

/pricing?calls=1000&in=13000&cached=60&out=800&img=0&search=0
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.web import money
from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import shelf
from portico.web.site.shelf import Job, Row
from portico.web.words import Say

DAYS: Final = 30
"""Of a month."""
_FIELDS: Final = {
    "calls": ("calls", 100_000_000),
    "in": ("input_tokens", 10_000_000),
    "cached": ("cached_percent", 100),
    "out": ("output_tokens", 1_000_000),
    "img": ("images", 1000),
    "search": ("searches", 1000),
}
"""By parameter: the field of the job, and the most it may be."""
PRESETS: Final = (
    ("A coding agent's turn", Job(1000, 13_000, 60, 800)),
    ("An answer from documents", Job(5000, 6000, 0, 400)),
    ("A page with a picture", Job(1000, 500, 0, 500, images=1)),
    ("A long document, summarised", Job(200, 250_000, 0, 1500)),
)


class Cost(msgspec.Struct, frozen=True):
    """What a load costs on one model, in nano-dollars."""

    row: Row
    call: int
    day: int
    month: int
    crosses: bool
    """A call is longer than the first band of the model's prices."""


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    rows = [row for row in await shelf.rows(showroom) if not row.gone]
    job = job_of(visit)
    costs = [cost for row in rows if shelf.is_chat(row) and (cost := cost_on(row, job)) is not None]
    costs.sort(key=lambda cost: (cost.call, cost.row.name))
    say = Say(visit.locale, markup=False)
    asked = any(visit.first(name) for name in _FIELDS)
    return View(
        template="pricing",
        title=say("Pricing"),
        summary=say("What every model costs per million tokens, and what your load would cost on each."),
        data={
            "rows": rows,
            "job": job,
            "costs": costs,
            "presets": PRESETS,
            "query_of": query_of,
            "most": {name: most for name, (_field, most) in _FIELDS.items()},
            "image_tokens": shelf.IMAGE_TOKENS,
        },
        twin={
            "object": "list",
            "currency": "USD",
            "job": msgspec.to_builtins(job),
            "data": [
                {"id": cost.row.name} | {name: money.plain(money.usd(value)) for name, value in _amounts(cost)}
                for cost in costs
            ],
        },
        follows=not asked,
    )


def _amounts(cost: Cost) -> list[tuple[str, int]]:
    return [("per_call", cost.call), ("per_day", cost.day), ("per_month", cost.month)]


def job_of(visit: Visit) -> Job:
    """The load of the form; a field that is empty or no number is the example's, one that is too much is the most."""
    values: dict[str, Any] = {}
    for name, (field, most) in _FIELDS.items():
        said = visit.first(name).strip()
        if said.isascii() and said.isdigit() and len(said) < 20:
            values[field] = min(int(said), most)
    return Job(**values)


def query_of(job: Job) -> str:
    """A load as the query of an address."""
    return "&".join(f"{name}={getattr(job, field)}" for name, (field, _) in _FIELDS.items())


def cost_on(row: Row, job: Job) -> Cost | None:
    """What the load costs on a model; None where a price is unknown, or it does not fit into the model's context."""
    call = shelf.cost_of(job, row.rates)
    prompt = job.input_tokens + job.images * shelf.IMAGE_TOKENS
    limit = row.model.capabilities.max_input_tokens
    if call is None or (limit and prompt > limit):
        return None
    day = call * job.calls
    return Cost(row, call, day, day * DAYS, bool(row.prices.band) and prompt > row.prices.band)


PAGES: Final = (at("/pricing", look),)
