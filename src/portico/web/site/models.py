"""The catalog, one model, a family, two to four models beside each other.

/models            ?q= in= out= provider= kind= context= max= sort= desc=1   (every filter is in the address)
/models/{id}       an alias is a 308 to the model it stands for
/models/gemini     a family: its name is no model's
/models/compare    ?m=&m=
"""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec

from portico.catalog import PriceKind, PriceRow, Tier
from portico.core.target import ThinkingControl
from portico.routing.traffic import within_ms
from portico.web import money
from portico.web.able import Ability, Able, Why, able_of
from portico.web.page import Moved, NotHere, Page, View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import conformance, shelf
from portico.web.site.shelf import FAMILIES, MODALITIES, Rate, Row
from portico.web.words import Say

MAX_COMPARED: Final = 4
CONTEXTS: Final = (128_000, 200_000, 400_000, 1_000_000)
"""The choices of a shortest context, in tokens."""
PRICES: Final = ("0.25", "1", "3", "10")
"""The choices of a dearest input price, in dollars per million tokens."""


# -- the catalog ---------------------------------------------------------------------------------------------------------


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What of the catalog is asked for, as the address says it. What it says wrongly is as if it said nothing."""

    words: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    context: int = 0
    dearest: str = ""
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
            context=int(context) if context.isascii() and context.isdigit() and len(context) < 10 else 0,
            dearest=dearest if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", dearest, re.ASCII) else "",
            sort=sort if sort in SORTS else "",
            descending=visit.first("desc") == "1",
        )

    def query(self, **changes: Any) -> str:
        """The address's query of this filter with something changed."""
        other = msgspec.structs.replace(self, **changes)
        told: list[tuple[str, str]] = [("q", other.words)]
        told += [("in", word) for word in other.inputs] + [("out", word) for word in other.outputs]
        told += [("provider", word) for word in other.providers] + [("kind", word) for word in other.kinds]
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


def chosen(rows: Sequence[Row], asked: Filter) -> list[Row]:
    """The rows that are asked for, in their order."""
    tests = asked.tests().values()
    found = [row for row in rows if all(test(row) for test in tests)]
    if asked.sort:
        key = SORTS[asked.sort]
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


def in_the_way(rows: Sequence[Row], asked: Filter) -> str | None:
    """Of filters that leave nothing, one without which something is left."""
    tests = asked.tests()
    for name in tests:
        others = [test for other, test in tests.items() if other != name]
        if any(all(test(row) for test in others) for row in rows):
            return name
    return None


