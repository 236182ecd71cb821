"""Rates to test with: of the shipped catalog on a fixed day, or of a few rows made up here."""

from datetime import date
from typing import Any

from portico.catalog import PriceBooks, PriceKind, PriceRow, PriceUnit, Rates, Tier, load_catalog

CATALOG = load_catalog()
BOOKS = PriceBooks(CATALOG)
DAY = date(2026, 11, 1)
SINCE = date(2024, 1, 1)
DOLLAR = 10**9
MTOK = 10**6


def rates_of(
    name: str,
    *,
    books: PriceBooks = BOOKS,
    tier: Tier = Tier.STANDARD,
    kind: str = "gemini",
    provider: str = "google",
    account: str = "acc_1",
    on: date = DAY,
) -> Rates:
    """What a model of the shipped catalog is charged by."""
    model = CATALOG.models[name]
    return books.rates(
        model=model, provider=provider, provider_kind=kind, upstream_model=name, account=account, on=on, tier=tier
    )


def row(kind: str, rate_nanos: int, **fields: Any) -> PriceRow:
    """A row; token rates are nano-dollars per million."""
    fields = {"effective_from": SINCE, "source": "a test", **fields}
    return PriceRow(kind=PriceKind(kind), rate_nanos=rate_nanos, **fields)


def fee(tool: str, rate_nanos: int, unit: PriceUnit) -> PriceRow:
    return row("use", rate_nanos, item=tool, unit=unit)


def made(*rows: PriceRow, **fields: Any) -> Rates:
    """Rates of the same rows in both books."""
    return Rates(rows, rows, **fields)
