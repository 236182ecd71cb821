"""The client against providers that answer strangely, slowly, too early, too much, or as an attacker would have them.

What could be read in two ways is refused, or at least never followed by another request on the same connection: whatever
comes behind it must not be taken for the answer to somebody else's request.
"""

import asyncio
import contextlib
import gzip
import socket
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest

from edges.sockets import PATIENCE_S, Provider, Script, Visit, read_head, settle, soon, until
from portico.core.errors import UpstreamBadGateway, UpstreamError, UpstreamIncomplete, UpstreamTimeout
from portico.http.client import HttpUpstream
from portico.http.encodings import PIECE_BYTES
from portico.relay.ports import UpstreamRequest

Provide = Callable[[Script], Awaitable[Provider]]

HONEST, SMUGGLED = b"honest", b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"


def request(provider: Provider, **more: object) -> UpstreamRequest:
    fields: dict[str, object] = {"headers": [], "body": b"{}", **more}
    return UpstreamRequest(url=provider.url, **fields)  # type: ignore[arg-type]


async def fetch(client: HttpUpstream, provider: Provider, **more: object) -> bytes:
    response = await soon(client.send(request(provider, **more)))
    try:
        return await soon(response.read())
    finally:
        response.close()


def answering(*pieces: bytes) -> Script:
    """The first connection says the pieces, apart from one another; every other is honest."""

    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            if visit.number:
                visit.answer(HONEST)
                continue
            for piece in pieces:
                if visit.writer.transport.is_closing():
                    return
                visit.send(piece)
                await settle()
            await visit.gone()

    return script


def each_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"".join(line + b"\r\n" for line in (status, *lines)) + b"\r\n"


CODED = b"Transfer-Encoding: chunked"
LAST = b"0\r\n\r\n"

FINE = {
    "chunk extensions": head(CODED) + b'5;a=b;c="d;e"\r\nhello\r\n5;f\r\nworld\r\n0;g\r\n\r\n',
    "trailers": head(CODED, b"Trailer: X-A") + b"a\r\nhelloworld\r\n0\r\nX-A: b\r\nX-B: c\r\n\r\n",
    "chunks of a byte": head(CODED) + b"".join(b"1\r\n%b\r\n" % byte for byte in each_byte(b"helloworld")) + LAST,
    "zeros before a chunk size": head(CODED) + b"0000a\r\nhelloworld\r\n" + LAST,
    "capitals in a chunk size": head(CODED) + b"A\r\nhelloworld\r\n" + LAST,
    "capitals in a coding": head(b"TRANSFER-ENCODING: Chunked") + b"A\r\nhelloworld\r\n" + LAST,
    "spaces around a length": head(b"Content-Length: \t 10 \t ") + b"helloworld",
    "many interim answers": head(b"X-A: b", status=b"HTTP/1.1 102 Processing") * 20
    + head(b"Content-Length: 10")
    + b"helloworld",
    "an empty header": head(b"X-A:", b"Content-Length: 10") + b"helloworld",
    "bytes beyond ASCII in a header": head(b"X-A: \xe9\xff", b"Content-Length: 10") + b"helloworld",
    "a reason beyond ASCII": head(b"Content-Length: 10", status=b"HTTP/1.1 200 Tr\xe8s bien") + b"helloworld",
    "kept in HTTP/1.0": head(b"Connection: keep-alive", b"Content-Length: 10", status=b"HTTP/1.0 200 OK")
    + b"helloworld",
    "compressed": head(b"Content-Encoding: gzip", CODED)
    + b"%x\r\n%b\r\n" % (len(gzip.compress(b"helloworld")), gzip.compress(b"helloworld"))
    + LAST,
}


@pytest.mark.parametrize("answer", FINE.values(), ids=FINE)
async def test_an_answer_cut_anywhere_is_the_same_and_its_connection_kept(
    provide: Provide, upstream: HttpUpstream, answer: bytes
) -> None:
    async def script(visit: Visit) -> None:
        for at in range(1, len(answer)):
            await visit.request()
            visit.send(answer[:at])
            await settle()
            visit.send(answer[at:])
        await visit.request()
        for byte in each_byte(answer):
            visit.send(byte)
            await settle()
        await visit.gone()

    provider = await provide(script)
    for _ in answer:
        assert await fetch(upstream, provider) == b"helloworld"
    assert provider.visits == 1


