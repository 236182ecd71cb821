"""A real PostgreSQL server for tests, and a wire to it that can be cut at a chosen moment."""

import contextlib
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql


def _pgserver(runtime: Path) -> Any:
    """pgserver looks once, when it is imported, for a folder to keep its lock in, and warns if nobody names one."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pgserver

    return pgserver


class PostgresServer:
    """One server, with a database for whoever asks. It listens on a socket of the file system only."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._made = 0

    @property
    def socket_folder(self) -> Path:
        return Path(self._server.get_postmaster_info().socket_dir)

    def url(self, database: str = "postgres", folder: Path | None = None) -> str:
        return f"postgresql://postgres@/{database}?host={folder or self.socket_folder}"

    def admin(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(), autocommit=True)

    def new_database(self, template: str = "template1") -> str:
        """Its name."""
        self._made += 1
        name = f"test_{self._made}"
        with self.admin() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return name

    def end_connections(self, database: str) -> int:
        """Terminates every backend of that database; how many there were."""
        ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with self.admin() as connection:
            return len(connection.execute(ending, (database,)).fetchall())

    def stop(self) -> None:
        from pgserver._commands import POSTGRES_BIN_PATH

        command = [str(POSTGRES_BIN_PATH / "pg_ctl"), "-D", str(self._server.pgdata), "-w", "-m", "fast", "stop"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """In a short folder of its own: the path of a socket may have 107 characters."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        runtime = Path(folder, "run")
        runtime.mkdir(mode=0o700)
        server = _pgserver(runtime).get_server(Path(folder, "data"), cleanup_mode="stop")
        try:
            running = PostgresServer(server)
            with running.admin() as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")  # these books may be lost with the machine
                connection.execute("SELECT pg_reload_conf()")
            yield running
        finally:
            server.cleanup()


class CutWire:
    """Passes bytes between clients and a server's socket, until it is told to cut.

    `cut_at` is looked for in what a client says. `before`: it is cut before the server hears that; else after the server
    has answered, and the client hears nothing.
    """

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder = folder
        self._target = str(target / ".s.PGSQL.5432")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen(16)
        self._open: list[socket.socket] = []
        self.cut_at: bytes | None = None
        self.before = True
        self.cuts = 0
        self.refusing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            self._open += [client, server]
            cut = threading.Event()
            threading.Thread(target=self._to_server, args=(client, server, cut), daemon=True).start()
            threading.Thread(target=self._to_client, args=(client, server, cut), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self.cut_at is not None and self.cut_at in data:
                    self.cut_at = None
                    self.cuts += 1
                    if self.before:
                        break
                    cut.set()
                server.sendall(data)
        self._drop(client if not cut.is_set() else None, server if not cut.is_set() else None)

    def _to_client(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if cut.is_set():
                    break
                client.sendall(data)
        self._drop(client, server)

    @staticmethod
    def _drop(*ends: socket.socket | None) -> None:
        for end in ends:
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut_all(self) -> None:
        self._drop(*self._open)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()
        for end in self._open:
            end.close()
