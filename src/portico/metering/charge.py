"""What a call costs: its usage times the rates in force, line by line, in integers (money.md, Units and Prices).

Buckets are disjoint, so that a charge is a dot product. A line is one count at one rate; its amount is exact in
femto-dollars (a millionth of a nano-dollar: nano-dollars per million tokens, times tokens). The lines are summed, the
markup is put on the sum, and it is rounded once, up, to whole nano-dollars.

Cost and sale are two sums over the same counts. Where no row prices a count, the line has no rate and the charge says
`unpriced`: never a silent zero.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from portico.catalog import METERED, PriceKind, PriceRow, PriceUnit, fee_of, rate_of
from portico.catalog.books import NO_MARKUP, Rates
from portico.core.usage import Usage, total

FEMTOS: Final = 1_000_000
"""Femto-dollars of a nano-dollar."""
INPUT, CACHED, CACHE_WRITE, TOOL = "input", "input_cached", "input_cache_write", "input_tool"
CACHE_WRITE_1H = "input_cache_write_1h"
OUTPUT, REASONING, USE = "output", "output_reasoning", "use"

TOOL_FREE: Final = "brought in by a tool that has a fee: not billed as input"
TOOL_DEARER: Final = "several tools were used and the tokens are not told apart: billed as the dearer"
TOOL_UNKNOWN: Final = "the answer does not say which tool brought them in: billed as input"
MODEL_FREE: Final = "the model is free"
NO_PRICE: Final = "no price is known"


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One count and what it costs. Rates are nano-dollars per `unit`; None: nobody knows it."""

    item: str
    """`input`, `input_cached`, `input_cache_write`, `input_cache_write_1h`, `input_tool`, `output`, `output_reasoning`, or
    `use`."""
    detail: str
    """The modality; the tool, for a use."""
    count: int
    unit: str
    rate_nanos: int | None
    cost_rate_nanos: int | None
    amount_femtos: int
    """Of the sale, before markup."""
    cost_femtos: int
    above_tokens: int = 0
    """The row holds for prompts of more tokens than this."""
    tier: str = "standard"
    effective_from: str = ""
    source: str = ""
    cost_source: str = ""
    note: str = ""
    model: str = ""
    """Who answered, and where, if several did (`metering.several`); so the next three."""
    upstream_model: str = ""
    provider: str = ""
    markup_permille: int = 0
    """Of this line alone; 0: the receipt's is on it."""


class Charge(msgspec.Struct, frozen=True):
    """What the caller pays and what the operator does, in whole nano-dollars, and why."""

    nanos: int
    cost_nanos: int
    lines: tuple[Line, ...]
    unpriced: bool = False
    """Something was used whose sale price nobody knows: `nanos` is too little."""
    cost_unknown: bool = False
    markup_permille: int = NO_MARKUP


NOTHING: Final = Charge(0, 0, ())

_KINDS: Final = {
    CACHE_WRITE: PriceKind.CACHE_WRITE,
    CACHE_WRITE_1H: PriceKind.CACHE_WRITE_1H,
    OUTPUT: PriceKind.OUTPUT,
    REASONING: PriceKind.OUTPUT,
}
"""What prices a line that is not plain input."""

_Terms: TypeAlias = tuple[str, int | None, int | None, int, str, str, str, str, str]
"""Of a line what is the same for every count: unit, rate, rate of the cost, band, tier, day, sources, note."""


