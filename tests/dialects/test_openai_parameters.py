"""What functions take, for OpenAI: schemas of callers whose own provider is less particular."""

from typing import Any

import pytest

from dialects.dialect_rows import CATALOG, Json
from portico.core.loss import Loss
from portico.core.request import Tool
from portico.core.target import Capabilities, Target
from portico.dialects.openai.parameters import parameters, with_items
from portico.relay.translate import DIALECTS, Translated, Translator

X: Json = {"type": "string"}
LIST: Json = {"type": "array"}
OPEN: Json = {"type": "array", "items": {}}
NOTHING: Json = {"type": "object", "properties": {}}


def sent(schema: Json, *, strict: bool | None = None, judged: bool = True) -> tuple[Any, bool | None, list[str]]:
    """The schema, whether it is strict, and what is told."""
    losses: list[Loss] = []
    target = Target("gpt", capabilities=Capabilities(judged=judged))
    made = parameters(Tool("f", None, schema, strict), target, "$.tools[0]", losses)
    return made.schema, made.strict, [loss.code for loss in losses]


def takes(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, **more}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "object"}, NOTHING),
        ({}, NOTHING),
        ({"type": "object", "properties": None}, NOTHING),
        ({"properties": {"a": X}}, {"properties": {"a": X}, "type": "object"}),
        ({"type": ["object", "null"], "properties": {"a": X}}, takes({"a": X})),
        (takes({"a": LIST}), takes({"a": OPEN})),
        (takes({"a": {"type": ["array", "null"]}}), takes({"a": {"type": ["array", "null"], "items": {}}})),
        (takes({"a": {"anyOf": [{"items": LIST}]}}), takes({"a": {"anyOf": [{"items": OPEN}]}})),
        (takes({"items": X, "type": X}), takes({"items": X, "type": X})),
    ],
)
def test_what_says_the_same_is_said_as_openai_wants_it(given: Json, made: Json) -> None:
    assert sent(given) == (made, None, [])
    assert sent(given, judged=False) == (made, None, [])


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (takes({"a": X}, anyOf=[{"required": ["a"]}, {"required": ["b"]}]), takes({"a": X})),
        ({"oneOf": [takes({"a": X}, required=["a"]), takes({"b": X})]}, takes({"b": X, "a": X})),
        (takes({"a": X}, **{"not": {"required": ["a"]}}), takes({"a": X})),
        (
            {"$ref": "#/$defs/it", "$defs": {"it": takes({"a": X})}},
            takes({"a": X}, **{"$defs": {"it": takes({"a": X})}}),
        ),
    ],
    ids=["what is required", "whole objects", "a denial", "a reference"],
)
def test_no_choice_is_at_the_top(given: Json, made: Json) -> None:
    assert sent(given) == (made, None, ["1.11:schema"])


def test_an_ordinary_schema_is_the_same_object() -> None:
    schema = takes({"a": {"type": "array", "items": takes({"b": X})}}, **{"$defs": {"c": X}})
    assert sent(schema)[0] is schema
    assert with_items(schema) is schema


CLOSED: Json = {"required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    "schema",
    [
        takes({"a": X}, **CLOSED),
        takes({"a": {**X, "format": "uuid", "default": ""}}, **CLOSED),
        takes({}, additionalProperties=False),
    ],
    ids=["as it should be", "a format", "nothing"],
)
def test_a_function_is_strict_where_its_schema_can_be(schema: Json) -> None:
    assert sent(schema, strict=True) == (schema, True, [])


@pytest.mark.parametrize(
    "schema",
    [
        takes({"a": X, "b": X}, **CLOSED),
        takes({"a": {**X, "format": "uri"}}, **CLOSED),
        takes({"a": OPEN}, **CLOSED),
        takes({"a": X}, required=["a"], additionalProperties=True),
    ],
    ids=["one may be left out", "a format of others", "a list of anything", "open"],
)
def test_a_function_is_not_strict_where_openai_would_refuse_it(schema: Json) -> None:
    assert sent(schema, strict=True) == (schema, False, ["1.12:strict"])
    assert sent(schema, strict=True, judged=False) == (schema, True, [])


def test_a_strict_function_that_says_nothing_of_more_is_closed() -> None:
    """The Responses API reads it so; Chat refuses it."""
    inner, closed = takes({"b": X}, required=["b"]), takes({"b": X}, required=["b"], additionalProperties=False)
    made = sent(takes({"a": inner}, required=["a"]), strict=True)
    assert made == (takes({"a": closed}, **CLOSED), True, ["7.5:closed"])


def asked(to: str, schema: Json, *, source: str = "anthropic_messages", strict: bool = True) -> Translated:
    tool: Json = {"name": "f", "input_schema": schema, "strict": strict}
    if source == "openai_chat":
        tool = {"type": "function", "function": {"name": "f", "parameters": schema, "strict": strict}}
    body = {"max_tokens": 5000, "messages": [{"role": "user", "content": "hi"}], "tools": [tool]}
    return Translator(DIALECTS[source], DIALECTS[to], CATALOG, model="gpt-5.5").request(body)


def function_of(told: Translated) -> Any:
    (tool,) = told.body["tools"]
    return tool.get("function", tool)


@pytest.mark.parametrize("to", ["openai_chat", "openai_responses"])
def test_claudes_strict_tools_stay_so_where_openai_can_hold_to_them(to: str) -> None:
    told = asked(to, takes({"a": X}, **CLOSED))
    assert function_of(told)["strict"] is True
    assert "1.12:strict" not in {loss.code for loss in told.losses}
    told = asked(to, takes({"a": X, "b": X}, **CLOSED))
    assert function_of(told)["strict"] is False
    assert "1.12:strict" in {loss.code for loss in told.losses}


@pytest.mark.parametrize("to", ["openai_chat", "openai_responses"])
def test_a_choice_at_the_top_is_told(to: str) -> None:
    told = asked(to, {"type": "object", "anyOf": [takes({"a": LIST}), takes({"b": X})]}, strict=False)
    assert function_of(told)["parameters"] == takes({"b": X, "a": OPEN})
    assert "1.11:schema" in {loss.code for loss in told.losses}


def test_what_a_caller_says_in_openais_own_words_is_left_to_openai() -> None:
    told = asked("openai_chat", {"type": "object", "anyOf": [takes({"a": LIST})]}, source="openai_chat")
    assert function_of(told) == {
        "name": "f",
        "parameters": {"type": "object", "anyOf": [takes({"a": LIST})]},
        "strict": True,
    }


@pytest.mark.parametrize(("to", "place"), [("openai_chat", "response_format"), ("openai_responses", "text")])
def test_a_list_of_anything_in_an_answer_says_so_too(to: str, place: str) -> None:
    config = {"responseMimeType": "application/json", "responseJsonSchema": takes({"a": LIST})}
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": config}
    told = Translator(DIALECTS["gemini"], DIALECTS[to], CATALOG, model="gpt-5.5").request(body)
    assert str(takes({"a": OPEN})) in str(told.body[place])
