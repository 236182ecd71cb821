"""Two books over the catalog: what was published counts from its day on, and markup is a rule on top."""

from datetime import date
from typing import Any

import msgspec
import pytest

from portico.catalog import (
    Markup,
    Model,
    OperatorModel,
    PriceBooks,
    PriceKind,
    PriceRow,
    Published,
    Rates,
    Tier,
    load_catalog,
    published,
    rate_of,
    usd_of_nanos,
)

CATALOG = load_catalog()
FLASH = "gemini-2.5-flash"
MAY, JUNE, JULY = date(2027, 5, 1), date(2027, 6, 1), date(2027, 7, 1)


def price(
    book: str, rate_nanos: int, since: date, *, model: str = FLASH, provider: str = "", **fields: Any
) -> Published:
    row = PriceRow(
        **{"kind": PriceKind.INPUT, "rate_nanos": rate_nanos, "effective_from": since, "source": "operator", **fields}
    )
    return Published(book, model, row, since, provider)


def free(book: str, since: date, *, model: str = FLASH, provider: str = "") -> Published:
    return Published(book, model, None, since, provider)


def rates(
    books: PriceBooks,
    *,
    model: Model | None = None,
    upstream: str = FLASH,
    provider: str = "google",
    kind: str = "gemini",
    account: str = "acc_1",
    on: date = JUNE,
    tier: Tier = Tier.STANDARD,
) -> Rates:
    return books.rates(
        model=model or CATALOG.models[FLASH],
        provider=provider,
        provider_kind=kind,
        upstream_model=upstream,
        account=account,
        on=on,
        tier=tier,
    )


def input_of(rows: tuple[PriceRow, ...], **fields: Any) -> int | None:
    row = rate_of(rows, PriceKind.INPUT, "text", **fields)
    return None if row is None else row.rate_nanos


def both(found: Rates) -> tuple[int | None, int | None]:
    return input_of(found.sale), input_of(found.cost)


def test_the_catalog_is_the_first_edition_of_both_books() -> None:
    found = rates(PriceBooks(CATALOG))
    assert found.sale == found.cost == CATALOG.models[FLASH].prices.in_force(JUNE, backend="gemini")
    assert found.known
    assert found.markup_permille == 1000
    assert found.tools_free == {"web_search"}


def test_a_published_row_counts_from_its_day_on() -> None:
    books = PriceBooks(CATALOG, [price("sale", 7, JUNE)])
    assert both(rates(books, on=MAY)) == (300_000_000, 300_000_000)
    assert both(rates(books, on=JUNE)) == (7, 300_000_000)


def test_of_two_rows_of_one_day_the_one_published_later_counts() -> None:
    assert both(rates(PriceBooks(CATALOG, [price("sale", 7, MAY), price("sale", 8, MAY)])))[0] == 8
    assert both(rates(PriceBooks(CATALOG, [price("sale", 9, JUNE), price("sale", 8, MAY)])))[0] == 9


def test_a_row_overrides_its_own_cell_alone() -> None:
    found = rates(PriceBooks(CATALOG, [price("sale", 7, MAY)]))
    assert input_of(found.sale, cached=True) == 30_000_000
    assert rate_of(found.sale, PriceKind.INPUT, "audio") == rate_of(found.cost, PriceKind.INPUT, "audio")


def test_complaint_25_a_typo_is_mended_by_another_row_and_the_first_stays_in_the_book() -> None:
    typo, mended = price("sale", 30_000_000_000, MAY), price("sale", 300_000_000, JUNE)
    books = PriceBooks(CATALOG, [typo, mended])
    assert both(rates(books, on=MAY))[0] == 30_000_000_000
    assert both(rates(books, on=JUNE))[0] == 300_000_000


def test_a_sale_price_nobody_set_is_the_cost_of_whoever_answers() -> None:
    books = PriceBooks(CATALOG, [price("cost", 5, MAY, provider="cheap"), price("cost", 6, MAY)])
    assert both(rates(books, provider="cheap")) == (5, 5)
    assert both(rates(books, provider="google")) == (6, 6)


