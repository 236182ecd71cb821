"""Torture on real sockets: requests cut everywhere, and callers that end, reset or fall silent at every stage."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from edges.messages import AFTER_BLANK_LINES, CHUNKED, GET, LENGTH, UPGRADE
from edges.sockets import Caller, Reply, settle, until
from portico.http.limits import Limits
from portico.http.server import Server
from portico.wire.http import Exchange

Serve = Callable[..., Awaitable[Server]]
Call = Callable[[Server], Awaitable[Caller]]

EXPECT = b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"
STREAM = b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n"
KINDS = {
    "plain": GET,
    "length": LENGTH,
    "chunked": CHUNKED,
    "upgrade": UPGRADE,
    "expect": EXPECT,
    "stream": STREAM,
    "head": HEAD,
}
SERIES = GET + CHUNKED + STREAM + UPGRADE + LENGTH + HEAD + GET


class App:
    """Echoes, or streams; and counts."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, exchange: Exchange) -> None:
        self.calls += 1
        if exchange.request.path == "/stream":
            exchange.start(200, [])
            for piece in (b"one", b"two", b"three"):
                exchange.write(piece)
                await asyncio.sleep(0)
            exchange.finish()
        else:
            exchange.send(200, [("x-path", exchange.request.path)], exchange.request.body or b"nothing")


async def final(caller: Caller, *, head_only: bool = False) -> Reply:
    reply = await caller.reply(head_only=head_only)
    return await caller.reply(head_only=head_only) if reply.status == 100 else reply


async def series(caller: Caller) -> list[Reply]:
    replies = [await caller.reply() for _ in range(5)]
    return [*replies, await caller.reply(head_only=True), await caller.reply()]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_cut_at_any_byte_is_answered_the_same(serve: Serve, call: Call, kind: str) -> None:
    message, head_only = KINDS[kind], kind == "head"
    caller = await call(await serve(App()))
    caller.send(message)
    whole = await final(caller, head_only=head_only)
    assert whole.status == 200
    for at in range(1, len(message)):
        caller.send(message[:at])
        await settle()
        caller.send(message[at:])
        assert await final(caller, head_only=head_only) == whole
    for at in range(len(message)):
        caller.send(message[at : at + 1])
        await settle()
    assert await final(caller, head_only=head_only) == whole


async def test_blank_lines_before_the_first_request_of_a_connection_are_nothing_however_they_are_cut(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(App())
    for at in range(1, len(AFTER_BLANK_LINES)):
        caller = await call(server)
        caller.send(AFTER_BLANK_LINES[:at])
        await settle()
        assert (await caller.ask(AFTER_BLANK_LINES[at:])).body == b"nothing"
    assert not caplog.records


async def test_pipelined_requests_cut_at_any_byte_are_answered_the_same(serve: Serve, call: Call) -> None:
    caller = await call(await serve(App()))
    caller.send(SERIES)
    whole = await series(caller)
    assert [reply.body for reply in whole] == [
        b"nothing",
        b"hello world",
        b"onetwothree",
        b"hello world",
        b"hello world",
        b"",
        b"nothing",
    ]
    for at in range(1, len(SERIES)):
        caller.send(SERIES[:at])
        await settle()
        caller.send(SERIES[at:])
        assert await series(caller) == whole
    for at in range(len(SERIES)):
        caller.send(SERIES[at : at + 1])
        await settle()
    assert await series(caller) == whole


@pytest.mark.parametrize("end", ["half-close", "close", "reset"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_caller_may_go_at_any_byte_of_its_request(serve: Serve, call: Call, kind: str, end: str) -> None:
    message = KINDS[kind]
    app = App()
    server = await serve(app)
    for at in range(len(message)):
        caller = await call(server)
        caller.send(message[:at])
        await until(lambda: server.open_connections)
        await settle()
        if end == "half-close":
            caller.end_sending()
            assert (await caller.rest()).replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"") == b""
            caller.drop()
        elif end == "close":
            caller.close()
        else:
            caller.reset()
        await until(lambda: not server.open_connections and not server.open_calls)
    assert app.calls == 0
    assert (await (await call(server)).ask(GET)).status == 200


@pytest.mark.parametrize("end", ["half-close", "close", "reset"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_caller_may_go_right_behind_its_request(serve: Serve, call: Call, kind: str, end: str) -> None:
    app = App()
    server = await serve(app)
    for _ in range(20):
        caller = await call(server)
        caller.send(KINDS[kind])
        if end == "half-close":
            caller.end_sending()
            said = await caller.rest()
            assert said.startswith(b"HTTP/1.1 200 OK\r\n")
            caller.drop()
        elif end == "close":
            caller.close()
        else:
            await settle()
            caller.reset()
        await until(lambda: not server.open_connections and not server.open_calls)


@pytest.mark.parametrize("kind", ["plain", "length", "chunked"])
async def test_a_caller_that_falls_silent_at_any_byte_is_told_and_left(serve: Serve, call: Call, kind: str) -> None:
    message = KINDS[kind]
    app = App()
    server = await serve(app, Limits(header_timeout_s=1.5, body_timeout_s=1.5))
    callers = []
    for at in range(1, len(message)):
        callers.append(await call(server))
        callers[-1].send(message[:at])
    for at, caller in enumerate(callers, start=1):
        said = await caller.rest()
        assert said.startswith(b"HTTP/1.1 408 "), at
        caller.close()
    await until(lambda: not server.open_connections)
    assert app.calls == 0


async def test_a_caller_that_never_says_a_word_is_left_without_one(serve: Serve, call: Call) -> None:
    app = App()
    server = await serve(app, Limits(header_timeout_s=0.7, idle_timeout_s=0.7))
    caller = await call(server)
    assert await caller.rest() == b""
    caller.close()
    await until(lambda: not server.open_connections)
    assert app.calls == 0


async def test_a_hundred_callers_dripping_at_once_are_all_answered(serve: Serve, call: Call) -> None:
    server = await serve(App())
    callers = [await call(server) for _ in range(100)]
    for at in range(len(CHUNKED)):
        for caller in callers:
            caller.send(CHUNKED[at : at + 1])
        await settle()
    assert [(await caller.reply()).body for caller in callers] == [b"hello world"] * 100
