"""The spelling of JSON names, and the JSON words for types: shared by whoever reads Google's names in either case."""

import re
from typing import Any, Final

_SNAKE: Final = re.compile(r"_([a-z0-9])")
_UPPER: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def camel(name: str) -> str:
    """`inline_data` -> `inlineData`."""
    return _SNAKE.sub(lambda match: match.group(1).upper(), name) if "_" in name else name


def snake(name: str) -> str:
    """`inlineData` -> `inline_data`."""
    return _UPPER.sub(r"_\1", name).lower()


def json_type(value: Any) -> str:
    """The JSON word for a value's type, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