def test_a_sale_price_does_not_move_with_a_newer_cost() -> None:
    books = PriceBooks(CATALOG, [price("sale", 7, MAY), price("cost", 9, JUNE, provider="google")])
    assert both(rates(books)) == (7, 9)


def test_a_row_of_the_catalog_that_began_later_beats_an_older_published_cost() -> None:
    later = msgspec.structs.replace(
        CATALOG.models[FLASH].prices.rows[0], kind=PriceKind.INPUT, cached=False, rate_nanos=11, effective_from=JULY
    )
    model = CATALOG.models[FLASH]
    priced = msgspec.structs.replace(
        model, prices=msgspec.structs.replace(model.prices, rows=(*model.prices.rows, later))
    )
    books = PriceBooks(CATALOG, [price("cost", 9, MAY, model="unknown-upstream")])
    assert both(rates(books, model=priced, upstream="unknown-upstream", on=JUNE))[1] == 9
    assert both(rates(books, model=priced, upstream="unknown-upstream", on=JULY))[1] == 11


def test_rows_for_another_kind_of_provider_are_passed_over() -> None:
    books = PriceBooks(CATALOG, [price("cost", 5, MAY, backend="vertex"), price("cost", 6, MAY)])
    assert both(rates(books, kind="gemini"))[1] == 6
    assert both(rates(books, kind="vertex"))[1] == 5


def test_a_tier_is_the_standard_row_changed_by_its_rule_and_its_own_row_where_there_is_one() -> None:
    books = PriceBooks(CATALOG, [price("sale", 1_001, MAY), price("sale", 3, MAY, tier=Tier.PRIORITY)])
    assert both(rates(books, tier=Tier.FLEX))[0] == 501  # a fraction is rounded up
    assert both(rates(books, tier=Tier.PRIORITY))[0] == 3
    assert rates(books, tier=Tier.FLEX).tier is Tier.FLEX


def test_a_model_is_free_from_a_day_on_and_until_a_price_follows() -> None:
    books = PriceBooks(CATALOG, [free("sale", JUNE), price("sale", 7, JULY)])
    assert not rates(books, on=MAY).free
    found = rates(books, on=JUNE)
    assert (found.free, found.known, found.sale) == (True, True, ())
    assert (found.cost_free, input_of(found.cost)) == (False, 300_000_000)
    assert both(rates(books, on=JULY))[0] == 7
    assert not rates(books, on=JULY).free


def test_a_free_model_of_the_catalog_can_be_sold() -> None:
    gemma = CATALOG.models["gemma-4-31b-it"]
    rows = [price("sale", 7, MAY, model=gemma.name), price("sale", 9, MAY, model=gemma.name, kind=PriceKind.OUTPUT)]
    found = rates(PriceBooks(CATALOG, rows), model=gemma, upstream=gemma.name)
    assert (found.free, found.cost_free, found.known) == (False, True, True)
    assert input_of(found.sale) == 7


def operator(target: str, name: str = "fast") -> Model:
    return CATALOG.with_models([OperatorModel(name, target)]).models[name]


def test_an_operators_model_takes_the_prices_of_its_upstream_model() -> None:
    found = rates(PriceBooks(CATALOG), model=operator(f"google/{FLASH}"))
    assert found.sale == CATALOG.models[FLASH].prices.in_force(JUNE, backend="gemini")
    published_for_upstream = PriceBooks(CATALOG, [price("sale", 7, MAY)])
    assert both(rates(published_for_upstream, model=operator(f"google/{FLASH}")))[0] == 7
    own = PriceBooks(CATALOG, [price("sale", 8, MAY, model="fast"), price("sale", 7, MAY)])
    assert both(rates(own, model=operator(f"google/{FLASH}")))[0] == 8


def test_a_catalog_name_sent_elsewhere_costs_what_is_there() -> None:
    model = operator("google/gemini-2.5-pro", name=FLASH)
    assert both(rates(PriceBooks(CATALOG), model=model, upstream="gemini-2.5-pro"))[1] == 1_250_000_000


def test_a_price_nobody_knows_is_unknown() -> None:
    found = rates(PriceBooks(CATALOG), model=operator("elsewhere/new-model"), upstream="new-model")
    assert (found.known, found.cost_known, found.sale) == (False, False, ())


