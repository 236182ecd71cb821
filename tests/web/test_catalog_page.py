"""The catalog page: what the address asks for is what is shown, and what cannot be is said with the filter in its way."""

from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.web import money
from portico.web.addresses import Address
from portico.web.house import House
from portico.web.page import Visit
from portico.web.showroom import Offer
from portico.web.site import catalog, compare, models, shelf
from web.rooms import CATALOG, HOUSE, ROOM, ask

ROWS = [row for model in CATALOG.models.values() if (row := shelf.row_of(ROOM, model)) is not None]


def asked(query: str) -> catalog.Filter:
    return catalog.Filter.of(Visit(Address("/models"), "http://x", parse_qs(query)))


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("q=flash+lite", lambda row: "flash" in row.name and "lite" in row.name),
        ("in=audio&in=video", lambda row: {"audio", "video"} <= set(row.inputs)),
        ("out=image", lambda row: "image" in row.outputs),
        ("provider=anthropic", lambda row: row.model.vendor == "anthropic"),
        ("provider=anthropic&provider=google", lambda row: row.model.vendor in ("anthropic", "google")),
        ("kind=embedding", lambda row: row.model.kind.value == "embedding"),
        ("context=1000000", lambda row: row.model.capabilities.max_input_tokens >= 1_000_000),
        ("max=0.25", lambda row: row.prices.free or (row.prices.input and row.prices.input.milli_nanos <= 25 * 10**10)),
    ],
)
def test_a_filter_leaves_what_it_says(query: str, holds: object) -> None:
    assert callable(holds)
    found = catalog.chosen(ROWS, asked(query))
    assert found
    if not query.startswith("q="):
        assert [row.name for row in found] == [row.name for row in ROWS if holds(row)]
    else:
        assert {row.name for row in ROWS if holds(row)} <= {row.name for row in found}


@pytest.mark.parametrize("sort", list(catalog.SORTS))
@pytest.mark.parametrize("descending", [False, True])
def test_what_nobody_knows_comes_last_whichever_way_it_is_sorted(sort: str, descending: bool) -> None:
    found = catalog.chosen(ROWS, asked(f"sort={sort}" + ("&desc=1" if descending else "")))
    assert len(found) == len(ROWS)
    keys = [catalog.SORTS[sort](row) for row in found]
    known = [key[1] for key in keys if key[0]]
    assert [key[0] for key in keys] == sorted((key[0] for key in keys), reverse=True)
    assert known == sorted(known, reverse=descending)


QUERIES = st.dictionaries(
    st.sampled_from(["q", "in", "out", "provider", "kind", "context", "max", "sort", "desc", "other"]),
    st.lists(
        st.sampled_from(["", "flash", "image", "audio", "google", "chat", "200000", "1", "1.5", "-1", "é", "x" * 300]),
        max_size=3,
    ),
)


@given(QUERIES)
@settings(deadline=None, max_examples=150)
def test_the_address_of_a_filter_asks_for_the_same_again(query: dict[str, list[str]]) -> None:
    first = catalog.Filter.of(Visit(Address("/models"), "http://x", query))
    again = asked(first.query())
    assert again == first
    counted = catalog.counts(ROWS, first)
    found = catalog.chosen(ROWS, first)
    for word in first.inputs[:1]:
        assert counted["in"].get(word, 0) >= len(found)


@pytest.mark.parametrize("query", ["provider=anthropic&q=gemini", "in=audio&provider=openai&context=1000000&q=o"])
async def test_a_page_without_results_leads_out_of_each_filter_in_the_way(query: str) -> None:
    first = asked(query)
    assert not catalog.chosen(ROWS, first)
    page, twin = await ask(HOUSE, f"/models?{query}"), await ask(HOUSE, f"/models.md?{query}")
    assert page.status == twin.status == 200
    ways = catalog.ways_out(ROWS, first)
    assert ways
    for way in ways:
        left = catalog.chosen(ROWS, asked(way.query))
        assert len(left) == way.found > 0
        assert f"/models?{way.query}".rstrip("?") in page.page.links
        assert f"Without “{catalog.FILTERS[way.name]}”: {way.found} models" in twin.text
        assert f"http://portico.example:8080/models.md?{way.query}" in twin.text
    for text in (page.text, twin.text):
        assert "No model is like that." in text


async def test_where_no_one_filter_is_in_the_way_that_is_said() -> None:
    query = "q=zzzz&provider=nobody"
    assert catalog.ways_out(ROWS, asked(query)) == []
    for path in ("/models", "/models.md"):
        text = (await ask(HOUSE, f"{path}?{query}")).text
        assert "It takes more than one filter less." in text, path
    assert (await ask(HOUSE, f"/models.json?{query}")).json["data"] == []


JOB = "in=20000&cached=50&out=1000"


