"""What is paid for: each axis of a price, and what users of other gateways were charged by mistake."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.pricing import BOOKS, DOLLAR, MTOK, fee, made, rates_of, row
from portico.catalog import PriceUnit, Rates, Tier, tier_of
from portico.core.usage import MODALITIES, Usage, added
from portico.dialects.gemini.usage import parse_usage
from portico.metering.charge import (
    FEMTOS,
    MODEL_FREE,
    NO_PRICE,
    NOTHING,
    TOOL_DEARER,
    TOOL_FREE,
    TOOL_UNKNOWN,
    Charge,
    Line,
    charge,
)

FLASH, PRO = "gemini-2.5-flash", "gemini-2.5-pro"


def read(**counts: Any) -> Usage:
    """A usage as Google reports it."""
    usage = parse_usage({"totalTokenCount": 1, **counts})
    assert usage is not None
    return usage


def details(**tokens: int) -> list[dict[str, Any]]:
    return [{"modality": name.upper(), "tokenCount": count} for name, count in tokens.items()]


def nanos(dollars_per_mtok: str, tokens: int) -> int:
    """Nano-dollars of so many tokens, by hand: dollars per million are thousandths of nano-dollars times a million."""
    whole, _, fraction = dollars_per_mtok.partition(".")
    millis = int(whole) * 1000 + int(fraction.ljust(3, "0"))
    return millis * tokens


def items(made: Charge) -> list[tuple[str, str, int, int | None]]:
    return [(line.item, line.detail, line.count, line.rate_nanos) for line in made.lines]


def test_text_is_charged_by_the_million() -> None:
    paid = charge(read(promptTokenCount=1_000_000, candidatesTokenCount=1_000_000), {}, rates_of(FLASH))
    assert paid.nanos == paid.cost_nanos == 2_800_000_000
    assert not paid.unpriced


def test_modality_has_its_own_rate() -> None:
    usage = read(promptTokenCount=300, promptTokensDetails=details(text=100, audio=200))
    assert charge(usage, {}, rates_of(FLASH)).nanos == nanos("0.30", 100) + nanos("1.00", 200)


def test_cached_tokens_have_their_own_rate_by_modality() -> None:
    usage = read(
        promptTokenCount=500,
        promptTokensDetails=details(text=300, audio=200),
        cachedContentTokenCount=150,
        cacheTokensDetails=details(text=50, audio=100),
    )
    by_hand = nanos("0.30", 250) + nanos("0.03", 50) + nanos("1.00", 100) + nanos("0.10", 100)
    assert charge(usage, {}, rates_of(FLASH)).nanos == by_hand


@pytest.mark.parametrize(
    ("prompt", "rates"), [(200_000, ("1.25", "0.125", "10.00")), (200_001, ("2.50", "0.25", "15.00"))]
)
def test_band_over_200k_holds_for_the_whole_request(prompt: int, rates: tuple[str, str, str]) -> None:
    usage = read(promptTokenCount=prompt, cachedContentTokenCount=1000, candidatesTokenCount=10)
    plain, cached, output = rates
    by_hand = nanos(plain, prompt - 1000) + nanos(cached, 1000) + nanos(output, 10)
    paid = charge(usage, {}, rates_of(PRO))
    assert paid.nanos == by_hand
    assert {line.above_tokens for line in paid.lines} == {200_000 if prompt > 200_000 else 0}


def test_band_looks_at_one_prompt_where_a_call_was_made_of_several() -> None:
    usage = read(promptTokenCount=150_000, candidatesTokenCount=10)
    together = added(usage, usage)
    assert charge(together, {}, rates_of(PRO), prompts=2).nanos == 2 * charge(usage, {}, rates_of(PRO)).nanos
    assert charge(together, {}, rates_of(PRO)).nanos > 2 * charge(usage, {}, rates_of(PRO)).nanos


@pytest.mark.parametrize(("word", "permille"), [("flex", 500), ("priority", 1800), ("default", 1000), (None, 1000)])
def test_tier_has_its_own_rate(word: str | None, permille: int) -> None:
    usage = read(promptTokenCount=1000, candidatesTokenCount=1000)
    model = "gemini-3.1-flash-lite"
    standard = charge(usage, {}, rates_of(model)).nanos
    paid = charge(usage, {}, rates_of(model, tier=tier_of(word)))
    assert paid.nanos * 1000 == standard * permille
    assert {line.tier for line in paid.lines} == {tier_of(word).value}


def test_tier_that_a_model_does_not_offer_is_unpriced() -> None:
    rates = rates_of("gemini-2.0-flash", tier=Tier.FLEX)
    assert not rates.known
    assert charge(read(promptTokenCount=5), {}, rates).unpriced


def test_reasoning_is_charged_as_output() -> None:
    paid = charge(read(promptTokenCount=1, candidatesTokenCount=10, thoughtsTokenCount=90), {}, rates_of(FLASH))
    assert paid.nanos == nanos("0.30", 1) + nanos("2.50", 100)
    assert ("output_reasoning", "text", 90, 2_500_000_000) in items(paid)


def test_search_fee_is_by_the_query_on_gemini_3() -> None:
    paid = charge(read(promptTokenCount=0), {"web_search": 3}, rates_of("gemini-3-flash-preview"))
    assert paid.nanos == 3 * 14_000_000
    assert [(line.detail, line.count, line.unit) for line in paid.lines] == [("web_search", 3, "query")]


def test_search_fee_is_by_the_prompt_on_gemini_2_5() -> None:
    paid = charge(Usage(), {"web_search": 3}, rates_of(FLASH))
    assert paid.nanos == 35_000_000
    assert (paid.lines[0].unit, paid.lines[0].count) == ("prompt", 1)
    assert charge(Usage(), {"web_search": 3}, rates_of(FLASH), prompts=2).nanos == 70_000_000


@pytest.mark.parametrize(
    ("searches", "prompts", "counts"), [(0, 1, []), (1, 1, [1]), (5, 1, [1]), (1, 3, [1]), (2, 3, [2]), (5, 3, [3])]
)
def test_a_fee_by_the_prompt_is_paid_for_no_prompt_that_searched_nothing(
    searches: int, prompts: int, counts: list[int]
) -> None:
    paid = charge(Usage(), {"web_search": searches}, rates_of(FLASH), prompts=prompts)
    assert [line.count for line in paid.lines] == counts


def test_maps_have_a_fee() -> None:
    assert charge(Usage(), {"google_maps": 1}, rates_of(FLASH)).nanos == 25_000_000


def test_search_without_a_known_fee_is_unpriced() -> None:
    paid = charge(Usage(), {"web_search": 1}, rates_of("gemini-2.0-flash"))
    assert paid.unpriced
    assert [(line.detail, line.rate_nanos, line.note) for line in paid.lines] == [("web_search", None, NO_PRICE)]


@pytest.mark.parametrize(
    ("uses", "billed", "note"),
    [
        ({"web_search": 1}, False, TOOL_FREE),
        ({"url_context": 1}, True, ""),
        ({"file_search": 1}, True, ""),
        ({"code_execution": 2}, True, ""),
        ({"mcp": 1}, True, ""),
        ({"google_maps": 1}, True, ""),
        ({"web_search": 1, "url_context": 1}, True, TOOL_DEARER),
        ({}, True, TOOL_UNKNOWN),
    ],
)
def test_tool_input_is_free_for_search_and_billed_for_others(uses: dict[str, int], billed: bool, note: str) -> None:
    """Of two tools in one answer the dearer counts, and the line says so."""
    usage = read(promptTokenCount=10, toolUsePromptTokenCount=1000)
    paid = charge(usage, uses, rates_of(FLASH))
    (line,) = [line for line in paid.lines if line.item == "input_tool"]
    assert line.amount_femtos == (300_000_000 * 1000 if billed else 0)
    assert line.note == note
    assert not paid.unpriced


def test_complaint_8_nothing_reported_is_not_charged_and_zero_is_believed() -> None:
    assert charge(None, {"web_search": 1}, rates_of(FLASH)) == Charge(0, 0, ())
    zero = charge(read(promptTokenCount=0, candidatesTokenCount=0), {}, rates_of(FLASH))
    assert (zero.nanos, zero.lines, zero.unpriced) == (0, (), False)


def test_complaint_9_cached_tokens_are_not_billed_twice() -> None:
    """A prompt of 262k of which nearly all was cached: four times too much elsewhere."""
    usage = read(promptTokenCount=262_000, cachedContentTokenCount=260_000, candidatesTokenCount=100)
    paid = charge(usage, {}, rates_of(FLASH))
    assert sum(line.count for line in paid.lines if line.item.startswith("input")) == 262_000
    assert paid.nanos == nanos("0.30", 2_000) + nanos("0.03", 260_000) + nanos("2.50", 100)


def test_complaint_10_thinking_tokens_are_not_missing() -> None:
    """Google's total counts them; so do the lines."""
    usage = read(promptTokenCount=35, candidatesTokenCount=12, thoughtsTokenCount=62, totalTokenCount=109)
    paid = charge(usage, {}, rates_of(FLASH))
    assert sum(line.count for line in paid.lines) == 109
    assert paid.nanos == nanos("0.30", 35) + nanos("2.50", 74)


