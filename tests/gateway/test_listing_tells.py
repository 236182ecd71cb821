"""What OpenAI-shaped rows tell beside OpenAI's own members: titles, prices that this caller pays, efforts."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.house import KEY, open_house
from portico.catalog import Model, Rates, Tier, load_catalog
from portico.catalog.books import Markup, PriceBooks, Published
from portico.catalog.thinking import efforts_of
from portico.cli.bookkeeper import Bookkeeper
from portico.cli.shown import Shown
from portico.cli.traffic import TrafficBook
from portico.http.listing import openai_list, openai_model
from portico.providers import KINDS

CATALOG = load_catalog()
DAY = date(2026, 11, 28)
MILLION = 1_000_000


def rows(books: PriceBooks, account: str = "alice") -> dict[str, dict[str, Any]]:
    def rates(model: Model, on: date) -> Rates:
        return books.rates(
            model=model, provider="p", provider_kind="gemini", upstream_model=model.name, account=account, on=on
        )

    return {row["id"]: row for row in openai_list(CATALOG, DAY, rates=rates)["data"]}


def usd(row: dict[str, Any], name: str) -> Decimal:
    """Dollars for a million."""
    return Decimal(row["pricing"][name]) * MILLION


def test_a_row_has_title_kind_efforts_and_prices() -> None:
    row = rows(PriceBooks(CATALOG))["gemini-3.8-flash"]
    assert (row["name"], row["kind"]) == ("Gemini 3.8 Flash", "chat")
    assert row["reasoning"] == {
        "mandatory": True,
        "default_enabled": True,
        "supported_efforts": ["high", "medium", "low"],
        "default_effort": "medium",
    }
    assert {"tools", "reasoning_effort", "structured_outputs"} <= set(row["supported_parameters"])
    assert all(isinstance(price, str) for price in row["pricing"].values())
    assert usd(row, "input_cache_read") < usd(row, "prompt") < usd(row, "completion")


def test_a_variant_is_told_like_its_model() -> None:
    told = rows(PriceBooks(CATALOG))
    plain, variant = told["gemini-3.8-flash"], told["gemini-3.8-flash-thinking"]
    assert variant["name"] == "Gemini 3.8 Flash (gemini-3.8-flash-thinking)"
    assert (variant["pricing"], variant["reasoning"]) == (plain["pricing"], plain["reasoning"])


def test_each_account_is_told_what_it_pays() -> None:
    markups = [Markup(1200, date(2026, 1, 1)), Markup(500, date(2026, 1, 1), account="bob")]
    books = PriceBooks(CATALOG, markups=markups)
    bare, alice = rows(PriceBooks(CATALOG))["gpt-5.5"], rows(books)["gpt-5.5"]
    bob = rows(books, "bob")["gpt-5.5"]
    assert usd(alice, "prompt") == usd(bare, "prompt") * Decimal("1.2")
    assert usd(bob, "completion") == usd(bare, "completion") / 2


def test_a_free_model_costs_nothing_and_an_unknown_price_is_not_told() -> None:
    free = Published("sale", "gpt-5.5", None, date(2026, 1, 1))
    assert rows(PriceBooks(CATALOG, [free]))["gpt-5.5"]["pricing"] == {"prompt": "0", "completion": "0"}
    assert "pricing" not in openai_model(CATALOG, "gpt-5.5", DAY)


def test_sound_and_pictures_have_prices_of_their_own() -> None:
    told = rows(PriceBooks(CATALOG))
    assert usd(told["gemini-2.5-flash"], "audio") > usd(told["gemini-2.5-flash"], "prompt")
    image = told["gemini-3.1-flash-image"]
    assert usd(image, "image_output") > usd(image, "prompt")


@pytest.mark.parametrize(
    ("name", "efforts"),
    [
        ("gemini-3.8-flash", ("low", "medium", "high")),
        ("gemini-2.5-flash", ("none", "low", "medium", "high")),
        ("gpt-5.5", ("none", "low", "medium", "high", "xhigh")),
        ("claude-opus-5-5", ("low", "medium", "high", "xhigh", "max")),
        ("gpt-4.1", ()),
    ],
)
def test_only_efforts_that_differ_are_told(name: str, efforts: tuple[str, ...]) -> None:
    assert efforts_of(CATALOG.models[name].capabilities.thinking) == efforts


async def test_a_gateway_tells_them() -> None:
    async with open_house() as house:
        answer = await house.ask(None, path="/v1/models/gemini-3.8-flash", method="GET", key=KEY)
        assert Decimal(answer.json()["pricing"]["prompt"]) > 0
        assert answer.json()["reasoning"]["supported_efforts"] == ["high", "medium", "low"]


async def test_of_a_retired_model_is_told_what_its_calls_cost() -> None:
    """Its successor answers them, at a price of its own."""
    async with open_house(kinds=(KINDS["openai"],)) as house:
        gone, successor = [
            (await house.ask(None, path=f"/v1/models/{name}", method="GET", key=KEY)).json()["pricing"]
            for name in ("o1-preview", "gpt-5.6-sol")
        ]
        assert gone == successor


async def test_pages_are_told_the_same_of_it() -> None:
    async with open_house(kinds=(KINDS["openai"],)) as house:
        shown = Shown(
            house.relay, cast("Bookkeeper", SimpleNamespace(prices=PriceBooks(CATALOG))), cast("TrafficBook", None)
        )
        gone, successor = [
            shown.rates(model, shown.offers(model)[0], DAY, Tier.STANDARD)
            for model in (CATALOG.models["o1-preview"], CATALOG.models["gpt-5.6-sol"])
        ]
        assert gone.sale == successor.sale != ()
