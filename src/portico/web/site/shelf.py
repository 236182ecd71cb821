"""Models as pages show them: what each is, what it costs here today, how it fares. One row for every page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

import msgspec

from portico.catalog import Model, ModelKind, PriceKind, PriceRow, Rates, Tier
from portico.core.target import Capabilities
from portico.core.usage import Usage
from portico.metering.charge import Charge, charge
from portico.routing.traffic import added, within_ms
from portico.web.page import Moved, NotHere
from portico.web.showroom import Day, Offer, Showroom, Traffic

FAMILIES: Final[Mapping[str, str]] = {"gemini": "google", "gpt": "openai", "claude": "anthropic"}
"""The page of a family, by its address under /models/; the vendor whose models stand on it."""
VENDORS: Final[Mapping[str, str]] = {"google": "Google", "openai": "OpenAI", "anthropic": "Anthropic"}
MODALITIES: Final = ("text", "image", "audio", "video", "document")
FEW: Final = 30
"""Under so many calls a share of them says nothing."""


class Rate(msgspec.Struct, frozen=True):
    """A price as it is shown: nano-dollars x 1000 (the markup is in thousandths), so that nothing is rounded."""

    milli_nanos: int

    @classmethod
    def of(cls, row: PriceRow, markup_permille: int) -> "Rate":
        return cls(row.rate_nanos * markup_permille)


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of text at the standard tier, per million tokens. None: unknown, or there is none."""

    known: bool
    free: bool = False
    input: Rate | None = None
    cached: Rate | None = None
    output: Rate | None = None
    band: int = 0
    """From more prompt tokens than this the second prices hold; 0: there are none."""
    input_above: Rate | None = None
    cached_above: Rate | None = None
    output_above: Rate | None = None
    fees: tuple[tuple[PriceRow, Rate], ...] = ()
    """What is not counted in tokens."""


class State(msgspec.Struct, frozen=True):
    """How a model fared in the last 24 hours. `calls` is what the other figures are of."""

    known: bool = True
    """Whether the figures could be read."""
    calls: int = 0
    failed: int = 0
    p50_ms: int | None = None
    """So long at most half of those that were answered waited for it; None: they were too few, or it took too long."""
    p95_ms: int | None = None
    slots: tuple[Traffic, ...] = ()
    """The whole day, if there were calls."""

    @property
    def tells(self) -> bool:
        """Whether there were enough calls to say something."""
        return self.calls >= FEW

    @property
    def success_permille(self) -> int | None:
        """Rounded down: what is not all is never shown as all. None: there were too few calls to say."""
        return (self.calls - self.failed) * 1000 // self.calls if self.tells else None


