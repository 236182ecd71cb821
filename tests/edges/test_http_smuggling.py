"""Smuggling on real sockets: of a message with two meanings nothing is run, and nothing that follows it either."""

from collections.abc import Awaitable, Callable

import pytest

from edges.messages import CONFORM, GET, LARGE, REFUSED, SMUGGLED
from edges.sockets import Caller, settle, until
from portico.http.limits import Limits
from portico.http.server import Server
from portico.wire.http import Exchange

Serve = Callable[..., Awaitable[Server]]
Call = Callable[[Server], Awaitable[Caller]]

PLAIN = b"Host: a\r\n"
OFFERED = PLAIN + b"Connection: upgrade\r\nUpgrade: h2c\r\n"
UPGRADES = {name: message.replace(PLAIN, OFFERED, 1) for name, message in REFUSED.items() if PLAIN in message}


class Seen:
    """An app that remembers what reached it."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []

    async def __call__(self, exchange: Exchange) -> None:
        self.requests.append((exchange.request.path, exchange.request.body))
        exchange.send(200, [], b"seen")


async def refused(server: Server, caller: Caller) -> bytes:
    """What was said before the refusal, once it is certain that nothing more is heard."""
    said = await caller.rest()
    before, mark, refusal = said.rpartition(b"HTTP/1.1 400 Bad Request\r\n")
    assert mark, said
    head, _, body = refusal.partition(b"\r\n\r\n")
    assert b"connection: close" in head.split(b"\r\n")
    assert b"content-length: %d" % len(body) in head.split(b"\r\n")
    caller.send(SMUGGLED)
    caller.close()
    await until(lambda: not server.open_connections)
    return before


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
async def test_nothing_behind_a_refused_message_is_run(serve: Serve, call: Call, message: bytes) -> None:
    app = Seen()
    server = await serve(app)
    caller = await call(server)
    caller.send(message + SMUGGLED)
    assert await refused(server, caller) == b""
    caller = await call(server)
    for at in range(len(message)):
        caller.send(message[at : at + 1])
        await settle()
    caller.send(SMUGGLED)
    assert await refused(server, caller) == b""
    assert app.requests == []


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
async def test_a_good_request_before_it_is_answered_and_nothing_behind_it(
    serve: Serve, call: Call, message: bytes
) -> None:
    app = Seen()
    server = await serve(app)
    caller = await call(server)
    caller.send(GET + message + SMUGGLED)
    assert (await refused(server, caller)).endswith(b"\r\n\r\nseen")
    assert app.requests == [("/v1/models", b"")]


@pytest.mark.parametrize("message", UPGRADES.values(), ids=UPGRADES)
async def test_an_offer_to_upgrade_hides_nothing(serve: Serve, call: Call, message: bytes) -> None:
    app = Seen()
    server = await serve(app)
    caller = await call(server)
    caller.send(message + SMUGGLED)
    assert await refused(server, caller) == b""
    assert app.requests == []


@pytest.mark.parametrize("message", CONFORM.values(), ids=CONFORM)
async def test_what_is_odd_but_of_one_meaning_is_one_request(serve: Serve, call: Call, message: bytes) -> None:
    app = Seen()
    caller = await call(await serve(app))
    caller.send(message + SMUGGLED)
    assert [(await caller.reply()).status for _ in range(2)] == [200, 200]
    for at in range(len(message)):
        caller.send(message[at : at + 1])
        await settle()
    assert (await caller.reply()).status == 200
    assert app.requests == [("/", b"abc"), ("/smuggled", b""), ("/", b"abc")]


@pytest.mark.parametrize("size", [50, 10_000])
@pytest.mark.parametrize(("status", "message"), LARGE.values(), ids=LARGE)
async def test_what_is_too_large_is_refused_and_nothing_behind_it_is_run(
    serve: Serve, call: Call, status: int, message: bytes, size: int
) -> None:
    app = Seen()
    server = await serve(app, Limits(max_head_bytes=1000, max_body_bytes=1000))
    caller = await call(server)
    whole = message + b"\r\n\r\n" + SMUGGLED
    for at in range(0, len(whole), size):
        caller.send(whole[at : at + size])
        await settle()
    said = await caller.rest()
    # Read in one piece, what does not end is found malformed before it is found too large.
    assert said.startswith((b"HTTP/1.1 %d " % status, b"HTTP/1.1 400 " if size > len(message) else b"-"))
    assert said.count(b"HTTP/1.1 ") == 1
    caller.close()
    await until(lambda: not server.open_connections)
    assert app.requests == []
