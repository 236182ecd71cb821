"""What costs a caller or a provider little costs the gateway little: twice as much of it takes about twice the steps.

Steps are calls of functions, in Python and in C, so that the count is the same on every machine.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import pytest

from portico.core.request import Tool
from portico.dialects.anthropic_messages.schemas import Closed

MORE: Final = 4
"""How many times as much there is the second time."""


def steps(act: Callable[[], object]) -> int:
    """How many functions are called."""
    count = 0

    def note(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def growth(act: Callable[[Any], object], made: Callable[[int], Any], size: int) -> float:
    """How many times the steps of a size that as many times as much takes."""
    small, large = made(size), made(size * MORE)
    act(small)  # What is imported or remembered at the first time is not counted.
    return steps(lambda: act(large)) / steps(lambda: act(small))


# -- schemas of callers ----------------------------------------------------------------------------------------------


def chain(length: int) -> dict[str, Any]:
    """Definitions each of which names the next."""
    names = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**names, f"d{length}": {"type": "string"}}}


def test_each_definition_of_a_schema_is_followed_once() -> None:
    assert growth(Closed, chain, 100) < MORE * 1.2
