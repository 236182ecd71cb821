"""The catalog page: what the address asks for is what is shown, and what cannot be is said with the filter in its way."""

from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.web.addresses import Address
from portico.web.page import Visit
from portico.web.site import catalog, models, shelf
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


async def test_a_page_without_results_names_the_filter_in_the_way() -> None:
    page = await ask(HOUSE, "/models?provider=anthropic&q=gemini")
    assert page.status == 200
    assert "No model is like that." in page.text
    assert "<strong>Search</strong>" in page.text or "<strong>Provider</strong>" in page.text


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


async def test_an_unknown_limit_is_said_to_be_unknown() -> None:
    unknown = [row for row in ROWS if not row.model.capabilities.max_output_tokens]
    assert unknown
    twin = (await ask(HOUSE, "/models.md")).text
    for row in unknown:
        line = next(line for line in twin.splitlines() if f"[{row.name}]" in line)
        assert " unknown " in line
        assert " 0 |" not in line
