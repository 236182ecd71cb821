"""Both databases, empty but for their tables, and workers that share one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from databases import postgres_url
from portico.store.schema import METADATA
from vault.workers import Workers


def with_tables(url: str) -> str:
    METADATA.create_all(create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool))
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return with_tables(f"sqlite:///{tmp_path / 'books.db'}" if request.param == "sqlite" else postgres_url())


@pytest.fixture
async def workers(url: str) -> AsyncIterator[Workers]:
    async with Workers(url) as workers:
        yield workers
