"""PostgreSQL, through psycopg: the same statements, its own way of marking values."""

import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg import Connection, conninfo

from portico.core.storage import Carried, Row, Value, Write
from portico.store.engine import Fault

CONNECT_TIMEOUT_S: Final = 3
_SETTINGS: Final = (
    "SET lock_timeout = 1000",
    # A worker that was frozen inside a transaction holds rows that others wait for: the server takes them away from it.
    "SET idle_in_transaction_session_timeout = 5000",
    "SET client_min_messages = warning",
    # A client that has cut its connection is noticed while a statement still runs: what it holds is what its next attempt
    # waits for. PostgreSQL 13 has no such setting, and notices when the statement ends.
    "SELECT set_config(name, '500', false) FROM pg_settings WHERE name = 'client_connection_check_interval'",
)
_WIRE: Final[Mapping[str, str | int | None]] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "application_name": "portico",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Unless the address says otherwise. A server that is gone without a word is given up by TCP in some ten seconds, where
the system would wait for a quarter of an hour: who reads meanwhile does not learn of a key that is taken back."""
_NOW: Final = "SELECT CAST(extract(epoch FROM now()) * 1000000 AS BIGINT)"
_READ_ONLY: Final = "25006"
_LOST: Final = frozenset({"08", "53", "57", "58", "XX", "F0", _READ_ONLY})
"""Classes of SQLSTATE, and one code, that are about the server and not about a statement. A server that only reads where
nobody asked for that is a standby."""
_PASSING: Final = frozenset({"40", "55P03"})
"""Rolled back for the sake of others (deadlock, serialization), and a lock that could not be had in time."""


@lru_cache(maxsize=1024)
def _as_psycopg(sql: str) -> bytes:
    """`?` as psycopg has it. No statement of ours holds a question mark or a percent sign in a literal."""
    return sql.replace("?", "%s").encode()


class PostgresDb:
    """A `core.storage.Db` on an open connection; whoever holds it begins and ends transactions."""

    __slots__ = ("_connection", "batch", "carried", "now_us")

    def __init__(self, connection: Connection[tuple[Any, ...]]) -> None:
        self._connection = connection
        self.carried: dict[str, Carried] | None = None
        self.batch: Sequence[Write[Any]] = ()
        self.now_us = 0

    def begin(self) -> None:
        """A new transaction has begun: its time is the server's."""
        row = self._connection.execute(_NOW).fetchone()
        self.now_us = 0 if row is None else row[0]

    def run(self, sql: str, *values: Value) -> int:
        return self._connection.execute(_as_psycopg(sql), values).rowcount

    def rows(self, sql: str, *values: Value) -> list[Row]:
        return self._connection.execute(_as_psycopg(sql), values).fetchall()


class PostgresSession:
    """An `engine.Session`. Each begin is one round trip, the server's time included."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(
            conninfo.make_conninfo("", **{**_WIRE, **conninfo.conninfo_to_dict(url)}), autocommit=True
        )
        try:
            self._connection.prepared_max = 256
            self._connection.execute("; ".join(_SETTINGS), prepare=False)
        except BaseException:
            self._connection.close()
            raise
        self.db = PostgresDb(self._connection)
        self._read_only = False

    def _begin(self, how: str, *, read_only: bool) -> None:
        self._read_only = read_only
        cursor = self._connection.execute(f"{how}; {_NOW}", prepare=False)
        cursor.nextset()
        row = cursor.fetchone()
        self.db.now_us = 0 if row is None else row[0]

    def begin(self) -> None:
        self._begin("BEGIN", read_only=False)

    def begin_reading(self) -> None:
        self._begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", read_only=True)

    def commit(self) -> None:
        # The server answers ROLLBACK, and no error, where a statement had failed and nobody said so.
        if (said := self._connection.execute("COMMIT", prepare=False).statusmessage) != "COMMIT":
            raise psycopg.InternalError(f"the transaction had failed: COMMIT was answered with {said}")

    def rollback(self) -> None:
        self._connection.execute("ROLLBACK", prepare=False)

    def fault(self, error: Exception) -> Fault:
        if self._connection.closed:
            return Fault.LOST
        if not isinstance(error, psycopg.Error):
            return Fault.OWN
        state = error.sqlstate
        if state is None:
            return Fault.LOST if isinstance(error, psycopg.OperationalError) else Fault.OWN
        if state in _LOST or state[:2] in _LOST:
            return Fault.OWN if state == _READ_ONLY and self._read_only else Fault.LOST
        return Fault.PASSING if state in _PASSING or state[:2] in _PASSING else Fault.OWN

    def interrupt(self) -> None:
        # A server that is frozen, or behind a broken network, answers no request to cancel: the connection is cut.
        with contextlib.suppress(OSError, psycopg.Error):
            descriptor = os.dup(self._connection.fileno())
            with socket.socket(fileno=descriptor) as wire:
                wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self._connection.close()


class PostgresEngine:
    """An `engine.Engine`."""

    is_local: Final = False
    find_table: Final = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = ?"

    def __init__(self, url: str) -> None:
        """`url`: `postgresql://…`, as libpq reads it; parameters of the connection may follow after `?`.

        Raises `ValueError`.
        """
        self.url = url
        try:
            parts = conninfo.conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # Not what the driver says: that repeats the address, and a password may be in it.
            raise ValueError("the database's address cannot be read: postgresql://user@host/name") from None
        self.name = f"PostgreSQL {parts.get('dbname', '')} at {parts.get('host', 'this machine')}"

    def connect(self) -> PostgresSession:
        return PostgresSession(self.url)
