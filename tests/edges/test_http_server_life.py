"""The server over time: slow callers, callers that leave, slow readers, and the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from math import inf

import pytest

from edges.messages import CHUNKED, LENGTH, UPGRADE
from edges.sockets import PATIENCE_S, Caller, settle, soon, until
from portico.http import connection as connection_module
from portico.http.connection import WRITE_HIGH_WATER_BYTES
from portico.http.limits import Limits
from portico.http.server import Server
from portico.wire.http import Exchange

Serve = Callable[..., Awaitable[Server]]
Call = Callable[[Server], Awaitable[Caller]]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Waiting:
    """An app that waits to be released, and remembers how each call ended."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.begun = 0
        self.ends: list[str] = []

    async def __call__(self, exchange: Exchange) -> None:
        self.begun += 1
        try:
            if exchange.request.path == "/stream":
                exchange.start(200, [])
                exchange.write(b"begun")
            await self.release.wait()
            if exchange.started:
                exchange.finish()
            else:
                exchange.send(200, [], b"answer")
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            await asyncio.sleep(0)  # As a settlement would.
            self.ends.append("settled")
            raise
        self.ends.append("answered")


async def at_once(exchange: Exchange) -> None:
    exchange.send(200, [], exchange.request.body)


@pytest.mark.parametrize(
    ("limits", "said", "status"),
    [
        (Limits(header_timeout_s=0.5), b"GET / HT", 408),
        (Limits(header_timeout_s=0.5), b"GET / HTTP/1.1\r\nHost: a\r\n", 408),
        (Limits(body_timeout_s=0.05), b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 408),
        (Limits(body_timeout_s=0.05), b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 408),
    ],
)
async def test_a_caller_that_does_not_get_on_is_told_and_left(
    serve: Serve, call: Call, limits: Limits, said: bytes, status: int
) -> None:
    server = await serve(at_once, limits)
    caller = await call(server)
    assert (await caller.ask(GET)).status == 200
    reply = await caller.ask(said)
    assert (reply.status, reply.headers["connection"]) == (status, "close")
    assert await caller.rest() == b""


async def test_a_caller_that_drips_is_left_too(serve: Serve, call: Call) -> None:
    caller = await call(await serve(at_once, Limits(body_timeout_s=0.1)))
    caller.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")

    async def drip() -> None:
        while True:
            caller.send(b"a")
            await asyncio.sleep(0.01)

    dripping = asyncio.create_task(drip())
    assert (await caller.reply()).status == 408
    dripping.cancel()


async def test_a_caller_that_is_slow_but_steady_is_heard_out(serve: Serve, call: Call) -> None:
    """Each time that the patience with it is at its end, enough has come since the last time."""
    server = await serve(at_once)
    caller = await call(server)
    caller.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20480\r\n\r\n")
    await until(lambda: server._connections)
    (connection,) = server._connections
    for count in range(1, 5):
        caller.send(b"a" * 4096)
        await until(lambda count=count: connection._reader.body_bytes == 4096 * count)  # type: ignore[misc]
        connection.expired()
    caller.send(b"a" * 4096)
    assert len((await caller.reply()).body) == 20480


@pytest.mark.parametrize("first", [b"", GET])
async def test_an_idle_connection_is_closed_without_a_word(serve: Serve, call: Call, first: bytes) -> None:
    caller = await call(await serve(at_once, Limits(header_timeout_s=0.5, idle_timeout_s=0.05)))
    if first:
        await caller.ask(first)
    assert await caller.rest() == b""


async def test_a_call_may_take_longer_than_any_patience_with_callers(serve: Serve, call: Call) -> None:
    app = Waiting()
    server = await serve(app)
    caller = await call(server)
    caller.send(GET)
    await until(lambda: app.begun)
    (connection,) = server._connections
    assert connection.deadline == inf
    app.release.set()
    assert (await caller.reply()).body == b"answer"


async def test_a_half_closed_caller_gets_its_answers(serve: Serve, call: Call) -> None:
    app = Waiting()
    caller = await call(await serve(app))
    caller.send(GET * 3 + GET[:20])
    await until(lambda: app.begun)
    caller.end_sending()
    await settle()
    app.release.set()
    assert [(await caller.reply()).body for _ in range(3)] == [b"answer"] * 3
    assert await caller.rest() == b""
    assert app.ends == ["answered"] * 3


async def test_a_half_closed_caller_that_waits_long_is_probed_and_answered(
    serve: Serve, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "PROBE_S", 0.01)
    app = Waiting()
    caller = await call(await serve(app))
    caller.send(GET)
    caller.end_sending()
    assert [(await caller.reply()).status for _ in range(2)] == [100, 100]
    app.release.set()
    while (reply := await caller.reply()).status == 100:
        pass
    assert reply.body == b"answer"


async def test_a_caller_that_left_without_a_word_is_found_out(
    serve: Serve, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "PROBE_S", 0.01)
    app = Waiting()
    server = await serve(app)
    caller = await call(server)
    caller.send(GET)
    await until(lambda: app.begun)
    caller.close()
    await until(lambda: app.ends == ["cancelled", "settled"])
    await until(lambda: not server.open_calls and not server.open_connections)


async def test_a_caller_that_resets_cancels_its_call(serve: Serve, call: Call) -> None:
    app = Waiting()
    server = await serve(app)
    caller = await call(server)
    caller.send(GET)
    await until(lambda: app.begun)
    caller.reset()
    await until(lambda: app.ends == ["cancelled", "settled"])
    await until(lambda: not server.open_calls)


