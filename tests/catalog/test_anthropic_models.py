"""What the file says of Anthropic's models. Limits and prices are those of the wheel and the pages that the file names."""

from datetime import date

import pytest

from catalog.vendor_files import (
    CATALOG,
    TODAY,
    check_words,
    has_limits,
    is_dearer_by_band,
    is_sourced,
    of_vendor,
    recorded_names,
)
from portico.catalog import Model, PriceKind, PriceUnit, Tier, fee_of, nanos_of_usd, rate_of
from portico.core.target import UNJUDGED, ThinkingControl

MODELS = of_vendor("anthropic")
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
INPUT, OUTPUT, WRITE, WRITE_1H = PriceKind.INPUT, PriceKind.OUTPUT, PriceKind.CACHE_WRITE, PriceKind.CACHE_WRITE_1H

# name, then input, cached, write for five minutes, for an hour, output
PRICES = [
    ("claude-fable-5-2", "8.00", "0.20", "10.00", "16.00", "40.00"),
    ("claude-fable-5-1", "10.00", "0.25", "12.50", "20.00", "50.00"),
    ("claude-fable-5", "10.00", "1.00", "12.50", "20.00", "50.00"),
    ("claude-opus-5-5", "4.00", "0.20", "5.00", "8.00", "20.00"),
    ("claude-opus-5", "5.00", "0.50", "6.25", "10.00", "25.00"),
    ("claude-opus-4-8", "5.00", "0.50", "6.25", "10.00", "25.00"),
    ("claude-opus-4-7", "5.00", "0.50", "6.25", "10.00", "25.00"),
    ("claude-opus-4-6", "5.00", "0.50", "6.25", "10.00", "25.00"),
    ("claude-opus-4-5", "5.00", "0.50", "6.25", "10.00", "25.00"),
    ("claude-sonnet-5-5", "2.00", "0.10", "2.50", "4.00", "10.00"),
    ("claude-sonnet-5", "2.00", "0.20", "2.50", "4.00", "10.00"),
    ("claude-sonnet-4-6", "3.00", "0.30", "3.75", "6.00", "15.00"),
    ("claude-sonnet-4-5", "3.00", "0.30", "3.75", "6.00", "15.00"),
    ("claude-haiku-5-5", "0.10", "0.01", "0.125", "0.20", "0.50"),
    ("claude-haiku-4-5", "1.00", "0.10", "1.25", "2.00", "5.00"),
    ("claude-mythos-5-1", "10.00", "0.25", "12.50", "20.00", "50.00"),
    ("claude-mythos-5", "10.00", "1.00", "12.50", "20.00", "50.00"),
    ("claude-opus-4-1", "15.00", "1.50", "18.75", "30.00", "75.00"),
]
CURRENT = [row[0] for row in PRICES if row[0] != "claude-opus-4-1"]

# name, adaptive, takes a budget, can be off, off is, thinks unasked, levels, prefill, mid, sampling, forced tools
THINKING = [
    ("claude-fable-5-2", True, False, False, "disabled", True, 5, False, True, False, False),
    ("claude-opus-5-5", True, False, False, "disabled", True, 5, False, True, False, False),
    ("claude-opus-5", True, False, True, "disabled", True, 5, False, True, False, True),
    ("claude-opus-4-8", True, False, True, "disabled", False, 5, False, True, False, True),
    ("claude-opus-4-7", True, False, True, "disabled", False, 5, False, False, False, True),
    ("claude-opus-4-6", True, True, True, "disabled", False, 4, False, False, True, True),
    ("claude-opus-4-5", False, True, True, "disabled", False, 3, True, False, True, True),
    ("claude-sonnet-5-5", True, False, True, "between_tools", True, 5, False, True, False, False),
    ("claude-sonnet-5", True, False, True, "disabled", True, 5, False, True, False, True),
    ("claude-sonnet-4-6", True, True, True, "disabled", False, 4, False, False, True, True),
    ("claude-sonnet-4-5", False, True, True, "disabled", False, 0, True, False, True, True),
    ("claude-haiku-5-5", True, False, True, "disabled", True, 5, False, True, False, True),
    ("claude-haiku-4-5", False, True, True, "disabled", False, 0, True, False, True, True),
]


