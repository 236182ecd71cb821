"""The console, on SQLite; for those that ask for `rooms_anywhere`, on PostgreSQL too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.local import Bench, on_postgres, on_sqlite
from inside.desk import Rooms


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    reading = on_sqlite(tmp_path / "books.db")
    yield Rooms(Bench(reading))
    reading.connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def rooms_anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rooms]:
    reading = on_sqlite(tmp_path / "books.db") if request.param == "sqlite" else on_postgres()
    yield Rooms(Bench(reading))
    reading.connection.close()