TWO_WAYS = {
    "two lengths that differ": head(b"Content-Length: 0", b"Content-Length: 60"),
    "two lengths that agree": head(b"Content-Length: 0", b"Content-Length: 0"),
    "a list of lengths": head(b"Content-Length: 0, 0"),
    "a signed length": head(b"Content-Length: +0"),
    "a negative length": head(b"Content-Length: -1"),
    "a hexadecimal length": head(b"Content-Length: 0x0"),
    "an empty length": head(b"Content-Length: "),
    "a length beyond counting": head(b"Content-Length: 18446744073709551616"),
    "a length with a space within": head(b"Content-Length: 0 0"),
    "a space before the colon": head(b"Content-Length : 0"),
    "length, then coding": head(b"Content-Length: 5", CODED) + LAST,
    "coding, then length": head(CODED, b"Content-Length: 5") + LAST,
    "a coding before chunked": head(b"Transfer-Encoding: gzip, chunked") + LAST,
    "a coding after chunked": head(b"Transfer-Encoding: chunked, gzip") + LAST,
    "chunked twice": head(CODED, CODED) + LAST,
    "chunked twice in a list": head(b"Transfer-Encoding: chunked, chunked") + LAST,
    "identity": head(b"Transfer-Encoding: identity"),
    "almost chunked": head(b"Transfer-Encoding: xchunked") + LAST,
    "an empty coding": head(b"Transfer-Encoding: "),
    "chunked behind a control": head(b"Transfer-Encoding: \x0bchunked") + LAST,
    "chunked in HTTP/1.0": head(CODED, status=b"HTTP/1.0 200 OK") + LAST,
    "a folded header": head(b"X-A: one", b" Content-Length: 5", b"Content-Length: 0"),
    "a folded length": head(b"Content-Length:", b" 0"),
    "a folded first header": head(b" Content-Length: 0"),
    "bare LF after the status line": b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "bare LF after a header": b"HTTP/1.1 200 OK\r\nX-A: b\nContent-Length: 0\r\n\r\n",
    "bare LF for the empty line": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n",
    "bare CR in a header": head(b"X-A: one\rContent-Length: 5", b"Content-Length: 0"),
    "bare CR after the status line": b"HTTP/1.1 200 OK\rContent-Length: 5\r\n\r\n",
    "NUL in a header": head(b"X-A: one\0two", b"Content-Length: 0"),
    "a header without a colon": head(b"X-A", b"Content-Length: 0"),
    "a header without a name": head(b": value", b"Content-Length: 0"),
    "a space in a header name": head(b"X A: b", b"Content-Length: 0"),
    "bare LF after a chunk size": head(CODED) + b"5\nhello\r\n" + LAST,
    "bare LF after chunk data": head(CODED) + b"5\r\nhello\n" + LAST,
    "bare LF in a chunk extension": head(CODED) + b"5;a\nb\r\nhello\r\n" + LAST,
    "a chunk longer than it says": head(CODED) + b"1\r\naXX" + LAST,
    "a chunk size with 0x": head(CODED) + b"0x5\r\nhello\r\n" + LAST,
    "a chunk size with a space": head(CODED) + b"5 \r\nhello\r\n" + LAST,
    "a negative chunk size": head(CODED) + b"-5\r\nhello\r\n" + LAST,
    "no chunk size": head(CODED) + b"\r\nhello\r\n" + LAST,
    "a chunk size beyond counting": head(CODED) + b"10000000000000000\r\nhello\r\n" + LAST,
    "a length in a trailer": head(CODED) + b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    "a folded trailer": head(CODED) + b"5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n",
    "no status": b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "a short status": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a long status": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "a status below all": b"HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n",
    "another version": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a later version": b"HTTP/1.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "another protocol by name": b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "an interim answer with a length": head(b"Content-Length: 8", status=b"HTTP/1.1 103 Hints"),
    "an interim answer with a coding": head(CODED, status=b"HTTP/1.1 103 Hints") + LAST,
    "no content with a length": head(b"Content-Length: 5", status=b"HTTP/1.1 204 No Content") + b"hello",
    "no content with a coding": head(CODED, status=b"HTTP/1.1 204 No Content") + b"5\r\nhello\r\n" + LAST,
    "not modified with a body": head(b"Content-Length: 5", status=b"HTTP/1.1 304 Not Modified") + b"hello",
    "a length to the end": head(b"Content-Length: 0", b"Connection: close"),
    "a body to the end": head(),
    "garbage behind it": head(b"Content-Length: 0") + b"\0\1\2",
    "blank lines behind it": head(b"Content-Length: 0") + b"\r\n\r\n",
    "a whole answer behind it": head(b"Content-Length: 0"),
}


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("answer", TWO_WAYS.values(), ids=TWO_WAYS)
async def test_what_is_behind_a_doubtful_answer_answers_nobody(
    provide: Provide, upstream: HttpUpstream, answer: bytes, cut: bool
) -> None:
    answer += SMUGGLED
    provider = await provide(answering(*(each_byte(answer) if cut else [answer])))
    with contextlib.suppress(UpstreamError):
        assert await fetch(upstream, provider, idle_timeout_s=0.2) != b"smuggled"
    await until(lambda: upstream.idle_connections == 0 or upstream.open_connections == 0)
    assert [await fetch(upstream, provider) for _ in range(2)] == [HONEST] * 2
    assert provider.visits == 2


