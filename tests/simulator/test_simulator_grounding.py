"""Grounded answers: which bytes of the text rest on which source, whole and streamed."""

from typing import Any

import pytest

from portico.simulator import Simulator
from portico.wire.jsontext import decode
from portico.wire.sse import SseDecoder
from simulator.sim_memory import Json, answer, exchange, parts, stream, text, tools, user

OLD, NEW = "gemini-2.5-flash", "gemini-3.5-flash"
SEARCH: Json = {"tools": [{"googleSearch": {}}]}
MAPS: Json = {"tools": [{"googleMaps": {}}]}
FILES: Json = {"tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/a", "fileSearchStores/b"]}}]}
PAGES: Json = {"tools": [{"urlContext": {}}]}
CIRCULATE: Json = {"toolConfig": {"includeServerSideToolInvocations": True}}
ASKED = "Wer gewann in Zürich? See https://example.com/ä and https://gone.invalid/b."


def _grounding(response: Json) -> Json:
    found: Json = response["candidates"][0]["groundingMetadata"]
    return found


@pytest.mark.parametrize("model", ["gemini-2.0-flash", OLD, "gemini-2.5-pro", "gemini-3-flash-preview", NEW])
@pytest.mark.parametrize("tool", [SEARCH, MAPS, FILES, PAGES])
@pytest.mark.parametrize("streamed", [False, True])
async def test_offsets_count_the_bytes_of_the_visible_text(model: str, tool: Json, streamed: bool) -> None:
    config: Json = {} if model.startswith("gemini-2.0") else {"thinkingConfig": {"includeThoughts": True}}
    body = user(ASKED, **config) | tool
    answers = (
        (await stream(Simulator(), model, body)).events() if streamed else [await answer(Simulator(), model, body)]
    )
    found, said = _grounding(answers[-1]), text(answers).encode()
    assert len(said) > len(said.decode())
    for support in found["groundingSupports"]:
        segment = support["segment"]
        assert said[segment.get("startIndex", 0) : segment["endIndex"]].decode() == segment["text"]
        assert segment.get("startIndex") != 0
        assert all(0 <= index < len(found["groundingChunks"]) for index in support["groundingChunkIndices"])
    assert "startIndex" not in found["groundingSupports"][0]["segment"]
    assert any(len(one["segment"]["text"]) < len(one["segment"]["text"].encode()) for one in found["groundingSupports"])


@pytest.mark.parametrize(("model", "before"), [(OLD, [{}]), (NEW, [])])
async def test_a_stream_tells_the_grounding_whole_at_its_end(model: str, before: list[Json]) -> None:
    events = (await stream(Simulator(), model, user("Who won?") | SEARCH)).events()
    told = [one["candidates"][0]["groundingMetadata"] for one in events if "groundingMetadata" in one["candidates"][0]]
    assert told[:-1] == before * (len(events) - 1)
    assert "finishReason" in events[-1]["candidates"][0]
    assert told[-1] == _grounding(await answer(Simulator(), model, user("Who won?") | SEARCH))


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
async def test_cutting_the_bytes_differently_changes_nothing(size: int) -> None:
    one = await stream(Simulator(), NEW, user("Who won?") | SEARCH)
    decoder = SseDecoder()
    frames = [frame for at in range(0, len(one.data), size) for frame in decoder.feed(one.data[at : at + size])]
    assert [decode(frame.data) for frame in frames] == one.events()


async def test_queries_are_told_and_may_be_empty_from_generation_3() -> None:
    queries: list[list[str]] = []
    for number in range(12):
        found = _grounding(await answer(Simulator(), NEW, user(f"Question {number}") | SEARCH))
        queries.append(found["webSearchQueries"])
        assert found["searchEntryPoint"]["renderedContent"].count('class="chip"') == sum(map(bool, queries[-1]))
    assert {"" in one for one in queries} == {True, False}
    for number in range(6):
        assert "" not in _grounding(await answer(Simulator(), OLD, user(f"{number}") | SEARCH))["webSearchQueries"]


async def test_sources_are_as_many_as_wished_and_lead_through_google() -> None:
    chunks = _grounding(await answer(Simulator(), OLD, user("x [[sim:sources=5]]") | SEARCH))["groundingChunks"]
    assert len(chunks) == 5
    redirect = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"
    assert all(one["web"]["uri"].startswith((redirect, "https://www.google.com/search?q=")) for one in chunks)


async def test_a_search_not_made_leaves_empty_metadata_before_generation_3_and_none_since() -> None:
    body = user("Hi [[sim:ungrounded]]") | SEARCH
    assert _grounding(await answer(Simulator(), OLD, body)) == {}
    assert "groundingMetadata" not in (await answer(Simulator(), NEW, body))["candidates"][0]
    assert "groundingMetadata" not in (await answer(Simulator(), OLD, user("Hi")))["candidates"][0]


@pytest.mark.parametrize("limit", [330, 340, 350])
async def test_supports_stay_within_a_text_that_was_cut(limit: int) -> None:
    made = await answer(Simulator(), OLD, user("Who won?", maxOutputTokens=limit) | SEARCH)
    assert made["candidates"][0]["finishReason"] == "MAX_TOKENS"
    ends = [one["segment"]["endIndex"] for one in _grounding(made).get("groundingSupports", [])]
    assert max(ends, default=0) <= len(text([made]).encode())