@every_model
def test_every_model_has_limits_a_source_a_date_and_words(model: Model) -> None:
    assert is_sourced(model)
    assert has_limits(model)
    check_words(model)
    able = model.capabilities
    assert able.family.startswith("claude")
    assert (able.temperature_max, able.json_mode, able.signatures_required) == (1.0, False, False)


def test_every_model_that_is_served_is_in_the_table_of_prices() -> None:
    served = {model.name for model in MODELS if not model.is_gone(TODAY)}
    assert served == set(CURRENT)


@pytest.mark.parametrize(("name", "read", "cached", "write", "write_1h", "written"), PRICES)
def test_prices_are_those_that_the_source_gives(
    name: str, read: str, cached: str, write: str, write_1h: str, written: str
) -> None:
    rows = CATALOG.models[name].prices.in_force(TODAY)
    columns = [(INPUT, False), (INPUT, True), (WRITE, False), (WRITE_1H, False), (OUTPUT, False)]
    found = [rate_of(rows, kind, "text", cached=is_cached) for kind, is_cached in columns]
    wanted = [nanos_of_usd(usd) for usd in (read, cached, write, write_1h, written)]
    assert [row and row.rate_nanos for row in found] == wanted


@pytest.mark.parametrize("name", CURRENT)
def test_a_batch_is_half_of_everything(name: str) -> None:
    prices = CATALOG.models[name].prices
    whole, half = prices.in_force(TODAY), prices.in_force(TODAY, tier=Tier.BATCH)
    for kind in (INPUT, WRITE, WRITE_1H, OUTPUT):
        for cached in (False, True) if kind is INPUT else (False,):
            full, less = (rate_of(rows, kind, "text", cached=cached) for rows in (whole, half))
            assert full is not None
            assert less is not None
            assert less.rate_nanos * 2 == full.rate_nanos


@pytest.mark.parametrize("name", CURRENT)
@pytest.mark.parametrize("tier", [Tier.STANDARD, Tier.BATCH, Tier.PRIORITY])
def test_a_search_costs_a_cent(name: str, tier: Tier) -> None:
    row = fee_of(CATALOG.models[name].prices.in_force(TODAY, tier=tier), "web_search")
    assert row is not None
    assert (row.rate_nanos, row.unit) == (nanos_of_usd("0.01"), PriceUnit.QUERY)


def test_fast_is_twice_as_dear_where_it_is_offered_and_unpriced_elsewhere() -> None:
    fast = {model.name for model in MODELS if model.prices.rule_of(Tier.FAST)}
    assert fast == {"claude-opus-5-5", "claude-opus-5", "claude-opus-4-8"}
    for name in fast:
        row = rate_of(CATALOG.models[name].prices.in_force(TODAY, tier=Tier.FAST), OUTPUT, "text")
        assert row is not None
        assert row.rate_nanos == 2 * nanos_of_usd(next(price[5] for price in PRICES if price[0] == name))


def test_haiku_is_dearer_for_a_long_prompt() -> None:
    model = CATALOG.models["claude-haiku-5-5"]
    found = [
        rate_of(model.prices.in_force(TODAY), kind, "text", prompt_tokens=tokens)
        for tokens in (100_000, 100_001)
        for kind in (INPUT, WRITE, WRITE_1H, OUTPUT)
    ]
    wanted = ["0.10", "0.125", "0.20", "0.50", "0.50", "0.625", "1.00", "2.50"]
    assert [row and row.rate_nanos for row in found] == [nanos_of_usd(usd) for usd in wanted]
    assert is_dearer_by_band(model.prices.in_force(TODAY), INPUT)


def test_the_older_price_of_cached_input_still_holds_for_its_days() -> None:
    prices = CATALOG.models["claude-sonnet-5-5"].prices
    days = (date(2026, 10, 6), date(2026, 10, 7))
    found = [rate_of(prices.in_force(day), INPUT, "text", cached=True) for day in days]
    assert [row and row.rate_nanos for row in found] == [nanos_of_usd("0.20"), nanos_of_usd("0.10")]


