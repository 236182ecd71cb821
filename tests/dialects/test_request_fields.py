"""mapping.md 1.1: every field of a Chat request, and what it becomes at Google."""

from typing import Any

import pytest

from dialects.dialect_rows import CHAT, NEW, OLD, Json, chat, codes, config, native, refusal, rendered, target, user
from portico.core.errors import InvalidRequest
from portico.core.parts import Text
from portico.core.request import Builtin, Message, Request, Role

NOTHING: Json = {}

# (field and value, generationConfig, codes of losses), on a model of each generation
SAMPLING: list[tuple[Json, str, Json, list[str]]] = [
    ({"temperature": 0}, NEW, {"temperature": 0}, []),
    ({"temperature": 2}, OLD, {"temperature": 2}, []),
    ({"top_p": 0}, NEW, {"topP": 0}, []),
    ({"top_p": 0.5}, OLD, {"topP": 0.5}, []),
    ({"top_k": 1}, NEW, {"topK": 1}, []),
    ({"max_tokens": 5000}, NEW, {"maxOutputTokens": 5000}, []),
    ({"max_completion_tokens": 4000, "max_tokens": 5000}, NEW, {"maxOutputTokens": 4000}, []),
    ({"max_tokens": 10**6}, NEW, {"maxOutputTokens": 65_536}, ["1.1:max_tokens"]),
    ({"stop": "END"}, NEW, {"stopSequences": ["END"]}, []),
    ({"stop": ["a", "", "b"]}, NEW, {"stopSequences": ["a", "b"]}, []),
    ({"stop": ""}, NEW, NOTHING, []),
    ({"stop": []}, NEW, NOTHING, []),
    ({"seed": 0}, NEW, {"seed": 0}, []),
    ({"seed": -(2**31)}, NEW, {"seed": -(2**31)}, []),
    ({"seed": 2**31}, NEW, {"seed": -(2**31)}, ["1.1:seed"]),
    ({"seed": 2**40 + 7}, NEW, {"seed": 7}, ["1.1:seed"]),
    ({"seed": 2**63 - 1}, NEW, {"seed": -1}, ["1.1:seed"]),
    ({"n": 1}, NEW, NOTHING, []),
    ({"n": 3}, OLD, {"candidateCount": 3}, []),
    ({"presence_penalty": 0, "frequency_penalty": 0}, NEW, NOTHING, []),
    ({"presence_penalty": 1}, NEW, NOTHING, ["1.1:penalties"]),
    ({"logprobs": False}, NEW, NOTHING, []),
    ({"logprobs": False, "top_logprobs": 0}, NEW, NOTHING, []),
    ({"top_logprobs": 3}, NEW, NOTHING, ["1.1:logprobs"]),
    ({"verbosity": "low"}, NEW, NOTHING, ["1.1:unsupported"]),
    ({"logit_bias": {"50256": -100}}, NEW, NOTHING, ["1.1:unsupported"]),
    ({"prediction": {"type": "content", "content": "x"}}, NEW, NOTHING, ["1.1:unsupported"]),
    ({"user": "u1"}, NEW, NOTHING, ["1.1:ignored"]),
    ({"safety_identifier": "s1"}, NEW, NOTHING, ["1.1:ignored"]),
    ({"metadata": {"a": "b"}}, NEW, NOTHING, ["1.1:ignored"]),
    ({"store": True}, NEW, NOTHING, ["1.1:ignored"]),
    ({"moderation": {}}, NEW, NOTHING, ["1.1:ignored"]),
    ({"prompt_cache_key": "k"}, NEW, NOTHING, ["1.1:ignored"]),
    ({"prompt_cache_retention": "24h"}, NEW, NOTHING, ["1.1:ignored"]),
    ({"prompt_cache_options": {}}, NEW, NOTHING, ["1.1:ignored"]),
    ({"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": True}}, NEW, NOTHING, []),
    ({"stream_options": {"include_usage": True}}, NEW, NOTHING, []),
    ({"response_format": {"type": "text"}}, NEW, NOTHING, []),
    ({"modalities": ["text"]}, NEW, NOTHING, []),
]


