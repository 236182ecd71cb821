"""JSON that is made to order fits the order."""

import json
import re
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.simulator import Simulator
from portico.simulator.schema import make
from portico.simulator.subset import resolve
from simulator.sim_memory import Json, answer, stream, text, user

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def fits(value: Any, schema: Any, root: Json) -> bool:
    """A plain judge of the keywords used here, written apart from the maker."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return fits(value, resolve(schema["$ref"], root), root)
    if value is None and schema.get("nullable"):
        return True
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches and not any(fits(value, one, root) for one in branches):
        return False
    if "enum" in schema and value not in schema["enum"] and str(value) not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    kinds = schema.get("type", [])
    names = [kinds] if isinstance(kinds, str) else kinds
    if names and not any(_is(value, name.lower()) for name in names):
        return False
    return _sized(value, schema) and _inner(value, schema, root)


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _sized(value: Any, schema: Json) -> bool:
    match value:
        case str():
            long = len(value) >= int(schema.get("minLength", 0)) and len(value) <= int(schema.get("maxLength", 10**9))
            return long and ("pattern" not in schema or re.search(schema["pattern"], value) is not None)
        case bool() | None:
            return True
        case int() | float():
            return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
        case list():
            return int(schema.get("minItems", 0)) <= len(value) <= int(schema.get("maxItems", 10**9))
        case _:
            return True


def _inner(value: Any, schema: Json, root: Json) -> bool:
    if isinstance(value, dict):
        known = schema.get("properties", {})
        if set(schema.get("required", [])) - set(value):
            return False
        if schema.get("additionalProperties") is False and set(value) - set(known):
            return False
        return all(fits(inner, known.get(name, True), root) for name, inner in value.items())
    if isinstance(value, list):
        return all(fits(inner, schema.get("items", True), root) for inner in value)
    return True


_names = st.text("abcdef", min_size=1, max_size=3)
_small = st.integers(-50, 50)


def _ranged(kind: str, low: str, high: str, numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Json]:
    pairs = st.tuples(numbers, numbers).map(sorted)
    return pairs.map(lambda pair: {"type": kind, low: pair[0], high: pair[1]})


_leaves: st.SearchStrategy[Json] = st.one_of(
    st.sampled_from([{"type": kind} for kind in ("string", "integer", "number", "boolean", "null")]),
    _ranged("integer", "minimum", "maximum", _small),
    _ranged("number", "minimum", "maximum", _small),
    _ranged("string", "minLength", "maxLength", st.integers(0, 30)),
    st.lists(_names, min_size=1, unique=True).map(lambda values: {"type": "string", "enum": values}),
    st.just({"type": ["string", "null"]}),
    st.just({"const": 7}),
    st.just({"type": "string", "pattern": "^[A-Z]{3}$"}),
)


def _object(properties: dict[str, Json], required: bool, closed: bool) -> Json:
    schema: Json = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(properties)
    return schema | ({"additionalProperties": False} if closed else {})


def _bigger(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(
        st.builds(_object, st.dictionaries(_names, inner, max_size=4), st.booleans(), st.booleans()),
        st.builds(lambda one, least: {"type": "array", "items": one, "minItems": least}, inner, st.integers(0, 3)),
        st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
    )


@settings(deadline=None, max_examples=200)
@given(schema=st.recursive(_leaves, _bigger, max_leaves=12), seed=st.integers(0, 99))
def test_what_is_made_fits_the_schema(schema: Json, seed: int) -> None:
    value = make(schema, Random(seed))
    assert fits(value, schema, schema), value
    assert make(schema, Random(seed)) == value


TREE: Json = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["name", "children", "next"],
        }
    },
    "$ref": "#/$defs/node",
}
FIXED: list[Json] = [
    TREE,
    {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"required": ["a"]}]},
    {"type": "OBJECT", "properties": {"when": {"type": "STRING", "format": "date-time", "nullable": True}}},
    {"type": "INTEGER", "enum": ["1", "2"]},
    {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 5}, "minItems": "3", "maxItems": "3"},
]


@pytest.mark.parametrize("schema", FIXED)
def test_recursion_and_the_older_form_are_followed(schema: Json) -> None:
    for seed in range(30):
        assert fits(make(schema, Random(seed)), schema, schema)


_PERSON: Json = {
    "type": "object",
    "properties": {"zip": {"type": "string"}, "age": {"type": "integer"}, "name": {"type": "string"}},
    "required": ["zip", "age", "name"],
}


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        ({"responseJsonSchema": _PERSON}, ["zip", "age", "name"]),
        ({"responseSchema": _PERSON}, ["age", "name", "zip"]),
        ({"responseSchema": _PERSON | {"propertyOrdering": ["name", "zip", "age"]}}, ["name", "zip", "age"]),
    ],
)
async def test_json_mode_answers_in_the_order_of_its_form(config: Json, keys: list[str]) -> None:
    body = user("A person", responseMimeType="application/json", **config)
    made = json.loads(text([await answer(Simulator(), "gemini-3.5-flash", body)]))
    assert list(made) == keys
    assert fits(made, _PERSON, _PERSON)
    assert json.loads(text((await stream(Simulator(), "gemini-2.5-flash", body)).events())).keys() == set(keys)


async def test_json_mode_without_a_schema_is_json_and_an_enum_is_a_bare_word() -> None:
    free = user("Anything", responseMimeType="application/json")
    assert json.loads(text([await answer(Simulator(), "gemini-3.5-flash", free)]))["said"] == "Anything"
    choice = user("Pick", responseMimeType="text/x.enum", responseSchema={"type": "STRING", "enum": ["red", "blue"]})
    assert text([await answer(Simulator(), "gemini-3.5-flash", choice)]) in ("red", "blue")


@pytest.mark.parametrize("kind", ["number", "integer", "NUMBER"])
def test_a_value_that_no_value_can_be_is_still_one_of_those_listed(kind: str) -> None:
    """Words listed for a number: nothing fits, and nothing breaks."""
    assert make({"type": kind, "enum": ["yes", "no"]}, Random(1)) in ("yes", "no")
    assert make({"type": kind, "enum": ["1", "2.5"]}, Random(1)) in (1, 2.5)
