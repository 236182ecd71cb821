"""PostgreSQL, through psycopg: the same statements, its own way of marking values."""

from functools import lru_cache
from typing import Any

from psycopg import Connection

from portico.core.storage import Row, Value


@lru_cache(maxsize=1024)
def _as_psycopg(sql: str) -> bytes:
    """`?` as psycopg has it. No statement of ours holds a question mark or a percent sign in a literal."""
    return sql.replace("?", "%s").encode()


class PostgresDb:
    """A `core.storage.Db` on an open connection; whoever holds it begins and ends transactions."""

    __slots__ = ("_connection", "now_us")

    def __init__(self, connection: Connection[tuple[Any, ...]]) -> None:
        self._connection = connection
        self.now_us = 0

    def begin(self) -> None:
        """A new transaction has begun: its time is the server's."""
        row = self._connection.execute("SELECT CAST(extract(epoch FROM now()) * 1000000 AS BIGINT)").fetchone()
        self.now_us = 0 if row is None else row[0]

    def run(self, sql: str, *values: Value) -> int:
        return self._connection.execute(_as_psycopg(sql), values).rowcount

    def rows(self, sql: str, *values: Value) -> list[Row]:
        return self._connection.execute(_as_psycopg(sql), values).fetchall()
