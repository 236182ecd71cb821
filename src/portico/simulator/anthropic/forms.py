"""The forms of a request, as data: which fields there are, of which type, in which range.

A form is a function of a value and its path that raises Anthropic's own error for what does not fit. Paths have dots, and
the tag of a union after the place where it stands: `messages.0.content.1.tool_use.id`. Optional fields may be null.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from portico.simulator.anthropic.refusal import Refused, at

Form = Callable[[Any, str], None]


def shapeless(path: str) -> Refused:
    """A value of another shape than the form takes; recorded of objects and of unions."""
    return at(path, "Input does not match the expected shape.")


def under(path: str, name: str | int) -> str:
    """The path of a member."""
    return f"{path}.{name}" if path else str(name)


def listed(values: tuple[str, ...]) -> str:
    """Words as Anthropic lists them: 'a', 'b' or 'c'."""
    words = [f"'{value}'" for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def anything(value: Any, path: str) -> None:
    """Takes what comes."""
    del value, path


def flag(value: Any, path: str) -> None:
    """A boolean."""
    if not isinstance(value, bool):
        raise at(path, "Input should be a valid boolean")


def text(*, least: int = 0, most: int | None = None, pattern: str = "") -> Form:
    """A string of `least` to `most` characters."""
    compiled = re.compile(pattern) if pattern else None

    def form(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise at(path, "Input should be a valid string")
        if compiled and not compiled.search(value):
            raise at(path, f"String should match pattern '{pattern}'")
        if len(value) < least:
            raise at(path, f"String should have at least {least} character{'s' * (least > 1)}")
        if most is not None and len(value) > most:
            raise at(path, f"String should have at most {most} characters")

    return form


def word(*values: str) -> Form:
    """One of these strings."""

    def form(value: Any, path: str) -> None:
        if value not in values or not isinstance(value, str):
            raise at(path, f"Input should be {listed(values)}")

    return form


def integer(low: int | None = None) -> Form:
    """A whole number, not below `low`."""

    def form(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise at(path, "Input should be a valid integer")
        if low is not None and value < low:
            raise at(path, f"Input should be greater than or equal to {low}")

    return form


def number(low: float, high: float) -> Form:
    """A number of this range."""

    def form(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise at(path, "Input should be a valid number")
        if not low <= value <= high:
            raise at(path, f"range: {low:g}..{high:g}")

    return form


def array(item: Form) -> Form:
    """A list."""

    def form(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise at(path, "Input should be a valid list")
        for place, one in enumerate(value):
            item(one, under(path, place))

    return form


def mapping(value: Any, path: str) -> None:
    """An object whose keys are the caller's own."""
    if not isinstance(value, dict):
        raise shapeless(path)


def record(fields: Mapping[str, Form], *required: str) -> Form:
    """An object with these fields and no others."""

    def form(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise shapeless(path)
        for name, inner in fields.items():
            given = value.get(name)
            if given is not None:
                inner(given, under(path, name))
            elif name in required:
                raise at(under(path, name), "Field required")
        for name in value:
            if name not in fields:
                raise at(under(path, name), "Extra inputs are not permitted")

    return form


def tagged(kinds: Mapping[str, Form], *, default: str = "") -> Form:
    """An object whose `type` says which of these it is; `default` where it says nothing."""

    def form(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise shapeless(path)
        tag = value.get("type")
        if tag is None:
            tag = default
        if tag == "":
            raise at(under(path, "type"), "Field required")
        if not isinstance(tag, str) or tag not in kinds:
            known = ", ".join(f"'{kind}'" for kind in sorted(kinds))
            said = f"Input tag '{tag}' found using 'type' does not match any of the expected tags: {known}"
            raise at(path, said)
        kinds[tag](value, under(path, tag))

    return form


def either(*forms: tuple[type, Form]) -> Form:
    """One form or another, told apart by the JSON type."""

    def form(value: Any, path: str) -> None:
        for kind, one in forms:
            if type(value) is kind:
                one(value, path)
                return
        raise shapeless(path)

    return form
