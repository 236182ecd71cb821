"""Whether a schema keeps the rules of strict functions (OpenAI's guide to Structured Outputs, "Supported schemas").

The root is an object and no choice; every object is closed and requires each of its properties and no others; every value
has a type, is one of `anyOf`, or is a reference and nothing beside it; and there is no keyword but those known to be taken.
A function that is told to be strict with another schema is a 400.

An answer is held to an object as well, though it need not be strict.

Where a Responses request does not say `strict`, OpenAI makes the function strict if its schema can be, and lax if not.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_KNOWN: Final = frozenset(
    {
        *("type", "enum", "const", "anyOf", "$ref", "$defs", "definitions", "$schema", "title", "description"),
        *("properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
        *("minLength", "maxLength", "pattern", "format"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
)
"""Others are refused by name (`'uniqueItems' is not permitted`), or not documented."""
_KNOWN_IF_SAID: Final = _KNOWN | {"default"}
"""A function is recorded to be strict with a default, if it is told to be."""
_FORMATS: Final = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
"""Others are refused: `'uri' is not a valid format`."""
_NOT_AT_THE_ROOT: Final = ("anyOf", "enum")
_ELSEWHERE: Final = ("$ref", "anyOf", "oneOf", "allOf", "enum", "const", "not")
"""Keywords that say at the root what the values are, where no type does."""
_BY_NAME: Final = ("properties", "$defs", "definitions")
_DEEPEST: Final = 64


def fits_strict(schema: Mapping[str, Any] | None, *, said: bool = False) -> bool:
    """Of a function's parameters. None are none to break a rule. `said`: somebody wants it to be strict."""
    if schema is None:
        return True
    known = _KNOWN_IF_SAID if said else _KNOWN
    return schema.get("type") == "object" and schema.keys().isdisjoint(_NOT_AT_THE_ROOT) and _fits(schema, known, 0)


def is_object(schema: Mapping[str, Any] | None) -> bool:
    """Whether an answer can be held to a schema: OpenAI holds answers to objects alone, and looks for it at the root."""
    if schema is None or "type" in schema:
        return schema is not None and schema["type"] in ("object", "OBJECT")
    return schema.keys().isdisjoint(_ELSEWHERE)


def _fits(node: Any, known: frozenset[str], depth: int) -> bool:
    if not isinstance(node, Mapping) or depth > _DEEPEST or not node.keys() <= known:
        return False
    if "format" in node and str(node["format"]) not in _FORMATS:
        return False
    typed = len(node) == 1 if "$ref" in node else "type" in node or "anyOf" in node
    return typed and _closed(node) and all(_fits(one, known, depth + 1) for one in _below(node))


def _below(node: Mapping[str, Any]) -> Iterator[Any]:
    for key in _BY_NAME:
        members = node.get(key, {})
        yield from members.values() if isinstance(members, Mapping) else (members,)
    choices = node.get("anyOf", [])
    yield from choices if isinstance(choices, list) else (choices,)
    if "items" in node:
        yield node["items"]


def _closed(node: Mapping[str, Any]) -> bool:
    kind = node.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "array" in kinds and "items" not in node:
        return False
    if "object" not in kinds and "properties" not in node:
        return True
    properties, required = node.get("properties", {}), node.get("required", [])
    if node.get("additionalProperties") is not False or not isinstance(properties, Mapping):
        return False
    return isinstance(required, list) and {*map(str, required)} == {*properties}
