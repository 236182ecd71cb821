"""Both databases, empty but for their tables, and workers that share one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import databases
from vault.workers import Workers


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return databases.sqlite_books(tmp_path / "books.db")
    return databases.postgres_books()


@pytest.fixture
async def workers(url: str) -> AsyncIterator[Workers]:
    async with Workers(url) as workers:
        yield workers
