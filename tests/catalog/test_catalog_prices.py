"""Prices are what mapping.md 6 says, to the nano-dollar."""

import ast
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import portico.catalog
from portico.catalog import (
    Model,
    PriceKind,
    PriceList,
    PriceRow,
    PriceUnit,
    Tier,
    TierRule,
    fee_of,
    load_catalog,
    nanos_of_usd,
    rate_of,
)
from portico.catalog.price import permille_of

CATALOG = load_catalog()
TODAY = date(2026, 11, 1)
INPUT, OUTPUT = PriceKind.INPUT, PriceKind.OUTPUT
LONG = 200_001

# Of mapping.md 6.1 and 6.2: input, cached, output for text; "" where the sheet has a dash.
TEXT_PRICES = [
    ("gemini-4-argon", "2.00", "0.10", "10.00"),
    ("gemini-3.8-flash", "0.75", "0.075", "3.75"),
    ("gemini-3.7-flash", "0.75", "0.075", "3.75"),
    ("gemini-3.6-flash", "0.75", "0.075", "3.75"),
    ("gemini-3.5-flash", "1.50", "0.15", "9.00"),
    ("gemini-3.5-flash-lite", "0.30", "0.03", "2.50"),
    ("gemini-3.1-pro-preview", "2.00", "0.20", "12.00"),
    ("gemini-3.1-pro-preview-customtools", "2.00", "0.20", "12.00"),
    ("gemini-3.1-flash-lite", "0.25", "0.025", "1.50"),
    ("gemini-3-flash-preview", "0.50", "0.05", "3.00"),
    ("gemini-3-pro-preview", "2.00", "0.20", "12.00"),
    ("gemini-2.5-pro", "1.25", "0.125", "10.00"),
    ("gemini-2.5-flash", "0.30", "0.03", "2.50"),
    ("gemini-2.5-flash-lite", "0.10", "0.01", "0.40"),
    ("gemini-2.0-flash", "0.15", "", "0.60"),
    ("gemini-2.0-flash-lite", "0.075", "", "0.30"),
    ("gemini-2.5-computer-use-preview-10-2025", "1.25", "", "10.00"),
    ("gemini-nano-banana-2.1", "1.50", "", "7.50"),
    ("gemini-3-pro-image", "2.00", "", "12.00"),
    ("gemini-3-pro-image-preview", "2.00", "", "12.00"),
    ("gemini-3.1-flash-image", "0.50", "", "3.00"),
    ("gemini-3.1-flash-image-preview", "0.50", "", "3.00"),
    ("gemini-3.1-flash-lite-image", "0.25", "", "1.50"),
    ("gemini-2.5-flash-image", "0.30", "0.03", "2.50"),
    ("gemini-3.8-flash-tts", "0.50", "0.125", ""),
    ("gemini-3.8-flash-lite-tts", "0.50", "0.125", ""),
    ("gemini-3.1-flash-tts-preview", "1.00", "", ""),
    ("gemini-2.5-pro-preview-tts", "1.00", "", ""),
    ("gemini-2.5-flash-preview-tts", "0.50", "", ""),
    ("gemini-3.5-transcribe", "2.00", "", "12.00"),
    ("gemini-embedding-2", "0.20", "", ""),
    ("gemini-embedding-001", "0.15", "", ""),
]
# The other axes: modality, cache, band.
OTHER_PRICES = [
    ("gemini-3.5-flash", INPUT, "audio", False, 0, "1.50"),
    ("gemini-3-flash-preview", INPUT, "audio", False, 0, "1.00"),
    ("gemini-3-flash-preview", INPUT, "audio", True, 0, "0.10"),
    ("gemini-3-flash-preview", INPUT, "video", True, 0, "0.05"),
    ("gemini-2.5-flash", INPUT, "audio", False, 0, "1.00"),
    ("gemini-2.5-flash", INPUT, "audio", True, 0, "0.10"),
    ("gemini-2.5-flash", INPUT, "document", False, 0, "0.30"),
    ("gemini-2.5-flash-lite", INPUT, "audio", False, 0, "0.30"),
    ("gemini-3.1-flash-lite", INPUT, "audio", False, 0, "0.50"),
    ("gemini-2.5-pro", INPUT, "text", False, LONG, "2.50"),
    ("gemini-2.5-pro", INPUT, "image", True, LONG, "0.25"),
    ("gemini-2.5-pro", OUTPUT, "text", False, LONG, "15.00"),
    ("gemini-2.5-pro", INPUT, "text", False, 200_000, "1.25"),
    ("gemini-3.1-pro-preview", INPUT, "text", False, LONG, "4.00"),
    ("gemini-3.1-pro-preview", INPUT, "text", True, LONG, "0.40"),
    ("gemini-3.1-pro-preview", OUTPUT, "text", False, LONG, "18.00"),
    ("gemini-3-pro-preview", OUTPUT, "text", False, LONG, "18.00"),
    ("gemini-2.5-computer-use-preview-10-2025", INPUT, "text", False, LONG, "2.50"),
    ("gemini-2.5-computer-use-preview-10-2025", OUTPUT, "text", False, LONG, "15.00"),
    ("gemini-2.5-flash", OUTPUT, "text", False, LONG, "2.50"),
    ("gemini-2.5-flash-image", OUTPUT, "image", False, 0, "30.00"),
    ("gemini-3-pro-image", OUTPUT, "image", False, 0, "120.00"),
    ("gemini-3-pro-image", INPUT, "image", True, 0, "2.00"),
    ("gemini-3-pro-image-preview", OUTPUT, "image", False, 0, "120.00"),
    ("gemini-3.1-flash-image", OUTPUT, "image", False, 0, "60.00"),
    ("gemini-3.1-flash-lite-image", OUTPUT, "image", False, 0, "30.00"),
    ("gemini-nano-banana-2.1", OUTPUT, "image", False, 0, "30.00"),
    ("gemini-3.8-flash-tts", OUTPUT, "audio", False, 0, "9.00"),
    ("gemini-3.8-flash-lite-tts", OUTPUT, "audio", False, 0, "6.00"),
    ("gemini-3.1-flash-tts-preview", OUTPUT, "audio", False, 0, "20.00"),
    ("gemini-2.5-pro-preview-tts", OUTPUT, "audio", False, 0, "20.00"),
    ("gemini-2.5-flash-preview-tts", OUTPUT, "audio", False, 0, "10.00"),
    ("gemini-embedding-2", INPUT, "image", False, 0, "0.45"),
    ("gemini-embedding-2", INPUT, "audio", False, 0, "6.50"),
    ("gemini-embedding-2", INPUT, "video", False, 0, "12.00"),
]