@pytest.mark.parametrize(
    (
        "name", "adaptive", "budget", "can_disable", "off_type", "unasked", "levels", "prefill", "mid", "sampling",
        "forced",
    ),
    THINKING,
)  # fmt: skip
def test_how_a_model_thinks_and_what_it_takes(
    name: str,
    adaptive: bool,
    budget: bool,
    can_disable: bool,
    off_type: str,
    unasked: bool,
    levels: int,
    prefill: bool,
    mid: bool,
    sampling: bool,
    forced: bool,
) -> None:
    able = CATALOG.models[name].capabilities
    spec = able.thinking
    assert (spec.adaptive, spec.max_budget > 0, spec.can_disable, spec.off_type) == (
        adaptive,
        budget,
        can_disable,
        off_type,
    )
    assert (spec.on_by_default, len(spec.levels)) == (unasked, levels)
    assert spec.control is (ThinkingControl.LEVEL if adaptive else ThinkingControl.BUDGET)
    assert spec.effort["none"] == (0 if can_disable else "low")
    assert (able.prefill, able.mid_system, able.sampling, able.forced_tools) == (prefill, mid, sampling, forced)
    if budget:
        assert spec.min_budget == 1024
        assert spec.max_budget < able.max_output_tokens


def test_the_efforts_of_opus_4_6_are_those_that_its_recorded_refusal_names() -> None:
    assert CATALOG.models["claude-opus-4-6"].capabilities.thinking.levels == ("low", "medium", "high", "max")


@pytest.mark.parametrize(
    ("asked", "day", "answers"),
    [
        ("claude-sonnet-4-5-20250929", date(2026, 11, 29), None),
        ("claude-sonnet-4-5-20250929", date(2026, 11, 30), "claude-sonnet-5-5"),
        ("claude-opus-4-1", TODAY, "claude-opus-5-5"),
        ("claude-3-5-haiku-latest", TODAY, "claude-haiku-5-5"),
        ("claude-opus-5-5", TODAY, None),
    ],
)
def test_a_retired_model_is_followed_by_the_current_one_of_its_size(asked: str, day: date, answers: str | None) -> None:
    successor = CATALOG.successor_of(CATALOG.resolve(asked).model, day, provider_kind="anthropic")
    assert (successor and successor.name) == answers


NEW_NAMES = [
    ("claude-opus-6", True, False, False),
    ("claude-opus-4-6-20990101", True, True, True),
    ("claude-sonnet-4-5-20990101", False, True, True),
    ("claude-3-7-sonnet-20990101", False, True, True),
    ("claude-opus-5-20990101", True, False, False),
    ("anthropic.claude-haiku-9-1", True, False, False),
]


@pytest.mark.parametrize(("name", "adaptive", "budget", "sampling"), NEW_NAMES)
def test_a_new_name_suggests_what_it_can_do(name: str, adaptive: bool, budget: bool, sampling: bool) -> None:
    able = CATALOG.capabilities_for(name, "anthropic")
    assert (able.thinking.adaptive, able.thinking.max_budget > 0, able.sampling) == (adaptive, budget, sampling)


@every_model
def test_the_inference_is_no_looser_than_the_file(model: Model) -> None:
    """A new model of a name like this would be sent nothing that the known one refuses."""
    suggested, known = CATALOG._inference.capabilities(model.name, "anthropic"), model.capabilities
    for field in ("sampling", "prefill", "mid_system", "forced_tools"):
        assert getattr(known, field) or not getattr(suggested, field) or model.retired, field
    assert suggested.thinking.adaptive or not known.thinking.adaptive


def test_a_name_that_says_nothing_is_held_to_nothing() -> None:
    assert CATALOG.capabilities_for("kimi-k3", "anthropic") == UNJUDGED


def test_every_model_that_was_recorded_answering_resolves() -> None:
    assert not [name for name in recorded_names("anthropic") if CATALOG.known(name) is None]
