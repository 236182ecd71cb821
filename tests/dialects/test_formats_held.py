"""A format that its caller's own provider would keep to is strict at OpenAI, where OpenAI can be (mapping.md 1.10)."""

from typing import Any

import pytest

from dialects.dialect_rows import CATALOG, Json
from portico.core.target import COMPATIBLE, Target
from portico.dialects.openai.refusals import STRICT_FORMAT, only_value, refused_field
from portico.relay.translate import DIALECTS, Translator

GPT = "gpt-5.5"
TO = ["openai_chat", "openai_responses"]
TEXT: Json = {"type": "string"}


def thing(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def opened(schema: Json) -> Json:
    return {key: value for key, value in schema.items() if key != "additionalProperties"}


def nested(levels: int) -> Json:
    return thing(a=nested(levels - 1) if levels > 1 else TEXT)


CITY = thing(city=TEXT, days={"type": ["integer", "null"]})


def in_gemini(schema: Json) -> Json:
    config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    return {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": config}


def in_messages(schema: Json) -> Json:
    asked = {"model": GPT, "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
    return {**asked, "output_config": {"format": {"type": "json_schema", "schema": schema}}}


def in_chat(schema: Json) -> Json:
    format_ = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    return {"messages": [{"role": "user", "content": "hi"}], "response_format": format_}


ASKED = {"gemini": in_gemini, "anthropic_messages": in_messages, "openai_chat": in_chat}


def became(caller: str, schema: Json, to: str) -> tuple[Json, list[str]]:
    """The format on the wire, on one level, and what was lost of it."""
    told = Translator(DIALECTS[caller], DIALECTS[to], CATALOG, model=GPT).request(ASKED[caller](schema))
    return on_one_level(told.body), [loss.code for loss in told.losses if "chema" in loss.path]


def on_one_level(body: Any) -> Json:
    format_: Json = body["text"]["format"] if "text" in body else body["response_format"]["json_schema"]
    return format_


@pytest.mark.parametrize("to", TO)
@pytest.mark.parametrize("caller", ["gemini", "anthropic_messages"])
def test_a_schema_that_openai_can_keep_to_is_strict(caller: str, to: str) -> None:
    format_, lost = became(caller, CITY, to)
    assert (format_["strict"], format_["schema"], lost) == (True, CITY, [])


@pytest.mark.parametrize("to", TO)
def test_an_open_object_is_closed_for_that_and_so_it_is_told(to: str) -> None:
    format_, lost = became("gemini", opened(thing(at=opened(CITY))), to)
    assert (format_["strict"], format_["schema"], lost) == (True, thing(at=CITY), ["7.5:closed"])


@pytest.mark.parametrize(
    "schema",
    [
        {**CITY, "required": ["city"]},
        {**CITY, "additionalProperties": TEXT},
        thing(city={**TEXT, "default": "Rome"}),
        nested(11),
        thing(word={**TEXT, "enum": [f"word {at}" for at in range(1_001)]}),
        thing(**{f"name{at}": TEXT for at in range(5_001)}),
        thing(word={**TEXT, "const": "x" * 120_001}),
        thing(at={"$ref": "#/$defs/it"}) | {"$defs": {"it": nested(11)}},
        thing(at={"anyOf": [TEXT, nested(11)]}),
        thing(at={"type": "array", "items": nested(10)}),
    ],
    ids=["optional", "open", "a default", "deep", "words", "names", "long", "definition", "choice", "list"],
)
@pytest.mark.parametrize("to", TO)
def test_any_other_is_followed_as_it_came_and_so_it_is_told(schema: Json, to: str) -> None:
    format_, lost = became("gemini", schema, to)
    assert ("strict" not in format_, format_["schema"], lost) == (True, schema, ["1.11:schema"])


@pytest.mark.parametrize("to", TO)
def test_ten_levels_are_few_enough(to: str) -> None:
    assert became("gemini", nested(10), to)[0]["strict"] is True


def test_who_can_say_that_it_shall_be_strict_and_does_not_is_taken_at_their_word() -> None:
    format_, lost = became("openai_chat", CITY, "openai_responses")
    assert ("strict" not in format_, format_["schema"], lost) == (True, CITY, [])


def test_a_server_that_nobody_knows_is_told_of_the_schema_alone() -> None:
    request = DIALECTS["gemini"].parse_request(in_gemini(CITY), model="some-model")
    rendered = DIALECTS["openai_chat"].render_request(request, Target("some-model", "openai-compatible", COMPATIBLE))
    assert on_one_level(rendered.body) == {"name": "response", "schema": CITY}
    assert rendered.losses == []


@pytest.mark.parametrize(
    ("code", "param", "message", "field"),
    [
        ("invalid_json_schema", "text.format.schema", "Invalid schema for response_format 'response': …", True),
        ("", "response_format", "Invalid schema for response_format 'response': …", True),
        ("", "response_format", "Missing required parameter", False),
        ("invalid_function_parameters", "tools[0].parameters", "Invalid schema for function 'a': …", False),
    ],
)
def test_what_openai_says_of_a_schema_it_cannot_keep_to_is_understood(
    code: str, param: str, message: str, field: bool
) -> None:
    assert refused_field(code, param, message) == (STRICT_FORMAT if field else None)


def test_other_schemas_may_be_taken_though_one_was_refused() -> None:
    assert only_value(STRICT_FORMAT, "invalid_json_schema", "Invalid schema for response_format 'response': …")
