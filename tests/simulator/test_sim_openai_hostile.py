"""Hostile bodies at the OpenAI door: an answer or a refusal, never an exception; streamed pieces make the whole."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.simulator import Simulator
from simulator.sim_memory import Json, exchange
from simulator.sim_openai import CHAT, KEY, RESPONSES, answer, events, functions, request, text, tools, user

CHAT_FIELDS = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "verbosity",
    "web_search_options",
]
RESPONSES_FIELDS = [
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "reasoning",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
]
INNER = [
    "type",
    "role",
    "content",
    "text",
    "id",
    "name",
    "function",
    "arguments",
    "tool_calls",
    "tool_call_id",
    "image_url",
    "url",
    "input_audio",
    "data",
    "format",
    "file",
    "file_data",
    "json_schema",
    "schema",
    "strict",
    "parameters",
    "custom",
    "input",
    "call_id",
    "output",
    "summary",
    "encrypted_content",
    "effort",
    "allowed_tools",
    "mode",
    "tools",
    "namespace",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "$ref",
    "enum",
    "action",
    "refusal",
]
WORDS = [
    "user",
    "assistant",
    "system",
    "tool",
    "developer",
    "function",
    "text",
    "image_url",
    "input_text",
    "output_text",
    "message",
    "function_call",
    "reasoning",
    "function_call_output",
    "custom_tool_call",
    "item_reference",
    "json_schema",
    "json_object",
    "object",
    "string",
    "array",
    "custom",
    "auto",
    "required",
    "none",
    "web_search",
    "namespace",
    "tool_search",
    "gpt-4o",
    "gpt-5",
    "o3",
    "allowed_tools",
    "low",
]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "data:image/png;base64,", "#/$defs/a", "[[sim:calls=3]]", *WORDS]),
    st.text(max_size=5),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(INNER), inner, max_size=5)),
    max_leaves=14,
)
_TAGGED = st.fixed_dictionaries({"type": st.sampled_from(WORDS)}, optional=dict.fromkeys(INNER[1:12], _JSON))
_SPOKEN = st.fixed_dictionaries(
    {"role": st.sampled_from(WORDS[:6]), "content": st.one_of(_JSON, st.lists(_TAGGED, max_size=3))},
    optional={"tool_calls": st.lists(_TAGGED, max_size=2), "tool_call_id": st.sampled_from(["a", "b"])},
)


async def _status(path: str, body: Any) -> int:
    one = exchange(path, json.dumps(body).encode(), headers=KEY)
    await Simulator()(one)
    assert one.ended
    return one.status


@settings(deadline=None, max_examples=200)
@given(field=st.sampled_from(CHAT_FIELDS), value=_JSON, model=st.sampled_from(["gpt-4o", "gpt-5", "o3", "gpt-audio"]))
async def test_any_value_of_any_field_of_chat_is_judged(field: str, value: Any, model: str) -> None:
    body = user("Hi", model=model, tools=tools("a"))
    assert await _status(CHAT, body | {field: value}) in (200, 400, 404)


@settings(deadline=None, max_examples=200)
@given(messages=st.lists(_SPOKEN, max_size=4))
async def test_any_messages_are_judged(messages: list[Json]) -> None:
    assert await _status(CHAT, {"model": "gpt-4o", "messages": messages}) in (200, 400)


@settings(deadline=None, max_examples=200)
@given(field=st.sampled_from(RESPONSES_FIELDS), value=_JSON, model=st.sampled_from(["gpt-4o", "gpt-5", "o3"]))
async def test_any_value_of_any_field_of_responses_is_judged(field: str, value: Any, model: str) -> None:
    body = request("Hi", model=model, tools=functions("a"))
    assert await _status(RESPONSES, body | {field: value}) in (200, 400, 404)


@settings(deadline=None, max_examples=200)
@given(items=st.lists(st.one_of(_SPOKEN, _TAGGED), max_size=4), listed=st.lists(_TAGGED, max_size=2))
async def test_any_items_and_tools_are_judged(items: list[Json], listed: list[Json]) -> None:
    assert await _status(RESPONSES, request(items, model="gpt-5")) in (200, 400, 404)
    assert await _status(RESPONSES, request("Hi", tools=listed)) in (200, 400)


@settings(deadline=None, max_examples=100)
@given(schema=st.dictionaries(st.sampled_from(INNER), _JSON, max_size=5))
@pytest.mark.parametrize("strict", [True, False])
async def test_any_schema_is_judged(schema: Json, strict: bool) -> None:
    named = {"name": "s", "schema": schema, "strict": strict}
    assert await _status(CHAT, user("Hi", response_format={"type": "json_schema", "json_schema": named})) in (200, 400)
    declared: Json = {"name": "f", "parameters": schema, "strict": strict}
    forced = user("Hi", tools=[{"type": "function", "function": declared}], tool_choice="required")
    assert await _status(CHAT, forced) in (200, 400)


@settings(deadline=None, max_examples=100)
@given(words=st.text(max_size=60))
async def test_streams_say_what_whole_answers_say(words: str) -> None:
    if "\ud800" <= max(words, default="") <= "\udfff":
        return
    sim = Simulator()
    whole = await answer(sim, CHAT, user(words))
    assert text(await events(sim, CHAT, user(words))) == whole["choices"][0]["message"]["content"]
    made = await answer(sim, RESPONSES, request(words))
    told = await events(sim, RESPONSES, request(words))
    said = "".join(one["delta"] for one in told if one["type"] == "response.output_text.delta")
    assert said == made["output"][0]["content"][0]["text"]
