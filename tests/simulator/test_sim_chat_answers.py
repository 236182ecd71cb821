"""Answers of Chat Completions fit the SDK's own types, say what was asked, and say it streamed as they say it whole."""

import base64
import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from portico.simulator import Simulator
from simulator.sim_memory import Json
from simulator.sim_openai import CHAT, CITY, answer, events, fits, text, tools, user

STRICT: Json = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
JSON_FORM: Json = {"type": "json_schema", "json_schema": {"name": "person", "schema": STRICT, "strict": True}}
CUSTOM: Json = {"type": "custom", "custom": {"name": "run_sql", "description": "runs SQL"}}

BODIES: dict[str, Json] = {
    "text": user("Hello"),
    "two choices": user("Hello", n=2),
    "a call": user("What is the weather in Paris?", tools=tools("get_weather")),
    "calls at once": user("The weather in Paris, Oslo and Rome?", tools=tools("get_weather")),
    "a forced call": user("Hi", tools=tools("a", "b"), tool_choice={"type": "function", "function": {"name": "b"}}),
    "a custom tool": user("run_sql please: `SELECT 1`", tools=[CUSTOM]),
    "a schema": user("Ada is 36", response_format=JSON_FORM),
    "json": user("Tell me in JSON", response_format={"type": "json_object"}),
    "log probabilities": user("Hello", logprobs=True, top_logprobs=2),
    "a refusal": user("Hello [[sim:refuse]]"),
    "too long": user("Hello there, how are you", max_tokens=4),
    "thoughts": user("Hello", model="gpt-5-mini"),
    "too much thought": user("Hello", model="gpt-5-mini", max_completion_tokens=20),
    "a search": user("What is the latest news?", model="gpt-4o-search-preview", web_search_options={}),
    "a picture": user("x")
    | {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}]},
    "speech": user(
        "Say hello",
        model="gpt-4o-audio-preview",
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "wav"},
    ),
    "old functions": user("weather in Rome", functions=[{"name": "get_weather", "parameters": CITY}]),
}

UNTYPED = {"speech", "a search", "a custom tool"}
"""The SDK types neither audio nor annotations nor custom calls of a delta."""


@pytest.mark.parametrize("name", BODIES)
async def test_whole_answers_fit_the_type(name: str) -> None:
    made = fits(ChatCompletion, await answer(Simulator(), CHAT, BODIES[name]))
    usage = made.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert all("refusal" in one.message.model_fields_set for one in made.choices)


@pytest.mark.parametrize("name", BODIES)
async def test_streams_fit_the_type_and_say_the_same(name: str) -> None:
    body = BODIES[name]
    whole = await answer(Simulator(), CHAT, body)
    chunks = await events(Simulator(), CHAT, body | {"stream_options": {"include_usage": True}})
    for chunk in chunks:
        if name not in UNTYPED:
            fits(ChatCompletionChunk, chunk)
        assert "obfuscation" not in chunk
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == whole["usage"]
    assert all(one["usage"] is None for one in chunks[:-1])
    for choice in whole["choices"]:
        mine = [c for one in chunks for c in one["choices"] if c["index"] == choice["index"]]
        _same(choice, mine)


def _same(choice: Json, mine: list[Json]) -> None:
    message = choice["message"]
    assert mine[0]["delta"]["role"] == "assistant"
    assert [one["finish_reason"] for one in mine] == [None] * (len(mine) - 1) + [choice["finish_reason"]]
    for field in ("content", "refusal"):
        assert "".join(one["delta"].get(field) or "" for one in mine) == (message[field] or "")
    calls: dict[int, Json] = {}
    for one in mine:
        for call in one["delta"].get("tool_calls", ()):
            kind = "custom" if "custom" in call else "function"
            text_of = "input" if kind == "custom" else "arguments"
            if "id" in call:
                calls[call["index"]] = {"id": call["id"], "type": call["type"], kind: dict(call[kind])}
            else:
                calls[call["index"]][kind][text_of] += call[kind][text_of]
    assert list(calls.values()) == message.get("tool_calls", [])
    told = [token for one in mine if one["logprobs"] for token in one["logprobs"]["content"]]
    assert told == ((choice["logprobs"] or {}).get("content") or [])


async def test_usage_is_not_told_where_it_was_not_asked() -> None:
    chunks = await events(Simulator(), CHAT, user("Hello"))
    assert all("usage" not in one and one["choices"] for one in chunks)


