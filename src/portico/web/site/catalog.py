"""The catalog: every model, filtered and ordered as the address says.

/models            ?q= in= out= provider= kind= context= max= sort= desc=1
                   ?in=13000&cached=60&out=800: what a call like that costs. A number is a count of tokens, a word is what
                   a model takes or makes
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from portico.core.digits import whole
from portico.web import money
from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import shelf
from portico.web.site.job import (
    FIELDS,
    OF_ONE_CALL,
    Cost,
    cost_on,
    fields_of,
    fits,
    is_asked,
    job_of,
    number_of,
    query_of,
)
from portico.web.site.models import told
from portico.web.site.shelf import MODALITIES, Job, Rate, Row
from portico.web.words import Say

CONTEXTS: Final = (128_000, 200_000, 400_000, 1_000_000)
"""The choices of a shortest context, in tokens."""
PRICES: Final = ("0.25", "1", "3", "10")
"""The choices of a dearest input price, in dollars per million tokens."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What of the catalog is asked for, as the address says it. What it says wrongly is as if it said nothing."""

    words: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    context: int = 0
    dearest: str = ""
    job: Job | None = None
    """A call whose cost is asked for."""
    sort: str = ""
    descending: bool = False

    @classmethod
    def of(cls, visit: Visit) -> "Filter":
        context, dearest, sort = visit.first("context"), visit.first("max"), visit.first("sort")
        return cls(
            words=visit.first("q").strip()[:100],
            inputs=tuple(word for word in visit.query.get("in", ()) if word in MODALITIES),
            outputs=tuple(word for word in visit.query.get("out", ()) if word in MODALITIES),
            providers=tuple(word for word in visit.query.get("provider", ()) if word and word.isprintable())[:20],
            kinds=tuple(word for word in visit.query.get("kind", ()) if word and word.isprintable())[:20],
            context=whole(context, 9) or 0,
            dearest=dearest if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", dearest, re.ASCII) else "",
            job=job_of(visit, OF_ONE_CALL) if is_asked(visit, OF_ONE_CALL) else None,
            sort=sort if sort in SORTS or (sort == "cost" and is_asked(visit, OF_ONE_CALL)) else "",
            descending=visit.first("desc") == "1",
        )

    def query(self, **changes: Any) -> str:
        """The address's query of this filter with something changed."""
        other = msgspec.structs.replace(self, **changes)
        told: list[tuple[str, str]] = [("q", other.words)]
        told += [("in", word) for word in other.inputs] + [("out", word) for word in other.outputs]
        told += [("provider", word) for word in other.providers] + [("kind", word) for word in other.kinds]
        told += [] if other.job is None else fields_of(other.job, OF_ONE_CALL)
        told += [("context", str(other.context) if other.context else ""), ("max", other.dearest), ("sort", other.sort)]
        told += [("desc", "1" if other.descending else "")]
        return urlencode([(name, value) for name, value in told if value])

    def tests(self) -> dict[str, Callable[[Row], bool]]:
        """By parameter, what a row must be; only those that are set."""
        words = [word.casefold() for word in self.words.split()]
        limit = money_of(self.dearest)
        wanted: dict[str, tuple[bool, Callable[[Row], bool]]] = {
            "q": (bool(words), lambda row: all(word in _text_of(row) for word in words)),
            "in": (bool(self.inputs), lambda row: set(self.inputs) <= set(row.inputs)),
            "out": (bool(self.outputs), lambda row: set(self.outputs) <= set(row.outputs)),
            "provider": (bool(self.providers), lambda row: row.model.vendor in self.providers),
            "kind": (bool(self.kinds), lambda row: row.model.kind.value in self.kinds),
            "context": (self.context > 0, lambda row: row.model.capabilities.max_input_tokens >= self.context),
            "max": (limit is not None, lambda row: _within(row, limit or 0)),
        }
        return {name: test for name, (is_set, test) in wanted.items() if is_set}


def money_of(dollars: str) -> int | None:
    """Dollars per million, as a form says them, in the unit of `Rate`."""
    if not dollars:
        return None
    whole, _, part = dollars.partition(".")
    return int(whole + part.ljust(12, "0"))


def _within(row: Row, limit: int) -> bool:
    if row.prices.free:
        return True
    return row.prices.input is not None and row.prices.input.milli_nanos <= limit


def _text_of(row: Row) -> str:
    model = row.model
    told = (model.name, model.title, row.vendor, *model.aliases, *msgspec.structs.astuple(model.description))
    return " ".join(told).casefold()


def _by_rate(pick: Callable[[shelf.Prices], Rate | None]) -> Callable[[Row], tuple[bool, int]]:
    """What nobody knows comes last, whichever way."""

    def key(row: Row) -> tuple[bool, int]:
        rate = pick(row.prices)
        return rate is not None or row.prices.free, rate.milli_nanos if rate is not None else 0

    return key


SORTS: Final[Mapping[str, Callable[[Row], tuple[bool, Any]]]] = {
    "name": lambda row: (True, row.name),
    "context": lambda row: (row.model.capabilities.max_input_tokens > 0, row.model.capabilities.max_input_tokens),
    "max_output": lambda row: (row.model.capabilities.max_output_tokens > 0, row.model.capabilities.max_output_tokens),
    "input": _by_rate(lambda prices: prices.input),
    "cached": _by_rate(lambda prices: prices.cached),
    "output": _by_rate(lambda prices: prices.output),
}
"""By the word in the address: whether a row has such a thing, and what it is ordered by."""


