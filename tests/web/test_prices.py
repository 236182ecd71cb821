"""Prices on pages are the book's: what a page says is what a call is charged by."""

import re
from datetime import date
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.catalog import Markup, ModelKind, PriceKind, PriceRow, Published, Tier
from portico.core.usage import Usage
from portico.metering.charge import charge
from portico.web import money
from portico.web.house import House
from portico.web.site import models, shelf
from portico.web.site.job import cost_on
from web.rooms import CATALOG, HOUSE, NOW, ROOM, ask, showroom

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
            rates = ROOM.rates(row.model, row.offers[0], NOW.date(), tier)
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
    st.integers(0, 60_000),
)
@settings(deadline=None, max_examples=150)
def test_the_calculator_says_what_a_call_is_charged(
    row: shelf.Row, tokens: int, cached_percent: int, output: int, searches: int, thinking: int
) -> None:
    job = shelf.Job(1, tokens, cached_percent, output, 0, searches, thinking)
    cached = tokens * cached_percent // 100
    usage = Usage(
        input_uncached={"text": tokens - cached} if tokens - cached else {},
        input_cache_read={"text": cached} if cached else {},
        output_visible={"text": output} if output else {},
        output_reasoning={"text": thinking} if thinking else {},
    )
    charged = charge(usage, {"web_search": searches} if searches else {}, row.rates)
    assert shelf.cost_of(job, row.rates) == (None if charged.unpriced else charged.nanos)
    cost = cost_on(row, job)
    if cost is not None:
        parts = sum(rate.milli_nanos for rate in cost.lines.values())
        assert 0 <= cost.call * 1000 - parts < 1000 + len(cost.lines), "the lines are what the sum is made of"


async def test_the_result_of_the_calculator_is_in_its_address() -> None:
    house = House(ROOM)
    query = "calls=10&in=1000&cached=0&out=100&think=0&img=0&search=0"
    told = (await ask(house, f"/pricing.json?{query}")).json
    assert told["job"] == {
        "calls": 10,
        "input_tokens": 1000,
        "cached_percent": 0,
        "output_tokens": 100,
        "images": 0,
        "searches": 0,
        "thinking_tokens": 0,
    }
    page = (await ask(house, f"/pricing?{query}")).text
    [one] = [entry for entry in told["data"] if entry["id"] == "gpt-5.5"]
    assert one["per_call"] == "0.008"  # 1,000 x $5 and 100 x $30 a million
    assert f"${one['per_call']}" in cells(page)
    assert one["per_month"] == "2.40"
    assert one["lines"] == {"input": "0.005", "output": "0.003"}
    assert one["crosses_tokens"] is None


async def test_thinking_is_charged_as_output_and_has_a_line_of_its_own() -> None:
    query = "calls=1&in=1000&cached=0&out=100&think=900&search=0"
    [one] = [entry for entry in (await ask(HOUSE, f"/pricing.json?{query}")).json["data"] if entry["id"] == "gpt-5.5"]
    assert one["lines"] == {"input": "0.005", "output": "0.003", "thinking": "0.027"}
    assert one["per_call"] == "0.035"
    for path in ("/pricing", "/pricing.md"):
        assert "Thinking" in (await ask(HOUSE, f"{path}?{query}")).text.partition("What would it cost?")[2]
    inputs = {one["name"]: one["value"] for one in (await ask(HOUSE, f"/pricing?{query}")).page.all("input")}
    assert inputs["think"] == "900"


@pytest.mark.parametrize("path", ["/pricing", "/pricing.md"])
async def test_a_call_beyond_the_band_says_how_much_dearer_it_is(path: str) -> None:
    row = next(row for row in ROWS if row.name == "gpt-5.5")
    assert row.prices.band == 272_000
    said = "crosses 272,000 tokens: input ×2, output ×1.5"
    assert said in (await ask(HOUSE, f"{path}?in=272001&cached=0&out=10&all=1")).text
    assert said not in (await ask(HOUSE, f"{path}?in=272000&cached=0&out=10&all=1")).text
    for query, band in (("in=272001", 272_000), ("in=272000", None)):
        told = (await ask(HOUSE, f"/pricing.json?{query}")).json["data"]
        assert [one["crosses_tokens"] for one in told if one["id"] == "gpt-5.5"] == [band]


async def test_a_list_that_is_cut_says_so_and_where_the_rest_is() -> None:
    page = await ask(HOUSE, "/pricing?in=1000")
    priced = len((await ask(HOUSE, "/pricing.json?in=1000")).json["data"])
    assert priced > 40
    assert f"These are the 40 cheapest of {priced} models." in page.text
    [whole] = [link for link in page.page.links if "all=1" in link]
    every = await ask(HOUSE, whole.partition("#")[0])
    assert "cheapest of" not in every.text
    table = every.text.partition('id="calculator"')[2].partition("</tbody>")[0]
    assert table.count("<tr") == priced + 1
    twin = (await ask(HOUSE, "/pricing.md?in=1000")).text
    assert f"These are the 40 cheapest of {priced} models." in twin
    assert f"http://portico.example:8080{whole.partition('#')[0].replace('/pricing', '/pricing.md')}" in twin


async def test_a_load_that_nobody_takes_has_twins_too_and_nobody_is_left_out_silently() -> None:
    query = "in=9000000"
    for path in ("/pricing", "/pricing.md"):
        text = (await ask(HOUSE, f"{path}?{query}")).text
        assert "No model with a known price takes such a call." in text, path
        assert "models for which such a call is too long" in text, path
    told = (await ask(HOUSE, f"/pricing.json?{query}")).json
    assert told["data"] == []
    assert told["job"]["input_tokens"] == 9_000_000
    rows = [row for one in CATALOG.models.values() if (row := shelf.row_of(ROOM, one)) is not None]
    chats = [row for row in rows if shelf.is_chat(row) and not row.gone]
    assert told["too_long_for"] + told["price_unknown"] == len(chats)


async def test_nothing_is_said_of_fees_that_are_not_there() -> None:
    for path in ("/pricing", "/pricing.md"):
        text = (await ask(HOUSE, path)).text.casefold()
        assert "top-up" not in text
        assert "card fee" not in text


def test_tiny_money_is_shown_whole() -> None:
    for nanos, shown in (
        (0, "$0.00"),
        (1, "$0.000000001"),
        (123_000, "$0.000123"),
        (10_000_000, "$0.01"),
        (1_500_000_000, "$1.50"),
        (1_234_567_000_000_000, "$1,234,567.00"),
        (-5_000_000, "−$0.005"),
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
        for one in room.rates(row.model, row.offers[0], day, Tier.STANDARD).sale
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
