"""1.11, $ref: references, recursion, and schemas without measure."""

from typing import Any

import pytest

from dialects.dialect_rows import Json
from dialects.schema_rows import JSON_TEXT, OBJECT, PATH, TEXT, X, deep, doubling, held
from portico.core.errors import InvalidRequest
from portico.dialects.gemini.json_form import to_json_schema_form
from portico.dialects.gemini.lower import to_openapi_subset
from portico.dialects.gemini.schema_walk import SchemaTooLarge

# -- references ------------------------------------------------------------------------------------------------------

TREE: Json = {
    "type": "object",
    "properties": {"name": TEXT, "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
}


def test_a_shared_schema_is_referred_to_or_written_out_each_time() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/x"}, "b": {"$ref": "#/$defs/x"}},
        "$defs": {"x": X},
    }
    assert to_json_schema_form(schema, PATH)[0] is schema
    made, losses = to_openapi_subset(schema, PATH)
    assert made is not None
    assert (made["properties"], losses) == ({"a": OBJECT, "b": OBJECT}, [])


@pytest.mark.parametrize(
    ("reference", "extra", "name"),
    [
        ("#/definitions/x", {"definitions": {"x": X}}, "x"),
        ("#/definitions/a~1b~0c", {"definitions": {"a/b~c": X}}, "a_b_c"),
        ("#/definitions/x", {"definitions": {"x": X}, "$defs": {"x": TEXT}}, "x_2"),
        ("#/$defs/y/properties/z", {"$defs": {"y": {"type": "object", "properties": {"z": X}}}}, "z"),
        ("#/$defs/y/anyOf/1", {"$defs": {"y": {"anyOf": [TEXT, X]}}}, "1"),
        ("#here", {"$defs": {"y": {**X, "$anchor": "here"}}}, None),
        ("https://own.example/s#/definitions/x", {"definitions": {"x": X}, "$id": "https://own.example/s"}, "x"),
        ("#/%24defs/x", {"$defs": {"x": X}}, None),
    ],
)
def test_any_reference_into_the_schema_is_one_to_its_definitions(reference: str, extra: Json, name: str | None) -> None:
    """1.11, $ref: `#/$defs/x` is the only kind that Google follows"""
    schema = {**held({"$ref": reference}), **extra}
    made, losses = to_json_schema_form(schema, PATH)
    assert losses == []
    pointer = made["properties"]["a"]["$ref"]
    assert pointer.startswith("#/$defs/")
    assert name is None or pointer == f"#/$defs/{name}"
    assert made["$defs"][pointer.removeprefix("#/$defs/")] in (X, {**X, "$anchor": "here"})
    assert "definitions" not in made
    subset_form, noted = to_openapi_subset(schema, PATH)
    assert subset_form is not None
    assert (subset_form["properties"]["a"], noted) == (OBJECT, [])


@pytest.mark.parametrize(
    "reference",
    [
        "#/$defs/gone",
        "#/properties/a/type",
        "#gone",
        "https://elsewhere.example/s.json",
        "other.json#/x",
        "#/required/9",
        5,
    ],
)
@pytest.mark.parametrize("form", [to_openapi_subset, to_json_schema_form])
def test_a_reference_to_nothing_is_refused_with_its_path(form: Any, reference: Any) -> None:
    schema = {**held(TEXT), "required": ["a"]}
    schema["properties"]["b"] = {"type": "array", "items": {"$ref": reference}}
    with pytest.raises(InvalidRequest) as caught:
        form(schema, "$.tools[2].function.parameters")
    assert caught.value.param == "$.tools[2].function.parameters.properties.b.items.$ref"


@pytest.mark.parametrize(
    ("beside", "form"),
    [
        ({"description": "Said here"}, {"description": "Said here", "anyOf": [{"$ref": "#/$defs/x"}]}),
        ({"default": {}, "title": "T"}, {"$ref": "#/$defs/x"}),
        ({"type": "object"}, {"$ref": "#/$defs/x"}),
        ({"nullable": True}, {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]}),
        ({"required": ["x"]}, {"required": ["x"], **X}),
        ({"$comment": "c"}, {"$ref": "#/$defs/x", "$comment": "c"}),
    ],
)
def test_what_stands_beside_a_reference_is_kept_where_it_says_something(beside: Json, form: Json) -> None:
    """1.11, $ref: a node with one may carry no other key, unless it starts with a dollar"""
    made, losses = to_json_schema_form({**held({"$ref": "#/$defs/x", **beside}), "$defs": {"x": X}}, PATH)
    assert (made["properties"]["a"], losses) == (form, [])


