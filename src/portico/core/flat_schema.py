"""What a tool takes, as one object: neither OpenAI nor Anthropic takes a choice at the top of its schema."""

from collections.abc import Mapping
from typing import Any, Final

UNIONS: Final = ("anyOf", "oneOf", "allOf")


def flattened(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tool's schema without `anyOf`, `oneOf` and `allOf` at its top; the same object where there are none.

    The members of all branches may be given; those are required that each branch requires.
    """
    unions = [key for key in UNIONS if isinstance(schema.get(key), list)]
    if not unions:
        return schema
    found: dict[str, Any] = {**members(schema)}
    needed = dict.fromkeys(required(schema))
    for key in unions:
        branches = [resolved(branch, schema) for branch in schema[key]]
        for branch in branches:
            found = {**members(branch), **found}
        names = [dict.fromkeys(required(branch)) for branch in branches]
        if key == "allOf":
            needed |= {name: None for one in names for name in one}
        elif names:
            needed |= {name: None for name in names[0] if all(name in one for one in names)}
    rest = {key: value for key, value in schema.items() if key not in (*unions, "required")}
    flat = {**rest, "type": "object", "properties": found}
    return {**flat, "required": list(needed)} if needed else flat


def resolved(branch: Any, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A branch, or the definition that it names."""
    if not isinstance(branch, Mapping):
        return {}
    name = branch.get("$ref")
    if not isinstance(name, str):
        return branch
    found: Any = schema
    for step in name.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def members(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of an object."""
    found = node.get("properties")
    return found if isinstance(found, Mapping) else {}


def required(node: Mapping[str, Any]) -> list[str]:
    """The names of those that must be given."""
    names = node.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