def charge(usage: Usage | None, uses: Mapping[str, int], rates: Rates, *, prompts: int = 1) -> Charge:
    """What an answer costs; nothing if nothing was reported: an estimate is made elsewhere (`metering.estimate`).

    `uses` are the provider's tools that it used, and how often (`Seen.uses`); or the characters and seconds that a call was
    about, which are billed where the model has a fee for them. `prompts`: how many upstream calls the usage
    is the sum of. They had one prompt each, of the same length, which is what bands and fees by the prompt look at.
    """
    if usage is None:
        if not is_metered(uses, rates):
            return NOTHING
        usage = Usage()
    prompt_tokens = sum(usage.input_uncached.values())
    if usage.input_cache_read or usage.input_cache_write or usage.input_cache_write_1h:
        prompt_tokens += total(usage.input_cache_read) + total(usage.input_cache_write)
        prompt_tokens += total(usage.input_cache_write_1h)
    reached = 0
    for band in _bands(rates):
        reached += band * prompts < prompt_tokens
    lines: list[Line] = []
    for item, tokens in (
        (INPUT, usage.input_uncached),
        (CACHED, usage.input_cache_read),
        (CACHE_WRITE, usage.input_cache_write),
        (CACHE_WRITE_1H, usage.input_cache_write_1h),
        (TOOL, usage.input_tool),
        (OUTPUT, usage.output_visible),
        (REASONING, usage.output_reasoning),
    ):
        if tokens:
            note = _tool_note(uses, rates) if item is TOOL else ""
            for modality, count in tokens.items():
                lines.append(_line(item, modality, count, note, rates, reached))
    if uses:
        lines += _fees(uses, rates, prompts)
    femtos = cost_femtos = 0
    unpriced = cost_unknown = False
    for line in lines:
        femtos += line.amount_femtos
        cost_femtos += line.cost_femtos
        unpriced = unpriced or line.rate_nanos is None
        cost_unknown = cost_unknown or line.cost_rate_nanos is None
    markup = rates.markup_permille
    return Charge(
        -(-femtos * markup // (FEMTOS * NO_MARKUP)),
        -(-cost_femtos // FEMTOS),
        tuple(lines),
        unpriced or not rates.known,
        cost_unknown or not rates.cost_known,
        markup,
    )


def is_metered(uses: Mapping[str, int], rates: Rates) -> bool:
    """Whether the model is billed by what a call was about instead of tokens, and it is told how much that was."""
    told = METERED.intersection(uses)
    return bool(told) and any(row.item in told for row in (*rates.sale, *rates.cost))


def _tool_note(uses: Mapping[str, int], rates: Rates) -> str:
    """Whose tokens tool tokens are: free only if no tool shows but those with a fee (mapping.md 2.9, Billing)."""
    billed = uses.keys() - rates.tools_free
    if not uses:
        return TOOL_UNKNOWN
    if not billed:
        return TOOL_FREE
    return TOOL_DEARER if len(uses) > 1 else ""


def _line(item: str, modality: str, count: int, note: str, rates: Rates, reached: int) -> Line:
    if note is TOOL_FREE:
        return Line(item, modality, count, PriceUnit.MTOK.value, 0, 0, 0, 0, note=note)
    terms: _Terms | None = rates.memo.get((item, modality, reached))
    if terms is None:
        terms = rates.memo[item, modality, reached] = _terms_of_tokens(item, modality, rates, reached)
    unit, rate, cost_rate, above, tier, day, source, cost_source, said = terms
    amount, cost = (rate or 0) * count, (cost_rate or 0) * count
    note = said or note
    return Line(item, modality, count, unit, rate, cost_rate, amount, cost, above, tier, day, source, cost_source, note)


def _bands(rates: Rates) -> list[int]:
    """The prompt lengths beyond which a row of either book holds, in order."""
    bands: list[int] | None = rates.memo.get("charge_bands")
    if bands is None:
        bands = rates.memo["charge_bands"] = sorted({row.above_tokens for row in (*rates.sale, *rates.cost)} - {0})
    return bands


def _terms_of_tokens(item: str, modality: str, rates: Rates, reached: int) -> _Terms:
    """By the rows of both books for a prompt that is beyond so many of the bands."""
    kind = _KINDS.get(item, PriceKind.INPUT)
    prompt_tokens = _bands(rates)[reached - 1] + 1 if reached else 0
    sale, cost = (
        rate_of(rows, kind, modality, cached=item == CACHED, prompt_tokens=prompt_tokens)
        for rows in (rates.sale, rates.cost)
    )
    return _terms(sale, cost, rates)


def _terms(sale: PriceRow | None, cost: PriceRow | None, rates: Rates) -> _Terms:
    row = sale or cost
    rate = 0 if rates.free else None if sale is None else sale.rate_nanos
    return (
        PriceUnit.MTOK.value if row is None else row.unit.value,
        rate,
        0 if rates.cost_free else None if cost is None else cost.rate_nanos,
        0 if row is None else row.above_tokens,
        rates.tier.value,
        "" if sale is None else sale.effective_from.isoformat(),
        "" if sale is None else sale.source,
        "" if cost is None or cost is sale else cost.source,
        MODEL_FREE if rates.free else NO_PRICE if rate is None else "",
    )


FEES: Final = ("web_search", "google_maps", "image_generation", "code_interpreter", "advisor")
"""Tools whose use is billed beside tokens; of others only the tokens are. The last ones are OpenAI's and Anthropic's: these
bill the tokens of another model, and the minutes of a container."""


def without_fee(tools: Iterable[str], rates: Rates) -> list[str]:
    """Those of some tools whose use is billed, and nobody knows by how much."""
    return sorted([one for one in tools if one in FEES and not rates.free and fee_of(rates.sale, one) is None])


def _fees(uses: Mapping[str, int], rates: Rates, prompts: int) -> Iterator[Line]:
    for tool in sorted(uses):
        sale, cost = fee_of(rates.sale, tool), fee_of(rates.cost, tool)
        if sale is None and cost is None and tool not in FEES:
            continue
        row = sale or cost
        unit, rate, cost_rate, above, tier, day, source, cost_source, note = _terms(sale, cost, rates)
        by_prompt = row is not None and row.unit is PriceUnit.PROMPT
        count = min(uses[tool], prompts) if by_prompt else uses[tool]
        if count:
            amount, cost_amount = (rate or 0) * count * FEMTOS, (cost_rate or 0) * count * FEMTOS
            unit = unit if row else "use"
            row_terms = (above, tier, day, source, cost_source, note)
            yield Line(USE, tool, count, unit, rate, cost_rate, amount, cost_amount, *row_terms)
