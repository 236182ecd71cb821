"""Reading a body that anybody may have written: each helper returns the value in its type or says what is wrong where.

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


def object_at(value: Any, path: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise wrong_type(path, "an object", value)


def array_at(value: Any, path: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise wrong_type(path, "an array", value)


def string_at(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    raise wrong_type(path, "a string", value)


def take_string(fields: dict[str, Any], name: str) -> str | None:
    value = fields.pop(name, None)
    return None if value is None else string_at(value, f"$.{name}")


def take_bool(fields: dict[str, Any], name: str) -> bool | None:
    value = fields.pop(name, None)
    if value is None or isinstance(value, bool):
        return value
    raise wrong_type(f"$.{name}", "a boolean", value)


def take_object(fields: dict[str, Any], name: str) -> Mapping[str, Any] | None:
    value = fields.pop(name, None)
    return None if value is None else object_at(value, f"$.{name}")


def take_number(fields: dict[str, Any], name: str, low: float, high: float) -> float | None:
    """A number from `low` to `high`, both included."""
    value = fields.pop(name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong_type(f"$.{name}", "a number", value)
    if not low <= value <= high:
        raise InvalidRequest(f"Invalid '{name}': {value} is not between {low:g} and {high:g}.", param=f"$.{name}")
    return value


def take_int(fields: dict[str, Any], name: str, low: int, high: int) -> int | None:
    """A whole number from `low` to `high`, both included; 5.0 is one."""
    value = fields.pop(name, None)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(f"$.{name}", "an integer", value)
    if not low <= value <= high:
        bound = f"at least {low}" if value < low else f"at most {high}"
        raise InvalidRequest(f"Invalid '{name}': {value} must be {bound}.", param=f"$.{name}")
    return value


def take_word(fields: dict[str, Any], name: str, words: tuple[str, ...]) -> str | None:
    """One of some words."""
    value = take_string(fields, name)
    if value is None or value in words:
        return value
    raise InvalidRequest(f"Invalid '{name}': {value!r} is not one of {', '.join(words)}.", param=f"$.{name}")
