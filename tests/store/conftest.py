"""One suite for both databases."""

from pathlib import Path

import pytest

import databases
from databases import Postgres


@pytest.fixture
def server() -> Postgres:
    return databases.server()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return databases.sqlite_books(tmp_path / "books.db")


@pytest.fixture
def postgres_url() -> str:
    return databases.postgres_books()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Of a database with all tables and no rows."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found
