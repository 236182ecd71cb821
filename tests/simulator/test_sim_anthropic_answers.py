"""What the simulator answers as Anthropic: every kind of block, whole and streamed, in the types of Anthropic's own SDK."""

import json
from typing import Any

import pytest

from portico.simulator import Simulator
from simulator.sim_anthropic import (
    CITY,
    HEADERS,
    MESSAGES,
    NEWEST,
    answer,
    events,
    folded,
    having,
    kinds,
    post,
    results,
    said,
    text,
    tools,
    user,
)
from simulator.sim_memory import Json, exchange

BUDGET: Json = {"type": "enabled", "budget_tokens": 1024}
SEARCH: Json = {"type": "web_search_20250305", "name": "web_search"}
CODE: Json = {"type": "code_execution_20260120", "name": "code_execution"}
FINDER: Json = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
CLOSED: Json = CITY | {"additionalProperties": False}
NOTE: Json = {
    "type": "document",
    "title": "A note",
    "source": {"type": "text", "media_type": "text/plain", "data": "The sky is blue. The sea is not."},
    "citations": {"enabled": True},
}

EVERY: dict[str, Json] = {
    "text": user("Hello"),
    "a long text": user("[[sim:words=80]]"),
    "nothing": user("[[sim:empty]]"),
    "two calls": user("What is the weather in Oslo and Rome?", tools=tools("get_weather")),
    "a text and a call": user("Use get_weather [[sim:talk]]", tools=tools("get_weather")),
    "a call of a newer model": user("Use get_weather", tools=tools("get_weather"), model=NEWEST),
    "a call without arguments": user("Use f", tools=[{"name": "f", "input_schema": {"type": "object"}}]),
    "thinking": user("Think", thinking=BUDGET),
    "thinking that is not shown": user("Think", thinking=BUDGET | {"display": "omitted"}),
    "thinking without being told to": user("Think", model=NEWEST),
    "redacted thinking": user("Think [[sim:redacted]]", thinking=BUDGET),
    "thinking and a call": user("Use get_weather", tools=tools("get_weather"), thinking=BUDGET),
    "JSON": user("Oslo for 3 days", output_config={"format": {"type": "json_schema", "schema": CLOSED}}),
    "a citation": user([NOTE, {"type": "text", "text": "What colour?"}]),
    "a search": user("Search the web for news", tools=[SEARCH]),
    "code": user("Compute 3 * 12390 with code", tools=[CODE]),
    "code that fails": user("Compute 1 / 0 [[sim:code-fails]]", tools=[CODE]),
    "code of the older tool": user("Compute 3 * 4", tools=[CODE | {"type": "code_execution_20250522"}]),
    "a tool that is found": user("Use get_weather", tools=[FINDER, tools("get_weather")[0] | {"defer_loading": True}]),
    "a refusal": user("Hi [[sim:refuse]]"),
    "a pause": user("Search the web [[sim:pause]]", tools=[SEARCH]),
    "a limit": user("Hello there, how are you?", max_tokens=3),
    "a stop": user("Say one STOP two", stop_sequences=["STOP"]),
    "a full context": user("Hi [[sim:context-end]]"),
}


@pytest.mark.parametrize("name", list(EVERY))
async def test_a_stream_says_what_a_whole_answer_says(name: str) -> None:
    whole, told = await answer(Simulator(), EVERY[name]), await events(Simulator(), EVERY[name])
    assert folded(told) == whole
    types = [event["type"] for event in told if event["type"] != "ping"]
    assert (types[0], types[-2:]) == ("message_start", ["message_delta", "message_stop"])
    assert types.count("content_block_start") == types.count("content_block_stop") == len(whole["content"])
    assert told[0]["message"]["content"] == []
    assert told[0]["message"]["stop_reason"] is None


@pytest.mark.parametrize(
    ("name", "blocks", "stopped"),
    [
        ("text", ["text"], "end_turn"),
        ("two calls", ["tool_use", "tool_use"], "tool_use"),
        ("a text and a call", ["text", "tool_use"], "tool_use"),
        ("thinking", ["thinking", "text"], "end_turn"),
        ("thinking without being told to", ["thinking", "text"], "end_turn"),
        ("redacted thinking", ["redacted_thinking", "text"], "end_turn"),
        ("thinking and a call", ["thinking", "tool_use"], "tool_use"),
        ("code", ["server_tool_use", "bash_code_execution_tool_result", "text"], "end_turn"),
        ("code of the older tool", ["server_tool_use", "code_execution_tool_result", "text"], "end_turn"),
        ("a tool that is found", ["server_tool_use", "tool_search_tool_result", "tool_use"], "tool_use"),
        ("a refusal", [], "refusal"),
        ("nothing", [], "end_turn"),
        ("a pause", ["server_tool_use", "web_search_tool_result"], "pause_turn"),
        ("a limit", ["text"], "max_tokens"),
        ("a stop", ["text"], "stop_sequence"),
        ("a full context", ["text"], "model_context_window_exceeded"),
    ],
)
async def test_every_kind_of_answer_has_its_blocks_and_its_reason(name: str, blocks: list[str], stopped: str) -> None:
    made = await answer(Simulator(), EVERY[name])
    assert (kinds(made), made["stop_reason"]) == (blocks, stopped)
    assert made["stop_sequence"] == ("STOP" if stopped == "stop_sequence" else None)
    assert (made["stop_details"] is not None) is (stopped == "refusal")