def rows_of(name: str, *, tier: Tier = Tier.STANDARD, backend: str = "gemini") -> tuple[PriceRow, ...]:
    return CATALOG.models[name].prices.in_force(TODAY, tier=tier, backend=backend)


def rate_nanos(
    rows: tuple[PriceRow, ...], kind: PriceKind, modality: str, *, cached: bool = False, prompt_tokens: int = 0
) -> int:
    row = rate_of(rows, kind, modality, cached=cached, prompt_tokens=prompt_tokens)
    assert row is not None
    assert row.unit is PriceUnit.MTOK
    return row.rate_nanos


def nanos(usd: str) -> int:
    """Independently of the code under test."""
    return int(Decimal(usd) * 10**9)


@pytest.mark.parametrize(("model", "paid_in", "cached", "out"), TEXT_PRICES)
def test_text_costs_what_the_sheet_says(model: str, paid_in: str, cached: str, out: str) -> None:
    rows = rows_of(model)
    assert rate_nanos(rows, INPUT, "text") == nanos(paid_in)
    assert rate_nanos(rows, INPUT, "text", cached=True) == nanos(cached or paid_in)
    if out:
        assert rate_nanos(rows, OUTPUT, "text") == nanos(out)


def test_every_model_is_in_the_table_or_free() -> None:
    priced = {name for name, model in CATALOG.models.items() if model.vendor == "google" and not model.prices.free}
    assert priced == {row[0] for row in TEXT_PRICES}


