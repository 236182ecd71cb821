"""Every test that wants `books` runs on both databases."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.books import Books, postgres_books, sqlite_books


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of this test run's own, on a Unix socket."""
    folder = tmp_path_factory.mktemp("postgres")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # pgserver warns where there is none
    from pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    if request.param == "sqlite":
        with sqlite_books(tmp_path / "portico.db") as found:
            yield found
    else:
        with postgres_books(request.getfixturevalue("postgres_url")) as found:
            yield found
