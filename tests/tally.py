"""What tests count, in sum over a whole run: one process may have all tests, or several share them (`pytest -n 2`).

A counter has a name and is asked for where things are counted. What each process counted is added up at the end of a run
(`conftest.py`), then told, and then the tests that are marked `of_the_whole_run` judge it.
"""

from collections import Counter
from typing import Any

Counts = dict[str, dict[Any, int]]

_COUNTERS: dict[str, Counter[Any]] = {}


def counter(name: str) -> Counter[Any]:
    """The one of that name. Its keys are strings, or tuples of strings: they travel between processes."""
    return _COUNTERS.setdefault(name, Counter())


def counted() -> Counts:
    """All of it, as plain values."""
    return {name: dict(counts) for name, counts in _COUNTERS.items() if counts}


def add(counts: Counts) -> None:
    """What another process counted."""
    for name, other in counts.items():
        counter(name).update(other)