async def test_json_is_one_segment() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    body = user("Zürich?", responseMimeType="application/json", responseJsonSchema=schema) | SEARCH
    made = await answer(Simulator(), NEW, body)
    assert [one["segment"]["text"] for one in _grounding(made)["groundingSupports"]] == [text([made])]


async def test_pages_read_are_told_on_the_first_event_with_their_status() -> None:
    events = (await stream(Simulator(), OLD, user(ASKED) | PAGES)).events()
    told = ["urlContextMetadata" in one["candidates"][0] for one in events]
    assert told == [True] + [False] * (len(events) - 1)
    assert events[0]["candidates"][0]["urlContextMetadata"]["urlMetadata"] == [
        {"retrievedUrl": "https://example.com/ä", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"},
        {"retrievedUrl": "https://gone.invalid/b", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_ERROR"},
    ]
    assert events[-1]["usageMetadata"]["toolUsePromptTokenCount"] > 0
    assert "urlContextMetadata" not in (await answer(Simulator(), OLD, user("no page") | PAGES))["candidates"][0]


@pytest.mark.parametrize(("model", "costs"), [("gemini-2.0-flash", False), (OLD, True), (NEW, False)])
async def test_a_search_costs_tool_tokens_on_2_5_alone_and_on_3_the_thoughts_are_read_again(
    model: str, costs: bool
) -> None:
    plain = (await answer(Simulator(), model, user("Who won?")))["usageMetadata"]
    usage = (await answer(Simulator(), model, user("Who won?") | SEARCH))["usageMetadata"]
    assert ("toolUsePromptTokenCount" in usage) is costs
    tool = tools_cost(usage)
    spent = usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0)
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + spent + tool
    again = usage["thoughtsTokenCount"] // 2 if model == NEW else 0
    assert usage["promptTokenCount"] - plain["promptTokenCount"] >= again
    assert sum(one["tokenCount"] for one in usage["promptTokensDetails"]) == usage["promptTokenCount"]


def tools_cost(usage: Json) -> int:
    details = usage.get("toolUsePromptTokensDetails", [])
    count: int = usage.get("toolUsePromptTokenCount", 0)
    assert sum(one["tokenCount"] for one in details) == count
    return count


# -- context that circulates ------------------------------------------------------------------------------------------


async def test_without_the_flag_a_search_shows_no_parts_and_with_it_two_signed_ones() -> None:
    body = user("Who won?") | SEARCH
    assert all(set(part) <= {"text", "thoughtSignature"} for part in parts(await answer(Simulator(), NEW, body)))
    asked, answered, said = parts(await answer(Simulator(), NEW, body | CIRCULATE))
    assert asked["toolCall"]["toolType"] == answered["toolResponse"]["toolType"] == "GOOGLE_SEARCH_WEB"
    assert asked["toolCall"]["id"] == answered["toolResponse"]["id"]
    assert 42_000 <= len(answered["thoughtSignature"]) <= 62_000
    assert asked["thoughtSignature"]
    assert said["text"].startswith("[simulated]")


async def test_counters_restart_after_a_search_that_shows_and_its_tokens_are_dropped() -> None:
    events = (await stream(Simulator(), NEW, user("Who won?") | SEARCH | CIRCULATE)).events()
    counts = [_spent(one["usageMetadata"]) for one in events]
    asked, came = counts[0], counts[1]
    assert asked[0] > 0
    assert asked[1] > 0
    assert came == (0, 0)
    assert "index" not in events[1]["candidates"][0]
    rest = counts[2:-1]
    assert rest == sorted(rest)
    assert {thoughts for _, thoughts in rest} == {320 - asked[1]}
    assert counts[-1] == (rest[-1][0], 320)
    last = events[-1]["usageMetadata"]
    assert last["promptTokenCount"] == events[0]["usageMetadata"]["promptTokenCount"] + asked[1]


async def test_json_after_a_search_that_shows_is_not_counted() -> None:
    body = user("Who?", responseMimeType="application/json") | SEARCH | CIRCULATE
    for usage in (
        (await answer(Simulator(), NEW, body))["usageMetadata"],
        (await stream(Simulator(), NEW, body)).events()[-1]["usageMetadata"],
    ):
        assert "candidatesTokenCount" not in usage
        assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["thoughtsTokenCount"]


def _spent(usage: Json) -> tuple[int, int]:
    return usage.get("candidatesTokenCount", 0), usage.get("thoughtsTokenCount", 0)


async def test_vertex_mixes_tools_without_a_flag_and_shows_no_parts() -> None:
    path = "/v1/projects/p/locations/global/publishers/google/models/gemini-3.5-flash:generateContent"
    for words, called in (("Search the web for Zürich", False), ("find_city Zürich", True)):
        body: Any = user(words) | {"tools": [{"googleSearch": {}}, *tools("find_city", "plan_trip")]}
        one = exchange(path, body)
        await Simulator()(one)
        made = one.json()
        assert any("functionCall" in part for part in parts(made)) is called
        assert ("groundingMetadata" in made["candidates"][0]) is not called
        assert not any("toolCall" in part for part in parts(made))
