"""A wire to a PostgreSQL server that can be cut at a chosen moment."""

import contextlib
import socket
import threading
from pathlib import Path


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