@pytest.mark.parametrize("answer", [b"Content-Length: 5\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_the_body_that_an_answer_to_head_must_not_have_is_not_read(
    provide: Provide, upstream: HttpUpstream, answer: bytes
) -> None:
    provider = await provide(answering(b"HTTP/1.1 200 OK\r\n" + answer + SMUGGLED))
    assert await fetch(upstream, provider, method="HEAD", body=b"") == b""
    assert await fetch(upstream, provider) == HONEST


@pytest.mark.parametrize("line", [b"Content-Length: 46", CODED])
async def test_the_body_that_no_content_claims_to_have_answers_nobody_when_it_comes_late(
    provide: Provide, upstream: HttpUpstream, line: bytes
) -> None:
    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            if visit.number:
                visit.answer(HONEST)
            else:
                visit.send(head(line, status=b"HTTP/1.1 204 No Content"))
                await visit.request()
                visit.send(SMUGGLED)

    provider = await provide(script)
    assert await fetch(upstream, provider) == b""
    assert await fetch(upstream, provider) == HONEST


async def test_not_modified_may_tell_the_length_it_does_not_send(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            visit.send(head(b"Content-Length: 100", status=b"HTTP/1.1 304 Not Modified"))

    provider = await provide(script)
    assert [await fetch(upstream, provider) for _ in range(3)] == [b""] * 3
    assert provider.visits == 1


async def test_an_interim_answer_is_not_taken_for_the_end_of_a_message(
    provide: Provide, upstream: HttpUpstream
) -> None:
    """Not even in the same segment as what follows it, nor when a connection is used again."""

    async def script(visit: Visit) -> None:
        for number in range(20):
            await visit.request()
            visit.send(head(status=b"HTTP/1.1 100 Continue") * (number % 3))
            if number % 2:
                await settle()
            visit.send(head(b"Content-Length: 2") + b"%02d" % number)
        await visit.gone()

    provider = await provide(script)
    assert [await fetch(upstream, provider) for _ in range(20)] == [b"%02d" % number for number in range(20)]
    assert provider.visits == 1


# Too early, too late, and not to the end.


async def test_an_early_answer_is_taken_and_its_connection_is_not_used_again(
    provide: Provide, upstream: HttpUpstream
) -> None:
    async def script(visit: Visit) -> None:
        await read_head(visit.reader)
        visit.answer(b"too large", status="413 Content Too Large")
        await asyncio.sleep(0.01)
        if visit.number:
            await visit.gone()

    provider = await provide(script)
    for _ in range(3):
        response = await soon(upstream.send(request(provider, body=b"a" * 20_000_000)))
        assert response.status == 413
        assert await soon(response.read()) == b"too large"
        response.close()
        await until(lambda: not upstream.open_connections)
    assert provider.visits == 3


@pytest.mark.parametrize("answer", FINE.values(), ids=FINE)
async def test_a_provider_that_ends_its_side_with_the_answer_is_not_asked_again(
    provide: Provide, upstream: HttpUpstream, answer: bytes
) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(answer)
        visit.writer.write_eof()
        await visit.gone()

    provider = await provide(script)
    for _ in range(2):
        assert await fetch(upstream, provider) == b"helloworld"
        await until(lambda: not upstream.open_connections)
    assert provider.visits == 2


@pytest.mark.parametrize("answer", FINE.values(), ids=FINE)
async def test_an_answer_that_stops_early_is_incomplete_wherever_it_stops(
    provide: Provide, upstream: HttpUpstream, answer: bytes
) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(answer[: visit.number])
        if visit.number % 2:  # As a process that dies; else as one that closes.
            await settle()
            visit.writer.transport.abort()

    provider = await provide(script)
    for _ in answer:
        with pytest.raises(UpstreamIncomplete):
            await fetch(upstream, provider)
    assert provider.visits == len(answer)
    await until(lambda: not upstream.open_connections)


async def test_a_head_that_trickles_in_is_not_waited_for_longer_than_one_that_does_not(
    provide: Provide, upstream: HttpUpstream
) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\n")
        while not visit.writer.transport.is_closing():
            visit.send(b"X-A: b\r\n")
            await asyncio.sleep(0.005)

    with pytest.raises(UpstreamTimeout):
        await soon(upstream.send(request(await provide(script), first_byte_timeout_s=0.1)))
    await until(lambda: not upstream.open_connections)


ENDLESS = {
    "a trailer": head(CODED) + b"0\r\nX-A: " + b"a" * 200_000,
    "trailers": head(CODED) + b"0\r\n" + b"X-A: b\r\n" * 20_000,
    "a chunk extension": head(CODED) + b"5;a=" + b"a" * 200_000,
    "a chunk size": head(CODED) + b"0" * 200_000,
    "a reason": b"HTTP/1.1 200 " + b"a" * 200_000,
    "a header name": b"HTTP/1.1 200 OK\r\n" + b"a" * 200_000,
    "blank lines": b"\r\n" * 100_000,
    "large interim answers": head(b"X-A: " + b"a" * 1000, status=b"HTTP/1.1 103 Hints") * 200,
}


@pytest.mark.parametrize("step", [1000, 10**6])
@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
async def test_what_does_not_end_is_not_read_to_its_end(
    provide: Provide, upstream: HttpUpstream, answer: bytes, step: int
) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        for at in range(0, len(answer), step):
            visit.send(answer[at : at + step])
            await visit.writer.drain()
        await visit.gone()

    with pytest.raises(UpstreamBadGateway):
        await fetch(upstream, await provide(script))
    await until(lambda: not upstream.open_connections)


# Many at once, and those who leave.


async def test_an_answer_in_many_pieces_takes_no_more_room_than_its_bytes(
    provide: Provide, upstream: HttpUpstream
) -> None:
    """Each piece took a hundred bytes: an answer of some megabytes, a byte at a time, took gigabytes."""
    size = 200_000
    pieces = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * size + b"0\r\n\r\n"
    provider = await provide(answering(pieces))
    tracemalloc.start()
    try:
        body = await fetch(upstream, provider)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert body == b"x" * size
    assert peak < 5 * len(pieces)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in pieces"])
async def test_others_have_their_turn_while_an_answer_is_decoded(
    provide: Provide, upstream: HttpUpstream, whole: bool
) -> None:
    """All of it may have come in one piece, and stand for a thousand times as much."""
    data = gzip.compress(bytes(64 * PIECE_BYTES))
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(data)
    provider = await provide(answering(head + data))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    response = await soon(upstream.send(request(provider)))
    await until(lambda: response.complete)
    waiting = asyncio.create_task(others())
    try:
        if whole:
            assert len(await response.read()) == 64 * PIECE_BYTES
        else:
            assert await response.pipe(lambda _: True)
    finally:
        waiting.cancel()
        response.close()
    assert turns > 32


async def test_many_at_once_each_get_their_own_answer(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        turn = 0
        while True:
            body = (await visit.request()).body
            turn += 1
            match int(body) % 5:
                case 0:
                    visit.answer(body)
                case 1:
                    visit.send(head(CODED) + b"".join(b"1\r\n%b\r\n" % byte for byte in each_byte(body)) + LAST)
                case 2:
                    visit.send(head(b"Content-Encoding: gzip", b"Connection: close") + gzip.compress(body))
                    return
                case 3:
                    for byte in each_byte(head(b"Content-Length: %d" % len(body)) + body):
                        visit.send(byte)
                        await asyncio.sleep(0)
                case 4:
                    visit.send(head(b"Content-Length: 100") + body)
                    return

    async def one(number: int) -> bytes | type[Exception]:
        try:
            return await fetch(upstream, provider, body=b"%d" % number)
        except UpstreamIncomplete:
            return UpstreamIncomplete

    provider = await provide(script)
    for _ in range(3):
        answers = await asyncio.gather(*(one(number) for number in range(200)))
        assert answers == [b"%d" % number if number % 5 != 4 else UpstreamIncomplete for number in range(200)]
    await until(lambda: upstream.open_connections == upstream.idle_connections)


async def test_leaving_while_the_name_is_looked_up_leaves_nothing(provide: Provide) -> None:
    asked = asyncio.Event()

    async def resolve(host: str, port: int) -> list[str]:
        asked.set()
        await asyncio.sleep(PATIENCE_S)
        return ["127.0.0.1"]

    client = HttpUpstream(resolve=resolve)
    provider = await provide(answering(SMUGGLED))
    task = asyncio.create_task(fetch(client, provider))
    await soon(asked.wait())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (client.open_connections, provider.visits) == (0, 0)
    await client.aclose()


async def test_leaving_while_the_connection_is_made_leaves_nothing(upstream: HttpUpstream) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        others = [socket.socket() for _ in range(4)]  # The backlog is full, further connections hang.
        for other in others:
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        task = asyncio.create_task(upstream.send(UpstreamRequest(url=url, headers=[])))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert upstream.open_connections == 0
        for other in others:
            other.close()


STAGES = {
    "before anything": b"",
    "within the status line": b"HTTP/1.1 2",
    "after an interim answer": head(status=b"HTTP/1.1 100 Continue"),
    "within the head": b"HTTP/1.1 200 OK\r\nContent-",
    "after the head": head(b"Content-Length: 10"),
    "within the body": head(b"Content-Length: 10") + b"hello",
    "within a chunk size": head(CODED) + b"5\r\nhello\r\n5",
    "before the trailers": head(CODED) + b"5\r\nhello\r\n0\r\n",
    "within what is compressed": head(b"Content-Encoding: gzip", CODED) + b"5\r\n%b\r\n" % gzip.compress(b"hello")[:5],
}


@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("answer", STAGES.values(), ids=STAGES)
async def test_leaving_at_any_stage_ends_the_connection_and_no_other(
    provide: Provide, upstream: HttpUpstream, answer: bytes, reused: bool
) -> None:
    said, gone = asyncio.Event(), asyncio.Event()

    async def script(visit: Visit) -> None:
        if visit.number:
            while True:
                await visit.request()
                visit.answer(HONEST)
        if reused:
            await visit.request()
            visit.answer(HONEST)
        await visit.request()
        visit.send(answer)
        said.set()
        await visit.gone()
        gone.set()

    provider = await provide(script)
    if reused:
        assert await fetch(upstream, provider) == HONEST
    task = asyncio.create_task(fetch(upstream, provider))
    await soon(said.wait())
    await settle()
    other = asyncio.create_task(fetch(upstream, provider))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await soon(gone.wait())
    assert await soon(other) == HONEST
    assert await fetch(upstream, provider) == HONEST
    assert provider.visits == 2
    assert upstream.open_connections == upstream.idle_connections == 1
