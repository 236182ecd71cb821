"""One model, and a family.

/models/{id}       an alias is a 308 to the model it stands for
/models/gemini     a family: its name is no model's
"""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias

import msgspec

from portico.catalog import PriceKind, PriceRow, Tier
from portico.core.target import ThinkingControl
from portico.routing.traffic import within_ms
from portico.web import money
from portico.web.able import Ability, Able, Why, able_of
from portico.web.labels import DIALECTS
from portico.web.page import Page, View, Visit
from portico.web.showroom import Showroom
from portico.web.site import conformance, shelf
from portico.web.site.shelf import FAMILIES, MODALITIES, Rate, Row
from portico.web.words import Say


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
    row, day = await shelf.asked_for(showroom, name, "/models")
    known = row.model
    tiers, lines = price_table(showroom, row)
    offer = row.offers[0]
    able = able_of(offer, row.able)
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
            "dialects": DIALECTS,
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
        rates = showroom.rates(row.model, row.offers[0], showroom.now().date(), tier)
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


def capabilities(row: Row) -> list[tuple[str, bool | None]]:
    """What a chat model can do, in the words of the page; the template says them in the reader's language. None: its server
    is held to nothing, and nobody knows."""
    able = row.able
    if not shelf.is_chat(row):
        return []
    found = [
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
    return [(name, known if able.judged else None) for name, known in found]


Priced: TypeAlias = list[tuple[PriceRow, Rate]]


def history(showroom: Showroom, row: Row) -> list[tuple[date, Priced]]:
    """What tokens cost at the standard tier from each day on which that changed, the newest first; nothing of one day.

    Looked for from each day of the catalog's rows to the next and to today, in what calls of these days were charged by."""

    def on(day: date) -> Priced:
        rates = showroom.rates(row.model, row.offers[0], day, Tier.STANDARD)
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


def _models(showroom: Showroom) -> Iterable[str]:
    return (f"/models/{one.name}" for one in showroom.catalog().models.values() if showroom.offers(one))


PAGES: Final = (
    Page(
        re.compile(rf"/models/(?P<family>{'|'.join(FAMILIES)})"),
        family,
        lambda _: (f"/models/{name}" for name in FAMILIES),
    ),
    Page(re.compile(r"/models/(?P<id>.+)"), model, _models),
)
