"""SQLite: a file beside the configuration, WAL, every commit on the disk before it counts (synchronous=FULL)."""

import sqlite3
import time
from pathlib import Path

from portico.core.storage import Row, Value


class SqliteDb:
    """A `core.storage.Db` on an open connection; whoever holds it begins and ends transactions."""

    __slots__ = ("_execute", "now_us")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self.now_us = time.time_ns() // 1000

    def begin(self, now_us: int | None = None) -> None:
        """A new transaction has begun: its time is fixed. All of SQLite's workers share one machine, and so its clock."""
        self.now_us = time.time_ns() // 1000 if now_us is None else now_us

    def run(self, sql: str, *values: Value) -> int:
        return self._execute(sql, values).rowcount

    def rows(self, sql: str, *values: Value) -> list[Row]:
        return self._execute(sql, values).fetchall()


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that leaves transactions to its owner (autocommit, so BEGIN and COMMIT are said) and may be handed from
    one thread to another."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=10.0
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection
