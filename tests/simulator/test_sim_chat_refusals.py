"""What OpenAI refuses in a chat request is refused with its status, code and parameter."""

import base64
from typing import Any

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import Json, exchange
from simulator.sim_openai import CHAT, CITY, answer, error, post, tools, user

U: Json = {"role": "user", "content": "Hi"}
CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED: Json = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT: Json = {"role": "tool", "tool_call_id": "call_1", "content": "x"}


def said(*messages: Json) -> Json:
    return {"model": "gpt-4o", "messages": list(messages)}


def function(name: str = "f", **more: Any) -> Json:
    return user("Hi", tools=[{"type": "function", "function": {"name": name, **more}}])


def shown(url: str) -> Json:
    return said({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]})


def shaped(schema: Json, **more: Any) -> Json:
    form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": True, **more}}
    return user("Hi", response_format=form)


LOOSE: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
REFERENCE: Json = {"$ref": "#/$defs/city"}
NAMED: Json = {
    "type": "object",
    "properties": {"a": REFERENCE},
    "required": ["a"],
    "additionalProperties": False,
    "$defs": {"city": {"type": "string"}},
}
NOT_ALL: Json = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": [],
    "additionalProperties": False,
}
ALL: Json = NOT_ALL | {"required": ["a"]}

REFUSED: dict[str, tuple[Json, str | None, str | None]] = {
    "an unknown field": (user("Hi", topp=1), "unknown_parameter", "topp"),
    "an unknown field inside": (
        said(U | {"cache_control": {"type": "ephemeral"}}),
        "unknown_parameter",
        "messages[0].cache_control",
    ),
    "an unknown field of a call": (
        said(U, CALLED | {"tool_calls": [CALL | {"extra_content": {}}]}, RESULT),
        "unknown_parameter",
        "messages[1].tool_calls[0].extra_content",
    ),
    "no messages": ({"model": "gpt-4o"}, "missing_required_parameter", "messages"),
    "no model": ({"messages": [U]}, "missing_required_parameter", "model"),
    "messages of nobody": ({"model": "gpt-4o", "messages": []}, "empty_array", "messages"),
    "content of a number": (said({"role": "user", "content": 3}), "invalid_type", "messages[0].content"),
    "a role": (said({"role": "model", "content": "x"}), "invalid_value", "messages[0].role"),
    "a wrong type": (user("Hi", temperature="hot"), "invalid_type", "temperature"),
    "too hot": (user("Hi", temperature=2.5), "decimal_above_max_value", "temperature"),
    "five stops": (user("Hi", stop=["1", "2", "3", "4", "5"]), "array_above_max_length", "stop"),
    "both limits": (
        user("Hi", max_tokens=5, max_completion_tokens=5),
        "invalid_parameter_combination",
        "max_tokens",
    ),
    "n": (user("Hi", n=0), "integer_below_min_value", "n"),
    "stream options alone": (user("Hi", stream_options={"include_usage": True}), None, "stream_options"),
    "top log probabilities alone": (user("Hi", top_logprobs=2), None, "top_logprobs"),
    "a choice without tools": (user("Hi", tool_choice="auto"), None, "tool_choice"),
    "a choice of no tool": (
        user("Hi", tools=tools("a"), tool_choice={"type": "function", "function": {"name": "b"}}),
        None,
        "tool_choice",
    ),
    "no tools": (user("Hi", tools=[]), "empty_array", "tools"),
    "a name with a dot": (function("a.b"), "invalid_value", "tools[0].function.name"),
    "a long name": (function("a" * 65), "string_above_max_length", "tools[0].function.name"),
    "a long id": (
        said(U, CALLED | {"tool_calls": [CALL | {"id": "x" * 41}]}, RESULT | {"tool_call_id": "x" * 41}),
        "string_above_max_length",
        "messages[1].tool_calls[0].id",
    ),
    "parameters of no object": (
        function(parameters={"type": "string"}),
        "invalid_function_parameters",
        "tools[0].function.parameters",
    ),
    "an array of nothing": (
        function(parameters={"type": "object", "properties": {"a": {"type": "array"}}}),
        "invalid_function_parameters",
        "tools[0].function.parameters",
    ),
    "strict but open": (
        function(parameters=LOOSE, strict=True),
        "invalid_function_parameters",
        "tools[0].function.parameters",
    ),
    "strict but optional": (
        function(parameters=NOT_ALL, strict=True),
        "invalid_function_parameters",
        "tools[0].function.parameters",
    ),
    "a reference with words beside it": (
        function(parameters=NAMED | {"properties": {"a": REFERENCE | {"description": "A city."}}}, strict=True),
        "invalid_function_parameters",
        "tools[0].function.parameters",
    ),
    "one of several": (
        function(parameters=NAMED | {"properties": {"a": {"oneOf": [REFERENCE]}}}, strict=True),
        "invalid_function_parameters",
        "tools[0].function.parameters",
    ),
    **{
        f"a keyword that Structured Outputs do not know: {name}": (
            function(parameters=ALL | {"properties": {"a": {"type": "string", name: value}}}, strict=True),
            "invalid_function_parameters",
            "tools[0].function.parameters",
        )
        for name, value in {
            "propertyNames": {"pattern": "^x"},
            "examples": [{}],
            "x-order": 1,
            "nonsense": True,
        }.items()
    },
    "an open answer": (shaped(LOOSE), None, "response_format"),
    "a schema's name": (shaped(NOT_ALL, name="a b"), "invalid_value", "response_format.json_schema.name"),
    "json unspoken": (user("Hi", response_format={"type": "json_object"}), None, "messages"),
    "calls unanswered": (said(U, CALLED, U), None, "messages.[2].role"),
    "calls unanswered at the end": (said(U, CALLED), None, "messages.[2].role"),
    "a result of nothing": (said(U, RESULT), None, "messages.[1].role"),
    "a result of another call": (
        said(U, CALLED, RESULT | {"tool_call_id": "call_2"}),
        None,
        "messages.[2].tool_call_id",
    ),
    "a silent assistant": (said(U, {"role": "assistant", "content": None}), None, "messages[1].content"),
    "a picture that does not decode": (shown("data:image/png;base64,%%%"), "invalid_base64", None),
    "a picture of text": (
        shown("data:image/png;base64," + base64.b64encode(b"text").decode()),
        "invalid_image_format",
        None,
    ),
    "a picture nowhere": (shown("picture.png"), "invalid_image_url", None),
    "a sound to the deaf": (
        said({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}]}),
        "invalid_value",
        "messages[0]",
    ),
    "searching": (user("Hi", web_search_options={}), None, "web_search_options"),
    "max_tokens to a reasoner": (user("Hi", model="gpt-5", max_tokens=9), "unsupported_parameter", "max_tokens"),
    "temperature to a reasoner": (user("Hi", model="gpt-5", temperature=0), "unsupported_value", "temperature"),
    "top_p to a reasoner": (user("Hi", model="gpt-5", top_p=0.5), "unsupported_parameter", "top_p"),
    "temperature to o3": (user("Hi", model="o3", temperature=0), "unsupported_parameter", "temperature"),
    "log probabilities of a reasoner": (user("Hi", model="o3", logprobs=True), "unsupported_parameter", "logprobs"),
    "a stop to a reasoner": (user("Hi", model="gpt-5", stop="x"), "unsupported_parameter", "stop"),
    "an effort that is none": (
        user("Hi", model="o3", reasoning_effort="minimal"),
        "unsupported_value",
        "reasoning_effort",
    ),
    "metadata of numbers": (user("Hi", metadata={"a": 1}), "invalid_type", "metadata.a"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("streamed", [False, True])
async def test_what_openai_refuses_is_refused(name: str, streamed: bool) -> None:
    body, code, param = REFUSED[name]
    if streamed and name != "stream options alone":
        body = body | {"stream": True}
    told = await error(Simulator(), CHAT, body)
    assert (told["type"], told["code"], told["param"]) == ("invalid_request_error", code, param)


TAKEN: dict[str, Json] = {
    "nulls": user("Hi", temperature=None, tools=None, stop=None, stream_options=None),
    "sampling without thoughts": user("Hi", model="gpt-5.2", temperature=0.2, reasoning_effort="none"),
    "the defaults": user("Hi", model="gpt-5", temperature=1, top_p=1, presence_penalty=0),
    "results in any order": said(
        U,
        CALLED | {"tool_calls": [CALL, CALL | {"id": "call_2"}]},
        RESULT | {"tool_call_id": "call_2"},
        RESULT,
    ),
    "a strict tool": function(
        parameters=ALL,
        strict=True,
    ),
    "a strict tool with a reference": function(parameters=NAMED, strict=True),
    "a strict tool with a default": function(
        parameters=ALL | {"properties": {"a": {"type": "string", "default": "x"}}}, strict=True
    ),
    "a lax tool with keywords of anybody's": function(
        parameters=CITY | {"nonsense": 1, "propertyNames": {"maxLength": 9}}
    ),
    "a lax reference with words beside it": function(
        parameters=NAMED | {"properties": {"a": REFERENCE | {"description": "A city."}}}
    ),
    "a developer in the middle": said(U, {"role": "developer", "content": "Be brief"}, U),
    "unknown fields of a function": function(parameters=CITY, requires_confirmation=True),
    "the fast tier": user("Hi", service_tier="fast"),
    "an end of what is cached": said(
        {"role": "user", "content": [{"type": "text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit"}}]}
    ),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_what_openai_takes_is_taken(name: str) -> None:
    await answer(Simulator(), CHAT, TAKEN[name])


async def test_a_key_is_wanted() -> None:
    sim = Simulator()
    none, wrong = (
        exchange(CHAT, user("Hi"), headers={}),
        exchange(CHAT, user("Hi"), headers={"authorization": "Bearer bad-key-1234"}),
    )
    await sim(none)
    await sim(wrong)
    assert (none.status, none.json()["error"]["code"]) == (401, None)
    assert (wrong.status, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "bad-key-1234" not in wrong.json()["error"]["message"]


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("gpt-4o-nonexistent", 404, "model_not_found"),
        ("gemini-3.5-flash", 404, "model_not_found"),
        ("gpt-3.5-turbo-0613", 404, "model_not_found"),
        ("text-embedding-3-small", 403, None),
        ("gpt-5-codex", 404, None),
    ],
)
async def test_models_that_do_not_chat_are_not_found(model: str, status: int, code: str | None) -> None:
    one = await post(Simulator(), CHAT, user("Hi", model=model))
    assert (one.status, one.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"\xff", b'{"model": "gpt-4o", "messages": ' + b"[" * 5000])
async def test_what_is_no_object_is_refused(body: bytes) -> None:
    one = await post(Simulator(), CHAT, body)
    assert one.status == 400
    assert one.json()["error"]["type"] == "invalid_request_error"
