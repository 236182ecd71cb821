"""References that lack their `#`: LiteLLM writes `/$defs/x` into the tools that it sends to Anthropic.

Anthropic takes them, since it follows none in a tool that is not strict. Google and OpenAI follow all, and find nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

_DEFINED: Final = ("$defs", "definitions")
_BARE: Final = tuple([f"/{key}/" for key in _DEFINED])
_NAMED: Final = frozenset({*_DEFINED, "properties"})
_INNER: Final = frozenset({"items", "additionalProperties", "not", "anyOf", "oneOf", "allOf", "prefixItems"})
_DEEPEST: Final = 64


def whole_references(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with each reference as one into itself; the same object where nothing is defined."""
    if not any(key in schema for key in _DEFINED):
        return schema
    made: Mapping[str, Any] = _whole(schema, 0)
    return made


def _whole(node: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return node
    if isinstance(node, list):
        return [_whole(inner, depth + 1) for inner in node]
    if not isinstance(node, Mapping):
        return node
    made = dict(node)
    for key, value in node.items():
        if key == "$ref" and isinstance(value, str) and value.startswith(_BARE):
            made[key] = f"#{value}"
        elif key in _NAMED and isinstance(value, Mapping):
            made[key] = {name: _whole(inner, depth + 1) for name, inner in value.items()}
        elif key in _INNER:
            made[key] = _whole(value, depth + 1)
    return made
