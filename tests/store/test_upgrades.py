"""A database of every released schema is brought up to date, and keeps its rows (`released/`)."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from databases import postgres_url
from portico.store import version
from portico.store.database import Database, open_database
from portico.store.migrate import upgrade
from portico.store.version import State

RELEASED = Path(__file__).parent / "released"
SCHEMAS = sorted(path.stem for path in RELEASED.glob("*.sql"))
Rows = dict[str, list[dict[str, Any]]]


def written(schema: str) -> sqlite3.Connection:
    """The database of that schema as it was written down."""
    connection = sqlite3.connect(":memory:")
    connection.executescript((RELEASED / f"{schema}.sql").read_text(encoding="utf-8"))
    return connection


def rows_of(connection: sqlite3.Connection) -> Rows:
    """All rows of all tables, by the names of their columns."""
    connection.row_factory = sqlite3.Row
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    names = [row["name"] for row in found if row["name"] != "alembic_version"]
    return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}  # noqa: S608


def put_into_sqlite(schema: str, path: Path) -> str:
    with contextlib.closing(written(schema)) as source, contextlib.closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return f"sqlite:///{path}"


def put_into_postgres(schema: str, url: str) -> str:
    """Its tables by the migrations of the time, which never change once they are released, and the same rows."""
    upgrade(url, schema)
    with contextlib.closing(written(schema)) as source:
        kept = rows_of(source)
    first = ["users", "accounts", "keys"]
    with psycopg.connect(url) as connection:
        for name in sorted(kept, key=lambda name: first.index(name) if name in first else len(first)):
            for row in kept[name]:
                columns = sql.SQL(", ").join(map(sql.Identifier, row))
                marks = sql.SQL(", ").join([sql.Placeholder()] * len(row))
                insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(name), columns, marks)
                connection.execute(insert, list(row.values()))
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def old(kind: str, schema: str, tmp_path: Path) -> str:
    """The address of a database of a released schema."""
    if kind == "sqlite":
        return put_into_sqlite(schema, tmp_path / "books.db")
    return put_into_postgres(schema, postgres_url())


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


def test_every_schema_of_a_release_is_written_down() -> None:
    assert tuple(SCHEMAS) == version.KNOWN


def test_a_database_of_a_released_schema_keeps_its_rows(old: str, schema: str) -> None:
    with contextlib.closing(written(schema)) as source:
        kept = rows_of(source)
    assert all(rows for rows in kept.values()), "every table has a row to lose"
    with opened(old) as database:
        before = version.check(database)
        assert before is (State.CURRENT if schema == version.KNOWN[-1] else State.BEHIND)
        assert version.bring_up_to_date(old, database) is before
        assert version.check(database) is State.CURRENT
        for table, rows in kept.items():
            for row in rows:
                columns = ", ".join(f'"{name}"' for name in row)
                found = database.ask(lambda db, sql=f"SELECT {columns} FROM {table}": db.rows(sql))  # type: ignore[misc]  # noqa: S608
                assert [tuple(map(plain, one)) for one in found] == [tuple(row.values())], table


def plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_what_a_released_migration_makes_does_not_change(schema: str, tmp_path: Path) -> None:
    """Whoever needs another table adds a migration: databases of this schema exist."""
    path = tmp_path / "books.db"
    upgrade(f"sqlite:///{path}", schema)
    with contextlib.closing(sqlite3.connect(path)) as made, contextlib.closing(written(schema)) as source:
        question = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        assert made.execute(question).fetchall() == source.execute(question).fetchall()
