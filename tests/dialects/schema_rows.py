"""Schemas and what becomes of them, row by row of mapping.md 1.11, and short words for tests of schemas."""

from typing import Any

import msgspec

from dialects.dialect_rows import OLD, Json, target
from portico.core.target import Target
from portico.dialects import openai_chat
from portico.dialects.gemini.json_form import to_json_schema_form
from portico.dialects.gemini.lower import to_openapi_subset
from portico.simulator import grammar, subset

PATH = "$.p"
CHAT = openai_chat.DIALECT
TEXT: Json = {"type": "string"}


def held(schema: Any) -> Json:
    """The schema as a property, so that it is no root."""
    return {"type": "object", "properties": {"a": schema}}


def told(losses: list[Any]) -> list[str]:
    """Where something is not enforced, below the property."""
    return [loss.path.removeprefix("$.p.properties.a") or "." for loss in losses]


def lowered(schema: Any, **around: Any) -> tuple[Any, list[str]]:
    """What becomes of a property in the subset."""
    made, losses = to_openapi_subset({**held(schema), **around}, PATH)
    assert made is not None
    subset.check(grammar.read("Schema", made, vertex=False), "it", vertex=False, lenient=False)
    return made["properties"].get("a"), told(losses)


def adapted(schema: Any, **around: Any) -> tuple[Any, list[str]]:
    """What becomes of a property in the JSON form."""
    whole = {**held(schema), **around}
    made, losses = to_json_schema_form(whole, PATH)
    subset.check_json_schema(made, "it")
    if made is whole:
        assert losses == []
    return made["properties"].get("a"), told(losses)


def words(kind: str, text: str, **more: Any) -> Json:
    return {"type": kind, "description": text, **more}


def integer(**more: Any) -> Json:
    return {"type": "integer", **more}


def number(**more: Any) -> Json:
    return {"type": "number", **more}


OBJECT = {"type": "OBJECT", "properties": {"x": {"type": "STRING"}}, "propertyOrdering": ["x"]}
X: Json = {"type": "object", "properties": {"x": TEXT}}
JSON_TEXT = words("STRING", "A JSON object, as JSON text.")
SAME: Any = object()
"""The caller's own object comes back."""


def deep(levels: int) -> Json:
    schema = TEXT
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def doubling(levels: int) -> Json:
    definitions: Json = {f"d{levels}": TEXT}
    for i in range(levels):
        following = {"$ref": f"#/$defs/d{i + 1}"}
        definitions[f"d{i}"] = {"type": "object", "properties": {"l": following, "r": following}}
    return {"$ref": "#/$defs/d0", "$defs": definitions}


def older(model: str = OLD, *, judged: bool = True) -> Target:
    """A model that knows the OpenAPI subset only."""
    aim = target(model)
    able = msgspec.structs.replace(aim.capabilities, json_schema_form=False, judged=judged)
    return msgspec.structs.replace(aim, capabilities=able)