def _by_cost(job: Job) -> Callable[[Row], tuple[bool, int]]:
    def key(row: Row) -> tuple[bool, int]:
        cost = call_on(row, job)
        return cost is not None, 0 if cost is None else cost.call

    return key


def call_on(row: Row, job: Job) -> Cost | None:
    """What a call costs on a model that answers calls like that."""
    return cost_on(row, job) if shelf.is_chat(row) else None


def cost_word(row: Row, job: Job) -> str:
    """Why no cost is told, in English."""
    if not shelf.is_chat(row):
        return "–"
    return "unknown" if fits(row, job) else "too long"


def chosen(rows: Sequence[Row], asked: Filter) -> list[Row]:
    """The rows that are asked for, in their order."""
    tests = asked.tests().values()
    found = [row for row in rows if all(test(row) for test in tests)]
    if asked.sort:
        key = _by_cost(asked.job) if asked.sort == "cost" and asked.job is not None else SORTS[asked.sort]
        known = sorted((row for row in found if key(row)[0]), key=lambda row: key(row)[1], reverse=asked.descending)
        return known + [row for row in found if not key(row)[0]]
    return found


def counts(rows: Sequence[Row], asked: Filter) -> dict[str, dict[str, int]]:
    """How many rows each choice would leave, everything else that is asked for standing. What a model takes and makes are
    all to be so at once; of providers and kinds it is any. A choice that would leave none is there with a 0."""
    told: dict[str, dict[str, int]] = {}
    choices: dict[str, Callable[[Row], Iterable[str]]] = {
        "in": lambda row: row.inputs,
        "out": lambda row: row.outputs,
        "provider": lambda row: (row.model.vendor,),
        "kind": lambda row: (row.model.kind.value,),
    }
    tests = asked.tests()
    for name, words in choices.items():
        held = [test for other, test in tests.items() if other != name or name in ("in", "out")]
        told[name] = {word: 0 for row in rows for word in words(row)}
        for row in rows:
            if all(test(row) for test in held):
                for word in words(row):
                    told[name][word] += 1
    return told


class Way(msgspec.Struct, frozen=True):
    """A way out of filters that leave nothing: one to drop, and how many models there are then."""

    name: str
    found: int
    query: str


_EMPTY: Final[Mapping[str, dict[str, Any]]] = {
    "q": {"words": ""},
    "in": {"inputs": ()},
    "out": {"outputs": ()},
    "provider": {"providers": ()},
    "kind": {"kinds": ()},
    "context": {"context": 0},
    "max": {"dearest": ""},
}
FILTERS: Final[Mapping[str, str]] = {
    "q": "Search",
    "in": "Takes",
    "out": "Makes",
    "provider": "Provider",
    "kind": "Kind",
    "context": "Context of at least",
    "max": "Input costs at most",
}
"""By parameter, the name of the filter in English."""


def ways_out(rows: Sequence[Row], asked: Filter) -> list[Way]:
    """Of filters that leave nothing, each without which something is left; none if it takes more than one."""
    tests = asked.tests()
    ways = []
    for name in tests:
        others = [test for other, test in tests.items() if other != name]
        if found := sum(1 for row in rows if all(test(row) for test in others)):
            ways.append(Way(name, found, asked.query(**_EMPTY[name])))
    return ways


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    rows = await shelf.rows(showroom)
    asked = Filter.of(visit)
    found = chosen(rows, asked)
    job = asked.job
    costs = {} if job is None else {row.name: call_on(row, job) for row in found}
    say = Say(visit.locale, markup=False)
    return View(
        template="models",
        title=say("Models"),
        summary=say("Every model that is served here, with its limits and what it costs."),
        data={
            "rows": found,
            "all": len(rows),
            "asked": asked,
            "job": job,
            "query_of": query_of,
            "costs": costs,
            "cost_word": cost_word,
            "example": Job(),
            "most": {name: FIELDS[name][1] for name in OF_ONE_CALL},
            "typed": {name: number_of(visit, name) for name in OF_ONE_CALL},
            "query": asked.query(),
            "filtered": bool(asked.tests()),
            "counts": counts(rows, asked),
            "ways": [] if found else ways_out(rows, asked),
            "filters": FILTERS,
            "sorts": [(key, name) for key, name in ORDERS if key != "cost" or job is not None],
            "contexts": CONTEXTS,
            "dearest": PRICES,
            "vendors": sorted({(row.model.vendor, row.vendor) for row in rows}),
        },
        twin={
            "object": "list",
            "currency": "USD",
            "data": [told(row) if job is None else told(row) | _cost_told(costs[row.name]) for row in found],
        },
        follows=not asked.query(),
    )


ORDERS: Final = (
    ("", "by provider"),
    ("name", "Model"),
    ("context", "Context"),
    ("max_output", "Longest answer"),
    ("input", "Input"),
    ("cached", "Cached"),
    ("output", "Output"),
    ("cost", "Cost of this call"),
)
"""What the catalog can be ordered by: the word in the address, and how it is called in English."""


def _cost_told(cost: Cost | None) -> dict[str, Any]:
    return {"cost_of_call": None if cost is None else money.plain(money.usd(cost.call))}


PAGES: Final = (at("/models", look),)
