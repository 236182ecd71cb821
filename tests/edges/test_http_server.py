"""The server on real sockets: order, framing, limits, refusals."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping

import pytest

from edges.sockets import PATIENCE_S, Caller, settle, until
from portico.http.connection import HELD_BYTES
from portico.http.limits import Limits
from portico.http.server import Server
from portico.wire.http import Exchange, Headers, HttpRequest

Serve = Callable[..., Awaitable[Server]]
Call = Callable[[Server], Awaitable[Caller]]

GET = b"GET /get?a=1 HTTP/1.1\r\nHost: a\r\n\r\n"
LENGTH = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
STREAM = b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"


async def app(exchange: Exchange) -> None:
    request = exchange.request
    match request.path:
        case "/stream":
            exchange.start(200, [("content-type", "text/plain")])
            for piece in (b"one ", b"", b"two ", b"three"):
                exchange.write(piece)
                await exchange.drain()
            exchange.finish()
            exchange.finish()
        case "/declared":
            exchange.start(200, [("Content-Length", "7")])
            exchange.write(b"one ")
            exchange.write(b"two")
            exchange.finish()
        case "/slow":
            await asyncio.sleep(0.02)
            exchange.send(200, [], b"slow")
        case "/empty":
            exchange.send(204, [], b"")
        case "/fail":
            raise RuntimeError("a secret detail")
        case "/fail-late":
            exchange.start(200, [])
            exchange.write(b"begun")
            raise RuntimeError("a secret detail")
        case "/nothing":
            return
        case "/unfinished":
            exchange.start(200, [])
            exchange.write(b"begun")
        case "/abort":
            exchange.start(200, [])
            exchange.write(b"begun")
            exchange.abort()
        case "/inject":
            exchange.send(200, [("x-a", "b\r\nx-c: d")], b"")
        case "/close":
            exchange.send(200, [("Connection", "close")], b"bye")
        case _:
            exchange.send(200, [("X-Path", request.path)], request.body or b"nothing")


def get(path: str, version: str = "1.1", *lines: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/{version}", "Host: a", *lines, "", ""]).encode()


async def test_an_answer_sent_whole_has_a_length_and_the_connection_stays(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    for _ in range(3):
        reply = await caller.ask(LENGTH)
        assert reply == (200, {"x-path": "/echo", "content-length": "5"}, b"hello")


@pytest.mark.parametrize("whole", [True, False])
async def test_an_answer_is_sent_before_what_follows_it_is_done(serve: Serve, call: Call, whole: bool) -> None:
    read = b""

    async def answers(exchange: Exchange) -> None:
        nonlocal read
        if whole:
            exchange.send(200, [], b"sent")
        else:
            exchange.start(200, [])
            exchange.write(b"sent")
            exchange.finish()
        read = line.recv(1000)  # the loop gets no further before

    server = await serve(answers)
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as line:
        line.sendall(GET)
        await until(lambda: read)
    assert b"sent" in read


async def test_the_app_is_told_the_request(serve: Serve, call: Call) -> None:
    seen: list[HttpRequest] = []

    async def keep(exchange: Exchange) -> None:
        seen.append(exchange.request)
        exchange.send(200, [], b"")

    caller = await call(await serve(keep))
    await caller.ask(b"POST /a%20b?c=%64&e HTTP/1.1\r\nHOST: a\r\nX-Mixed: Case\r\nContent-Length: 2\r\n\r\nhi")
    assert seen == [
        HttpRequest(
            method="POST",
            path="/a%20b",
            query="c=%64&e",
            headers={"host": "a", "x-mixed": "Case", "content-length": "2"},
            body=b"hi",
            peer="127.0.0.1",
        )
    ]


@pytest.mark.parametrize("message", [GET, LENGTH, CHUNKED, STREAM])
async def test_a_request_cut_at_any_byte_is_answered_the_same(serve: Serve, call: Call, message: bytes) -> None:
    caller = await call(await serve(app))
    whole = await caller.ask(message)
    assert whole.status == 200
    for at in range(1, len(message)):
        caller.send(message[:at])
        await settle()
        assert await caller.ask(message[at:]) == whole
    for at in range(len(message)):
        caller.send(message[at : at + 1])
        await settle()
    assert await caller.reply() == whole


async def test_an_answer_in_pieces_is_chunked(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    caller.send(STREAM + GET)
    expected = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
        b"4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"
    )
    assert await caller.reader.readexactly(len(expected)) == expected
    assert (await caller.reply()).status == 200


async def test_an_answer_in_pieces_may_declare_its_length(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    assert await caller.ask(get("/declared")) == (200, {"content-length": "7"}, b"one two")


async def test_http_1_0_gets_a_stream_up_to_the_end_of_the_connection(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    reply = await caller.ask(get("/stream", "1.0", "Connection: keep-alive"))
    assert (reply.body, reply.headers["connection"]) == (b"one two three", "close")
    assert "transfer-encoding" not in reply.headers


async def test_http_1_0_keeps_the_connection_only_when_asked_to(serve: Serve, call: Call) -> None:
    server = await serve(app)
    caller = await call(server)
    for _ in range(2):
        reply = await caller.ask(get("/get", "1.0", "Connection: keep-alive"))
        assert reply.headers["connection"] == "keep-alive"
    caller = await call(server)
    assert (await caller.ask(get("/get", "1.0"))).headers["connection"] == "close"
    assert await caller.rest() == b""


@pytest.mark.parametrize("message", [get("/get", "1.1", "Connection: close"), get("/close")])
async def test_either_side_may_ask_to_close(serve: Serve, call: Call, message: bytes) -> None:
    caller = await call(await serve(app))
    reply = await caller.ask(message)
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert await caller.rest() == b""


@pytest.mark.parametrize("path", ["/get", "/stream", "/declared", "/empty"])
async def test_head_is_answered_without_a_body(serve: Serve, call: Call, path: str) -> None:
    caller = await call(await serve(app))
    for _ in range(2):
        caller.send(get(path).replace(b"GET", b"HEAD"))
        reply = await caller.reply(head_only=True)
        assert reply.status in (200, 204)
    assert (await caller.ask(GET)).body == b"nothing"


async def test_status_204_has_neither_body_nor_length(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    caller.send(get("/empty") + GET)
    assert await caller.reply() == (204, {}, b"")
    assert (await caller.reply()).body == b"nothing"


async def test_pipelined_requests_are_answered_in_their_order(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    caller.send(get("/slow") + GET + STREAM + LENGTH + get("/slow") + CHUNKED)
    bodies = [(await caller.reply()).body for _ in range(6)]
    assert bodies == [b"slow", b"nothing", b"one two three", b"hello", b"slow", b"hello"]


async def test_many_pipelined_requests_are_all_answered(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    caller.send(b"".join(get(f"/number/{number}") for number in range(2000)))
    for number in range(2000):
        assert (await caller.reply()).headers["x-path"] == f"/number/{number}"


async def test_what_is_pipelined_behind_a_request_waits_in_a_bounded_place(serve: Serve, call: Call) -> None:
    release = asyncio.Event()
    running = 0

    async def wait(exchange: Exchange) -> None:
        nonlocal running
        running += 1
        await release.wait()
        exchange.send(200, [], b"")

    server = await serve(wait)
    caller = await call(server)
    count = 400_000
    caller.send(GET * count)  # 14 MB, far beyond what the kernel takes.
    (connection,) = server._connections
    await until(lambda: connection._reading_paused)
    for _ in range(50):
        await settle()
    assert running == 1
    assert connection._held_bytes <= HELD_BYTES + 256 * 1024
    assert len(connection._queue) < 1000
    assert caller.writer.transport.get_write_buffer_size() > 1_000_000


async def test_leave_to_send_a_body_is_given_when_asked_for(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    head, body = LENGTH.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n").split(b"hello")[0], b"hello"
    for _ in range(2):
        caller.send(head)
        assert (await caller.reply()).status == 100
        assert (await caller.ask(body)).body == b"hello"
    assert (await caller.ask(head + body)).body == b"hello"


async def test_leave_to_send_a_body_waits_for_its_turn(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    head = LENGTH.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n").split(b"hello")[0]
    caller.send(get("/slow") + head)
    assert (await caller.reply()).body == b"slow"
    assert (await caller.reply()).status == 100
    assert (await caller.ask(b"hello")).body == b"hello"


async def test_an_expectation_nobody_meets_is_refused(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    assert (await caller.ask(get("/", "1.1", "Expect: wonders"))).status == 417


async def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app, Limits(max_body_bytes=10)))
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n"
    reply = await caller.ask(head)
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert await caller.rest() == b""


async def test_a_refused_caller_that_goes_on_sending_still_gets_the_answer(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app, Limits(max_body_bytes=10)))
    size = 8 * 1024 * 1024
    caller.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
    await caller.writer.drain()
    assert (await caller.reply()).status == 413


async def test_a_refusal_waits_for_its_turn(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    caller.send(get("/slow") + GET + b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + GET)
    assert [(await caller.reply()).status for _ in range(3)] == [200, 200, 400]
    assert await caller.rest() == b""


async def test_a_smuggled_request_is_never_run(serve: Serve, call: Call) -> None:
    paths: list[str] = []

    async def keep(exchange: Exchange) -> None:
        paths.append(exchange.request.path)
        exchange.send(200, [], b"")

    caller = await call(await serve(keep))
    caller.send(
        b"POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    reply = await caller.reply()
    assert (reply.status, reply.headers["connection"]) == (400, "close")
    assert await caller.rest() == b""
    assert paths == []


async def test_an_error_is_rendered_by_whoever_knows_the_caller(serve: Serve, call: Call) -> None:
    told: list[tuple[int, str, str]] = []

    def render(status: int, message: str, path: str, headers: Mapping[str, str]) -> tuple[Headers, bytes]:
        told.append((status, path, headers.get("x-dialect", "")))
        return [("content-type", "text/x-dialect")], b"<" + message.encode() + b">"

    caller = await call(await serve(app, Limits(max_body_bytes=10), render))
    caller.send(b"POST /v1/a?b HTTP/1.1\r\nHost: a\r\nX-Dialect: z\r\nContent-Length: 11\r\n\r\n")
    reply = await caller.reply()
    assert (reply.status, reply.headers["content-type"], reply.body[:1]) == (413, "text/x-dialect", b"<")
    assert told == [(413, "/v1/a", "z")]


async def test_an_error_that_cannot_be_rendered_is_told_plainly(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    def render(status: int, message: str, path: str, headers: Mapping[str, str]) -> tuple[Headers, bytes]:
        raise KeyError(path)

    caller = await call(await serve(app, on_error=render))
    reply = await caller.ask(b"nonsense\r\n\r\n")
    assert reply.status == 400
    assert json.loads(reply.body)["error"]["type"] == "invalid_request_error"
    assert "could not be rendered" in caplog.text


@pytest.mark.parametrize("path", ["/fail", "/nothing", "/inject"])
async def test_a_failing_app_is_a_500_and_its_reason_stays_in_the_log(
    serve: Serve, call: Call, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await call(await serve(app))
    reply = await caller.ask(get(path))
    assert reply.status == 500
    assert json.loads(reply.body)["error"]["type"] == "server_error"
    assert b"secret" not in reply.body
    assert b"Traceback" not in reply.body
    assert "x-c" not in reply.headers
    assert [record.name for record in caplog.records] == ["portico.http"]
    assert (caplog.records[0].exc_info is None) == (path == "/nothing")
    assert (await caller.ask(GET)).status == 200


@pytest.mark.parametrize("path", ["/fail-late", "/unfinished", "/abort"])
async def test_an_answer_that_cannot_be_finished_is_cut_and_never_ended(
    serve: Serve, call: Call, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    caller = await call(await serve(app))
    caller.send(get(path))
    assert not (await caller.rest()).endswith(b"0\r\n\r\n")


async def test_an_upgrade_offered_is_ignored(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    message = LENGTH.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert [(await caller.ask(message)).body for _ in range(2)] == [b"hello", b"hello"]
    closing = LENGTH.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n")
    assert (await caller.ask(closing)).headers["connection"] == "close"


async def test_a_large_body_arrives_whole(serve: Serve, call: Call) -> None:
    caller = await call(await serve(app))
    body = bytes(range(256)) * 20_000
    caller.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body + GET)
    assert (await caller.reply()).body == body
    assert (await caller.reply()).body == b"nothing"
