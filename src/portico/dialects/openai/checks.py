"""Reading a body of OpenAI's that anybody may have written: each helper returns the value in its type or says what is wrong
where. `InvalidRequest.param` is the path of the offending value.

Paths are built only when something is wrong. `null` equals absent everywhere (mapping.md 1.1).
"""

from collections.abc import Mapping
from typing import Any

from portico.core.errors import InvalidRequest
from portico.wire.names import json_type


def wrong_type(path: str, wanted: str, value: Any) -> InvalidRequest:
    """Expected this, got that, at this path."""
    name = path.removeprefix("$").strip(".")
    of = f" for '{name}'" if name else ""
    return InvalidRequest(f"Invalid type{of}: expected {wanted}, got {json_type(value)}.", param=path)


def missing(path: str) -> InvalidRequest:
    """A value that must be there is not."""
    return InvalidRequest(f"Missing required parameter: '{path.removeprefix('$').strip('.')}'.", param=path)


def object_at(value: Any, path: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise missing(path) if value is None and path != "$" else wrong_type(path, "an object", value)


def array_at(value: Any, path: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise missing(path) if value is None else wrong_type(path, "an array", value)


def string_at(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    raise missing(path) if value is None else wrong_type(path, "a string", value)


def optional_string(value: Any, path: str) -> str | None:
    return None if value is None else string_at(value, path)


def optional_bool(value: Any, path: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise wrong_type(path, "a boolean", value)


def optional_number(value: Any, path: str, low: float, high: float) -> float | None:
    """A number from `low` to `high`, both included."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong_type(path, "a number", value)
    if not low <= value <= high:
        raise InvalidRequest(f"Invalid '{path[2:]}': {value} is not between {low:g} and {high:g}.", param=path)
    return value


def optional_int(value: Any, path: str, low: int, high: int) -> int | None:
    """A whole number from `low` to `high`, both included; 5.0 is one."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(path, "an integer", value)
    if not low <= value <= high:
        bound = f"at least {low}" if value < low else f"at most {high}"
        raise InvalidRequest(f"Invalid '{path[2:]}': {value} must be {bound}.", param=path)
    return value


def optional_word(value: Any, path: str, words: tuple[str, ...]) -> str | None:
    """One of some words."""
    if value is None or (isinstance(value, str) and value in words):
        return value
    known = ", ".join(words)
    raise InvalidRequest(f"Invalid '{path[2:]}': {string_at(value, path)[:100]!r} is not one of {known}.", param=path)


# -- members of an object, taken out of it, so that what is left is what nobody knew ------------------------------------


def take_string(fields: dict[str, Any], name: str) -> str | None:
    value = fields.pop(name, None)
    return None if value is None else string_at(value, f"$.{name}")


def take_bool(fields: dict[str, Any], name: str) -> bool | None:
    value = fields.pop(name, None)
    return None if value is None else optional_bool(value, f"$.{name}")


def take_object(fields: dict[str, Any], name: str) -> Mapping[str, Any] | None:
    value = fields.pop(name, None)
    return None if value is None else object_at(value, f"$.{name}")


def take_number(fields: dict[str, Any], name: str, low: float, high: float) -> float | None:
    """A number from `low` to `high`, both included."""
    value = fields.pop(name, None)
    return None if value is None else optional_number(value, f"$.{name}", low, high)


def take_int(fields: dict[str, Any], name: str, low: int, high: int) -> int | None:
    """A whole number from `low` to `high`, both included; 5.0 is one."""
    value = fields.pop(name, None)
    return None if value is None else optional_int(value, f"$.{name}", low, high)


def take_word(fields: dict[str, Any], name: str, words: tuple[str, ...]) -> str | None:
    """One of some words."""
    value = fields.pop(name, None)
    return None if value is None else optional_word(value, f"$.{name}", words)
