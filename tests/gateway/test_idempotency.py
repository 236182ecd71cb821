"""What HTTP has to do with an idempotency key: on real sockets, an app that records its answers and gives them again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.house import Answer, Wire, soon, until
from portico.core.errors import Conflict, InvalidRequest
from portico.http.idempotency import Recorded, fingerprint, keyed, replay
from portico.http.server import Server
from portico.ledger.hold import Replay
from portico.ledger.settle import Outcome
from portico.wire.http import Exchange, HttpRequest

JSON = ("content-type", "application/json")
CAP = 64
Play = Callable[[Exchange], Awaitable[None]]


class Remembers:
    """Plays once for each key, and gives what it kept from then on."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.played = 0
        self.outcomes: dict[str, Outcome] = {}

    async def __call__(self, exchange: Exchange) -> None:
        key = keyed(exchange.request)
        if key is None:
            exchange.send(500, [], b"")
            return
        if key.key in self.outcomes:
            kept = self.outcomes[key.key]
            replay(exchange, Replay("req_first", kept.status, kept.headers, kept.body))
            return
        recorded = Recorded(exchange, key, _told, max_bytes=CAP)
        self.played += 1
        try:
            await self._play(recorded)
        finally:
            self.outcomes[key.key] = recorded.outcome()


def _told(error: Conflict) -> bytes:
    return error.message.encode()


@contextlib.asynccontextmanager
async def serving(app: Remembers) -> AsyncIterator[Callable[[], Awaitable[Answer]]]:
    server = Server(app)
    await server.start()

    async def ask() -> Answer:
        async with connected(server) as wire:
            return await wire.rest()

    try:
        yield ask
    finally:
        await server.stop(grace_s=0)


@contextlib.asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Wire]:
    wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
    wire.request("POST", "/v1/x", {"host": "gateway", "idempotency-key": "once"}, b"{}")
    try:
        yield wire
    finally:
        wire.drop()


async def test_a_whole_answer_is_given_again_as_it_was() -> None:
    async def play(exchange: Exchange) -> None:
        headers = [JSON, ("x-portico-changes", "[]"), ("x-ratelimit-remaining-requests", "3"), ("retry-after", "9")]
        exchange.send(201, headers, b'{"a": 1}')

    app = Remembers(play)
    async with serving(app) as ask:
        first, again = await ask(), await ask()
    assert app.played == 1
    assert (first.status, first.body) == (again.status, again.body) == (201, b'{"a": 1}')
    assert again.headers["x-portico-changes"] == "[]"
    assert again.headers["x-portico-replayed"] == "req_first"
    assert "x-portico-replayed" not in first.headers
    assert first.headers["x-ratelimit-remaining-requests"] == "3"
    assert "x-ratelimit-remaining-requests" not in again.headers, "that was true a while ago"
    assert "retry-after" not in again.headers


@pytest.mark.parametrize("size", [1, 7, 64])
async def test_a_stream_is_given_again_as_its_bytes(size: int) -> None:
    data = b"data: one\n\ndata: two\n\ndata: [DONE]\n\n"

    async def play(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
        exchange.finish()

    async with serving(Remembers(play)) as ask:
        first, again = await ask(), await ask()
    assert first.body == again.body == data
    assert again.headers["content-type"] == "text/event-stream"


async def test_an_answer_as_long_as_is_kept_is_kept() -> None:
    async def play(exchange: Exchange) -> None:
        exchange.send(200, [JSON], b"x" * CAP)

    async with serving(Remembers(play)) as ask:
        assert (await ask()).body == (await ask()).body == b"x" * CAP


async def test_an_answer_that_was_too_long_is_told_as_that_and_not_made_again() -> None:
    async def play(exchange: Exchange) -> None:
        exchange.start(200, [JSON])
        for _ in range(CAP + 1):
            exchange.write(b"x")
        exchange.finish()

    app = Remembers(play)
    async with serving(app) as ask:
        assert (await ask()).body == b"x" * (CAP + 1)
        again = await ask()
    assert app.played == 1
    assert again.status == 409
    assert again.headers["x-should-retry"] == "false"
    assert b"too long" in again.body


async def test_an_answer_that_was_cut_is_told_as_that_and_not_made_again() -> None:
    async def play(exchange: Exchange) -> None:
        exchange.start(200, [JSON])
        exchange.write(b"x")
        exchange.abort()

    app = Remembers(play)
    server = Server(app)
    await server.start()
    try:
        async with connected(server) as wire:
            await soon(wire.reader.read())
        await until(lambda: app.outcomes)
        async with connected(server) as wire:
            again = await wire.rest()
    finally:
        await server.stop(grace_s=0)
    assert (again.status, app.played) == (409, 1)
    assert b"did not come to its end" in again.body


# -- keys and fingerprints ---------------------------------------------------------------------------------------------


def request(**more: object) -> HttpRequest:
    fields: dict[str, object] = {"method": "POST", "path": "/v1/x", "query": "", "headers": {}, "body": b"{}", **more}
    return HttpRequest(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "a\tb", "é", "a ", " a"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        keyed(request(headers={"idempotency-key": key}))
    assert refused.value.param == "idempotency-key"


@pytest.mark.parametrize("key", ["a", "a" * 255, "3b1f-77", '"quoted"', "two words"])
def test_a_key_is_what_the_caller_says(key: str) -> None:
    found = keyed(request(headers={"idempotency-key": key}))
    assert found is not None
    assert (found.key, found.fingerprint) == (key, fingerprint(request()))


def test_without_the_header_there_is_no_key() -> None:
    assert keyed(request()) is None


def test_a_request_is_known_by_all_that_decides_its_answer() -> None:
    others = [
        request(),
        request(method="PUT"),
        request(path="/v1/y"),
        request(query="alt=sse"),
        request(body=b"{ }"),
        request(path="/v1/xa", body=b"{}"),
        request(path="/v1/", query="x"),
        request(path="/v1/x4:POST"),
    ]
    assert len({fingerprint(one) for one in others}) == len(others)
    assert fingerprint(request(headers={"x": "y"}, peer="1.2.3.4")) == fingerprint(request())


def form(boundary: str, *values: str) -> bytes:
    head = 'Content-Disposition: form-data; name="a"'
    parts = [f"--{boundary}\r\n{head}\r\n\r\n{value}\r\n" for value in values]
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


def test_a_form_that_is_sent_again_is_known_whatever_boundary_its_client_made_up() -> None:
    first = fingerprint(request(body=form("one", "x", "y")))
    assert fingerprint(request(body=form("another", "x", "y"))) == first
    others = [
        form("one", "x"),
        form("one", "xy"),
        form("one", "y", "x"),
        form("one", "x", "y", ""),
        form("one", "x", "y "),
    ]
    assert first not in {fingerprint(request(body=body)) for body in [*others, b"--", b"--one\r\n"]}
