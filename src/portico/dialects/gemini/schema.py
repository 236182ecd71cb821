"""Google's OpenAPI-subset schema -> JSON Schema (mapping.md 1.11).

The neutral model holds JSON Schema. The old form (`parameters`, `responseSchema`) differs in the case of types, in
`nullable`, in numbers written as strings and in the spelling of `$ref`. The order of properties is a list of its own at
Google; for everybody else it is how they stand. Everything is done by schema position, never by key name: a property called
`type` or `nullable` is a property.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.wire.names import camel

_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_ONE: Final = frozenset({"items", "additionalProperties", "not"})
_INT64: Final = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_NUMBERS: Final[Mapping[str, re.Pattern[str]]] = {
    "integer": re.compile(r"-?[0-9]{1,15}"),
    "number": re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?"),
}
_ORDER: Final = "propertyOrdering"
_RENAMED: Final[Mapping[str, str]] = {"defs": "$defs", "ref": "$ref"}


def to_json_schema(schema: Any) -> Any:
    """An OpenAPI-subset schema as JSON Schema; values that are no schema objects come back as they are."""
    if not isinstance(schema, Mapping):
        return schema
    result: dict[str, Any] = {}
    nullable = False
    order: Any = None
    for spelt, value in schema.items():
        key = _RENAMED.get(spelt, camel(spelt))
        if value is None:
            continue
        if key == "nullable":
            nullable = bool(value)
        elif key == "type" and isinstance(value, str):
            if value.upper() != "TYPE_UNSPECIFIED":
                result["type"] = value.lower()
        elif key in _MAPS and isinstance(value, Mapping):
            result[key] = {name: to_json_schema(item) for name, item in value.items()}
        elif key in _LISTS and isinstance(value, list):
            result[key] = [to_json_schema(item) for item in value]
        elif key in _ONE:
            result[key] = to_json_schema(value)
        elif key in _INT64 and isinstance(value, str) and _DIGITS.fullmatch(value):
            result[key] = int(value)
        elif key == _ORDER:
            order = value
        elif key != "format" or value != "enum":  # which says no more than that there is an enum
            result[key] = value
    _put_in_order(result, order)
    if isinstance(result.get("enum"), list):
        result["enum"] = [_value(result.get("type"), value) for value in result["enum"]]
    return _with_null(result) if nullable else result


def in_order(schema: Any) -> Any:
    """A JSON Schema with its properties where `propertyOrdering` has them; the same object where nothing says so."""
    if not isinstance(schema, Mapping):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _MAPS and isinstance(value, Mapping):
            inner = {name: in_order(item) for name, item in value.items()}
            made[key] = value if all(inner[name] is item for name, item in value.items()) else inner
        elif key in _LISTS and isinstance(value, list):
            listed = [in_order(item) for item in value]
            made[key] = value if all(one is item for one, item in zip(listed, value, strict=True)) else listed
        elif key != _ORDER:
            made[key] = in_order(value) if key in _ONE else value
    if _ORDER not in schema:
        return schema if all(made[key] is value for key, value in schema.items()) else made
    _put_in_order(made, schema[_ORDER])
    return made


def _put_in_order(schema: dict[str, Any], order: Any) -> None:
    """Properties that `propertyOrdering` names come first."""
    properties = schema.get("properties")
    if isinstance(order, list) and isinstance(properties, Mapping):
        named = [name for name in order if isinstance(name, str) and name in properties]
        schema["properties"] = {name: properties[name] for name in dict.fromkeys([*named, *properties])}


def _value(kind: Any, value: Any) -> Any:
    """A value of an enum. Google's are all strings, those of numbers too."""
    written = _NUMBERS.get(kind) if isinstance(kind, str) else None
    if written is None or not isinstance(value, str) or not written.fullmatch(value):
        return value
    return float(value) if "." in value else int(value)


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """`nullable: true` in JSON Schema's own words."""
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    elif isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
    else:
        return {**schema, "nullable": True}
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema
