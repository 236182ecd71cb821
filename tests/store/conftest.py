"""One suite for both databases: a file, and a real PostgreSQL server that is started once."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import NullPool, create_engine

from portico.store.schema import METADATA
from store.servers import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="session")
def template(server: PostgresServer) -> str:
    """A database with all tables, for others to be copied from."""
    name = server.new_database()
    url = server.url(name).replace("postgresql://", "postgresql+psycopg://")
    METADATA.create_all(create_engine(url, poolclass=NullPool))
    return name


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    METADATA.create_all(create_engine(url, poolclass=NullPool))
    return url


@pytest.fixture(scope="session")
def shared_database(server: PostgresServer, template: str) -> str:
    return server.new_database(template)


@pytest.fixture
def postgres_url(server: PostgresServer, shared_database: str) -> str:
    """One database for all tests, emptied: a database is a thousand files, and removing it takes longer than a test."""
    server.end_connections(shared_database)
    url = server.url(shared_database)
    with psycopg.connect(url) as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Of a database with all tables and no rows."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found
