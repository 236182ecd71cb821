"""Real databases for tests: one PostgreSQL server with a new database for each test, and servers that may be stopped."""

import atexit
import contextlib
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

_NUMBERS = itertools.count(1)


@cache
def _server() -> Any:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pgserver
        except ImportError as error:
            pytest.skip(f"no PostgreSQL server for tests: {error}")
        folder = Path(tempfile.mkdtemp(prefix="portico-pg-"))
        server = pgserver.get_server(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    return server


def postgres_url() -> str:
    """A new, empty database on a server that is started once."""
    server, name = _server(), f"portico_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return str(server.get_uri(name))


class Postgres:
    """A server of one's own, which may be stopped and started."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pgserver

            self._server = pgserver.get_server(folder)
        self._folder = folder
        self.url = str(self._server.get_uri())

    def stop(self) -> None:
        """At once: connections are cut, as when a machine goes down."""
        from pgserver._commands import pg_ctl

        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self._folder, user=self._server.system_user)

    def start(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._server.ensure_postgres_running()

    def end(self) -> None:
        self._server.cleanup()


@contextlib.contextmanager
def own_postgres() -> Iterator[Postgres]:
    """Its folder is one that the server's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="portico-pg-"))
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)