def test_complaint_11_pictures_and_thoughts_are_priced_apart() -> None:
    usage = read(
        promptTokenCount=10,
        candidatesTokenCount=1_220,
        candidatesTokensDetails=details(image=1_120),
        thoughtsTokenCount=300,
    )
    paid = charge(usage, {}, rates_of("gemini-3-pro-image"))
    assert paid.nanos == nanos("2.00", 10) + nanos("120.00", 1_120) + nanos("12.00", 100) + nanos("12.00", 300)


def test_complaint_11_a_cached_picture_is_not_charged_again() -> None:
    usage = read(
        promptTokenCount=373,
        promptTokensDetails=details(text=115, image=258),
        cachedContentTokenCount=204,
        cacheTokensDetails=details(text=63, image=141),
    )
    paid = charge(usage, {}, rates_of("gemini-2.5-flash-image"))
    assert paid.nanos == nanos("0.30", 52 + 117) + nanos("0.03", 204)


def test_no_price_is_never_a_silent_zero() -> None:
    paid = charge(read(promptTokenCount=7), {}, Rates((), (), known=False, cost_known=False))
    assert paid.unpriced
    assert paid.cost_unknown
    assert [(line.count, line.rate_nanos, line.note) for line in paid.lines] == [(7, None, NO_PRICE)]


