"""An empty database for each test, of both kinds, without the committer: transactions are begun and ended by hand."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

import databases
from portico.core.storage import Db
from portico.store.postgres import PostgresDb
from portico.store.sqlite import SqliteDb, connect

T = TypeVar("T")


class Books:
    """A database in which accounts can be made, and changes made one transaction each."""

    def __init__(self, connection: Any, db: SqliteDb | PostgresDb, opened: Callable[[], "Books"]) -> None:
        self._connection = connection
        self.db = db
        self.another = opened
        """Opens another connection to the same database."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Db]:
        if isinstance(self.db, SqliteDb):
            self._connection.execute("BEGIN IMMEDIATE")
        self.db.begin()
        try:
            yield self.db
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def do(self, change: Callable[[Db], T]) -> T:
        with self.transaction() as db:
            return change(db)

    def account(self, name: str, posted: int = 0, kind: str = "prepaid") -> str:
        def make(db: Db) -> None:
            sql = "INSERT INTO accounts (id, name, kind, posted_nanos, created_us) VALUES (?, ?, ?, ?, ?)"
            db.run(sql, name, name, kind, posted, db.now_us)
            if posted:
                db.run(
                    "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, at_us) VALUES (?, 'top_up', ?, 0, ?)",
                    name,
                    posted,
                    db.now_us,
                )

        self.do(make)
        return name

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def sqlite_books(path: Path) -> Iterator[Books]:
    databases.sqlite_books(path)
    opened: list[Books] = []

    def another() -> Books:
        connection: sqlite3.Connection = connect(path)
        opened.append(Books(connection, SqliteDb(connection), another))
        return opened[-1]

    yield another()
    for books in opened:
        books.close()


@contextlib.contextmanager
def postgres_books() -> Iterator[Books]:
    url = databases.postgres_books()
    opened: list[Books] = []

    def another() -> Books:
        connection = psycopg.connect(url)
        opened.append(Books(connection, PostgresDb(connection), another))
        return opened[-1]

    yield another()
    for books in opened:
        books.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    with sqlite_books(tmp_path / "books.db") if request.param == "sqlite" else postgres_books() as made:
        yield made