async def test_a_call_in_the_address_has_its_cost_beside_each_model() -> None:
    found = (await ask(HOUSE, f"/models.json?{JOB}&sort=cost")).json["data"]
    known = [row for row in found if row["cost_of_call"] is not None]
    assert len(known) > 50
    assert [Decimal(row["cost_of_call"]) for row in known] == sorted(Decimal(row["cost_of_call"]) for row in known)
    assert found[: len(known)] == known, "what is unknown comes last"
    page, twin = await ask(HOUSE, f"/models?{JOB}"), await ask(HOUSE, f"/models.md?{JOB}")
    gpt = next(row for row in ROWS if row.name == "gpt-5.5")
    cost = shelf.cost_of(shelf.Job(1, 20_000, 50, 1000), gpt.rates)
    assert cost is not None
    line = next(line for line in twin.text.splitlines() if "[gpt-5.5]" in line)
    assert f" {money.usd(cost)} |" in line
    assert money.usd(cost) in page.text
    assert "Cost of this call" in page.text
    assert "Cost of this call" not in (await ask(HOUSE, "/models")).text
    assert "/pricing?calls=1000&in=20000&cached=50&out=1000&think=0&img=0&search=0" in page.page.links
    inputs = {one["name"]: one.get("value") for one in page.page.all("input", type="number")}
    assert inputs == {"in": "20000", "cached": "50", "out": "1000"}


async def test_a_number_is_a_count_of_tokens_and_a_word_is_what_a_model_takes() -> None:
    both = asked("in=image&in=20000&out=text")
    assert (both.inputs, both.outputs) == (("image",), ("text",))
    assert both.job == shelf.Job(input_tokens=20_000)
    assert asked("in=image").job is None
    assert asked("sort=cost").sort == ""
    assert asked(f"{JOB}&sort=cost").sort == "cost"


async def test_a_call_that_a_model_cannot_take_has_no_cost() -> None:
    twin = (await ask(HOUSE, "/models.md?in=900000&out=10")).text
    short = [row for row in ROWS if shelf.is_chat(row) and 0 < row.model.capabilities.max_input_tokens < 900_000]
    assert short
    for row in short:
        assert " too long |" in next(line for line in twin.splitlines() if f"[{row.name}]" in line)


async def test_ticked_rows_are_a_form_that_leads_to_their_comparison() -> None:
    page = (await ask(HOUSE, "/zh-HK/models?provider=openai")).page
    assert [form["action"] for form in page.all("form")] == ["/zh-HK/models", "/zh-HK/models/compare"]
    ticks = [one for one in page.all("input", type="checkbox") if one["name"] == "m"]
    assert [one["value"] for one in ticks] == [row.name for row in ROWS if row.model.vendor == "openai"]
    assert all(one["value"] in one["aria-label"] for one in ticks)


async def test_a_sorted_column_says_so_and_its_link_turns_it_around() -> None:
    page = (await ask(HOUSE, "/models?sort=input&provider=google")).page
    [head] = list(page.all("th", **{"aria-sort": "ascending"}))
    assert head
    assert "/models?provider=google&sort=input&desc=1" in page.links


def test_no_model_of_the_catalog_is_called_like_a_page() -> None:
    names = {name for model in CATALOG.models.values() for name in (model.name, *model.aliases)}
    assert not names & {*shelf.FAMILIES, "compare"}
    assert not [name for name in names if name.endswith((".md", ".json", ".csv"))]


@pytest.mark.parametrize("kind", sorted(models.SAMPLES))
async def test_the_code_on_a_models_page_names_that_model_alone(kind: str) -> None:
    called = models.SAMPLES[kind]
    for row in [row for row in ROWS if row.model.kind.value == kind and row.name != called.model][:3]:
        answer = await ask(HOUSE, f"/models/{row.name}.md")
        code = answer.text.partition("## Call it")[2]
        assert f'"{row.name}"' in code or f" {row.name} " in code
        assert f'"{called.model}"' not in code


@given(QUERIES)
@settings(deadline=None, max_examples=100)
def test_a_count_is_what_ticking_it_leaves(query: dict[str, list[str]]) -> None:
    first = catalog.Filter.of(Visit(Address("/models"), "http://x", query))
    counted = catalog.counts(ROWS, first)
    assert set(counted["kind"]) == {row.model.kind.value for row in ROWS}
    for name, chosen, field in (("in", first.inputs, "inputs"), ("out", first.outputs, "outputs")):
        for word, count in counted[name].items():
            ticked = catalog.Filter.of(Visit(Address("/models"), "http://x", {**query, name: [*chosen, word]}))
            assert word in getattr(ticked, field) or word not in shelf.MODALITIES
            if word in shelf.MODALITIES:
                assert count == len(catalog.chosen(ROWS, ticked))


async def test_what_is_compared_has_a_row_for_everything_one_of_them_can_do() -> None:
    """Whichever comes first: an embedding model has none of a chat model's abilities."""
    for path in ("/models/compare", "/models/compare.md"):
        text = (await ask(HOUSE, f"{path}?m=text-embedding-3-small&m=gpt-5.5")).text
        for word in ("JSON Schema", "Provider", "Longest answer", "Takes", "Makes"):
            assert word in text, (path, word)