async def test_the_same_seed_says_the_same() -> None:
    body = EVERY["thinking and a call"]
    one, same, other = [await answer(Simulator(seed), body) for seed in (1, 1, 2)]
    assert one == same
    assert one["id"] != other["id"]
    assert one["content"][0]["signature"] != other["content"][0]["signature"]


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("claude-opus-4-1", "claude-opus-4-1-20250805"),
        ("claude-opus-4-6", "claude-opus-4-6"),
    ],
)
async def test_an_alias_is_answered_by_the_model_it_names(asked: str, model: str) -> None:
    assert (await answer(Simulator(), user("Hi", model=asked)))["model"] == model


# -- tools ------------------------------------------------------------------------------------------------------------


async def test_a_tool_loop_of_parallel_calls_completes() -> None:
    sim, body = Simulator(), EVERY["two calls"]
    made = await answer(sim, body)
    assert [one["input"]["city"] for one in having(made, "tool_use")] == ["Oslo", "Rome"]
    assert len({one["id"] for one in having(made, "tool_use")}) == 2
    again = body | {"messages": [*body["messages"], {"role": "assistant", "content": made["content"]}, results(made)]}
    done = await answer(sim, again)
    assert done["stop_reason"] == "end_turn"
    assert "get_weather returned" in text(done)


async def test_one_call_at_a_time_where_parallel_ones_are_turned_off() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    made = await answer(Simulator(), EVERY["two calls"] | {"tool_choice": choice})
    assert kinds(made) == ["tool_use"]


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ({"type": "tool", "name": "b"}, ["b"]),
        ({"type": "none"}, []),
        ({"type": "any"}, ["a"]),
        ({"type": "auto"}, ["a"]),
    ],
)
async def test_a_choice_is_obeyed(choice: Json, called: list[str]) -> None:
    made = await answer(Simulator(), user("Use a for Oslo", tools=tools("a", "b"), tool_choice=choice))
    assert [one["name"] for one in having(made, "tool_use")] == called


async def test_a_quoted_argument_comes_back_in_every_alphabet() -> None:
    body = user('Use f with the city "Zürich 東京 🧭"', tools=tools("f"))
    made = folded(await events(Simulator(), body))
    assert made["content"][0]["input"]["city"] == "Zürich 東京 🧭"


async def test_a_schema_is_filled() -> None:
    form = {"type": "json_schema", "schema": CLOSED | {"required": ["city", "days"]}}
    body = user("Oslo for 3 days", model=NEWEST, output_config={"format": form})
    assert json.loads(text(await answer(Simulator(), body))) == {"city": "Oslo", "days": 3}


async def test_an_older_model_thinks_no_more_after_results_unless_thinking_is_interleaved() -> None:
    sim, body = Simulator(), EVERY["thinking and a call"]
    made = await answer(sim, body)
    again = body | {"messages": [*body["messages"], {"role": "assistant", "content": made["content"]}, results(made)]}
    assert kinds(await answer(sim, again)) == ["text"]
    beta = {"anthropic-beta": "interleaved-thinking-2025-05-14"}
    assert kinds(await answer(sim, again, headers=beta)) == ["thinking", "text"]


@pytest.mark.parametrize(
    ("model", "display", "shown"),
    [
        ("claude-sonnet-4-6", None, True),
        ("claude-sonnet-4-6", "omitted", False),
        ("claude-sonnet-4-6", "updates", False),
        ("claude-opus-4-7", None, False),
        ("claude-opus-4-7", "summarized", True),
    ],
)
async def test_thinking_is_shown_as_asked_and_always_signed(model: str, display: str | None, shown: bool) -> None:
    thinking = {"type": "adaptive"} | ({"display": display} if display else {})
    block = (await answer(Simulator(), user("Hello", model=model, thinking=thinking)))["content"][0]
    assert bool(block["thinking"]) is shown
    assert len(block["signature"]) > 100


