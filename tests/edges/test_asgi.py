"""ASGI apps on the gateway's own listener: a hand-written one that sees everything, and Starlette as people use it."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from edges.sockets import Caller, settle, soon, until
from portico.http.asgi import ASGIApp, AsgiBridge, CallerGone, StartupFailed
from portico.http.connection import WRITE_HIGH_WATER_BYTES
from portico.http.lifespan import Message, Receive, Scope, Send
from portico.http.server import Server

Serve = Callable[..., Awaitable[Server]]
Call = Callable[[Server], Awaitable[Caller]]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


class Raw:
    """An app that sends the messages it is given, and remembers what it was told."""

    def __init__(self, *messages: Message, error: Exception | None = None) -> None:
        self.messages = messages
        self.error = error
        self.scopes: list[Scope] = []
        self.received: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.received.append(await receive())
        for message in self.messages:
            await send(message)
        if self.error is not None:
            raise self.error


WHOLE = (start(200, (b"X-A", b"b")), body(b"hello"))


async def test_the_scope_is_what_the_specification_says(serve: Serve, call: Call) -> None:
    app = Raw(*WHOLE)
    server = await serve(AsgiBridge(app, root_path="/root"))
    caller = await call(server)
    head = b"PUT /a%20b/%E6%A8%A1?c=%64&e HTTP/1.1\r\nHOST: a\r\nX-Mixed: C\xe9\r\nContent-Length: 2\r\n\r\n"
    assert (await caller.ask(head + b"hi")).status == 200
    assert app.scopes == [
        {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "PUT",
            "scheme": "http",
            "path": "/root/a b/模",
            "raw_path": b"/root/a%20b/%E6%A8%A1",
            "query_string": b"c=%64&e",
            "root_path": "/root",
            "headers": [(b"host", b"a"), (b"x-mixed", b"C\xe9"), (b"content-length", b"2")],
            "client": caller.writer.get_extra_info("sockname"),
            "server": ("127.0.0.1", server.port),
            "state": {},
            "extensions": {},
        }
    ]
    assert app.received == [{"type": "http.request", "body": b"hi", "more_body": False}]


async def test_a_caller_on_a_unix_socket_has_no_address(tmp_path: Path) -> None:
    app, path = Raw(*WHOLE), tmp_path / "s"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    server = await Server(AsgiBridge(app)).start(sock=listener)
    caller = Caller(*await asyncio.open_unix_connection(str(path)))
    assert (await caller.ask(GET)).status == 200
    assert (app.scopes[0]["client"], app.scopes[0]["server"]) == (None, (str(path), None))
    caller.drop()
    await server.stop(grace_s=0)


async def test_an_older_version_of_http_is_told(serve: Serve, call: Call) -> None:
    app = Raw(*WHOLE)
    caller = await call(await serve(AsgiBridge(app)))
    assert (await caller.ask(b"GET / HTTP/1.0\r\n\r\n")).headers["connection"] == "close"
    assert app.scopes[0]["http_version"] == "1.0"


async def test_an_answer_said_at_once_has_a_length(serve: Serve, call: Call) -> None:
    caller = await call(await serve(AsgiBridge(Raw(*WHOLE))))
    for _ in range(3):
        assert await caller.ask(GET) == (200, {"x-a": "b", "content-length": "5"}, b"hello")


PIECES = (start(), body(b"one ", more=True), body(more=True), body(b"two", more=True))
FRAMED = {
    "chunked, ended by nothing": ((*PIECES, body()), b"one two"),
    "chunked, ended by a piece": ((*PIECES, body(b" three")), b"one two three"),
    "declared": ((start(200, (b"Content-Length", b"7")), body(b"one ", more=True), body(b"two")), b"one two"),
    "declared and whole": ((start(200, (b"Content-Length", b"3")), body(b"one")), b"one"),
    "nothing at all": ((start(), {"type": "http.response.body"}), b""),
}


@pytest.mark.parametrize(("messages", "expected"), FRAMED.values(), ids=FRAMED)
async def test_an_answer_in_any_pieces_arrives_as_it_was_sent(
    serve: Serve, call: Call, messages: tuple[Message, ...], expected: bytes
) -> None:
    server = await serve(AsgiBridge(Raw(*messages)))
    caller = await call(server)
    whole = await caller.ask(GET)
    assert (whole.status, whole.body) == (200, expected)
    for at in range(len(GET)):
        caller.send(GET[at : at + 1])
        await settle()
    assert await caller.reply() == whole
    caller.send(GET.replace(b"GET", b"HEAD") + GET)
    assert (await caller.reply(head_only=True)).status == 200
    assert await caller.reply() == whole
    old = await call(server)
    assert (await old.ask(GET.replace(b"1.1", b"1.0"))).body == expected


async def test_a_body_that_comes_byte_by_byte_is_given_whole(serve: Serve, call: Call) -> None:
    app = Raw(*WHOLE)
    caller = await call(await serve(AsgiBridge(app)))
    message = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    for at in range(len(message)):
        caller.send(message[at : at + 1])
        await settle()
    assert (await caller.reply()).body == b"hello"
    assert [told["body"] for told in app.received] == [b"hello"]


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_may_tell_of_a_length(serve: Serve, call: Call, status: int) -> None:
    caller = await call(await serve(AsgiBridge(Raw(start(status, (b"content-length", b"12")), body()))))
    for _ in range(2):
        assert await caller.ask(GET) == (status, {}, b"")


async def test_a_header_may_come_twice_in_an_answer(serve: Serve, call: Call) -> None:
    cookies = ((b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))
    caller = await call(await serve(AsgiBridge(Raw(start(200, *cookies), body()))))
    caller.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert (await caller.rest()).count(b"set-cookie: ") == 2


BAD = {
    "nothing": (),
    "only a start": (start(),),
    "a body first": (body(b"x"),),
    "two starts": (start(), start()),
    "another message": ({"type": "http.response.push"},),
    "a header that ends early": (start(200, (b"x-a", b"b\r\nx-c: d")), body()),
    "longer than declared": (start(200, (b"content-length", b"1")), body(b"ab")),
    "an interim status": (start(103), body()),
}


@pytest.mark.parametrize("messages", BAD.values(), ids=BAD)
async def test_an_app_that_breaks_the_rules_before_it_has_begun_is_a_500(
    serve: Serve, call: Call, messages: tuple[Message, ...], caplog: pytest.LogCaptureFixture
) -> None:
    app = Raw(*messages)
    caller = await call(await serve(AsgiBridge(app)))
    reply = await caller.ask(GET)
    assert (reply.status, "x-c" in reply.headers) == (500, False)
    assert [record.name for record in caplog.records] == ["portico.http"]
    app.messages = WHOLE
    assert (await caller.ask(GET)).body == b"hello"


@pytest.mark.parametrize("messages", [(), (start(),)])
async def test_an_error_before_the_body_is_a_500(
    serve: Serve, call: Call, messages: tuple[Message, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caller = await call(await serve(AsgiBridge(Raw(*messages, error=KeyError("a secret detail")))))
    reply = await caller.ask(GET)
    assert reply.status == 500
    assert b"secret" not in reply.body
    assert "a secret detail" in caplog.text


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        (PIECES, None),
        (PIECES, KeyError("late")),
        ((start(200, (b"content-length", b"9")), body(b"abc", more=True), body()), None),
    ],
)
async def test_an_answer_that_cannot_be_finished_is_cut_and_never_ended(
    serve: Serve, call: Call, messages: tuple[Message, ...], error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    caller = await call(await serve(AsgiBridge(Raw(*messages, error=error))))
    caller.send(GET)
    assert not (await caller.rest()).endswith(b"0\r\n\r\n")


async def test_an_error_after_the_answer_is_logged_and_harms_nobody(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await call(await serve(AsgiBridge(Raw(*WHOLE, error=KeyError("late")))))
    for _ in range(2):
        assert (await caller.ask(GET)).body == b"hello"
    await until(lambda: len(caplog.records) == 2)


async def test_a_message_after_the_end_of_the_answer_is_refused(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await call(await serve(AsgiBridge(Raw(*WHOLE, body(b"more")))))
    assert (await caller.ask(GET)).body == b"hello"
    await until(lambda: "after the end of the answer" in caplog.text)
    assert (await caller.ask(GET)).body == b"hello"


async def test_a_caller_that_leaves_is_told_as_a_disconnect_and_nothing_is_cancelled(serve: Serve, call: Call) -> None:
    told: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        told.append("waiting")
        told.append(await receive())
        await asyncio.sleep(0)
        with pytest.raises(CallerGone):
            await send(start())
        told.append("done")

    server = await serve(AsgiBridge(app))
    caller = await call(server)
    caller.send(GET)
    await until(lambda: told)
    caller.reset()
    await until(lambda: not server.open_calls)
    assert told == ["waiting", {"type": "http.disconnect"}, "done"]


async def test_a_disconnect_is_told_at_the_end_of_the_answer_too(serve: Serve, call: Call) -> None:
    told: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in WHOLE:
            await send(message)
        told.append(await receive())

    caller = await call(await serve(AsgiBridge(app)))
    assert (await caller.ask(GET)).body == b"hello"
    await until(lambda: told == [{"type": "http.disconnect"}])


@pytest.mark.parametrize("wrapped", [False, True])
async def test_an_app_that_writes_for_ever_ends_with_its_caller_and_without_a_word(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture, *, wrapped: bool
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        try:
            while True:
                await send(body(b"a" * 1024, more=True))
                await asyncio.sleep(0)
        except OSError as error:
            if wrapped:
                raise BaseExceptionGroup("tasks", [error, BaseExceptionGroup("more", [error])]) from None
            raise

    server = await serve(AsgiBridge(app))
    caller = await call(server)
    caller.send(GET)
    await soon(caller.reader.readuntil(b"aaaa"))
    caller.reset()
    await until(lambda: not server.open_calls)
    assert not caplog.records


async def test_a_fault_of_an_app_is_logged_though_its_caller_has_left(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        begun.set()
        await receive()
        raise KeyError("a fault")

    server = await serve(AsgiBridge(app))
    caller = await call(server)
    caller.send(GET)
    await soon(begun.wait())
    caller.reset()
    await until(lambda: not server.open_calls)
    assert "a fault" in caplog.text


async def test_a_slow_reader_pauses_the_app(serve: Serve, call: Call) -> None:
    written = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal written
        await send(start())
        for _ in range(600):
            await send(body(b"a" * 32_768, more=True))
            written += 32_768
        await send(body())

    server = await serve(AsgiBridge(app))
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


async def test_stopping_cancels_an_app_that_does_not_end(serve: Serve, call: Call) -> None:
    ends: list[str] = []
    begun = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    server = await serve(AsgiBridge(app))
    caller = await call(server)
    caller.send(GET)
    await soon(begun.wait())
    await soon(server.stop(grace_s=0.01))
    assert ends == ["cancelled"]
    assert (await caller.rest()).startswith(b"HTTP/1.1 503")


async def test_an_upgrade_to_a_websocket_is_ignored(serve: Serve, call: Call) -> None:
    app = Raw(*WHOLE)
    caller = await call(await serve(AsgiBridge(app)))
    message = GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert (await caller.ask(message)).body == b"hello"
    assert app.scopes[0]["type"] == "http"


# -- lifespan --------------------------------------------------------------------------------------------------------


async def test_a_lifespan_runs_around_the_requests_and_shares_what_it_made(serve: Serve, call: Call) -> None:
    told: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        told.append("start")
        yield {"made": "at the start"}
        told.append("stop")

    async def show(request: Request) -> Response:
        told.append("request")
        return PlainTextResponse(request.state.made)

    bridge = AsgiBridge(Starlette(routes=[Route("/", show)], lifespan=lifespan))
    await soon(bridge.start())
    caller = await call(await serve(bridge))
    assert (await caller.ask(GET)).body == b"at the start"
    await soon(bridge.stop())
    await soon(bridge.stop())
    assert told == ["start", "request", "stop"]


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    for message in WHOLE:
        await send(message)


async def returning(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        for message in WHOLE:
            await send(message)


@pytest.mark.parametrize("app", [refusing, returning])
async def test_an_app_without_a_lifespan_is_served_all_the_same(
    serve: Serve, call: Call, app: ASGIApp, caplog: pytest.LogCaptureFixture
) -> None:
    bridge = AsgiBridge(app)
    await soon(bridge.start())
    caller = await call(await serve(bridge))
    assert (await caller.ask(GET)).body == b"hello"
    await soon(bridge.stop())
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_a_start_that_fails_stops_the_start_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    def look() -> None:
        raise RuntimeError("the cupboard is bare")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        look()
        yield

    with pytest.raises(StartupFailed, match="the cupboard is bare"):
        await soon(AsgiBridge(Starlette(lifespan=lifespan)).start())
    assert not caplog.records


@pytest.mark.parametrize("last", ["raises", "failed"])
async def test_an_end_that_fails_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture, last: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if last == "raises":
            raise RuntimeError("the door is stuck")
        await send({"type": "lifespan.shutdown.failed", "message": "the door is stuck"})

    bridge = AsgiBridge(app)
    await soon(bridge.start())
    await soon(bridge.stop())
    assert "the door is stuck" in caplog.text


# -- Starlette -------------------------------------------------------------------------------------------------------


class House:
    """A small web app of the kind people write."""

    def __init__(self) -> None:
        self.later: list[str] = []
        self.streams: list[str] = []
        routes = [
            Route("/", self.home, methods=["GET", "POST"]),
            Route("/items/{name}", self.item),
            Route("/stream", self.stream),
            Route("/moved", self.moved),
            Route("/broken", self.broken),
        ]
        self.app = Starlette(routes=routes)

    async def home(self, request: Request) -> Response:
        task = BackgroundTask(self.later.append, "done")
        return PlainTextResponse(await request.body() or b"home", background=task)

    async def item(self, request: Request) -> Response:
        name, query = request.path_params["name"], dict(request.query_params)
        return JSONResponse({"name": name, "query": query, "host": request.url.netloc})

    async def stream(self, _: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield b"begun"
                await asyncio.Event().wait()
            finally:
                self.streams.append("ended")

        return StreamingResponse(pieces())

    async def moved(self, _: Request) -> Response:
        return RedirectResponse("/")

    async def broken(self, _: Request) -> Response:
        raise RuntimeError("a secret detail")


async def test_starlette_serves_pages(serve: Serve, call: Call) -> None:
    house = House()
    server = await serve(AsgiBridge(house.app))
    caller = await call(server)
    assert (await caller.ask(GET)).body == b"home"
    posted = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    assert (await caller.ask(posted)).body == b"hi"
    await until(lambda: house.later == ["done", "done"])
    item = await caller.ask(b"GET /items/a%20b?x=%201 HTTP/1.1\r\nHost: portico.test:7\r\n\r\n")
    assert item.body == b'{"name":"a b","query":{"x":" 1"},"host":"portico.test:7"}'
    assert (await caller.ask(b"GET /moved HTTP/1.1\r\nHost: a\r\n\r\n")).headers["location"] == "/"
    assert (await caller.ask(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")).status == 404
    caller.send(GET.replace(b"GET", b"HEAD"))
    assert (await caller.reply(head_only=True)).headers["content-length"] == "4"
    assert (await caller.ask(GET.replace(b"GET", b"PUT"))).status == 405


async def test_a_fault_in_starlette_is_its_500_and_is_logged(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await call(await serve(AsgiBridge(House().app)))
    reply = await caller.ask(b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (reply.status, reply.body) == (500, b"Internal Server Error")
    assert "a secret detail" in caplog.text


async def test_a_silent_stream_of_starlette_ends_with_its_caller(
    serve: Serve, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    house = House()
    server = await serve(AsgiBridge(house.app))
    caller = await call(server)
    caller.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
    await soon(caller.reader.readuntil(b"begun"))
    caller.reset()
    await until(lambda: house.streams == ["ended"])
    await until(lambda: not server.open_calls)
    assert not caplog.records