# (row, schema, JSON form, what is told, subset, what is told); SAME with nothing told where nothing changes
ROWS: list[tuple[str, Any, Any, list[str], Any, list[str]]] = [
    ("type", TEXT, SAME, [], {"type": "STRING"}, []),
    ("type: upper case", {"type": "STRING"}, SAME, [], {"type": "STRING"}, []),
    ("type array", {"type": ["string", "null"]}, SAME, [], {"type": "STRING", "nullable": True}, []),
    (
        "type array: several",
        {"type": ["string", "integer", "null"], "minimum": 1, "maxLength": 9, "description": "Either."},
        SAME,
        [],
        {
            "anyOf": [
                {"type": "STRING", "description": "Either.", "maxLength": 9, "nullable": True},
                {"type": "INTEGER", "description": "Either.", "minimum": 1, "nullable": True},
            ]
        },
        [],
    ),
    ("type array: numbers", {"type": ["integer", "number"]}, SAME, [], {"type": "NUMBER"}, []),
    ("null type", {"type": "null"}, SAME, [], words("STRING", "Must be null.", nullable=True), ["."]),
    ("null type among others", {"anyOf": [TEXT, {"type": "null"}]}, SAME, [], {"type": "STRING", "nullable": True}, []),
    (
        "title and description",
        {"type": "string", "title": "T", "description": "D"},
        SAME,
        [],
        {"type": "STRING", "title": "T", "description": "D"},
        [],
    ),
    ("enum: strings", {"type": "string", "enum": ["a", "b"]}, SAME, [], {"type": "STRING", "enum": ["a", "b"]}, []),
    ("enum: no type", {"enum": ["a", "b"]}, SAME, [], {"type": "STRING", "enum": ["a", "b"]}, []),
    ("enum: numbers", integer(enum=[1, 2]), SAME, [], words("INTEGER", "One of: 1, 2."), [".enum"]),
    (
        "enum: numbers as the subset lists them",
        {"type": "INTEGER", "enum": ["1", "2"]},
        SAME,
        [],
        words("INTEGER", 'One of: "1", "2".'),
        [".enum"],
    ),
    (
        "enum: booleans",
        {"enum": [True]},
        words("boolean", "Must be true."),
        [".enum"],
        words("BOOLEAN", "Must be true."),
        [".enum"],
    ),
    ("enum: both booleans", {"enum": [True, False]}, {"type": "boolean"}, [], {"type": "BOOLEAN"}, []),
    (
        "enum: null",
        {"type": ["string", "null"], "enum": ["a", None], "title": "T"},
        {"title": "T", "anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
        [],
        {"type": "STRING", "title": "T", "enum": ["a"], "nullable": True},
        [],
    ),
    ("enum: an empty string", {"enum": ["a", ""]}, SAME, [], {"type": "STRING", "enum": ["a"]}, [".enum"]),
    ("enum: only that", {"enum": [""]}, SAME, [], words("STRING", 'Must be "".'), [".enum"]),
    (
        "enum: mixed",
        {"enum": ["a", 1]},
        SAME,
        [],
        {"anyOf": [{"type": "STRING", "enum": ["a"]}, words("INTEGER", "Must be 1.")]},
        [".enum"],
    ),
    ("const", {"const": "v"}, {"enum": ["v"]}, [], {"type": "STRING", "enum": ["v"]}, []),
    ("const: a number", integer(const=3), integer(enum=[3]), [], words("INTEGER", "Must be 3."), [".const"]),
    ("const: null", {"const": None}, {"type": "null"}, [], words("STRING", "Must be null.", nullable=True), ["."]),
    (
        "const: an object",
        {"const": {"k": 1}},
        words("object", 'Must be {"k":1}.'),
        [".const"],
        words("STRING", 'Must be {"k":1}. A JSON object, as JSON text.'),
        [".const", "."],
    ),
    ("object without properties", {"type": "object"}, SAME, [], JSON_TEXT, ["."]),
    (
        "object: described",
        words("object", "Extras"),
        SAME,
        [],
        words("STRING", "Extras. A JSON object, as JSON text."),
        ["."],
    ),
    ("required", {**X, "required": ["x"]}, SAME, [], {**OBJECT, "required": ["x"]}, []),
    ("required: unknown", {**X, "required": ["y"]}, SAME, [], OBJECT, [".required"]),
    ("additionalProperties: false", {**X, "additionalProperties": False}, SAME, [], OBJECT, []),
    (
        "additionalProperties: a schema",
        {**X, "additionalProperties": TEXT},
        SAME,
        [],
        OBJECT,
        [".additionalProperties"],
    ),
    (
        "additionalProperties: a map",
        {"type": "object", "additionalProperties": {"const": 1}},
        {"type": "object", "additionalProperties": {"enum": [1]}},
        [],
        JSON_TEXT,
        [".additionalProperties", "."],
    ),
    ("items", {"type": "array", "items": TEXT}, SAME, [], {"type": "ARRAY", "items": {"type": "STRING"}}, []),
    ("array without items", {"type": "array"}, SAME, [], {"type": "ARRAY", "items": {"type": "STRING"}}, ["."]),
    (
        "prefixItems",
        {"type": "array", "prefixItems": [TEXT, integer()], "items": False},
        {"type": "array", "prefixItems": [TEXT, integer()], "maxItems": 2},
        [],
        {"type": "ARRAY", "maxItems": 2, "items": {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}},
        [".prefixItems"],
    ),
    (
        "items as a tuple",
        {"type": "array", "items": [TEXT, integer()]},
        {"type": "array", "prefixItems": [TEXT, integer()]},
        [],
        {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}},
        [".items"],
    ),
    (
        "minItems and maxItems",
        {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 9},
        SAME,
        [],
        {"type": "ARRAY", "items": {"type": "STRING"}, "minItems": 1, "maxItems": 9},
        [],
    ),
    (
        "maxItems: huge",
        {"type": "array", "items": TEXT, "maxItems": 5000},
        {"type": "array", "items": TEXT},
        [".maxItems"],
        {"type": "ARRAY", "items": {"type": "STRING"}},
        [".maxItems"],
    ),
    (
        "uniqueItems",
        {"type": "array", "items": TEXT, "uniqueItems": True},
        {"type": "array", "items": TEXT, "description": "The items must differ from each other."},
        [".uniqueItems"],
        {"type": "ARRAY", "items": {"type": "STRING"}, "description": "The items must differ from each other."},
        [".uniqueItems"],
    ),
    (
        "contains",
        {"type": "array", "items": TEXT, "contains": {"const": "x"}, "minContains": 2},
        {"type": "array", "items": TEXT, "description": 'At least one item must match {"const":"x"}.'},
        [".contains"],
        {"type": "ARRAY", "items": {"type": "STRING"}, "description": 'At least one item must match {"const":"x"}.'},
        [".contains"],
    ),
    (
        "minimum and maximum",
        number(minimum=-(2**53) + 1, maximum=2.5),
        SAME,
        [],
        {"type": "NUMBER", "minimum": -(2**53) + 1, "maximum": 2.5},
        [],
    ),
    ("exclusive: integer", integer(exclusiveMinimum=0), integer(minimum=1), [], {"type": "INTEGER", "minimum": 1}, []),
    (
        "exclusive: integer, halves and both",
        integer(exclusiveMinimum=0.5, minimum=3, exclusiveMaximum=9.5),
        integer(minimum=3, maximum=9),
        [],
        {"type": "INTEGER", "minimum": 3, "maximum": 9},
        [],
    ),
    (
        "exclusive: as draft 4 says it",
        integer(minimum=3, exclusiveMinimum=True),
        integer(minimum=4),
        [],
        {"type": "INTEGER", "minimum": 4},
        [],
    ),
    (
        "exclusive: number",
        number(exclusiveMaximum=1, description="A share"),
        number(maximum=1, description="A share. Must be less than 1."),
        [".exclusiveMaximum"],
        words("NUMBER", "A share. Must be less than 1.", maximum=1),
        [".exclusiveMaximum"],
    ),
    (
        "multipleOf",
        integer(multipleOf=5),
        words("integer", "Must be a multiple of 5."),
        [".multipleOf"],
        words("INTEGER", "Must be a multiple of 5."),
        [".multipleOf"],
    ),
    ("multipleOf: 1", integer(multipleOf=1), integer(), [], {"type": "INTEGER"}, []),
    (
        "minLength, maxLength, pattern",
        {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a"},
        SAME,
        [],
        {"type": "STRING", "minLength": 1, "maxLength": 5, "pattern": "^a"},
        [],
    ),
    ("format", {"type": "string", "format": "date-time"}, SAME, [], {"type": "STRING", "format": "date-time"}, []),
    ("format: of numbers", integer(format="int32"), SAME, [], {"type": "INTEGER", "format": "int32"}, []),
    ("format: others", {"type": "string", "format": "uri"}, SAME, [], words("STRING", "Format: uri."), [".format"]),
    (
        "anyOf",
        {"title": "T", "description": "D", "nullable": True, "anyOf": [TEXT, {"type": "integer", "title": "Own"}]},
        {
            "anyOf": [
                {"title": "T", "description": "D", "anyOf": [TEXT, {"type": "integer", "title": "Own"}]},
                {"type": "null"},
            ]
        },
        [],
        {
            "anyOf": [
                {"type": "STRING", "title": "T", "description": "D", "nullable": True},
                {"type": "INTEGER", "title": "Own", "description": "D", "nullable": True},
            ]
        },
        [],
    ),
    (
        "anyOf beside properties",
        {**X, "anyOf": [{"required": ["x"]}, {"properties": {"y": TEXT}}]},
        SAME,
        [],
        {
            "anyOf": [
                {**OBJECT, "required": ["x"]},
                {
                    "type": "OBJECT",
                    "properties": {"x": {"type": "STRING"}, "y": {"type": "STRING"}},
                    "propertyOrdering": ["x", "y"],
                },
            ]
        },
        [],
    ),
    (
        "oneOf: apart by type",
        {"oneOf": [TEXT, integer()]},
        SAME,
        [],
        {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
        [],
    ),
    (
        "oneOf: may overlap",
        {"oneOf": [{"type": "string", "minLength": 1}, {"type": "string", "maxLength": 5}]},
        SAME,
        [],
        {"anyOf": [{"type": "STRING", "minLength": 1}, {"type": "STRING", "maxLength": 5}]},
        [".oneOf"],
    ),
    (
        "allOf",
        {
            "allOf": [
                {**X, "required": ["x"], "description": "One."},
                {"properties": {"x": {"maxLength": 5}, "y": integer()}, "required": ["y"]},
            ]
        },
        {
            "type": "object",
            "properties": {"x": {"type": "string", "maxLength": 5}, "y": integer()},
            "required": ["x", "y"],
            "description": "One.",
        },
        [],
        {
            "type": "OBJECT",
            "description": "One.",
            "properties": {"x": {"type": "STRING", "maxLength": 5}, "y": {"type": "INTEGER"}},
            "required": ["x", "y"],
            "propertyOrdering": ["x", "y"],
        },
        [],
    ),
    (
        "allOf: one element",
        {"allOf": [TEXT], "description": "D", "default": "x"},
        {"description": "D", "default": "x", "type": "string"},
        [],
        words("STRING", "D"),
        [],
    ),
    ("not", {"type": "string", "not": {"const": "x"}}, TEXT, [".not"], {"type": "STRING"}, [".not"]),
    ("if, then, else", {**X, "if": {"required": ["x"]}, "then": {}, "else": {}}, X, [".if"], OBJECT, [".if"]),
    (
        "patternProperties",
        {**X, "patternProperties": {"^y": TEXT}},
        X,
        [".patternProperties"],
        OBJECT,
        [".patternProperties"],
    ),
    (
        "patternProperties of a closed object",
        {**X, "patternProperties": {"^y": TEXT}, "additionalProperties": False},
        {**X, "additionalProperties": TEXT},
        [".patternProperties"],
        OBJECT,
        [".patternProperties"],
    ),
    ("propertyNames", {**X, "propertyNames": {"maxLength": 3}}, X, [".propertyNames"], OBJECT, [".propertyNames"]),
    (
        "dependentRequired",
        {**X, "dependentRequired": {"x": ["y"]}},
        X,
        [".dependentRequired"],
        OBJECT,
        [".dependentRequired"],
    ),
    (
        "unevaluatedProperties",
        {**X, "unevaluatedProperties": False},
        X,
        [".unevaluatedProperties"],
        OBJECT,
        [".unevaluatedProperties"],
    ),
    (
        "a keyword that speaks of other types",
        {**TEXT, "uniqueItems": True, "minimum": 3},
        {**TEXT, "minimum": 3},
        [],
        {"type": "STRING"},
        [],
    ),
    ("default", {**TEXT, "default": "x", "example": "x"}, SAME, [], {"type": "STRING"}, []),
    (
        "nullable",
        {**TEXT, "nullable": True},
        {"type": ["string", "null"]},
        [],
        {"type": "STRING", "nullable": True},
        [],
    ),
    ("nullable: false", {**TEXT, "nullable": False}, TEXT, [], {"type": "STRING"}, []),
    (
        "propertyOrdering",
        {"type": "object", "properties": {"z": TEXT, "a": TEXT}},
        SAME,
        [],
        {
            "type": "OBJECT",
            "properties": {"z": {"type": "STRING"}, "a": {"type": "STRING"}},
            "propertyOrdering": ["z", "a"],
        },
        [],
    ),
    ("propertyOrdering: given", {**X, "propertyOrdering": ["gone", "x"]}, SAME, [], OBJECT, []),
    ("$schema, $id, $anchor", {**TEXT, "$schema": "s", "$id": "i", "$anchor": "n"}, SAME, [], {"type": "STRING"}, []),
    (
        "annotations",
        {
            **TEXT,
            "$comment": "c",
            "examples": ["x"],
            "discriminator": {},
            "deprecated": True,
            "readOnly": True,
            "writeOnly": True,
            "contentEncoding": "base64",
            "strict": True,
        },
        TEXT,
        [],
        {"type": "STRING"},
        [],
    ),
    ("a keyword nobody knows", {**TEXT, "x-own": 1, "frob": 2}, SAME, [], {"type": "STRING"}, [".frob"]),
    ("boolean schema", True, {}, [], {"type": "STRING"}, ["."]),
    ("empty schema", {}, SAME, [], {"type": "STRING"}, ["."]),
    ("no type: an object by its keywords", {"properties": {"x": TEXT}}, SAME, [], OBJECT, ["."]),
    ("a schema that nothing fits", False, None, ["."], None, ["."]),
]