@pytest.mark.parametrize(("fields", "model", "expected", "losses"), SAMPLING, ids=lambda value: str(value)[:60])
def test_a_field_becomes_googles_or_is_said_to_be_lost(
    fields: Json, model: str, expected: Json, losses: list[str]
) -> None:
    """1.1"""
    told = rendered(chat(**fields), model)
    assert told.body.get("generationConfig", {}) == expected
    assert codes(told.losses) == losses
    assert set(told.body) <= {"contents", "generationConfig"}


def test_a_loss_names_the_parameter_as_the_caller_wrote_it() -> None:
    """1.1: the path is in the caller's own body, also where two spellings exist."""
    for field in ("max_tokens", "max_completion_tokens"):
        [loss] = rendered(chat(**{field: 10**6})).losses
        assert loss.path == f"$.{field}"
    [loss] = rendered(chat(logit_bias={"1": 1})).losses
    assert loss.path == "$.logit_bias"


@pytest.mark.parametrize(
    ("value", "sent"), [(2, 1.99), (1.99, 1.99), (1.5, 1.5), (-2, -2), (0, 0)], ids=lambda value: str(value)
)
@pytest.mark.parametrize(
    ("field", "wire"), [("presence_penalty", "presencePenalty"), ("frequency_penalty", "frequencyPenalty")]
)
def test_a_penalty_stays_below_two_where_penalties_are_taken(field: str, wire: str, value: float, sent: float) -> None:
    """1.1, penalties: Google's range is [-2, 2)."""
    assert config(chat(**{field: value}), "gemini-2.0-flash") == {wire: sent}
    assert config(chat(**{field: value}), OLD, "vertex") == {wire: sent}


@pytest.mark.parametrize(
    ("tier", "sent"),
    [
        ("auto", None),
        ("default", None),
        ("scale", None),
        ("flex", "flex"),
        ("priority", "priority"),
        ("fast", "priority"),
    ],
)
def test_a_service_tier_is_sent_only_if_it_differs_from_the_standard(tier: str, sent: str | None) -> None:
    """1.1, service_tier: auto must not become priority at 1.8 times the price."""
    assert native(chat(service_tier=tier)).get("serviceTier") == sent
    vertex = rendered(chat(service_tier=tier), NEW, "vertex")
    assert "serviceTier" not in vertex.body
    assert codes(vertex.losses) == (["1.1:service_tier"] if sent else [])


# (fields, param of the 400)
REFUSED: list[tuple[Json, str]] = [
    ({"temperature": 2.1}, "temperature"),
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": "hot"}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"top_p": 1.01}, "top_p"),
    ({"top_p": -1}, "top_p"),
    ({"top_k": 0}, "top_k"),
    ({"top_k": 1.5}, "top_k"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"max_completion_tokens": 0}, "max_completion_tokens"),
    ({"max_completion_tokens": "many"}, "max_completion_tokens"),
    ({"presence_penalty": 2.5}, "presence_penalty"),
    ({"frequency_penalty": -2.5}, "frequency_penalty"),
    ({"n": 0}, "n"),
    ({"n": 129}, "n"),
    ({"seed": 2**63}, "seed"),
    ({"seed": "x"}, "seed"),
    ({"top_logprobs": 21}, "top_logprobs"),
    ({"top_logprobs": -1}, "top_logprobs"),
    ({"logprobs": "yes"}, "logprobs"),
    ({"stop": 5}, "stop"),
    ({"stop": ["a", 5]}, "stop[1]"),
    ({"stop": list("abcdef")}, "stop"),
    ({"service_tier": "first-class"}, "service_tier"),
    ({"reasoning_effort": "enormous"}, "reasoning_effort"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": []}, "stream_options"),
    ({"response_format": {"type": "yaml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ({"tools": {}}, "tools"),
    ({"tools": ["x"]}, "tools[0]"),
    ({"tool_choice": 5}, "tool_choice"),
    ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
    ({"messages": []}, "messages"),
    ({"messages": {}}, "messages"),
    ({"messages": None}, "messages"),
    ({"messages": ["hi"]}, "messages[0]"),
    ({"model": None}, "model"),
    ({"model": ""}, "model"),
    ({"model": 5}, "model"),
    ({"logprobs": True}, "logprobs"),
    ({"n": 0}, "n"),
]


@pytest.mark.parametrize(("fields", "param"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_value_out_of_bounds_is_a_400_that_names_the_parameter(fields: Json, param: str) -> None:
    """1.1, and "What must work" 2."""
    error = refusal({**chat(), **fields})
    assert CHAT.render_error(error)["error"]["param"] == param
    assert CHAT.render_error(error)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [None, [], "hi", 5, True, {}])
def test_a_body_that_is_no_chat_request_is_a_400(body: Any) -> None:
    """1.1"""
    with pytest.raises(InvalidRequest):
        CHAT.parse_request(body)


FIELDS = (
    "temperature", "top_p", "top_k", "max_completion_tokens", "max_tokens", "stop", "seed", "n", "presence_penalty",
    "frequency_penalty", "logprobs", "top_logprobs", "logit_bias", "user", "safety_identifier", "metadata", "store",
    "service_tier", "stream", "stream_options", "reasoning_effort", "verbosity", "response_format", "tools", "tool_choice",
    "parallel_tool_calls", "functions", "function_call", "web_search_options", "modalities", "audio", "prediction",
    "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "moderation", "extra_body", "google", "thinking",
    "safety_settings", "image_config", "cached_content", "include_reasoning", "reasoning",
)  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_null_is_the_same_as_absent(field: str) -> None:
    """1.1, last paragraph."""
    told = rendered(chat(**{field: None}))
    assert told.body == native(chat())
    assert told.losses == []


def test_logprobs_are_asked_for_where_the_model_gives_them() -> None:
    """1.1, logprobs and top_logprobs: the second is left out when 0."""
    assert config(chat(logprobs=True, top_logprobs=3), OLD, "vertex") == {"responseLogprobs": True, "logprobs": 3}
    assert config(chat(logprobs=True, top_logprobs=0), OLD, "vertex") == {"responseLogprobs": True}
    assert refusal(chat(logprobs=True)).code == "unsupported_parameter"


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            {"responseMimeType": "application/json"},
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}},
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
        ),
    ],
    ids=["json_object", "without a schema", "with a schema"],
)
def test_a_response_format_is_a_mime_type_and_a_json_schema(fields: Json, sent: Json) -> None:
    """1.1, response_format (its table is 1.10)."""
    assert config(chat(**fields)) == sent


