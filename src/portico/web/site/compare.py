"""Two to four models beside each other: what they differ in comes first, and what is the same for all of them after it.

/models/compare?m=gpt-5.5&m=gemini-3.8-flash
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import shelf
from portico.web.site.models import capabilities, told
from portico.web.site.shelf import Job, Prices, Rate, Row
from portico.web.words import Say

MOST: Final = 4


class Line(msgspec.Struct, frozen=True):
    """One thing of every model. `kind` says how a value is shown: text, tokens, tokens_or_none, modes, rate, usd, yes; a
    value is None where it is unknown or there is none."""

    title: str
    kind: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] for value in self.values[1:])


def lines(rows: Sequence[Row]) -> list[Line]:
    """Everything that is compared, in the order of a model's page; nothing that none of them has."""

    def line(title: str, kind: str, value: Callable[[Row], Any]) -> Line:
        return Line(title, kind, tuple(value(row) for row in rows))

    def rate(title: str, pick: Callable[[Prices], Rate | None]) -> Line:
        return line(title, "rate", lambda row: (row.prices.known, row.prices.free, pick(row.prices)))

    found = [
        line("Provider", "text", lambda row: row.vendor),
        line("Context", "tokens", lambda row: row.model.capabilities.max_input_tokens),
        line("Longest answer", "tokens", lambda row: row.model.capabilities.max_output_tokens),
        line("Takes", "modes", lambda row: row.inputs),
        line("Makes", "modes", lambda row: row.outputs),
        rate("Input", lambda prices: prices.input),
        rate("Cached", lambda prices: prices.cached),
        rate("Output", lambda prices: prices.output),
    ]
    if any(row.prices.band for row in rows):
        found += [
            line("Dearer from a prompt of", "tokens_or_none", lambda row: row.prices.band),
            rate("Input of a long prompt", lambda prices: prices.input_above),
            rate("Output to a long prompt", lambda prices: prices.output_above),
        ]
    if any(shelf.is_chat(row) for row in rows):
        found.append(line("A coding agent's turn", "usd", lambda row: _turn(row)))
    able = {row.name: dict(capabilities(row)) for row in rows}
    names = list(dict.fromkeys(name for row in rows for name in able[row.name]))
    return found + [Line(name, "yes", tuple(able[row.name].get(name) for row in rows)) for name in names]


def _turn(row: Row) -> int | None:
    """What the example of the calculator costs."""
    return shelf.cost_of(Job(), row.rates) if shelf.is_chat(row) else None


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    rows = {row.name: row for row in await shelf.rows(showroom)}
    asked = [name for name in dict.fromkeys(visit.query.get("m", ())) if name]
    there = [rows[name] for name in asked if name in rows]
    beside = there[:MOST]
    every = lines(beside) if beside else []
    say = Say(visit.locale, markup=False)
    return View(
        template="compare",
        title=say("Models side by side"),
        summary=say("Two to four models beside each other: limits, prices, capabilities."),
        data={
            "rows": beside,
            "names": sorted(rows),
            "differing": [line for line in every if line.differs],
            "equal": [line for line in every if not line.differs],
            "left_out": [row.name for row in there[MOST:]],
            "nowhere": [name for name in asked if name not in rows][:MOST],
            "query": [("m", row.name) for row in beside],
        },
        twin={"object": "list", "currency": "USD", "data": [told(row) for row in beside]},
        follows=not asked,
    )


PAGES: Final = (at("/models/compare", look),)
