"""The forms of a request, as data: which fields there are, of which type, in which range.

A form is a function of a value and its path that raises OpenAI's own error for what does not fit. Optional fields may be
null, as OpenAI takes it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from portico.simulator.openai.refusal import Refused, invalid, listed, missing, unknown

Form = Callable[[Any, str], None]

_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
}


def named(value: Any) -> str:
    """The type of a JSON value, as OpenAI's errors name it."""
    return "null" if value is None else _NAMES[type(value)]


def wrong_type(path: str, expected: str, value: Any) -> Refused:
    """A value of another type than the form takes."""
    said = f"Invalid type for '{path}': expected {expected}, but got {named(value)} instead."
    return Refused(said, param=path, code="invalid_type")


def anything(value: Any, path: str) -> None:
    """Takes what comes."""
    del value, path


def flag(value: Any, path: str) -> None:
    """A boolean."""
    if not isinstance(value, bool):
        raise wrong_type(path, "a boolean", value)


def text(*, most: int | None = None, least: int = 0, pattern: str = "", starts: str = "") -> Form:
    """A string of `least` to `most` characters; `starts` is the prefix of an id."""
    compiled = re.compile(pattern) if pattern else None

    def form(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if len(value) < least:
            said = f"empty string. Expected a string with minimum length {least}, but got an empty string instead."
            raise invalid(path, said, "empty_string")
        if most is not None and len(value) > most:
            said = (
                f"string too long. Expected a string with maximum length {most}, but got a string with length "
                f"{len(value)} instead."
            )
            raise invalid(path, said, "string_above_max_length")
        if compiled and not compiled.fullmatch(value):
            raise invalid(
                path, f"string does not match pattern. Expected a string that matches the pattern '^{pattern}$'."
            )
        if starts and not value.startswith(starts):
            raise invalid(path, f"'{value}'. Expected an ID that begins with '{starts}'.")

    return form


def word(*values: str, at: Callable[[str], str] | None = None) -> Form:
    """One of these strings. `at` says which path an error names."""

    def form(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, f"one of {listed(values, last='or')}", value)
        if value not in values:
            said = f"Invalid value: '{value}'. Supported values are: {listed(values)}."
            raise Refused(said, param=at(path) if at else path, code="invalid_value")

    return form


def integer(low: int | None = None, high: int | None = None) -> Form:
    """A whole number of this range."""

    def form(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(path, "an integer", value)
        _range(value, path, low, high, "integer")

    return form


def number(low: float | None = None, high: float | None = None) -> Form:
    """A number of this range."""

    def form(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(path, "a decimal", value)
        _range(value, path, low, high, "decimal")

    return form


def _range(value: float, path: str, low: float | None, high: float | None, kind: str) -> None:
    if low is not None and value < low:
        said = f"{kind} below minimum value. Expected a value >= {low}, but got {value} instead."
        raise invalid(path, said, f"{kind}_below_min_value")
    if high is not None and value > high:
        said = f"{kind} above maximum value. Expected a value <= {high}, but got {value} instead."
        raise invalid(path, said, f"{kind}_above_max_value")


def array(item: Form, *, least: int = 0, most: int | None = None) -> Form:
    """A list of `least` to `most` items."""

    def form(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(path, "an array of values", value)
        if len(value) < least:
            said = f"empty array. Expected an array with minimum length {least}, but got an empty array instead."
            raise invalid(path, said, "empty_array")
        if most is not None and len(value) > most:
            said = (
                f"array too long. Expected an array with maximum length {most}, but got an array with length {len(value)} "
                "instead."
            )
            raise invalid(path, said, "array_above_max_length")
        for place, one in enumerate(value):
            item(one, f"{path}[{place}]")

    return form


def mapping(value: Form, *, most: int | None = None) -> Form:
    """An object whose keys are the caller's own."""

    def form(given: Any, path: str) -> None:
        if not isinstance(given, dict):
            raise wrong_type(path, "an object", given)
        if most is not None and len(given) > most:
            said = f"too many properties. Expected an object with at most {most} properties."
            raise invalid(path, said, "object_above_max_properties")
        for key, one in given.items():
            value(one, f"{path}.{key}")

    return form


def form_of(fields: Mapping[str, Form], *required: str, loose: bool = False) -> Form:
    """An object with these fields. `loose`: others are ignored, as OpenAI was recorded to ignore them there."""

    def form(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path or "body", "an object", value)
        at = f"{path}." if path else ""
        for name in required:
            if value.get(name) is None and not (name in value and name in _NULLABLE):
                raise missing(at + name)
        for name in value:
            if name not in fields and not loose:
                raise unknown(at + name)
        for name, inner in fields.items():
            if value.get(name) is not None:
                inner(value[name], at + name)

    return form


_NULLABLE = {"output", "summary"}


def tagged(by: str, kinds: Mapping[str, Form], *, default: str = "", at: Callable[[str], str] | None = None) -> Form:
    """An object whose field `by` says which of these it is; `default` where it says nothing."""

    def form(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        tag = value.get(by, default or None)
        if tag is None:
            raise missing(f"{path}.{by}")
        if not isinstance(tag, str):
            raise wrong_type(f"{path}.{by}", "a string", tag)
        if tag not in kinds:
            said = f"Invalid value: '{tag}'. Supported values are: {listed(list(kinds))}."
            raise Refused(said, param=at(path) if at else f"{path}.{by}", code="invalid_value")
        kinds[tag](value, path)

    return form


def either(expected: str, *forms: tuple[type, Form]) -> Form:
    """One form or another, told apart by the JSON type."""

    def form(value: Any, path: str) -> None:
        for kind, one in forms:
            if type(value) is kind:
                one(value, path)
                return
        raise wrong_type(path, expected, value)

    return form