def test_a_price_of_one_direction_alone_is_not_known() -> None:
    model = operator("elsewhere/new-model")
    rows = [price("sale", 7, MAY, model="fast")]
    assert not rates(PriceBooks(CATALOG, rows), model=model, upstream="new-model").known
    rows.append(price("sale", 9, MAY, model="fast", kind=PriceKind.OUTPUT))
    found = rates(PriceBooks(CATALOG, rows), model=model, upstream="new-model")
    assert (found.known, found.cost_known) == (True, False)


def test_an_embedding_needs_no_price_of_output() -> None:
    model = CATALOG.models["gemini-embedding-001"]
    assert rates(PriceBooks(CATALOG), model=model, upstream=model.name).known


RULES = [
    Markup(1_100, MAY),
    Markup(1_200, MAY, model=FLASH),
    Markup(1_300, MAY, account="acc_1"),
    Markup(1_400, MAY, account="acc_1", model=FLASH),
]


@pytest.mark.parametrize(("rules", "permille"), [(RULES[:n], (RULES[n - 1].permille if n else 1000)) for n in range(5)])
def test_the_most_specific_markup_counts(rules: list[Markup], permille: int) -> None:
    assert rates(PriceBooks(CATALOG, (), rules)).markup_permille == permille
    assert rates(PriceBooks(CATALOG, (), rules), account="acc_2").markup_permille == min(permille, 1_200)


def test_a_markup_counts_from_its_day_on_and_rewrites_no_price() -> None:
    books = PriceBooks(CATALOG, (), [Markup(1_500, JUNE), Markup(1_100, MAY)])
    assert rates(books, on=date(2027, 4, 1)).markup_permille == 1000
    assert rates(books, on=MAY).markup_permille == 1_100
    found = rates(books, on=JUNE)
    assert found.markup_permille == 1_500
    assert found.sale == rates(PriceBooks(CATALOG)).sale


def test_a_markup_on_an_upstream_model_holds_for_an_operators_name_of_it() -> None:
    books = PriceBooks(CATALOG, (), [Markup(1_500, MAY, model=FLASH)])
    assert rates(books, model=operator(f"google/{FLASH}")).markup_permille == 1_500


def test_rows_are_read_as_the_tables_hold_them() -> None:
    row = PriceRow(kind=PriceKind.INPUT, rate_nanos=7, effective_from=MAY, source="operator")
    text = msgspec.json.encode(row).decode()
    books = PriceBooks.from_rows(
        CATALOG,
        [("sale", "", FLASH, text, "2027-06-01"), ("cost", "google", FLASH, "free", "2027-06-01")],
        [("acc_1", "", 1_200, "2027-05-01")],
    )
    found = rates(books, on=JUNE)
    assert (input_of(found.sale), found.cost_free, found.markup_permille) == (7, True, 1_200)
    assert both(rates(books, on=MAY)) == (300_000_000, 300_000_000)  # the day of the table counts


@pytest.mark.parametrize(
    ("book", "row", "day"),
    [
        ("rent", "free", "2027-06-01"),
        ("sale", "dear", "2027-06-01"),
        ("sale", '{"kind":"input"}', "2027-06-01"),
        ("sale", '{"kind":"input","rate_nanos":-1,"effective_from":"2027-06-01","source":""}', "2027-06-01"),
        ("sale", "free", "June"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused(book: str, row: str, day: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        published(book, "", FLASH, row, day)


def test_what_was_found_is_kept_and_bounded() -> None:
    books = PriceBooks(CATALOG, (), [Markup(1_100, MAY, account="acc_1")])
    assert rates(books) is rates(books)
    assert rates(books, account="acc_2") is rates(books, account="acc_3")
    first = rates(books)
    for number in range(4_096):
        rates(books, provider=f"provider {number}")
    assert rates(books) is not first
    assert rates(books) == first


@pytest.mark.parametrize(
    ("nanos", "usd"),
    [(0, "0.00"), (1, "0.000000001"), (125_000_000, "0.125"), (2_000_000_000, "2.00"), (-1_500_000_000, "-1.50")],
)
def test_dollars_are_written_exactly(nanos: int, usd: str) -> None:
    assert usd_of_nanos(nanos) == usd
