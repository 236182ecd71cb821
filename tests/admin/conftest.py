"""A bench on each database: most tests run on SQLite, those that ask for `bench_anywhere` on PostgreSQL too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.local import Bench, on_postgres, on_sqlite


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    reading = on_sqlite(tmp_path / "books.db")
    yield Bench(reading)
    reading.connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def bench_anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    reading = on_sqlite(tmp_path / "books.db") if request.param == "sqlite" else on_postgres()
    yield Bench(reading)
    reading.connection.close()
