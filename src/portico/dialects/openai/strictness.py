"""Whether a schema keeps the rules of strict functions: every object closed, every property required.

Where a Responses request does not say `strict`, OpenAI makes the function strict if its schema can be, and lax if not. A
function that is told to be strict with another schema is a 400.
"""

from collections.abc import Mapping
from typing import Any, Final

_FORBIDDEN: Final = frozenset({"oneOf", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"})
_BY_NAME: Final = ("properties", "$defs", "definitions")
_LISTED: Final = ("anyOf", "prefixItems")
_DEEPEST: Final = 64


def fits_strict(schema: Mapping[str, Any] | None) -> bool:
    """Of a function's parameters. None are none to break a rule."""
    return schema is None or _fits(schema, 0)


def _fits(node: Any, depth: int) -> bool:
    if not isinstance(node, Mapping):
        return not isinstance(node, bool)
    if depth > _DEEPEST or _FORBIDDEN & node.keys() or not _closed(node):
        return False
    inner = [node["items"]] if "items" in node else []
    for key in _BY_NAME:
        members = node.get(key)
        inner += members.values() if isinstance(members, Mapping) else ()
    for key in _LISTED:
        members = node.get(key)
        inner += members if isinstance(members, list) else ()
    return all(_fits(one, depth + 1) for one in inner)


def _closed(node: Mapping[str, Any]) -> bool:
    kind, properties, required = node.get("type"), node.get("properties"), node.get("required")
    if properties is None and kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return True
    if node.get("additionalProperties") is not False:
        return False
    names = properties.keys() if isinstance(properties, Mapping) else set()
    return not names or (isinstance(required, list) and {*map(str, required)} == {*names})
