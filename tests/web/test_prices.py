"""Prices on pages are the book's: what a page says is what a call is charged by."""

import re
from datetime import date
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st

from portico.catalog import Markup, ModelKind, PriceKind, PriceRow, Published, Tier
from portico.core.usage import Usage
from portico.metering.charge import charge
from portico.web import money
from portico.web.house import House
from portico.web.site import models, shelf
from web.rooms import CATALOG, NOW, ROOM, ask, showroom

ROWS = [
    row
    for model in CATALOG.models.values()
    if (row := shelf.row_of(ROOM, model)) is not None and row.model.kind is ModelKind.CHAT and row.prices.known
]


def cells(text: str) -> list[str]:
    """The prices of a page, as a reader sees them."""
    seen = re.sub(r'<span class="pad"[^>]*>[^<]*</span>', "", text)
    return re.findall(r"\$[0-9][0-9,]*\.[0-9]+", unescape(re.sub(r"<[^>]+>", " ", seen)))


async def test_a_models_page_shows_every_row_in_force_and_nothing_else() -> None:
    house = House(ROOM)
    for row in ROWS[::5]:
        page = (await ask(house, f"/models/{row.name}")).text
        table = page.partition('id="prices"')[2].partition("</table>")[0]
        wanted = set()
        for tier in Tier:
            rates = ROOM.rates(row.priced, row.offers[0], NOW.date(), tier)
            wanted |= {money.usd(one.rate_nanos) for one in rates.sale}
        assert set(cells(table)) == wanted, row.name


async def test_what_an_operator_publishes_and_adds_is_what_pages_show() -> None:
    price = PriceRow(
        kind=PriceKind.INPUT, rate_nanos=1_234_567_891, effective_from=date(2026, 11, 1), source="the operator"
    )
    room = showroom(
        published=[Published("sale", "gpt-5.5", price, date(2026, 11, 1))],
        markups=[Markup(1250, date(2026, 11, 1))],
    )
    house = House(room)
    shown = "$1.54320986375"  # 1.234567891 and a quarter of it, whole
    for path in ("/models", "/models/gpt-5.5", "/pricing", "/models/gpt", "/models/compare?m=gpt-5.5&m=gpt-5.1"):
        assert shown in cells((await ask(house, path)).text), path
    for path in ("/models.md", "/models/gpt-5.5.md", "/pricing.md"):
        assert shown in (await ask(house, path)).text, path
    told = (await ask(house, "/models/gpt-5.5.json")).json
    assert told["input_per_mtok"] == shown[1:]


async def test_a_price_of_tomorrow_is_not_yet_shown() -> None:
    price = PriceRow(kind=PriceKind.INPUT, rate_nanos=77_000_000_000, effective_from=date(2026, 11, 29), source="x")
    house = House(showroom(published=[Published("sale", "gpt-5.5", price, date(2026, 11, 29))]))
    assert "$77.00" not in (await ask(house, "/models/gpt-5.5")).text


async def test_an_unknown_price_is_said_to_be_unknown() -> None:
    model = CATALOG.with_models([])
    unpriced = [row for one in model.models.values() if (row := shelf.row_of(ROOM, one)) and not row.prices.known]
    house = House(ROOM)
    for row in unpriced:
        answer = (await ask(house, f"/models/{row.name}")).text
        assert "unknown" in answer
        assert shelf.cost_of(shelf.Job(), row.rates) is None


@given(
    st.sampled_from(ROWS),
    st.integers(0, 300_000),
    st.integers(0, 100),
    st.integers(0, 60_000),
    st.integers(0, 5),
)
@settings(deadline=None, max_examples=150)
def test_the_calculator_says_what_a_call_is_charged(
    row: shelf.Row, tokens: int, cached_percent: int, output: int, searches: int
) -> None:
    job = shelf.Job(1, tokens, cached_percent, output, 0, searches)
    cached = tokens * cached_percent // 100
    usage = Usage(
        input_uncached={"text": tokens - cached} if tokens - cached else {},
        input_cache_read={"text": cached} if cached else {},
        output_visible={"text": output} if output else {},
    )
    charged = charge(usage, {"web_search": searches} if searches else {}, row.rates)
    assert shelf.cost_of(job, row.rates) == (None if charged.unpriced else charged.nanos)


async def test_the_result_of_the_calculator_is_in_its_address() -> None:
    house = House(ROOM)
    query = "calls=10&in=1000&cached=0&out=100&img=0&search=0"
    told = (await ask(house, f"/pricing.json?{query}")).json
    assert told["job"] == {
        "calls": 10,
        "input_tokens": 1000,
        "cached_percent": 0,
        "output_tokens": 100,
        "images": 0,
        "searches": 0,
    }
    page = (await ask(house, f"/pricing?{query}")).text
    [one] = [entry for entry in told["data"] if entry["id"] == "gpt-5.5"]
    assert one["per_call"] == "0.008"  # 1,000 x $5 and 100 x $30 a million
    assert f"${one['per_call']}" in cells(page)
    assert one["per_month"] == "2.40"


def test_tiny_money_is_shown_whole() -> None:
    for nanos, shown in (
        (0, "$0.00"),
        (1, "$0.000000001"),
        (123_000, "$0.000123"),
        (10_000_000, "$0.01"),
        (1_500_000_000, "$1.50"),
        (1_234_567_000_000_000, "$1,234,567.00"),
        (-5_000_000, "-$0.005"),
    ):
        assert money.usd(nanos) == shown
        assert money.price(nanos * 1000) == shown


async def test_the_history_of_a_price_is_what_calls_were_charged_by() -> None:
    model = next(row for row in ROWS if models.history(ROOM, row)).model
    room = showroom(markups=[Markup(1250, date(2020, 1, 1))])
    row = shelf.row_of(room, model)
    assert row is not None
    told = models.history(room, row)
    page = (await ask(House(room), f"/models/{model.name}")).text.partition('id="history"')[2]
    wanted = {
        money.price(one.rate_nanos * 1250)
        for day, _ in told
        for one in room.rates(row.priced, row.offers[0], day, Tier.STANDARD).sale
        if one.kind is not PriceKind.USE
    }
    assert set(cells(page)) == wanted


async def test_a_price_that_was_published_is_dated_by_the_day_it_holds_from() -> None:
    row = next(row for row in ROWS if not models.history(ROOM, row))
    price = PriceRow(kind=PriceKind.INPUT, rate_nanos=7, effective_from=date(2026, 11, 3), source="the operator")
    room = showroom(published=[Published("sale", row.name, price, date(2026, 11, 3))])
    shown = shelf.row_of(room, row.model)
    assert shown is not None
    assert models.history(room, shown)[0][0] == date(2026, 11, 3)


async def test_a_free_model_is_free_wherever_its_price_stands() -> None:
    house = House(showroom(published=[Published("sale", "gpt-5.5", None, date(2026, 1, 1))]))
    for path in ("/", "/pricing", "/index.md", "/pricing.md"):
        text = (await ask(house, path)).text
        assert "gpt-5.5" in text, path
        assert "free" in text, path
        assert "$0.00<" not in text, path
        assert "$0.00 " not in text, path