@pytest.mark.parametrize("name", ["thinking", "thinking that is not shown"])
async def test_a_signature_is_the_last_of_its_block(name: str) -> None:
    told = await events(Simulator(), EVERY[name])
    first = [event for event in told if event.get("index") == 0]
    deltas = [event["delta"]["type"] for event in first if "delta" in event]
    assert deltas[-1] == "signature_delta"
    assert set(deltas[:-1]) == (set() if name.endswith("shown") else {"thinking_delta"})


async def test_inputs_come_as_text_that_is_cut_anywhere() -> None:
    told = await events(Simulator(), EVERY["two calls"])
    starts = [event["content_block"] for event in told if event["type"] == "content_block_start"]
    assert [one["input"] for one in starts] == [{}, {}]
    pieces = [event["delta"]["partial_json"] for event in told if event["type"] == "content_block_delta"]
    assert pieces == ["", '{"city": ', '"Oslo"}', "", '{"city": ', '"Rome"}']


# -- sources ----------------------------------------------------------------------------------------------------------


async def test_a_text_cites_the_characters_it_rests_on() -> None:
    made = await answer(Simulator(), EVERY["a citation"])
    (cited,) = [block for block in made["content"] if block.get("citations")]
    (location,) = cited["citations"]
    words = NOTE["source"]["data"]
    assert (location["type"], location["document_title"]) == ("char_location", "A note")
    assert (
        words[location["start_char_index"] : location["end_char_index"]] == location["cited_text"] == "The sky is blue."
    )


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ({"type": "document", "source": {"type": "url", "url": "https://a.example/a.pdf"}}, "page_location"),
        ({"type": "document", "source": {"type": "content", "content": "Blue."}}, "content_block_location"),
        (
            {
                "type": "search_result",
                "source": "https://a.example",
                "title": "A",
                "content": [{"type": "text", "text": "Blue."}],
            },
            "search_result_location",
        ),
    ],
)
async def test_every_kind_of_document_is_cited_in_its_own_way(block: Json, kind: str) -> None:
    made = await answer(
        Simulator(), user([block | {"citations": {"enabled": True}}, {"type": "text", "text": "What?"}])
    )
    assert made["content"][-1]["citations"][0]["type"] == kind
    silent = await answer(Simulator(), user([block, {"type": "text", "text": "What?"}]))
    assert not any("citations" in one for one in silent["content"])


async def test_a_search_shows_its_query_its_pages_and_what_rests_on_them() -> None:
    made = await answer(Simulator(), EVERY["a search"])
    use, found, *texts = made["content"]
    assert use["name"] == "web_search"
    assert use["input"]["query"]
    assert use["id"].startswith("srvtoolu_")
    assert found["tool_use_id"] == use["id"]
    urls = {one["url"] for one in found["content"]}
    cited = [location for block in texts for location in block.get("citations") or ()]
    assert cited
    assert {location["url"] for location in cited} <= urls
    assert made["usage"]["server_tool_use"]["web_search_requests"] == 1


async def test_code_runs_in_a_container() -> None:
    made = await answer(Simulator(), EVERY["code"])
    assert having(made, "bash_code_execution_tool_result")[0]["content"]["stdout"] == "37170\n"
    again = await answer(Simulator(), EVERY["code"] | {"container": made["container"]["id"]})
    assert again["container"]["id"] == made["container"]["id"]


# -- usage ------------------------------------------------------------------------------------------------------------


async def test_usage_is_told_at_the_start_and_summed_at_the_end() -> None:
    told = await events(Simulator(), EVERY["thinking"])
    start, end = told[0]["message"]["usage"], told[-2]["usage"]
    assert start["output_tokens"] == 1
    assert start["input_tokens"] == end["input_tokens"] > 0
    assert end["output_tokens"] > end["output_tokens_details"]["thinking_tokens"] > 0


def marked(ttl: str | None = None, words: str = "word " * 4000) -> Json:
    mark: Json = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    return user("Hi", model="claude-sonnet-4-6", system=[{"type": "text", "text": words, "cache_control": mark}])


def counts(message: Json) -> tuple[int, int, int, int]:
    usage = message["usage"]
    created = usage["cache_creation"]
    return (
        usage["cache_creation_input_tokens"],
        usage["cache_read_input_tokens"],
        created["ephemeral_5m_input_tokens"],
        created["ephemeral_1h_input_tokens"],
    )


async def test_a_marked_prefix_is_written_once_and_read_after_that() -> None:
    sim, body = Simulator(), marked()
    first, second = await answer(sim, body), await answer(sim, body | {"messages": [said("user", "And now?")]})
    assert counts(first) == (5000, 0, 5000, 0)
    assert counts(second) == (0, 5000, 0, 0)
    longer = user([{"type": "text", "text": "more " * 4000, "cache_control": {"type": "ephemeral"}}])
    third = await answer(sim, body | {"messages": longer["messages"]})
    assert counts(third)[1] == 5000
    assert counts(third)[0] > 4000