NO_CALLS: Final = State()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A model on the shelf."""

    model: Model
    priced: Model
    """Whose price counts: the model's own, or its successor's."""
    offers: tuple[Offer, ...]
    rates: Rates
    prices: Prices
    state: State
    gone: bool
    """It is no longer served itself; its successor answers."""
    ends: date | None
    """The day after which it is gone, where one is announced."""

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def vendor(self) -> str:
        return VENDORS.get(self.model.vendor, self.model.vendor)

    @property
    def family(self) -> str | None:
        return next((name for name, vendor in FAMILIES.items() if vendor == self.model.vendor), None)

    @property
    def able(self) -> Capabilities:
        """What who answers can do, where the first choice serves it."""
        return self.priced.capabilities_at(self.offers[0].kind)

    @property
    def inputs(self) -> tuple[str, ...]:
        return ordered(self.model.capabilities.input_modalities)

    @property
    def outputs(self) -> tuple[str, ...]:
        return ordered(self.model.capabilities.output_modalities)


def ordered(modalities: Iterable[str]) -> tuple[str, ...]:
    """Text first, as people read them."""
    return tuple(sorted(modalities, key=lambda word: MODALITIES.index(word) if word in MODALITIES else len(MODALITIES)))


async def rows(showroom: Showroom) -> list[Row]:
    """Every model that is served here today, and those whose successor answers, in the order of the catalog."""
    if showroom.kept is not None and "rows" in showroom.kept:
        return list(showroom.kept["rows"])
    day = await showroom.traffic()
    told = (row_of(showroom, model, fared(day, model.name)) for model in showroom.catalog().models.values())
    found = [row for row in told if row is not None]
    if showroom.kept is not None:
        showroom.kept["rows"] = tuple(found)
    return found


def row_of(showroom: Showroom, model: Model, state: State = NO_CALLS) -> Row | None:
    """A model as it is shown; None if nobody here serves it."""
    offers = showroom.offers(model)
    if not offers:
        return None
    today = showroom.now().date()
    ends = last_day(model, offers)
    gone = model.is_gone(today) or (ends is not None and ends <= today)
    priced = model
    if gone and model.successor is not None:
        priced = showroom.catalog().models[model.successor]
    rates = showroom.rates(model, offers[0], today, Tier.STANDARD)
    return Row(
        model=model,
        priced=priced,
        offers=offers,
        rates=rates,
        prices=prices_of(rates),
        state=state,
        gone=gone,
        ends=ends,
    )


async def asked_for(showroom: Showroom, name: str, below: str) -> tuple[Row, Day]:
    """The model that the address `below/name` is of, and how its last day went. Raises `NotHere`, and `Moved` where the
    name is an alias."""
    known = showroom.catalog().known(name)
    if known is None:
        raise NotHere
    if known.name != name:
        raise Moved(f"{below}/{known.name}")
    day = await showroom.traffic()
    row = row_of(showroom, known, fared(day, name))
    if row is None:
        raise NotHere
    return row, day


def last_day(model: Model, offers: Sequence[Offer]) -> date | None:
    """The day on which the last of those who serve a model here shuts it down; None if one of them has named no day."""
    days = [model.shutdown.get(one.kind) for one in offers]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def prices_of(rates: Rates) -> Prices:
    """The rows in force as the columns of a list."""
    markup = rates.markup_permille
    if rates.free:
        return Prices(known=True, free=True)
    fees = tuple((row, Rate.of(row, markup)) for row in rates.sale if row.kind is PriceKind.USE)
    bands = sorted({row.above_tokens for row in rates.sale if row.above_tokens})
    band = bands[0] if bands else 0

    def cell(kind: PriceKind, above: int, *, cached: bool = False) -> Rate | None:
        rows = [row for row in rates.sale if row.kind is kind and row.cached is cached and row.above_tokens == above]
        chosen = min(
            rows,
            key=lambda row: ("any", "text").index(row.modality) if row.modality in ("any", "text") else 9,
            default=None,
        )
        return None if chosen is None else Rate.of(chosen, markup)

    return Prices(
        known=rates.known,
        input=cell(PriceKind.INPUT, 0),
        cached=cell(PriceKind.INPUT, 0, cached=True),
        output=cell(PriceKind.OUTPUT, 0),
        band=band,
        input_above=cell(PriceKind.INPUT, band) if band else None,
        cached_above=cell(PriceKind.INPUT, band, cached=True) if band else None,
        output_above=cell(PriceKind.OUTPUT, band) if band else None,
        fees=fees,
    )


def fared(day: Day, model: str) -> State:
    """How a model fared."""
    if day.at is None:
        return State(known=False)
    return _states(day).get(model, NO_CALLS)


def served(day: Day, model: str) -> list[tuple[str, State]]:
    """How each provider that was tried for callers of a model answered, by its name."""
    return [] if day.at is None else _served(day).get(model, [])


@lru_cache(maxsize=2)
def _served(day: Day) -> Mapping[str, list[tuple[str, State]]]:
    return {
        model: [(provider, state_of(slots)) for provider, slots in sorted(providers.items())]
        for model, providers in day.providers.items()
    }


@lru_cache(maxsize=2)
def _states(day: Day) -> Mapping[str, State]:
    """A reading is looked at by every page for a while."""
    return {name: state_of(slots) for name, slots in day.models.items()}


def state_of(slots: tuple[Traffic, ...]) -> State:
    """The 24 hours as one figure each."""
    calls, failed = sum(slot.calls for slot in slots), sum(slot.failed for slot in slots)
    if calls - failed < FEW:
        return State(calls=calls, failed=failed, slots=slots)
    waits = added(*[slot.waits for slot in slots])
    return State(calls=calls, failed=failed, p50_ms=within_ms(waits, 50), p95_ms=within_ms(waits, 95), slots=slots)


class Job(msgspec.Struct, frozen=True):
    """A load whose cost is asked for: what one call has, and how many there are in a day."""

    calls: int = 1000
    input_tokens: int = 13_000
    cached_percent: int = 60
    output_tokens: int = 800
    images: int = 0
    searches: int = 0
    thinking_tokens: int = 0


IMAGE_TOKENS: Final = 1120
"""What a picture of a megapixel is counted as by Gemini 3 at the default resolution (mapping.md 1.4)."""


def cost_of(job: Job, rates: Rates) -> int | None:
    """Nano-dollars of one such call; None where a price is unknown."""
    found = charged(job, rates)
    return None if found is None else found.nanos


def charged(job: Job, rates: Rates) -> Charge | None:
    """What one such call is charged, by the biller's own arithmetic; None where a price is unknown."""
    if not rates.known and not rates.free:
        return None
    cached = job.input_tokens * job.cached_percent // 100
    fresh = {"text": job.input_tokens - cached}
    if job.images:
        fresh["image"] = job.images * IMAGE_TOKENS
    usage = Usage(
        input_uncached={name: count for name, count in fresh.items() if count},
        input_cache_read={"text": cached} if cached else {},
        output_visible={"text": job.output_tokens} if job.output_tokens else {},
        output_reasoning={"text": job.thinking_tokens} if job.thinking_tokens else {},
    )
    uses = {"web_search": job.searches} if job.searches else {}
    found = charge(usage, uses, rates)
    return None if found.unpriced else found


def is_chat(row: Row) -> bool:
    return row.model.kind in (ModelKind.CHAT, ModelKind.COMPUTER_USE)
