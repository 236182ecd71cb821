"""Finding out that a caller has gone while there is nothing to send: probes within an answer, and the kernel's own."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable

import httptools
import pytest

from edges.sockets import Caller, settle, soon, until
from portico.http import connection as connection_module
from portico.http import keepalive
from portico.http.connection import LONGER
from portico.http.exchange import MAX_ZEROS
from portico.http.server import Server
from portico.wire.http import Exchange

Serve = Callable[..., Awaitable[Server]]
Call = Callable[[Server], Awaitable[Caller]]

AS_SERVED_S = connection_module.PROBE_S
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(autouse=True)
def brisk_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "PROBE_S", 0.005)


class Talking:
    """An app that says one thing, waits, says another, and remembers how it ended. `size`: of a body declared in full."""

    def __init__(self, size: int | None = None) -> None:
        self.go_on = asyncio.Event()
        self.ends: list[str] = []
        self._headers = [] if size is None else [("content-length", str(size))]

    async def __call__(self, exchange: Exchange) -> None:
        try:
            exchange.start(200, self._headers)
            exchange.write(b"begun")
            await self.go_on.wait()
            exchange.write(b" and done")
            exchange.finish()
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.ends.append("answered")


async def begun(caller: Caller) -> bytes:
    return await soon(caller.reader.readuntil(b"begun\r\n"))


def waiting(caller: Caller) -> bytes:
    return bytes(caller.reader._buffer)  # type: ignore[attr-defined]


async def test_a_caller_that_closed_in_the_middle_of_a_silent_stream_is_found_out(serve: Serve, call: Call) -> None:
    app = Talking()
    server = await serve(app)
    caller = await call(server)
    caller.send(GET)
    await begun(caller)
    caller.close()
    await until(lambda: app.ends == ["cancelled"])
    await until(lambda: not server.open_calls and not server.open_connections)


def test_a_caller_that_left_is_missed_at_once_and_one_that_waits_for_minutes_is_still_probed() -> None:
    silences = [AS_SERVED_S * LONGER**number for number in range(MAX_ZEROS)]
    assert sum(silences[:2]) <= 0.5
    assert sum(silences) >= 300


async def test_a_caller_that_only_ended_its_side_is_told_nothing_but_zeros(
    serve: Serve, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "LONGER", 1.5)
    app = Talking()
    caller = await call(await serve(app))
    caller.send(GET)
    caller.end_sending()
    head = await begun(caller)
    await until(lambda: waiting(caller) == b"0" * MAX_ZEROS)
    await settle()
    app.go_on.set()
    body = await caller.rest()
    assert body == b"0" * MAX_ZEROS + b"9\r\n and done\r\n0\r\n\r\n"
    assert head.endswith(b"5\r\nbegun\r\n")
    assert app.ends == ["answered"]


class Read:
    """What a strict parser makes of an answer."""

    def __init__(self, data: bytes) -> None:
        self.body = b""
        self.complete = False
        httptools.HttpResponseParser(self).feed_data(data)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True


async def test_zeros_before_a_size_change_nothing_for_a_client(serve: Serve, call: Call) -> None:
    app = Talking()
    caller = await call(await serve(app))
    caller.send(GET)
    caller.end_sending()
    head = await begun(caller)
    await until(lambda: len(waiting(caller)) >= 3)
    app.go_on.set()
    read = Read(head + await caller.rest())
    assert (read.body, read.complete) == (b"begun and done", True)


async def test_a_caller_that_is_there_is_told_nothing(serve: Serve, call: Call) -> None:
    app = Talking()
    caller = await call(await serve(app))
    caller.send(GET)
    await begun(caller)
    await asyncio.sleep(0.1)
    assert waiting(caller) == b""
    app.go_on.set()
    assert await soon(caller.reader.readuntil(b"0\r\n\r\n")) == b"9\r\n and done\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "size"),
    [(GET, 14), (GET.replace(b"1.1", b"1.0"), None), (GET.replace(b"GET", b"HEAD"), None)],
)
async def test_nothing_is_put_where_it_would_be_part_of_the_body(
    serve: Serve, call: Call, request_: bytes, size: int | None
) -> None:
    app = Talking(size)
    caller = await call(await serve(app))
    caller.send(request_)
    caller.end_sending()
    await soon(caller.reader.readuntil(b"\r\n\r\n"))
    await asyncio.sleep(0.05)
    app.go_on.set()
    body = await caller.rest()
    assert body == (b"" if request_.startswith(b"HEAD") else b"begun and done")


async def test_a_connection_is_watched_by_the_kernel(serve: Serve, call: Call) -> None:
    app = Talking()
    server = await serve(app)
    caller = await call(server)
    caller.send(GET)
    await begun(caller)
    (connection,) = server._connections
    sock = connection.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    for level, option, value in keepalive.OPTIONS:
        assert sock.getsockopt(level, option) == value
    if sys.platform == "linux":
        values = [value for _, _, value in keepalive.OPTIONS]
        assert values == [keepalive.IDLE_S, keepalive.INTERVAL_S, keepalive.COUNT]
    assert 10 <= keepalive.IDLE_S + keepalive.INTERVAL_S * keepalive.COUNT <= 30
    app.go_on.set()


async def test_a_socket_that_is_not_tcp_is_served_all_the_same() -> None:
    one, other = socket.socketpair()
    keepalive.keep_watch([one, other])
    one.close()
    other.close()