def _calls(made: Json) -> list[tuple[str, Any]]:
    calls = made["choices"][0]["message"].get("tool_calls", [])
    return [(one["function"]["name"], json.loads(one["function"]["arguments"])) for one in calls]


async def test_tools_are_called_as_the_words_say() -> None:
    sim = Simulator()
    several = await answer(sim, CHAT, BODIES["calls at once"])
    assert _calls(several) == [("get_weather", {"city": city}) for city in ("Paris", "Oslo", "Rome")]
    assert several["choices"][0]["finish_reason"] == "tool_calls"
    alone = await answer(sim, CHAT, BODIES["calls at once"] | {"parallel_tool_calls": False})
    assert len(_calls(alone)) == 1
    assert [name for name, _ in _calls(await answer(sim, CHAT, BODIES["a forced call"]))] == ["b"]
    none = await answer(sim, CHAT, BODIES["a call"] | {"tool_choice": "none"})
    assert _calls(none) == []
    quoted = await answer(sim, CHAT, user("Use get_weather for “Zürich 東京”", tools=tools("get_weather")))
    assert _calls(quoted) == [("get_weather", {"city": "Zürich 東京"})]
    need = await answer(sim, CHAT, user("Hi", tools=tools("a", "b"), tool_choice="required"))
    assert len(_calls(need)) == 1
    allowed: Json = {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]}
    some = await answer(
        sim, CHAT, user("a", tools=tools("a", "b"), tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    )
    assert [name for name, _ in _calls(some)] == ["b"]


async def test_a_loop_ends_with_the_results_told() -> None:
    sim, body = Simulator(), BODIES["a call"]
    message = (await answer(sim, CHAT, body))["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": one["id"], "content": "21 °C"} for one in message["tool_calls"]]
    second = await answer(sim, CHAT, body | {"messages": [*body["messages"], message, *results]})
    assert "21 °C" in second["choices"][0]["message"]["content"]
    assert second["choices"][0]["finish_reason"] == "stop"


async def test_custom_tools_get_text() -> None:
    call = (await answer(Simulator(), CHAT, BODIES["a custom tool"]))["choices"][0]["message"]["tool_calls"][0]
    assert (call["type"], call["custom"]) == ("custom", {"name": "run_sql", "input": "SELECT 1"})


async def test_schemas_are_filled() -> None:
    made = (await answer(Simulator(), CHAT, BODIES["a schema"]))["choices"][0]["message"]["content"]
    assert json.loads(made) == {"name": "Ada", "age": 36}


@pytest.mark.parametrize(("effort", "thinks"), [("minimal", False), ("low", True), ("high", True)])
async def test_reasoning_models_spend_tokens_on_thoughts(effort: str, thinks: bool) -> None:
    made = await answer(Simulator(), CHAT, user("Hi", model="gpt-5", reasoning_effort=effort))
    assert (made["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0) is thinks


async def test_a_limit_spent_on_thoughts_leaves_nothing_to_say() -> None:
    made = await answer(Simulator(), CHAT, BODIES["too much thought"])
    choice = made["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")
    assert made["usage"]["completion_tokens"] == 20


async def test_stops_and_lengths_are_kept() -> None:
    sim = Simulator()
    stopped = await answer(sim, CHAT, user("one two three", stop="two"))
    assert "two" not in stopped["choices"][0]["message"]["content"]
    assert (await answer(sim, CHAT, BODIES["too long"]))["choices"][0]["finish_reason"] == "length"


async def test_what_was_shown_is_acknowledged() -> None:
    made = await answer(Simulator(), CHAT, BODIES["a picture"])
    assert "image/png" in made["choices"][0]["message"]["content"]


async def test_searches_are_cited() -> None:
    message = (await answer(Simulator(), CHAT, BODIES["a search"]))["choices"][0]["message"]
    assert len(message["annotations"]) == 3
    for one in message["annotations"]:
        cited = one["url_citation"]
        assert message["content"][cited["start_index"] : cited["end_index"]].strip()


async def test_large_answers_are_streamed_in_pieces() -> None:
    chunks = await events(Simulator(), CHAT, user("[[sim:size=300K]]"))
    assert len(text(chunks)) == 300_000
    assert len(chunks) > 4
