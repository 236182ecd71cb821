"""Published prices, exact: whole nano-dollars per unit, never a float (money.md, Units and Prices).

The file writes dollars as strings ("0.125"); here they are integers (125_000_000 nano-dollars per million tokens). A row is
one cell of a price page; a list of rows in force makes a charge a dot product.
"""

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

ANY = "any"
"""The modality of a row that holds for every modality without a row of its own."""

_USD = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?")
_FACTOR = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,3}))?")


class PriceKind(StrEnum):
    """What is counted."""

    INPUT = "input"
    CACHE_WRITE = "input_cache_write"
    """Input that is written to a cache which lasts minutes; where it has no row of its own it is input."""
    CACHE_WRITE_1H = "input_cache_write_1h"
    """Written to a cache that lasts an hour or more; where it has no row of its own it is a cache write."""
    OUTPUT = "output"
    """Thoughts included: they are billed as output (mapping.md 6)."""
    USE = "use"
    """A built-in tool, a store, or work that is not counted in tokens: by `item` and `unit` instead of by modality."""


class PriceUnit(StrEnum):
    """What one rate buys."""

    MTOK = "mtok"
    """A million tokens."""
    QUERY = "query"
    """One query the model sent to a tool (web searches on Gemini 3.x)."""
    PROMPT = "prompt"
    """One prompt whose answer used the tool, however often (Gemini 2.5)."""
    MTOK_HOUR = "mtok_hour"
    """A million tokens kept in an explicit cache for an hour."""
    CHARACTER = "character"
    """One character of text read aloud (`item` is `characters`)."""
    SECOND = "second"
    """One second of sound written down (`item` is `seconds`)."""


METERED: Final = frozenset({"characters", "seconds"})
"""Items that are what a call is about, for models which are not billed by the token: such a fee is a whole price."""


class Tier(StrEnum):
    """A provider's service tier."""

    STANDARD = "standard"
    FLEX = "flex"
    BATCH = "batch"
    PRIORITY = "priority"
    FAST = "fast"
    """Anthropic's `speed: fast`; OpenAI's other word for priority, which counts where a model has no row for this one."""
    ULTRAFAST = "ultrafast"


class PriceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One published price.

    `above_tokens` is the context band: the row holds for the whole request when its prompt has more tokens than that.
    `backend` is empty where every kind of provider charges the same, else the kind (`gemini`, `vertex`).
    """

    kind: PriceKind
    rate_nanos: int
    """Nano-dollars per `unit`."""
    effective_from: date
    source: str
    unit: PriceUnit = PriceUnit.MTOK
    modality: str = ANY
    cached: bool = False
    above_tokens: int = 0
    tier: Tier = Tier.STANDARD
    item: str = ""
    """What is used, for `use` rows: `web_search`, `google_maps`, `cache_storage`, `characters`, `seconds`."""
    backend: str = ""


class TierRule(msgspec.Struct, frozen=True):
    """How a service tier changes the standard rates, in thousandths. Fees for uses are the same in every tier."""

    tier: Tier
    input_permille: int
    cached_permille: int
    output_permille: int

    def applied(self, row: PriceRow) -> PriceRow:
        """The row at this tier's rate. Raises ValueError if that is not a whole number of nano-dollars."""
        if row.kind is PriceKind.USE:
            return row
        rate_nanos, rest = divmod(row.rate_nanos * self.permille(row), 1000)
        if rest:
            raise ValueError(f"{row.rate_nanos} nano-dollars x {self.permille(row)}/1000 is not whole")
        return msgspec.structs.replace(row, rate_nanos=rate_nanos, tier=self.tier)

    def permille(self, row: PriceRow) -> int:
        """The factor for a row, in thousandths."""
        match row.kind:
            case PriceKind.USE:
                return 1000
            case PriceKind.INPUT | PriceKind.CACHE_WRITE | PriceKind.CACHE_WRITE_1H:
                return self.cached_permille if row.cached else self.input_permille
            case PriceKind.OUTPUT:
                return self.output_permille