async def test_a_prefix_is_kept_for_its_time_for_its_key_and_its_model() -> None:
    now = [0.0]
    sim = Simulator(now=lambda: now[0])
    for ttl, lives in ((None, 300), ("1h", 3600)):
        body = marked(ttl)
        body["system"][0]["text"] += str(lives)
        assert counts(await answer(sim, body))[0] > 0
        now[0] += lives - 1
        assert counts(await answer(sim, body))[1] > 0  # read, and kept for as long again
        assert counts(await answer(sim, body, headers={"x-api-key": "another"}))[1] == 0
        assert counts(await answer(sim, body | {"model": "claude-opus-4-7"}))[1] == 0
        now[0] += lives + 1
        assert counts(await answer(sim, body))[1] == 0
    assert counts(await answer(sim, marked("1h", "word " * 5000)))[2:] == (0, 6250)


async def test_a_short_prefix_is_not_cached() -> None:
    sim, body = Simulator(), marked(words="short")
    assert [counts(await answer(sim, body)) for _ in range(2)] == [(0, 0, 0, 0)] * 2


# -- models -----------------------------------------------------------------------------------------------------------


async def get(path: str, query: str = "", headers: Json = HEADERS) -> Any:
    one = exchange(path, query=query, headers=headers)
    await Simulator()(one)
    assert one.status == 200, one.data
    return one.json()


async def test_models_are_told_in_pages() -> None:
    every, after = list[str](), ""
    while True:
        page = await get("/v1/models", f"limit=5{after}")
        every += [one["id"] for one in page["data"]]
        assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
        if not page["has_more"]:
            break
        after = f"&after_id={page['last_id']}"
    assert len(every) == len(set(every)) > 10
    assert [one["id"] for one in (await get("/v1/models", "limit=100"))["data"]] == every
    assert (await get("/v1/models/claude-haiku-4-5"))["id"] == "claude-haiku-4-5-20251001"
    before = await get("/v1/models", f"limit=3&before_id={every[5]}")
    assert [one["id"] for one in before["data"]] == every[2:5]


async def test_three_vendors_share_one_path() -> None:
    google = await get("/v1/models", headers={"x-goog-api-key": "k"})
    openai = await get("/v1/models", headers={"authorization": "Bearer k"})
    anthropic = await get("/v1/models", headers={"authorization": "Bearer k", "anthropic-version": "2023-06-01"})
    assert "models" in google
    assert openai["object"] == "list"
    assert anthropic["data"][0]["type"] == "model"


async def test_unversioned_twins_and_the_beta_query_answer_too() -> None:
    sim = Simulator()
    told = [(await post(sim, user("Hi"), path=path)).json()["content"] for path in (MESSAGES, "/messages")]
    beta = exchange(MESSAGES, user("Hi"), query="beta=true", headers=HEADERS)
    await sim(beta)
    assert told[0] == told[1] == beta.json()["content"]


async def test_claude_answers_on_vertex_with_its_version_in_the_body() -> None:
    path = "/v1/projects/p/locations/global/publishers/anthropic/models/claude-haiku-4-5@20251001:{}"
    body = {"anthropic_version": "vertex-2023-10-16", "max_tokens": 100, "messages": [said("user", "Hi")]}
    whole = await post(Simulator(), body, path=path.format("rawPredict"), headers={"authorization": "Bearer t"})
    assert whole.status == 200
    assert whole.json()["id"].startswith("msg_vrtx_")
    streamed = await post(
        Simulator(),
        body | {"stream": True},
        path=path.format("streamRawPredict"),
        headers={"authorization": "Bearer t"},
    )
    assert streamed.data.startswith(b"event: message_start\n")
    lost = await post(Simulator(), body, path=path.format("rawPredict"))
    assert lost.status == 401
    bare = {"max_tokens": 100, "messages": [said("user", "Hi")]}
    refused = await post(Simulator(), bare, path=path.format("rawPredict"), headers={"authorization": "Bearer t"})
    assert refused.json()["error"]["message"] == "anthropic_version: Field required"


async def test_a_text_that_cites_is_no_document_to_be_cited() -> None:
    place = {"type": "char_location", "cited_text": "a", "document_index": 0, "document_title": None}
    cites = {"type": "text", "text": "It is.", "citations": [{**place, "start_char_index": 0, "end_char_index": 1}]}
    asked = user([NOTE | {"citations": {"enabled": False}}, {"type": "text", "text": "Is it?"}])
    asked["messages"] += [said("assistant", cites), said("user", "Sure?")]
    assert kinds(await answer(Simulator(), asked)) == ["text"]
