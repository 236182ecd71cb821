"""Tables whose keys are judged one by one: what each must be, in words and as a check."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from portico.config.sources import Sources
from portico.config.values import plain_value


class Rule(msgspec.Struct, frozen=True):
    """What one key must be. `wanted` goes on after "expected"."""

    wanted: str
    fits: Callable[[Any], bool]
    in_environment: bool = True
    """Whether a variable can say it at all (tables have no place there)."""


def one_of(*known: str) -> Rule:
    return Rule(f"one of {', '.join(known)}", lambda value: value in known)


SWITCH: Final = Rule("true or false", lambda value: isinstance(value, bool))
COUNT: Final = Rule("a whole number from 0", lambda value: type(value) is int and value >= 0)
POSITIVE: Final = Rule("a whole number above 0", lambda value: type(value) is int and value > 0)
AMOUNT: Final = Rule("a number from 0", lambda value: type(value) in (int, float) and 0 <= value < float("inf"))


def read_rules(
    sources: Sources, name: str, table: Mapping[str, Any], rules: Mapping[str, Rule], *, prefix: str
) -> dict[str, Any]:
    """What is given of a table, and fits; the environment (`prefix` and the key, in capitals) wins over the file."""
    values: dict[str, Any] = {}
    for key, rule in rules.items():
        variable = f"{prefix}{key}".upper()
        text = sources.environment.get(variable) if rule.in_environment else None
        value = plain_value(text) if text else table.get(key)
        if value is None:
            continue
        if text and not rule.fits(value):
            value = text  # which may be meant where it reads like a number
        if rule.fits(value):
            values[key] = value
        elif text:
            sources.problem(variable, f"expected {rule.wanted}, found {text!r}", in_file=False)
        else:
            sources.at(name, key, f"expected {rule.wanted}, found {value!r}")
    return values
