"""Prices: a draft is read exactly, compared honestly, and published by adding rows."""

import datetime as dt
import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.local import TODAY, Bench
from portico.admin.drafts import Line, draft_text, read_lines
from portico.catalog import PriceRow, load_catalog
from portico.core.errors import InvalidRequest
from portico.core.storage import can_be_kept

MODEL = "gemini-2.5-flash"
TOML = f"""\
source = "https://prices.example/1"
[[prices]]
model = "{MODEL}"
input = "0.36"
cached = 0.0360
output = 3
[[prices]]
model = "{MODEL}"
modality = "audio"
input = "1.20"
source = "https://prices.example/2"
[[prices]]
model = "{MODEL}"
item = "web_search"
usd = "0.042"
unit = "prompt"
"""
CSV = f"""\
model,input,cached,output,modality,item,usd,unit,source
{MODEL},0.36,0.0360,3,,,,,https://prices.example/1
{MODEL},1.20,,,audio,,,,https://prices.example/2
{MODEL},,,,,web_search,0.042,prompt,https://prices.example/1
"""
JSON = (
    json.dumps(
        {
            "source": "https://prices.example/1",
            "prices": [
                {"model": MODEL, "input": "0.36", "cached": "0.0360", "output": "3"},
                {"model": MODEL, "input": "1.20", "modality": "audio", "source": "https://prices.example/2"},
                {"model": MODEL, "item": "web_search", "usd": "0.042", "unit": "prompt"},
            ],
        }
    )
    .replace('"3"', "3")
    .replace('"0.0360"', "0.0360")
)


def lines(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"model": MODEL, **row} for row in rows]


def later(days: int) -> str:
    return (TODAY + dt.timedelta(days=days)).isoformat()


# -- files


@pytest.mark.parametrize(("text", "form"), [(TOML, "toml"), (CSV, "csv"), (JSON, "json")])
def test_the_same_prices_are_read_of_each_format_digit_by_digit(text: str, form: str) -> None:
    read = read_lines(text, form)
    assert read == read_lines(TOML, "toml")
    assert read[0].cached == "0.0360"
    assert read[0].output == "3"
    assert [line.source[-1] for line in read] == ["1", "2", "1"]


amounts = st.one_of(st.none(), st.decimals(min_value=0, max_value=999, places=9).map(lambda number: f"{number:f}"))