class PriceList(msgspec.Struct, frozen=True):
    """Every row known for a model, past and announced ones included. Without rows and not `free`: the price is unknown."""

    rows: tuple[PriceRow, ...] = ()
    tiers: tuple[TierRule, ...] = ()
    """The tiers offered beside `standard`."""
    free: bool = False

    def in_force(self, on: date, *, backend: str = "", tier: Tier = Tier.STANDARD) -> tuple[PriceRow, ...]:
        """The rows by which a call that begins `on` this day is charged; none if its price at that tier is unknown.

        Of rows for the same thing, one for the backend beats one for all, then the newest that has begun wins. A row
        written for the tier itself beats the standard row changed by the tier's rule.
        """
        standard = newest_of(self.rows, on, backend, Tier.STANDARD)
        if tier is Tier.STANDARD:
            return tuple(standard.values())
        own = newest_of(self.rows, on, backend, tier)
        rule = self.rule_of(tier)
        if tier is Tier.FAST and rule is None and not own:
            return self.in_force(on, backend=backend, tier=Tier.PRIORITY)
        if rule is None:
            return tuple(with_uses(own, standard).values())
        return tuple((({key: rule.applied(row) for key, row in standard.items()}) | own).values())

    def rule_of(self, tier: Tier) -> TierRule | None:
        """How the tier changes the standard rates; None where it is not offered, or has rows of its own alone."""
        return next((rule for rule in self.tiers if rule.tier is tier), None)


Cell: TypeAlias = tuple[object, ...]
"""What a row is a price of: kind, modality, cached, band, item."""


def newest_of(rows: Iterable[PriceRow], on: date, backend: str, tier: Tier) -> dict[Cell, PriceRow]:
    """The rows of one tier in force on a day at a backend, each under what it is a price of."""
    chosen: dict[Cell, PriceRow] = {}
    for row in rows:
        if row.tier is not tier or row.effective_from > on or row.backend not in ("", backend):
            continue
        key = (row.kind, row.modality, row.cached, row.above_tokens, row.item)
        held = chosen.get(key)
        if held is None or (held.backend, held.effective_from) <= (row.backend, row.effective_from):
            chosen[key] = row
    return chosen


def with_uses(own: dict[Cell, PriceRow], standard: dict[Cell, PriceRow]) -> dict[Cell, PriceRow]:
    """The rows of a tier that has no rule: its own, and the fees for uses, which are the same in every tier."""
    if not own:
        return own
    return {cell: row for cell, row in standard.items() if row.kind is PriceKind.USE} | own


def rate_of(
    rows: Iterable[PriceRow], kind: PriceKind, modality: str, *, cached: bool = False, prompt_tokens: int = 0
) -> PriceRow | None:
    """The row of `rows` (as `PriceList.in_force` gives them) for tokens of one kind; None if there is none: unpriced.

    A modality without a row of its own takes the row for any. Cached tokens of a model that publishes no cached rate
    are plain input, and so are those written to a cache where writing has no price of its own.
    """
    rows = tuple(rows)
    kind = _priced_kind(rows, kind)
    fitting = [row for row in rows if row.kind is kind and (row.above_tokens == 0 or prompt_tokens > row.above_tokens)]
    for wanted_cached in (True, False) if cached else (False,):
        for wanted_modality in (modality, ANY):
            found = [row for row in fitting if row.cached is wanted_cached and row.modality == wanted_modality]
            if found:
                return max(found, key=lambda row: row.above_tokens)
    return None


def _priced_kind(rows: Iterable[PriceRow], kind: PriceKind) -> PriceKind:
    """The kind itself, or what it is charged as where no row is of that kind."""
    while (stand_in := _STANDS_IN.get(kind)) is not None and all(row.kind is not kind for row in rows):
        kind = stand_in
    return kind


_STANDS_IN: Final = {PriceKind.CACHE_WRITE_1H: PriceKind.CACHE_WRITE, PriceKind.CACHE_WRITE: PriceKind.INPUT}


def fee_of(rows: Iterable[PriceRow], item: str) -> PriceRow | None:
    """The row for the use of a tool or store; None if there is none."""
    return next((row for row in rows if row.kind is PriceKind.USE and row.item == item), None)


def nanos_of_usd(usd: str) -> int:
    """Whole nano-dollars of a dollar amount written in digits: "0.125" -> 125_000_000. Raises ValueError."""
    return _fixed_point(_USD, usd, 9, 'a dollar amount such as "0.125", at most nine decimals')


def permille_of(factor: str) -> int:
    """Thousandths of a factor written in digits: "1.8" -> 1800. Raises ValueError."""
    return _fixed_point(_FACTOR, factor, 3, 'a factor such as "1.8", at most three decimals')


def _fixed_point(pattern: re.Pattern[str], text: str, places: int, expected: str) -> int:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"expected {expected}, found {text!r}")
    whole, fraction = match.group(1), match.group(2) or ""
    return int(whole + fraction.ljust(places, "0"))


def usd_of_nanos(nanos: int, places: int = 9) -> str:
    """Dollars in digits of a whole number of their parts, exact: nano-dollars, or with 15 places femto-dollars.

    At least two decimals, and no zeros beyond them: 125_000_000 -> "0.125", 2_000_000_000 -> "2.00".
    """
    whole, rest = divmod(abs(nanos), 10**places)
    fraction = f"{rest:0{places}d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanos < 0 else ''}{whole}.{fraction}"
