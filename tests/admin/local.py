"""Commands on a database of one's own, without a server and without processes."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

import msgspec
import psycopg

import databases
from portico.admin.command import Office
from portico.admin.commands import BY_NAME
from portico.admin.desk import House
from portico.catalog import load_catalog
from portico.core.errors import PorticoError
from portico.core.storage import Db
from portico.store.postgres import PostgresDb
from portico.store.sqlite import SqliteDb, connect

T = TypeVar("T")
NOW_US = 1_795_000_000_000_000
GEMINI = {"gemini": "gemini"}
TODAY = dt.datetime.fromtimestamp(NOW_US / 1e6, dt.UTC).date()


class LocalReading:
    """A `core.storage.Reading` on one connection: one transaction at a time, in a thread. Its clock may be set."""

    def __init__(self, connection: Any, db: SqliteDb | PostgresDb) -> None:
        self.connection = connection
        self.db = db
        self.now_us = NOW_US
        self._turn = asyncio.Lock()

    async def read(self, query: Callable[[Db], T]) -> T:
        return await self.work(query)

    async def work(self, change: Callable[[Db], T]) -> T:
        async with self._turn:
            return await asyncio.to_thread(self.at_once, change)

    def at_once(self, change: Callable[[Db], T]) -> T:
        self.connection.execute("BEGIN")
        self.db.now_us = self.now_us
        try:
            result = change(self.db)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return result


def on_sqlite(path: Path) -> LocalReading:
    databases.sqlite_books(path)
    connection = connect(path)
    return LocalReading(connection, SqliteDb(connection))


def on_postgres() -> LocalReading:
    connection = psycopg.connect(databases.postgres_books(), autocommit=True)
    return LocalReading(connection, PostgresDb(connection))


class Refused(NamedTuple):
    status: int
    code: str | None
    message: str
    param: str | None


class Bench:
    """Commands by name, their results as plain JSON values."""

    def __init__(self, reading: LocalReading, providers: Mapping[str, str] = GEMINI, **house: Any) -> None:
        self.reading = reading
        self.house = House(catalog=load_catalog(), providers=providers, **house)
        self.office = Office(reading, self.house, Random(7))

    def do(self, name: str, /, **fields: Any) -> Any:
        command = BY_NAME[name]
        result = asyncio.run(self.office.do(command, command.read(fields), actor="test"))
        return json.loads(msgspec.json.encode(result))

    def refusal(self, name: str, /, **fields: Any) -> Refused:
        try:
            result = self.do(name, **fields)
        except PorticoError as error:
            return Refused(error.http_status, error.code, error.message, error.param)
        raise AssertionError(f"it was done: {result}")

    def rows(self, sql: str, *values: Any) -> list[Any]:
        return self.reading.at_once(lambda db: db.rows(sql, *values))

    def run(self, sql: str, *values: Any) -> int:
        return self.reading.at_once(lambda db: db.run(sql, *values))
