"""Every test that wants `books` runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.rowbooks import Books, postgres_books, sqlite_books


@pytest.fixture(params=["sqlite", "postgres"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    with sqlite_books(tmp_path / "portico.db") if request.param == "sqlite" else postgres_books() as found:
        yield found
