"""1.11 row by row, in both of Google's forms; the schemas of real tools; the roots of tools (1.12)."""

import copy
from typing import Any

import pytest

from dialects.dialect_rows import (
    Json,
)
from dialects.schema_rows import (
    PATH,
    ROWS,
    SAME,
    TEXT,
    X,
    adapted,
    lowered,
)
from portico.dialects.gemini.json_form import to_json_schema_form
from portico.dialects.gemini.lower import to_openapi_subset


@pytest.mark.parametrize(("row", "schema", "form", "noted", "sub", "subnoted"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_in_both_forms(row: str, schema: Any, form: Any, noted: list[str], sub: Any, subnoted: list[str]) -> None:
    """1.11, every row: what goes out in either form, and where the caller is told that it is not enforced"""
    keep = {"k": TEXT}  # so that the object around it never is empty
    around: Json = {"properties": {"a": schema, **keep}}
    before = copy.deepcopy(schema)
    assert lowered(schema, **around) == (sub, subnoted)
    made, paths = adapted(schema, **around)
    assert paths == noted
    if form is SAME:
        assert made is schema
    else:
        assert made == form
    assert schema == before


REAL: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["command", "gone"],
    "properties": {
        "command": {"type": "string", "minLength": 1, "description": "What to run"},
        "host": {"enum": ["sandbox", "gateway", "node"]},
        "timeout": {"type": ["integer", "null"], "minimum": 1, "maximum": 9007199254740991, "default": None},
        "port": {"type": "integer", "exclusiveMinimum": 0},
        "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "maxItems": 8},
        "env": {"type": "object"},
        "at": {"anyOf": [{"type": "string"}, {"type": "number"}], "title": "At"},
        "how": {"oneOf": [{"type": "string", "enum": ["fast"]}, {"type": "integer"}]},
        "where": {"$ref": "#/$defs/Place", "description": "Where to"},
        "title": {"type": "string"},
    },
    "$defs": {"Place": {"type": "object", "title": "Place", "properties": {"city": {"type": "string"}}}},
}
"""Every word that real tools' schemas were seen to use."""


def test_the_words_of_real_tools_are_kept_in_the_json_form() -> None:
    made, losses = to_json_schema_form(REAL, PATH, tool=True)
    properties = {
        **REAL["properties"],
        "port": {"type": "integer", "minimum": 1},
        "where": {"description": "Where to", "anyOf": [{"$ref": "#/$defs/Place"}]},
    }
    assert made == {**REAL, "properties": properties}
    assert list(made["properties"]) == list(REAL["properties"])
    assert losses == []


def test_the_words_of_real_tools_are_lowered() -> None:
    made, losses = to_openapi_subset(REAL, PATH, tool=True)
    assert made == {
        "type": "OBJECT",
        "properties": {
            "command": {"type": "STRING", "description": "What to run", "minLength": 1},
            "host": {"type": "STRING", "enum": ["sandbox", "gateway", "node"]},
            "timeout": {"type": "INTEGER", "minimum": 1, "maximum": 9007199254740991, "nullable": True},
            "port": {"type": "INTEGER", "minimum": 1},
            "tags": {"type": "ARRAY", "items": {"type": "STRING", "pattern": "^[a-z]+$"}, "maxItems": 8},
            "env": {"type": "STRING", "description": "A JSON object, as JSON text."},
            "at": {"anyOf": [{"type": "STRING", "title": "At"}, {"type": "NUMBER", "title": "At"}]},
            "how": {"anyOf": [{"type": "STRING", "enum": ["fast"]}, {"type": "INTEGER"}]},
            "where": {
                "type": "OBJECT",
                "title": "Place",
                "description": "Where to",
                "properties": {"city": {"type": "STRING"}},
                "propertyOrdering": ["city"],
            },
            "title": {"type": "STRING"},
        },
        "required": ["command"],
        "propertyOrdering": list(REAL["properties"]),
    }
    assert [loss.path for loss in losses] == ["$.p.properties.env", "$.p.required"]


NAMES = ["title", "default", "format", "$ref", "const", "enum", "type", "not", "allOf", "examples", "nullable", "$defs"]


@pytest.mark.parametrize("tool", [False, True])
def test_a_property_may_be_called_like_a_keyword(tool: bool) -> None:
    """1.11: by schema position, never by key name"""
    schema = {"type": "object", "properties": dict.fromkeys(NAMES, TEXT), "required": NAMES}
    assert to_json_schema_form(schema, PATH, tool=tool)[0] is schema
    made, losses = to_openapi_subset(schema, PATH, tool=tool)
    assert made is not None
    assert made["properties"] == {name: {"type": "STRING"} for name in NAMES}
    assert made["required"] == NAMES
    assert losses == []


# -- tools -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {}, "additionalProperties": False},
    ],
)
def test_a_tool_without_arguments_has_no_parameters_in_the_subset(schema: Json) -> None:
    """1.11, properties; 1.12"""
    assert to_openapi_subset(schema, PATH, tool=True) == (None, [])
    assert to_json_schema_form(schema, PATH, tool=True) == (schema, [])