def test_the_deeper_messages_path_is_named() -> None:
    """1.1, messages: "wrong types (with the JSON path)"."""
    body = chat(user("a"), user([{"type": "text", "text": 5}]))
    assert refusal(body).param == "$.messages[1].content[0].text"


def test_unknown_fields_are_told_and_never_forwarded() -> None:
    """0, encoding rules: bodies are built from an allow-list, since an unknown field is a 400 at Google."""
    told = rendered(chat(frobnicate=1, contents=[], generationConfig={"x": 1}))
    assert told.body == native(chat())
    assert {loss.path for loss in told.losses} == {"$.frobnicate", "$.contents", "$.generationConfig"}


@pytest.mark.parametrize(
    ("ext", "lost"),
    [
        ({"anthropic_messages": {"context_management": {"edits": []}}}, [("7.1:setting", "$.context_management")]),
        ({"openai_responses": {"store": False}}, []),
        ({"gemini": {"labels": {"a": "b"}}}, []),
        ({"openai_chat": {"prediction": {"type": "content"}}}, []),
    ],
    ids=["another dialect's", "one that asks for nothing", "Google's, which ride along", "its own"],
)
def test_a_setting_of_another_dialect_is_lost_where_chat_is_told_to_google(ext: Json, lost: list[Any]) -> None:
    request = Request(model=NEW, messages=(Message(Role.USER, (Text("Hi"),)),), ext=ext)
    told = CHAT.render_request(request, target())
    assert [(loss.code, loss.path) for loss in told.losses] == lost
    assert ("prediction" in told.body) is ("openai_chat" in ext)


@pytest.mark.parametrize(
    ("ext", "lost"),
    [
        ({"gemini": {"excludeDomains": ["a.example"]}}, []),
        (
            {"openai_responses": {"max_num_results": 5}},
            [("1.14:builtin", "code_execution has no place for max_num_results")],
        ),
    ],
    ids=["Google's, which ride along", "another dialect's"],
)
def test_an_option_of_a_tool_is_lost_where_chat_told_to_google_has_no_place_for_it(ext: Json, lost: list[Any]) -> None:
    tool = Builtin("code_execution", ext=ext)
    request = Request(model=NEW, messages=(Message(Role.USER, (Text("Hi"),)),), builtins=(tool,))
    assert [(loss.code, loss.message) for loss in CHAT.render_request(request, target()).losses] == lost