async def catalog(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    rows = await shelf.rows(showroom)
    asked = Filter.of(visit)
    found = chosen(rows, asked)
    say = Say(visit.locale, markup=False)
    return View(
        template="models",
        title=say("Models"),
        summary=say("Every model that is served here, with its limits and what it costs."),
        data={
            "rows": found,
            "all": len(rows),
            "asked": asked,
            "filtered": bool(asked.tests()),
            "counts": counts(rows, asked),
            "blocking": in_the_way(rows, asked) if rows and not found else None,
            "contexts": CONTEXTS,
            "dearest": PRICES,
            "vendors": sorted({(row.model.vendor, row.vendor) for row in rows}),
        },
        twin={"object": "list", "currency": "USD", "data": [told(row) for row in found]},
        follows=not asked.query(),
    )


def told(row: Row) -> dict[str, Any]:
    """A row as the JSON twins have it. Prices are dollars per million tokens, as strings; null is unknown or none."""
    model, prices, state = row.model, row.prices, row.state

    def dollars(rate: Rate | None) -> str | None:
        return None if rate is None else money.plain(money.price(rate.milli_nanos))

    return {
        "id": model.name,
        "title": model.title,
        "vendor": model.vendor,
        "kind": model.kind.value,
        "aliases": list(model.aliases),
        "context_length": model.capabilities.max_input_tokens or None,
        "max_output": model.capabilities.max_output_tokens or None,
        "input_modalities": list(row.inputs),
        "output_modalities": list(row.outputs),
        "price_known": prices.known,
        "free": prices.free,
        "input_per_mtok": dollars(prices.input),
        "cached_per_mtok": dollars(prices.cached),
        "output_per_mtok": dollars(prices.output),
        "above_tokens": prices.band or None,
        "input_per_mtok_above": dollars(prices.input_above),
        "cached_per_mtok_above": dollars(prices.cached_above),
        "output_per_mtok_above": dollars(prices.output_above),
        "calls_24h": state.calls if state.known else None,
        "failed_24h": state.failed if state.known else None,
        "success_permille_24h": state.success_permille,
        "first_event_p50_ms_24h": state.p50_ms,
        "first_event_p95_ms_24h": state.p95_ms,
        "preview": model.preview,
        "retired": row.gone,
        "ends": None if row.ends is None else row.ends.isoformat(),
        "successor": model.successor,
    }


def slots_told(state: shelf.State) -> list[dict[str, Any]]:
    """The 16 minutes in which there were calls."""
    return [
        {
            "from": datetime.fromtimestamp(slot.at_s, UTC).isoformat(),
            "calls": slot.calls,
            "failed": slot.failed,
            "first_event_p50_ms": within_ms(slot.waits, 50),
            "first_event_p95_ms": within_ms(slot.waits, 95),
        }
        for slot in state.slots
        if slot.calls
    ]


# -- one model -----------------------------------------------------------------------------------------------------------


class PriceLine(msgspec.Struct, frozen=True):
    """A row of a model's price table: what it is a price of, and the rate in each tier. None: the same is not offered."""

    row: PriceRow
    rates: tuple[Rate | None, ...]


async def model(showroom: Showroom, visit: Visit, names: Mapping[str, str]) -> View:
    name = names["id"]
    known = showroom.catalog().known(name)
    if known is None:
        raise NotHere
    if known.name != name:
        raise Moved(f"/models/{known.name}")
    day = await showroom.traffic()
    row = shelf.row_of(showroom, known, shelf.fared(day, name))
    if row is None:
        raise NotHere
    tiers, lines = price_table(showroom, row)
    offer = row.offers[0]
    able = able_of(offer, row.priced.capabilities_at(offer.kind))
    judged = conformance.found().of(row.priced.name)
    return View(
        template="model",
        title=known.title,
        summary=known.description.in_locale(visit.locale.value),
        model=name,
        data={
            "row": row,
            "tiers": tiers,
            "lines": lines,
            "able": None if able is None else shown(able),
            "efforts": () if able is None else able.efforts,
            "codes": () if able is None else able.codes,
            "meaning": conformance.meaning,
            "place": conformance.place_of,
            "dialects": conformance.DIALECTS,
            "judged": judged,
            "judged_on": conformance.found().date,
            "history": history(showroom, row),
            "family": row.family,
            "thinking": known.capabilities.thinking,
            "steered": known.capabilities.thinking.control is not ThinkingControl.NONE,
            "cost": shelf.cost_of(shelf.Job(), row.rates) if shelf.is_chat(row) else None,
            "job": shelf.Job(),
            "called": sample_of(row),
            "simulated": showroom.simulated,
            "at": day.at,
        },
        twin=told(row)
        | {"slots_24h": slots_told(row.state)}
        | {
            "asked": msgspec.to_builtins(able),
            "recorded": None if judged is None else msgspec.to_builtins(judged.callers),
        },
    )


class Shown(msgspec.Struct, frozen=True):
    """What a model can do, as its page shows it: what it does for nobody is told once."""

    abilities: tuple[Ability, ...]
    never: tuple[str, ...]
    asked_in: Mapping[str, str]


def shown(able: Able) -> Shown:
    never = [one.name for one in able.abilities if all(found.why is Why.MODEL for found in one.found.values())]
    return Shown(tuple([one for one in able.abilities if one.name not in never]), tuple(never), able.asked_in)


class Sample(msgspec.Struct, frozen=True):
    """A sample of the documentation, and the model it is written for, in whose place another one is named."""

    name: str
    model: str


def sample_of(row: Row) -> Sample | None:
    """The sample that shows how a model is called, by what it is for; None where none is kept, or where the name, which an
    operator may have chosen, would be more than a word in some language of a sample."""
    if _MORE_THAN_A_WORD.search(row.name) is not None:
        return None
    return SAMPLES.get(row.model.kind.value)


_MORE_THAN_A_WORD: Final = re.compile(r"[^A-Za-z0-9._:/@+-]")
_HELLO: Final = Sample("quickstart/hello", "gemini-3.8-flash")
SAMPLES: Final[Mapping[str, Sample]] = {
    "chat": _HELLO,
    "computer_use": _HELLO,
    "embedding": Sample("embeddings/basic", "text-embedding-3-small"),
    "image": Sample("images/generate", "gemini-3-pro-image"),
    "speech": Sample("audio/speech", "gemini-3.8-flash-tts"),
}
"""By kind. A transcription's sample speaks first, with another model, so there is none."""


def price_table(showroom: Showroom, row: Row) -> tuple[list[Tier], list[PriceLine]]:
    """Every price of a model: the tiers that it is offered in, and a line for everything that is priced."""
    tiers: list[Tier] = []
    columns: list[dict[Cell, tuple[PriceRow, Rate]]] = []
    for tier in Tier:
        rates = showroom.rates(row.priced, row.offers[0], showroom.now().date(), tier)
        column = {_cell(one): (one, Rate.of(one, rates.markup_permille)) for one in rates.sale}
        if column and not any(_same(column, other) for other in columns):
            tiers.append(tier)
            columns.append(column)
    every = {cell: one for column in reversed(columns) for cell, (one, _) in column.items()}
    lines = [
        PriceLine(one, tuple(column[cell][1] if cell in column else None for column in columns))
        for cell, one in sorted(every.items(), key=lambda pair: _order(pair[1]))
    ]
    return tiers, lines


Cell: TypeAlias = tuple[Any, ...]


def _cell(row: PriceRow) -> Cell:
    return (row.kind, row.modality, row.cached, row.above_tokens, row.item)


def _same(one: Mapping[Cell, tuple[PriceRow, Rate]], other: Mapping[Cell, tuple[PriceRow, Rate]]) -> bool:
    """Whether two tiers cost the same: then the second is another word for the first."""
    return {cell: pair[1] for cell, pair in one.items()} == {cell: pair[1] for cell, pair in other.items()}


_KINDS: Final = tuple(PriceKind)


def _order(row: PriceRow) -> tuple[Any, ...]:
    modality = MODALITIES.index(row.modality) if row.modality in MODALITIES else -1
    return (_KINDS.index(row.kind), row.cached, modality, row.above_tokens, row.item)


def capabilities(row: Row) -> list[tuple[str, bool]]:
    """What a chat model can do, in the words of the page; the template says them in the reader's language."""
    able = row.model.capabilities
    if not shelf.is_chat(row):
        return []
    return [
        ("Tools", able.tools),
        ("Forced tool calls", able.tools and able.forced_tools),
        ("JSON answers", able.json_mode),
        ("JSON Schema", able.json_schema),
        ("Built-in tools", able.builtin_tools),
        ("Thinking", able.thinking.control is not ThinkingControl.NONE),
        ("Streaming", able.streaming),
        ("Temperature and top_p", able.sampling),
        ("Log probabilities", able.logprobs),
        ("Several answers", able.max_candidates > 1),
        ("Prompt caching", able.cache_min_tokens > 0 or row.prices.cached is not None),
    ]


Priced: TypeAlias = list[tuple[PriceRow, Rate]]


def history(showroom: Showroom, row: Row) -> list[tuple[date, Priced]]:
    """What tokens cost at the standard tier from each day on which that changed, the newest first; nothing of one day.

    Looked for from each day of the catalog's rows to the next and to today, in what calls of these days were charged by."""

    def on(day: date) -> Priced:
        rates = showroom.rates(row.priced, row.offers[0], day, Tier.STANDARD)
        listed = sorted((one for one in rates.sale if one.kind is not PriceKind.USE), key=_order)
        return [(one, Rate.of(one, rates.markup_permille)) for one in listed]

    days = sorted({one.effective_from for one in row.priced.prices.rows if one.tier is Tier.STANDARD})
    today = showroom.now().date()
    told: list[tuple[date, Priced]] = []
    for before, day in itertools.pairwise([None, *(day for day in days if day < today), today]):
        priced = on(day) if day is not None else []
        if day is not None and priced and (not told or _differ(told[-1][1], priced)):
            told.append((day if before is None else _since(before, day, on), priced))
    return told[::-1] if len(told) > 1 else []


def _since(before: date, day: date, on: Callable[[date], Priced]) -> date:
    """A day behind `before` on which prices began to be those of `day`."""
    wanted = on(day)
    while (day - before).days > 1:
        middle = before + (day - before) / 2
        before, day = (middle, day) if _differ(on(middle), wanted) else (before, middle)
    return day


def _differ(one: Priced, other: Priced) -> bool:
    return {_cell(row): rate for row, rate in one} != {_cell(row): rate for row, rate in other}


# -- families, comparisons -----------------------------------------------------------------------------------------------


async def family(showroom: Showroom, visit: Visit, names: Mapping[str, str]) -> View:
    vendor = FAMILIES[names["family"]]
    rows = [row for row in await shelf.rows(showroom) if row.model.vendor == vendor]
    say = Say(visit.locale, markup=False)
    title = {"gemini": "Gemini", "gpt": "GPT", "claude": "Claude"}[names["family"]]
    return View(
        template="family",
        title=title,
        summary=say("%(family)s models that are served here, through any client.", family=title),
        data={
            "rows": [row for row in rows if not row.gone],
            "family": names["family"],
            "vendor": shelf.VENDORS[vendor],
        },
        twin={"object": "list", "currency": "USD", "data": [told(row) for row in rows]},
    )


async def compare(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    rows = {row.name: row for row in await shelf.rows(showroom)}
    names = list(dict.fromkeys(name for name in visit.query.get("m", ()) if name in rows))[:MAX_COMPARED]
    able = {name: dict(capabilities(rows[name])) for name in names}
    say = Say(visit.locale, markup=False)
    return View(
        template="compare",
        title=say("Models side by side"),
        summary=say("Two to four models beside each other: limits, prices, capabilities."),
        data={
            "rows": [rows[name] for name in names],
            "names": sorted(rows),
            "able": able,
            "abilities": list(dict.fromkeys(ability for name in names for ability in able[name])),
        },
        twin={"object": "list", "currency": "USD", "data": [told(rows[name]) for name in names]},
        follows=not names,
    )


def _models(showroom: Showroom) -> Iterable[str]:
    return (f"/models/{one.name}" for one in showroom.catalog().models.values() if showroom.offers(one))


PAGES: Final = (
    at("/models", catalog),
    at("/models/compare", compare),
    Page(
        re.compile(rf"/models/(?P<family>{'|'.join(FAMILIES)})"),
        family,
        lambda _: (f"/models/{name}" for name in FAMILIES),
    ),
    Page(re.compile(r"/models/(?P<id>.+)"), model, _models),
)