def test_a_tool_that_takes_any_arguments_is_said_to_take_none() -> None:
    made, losses = to_openapi_subset({"type": "object", "additionalProperties": TEXT}, PATH, tool=True)
    assert (made, [loss.path for loss in losses]) == (None, ["$.p.additionalProperties"])


@pytest.mark.parametrize("schema", [{"type": "array", "items": TEXT}, {"enum": ["a"]}, {"type": ["string", "null"]}])
def test_a_root_that_is_no_object_is_wrapped(schema: Json) -> None:
    """1.11, root not object (tools)"""
    made, losses = to_json_schema_form(schema, PATH, tool=True)
    assert made == {"type": "object", "properties": {"input": schema}, "required": ["input"]}
    assert [loss.path for loss in losses] == [PATH]
    subset_form, noted = to_openapi_subset(schema, PATH, tool=True)
    assert subset_form is not None
    assert (subset_form["type"], list(subset_form["properties"]), subset_form["required"]) == (
        "OBJECT",
        ["input"],
        ["input"],
    )
    assert [loss.path for loss in noted] == [PATH]


def test_a_wrapped_root_keeps_its_definitions_at_the_root() -> None:
    made, _ = to_json_schema_form({"type": "array", "items": {"$ref": "#/$defs/x"}, "$defs": {"x": X}}, PATH, tool=True)
    assert made["$defs"] == {"x": X}
    assert made["properties"]["input"] == {"type": "array", "items": {"$ref": "#/$defs/x"}}


def test_alternatives_at_the_root_of_a_tool_are_offered_together() -> None:
    one = {"type": "object", "properties": {"kind": {"const": "a"}, "x": TEXT}, "required": ["kind", "x"]}
    other = {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]}
    made, losses = to_openapi_subset({"anyOf": [one, other]}, PATH, tool=True)
    kinds = {"anyOf": [{"type": "STRING", "enum": ["a"]}, {"type": "STRING", "enum": ["b"]}]}
    assert made == {
        "type": "OBJECT",
        "properties": {"kind": kinds, "x": {"type": "STRING"}},
        "required": ["kind"],
        "propertyOrdering": ["kind", "x"],
    }
    assert [loss.path for loss in losses] == [PATH]
    assert to_json_schema_form({"anyOf": [one, other]}, PATH, tool=True)[0]["type"] == "object"


def test_tagged_alternatives_exclude_each_other() -> None:
    """1.11, oneOf: nothing is lost where a tag that all demand tells them apart"""
    tagged = [
        {"type": "object", "properties": {"kind": {"const": kind}, "x": TEXT}, "required": ["kind"]}
        for kind in ("a", "b")
    ]
    assert lowered({"oneOf": tagged})[1] == []
    assert (
        lowered({"oneOf": [{"$ref": f"#/$defs/{i}"} for i in range(2)]}, **{"$defs": {"0": tagged[0], "1": tagged[1]}})[
            1
        ]
        == []
    )
    assert lowered({"oneOf": [tagged[0], tagged[0]]})[1] == [".oneOf"]