@pytest.mark.parametrize(("model", "kind", "modality", "cached", "prompt_tokens", "usd"), OTHER_PRICES)
def test_modality_cache_and_band_cost_what_the_sheet_says(
    model: str, kind: PriceKind, modality: str, cached: bool, prompt_tokens: int, usd: str
) -> None:
    assert rate_nanos(rows_of(model), kind, modality, cached=cached, prompt_tokens=prompt_tokens) == nanos(usd)


def test_a_free_model_says_so_and_has_no_rows() -> None:
    free = {name for name, model in CATALOG.models.items() if model.prices.free}
    assert free == {"gemma-4-31b-it", "gemma-4-26b-a4b-it"}
    assert all(not CATALOG.models[name].prices.rows for name in free)


def test_what_has_no_row_is_unpriced_and_never_zero() -> None:
    assert rate_of(rows_of("gemini-embedding-2"), INPUT, "document") is None
    assert rate_of(rows_of("gemini-embedding-001"), OUTPUT, "text") is None
    assert rate_of((), INPUT, "text") is None
    assert all(row.rate_nanos > 0 for model in CATALOG.models.values() for row in model.prices.rows)


def test_a_price_of_one_backend_holds_there_only() -> None:
    name = "gemini-3-pro-image-preview"
    assert rate_nanos(rows_of(name, backend="vertex"), INPUT, "text", cached=True) == nanos("0.20")
    assert rate_nanos(rows_of(name, backend="vertex"), OUTPUT, "text", prompt_tokens=LONG) == nanos("18.00")
    assert rate_nanos(rows_of(name, backend="gemini"), INPUT, "text", cached=True) == nanos("2.00")
    assert rate_nanos(rows_of(name, backend="gemini"), OUTPUT, "text", prompt_tokens=LONG) == nanos("12.00")


@pytest.mark.parametrize("tier", [Tier.FLEX, Tier.BATCH])
def test_flex_and_batch_halve_input_and_output(tier: Tier) -> None:
    rows = rows_of("gemini-2.5-pro", tier=tier)
    assert rate_nanos(rows, INPUT, "text") == nanos("0.625")
    assert rate_nanos(rows, OUTPUT, "text", prompt_tokens=LONG) == nanos("7.50")
    assert rate_nanos(rows, INPUT, "text", cached=True) == nanos("0.125")


def test_priority_costs_nine_fifths() -> None:
    rows = rows_of("gemini-2.5-flash", tier=Tier.PRIORITY)
    assert rate_nanos(rows, INPUT, "text") == nanos("0.54")
    assert rate_nanos(rows, INPUT, "audio", cached=True) == nanos("0.18")
    assert rate_nanos(rows, OUTPUT, "text") == nanos("4.50")
    assert {row.tier for row in rows if row.kind is not PriceKind.USE} == {Tier.PRIORITY}


def test_a_tier_that_is_not_offered_is_unpriced() -> None:
    assert rows_of("gemini-3.8-flash-tts", tier=Tier.PRIORITY) == ()


FEES = [
    ("gemini-3.5-flash", "web_search", "0.014", PriceUnit.QUERY),
    ("gemini-3.1-pro-preview", "web_search", "0.014", PriceUnit.QUERY),
    ("gemini-3-pro-image", "web_search", "0.014", PriceUnit.QUERY),
    ("gemini-2.5-pro", "web_search", "0.035", PriceUnit.PROMPT),
    ("gemini-2.5-flash-lite", "web_search", "0.035", PriceUnit.PROMPT),
    ("gemini-3.8-flash", "google_maps", "0.014", PriceUnit.QUERY),
    ("gemini-2.5-flash", "google_maps", "0.025", PriceUnit.PROMPT),
    ("gemini-2.5-flash", "cache_storage", "1.00", PriceUnit.MTOK_HOUR),
    ("gemini-3.1-pro-preview", "cache_storage", "4.50", PriceUnit.MTOK_HOUR),
]


@pytest.mark.parametrize(("model", "item", "usd", "unit"), FEES)
@pytest.mark.parametrize("tier", [Tier.STANDARD, Tier.BATCH])
def test_a_use_costs_its_fee_in_every_tier(model: str, item: str, usd: str, unit: PriceUnit, tier: Tier) -> None:
    row = fee_of(rows_of(model, tier=tier), item)
    assert row is not None
    assert (row.rate_nanos, row.unit) == (nanos(usd), unit)


