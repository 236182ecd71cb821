"""An empty database for a test: SQLite in a file, or a real PostgreSQL server."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psycopg

import databases
from portico.core.errors import StorageUnavailable
from portico.core.storage import Db
from portico.store import sqlite
from portico.store.postgres import PostgresDb

T = TypeVar("T")


class Books:
    """Changes and questions, each in a transaction of its own."""

    def __init__(self, begin: Callable[[], contextlib.AbstractContextManager[Db]]) -> None:
        self.begin = begin

    def work(self, change: Callable[[Db], T]) -> T:
        with self.begin() as db:
            return change(db)


@contextlib.contextmanager
def sqlite_books(path: Path) -> Iterator[Books]:
    databases.sqlite_books(path)
    connection: sqlite3.Connection = sqlite.connect(path)

    @contextlib.contextmanager
    def begin() -> Iterator[Db]:
        db = sqlite.SqliteDb(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    try:
        yield Books(begin)
    finally:
        connection.close()


@contextlib.contextmanager
def postgres_books() -> Iterator[Books]:
    url = databases.postgres_books()

    @contextlib.contextmanager
    def begin() -> Iterator[Db]:
        with psycopg.connect(url) as connection:
            db = PostgresDb(connection)
            db.begin()
            yield db

    yield Books(begin)


class Reads:
    """A `core.storage.Reading` on an open database; while it is `down` it is as one that cannot be reached."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.down = False

    async def read(self, query: Callable[[Db], T]) -> T:
        if self.down:
            raise StorageUnavailable
        return self._books.work(query)

    async def work(self, change: Callable[[Db], T]) -> T:
        return await self.read(change)
