"""Brings the schema up to date: all that is missing, in one transaction, under a lock, so that it happens once or not.

Run as a program it reads the address from its standard input (`version.bring_up_to_date` says why); `portico db upgrade`
calls `upgrade`.
"""

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from portico.store import version
from portico.store.database import engine_for
from portico.store.engine import Engine, reason
from portico.store.filelock import FileLock, lock_path
from portico.store.sqlite import SqliteEngine, connect

SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = "SELECT pg_advisory_xact_lock(8029746203717)"
"""Any number will do that nobody else locks in this database."""


def settings(connection: Connection | None = None) -> Config:
    """Alembic's configuration."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(url: str, to: str = "head") -> tuple[str | None, str]:
    """The version before and after. Raises `version.Unusable`, and `ValueError` for an address that is none."""
    engine = engine_for(url)
    try:
        version.make_room(engine)
        with _locked(engine) as connection:
            before = _version(connection)
            version.judged(engine.name, before)
            command.upgrade(settings(connection), to)
            after = _version(connection)
    except (SQLAlchemyError, OSError) as error:
        raise version.UpgradeFailed(f"{engine.name} could not be brought up to date: {reason(error)}") from error
    return before, after or ""


def _version(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """A transaction that nobody else writes beside. Committed at the end, undone by an exception."""
    if isinstance(engine, SqliteEngine):
        with _locked_sqlite(engine.path) as connection:
            yield connection
        return
    from psycopg import connect as connect_postgres  # noqa: PLC0415 - not for SQLite

    from portico.store.postgres import PostgresEngine  # noqa: PLC0415

    assert isinstance(engine, PostgresEngine)  # noqa: S101 - there are two kinds
    url = engine.url
    made = create_engine("postgresql+psycopg://", creator=lambda: connect_postgres(url), poolclass=NullPool)
    with made.begin() as connection:
        connection.exec_driver_sql(_LOCK)
        yield connection


@contextmanager
def _locked_sqlite(path: Path) -> Iterator[Connection]:
    made = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        # Tables that are made anew for a change of theirs are dropped in between; what refers to them is checked after.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with contextlib.closing(FileLock(lock_path(path))) as lock:
        lock.take()
        with made.begin() as connection:
            yield connection
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                raise version.UpgradeFailed(f"{path}: rows would refer to nothing after the upgrade: {broken[:5]}")


def main() -> int:
    try:
        upgrade(sys.stdin.read().strip())
    except version.Unusable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