def test_what_has_no_fee_is_unpriced() -> None:
    assert fee_of(rows_of("gemini-3.8-flash-tts"), "web_search") is None


def test_search_results_are_not_billed_as_input_but_fetched_pages_are() -> None:
    assert CATALOG.tool_input_billed == {
        "web_search": False,
        "url_context": True,
        "file_search": True,
        "code_execution": True,
    }


def row(rate: int, since: date, *, backend: str = "", tier: Tier = Tier.STANDARD) -> PriceRow:
    return PriceRow(kind=INPUT, rate_nanos=rate, effective_from=since, source="test", backend=backend, tier=tier)


OLD, NEW = date(2026, 1, 1), date(2026, 6, 1)
CHANGED = PriceList(
    (row(10, OLD), row(20, NEW), row(15, OLD, backend="vertex"), row(7, NEW, tier=Tier.FLEX)),
    (TierRule(Tier.FLEX, 500, 1000, 500), TierRule(Tier.PRIORITY, 2000, 2000, 2000)),
)


@pytest.mark.parametrize(
    ("on", "backend", "tier", "rate"),
    [
        (date(2025, 12, 31), "", Tier.STANDARD, None),
        (OLD, "", Tier.STANDARD, 10),
        (date(2026, 5, 31), "gemini", Tier.STANDARD, 10),
        (NEW, "gemini", Tier.STANDARD, 20),
        (NEW, "vertex", Tier.STANDARD, 15),
        (OLD, "", Tier.FLEX, 5),
        (NEW, "", Tier.FLEX, 7),
        (NEW, "", Tier.PRIORITY, 40),
        (NEW, "", Tier.BATCH, None),
    ],
)
def test_the_row_in_force_on_the_day_is_the_price(on: date, backend: str, tier: Tier, rate: int | None) -> None:
    found = rate_of(CHANGED.in_force(on, backend=backend, tier=tier), INPUT, "text")
    assert (found and found.rate_nanos) == rate


@pytest.mark.parametrize("model", CATALOG.models.values(), ids=lambda model: model.name)
def test_every_rate_of_every_tier_is_whole_and_has_a_source(model: Model) -> None:
    for tier in Tier:
        for price in model.prices.in_force(TODAY, tier=tier):
            assert type(price.rate_nanos) is int
            assert price.source


@pytest.mark.parametrize(
    ("usd", "expected"),
    [("0.125", 125_000_000), ("12", 12_000_000_000), ("0.000000001", 1), ("0", 0), ("00.50", 500_000_000)],
)
def test_dollars_become_nano_dollars(usd: str, expected: int) -> None:
    assert nanos_of_usd(usd) == expected


@pytest.mark.parametrize("usd", ["", ".5", "5.", "-1", "1e3", "0.0000000001", "1,25", " 1", "1\n", "١", "$1", "NaN"])
def test_what_is_not_a_plain_amount_is_refused(usd: str) -> None:
    with pytest.raises(ValueError, match="dollar amount"):
        nanos_of_usd(usd)


@given(st.integers(0, 10**18 - 1))
def test_every_nano_dollar_can_be_written(amount: int) -> None:
    assert nanos_of_usd(f"{amount // 10**9}.{amount % 10**9:09d}") == amount


def test_a_factor_has_three_decimals_at_most() -> None:
    assert permille_of("1.8") == 1800
    with pytest.raises(ValueError, match="factor"):
        permille_of("1.8001")


def test_a_tier_that_would_need_part_of_a_nano_dollar_is_refused() -> None:
    with pytest.raises(ValueError, match="not whole"):
        TierRule(Tier.FLEX, 500, 1000, 500).applied(row(3, OLD))


MODULES = sorted(Path(portico.catalog.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_float_touches_a_price(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        line = getattr(node, "lineno", 0)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"a float literal, line {line}"
        assert not (isinstance(node, ast.Name) and node.id in ("float", "Decimal")), f"a float, line {line}"
        assert not (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)), f"a /, line {line}"
        assert not (isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in ("round", "math")), line
