"""The files whose tests take longest, which are begun first.

Where several processes share a run, whoever has nothing left takes half of what the others have left, down to the last
test: if that is one of two minutes, everybody else waits for it.
"""

from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent
LONGEST: Final = (
    "sdk/test_langchain_suites.py",
    "books/test_crash.py",
    "web/test_browser.py",
    "web/test_samples.py",
    "web/test_traffic_served.py",
    "web/test_afdocs.py",
    "books/test_outage.py",
    "books/test_gateway_died.py",
    "books/test_changes_reach_workers.py",
    "books/test_ending_calls.py",
    "books/test_race.py",
    "books/test_storm.py",
    "books/test_kept_and_restored.py",
    "inside/test_every_inside_page.py",
    "inside/test_playground_browser.py",
    "money/test_chaos_money.py",
    "gateway/test_chaos.py",
    "gateway/test_complaint_16.py",
)
_PLACES: Final = {TESTS / name: place for place, name in enumerate(LONGEST)}


def begin_with_the_longest(items: list[pytest.Item]) -> None:
    """All others keep their order, and those of a file stay together."""
    items.sort(key=lambda item: _PLACES.get(item.path, len(_PLACES)))
