"""Google's schemas, read as the JSON Schema that everybody else speaks."""

from typing import Any

import pytest

from dialects.dialect_rows import CATALOG, GEMINI, Json
from portico.dialects.gemini.schema import in_order, to_json_schema
from portico.relay.translate import DIALECTS, Translator


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        ("INTEGER", ["1", "-2"], [1, -2]),
        ("NUMBER", ["1", "0.5"], [1, 0.5]),
        ("INTEGER", [1, "few", "1e3", "²"], [1, "few", "1e3", "²"]),
        ("STRING", ["1"], ["1"]),
    ],
)
def test_a_number_among_the_values_is_a_number_though_google_writes_a_string(
    kind: str, given: list[Any], read: list[Any]
) -> None:
    assert to_json_schema({"type": kind, "enum": given}) == {"type": kind.lower(), "enum": read}


def test_null_is_one_more_of_the_numbers() -> None:
    schema = {"type": "INTEGER", "enum": ["1"], "nullable": True}
    assert to_json_schema(schema) == {"type": ["integer", "null"], "enum": [1, None]}


def test_a_format_that_says_no_more_than_the_values_do_is_none() -> None:
    assert to_json_schema({"type": "STRING", "format": "enum", "enum": ["a"]}) == {"type": "string", "enum": ["a"]}
    assert to_json_schema({"type": "STRING", "format": "date-time"}) == {"type": "string", "format": "date-time"}


X, Y = {"type": "string"}, {"type": "integer"}
OUT_OF_ORDER = {"type": "object", "properties": {"a": X, "b": Y, "propertyOrdering": X}, "propertyOrdering": ["b"]}


@pytest.mark.parametrize("around", [lambda one: one, lambda one: {"anyOf": [one]}, lambda one: {"items": one}])
@pytest.mark.parametrize("read", [in_order, to_json_schema])
def test_properties_stand_in_the_order_that_is_asked_for(read: Any, around: Any) -> None:
    found = str(read(around(OUT_OF_ORDER)))
    ordered = {"b": Y, "a": X, "propertyOrdering": X}
    assert found == str(around({"type": "object", "properties": ordered}))


@pytest.mark.parametrize("order", [None, "a", ["nobody", 1, "a", "a"]], ids=str)
def test_an_order_of_nothing_changes_nothing(order: Any) -> None:
    schema = {"type": "object", "properties": {"a": X, "b": Y}}
    assert str(in_order({**schema, "propertyOrdering": order})) == str(schema)


def test_a_schema_without_an_order_is_the_same_object() -> None:
    schema = {"type": "object", "properties": {"a": {"anyOf": [X, {"items": Y}]}}, "$defs": {"x": X}}
    assert in_order(schema) is schema


@pytest.mark.parametrize("field", ["responseSchema", "responseJsonSchema"])
@pytest.mark.parametrize(
    ("to", "model"),
    [("openai_chat", "gpt-5.5"), ("openai_responses", "gpt-5.5"), ("anthropic_messages", "claude-opus-5")],
)
def test_nobody_else_is_sent_a_word_of_googles(to: str, model: str, field: str) -> None:
    schema = {**OUT_OF_ORDER, "required": ["a", "b", "propertyOrdering"]}
    config: Json = {"responseMimeType": "application/json", field: schema}
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": config}
    told = Translator(GEMINI, DIALECTS[to], CATALOG, model=model).request(body).body
    assert "'propertyOrdering': [" not in str(told)
    assert "'properties': {'b': {'type': 'integer'}, 'a': " in str(told)