async def test_a_caller_that_leaves_a_stream_cancels_its_call(serve: Serve, call: Call) -> None:
    ends: list[str] = []

    async def talk(exchange: Exchange) -> None:
        exchange.start(200, [])
        try:
            while True:
                exchange.write(b"more ")
                await exchange.drain()
                await asyncio.sleep(0.001)
        finally:
            ends.append("cancelled")

    caller = await call(await serve(talk))
    caller.send(GET)
    await soon(caller.reader.readuntil(b"more "))
    caller.close()
    await until(lambda: ends)


async def test_what_a_call_does_after_its_answer_is_not_cancelled(serve: Serve, call: Call) -> None:
    ends: list[str] = []
    release = asyncio.Event()

    async def settle_later(exchange: Exchange) -> None:
        exchange.send(200, [], b"answer")
        await release.wait()
        ends.append("settled")

    server = await serve(settle_later)
    caller = await call(server)
    assert (await caller.ask(GET)).body == b"answer"
    assert (await caller.ask(GET)).body == b"answer"
    caller.reset()
    await until(lambda: not server.open_connections)
    release.set()
    await until(lambda: ends == ["settled", "settled"])


async def test_a_slow_reader_pauses_the_app(serve: Serve, call: Call) -> None:
    written = 0

    async def talk(exchange: Exchange) -> None:
        nonlocal written
        exchange.start(200, [])
        for _ in range(600):
            exchange.write(b"a" * 32_768)
            written += 32_768
            await exchange.drain()
        exchange.finish()

    server = await serve(talk)
    caller = await call(server)
    caller.writer.transport.pause_reading()  # type: ignore[attr-defined]
    caller.send(GET)
    await until(lambda: server.open_connections)
    (connection,) = server._connections
    await until(lambda: connection.write_paused)
    for _ in range(50):
        await settle()
    assert connection.transport.get_write_buffer_size() <= WRITE_HIGH_WATER_BYTES + 40_000
    assert written < 600 * 32_768
    caller.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert len((await caller.reply()).body) == 600 * 32_768


async def test_a_caller_that_takes_nothing_is_left(serve: Serve, call: Call) -> None:
    ends: list[str] = []

    async def talk(exchange: Exchange) -> None:
        exchange.start(200, [])
        try:
            while True:
                exchange.write(b"a" * 65_536)
                await exchange.drain()
        finally:
            ends.append("cancelled")

    caller = await call(await serve(talk, Limits(stall_timeout_s=0.05)))
    caller.writer.transport.pause_reading()  # type: ignore[attr-defined]
    caller.send(GET)
    await until(lambda: ends)


async def test_stopping_lets_a_running_call_finish(serve: Serve, call: Call) -> None:
    app = Waiting()
    server = await serve(app)
    idle, busy = await call(server), await call(server)
    busy.send(GET)
    await until(lambda: app.begun == 1 and server.open_connections == 2)
    port = server.port
    stopping = asyncio.create_task(server.stop(grace_s=PATIENCE_S))
    assert await idle.rest() == b""
    with pytest.raises(OSError):  # noqa: PT011
        await Caller.connect(port)
    app.release.set()
    reply = await busy.reply()
    assert (reply.body, reply.headers["connection"]) == (b"answer", "close")
    await soon(stopping)
    assert app.ends == ["answered"]
    assert server.open_connections == server.open_calls == 0


@pytest.mark.parametrize("left", [1, 12, 20, 60])
@pytest.mark.parametrize("message", [LENGTH, CHUNKED, UPGRADE], ids=["length", "chunked", "upgrade"])
async def test_stopping_hears_a_request_out_that_has_begun(serve: Serve, call: Call, message: bytes, left: int) -> None:
    server = await serve(at_once)
    caller = await call(server)
    caller.send(message[:-left])
    await until(lambda: server.open_connections)
    await settle()
    stopping = asyncio.create_task(server.stop(grace_s=PATIENCE_S))
    await settle()
    assert (await caller.ask(message[-left:])).body == b"hello world"
    await soon(stopping)


@pytest.mark.parametrize("path", ["/", "/stream"])
async def test_stopping_cancels_what_runs_beyond_the_deadline_and_waits_for_it(
    serve: Serve, call: Call, path: str
) -> None:
    app = Waiting()
    server = await serve(app)
    caller = await call(server)
    caller.send(GET.replace(b"/ ", path.encode() + b" "))
    await until(lambda: app.begun)
    await soon(server.stop(grace_s=0.01))
    assert app.ends == ["cancelled", "settled"]
    rest = await caller.rest()
    assert rest.startswith(b"HTTP/1.1 503") if path == "/" else not rest.endswith(b"0\r\n\r\n")
    assert server.open_connections == server.open_calls == 0


async def test_a_call_cancelled_before_its_first_step_is_forgotten(serve: Serve, call: Call) -> None:
    server = await serve(Waiting())
    await call(server)
    await until(lambda: server.open_connections)
    (connection,) = server._connections
    connection.data_received(GET)
    connection.transport.abort()
    await until(lambda: not server.open_calls and not server.open_connections)


async def test_several_servers_listen_on_ports_of_their_own(serve: Serve) -> None:
    one, two = await serve(at_once), await serve(at_once)
    assert one.port != two.port
    assert one.addresses == [("127.0.0.1", one.port)]


async def test_a_server_serves_a_socket_it_is_given(call: Call) -> None:
    import socket

    listening = socket.create_server(("127.0.0.1", 0))
    server = await Server(at_once).start(sock=listening)
    assert server.port == listening.getsockname()[1]
    assert (await (await call(server)).ask(GET)).status == 200
    await server.stop()


async def test_nothing_is_logged_when_nothing_is_wrong(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "portico.http")
    caller = await call(await serve(at_once))
    await caller.ask(GET)
    caller.reset()
    await settle()
    assert not [record for record in caplog.records if record.name.startswith("portico")]
