"""SQLite: a file beside the configuration, WAL, every commit on the disk before it counts (synchronous=FULL)."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from portico.core.storage import Carried, Row, Value, Write
from portico.store.engine import Exchanged, Fault
from portico.store.filelock import FileLock, lock_path

WAL_PAGES: Final = 4000
"""Pages of the log (16 MB) before they are brought into the file: one that every batch writes is brought once."""
OPENING_S: Final = 10.0
"""How long whoever opens a database waits for others that open or close it."""
BUSY_TIMEOUT_S: Final = 1.0
"""How long a session waits for a writer that does not know of the lock beside the file, such as the sqlite3 shell."""

_OWN: Final = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_TOOBIG,
    }
)
"""Primary result codes that are about a statement. All others are about the file, the disk or the machine."""


class SqliteDb:
    """A `core.storage.Db` on an open connection; whoever holds it begins and ends transactions."""

    __slots__ = ("_execute", "batch", "carried", "now_us")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self.carried: dict[str, Carried] | None = None
        self.batch: Sequence[Write[Any]] = ()
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
    one thread to another. Raises `sqlite3.OperationalError`."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=OPENING_S
    )
    try:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """The log is written ahead. While another connection opens the first, or closes the last, SQLite says "locked" at once,
    without the patience it was told to have (sqlite.org/wal.html, Sometimes Queries Return SQLITE_BUSY In WAL Mode)."""
    deadline = time.monotonic() + OPENING_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


class SqliteSession:
    """An `engine.Session`. Holds the lock beside the file from `begin` to the end of the transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _identity(path)
        self._lock = FileLock(lock_path(path))
        self._locked = False
        try:
            self._connection = connect(path)
            self._connection.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
        except BaseException:
            self._lock.close()
            raise
        self._execute = self._connection.execute
        self._read_only = False
        self.db = SqliteDb(self._connection)

    def begin(self) -> None:
        self._lock.take()
        self._locked = True
        try:
            self._find()
            self._may_write(True)
            self._execute("BEGIN IMMEDIATE")
        except BaseException:
            self._unlock()
            raise
        self.db.begin()

    def begin_reading(self) -> None:
        self._find()
        self._may_write(False)
        self._execute("BEGIN")
        self.db.begin()

    def _find(self) -> None:
        """What is open is what is at the path. Else everything would go well, and into a file that nobody finds. Raises
        `Exchanged`, and `OSError` if there is no file."""
        if _identity(self._path) != self._file:
            raise Exchanged(self._path)

    def _may_write(self, may: bool) -> None:
        if may == self._read_only:
            self._execute(f"PRAGMA query_only = {'OFF' if may else 'ON'}")
            self._read_only = not may

    def commit(self) -> None:
        try:
            self._execute("COMMIT")
        except BaseException:
            self.rollback()
            raise
        self._unlock()

    def rollback(self) -> None:
        try:
            if self._connection.in_transaction:  # some errors have ended it already
                self._execute("ROLLBACK")
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self._locked:
            self._locked = False
            self._lock.give()

    def fault(self, error: Exception) -> Fault:
        if not isinstance(error, sqlite3.Error):
            return Fault.OWN
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:  # the module itself objects, as to unknown types
            return Fault.OWN
        primary = code & 0xFF
        own = primary in _OWN or (primary == sqlite3.SQLITE_READONLY and self._read_only)
        return Fault.OWN if own else Fault.LOST

    def interrupt(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.interrupt()

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._lock.close()


def _identity(path: Path) -> tuple[int, int]:
    """Which file is there. No other can be the same while it is open. Raises `OSError`."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


class SqliteEngine:
    """An `engine.Engine`."""

    is_local: Final = True
    find_table: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def connect(self) -> SqliteSession:
        return SqliteSession(self.path)