@pytest.mark.parametrize(
    ("rates", "note"), [(made(free=True), MODEL_FREE), (made(known=False), NO_PRICE), (rates_of(FLASH), TOOL_UNKNOWN)]
)
def test_that_a_price_is_none_is_said_before_what_a_tool_brought_in(rates: Rates, note: str) -> None:
    (line,) = charge(Usage(input_tool={"text": 5}), {}, rates).lines
    assert line.note == note


@pytest.mark.parametrize(("known", "cost_known"), [(True, False), (False, True)])
def test_a_price_that_is_not_whole_is_said_though_each_line_has_one(known: bool, cost_known: bool) -> None:
    paid = charge(read(promptTokenCount=3), {}, made(row("input", DOLLAR), known=known, cost_known=cost_known))
    assert [line.rate_nanos for line in paid.lines] == [DOLLAR]
    assert (paid.unpriced, paid.cost_unknown) == (not known, not cost_known)


def test_a_free_model_costs_nothing_and_says_so() -> None:
    paid = charge(read(promptTokenCount=7, candidatesTokenCount=7), {}, rates_of("gemma-4-31b-it"))
    assert (paid.nanos, paid.unpriced, paid.cost_unknown) == (0, False, False)
    assert {(line.rate_nanos, line.note) for line in paid.lines} == {(0, MODEL_FREE)}


def test_a_fraction_is_rounded_once_and_up() -> None:
    rates = made(row("input", 1), row("output", 1))
    assert charge(read(promptTokenCount=1), {}, rates).nanos == 1
    usage = Usage(input_uncached=dict.fromkeys(MODALITIES, 200_000))
    assert charge(usage, {}, rates).nanos == 1  # five lines of a fifth


def test_markup_is_on_the_sum_and_not_on_the_cost() -> None:
    rates = made(row("input", DOLLAR), row("output", DOLLAR), markup_permille=1_250)
    paid = charge(read(promptTokenCount=3), {}, rates)
    assert (paid.nanos, paid.cost_nanos, paid.markup_permille) == (3_750, 3_000, 1_250)
    assert paid.lines[0].rate_nanos == DOLLAR


def test_a_band_of_the_cost_alone_is_one_too() -> None:
    """The sale goes on at its own rate, and each line says the band that its sale is of."""
    sale, cost = (row("input", 3),), (row("input", 1), row("input", 2, above_tokens=100))
    rates = Rates(sale, cost)
    lines = [line for count in (100, 101) for line in charge(read(promptTokenCount=count), {}, rates).lines]
    assert [line.cost_rate_nanos for line in lines] == [1, 2]
    assert [(line.rate_nanos, line.above_tokens) for line in lines] == [(3, 0)] * 2


def test_cost_and_sale_are_two_sums_over_the_same_counts() -> None:
    sale, cost = (row("input", 3 * DOLLAR), row("output", 0)), (row("input", DOLLAR), row("output", 0))
    paid = charge(read(promptTokenCount=MTOK), {}, Rates(sale, cost))
    assert (paid.nanos, paid.cost_nanos) == (3 * DOLLAR, DOLLAR)
    (line,) = paid.lines
    assert (line.rate_nanos, line.cost_rate_nanos) == (3 * DOLLAR, DOLLAR)


def test_a_line_says_by_which_row_it_is_priced() -> None:
    (line,) = charge(read(promptTokenCount=12), {}, rates_of(PRO)).lines
    assert line == Line(
        item="input",
        detail="text",
        count=12,
        unit="mtok",
        rate_nanos=1_250_000_000,
        cost_rate_nanos=1_250_000_000,
        amount_femtos=15_000_000_000,
        cost_femtos=15_000_000_000,
        effective_from="2024-01-01",
        source="Google's price page, as of 2026-10-01, by way of LiteLLM 1.109.1",
    )


TOKENS = st.dictionaries(st.sampled_from(MODALITIES), st.integers(1, 2**40), max_size=5)
USAGES = st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS)
USES = st.dictionaries(st.sampled_from(["web_search", "google_maps", "url_context", "new_tool"]), st.integers(1, 99))
MADE_RATES = st.builds(
    lambda plain, cached, long, output, search, unit, markup: made(
        row("input", plain),
        row("input", cached, cached=True),
        row("input", plain + long, above_tokens=200_000),
        row("output", output),
        row("output", output + long, modality="image"),
        fee("web_search", search, unit),
        markup_permille=markup,
    ),
    *[st.integers(0, 10**13)] * 5,
    st.sampled_from([PriceUnit.QUERY, PriceUnit.PROMPT]),
    st.integers(0, 10_000),
)
laws = settings(deadline=None, derandomize=True, max_examples=200, database=None)


@laws
@given(USAGES, USES, MADE_RATES)
def test_a_charge_is_the_sum_of_its_lines_rounded_up(usage: Usage, uses: dict[str, int], rates: Rates) -> None:
    paid = charge(usage, uses, rates)
    femtos = sum(line.amount_femtos for line in paid.lines) * rates.markup_permille
    assert (paid.nanos - 1) * FEMTOS * 1000 < femtos <= paid.nanos * FEMTOS * 1000
    assert all(type(value) is int for value in (paid.nanos, paid.cost_nanos, *(x.amount_femtos for x in paid.lines)))
    tokens = sum(line.count for line in paid.lines if line.item != "use")
    assert tokens == usage.input_total + usage.output_total


@laws
@given(USAGES, USAGES, USES, MADE_RATES)
def test_more_is_never_cheaper(usage: Usage, more: Usage, uses: dict[str, int], rates: Rates) -> None:
    """The long band is no cheaper here, as it is on every price page."""
    less = charge(usage, uses, rates)
    both = charge(added(usage, more), uses, rates)
    assert both.nanos >= less.nanos
    assert both.cost_nanos >= less.cost_nanos


@laws
@given(USAGES, USES, MADE_RATES)
def test_charging_again_says_the_same(usage: Usage, uses: dict[str, int], rates: Rates) -> None:
    assert charge(usage, uses, rates) == charge(usage, uses, rates)


def test_rates_are_found_once() -> None:
    assert rates_of(FLASH) is rates_of(FLASH, books=BOOKS)


SPOKEN = made(fee("characters", 15_000, PriceUnit.CHARACTER))


def test_what_counts_no_tokens_is_charged_by_what_it_was_about() -> None:
    paid = charge(None, {"characters": 1_234}, SPOKEN)
    assert (paid.nanos, paid.cost_nanos, paid.unpriced) == (1_234 * 15_000, 1_234 * 15_000, False)
    assert [(line.detail, line.count, line.unit) for line in paid.lines] == [("characters", 1_234, "character")]


def test_what_only_the_operator_pays_by_what_a_call_was_about_is_a_cost_and_unpriced() -> None:
    paid = charge(None, {"characters": 100}, Rates((), (fee("characters", 15_000, PriceUnit.CHARACTER),), known=False))
    assert (paid.nanos, paid.cost_nanos, paid.unpriced) == (0, 100 * 15_000, True)
    assert [(line.detail, line.count, line.unit) for line in paid.lines] == [("characters", 100, "character")]


def test_a_model_billed_by_tokens_is_charged_nothing_for_characters() -> None:
    assert charge(None, {"characters": 10}, rates_of(FLASH)) == NOTHING
    usage = read(promptTokenCount=100)
    assert charge(usage, {"characters": 10}, rates_of(FLASH)) == charge(usage, {}, rates_of(FLASH))


def test_a_fee_for_what_a_call_is_about_is_a_whole_price() -> None:
    assert rates_of("tts-1", kind="openai").known
    assert rates_of("whisper-1", kind="openai").known
    assert not rates_of("o1-preview", kind="openai").known
