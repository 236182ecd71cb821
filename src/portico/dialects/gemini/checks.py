"""Reading a body in Google's dialect: each helper returns the value in its type or says what is wrong where.

Proto3 JSON is generous (null is unset, one item stands for a list of it, numbers may be strings), and so are these.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from portico.core.errors import InvalidRequest
from portico.wire.names import json_type


def object_at(value: Any, path: str) -> Mapping[str, Any]:
    """An object."""
    if isinstance(value, Mapping):
        return value
    raise InvalidRequest(f"Expected an object, got {json_type(value)}.", param=path)


def object_or_empty(value: Any, path: str) -> Mapping[str, Any]:
    """An object; null is an empty one."""
    return {} if value is None else object_at(value, path)


def optional_object(value: Any, path: str) -> Mapping[str, Any] | None:
    """An object; null is none."""
    return None if value is None else object_at(value, path)


def string_at(value: Any, path: str) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    raise InvalidRequest(f"Expected a string, got {json_type(value)}.", param=path)


def optional_string(value: Any, path: str) -> str | None:
    """A string; null is none."""
    return None if value is None else string_at(value, path)


def listed(value: Any, path: str) -> list[Any]:
    """A repeated field: a list, or the one item it would hold."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, (Mapping, str)):
        return [value]
    raise InvalidRequest(f"Expected an array, got {json_type(value)}.", param=path)


def numbered(value: Any, path: str) -> Iterator[tuple[int, Any]]:
    return iter(enumerate(listed(value, path)))


def strings(value: Any, path: str) -> tuple[str, ...]:
    """A list of strings, or of the numbers that stand for enums."""
    items = listed(value, path)
    for i, item in enumerate(items):
        if isinstance(item, bool) or not isinstance(item, (str, int)):
            raise InvalidRequest(f"Expected a string, got {json_type(item)}.", param=f"{path}[{i}]")
    return tuple([str(item) for item in items])


def scalar(value: Any, path: str, *, whole: bool) -> int | float | bool:
    """A number or a truth value; proto3 JSON also writes numbers as strings."""
    number: int | float | bool
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            raise InvalidRequest(f"Expected a number, got {value!r}.", param=path) from None
        if number.is_integer():
            number = int(number)
    elif isinstance(value, (bool, int, float)):
        number = value
    else:
        raise InvalidRequest(f"Expected a number, got {json_type(value)}.", param=path)
    if whole and isinstance(number, float):
        if not number.is_integer():
            raise InvalidRequest(f"Expected a whole number, got {value}.", param=path)
        number = int(number)
    return number