def test_a_lone_reference_in_all_of_is_that_reference() -> None:
    wrapped = {"allOf": [{"$ref": "#/$defs/x"}], "description": "As older generators write it"}
    made, losses = to_json_schema_form({**held(wrapped), "$defs": {"x": X}}, PATH)
    assert made["properties"]["a"] == {"description": wrapped["description"], "anyOf": [{"$ref": "#/$defs/x"}]}
    assert losses == []


def test_recursion_through_optional_properties_stays() -> None:
    """1.11, $ref: cycles only in properties that are not required"""
    schema = {"$ref": "#/$defs/tree", "$defs": {"tree": {**TREE, "required": ["name"]}}}
    assert to_json_schema_form(schema, PATH)[0] is schema


def test_recursion_through_required_properties_is_written_out_and_cut() -> None:
    """1.11, $ref: such a cycle is refused by Google, though lists end it"""
    required = {**TREE, "required": ["name", "children"]}
    made, losses = to_json_schema_form({"$ref": "#/$defs/tree", "$defs": {"tree": required}}, PATH)
    following = [definition["properties"]["children"]["items"] for definition in made["$defs"].values()]
    assert following == [{"$ref": "#/$defs/tree_2"}, {"$ref": "#/$defs/tree_3"}, {"type": "object"}]
    assert [loss.path for loss in losses] == ["$.p.$defs.tree"]


def test_a_schema_that_is_its_own_property_refers_to_a_definition() -> None:
    schema = {"type": "object", "properties": {"again": {"$ref": "#"}}}
    made, losses = to_json_schema_form(schema, PATH, tool=True)
    again = {"type": "object", "properties": {"again": {"$ref": "#/$defs/root"}}}
    assert (made, losses) == ({**again, "$defs": {"root": again}}, [])


def test_recursion_in_the_subset_is_written_out_three_levels_deep() -> None:
    """1.11, $ref: unroll 2 to 3 levels"""
    made, losses = to_openapi_subset({"$ref": "#/$defs/tree", "$defs": {"tree": TREE}}, PATH)
    levels = 0
    while made is not None and made["type"] == "OBJECT":
        made, levels = made["properties"]["children"]["items"], levels + 1
    assert (made, levels) == (JSON_TEXT, 3)
    assert [loss.path for loss in losses] == ["$.p.$defs.tree", "$.p.$defs.tree.properties.children.items"]


def test_recursion_is_cut_earlier_where_it_would_grow_too_large() -> None:
    properties = {f"p{i}": {"$ref": "#/$defs/n"} for i in range(30)}
    made, losses = to_openapi_subset(
        {"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": properties}}}, PATH
    )
    assert made is not None
    assert made["properties"]["p0"]["properties"]["p0"] == JSON_TEXT
    assert losses[0].message == "the recursion is cut after 2 levels"


# -- bombs -----------------------------------------------------------------------------------------------------------


def _endless() -> Json:
    schema: Json = {"type": "object"}
    schema["properties"] = {"again": schema}
    return schema


@pytest.mark.parametrize("form", [to_openapi_subset, to_json_schema_form])
@pytest.mark.parametrize("schema", [deep(400), _endless(), {"allOf": [TEXT] * 300}], ids=["deep", "endless", "many"])
def test_a_schema_without_measure_is_refused(form: Any, schema: Json) -> None:
    with pytest.raises(SchemaTooLarge) as caught:
        form(schema, PATH)
    assert caught.value.param is not None
    assert caught.value.param.startswith(PATH)


def test_references_that_double_are_refused_in_the_subset_and_harmless_in_the_json_form() -> None:
    schema = doubling(40)
    with pytest.raises(SchemaTooLarge):
        to_openapi_subset(schema, PATH)
    assert to_json_schema_form(schema, PATH)[0] is schema
