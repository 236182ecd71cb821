"""Google's OpenAPI-subset schema -> JSON Schema (mapping.md 1.11).

The neutral model holds JSON Schema. The old form (`parameters`, `responseSchema`) differs in the case of types, in
`nullable`, in int64 written as strings and in the spelling of `$ref`. Everything is done by schema position, never by key
name: a property called `type` or `nullable` is a property.
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
_RENAMED: Final[Mapping[str, str]] = {"defs": "$defs", "ref": "$ref"}


def to_json_schema(schema: Any) -> Any:
    """An OpenAPI-subset schema as JSON Schema; values that are no schema objects come back as they are."""
    if not isinstance(schema, Mapping):
        return schema
    result: dict[str, Any] = {}
    nullable = False
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
        else:
            result[key] = value
    return _with_null(result) if nullable else result


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