@given(
    st.lists(
        st.builds(
            Line,
            model=st.text(st.characters(codec="utf-8", exclude_characters="\0\x7f"), min_size=1, max_size=20),
            input=amounts,
            cached=amounts,
            output=amounts,
            above_tokens=st.integers(0, 10**6),
            free=st.booleans(),
            effective_from=st.one_of(st.none(), st.dates()),
            source=st.text(max_size=20).filter(lambda text: "\x7f" not in text and can_be_kept(text)),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_a_draft_is_read_back_as_it_was_written(drafted: list[Line]) -> None:
    assert read_lines(draft_text(drafted), "toml") == drafted


@pytest.mark.parametrize(
    ("text", "form", "said"),
    [
        ("[[prices", "toml", "not TOML"),
        ("{", "json", "not JSON"),
        ("[" * 100_000, "json", "not JSON"),
        ('model,input\n"x', "csv", "not CSV"),
        ("model,input\nx,1,2\n", "csv", "line 2"),
        ("model,input\nx\n", "csv", "line 2"),
        ("model,inputt\nx,1\n", "csv", "line 1: 'inputt' is no column"),
        ("model;input;output\nx;0,36;3,00\n", "csv", "with commas between them"),
        ("model,input\n", "csv", "no prices"),
        ("[prices]\n", "toml", "[[prices]]"),
        ("colour = 1\n[[prices]]\nmodel='x'\n", "toml", "colour"),
        ("[[prices]]\nmodel='x'\nfree='yes'\n", "toml", "prices[0]"),
        ("[1]", "json", "table"),
        ("model,above_tokens,input\nx,1,1\n\n\nx,-1,1\n", "csv", "line 5"),
        ("model,input, input\nx,1,2\n", "csv", "'input' stands there twice"),
        ('[{"model": "x", "input": "1", "input": "2"}]', "json", "'input' stands there twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_says_where(text: str, form: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_lines(text, form)
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('[[prices]]\nmodel = "x"\ninput = "1"\n', "toml"),
        ('[{"model": "x", "input": "1"}]', "json"),
        ("model,input,,\nx,1,,\n", "csv"),
    ],
)
def test_a_file_may_begin_with_the_mark_of_its_order_of_bytes(text: str, form: str) -> None:
    assert read_lines(f"\ufeff{text}", form) == [Line(model="x", input="1")]


def test_an_import_publishes_nothing_and_its_draft_says_the_same(bench: Bench) -> None:
    draft = bench.do("prices import", text=CSV, format="csv")
    assert bench.rows("SELECT * FROM prices") == []
    assert read_lines(draft["toml"], "toml") == read_lines(CSV, "csv")
    assert bench.do("prices import", text=draft["toml"], format="toml") == draft


# -- what makes no sense


@pytest.mark.parametrize(
    ("row", "param"),
    [
        ({"input": "1.2345678901"}, "prices[0].input"),
        ({"input": "-1"}, "prices[0].input"),
        ({}, "prices[0].model"),
        ({"item": "web_search", "usd": "1"}, "prices[0].item"),
        ({"item": "web_search", "usd": "1", "unit": "query", "input": "1"}, "prices[0].item"),
        ({"free": True, "input": "1"}, "prices[0].free"),
        ({"input": "1", "effective_from": "2020-01-01"}, "prices[0].effective_from"),
        ({"input": "1", "model": "nonesuch"}, "prices[0].model"),
        ({"input": "1", "model": "gemini-2-5-flash"}, "prices[0].model"),
        ({"input": "1", "provider": "nobody"}, "prices[0].provider"),
        ({"input": "1", "modality": "smell"}, "prices[0].modality"),
        ({"input": "1", "tier": "gold"}, "prices[0].tier"),
        ({"input": 1}, "prices[0].input"),
    ],
)
def test_a_price_that_makes_no_sense_is_refused_with_its_place(bench: Bench, row: dict[str, Any], param: str) -> None:
    for name in ("prices diff", "prices publish"):
        refused = bench.refusal(name, prices=lines(row))
        assert (refused.status, refused.param) == (400, param)
    assert bench.rows("SELECT * FROM prices") == []


def test_two_prices_for_the_same_are_refused(bench: Bench) -> None:
    assert bench.refusal("prices publish", prices=lines({"input": "1"}, {"input": "2"})).param == "prices"
    bench.do("prices publish", prices=lines({"input": "1"}, {"input": "2", "effective_from": later(1)}))


# -- what changes


def test_a_draft_is_compared_with_what_is_in_force(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    rows = load_catalog().models[MODEL].prices.in_force(TODAY)
    old = next(row for row in rows if row.kind == "input" and not row.cached and row.modality in ("any", "text"))
    told = bench.do("prices diff", prices=lines({"input": "0.60", "modality": old.modality}))["changes"]
    assert [(change["what"].split()[0], change["new_usd"], change["old_origin"]) for change in told] == [
        ("input", "0.60", "catalog")
    ]
    assert told[0]["old_usd"] == "0.30"
    assert told[0]["change"] == "+100%"
    bench.do("prices publish", prices=lines({"input": "0.60", "modality": old.modality}))
    again = bench.do("prices diff", prices=lines({"input": "0.45", "modality": old.modality}))["changes"]
    assert (again[0]["old_usd"], again[0]["change"], again[0]["old_origin"]) == ("0.60", "-25%", "published")


def test_publishing_adds_rows_and_changes_none(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    first = bench.do("prices publish", prices=lines({"input": "1", "output": "2"}))
    assert len(first["changes"]) == 2
    kept = bench.rows("SELECT * FROM prices ORDER BY id")
    second = bench.do("prices publish", prices=lines({"input": "3", "output": "2", "effective_from": later(2)}))
    assert (len(second["changes"]), second["unchanged"]) == (1, 1)
    assert bench.rows("SELECT * FROM prices ORDER BY id")[:2] == kept
    row = msgspec.json.decode(bench.rows("SELECT row FROM prices ORDER BY id")[2][0], type=PriceRow)
    assert (row.rate_nanos, row.effective_from.isoformat()) == (3_000_000_000, later(2))
    assert bench.rows("SELECT number FROM revisions WHERE name = 'prices'") == [(2,)]


def test_a_price_holds_from_its_day_on(bench: Bench) -> None:
    bench.do("prices publish", prices=lines({"input": "1"}, {"input": "2", "effective_from": later(2)}))

    def listed() -> list[str]:
        found = bench.do("prices list", model=MODEL, book="sale")["data"]
        wanted = {"kind": "input", "tier": "standard", "modality": "any", "cached": False}
        return [price["usd"] for price in found if wanted.items() <= price.items()]

    assert listed() == ["1.00"]
    assert len(bench.do("prices list", model=MODEL, every=True)["data"]) == 2
    bench.reading.now_us += 2 * 86_400 * 1_000_000
    assert listed() == ["2.00"]


@pytest.mark.parametrize(("until_then", "usd"), [({"input": "3"}, "3.00"), ({"free": True}, "0.00")])
def test_a_price_of_a_later_day_stands_whatever_is_published_before_it(
    until_then: dict[str, Any], usd: str, bench: Bench
) -> None:
    """Also where it said what would have held that day anyway."""
    bench.do("prices publish", prices=lines({"input": "2"}))
    announced = lines({"input": "2", "effective_from": later(9)})
    assert bench.do("prices diff", prices=announced) == {"changes": [], "unchanged": 1}
    for _ in range(2):
        assert bench.do("prices publish", prices=announced) == {"changes": [], "unchanged": 1}
    assert bench.rows("SELECT COUNT(*) FROM prices") == [(2,)]
    bench.do("prices publish", prices=lines({**until_then, "effective_from": later(1)}))

    def asked() -> list[str]:
        found = bench.do("prices list", model=MODEL, book="sale")["data"]
        wanted = {"modality": "any", "cached": False, "tier": "standard"}
        return [one["usd"] for one in found if one["kind"] in ("input", "free") and wanted.items() <= one.items()]

    bench.reading.now_us += 86_400 * 1_000_000
    assert asked() == [usd]
    bench.reading.now_us += 8 * 86_400 * 1_000_000
    assert asked() == ["2.00"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_draft_in_which_a_model_is_free_and_has_prices_is_refused(order: int, bench: Bench) -> None:
    draft = lines({"free": True, "effective_from": later(1)}, {"input": "2", "effective_from": later(1)})[::order]
    for name in ("prices diff", "prices publish"):
        refusal = bench.refusal(name, prices=draft)
        assert (refusal.status, refusal.param) == (400, "prices")
        assert "free or has prices" in refusal.message
    of_two_days = lines({"free": True, "effective_from": later(1)}, {"input": "2", "effective_from": later(2)})
    assert len(bench.do("prices publish", prices=of_two_days)["changes"]) == 2


@pytest.mark.parametrize(
    ("for_a_while", "usd"), [({"input": "1", "modality": "text"}, "1.00"), ({"free": True}, "0.00")]
)
def test_a_draft_that_ends_what_it_begins_publishes_both(for_a_while: dict[str, Any], usd: str, bench: Bench) -> None:
    usual = {"input": "2", "modality": "text"}
    bench.do("prices publish", prices=lines(usual))
    draft = lines({**usual, "effective_from": later(9)}, {**for_a_while, "effective_from": later(1)})
    told = bench.do("prices diff", prices=draft)["changes"]
    assert [(one["effective_from"], one["new_usd"]) for one in told[:2]] == [(later(9), "2.00"), (later(1), usd)]
    assert told[0]["old_usd"] == usd
    bench.do("prices publish", prices=draft)
    bench.reading.now_us += 9 * 86_400 * 1_000_000
    found = bench.do("prices list", model=MODEL, book="sale")["data"]
    wanted = {"kind": "input", "tier": "standard", "modality": "text", "cached": False}
    assert [one["usd"] for one in found if wanted.items() <= one.items()] == ["2.00"]


def test_free_is_said_and_never_guessed(bench: Bench) -> None:
    free = bench.do("prices publish", prices=lines({"free": True}))["changes"]
    assert [(change["what"], change["new_usd"]) for change in free] == [("free", "0.00")]
    assert [price["kind"] for price in bench.do("prices list", model=MODEL)["data"]] == ["free"]
    again = bench.do("prices diff", prices=lines({"input": "1", "effective_from": later(1)}))["changes"]
    assert (again[0]["old_usd"], again[0]["change"]) == ("0.00", "new")
    assert bench.do("prices publish", prices=lines({"free": True})) == {"changes": [], "unchanged": 1}


def test_what_is_asked_again_for_a_model_that_was_free_is_told_before_it_is_published(bench: Bench) -> None:
    """By one price of it, or by several from several days on: all that is listed then is told once."""
    bench.do("prices publish", prices=lines({"free": True}))
    draft = lines({"input": "1", "effective_from": later(1)}, {"input": "2", "effective_from": later(5)})
    told = bench.do("prices diff", prices=draft)["changes"]
    assert [(one["what"], one["new_usd"]) for one in told[:2]] == [("input", "1.00"), ("input", "2.00")]
    assert {one["effective_from"] for one in told[2:]} == {later(1)}
    assert {"output": "2.50", "cached": "0.03"}.items() <= {one["what"]: one["new_usd"] for one in told[2:]}.items()
    assert len(bench.do("prices publish", prices=draft)["changes"]) == 2
    bench.reading.now_us += 86_400 * 1_000_000
    listed = bench.do("prices list", model=MODEL)["data"]
    assert len([one for one in listed if one["tier"] == "standard"]) == len(told) - 1
    assert len(bench.do("prices diff", prices=lines({"input": "3"}))["changes"]) == 1


def test_what_is_asked_no_more_for_a_model_that_becomes_free_is_told_before_it_is_published(bench: Bench) -> None:
    """And what is asked again, where the same draft ends that."""
    listed = bench.do("prices list", model=MODEL, book="sale")["data"]
    asked = [one["usd"] for one in listed if one["tier"] == "standard" and float(one["usd"])]
    draft = lines({"free": True, "effective_from": later(1)})
    first, *told = bench.do("prices diff", prices=draft)["changes"]
    assert (first["what"], first["new_usd"]) == ("free", "0.00")
    assert sorted(one["old_usd"] for one in told) == sorted(asked)
    assert {(one["new_usd"], one["change"], one["effective_from"]) for one in told} == {("0.00", "-100%", later(1))}
    assert {one["old_origin"] for one in told} == {"catalog"}
    assert len(bench.do("prices publish", prices=draft)["changes"]) == 1

    for_a_while = [*lines({"free": True}), *lines({"input": "2", "effective_from": later(5)})]
    told = bench.do("prices diff", prices=for_a_while)["changes"]
    assert [one["effective_from"] for one in told if one["change"] == "-100%"] == [later(0)] * len(asked)
    again = {one["what"]: one["new_usd"] for one in told if one["effective_from"] == later(5)}
    assert {"input": "2.00", "output": "2.50", "cached": "0.03"}.items() <= again.items()


def test_what_callers_pay_is_what_providers_ask_until_it_is_set(bench: Bench) -> None:
    def listed(book: str) -> dict[str, tuple[str, str]]:
        found = bench.do("prices list", model=MODEL, book=book)["data"]
        return {
            price["kind"]: (price["usd"], price["origin"])
            for price in found
            if (price["modality"], price["cached"], price["tier"]) == ("any", False, "standard")
            and price["kind"] != "use"
        }

    assert listed("cost") == {}
    assert listed("sale") == {"input": ("0.30", "catalog"), "output": ("2.50", "catalog")}
    bench.do("prices publish", prices=lines({"input": "1", "provider": "gemini"}))
    assert listed("cost") == {"input": ("1.00", "published"), "output": ("2.50", "catalog")}
    assert listed("sale") == {"input": ("1.00", "cost"), "output": ("2.50", "catalog")}
    bench.do("prices publish", prices=lines({"input": "2"}))
    assert listed("sale") == {"input": ("2.00", "published"), "output": ("2.50", "catalog")}
    assert {price["provider"] for price in bench.do("prices list", book="cost")["data"]} == {"gemini"}


def test_prices_of_every_tier_are_listed_of_one_model(bench: Bench) -> None:
    bench.do("prices publish", prices=lines({"input": "9", "tier": "priority"}))
    told = {price["tier"]: price["usd"] for price in bench.do("prices list", model=MODEL)["data"] if _is_plain(price)}
    assert told["standard"] == "0.30"
    assert told["priority"] == "9.00"
    assert {price["tier"] for price in bench.do("prices list", limit=500)["data"]} == {"standard"}


def _is_plain(price: dict[str, Any]) -> bool:
    return (price["kind"], price["modality"], price["cached"]) == ("input", "any", False)


def test_every_model_of_the_catalog_has_its_prices_listed_page_by_page(bench: Bench) -> None:
    def listed(limit: int) -> list[Any]:
        seen: list[Any] = []
        after: str | None = ""
        while after is not None:
            page = bench.do("prices list", limit=limit, after=after)
            seen += page["data"]
            after = page["next"]
        return seen

    seen = listed(50)
    assert seen == listed(500)
    assert MODEL in {price["model"] for price in seen}
    assert all(price["origin"] == "catalog" for price in seen)


def test_a_page_of_prices_ends_between_two_models(bench: Bench) -> None:
    pages: list[list[Any]] = []
    after: str | None = ""
    while after is not None:
        page = bench.do("prices list", limit=50, after=after)
        pages.append([price["model"] for price in page["data"]])
        after = page["next"]
    assert max(map(len, pages)) <= 50
    assert not [end for end, begin in pairwise(pages) if end[-1] == begin[0]]
    assert len(bench.do("prices list", limit=1)["data"]) == 1


def test_cache_writes_have_prices_of_their_own(bench: Bench) -> None:
    claude = "claude-opus-5-5"
    draft = [{"model": claude, "write": "5.50", "write_1h": "8.80", "effective_from": later(1)}]
    diff = bench.do("prices diff", prices=draft)["changes"]
    assert [(change["what"], change["old_usd"], change["new_usd"]) for change in diff] == [
        ("input_cache_write", "5.00", "5.50"),
        ("input_cache_write_1h", "8.00", "8.80"),
    ]
    bench.do("prices publish", prices=draft)
    assert bench.do("prices publish", prices=draft)["unchanged"] == 2


@pytest.mark.parametrize("odd", ["\\ud800", "\\u0000"])
def test_a_draft_with_text_that_no_database_keeps_is_refused(bench: Bench, odd: str) -> None:
    text = f'[{{"model": "{MODEL}", "input": "1", "source": "{odd}"}}]'
    assert bench.refusal("prices import", text=text, format="json").param == "prices[0]"
