"""Field names of Google's proto3 JSON: camelCase and snake_case are both accepted, even mixed in one body.

Inside the house there is one spelling, camelCase, so every object is respelt on the way in, except below keys whose maps
are the user's own (arguments, schemas, labels …): there a name is data.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.wire.names import camel

USER_MAPS: Final = frozenset(
    {
        "args",
        "response",
        "parameters",
        "parametersJsonSchema",
        "responseJsonSchema",
        "responseSchema",
        "properties",
        "labels",
        "headers",
        "metadata",
        "partMetadata",
        "customMetadata",
    }
)
"""Keys below which names belong to the user and are never respelt."""


def camelise(fields: Mapping[str, Any]) -> dict[str, Any]:
    """One object with its own keys in camelCase and unset (null) members left out."""
    if "_" not in "".join(fields) and None not in fields.values():
        return dict(fields)  # as Google itself writes
    return {(name if "_" not in name else camel(name)): value for name, value in fields.items() if value is not None}


def camelise_deep(value: Any) -> Any:
    """A value with every key in camelCase, except below `USER_MAPS`."""
    if isinstance(value, dict):  # decoded JSON holds no other mapping, and asking for one costs ten times more
        respelt: dict[str, Any] = {}
        for name, item in value.items():
            key = camel(name)
            respelt[key] = item if key in USER_MAPS else camelise_deep(item)
        return respelt
    if isinstance(value, (list, tuple)):
        return [camelise_deep(item) for item in value]
    return value