def test_what_differs_is_told_apart_from_what_is_the_same() -> None:
    names = ("gpt-5.5", "gemini-3.8-flash")
    rows = [next(row for row in ROWS if row.name == name) for name in names]
    told = {line.title: line for line in compare.lines(rows)}
    assert told["Provider"].differs
    assert told["Context"].values == (1_050_000, 1_048_576)
    assert told["Context"].differs
    assert not told["Tools"].differs
    assert not any(line.differs for line in compare.lines([rows[0], rows[0]]))


@pytest.mark.parametrize("form", ["", ".md"])
async def test_what_nobody_knows_of_a_server_is_not_said_of_the_model(form: str) -> None:
    """A server of OpenAI's dialect serves another vendor's model as it likes."""
    local = msgspec.structs.replace(
        ROOM, offers=lambda model: (Offer("local", "openai-compatible", model.name),), kept=None
    )
    rows = [row for row in await shelf.rows(local) if row.name in ("gpt-5.5", "gemini-3.8-flash")]
    told = {line.title: line.values for line in compare.lines(sorted(rows, key=lambda row: row.name))}
    assert told["Log probabilities"] == (None, True)
    assert told["Tools"] == (None, True)
    text = (await ask(House(local), f"/models/compare{form}?m=gemini-3.8-flash&m=gpt-5.5")).text
    assert "unknown" in text


def test_of_a_retired_model_is_told_what_its_successor_can_do_and_costs() -> None:
    gone = [row for row in ROWS if row.gone and row.priced is not row.model and shelf.is_chat(row)]
    assert gone
    for row in gone:
        successor = next(one for one in ROWS if one.name == row.priced.name)
        assert dict(models.capabilities(row)) == dict(models.capabilities(successor))
        assert row.prices == successor.prices
        assert models.price_table(ROOM, row) == models.price_table(ROOM, successor)


@pytest.mark.parametrize("form", ["", ".md"])
async def test_what_differs_comes_first(form: str) -> None:
    text = (await ask(HOUSE, f"/models/compare{form}?m=gpt-5.5&m=gemini-3.8-flash")).text
    first, _, second = text.partition("The same for all")
    first = first.partition("They differ in")[2]
    for word in (
        "Provider",
        "Context",
        "Input",
        "A coding agent&#39;s turn" if form == "" else "A coding agent's turn",
    ):
        assert word in first, word
        assert word not in second.partition("Dollars per")[0], word
    for word in ("JSON Schema", "Streaming"):
        assert word in second
        assert word not in first


@pytest.mark.parametrize("form", ["", ".md"])
async def test_a_comparison_says_what_it_leaves_out(form: str) -> None:
    many = "&".join(f"m={row.name}" for row in ROWS[:6])
    text = (await ask(HOUSE, f"/models/compare{form}?{many}&m=no-such")).text
    assert "Four stand beside each other at most. Left out:" in text
    for name in (ROWS[4].name, ROWS[5].name):
        assert name in text.partition("Left out:")[2].partition("They differ")[0]
    assert "no-such" in text.partition("Not served here:")[2]
    assert "Choose one more" in (await ask(HOUSE, f"/models/compare{form}?m=gpt-5.5")).text
    assert "Choose two to four models." in (await ask(HOUSE, f"/models/compare{form}")).text


async def test_an_unknown_limit_is_said_to_be_unknown() -> None:
    unknown = [row for row in ROWS if not row.model.capabilities.max_output_tokens]
    assert unknown
    twin = (await ask(HOUSE, "/models.md")).text
    for row in unknown:
        line = next(line for line in twin.splitlines() if f"[{row.name}]" in line)
        assert " unknown " in line
        assert " 0 |" not in line


@pytest.mark.parametrize("query", ["", "sort=context&desc=1", f"{JOB}&sort=cost"])
async def test_the_form_asks_again_for_what_was_asked(query: str) -> None:
    """Sent as it stands, without a script: nothing is ordered or priced that was not."""
    page = (await ask(HOUSE, f"/models?{query}")).page
    orders = [one for one in page.all("option") if one.get("value") in {"", *catalog.SORTS, "cost"}]
    picked = [one["value"] for one in orders if "selected" in one]
    assert picked == ([asked(query).sort])
    assert {one["value"] for one in orders} == {"", *catalog.SORTS, *(["cost"] if asked(query).job else [])}
    assert [("checked" in one) for one in page.all("input", name="desc")] == [asked(query).descending]


@pytest.mark.parametrize(
    ("kinds", "last"),
    [(["gemini"], None), (["vertex"], date(2026, 10, 20)), (["vertex", "gemini"], None)],
)
def test_a_model_ends_when_the_last_who_serves_it_here_shuts_it_down(kinds: list[str], last: date | None) -> None:
    model = CATALOG.models["gemini-2.5-pro"]
    assert shelf.last_day(model, [Offer(kind, kind, model.name) for kind in kinds]) == last
