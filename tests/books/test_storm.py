"""Some seconds of `make chaos`, which looks for longer."""

import sys
from pathlib import Path

import pytest

from books.chaos import chaos

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills processes")


@pytest.mark.parametrize("postgres", [False, True], ids=["SQLite", "PostgreSQL"])
async def test_the_books_add_up_after_a_storm(tmp_path: Path, *, postgres: bool) -> None:
    found, events = await chaos(tmp_path, seconds=10, seed=11, postgres=postgres)
    assert found == []
    assert events["answered"] > 20, "too few for this to say anything"
    assert events["worker killed"] + events["server ended"] > 0, events
