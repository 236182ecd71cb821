"""Both databases, empty but for their tables, and workers that share one."""

from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine

from databases import postgres_url
from portico.store.schema import METADATA
from vault.workers import Workers


def with_tables(url: str) -> str:
    METADATA.create_all(create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool))
    return url


@cache
def _postgres() -> str:
    """One database for all tests: it is emptied, which takes less time than making another."""
    return with_tables(postgres_url())


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return with_tables(f"sqlite:///{tmp_path / 'books.db'}")
    with psycopg.connect(_postgres(), autocommit=True) as connection:
        connection.execute("TRUNCATE vault_records, resources, batches")
    return _postgres()


@pytest.fixture
async def workers(url: str) -> AsyncIterator[Workers]:
    async with Workers(url) as workers:
        yield workers
