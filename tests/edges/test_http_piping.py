"""Handing an answer's pieces on as they arrive: what the taker does is felt by the provider and by nobody else."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from edges.sockets import Provider, Script, Visit, settle, soon, until
from portico.core.errors import UpstreamIncomplete
from portico.http.client import HttpUpstream
from portico.relay.ports import UpstreamRequest

Provide = Callable[[Script], Awaitable[Provider]]
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def saying(*pieces: bytes) -> Script:
    async def script(visit: Visit) -> None:
        await visit.request()
        for piece in pieces:
            visit.send(piece)
            await settle()

    return script


def into(taken: list[bytes]) -> Callable[[bytes], bool]:
    """Takes every piece."""

    def take(data: bytes) -> bool:
        taken.append(data)
        return True

    return take


def ask(provider: Provider) -> UpstreamRequest:
    return UpstreamRequest(url=provider.url, headers=[], body=b"{}")


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
async def test_pieces_are_handed_on_in_order_however_they_are_cut(
    provide: Provide, upstream: HttpUpstream, size: int
) -> None:
    wire = HEAD + b"".join(chunk(b"%d," % n) for n in range(40)) + END
    provider = await provide(saying(*[wire[at : at + size] for at in range(0, len(wire), size)]))
    taken: list[bytes] = []
    response = await soon(upstream.send(ask(provider)))
    assert await soon(response.pipe(into(taken)))
    assert b"".join(taken) == b"".join(b"%d," % n for n in range(40))


async def test_a_taker_that_has_enough_gets_the_rest_when_it_asks_again(
    provide: Provide, upstream: HttpUpstream
) -> None:
    provider = await provide(saying(HEAD, *[chunk(b"%d" % n) for n in range(9)], END))
    taken: list[bytes] = []
    response = await soon(upstream.send(ask(provider)))

    def one_at_a_time(data: bytes) -> bool:
        taken.append(data)
        return False

    turns = 0
    while not await soon(response.pipe(one_at_a_time)):
        turns += 1
        assert turns < 20
    assert b"".join(taken) == b"012345678"


async def test_a_taker_that_has_enough_slows_the_provider(provide: Provide, upstream: HttpUpstream) -> None:
    sent = 0

    async def pouring(visit: Visit) -> None:
        nonlocal sent
        await visit.request()
        visit.send(HEAD)
        for _ in range(400):
            visit.send(chunk(b"x" * 65_536))
            sent += 65_536
            await visit.writer.drain()
        visit.send(END)

    provider = await provide(pouring)
    response = await soon(upstream.send(ask(provider)))
    assert not await soon(response.pipe(lambda _: False))
    for _ in range(100):
        await settle()
    assert sent < 400 * 65_536
    taken = 0

    def count(data: bytes) -> bool:
        nonlocal taken
        taken += len(data)
        return True

    assert await soon(response.pipe(count))
    assert 400 * 65_536 - 2**20 <= taken <= 400 * 65_536


async def test_what_a_taker_raises_is_raised_where_it_was_asked_and_ends_the_connection(
    provide: Provide, upstream: HttpUpstream
) -> None:
    provider = await provide(saying(HEAD, chunk(b"a") + chunk(b"b") + chunk(b"c") + END))
    response = await soon(upstream.send(ask(provider)))

    def refuse(data: bytes) -> bool:
        if b"b" in data:
            raise ValueError("not this")
        return True

    with pytest.raises(ValueError, match="not this"):
        await soon(response.pipe(refuse))
    response.close()
    await until(lambda: not upstream.open_connections)


async def test_a_provider_that_breaks_off_is_told_after_what_it_said(provide: Provide, upstream: HttpUpstream) -> None:
    provider = await provide(saying(HEAD, chunk(b"a")))
    taken: list[bytes] = []
    response = await soon(upstream.send(ask(provider)))
    with pytest.raises(UpstreamIncomplete):
        await soon(response.pipe(into(taken)))
    assert taken == [b"a"]


async def test_cancelling_while_pieces_come_closes_the_connection(provide: Provide, upstream: HttpUpstream) -> None:
    async def silent(visit: Visit) -> None:
        await visit.request()
        visit.send(HEAD + chunk(b"a"))
        await asyncio.sleep(60)

    provider = await provide(silent)
    response = await soon(upstream.send(ask(provider)))
    piping = asyncio.create_task(response.pipe(lambda _: True))
    await settle()
    piping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await piping
    await until(lambda: not upstream.open_connections)
