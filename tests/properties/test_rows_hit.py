"""A row that no request exercised is a row that was not shown to work."""

import pytest

from properties.asking import HITS
from properties.chat_requests import ALL_ROWS


@pytest.mark.of_the_whole_run
def test_every_row_was_hit() -> None:
    """Rows of mapping.md 1.1 to 1.4 that the properties are about."""
    if not HITS:
        pytest.skip("no property was run")
    assert sorted(ALL_ROWS - HITS.keys()) == []
    assert HITS.keys() <= ALL_ROWS, sorted(HITS.keys() - ALL_ROWS)
