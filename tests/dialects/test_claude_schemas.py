"""Schemas for Anthropic's compiler: closed where it wants it, never sent where it has no way to take them."""

from typing import Any

import pytest

from portico.core.request import Tool
from portico.dialects.anthropic_messages.schemas import Closed, strict_schemas

NAME = {"type": "string"}


def thing(**more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"name": NAME}, "required": ["name"], **more}


def closed_silently(given: Any) -> Any:
    """What is compiled of a schema that loses nothing by it."""
    closed = Closed(given)
    assert not closed.dropped
    return closed.schema


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (thing(), thing(additionalProperties=False)),
        (thing(additionalProperties=True), thing(additionalProperties=False)),
        (thing(additionalProperties=False), thing(additionalProperties=False)),
        (
            {"type": "array", "items": thing()},
            {"type": "array", "items": thing(additionalProperties=False)},
        ),
        (
            {"anyOf": [thing(), {"type": "null"}]},
            {"anyOf": [thing(additionalProperties=False), {"type": "null"}]},
        ),
        (
            {"$defs": {"T": thing()}, "$ref": "#/$defs/T"},
            {"$defs": {"T": thing(additionalProperties=False)}, "$ref": "#/$defs/T"},
        ),
    ],
)
def test_every_object_is_closed(given: Any, made: Any) -> None:
    assert closed_silently(given) == made


@pytest.mark.parametrize(
    "given",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": NAME},
        {"$defs": {"T": thing(properties={"t": {"$ref": "#/$defs/T"}})}, "$ref": "#/$defs/T"},
        {"type": "object", "properties": {"again": {"$ref": "#"}}},
        {"allOf": [thing(), thing()]},
        {"anyOf": [NAME], "oneOf": [NAME]},
        thing(properties={"name": NAME, "also": {"$ref": "#/properties/name"}}),
        thing(properties={"name": NAME, "also": {"$ref": "#/$defs/nobody"}}),
    ],
    ids=["any keys", "a map", "a circle", "the root again", "two at once", "two unions", "a place", "nowhere"],
)
def test_what_cannot_be_compiled_is_not_sent(given: Any) -> None:
    assert Closed(given).schema is None


def test_a_keyword_that_is_refused_is_dropped_and_told() -> None:
    """1.11: to the caller, and to the model, which may keep to it"""
    last = {"type": "string", "description": "last four", "minLength": 4, "maxLength": 4}
    closed = Closed({"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}, "last": last}})
    assert closed.dropped == {"minimum", "minLength", "maxLength"}
    assert closed.schema is not None
    assert closed.schema["properties"] == {
        "age": {"type": "integer", "description": '{"minimum":0}'},
        "last": {"type": "string", "description": 'last four\n\n{"minLength":4,"maxLength":4}'},
    }


def test_what_is_told_in_words_is_not_told_at_length() -> None:
    closed = Closed({**NAME, "not": {"enum": ["word"] * 1000}})
    assert (closed.schema, closed.dropped) == (NAME, {"not"})


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"oneOf": [NAME, {"type": "null"}]}, {"anyOf": [NAME, {"type": "null"}]}),
        (thing(propertyOrdering=["name"], strict=True, examples=[{}]), thing(additionalProperties=False)),
        ({"type": "string", "example": "a", "deprecated": True}, NAME),
        ({"type": "integer", "format": "int64"}, {"type": "integer"}),
        ({"type": "string", "format": "uuid"}, {"type": "string", "format": "uuid"}),
    ],
)
def test_a_keyword_that_says_nothing_of_values_goes_silently(given: Any, made: Any) -> None:
    assert closed_silently(given) == made


@pytest.mark.parametrize(
    "more",
    [
        {"format": "enum"},
        {"format": ["date"]},
        {"not": {"const": ""}},
        {"if": NAME},
        {"nullable": True},
        {"prefixItems": [NAME]},
        {"a-word-of-tomorrow": 1},
    ],
    ids=str,
)
def test_no_keyword_is_sent_that_the_compiler_does_not_know(more: dict[str, Any]) -> None:
    closed = Closed({**NAME, **more})
    assert closed.schema is not None
    assert closed.schema == NAME | {"description": closed.schema["description"]}
    assert closed.dropped == set(more)


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    given = {"type": "object", "properties": {"minimum": NAME}, "additionalProperties": False}
    assert Closed(given).schema == given


def test_a_tool_stays_strict_only_as_it_was_meant() -> None:
    bounded = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0}}}
    tools = [Tool("a", None, thing(), True), Tool("b", None, bounded, True), Tool("c", None, thing(), None)]
    assert strict_schemas(tools) == {0: thing(additionalProperties=False)}


def test_too_many_strict_tools_are_none() -> None:
    assert len(strict_schemas([Tool(f"t{n}", None, thing(), True) for n in range(20)])) == 20
    assert strict_schemas([Tool(f"t{n}", None, thing(), True) for n in range(21)]) == {}
