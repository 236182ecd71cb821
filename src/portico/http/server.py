"""The server: accepts callers' connections and hands each request to the app as an exchange.

    server = await Server(app).start(host="127.0.0.1", port=8080)
    ...
    await server.stop(grace_s=30)

The app runs in a task per request. Stopping lets running calls finish up to a deadline and waits for what they do when
they are cancelled after it, for that is where a call settles its books.
"""

import asyncio
import contextvars
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from portico.http.budget import NO_ROOM, Budget
from portico.http.connection import Connection
from portico.http.deadlines import Deadlines
from portico.http.exchange import HttpExchange
from portico.http.fields import STATUS_LINES, render_fields
from portico.http.forwarded import TrustedProxies
from portico.http.keepalive import keep_watch
from portico.http.limits import Limits
from portico.http.outbox import Outbox
from portico.http.reader import Admit
from portico.wire.http import Headers

__all__ = ["CODES", "Limits", "RenderError", "Server", "render_error"]

logger = logging.getLogger("portico.http")

RenderError = Callable[[int, str, str, Mapping[str, str]], tuple[Headers, bytes]]
"""`(status, message, path, headers) -> (headers, body)` of an answer to what never reached the app, in the caller's own
dialect. `path` is "" and `headers` incomplete when the request was not read that far."""

ServerApp = Callable[[HttpExchange], Awaitable[None]]
"""An `App`, or one that asks more of its exchange than `wire.http.Exchange` promises."""

CANCELLED_S = 5.0
"""How long cancelled calls may take to wind up when the server stops."""


def render_error(status: int, message: str, path: str, headers: Mapping[str, str]) -> tuple[Headers, bytes]:  # noqa: ARG001
    """An error as most callers know it (OpenAI's shape)."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": None, "code": CODES.get(status)}
    return [("content-type", "application/json")], json.dumps({"error": error}).encode()


CODES: Final[Mapping[int, str]] = {
    400: "bad_request",
    408: "request_timeout",
    413: "request_too_large",
    417: "expectation_failed",
    431: "headers_too_large",
    500: "internal_error",
    503: "shutting_down",
}
"""What an error of the connection itself is called, whoever tells it."""


class Server:
    """Serves one app on one or more sockets of the running loop."""

    def __init__(
        self,
        app: ServerApp,
        *,
        limits: Limits | None = None,
        render_error: RenderError = render_error,
        budget: Budget | None = None,
        admit: Admit | None = None,
        proxies: TrustedProxies | None = None,
    ) -> None:
        """`budget` bounds the bodies that are in flight at once; by default nothing does. `admit` is asked of a long body's
        head whether to read it. `proxies` may tell who calls."""
        self.admit = admit
        self.proxies = proxies
        self.limits = limits or Limits()
        self.budget = budget or Budget()
        self._app = app
        self._render_error = render_error
        self._listener: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self.running: set[HttpExchange] = set()
        """Calls that are not over: what follows their answers counts in."""
        self._stopping = False
        self._ended = asyncio.Event()
        self._context = contextvars.copy_context()
        self._loop: asyncio.AbstractEventLoop
        self.deadlines: Deadlines
        self.outbox: Outbox

    async def start(
        self,
        *,
        host: str | None = "127.0.0.1",
        port: int = 0,
        sock: socket.socket | None = None,
        tls: ssl.SSLContext | None = None,
        backlog: int = 2048,
    ) -> "Server":
        """Listens on `sock` if given, else on `host` and `port` (0: any free one). Raises `OSError`."""
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self.deadlines = Deadlines(self._loop)
        self.outbox = Outbox(self._loop)
        options: dict[str, Any] = {"backlog": backlog}
        if tls is not None:
            options |= {
                "ssl": tls,
                "ssl_handshake_timeout": self.limits.header_timeout_s,
                "ssl_shutdown_timeout": self.limits.stall_timeout_s,  # the connection itself ends it sooner
            }
        if sock is not None:
            self._listener = await self._loop.create_server(self._accept, sock=sock, **options)
        else:
            self._listener = await self._loop.create_server(self._accept, host, port, **options)
        keep_watch(self._listener.sockets)
        return self

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of every listening socket."""
        sockets = self._listener.sockets if self._listener is not None else ()
        return [(name[0], name[1]) for name in (sock.getsockname() for sock in sockets) if isinstance(name, tuple)]

    @property
    def port(self) -> int:
        """The port actually listened on (of the first socket). Raises `IndexError` when not listening."""
        return self.addresses[0][1]

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    @property
    def open_calls(self) -> int:
        return len(self.running)

    async def stop(self, grace_s: float = 30.0) -> None:
        """No new connection; idle ones are closed; running calls may finish for `grace_s`, then they are cancelled."""
        if self._listener is None:
            return
        self._stopping = True
        self._listener.close()
        for connection in list(self._connections):
            connection.retire()
        if not await self._quiet(grace_s):
            tasks = [exchange.task for exchange in self.running if exchange.task is not None]
            for exchange in list(self.running):
                self._cancel(exchange)
            if tasks:
                await asyncio.wait(tasks, timeout=CANCELLED_S)
            for connection in list(self._connections):
                connection.drop()
            await self._quiet(CANCELLED_S)
        self.deadlines.close()
        self._listener = None

    async def _quiet(self, within_s: float) -> bool:
        """Whether every connection and every call ended in time."""
        self._ended.clear()
        self._note_end()
        try:
            async with asyncio.timeout(within_s):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    def _note_end(self) -> None:
        if self._stopping and not self._connections and not self.running:
            self._ended.set()

    def _accept(self) -> Connection:
        return Connection(self, self._loop)

    # A connection speaks.

    def connected(self, connection: Connection) -> None:
        self._connections.add(connection)
        self.deadlines.watch(connection)
        if self._stopping:
            connection.retire()

    def disconnected(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.deadlines.forget(connection)
        self._note_end()

    def run(self, exchange: HttpExchange) -> None:
        self.running.add(exchange)
        # A context of its own: a pipelined request is started from within the task of the one before it.
        exchange.task = self._loop.create_task(self._call(exchange), context=self._context.copy())

    def caller_gone(self, exchange: HttpExchange) -> None:
        if exchange.when_gone is not None:
            exchange.when_gone()
        else:
            self._cancel(exchange)

    def refusal(self, status: int, message: str, path: str, headers: Mapping[str, str]) -> bytes:
        """The whole answer to a request that never became an exchange; the connection ends after it."""
        fields, body = self._error(status, message, path, headers)
        text, _ = render_fields(fields)
        framing = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        return f"{STATUS_LINES[status]}{text}{framing}".encode("latin-1") + body

    # Running the app.

    async def _call(self, exchange: HttpExchange) -> None:
        try:
            if exchange.request.unread:
                self._fail(exchange, 503, NO_ROOM)
            else:
                await self._app(exchange)
        except asyncio.CancelledError:
            self._fail(exchange, 503, "The server is shutting down.")
            raise
        except Exception:
            logger.exception("%s %s failed", exchange.request.method, exchange.request.path)
            self._fail(exchange, 500, "The server had an error while processing the request.")
        else:
            if not exchange.ended:
                logger.error("%s %s was not answered to the end", exchange.request.method, exchange.request.path)
                self._fail(exchange, 500, "The server had an error while processing the request.")
        finally:
            self._forget(exchange)

    def _fail(self, exchange: HttpExchange, status: int, message: str) -> None:
        if exchange.started:
            exchange.abort()
        elif not exchange.ended:
            request = exchange.request
            headers, body = self._error(status, message, request.path, request.headers)
            exchange.send(status, headers, body)

    def _error(self, status: int, message: str, path: str, headers: Mapping[str, str]) -> tuple[Headers, bytes]:
        try:
            return self._render_error(status, message, path, headers)
        except Exception:
            logger.exception("an error of status %d could not be rendered", status)
            return render_error(status, message, path, headers)

    def _cancel(self, exchange: HttpExchange) -> None:
        task = exchange.task
        if task is not None:
            # A task cancelled before its first step never reaches its own `finally`.
            task.add_done_callback(lambda _: self._forget(exchange))
            task.cancel()

    def _forget(self, exchange: HttpExchange) -> None:
        if exchange in self.running:
            self.running.remove(exchange)
            exchange.task = None  # one that was cancelled keeps its frames, which keep the exchange
            self.budget.give_back(exchange.request.body_bytes + exchange.room_bytes)
            if self._stopping:
                self._note_end()
