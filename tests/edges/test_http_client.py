"""The client against scripted providers: what it sends, what it accepts, and how it fails."""

import asyncio
import gzip
import os
import socket
import sys
import zlib
from collections.abc import Awaitable, Callable
from math import inf

import pytest

from edges.sockets import PATIENCE_S, Provided, Provider, Script, Visit, read_head, settle, soon, until
from portico.core.errors import (
    GatewayBusy,
    UpstreamAnswerTooLarge,
    UpstreamBadGateway,
    UpstreamIncomplete,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from portico.http.client import HttpUpstream
from portico.http.encodings import PIECE_BYTES
from portico.relay.ports import Upstream, UpstreamRequest, UpstreamResponse

Provide = Callable[[Script], Awaitable[Provider]]

OTHERS = [("Accept-Encoding", "br"), ("User-Agent", "x")]
SECRET = "sk-do-not-tell"


def post(provider: Provider, path: str = "/v1/generate?alt=sse", **more: object) -> UpstreamRequest:
    fields: dict[str, object] = {"headers": [("authorization", SECRET)], "body": b'{"a":1}', **more}
    return UpstreamRequest(url=provider.url + path, **fields)  # type: ignore[arg-type]


async def fetch(client: HttpUpstream, request: UpstreamRequest) -> bytes:
    response = await soon(client.send(request))
    try:
        return await soon(response.read())
    finally:
        response.close()


async def gather(response: UpstreamResponse, pieces: list[bytes]) -> bytes:
    """Reads into `pieces`, which keeps what came before a failure."""
    async for piece in response:
        pieces.append(piece)  # noqa: PERF401
    return b"".join(pieces)


def saying(*pieces: bytes) -> Script:
    """Answers each request of each connection with the pieces, apart from one another, then closes."""

    async def script(visit: Visit) -> None:
        await visit.request()
        for piece in pieces:
            visit.send(piece)
            await settle()

    return script


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n"


def test_the_client_is_what_the_relay_asks_for() -> None:
    client: Upstream = HttpUpstream()
    assert callable(client.send)


async def test_a_request_says_what_it_has_to(provide: Provide, upstream: HttpUpstream) -> None:
    seen: list[Provided] = []

    async def script(visit: Visit) -> None:
        while True:
            seen.append(await visit.request())
            visit.answer(b"ok")

    provider = await provide(script)
    assert await fetch(upstream, post(provider)) == b"ok"
    await fetch(upstream, post(provider, "", body=b"", method="GET", headers=OTHERS))
    host = f"127.0.0.1:{provider.port}"
    assert seen[0] == (
        "POST /v1/generate?alt=sse HTTP/1.1",
        {
            "host": host,
            "accept-encoding": "gzip, br",
            "user-agent": "portico",
            "content-length": "7",
            "authorization": SECRET,
        },
        b'{"a":1}',
    )
    assert seen[1] == ("GET / HTTP/1.1", {"host": host, "accept-encoding": "br", "user-agent": "x"}, b"")


async def test_a_large_body_arrives_whole(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        visit.answer((await visit.request()).body)
        await visit.gone()

    body = bytes(range(256)) * 20_000
    assert await fetch(upstream, post(await provide(script), body=body)) == body


async def test_connections_are_kept_and_used_again(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            visit.answer(b"%d" % visit.number)

    provider = await provide(script)
    assert [await fetch(upstream, post(provider)) for _ in range(3)] == [b"0"] * 3
    both = await asyncio.gather(*(upstream.send(post(provider)) for _ in range(2)))
    assert {await response.read() for response in both} == {b"0", b"1"}
    assert upstream.idle_connections == upstream.open_connections == 2


async def test_the_pool_keeps_a_bounded_number(provide: Provide) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        await asyncio.sleep(0.01)
        visit.answer(b"ok")
        await visit.gone()

    provider = await provide(script)
    client = HttpUpstream(max_idle_per_origin=2)
    await asyncio.gather(*(fetch(client, post(provider)) for _ in range(6)))
    await until(lambda: client.open_connections == client.idle_connections == 2)
    await client.aclose()


async def test_the_pool_keeps_a_bounded_number_over_all_origins(provide: Provide) -> None:
    async def script(visit: Visit) -> None:
        while True:
            visit.answer((await visit.request()).body)

    providers = [await provide(script) for _ in range(4)]
    client = HttpUpstream(max_idle=2)
    for provider in (*providers, *providers[2:]):
        assert await fetch(client, post(provider)) == b'{"a":1}'
    await until(lambda: client.open_connections == client.idle_connections == 2)
    assert [provider.visits for provider in providers] == [1] * 4  # The ones idle for longest were closed.
    await client.aclose()


async def test_an_idle_connection_is_closed_after_a_while(provide: Provide) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.answer(b"ok")
        await visit.gone()

    client = HttpUpstream(idle_limit_s=0.03)
    assert await fetch(client, post(await provide(script))) == b"ok"
    await until(lambda: not client.open_connections and not client.idle_connections)
    await client.aclose()


ANSWERS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhelloworld",
    "chunked": CHUNKED_HEAD + chunk(b"hello") + chunk(b"world") + b"0\r\nX-Trailer: a\r\n\r\n",
    "to the end": b"HTTP/1.1 200 OK\r\n\r\nhelloworld",
    "closing": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhelloworld",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhelloworld",
    "after interim answers": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhelloworld",
    "without a reason": b"HTTP/1.1 200\r\nContent-Length: 10\r\n\r\nhelloworld",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_cut_at_any_byte_is_the_same(provide: Provide, upstream: HttpUpstream, answer: bytes) -> None:
    async def script(visit: Visit) -> None:
        for at in range(1, len(answer) + 1):
            await visit.request()
            visit.send(answer[:at])
            await settle()
            visit.send(answer[at:])
            if b"chunked" not in answer and b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" not in answer:
                return

    provider = await provide(script)
    for _ in answer:
        assert await fetch(upstream, post(provider)) == b"helloworld"
    assert await fetch(upstream, post(await provide(saying(*(answer[at : at + 1] for at in range(len(answer))))))) == (
        b"helloworld"
    )


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_that_has_no_body_ends_with_its_head(
    provide: Provide, upstream: HttpUpstream, status: str
) -> None:
    async def script(visit: Visit) -> None:
        for _ in range(2):
            await visit.request()
            visit.send(f"HTTP/1.1 {status}\r\nETag: a\r\n\r\n".encode())
        await visit.gone()

    provider = await provide(script)
    assert [await fetch(upstream, post(provider)) for _ in range(2)] == [b"", b""]
    assert provider.visits == 1


async def test_the_answer_to_head_has_no_body(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        await read_head(visit.reader)
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        await visit.gone()

    response = await soon(upstream.send(post(await provide(script), method="HEAD", body=b"")))
    assert response.headers["content-length"] == "1000"
    assert await soon(response.read()) == b""


async def test_a_piece_is_given_as_soon_as_it_is_here(provide: Provide, upstream: HttpUpstream) -> None:
    heard = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED_HEAD)
        for number in range(5):
            heard.clear()
            visit.send(chunk(b"event %d" % number))
            await heard.wait()
        visit.send(b"0\r\n\r\n")
        await visit.gone()

    response: UpstreamResponse = await soon(upstream.send(post(await provide(script))))
    assert (response.status, response.headers["content-type"]) == (200, "text/event-stream")
    pieces = []
    async with asyncio.timeout(PATIENCE_S):
        async for piece in response:
            pieces.append(piece)
            heard.set()
    assert pieces == [b"event %d" % number for number in range(5)]
    assert upstream.idle_connections == 1
    response.close()
    assert upstream.idle_connections == 1


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw deflate"])
async def test_a_compressed_stream_comes_out_piece_by_piece(
    provide: Provide, upstream: HttpUpstream, coding: str
) -> None:
    heard = asyncio.Event()
    window = {"gzip": 31, "x-gzip": 31, "deflate": 15, "raw deflate": -15}[coding]

    async def script(visit: Visit) -> None:
        await visit.request()
        machine = zlib.compressobj(wbits=window)
        visit.send(
            CHUNKED_HEAD.replace(
                b"\r\n\r\n", b"\r\nContent-Encoding: %b\r\n\r\n" % coding.rsplit(maxsplit=1)[-1].encode()
            )
        )
        for number in range(5):
            heard.clear()
            coded = machine.compress(b"event %d" % number) + machine.flush(zlib.Z_SYNC_FLUSH)
            for at in range(len(coded)):
                visit.send(chunk(coded[at : at + 1]))
                await settle()
            await heard.wait()
        visit.send(chunk(machine.flush()) + b"0\r\n\r\n")

    response = await soon(upstream.send(post(await provide(script))))
    assert "content-encoding" not in response.headers
    text = b""
    async with asyncio.timeout(PATIENCE_S):
        async for piece in response:
            text += piece
            if text.endswith(b"event %d" % (text.count(b"event") - 1)):
                heard.set()
    assert text == b"".join(b"event %d" % number for number in range(5))


@pytest.mark.parametrize("limit", [1_000_000, 256 * 1024 * 1024])
async def test_a_small_answer_cannot_become_a_large_piece(provide: Provide, upstream: HttpUpstream, limit: int) -> None:
    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            visit.answer(gzip.compress(b"a" * 5_000_000) + gzip.compress(b"b" * 10), "Content-Encoding: gzip")

    provider = await provide(script)
    response = await soon(upstream.send(post(provider)))
    sizes = [len(piece) async for piece in response]
    assert sum(sizes) == 5_000_010
    assert max(sizes) <= PIECE_BYTES
    response = await soon(upstream.send(post(provider)))
    if limit > 5_000_010:
        assert len(await response.read(limit)) == 5_000_010
    else:
        with pytest.raises(UpstreamBadGateway):
            await response.read(limit)


@pytest.mark.parametrize("size", [100_000, 100_001, 3_000_000])
@pytest.mark.parametrize("declared", [True, False])
async def test_an_answer_is_read_up_to_a_limit_and_not_beyond(
    provide: Provide, upstream: HttpUpstream, size: int, declared: bool
) -> None:
    gone = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        if declared:
            visit.answer(b"x" * size)
        else:
            visit.send(CHUNKED_HEAD + b"".join(chunk(b"x" * 1000) for _ in range(size // 1000)))
            visit.send(chunk(b"x" * (size % 1000)) if size % 1000 else b"")
            visit.send(b"0\r\n\r\n")
        await visit.gone()
        gone.set()

    response = await soon(upstream.send(post(await provide(script))))
    if size > 100_000:
        with pytest.raises(UpstreamAnswerTooLarge):
            await soon(response.read(100_000))
        if size > 100_001:  # else all of it had come
            await soon(gone.wait())
    else:
        assert await soon(response.read(100_000)) == b"x" * size
        response.close()


async def test_what_was_decoded_has_neither_its_coding_nor_the_length_of_it(
    provide: Provide, upstream: HttpUpstream
) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.answer(gzip.compress(b"a" * 100), "Content-Encoding: gzip")

    response = await soon(upstream.send(post(await provide(script))))
    assert response.headers.keys().isdisjoint({"content-encoding", "content-length"})
    assert await soon(response.read()) == b"a" * 100
    response.close()


async def test_compressed_data_that_stops_early_is_incomplete(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.answer(gzip.compress(b"a" * 100)[:-9], "Content-Encoding: gzip")

    with pytest.raises(UpstreamIncomplete):
        await fetch(upstream, post(await provide(script)))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        CHUNKED_HEAD + chunk(b"hello"),
        CHUNKED_HEAD + chunk(b"hello") + b"5\r\nwor",
        CHUNKED_HEAD + chunk(b"hello") + b"0\r\n",
    ],
)
async def test_what_came_before_a_cut_is_given_and_then_the_cut_is_told(
    provide: Provide, upstream: HttpUpstream, answer: bytes
) -> None:
    response = await soon(upstream.send(post(await provide(saying(answer)))))
    pieces: list[bytes] = []
    with pytest.raises(UpstreamIncomplete):
        await soon(gather(response, pieces))
    assert b"".join(pieces).startswith(b"hello")
    response.close()
    assert upstream.open_connections == 0


async def test_a_provider_whose_answer_is_given_up_sees_a_reset(provide: Provide, upstream: HttpUpstream) -> None:
    """The mere end of what we send could also mean that we still listen (mapping.md 3.7)."""
    seen: list[type[BaseException] | None] = []

    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED_HEAD + chunk(b"hello"))
        try:
            await visit.reader.read()
            seen.append(None)
        except ConnectionResetError:
            seen.append(ConnectionResetError)

    response = await soon(upstream.send(post(await provide(script))))
    response.close()
    await until(lambda: seen)
    assert seen == [ConnectionResetError]


async def test_sizes_of_chunks_that_come_alone_do_not_add_up_to_a_head_that_is_too_large(provide: Provide) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED_HEAD)
        for _ in range(100):
            for piece in (b"1\r\n", b"a\r\n"):
                await settle()
                visit.send(piece)
        visit.send(b"0\r\n\r\n")

    client = HttpUpstream(max_head_bytes=200)
    assert await fetch(client, post(await provide(script))) == b"a" * 100
    await client.aclose()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-"])
async def test_a_provider_that_leaves_without_an_answer_is_incomplete(
    provide: Provide, upstream: HttpUpstream, answer: bytes
) -> None:
    provider = await provide(saying(answer))
    with pytest.raises(UpstreamIncomplete):
        await soon(upstream.send(post(provider)))
    assert provider.visits == 1


NOT_HTTP = {
    "nonsense": b"SSH-2.0-OpenSSH\r\n\r\n",
    "length and coding": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a coding nobody asked for": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an encoding nobody asked for": b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 1\r\n\r\na",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "a head without an end": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
    "interim answers without an end": b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
    "a bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
}


@pytest.mark.parametrize("answer", NOT_HTTP.values(), ids=NOT_HTTP)
async def test_an_answer_that_is_not_http_is_a_bad_gateway(
    provide: Provide, upstream: HttpUpstream, answer: bytes
) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(answer)
        await visit.gone()

    with pytest.raises(UpstreamBadGateway) as failure:
        await soon(upstream.send(post(await provide(script))))
    assert SECRET not in repr(failure.value)
    await until(lambda: upstream.open_connections == 0)


async def test_a_broken_chunk_is_a_bad_gateway(provide: Provide, upstream: HttpUpstream) -> None:
    response = await soon(upstream.send(post(await provide(saying(CHUNKED_HEAD, chunk(b"hello"), b"x\r\n")))))
    with pytest.raises(UpstreamBadGateway):
        await soon(response.read())


async def test_an_answer_beyond_the_readers_limit_is_a_bad_gateway(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.answer(b"a" * 10_000_000)
        await visit.gone()

    response = await soon(upstream.send(post(await provide(script))))
    with pytest.raises(UpstreamBadGateway):
        await soon(response.read(100_000))
    await until(lambda: upstream.open_connections == 0)


async def test_bytes_nobody_asked_for_close_the_connection(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.answer(b"ok")
        await settle()
        visit.answer(b"and another thing")
        await visit.gone()

    provider = await provide(script)
    assert await fetch(upstream, post(provider)) == b"ok"
    await until(lambda: upstream.open_connections == 0)
    assert await fetch(upstream, post(provider)) == b"ok"


async def test_a_reader_that_stops_stops_the_provider(provide: Provide, upstream: HttpUpstream) -> None:
    sent = 0
    total = 40 * 1024 * 1024

    async def script(visit: Visit) -> None:
        nonlocal sent
        await visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        while sent < total:
            visit.send(b"a" * 65_536)
            await visit.writer.drain()
            sent += 65_536
        await visit.gone()

    response = await soon(upstream.send(post(await provide(script), idle_timeout_s=PATIENCE_S)))
    await until(lambda: response._paused)
    (connection,) = upstream._open
    assert connection.deadline == inf  # Waiting for the reader is not the provider's silence.
    before = -1
    while before != sent:  # The kernel's buffers fill up.
        before = sent
        await asyncio.sleep(0.2)
    assert sent < total
    assert response._size <= 512 * 1024
    size = 0
    async for piece in response:
        size += len(piece)
    assert size == total


async def test_closing_before_the_end_drops_the_connection(provide: Provide, upstream: HttpUpstream) -> None:
    gone = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED_HEAD + chunk(b"hello"))
        await visit.gone()
        gone.set()

    response = await soon(upstream.send(post(await provide(script))))
    assert await anext(aiter(response)) == b"hello"
    response.close()
    response.close()
    await soon(gone.wait())
    assert upstream.open_connections == 0
    with pytest.raises(UpstreamIncomplete):
        await anext(aiter(response))


@pytest.mark.parametrize("answer", [b"", CHUNKED_HEAD + chunk(b"hello")])
async def test_cancelling_closes_the_connection(provide: Provide, upstream: HttpUpstream, answer: bytes) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(answer)
        asked.set()
        await visit.gone()
        gone.set()

    task = asyncio.create_task(fetch(upstream, post(await provide(script))))
    await soon(asked.wait())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await soon(gone.wait())
    assert upstream.open_connections == 0


async def test_silence_before_the_head_is_a_timeout(provide: Provide, upstream: HttpUpstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await visit.gone()

    with pytest.raises(UpstreamTimeout):
        await soon(upstream.send(post(await provide(script), first_byte_timeout_s=0.05)))
    await until(lambda: upstream.open_connections == 0)


@pytest.mark.parametrize("whole", [True, False])
async def test_silence_within_the_body_is_a_timeout(provide: Provide, upstream: HttpUpstream, whole: bool) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED_HEAD + chunk(b"hello"))
        await visit.gone()

    response = await soon(upstream.send(post(await provide(script), idle_timeout_s=0.05)))
    pieces: list[bytes] = []
    with pytest.raises(UpstreamTimeout):
        await soon(response.read() if whole else gather(response, pieces))
    assert pieces == ([] if whole else [b"hello"])
    await until(lambda: upstream.open_connections == 0)


async def test_a_body_may_take_longer_than_its_longest_silence(provide: Provide, upstream: HttpUpstream) -> None:
    """With each piece of it the patience begins anew."""
    more = asyncio.Semaphore(0)

    async def script(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED_HEAD)
        while await more.acquire():
            visit.send(chunk(b"a"))

    response = await soon(upstream.send(post(await provide(script), idle_timeout_s=PATIENCE_S)))
    pieces = aiter(response)
    (connection,) = upstream._open
    for _ in range(5):
        connection.deadline = before = connection.deadline - PATIENCE_S / 2  # so long it was silent
        more.release()
        assert await soon(anext(pieces)) == b"a"
        assert connection.deadline > before
    response.close()


async def test_a_connection_that_cannot_be_made_is_unreachable(upstream: HttpUpstream) -> None:
    with socket.socket() as deaf:  # it has the port, so that nobody else listens there
        deaf.bind(("127.0.0.1", 0))
        request = UpstreamRequest(url=f"http://127.0.0.1:{deaf.getsockname()[1]}/", headers=[("x-key", SECRET)])
        with pytest.raises(UpstreamUnreachable) as failure:
            await soon(upstream.send(request))
    assert SECRET not in repr(failure.value)
    assert upstream.open_connections == 0


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
async def test_who_may_open_no_more_is_busy_and_no_provider_unreachable(
    provide: Provide, upstream: HttpUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    import resource

    provider = await provide(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.open(os.devnull, os.O_RDONLY)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
    try:
        for _ in range(2):
            with pytest.raises(GatewayBusy, match=r"The gateway can open no more connections\."):
                await fetch(upstream, post(provider))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert await fetch(upstream, post(provider)) == b"ok"
    (told,) = [record.getMessage() for record in caplog.records if record.name == "portico.http"]
    assert told == ("no connection to a provider can be made: Too many open files. Callers are told to come again.")


async def test_a_connection_that_is_not_made_in_time_is_unreachable(upstream: HttpUpstream) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        others = []
        for _ in range(4):  # The backlog is full, further connections hang.
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(address)
            others.append(other)
        with pytest.raises(UpstreamUnreachable, match="within"):
            await soon(
                upstream.send(UpstreamRequest(url=f"http://127.0.0.1:{address[1]}/", headers=[], connect_timeout_s=0.1))
            )
        for other in others:
            other.close()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/b",
        "http:///b",
        "http://user:hunter2@a/b",
        "http://a b/",
        "http://a/b c",
        "http://a/b\r\nx: y",
        "http://a:99999/",
        "nonsense",
    ],
)
async def test_an_address_that_is_none_is_unreachable(upstream: HttpUpstream, url: str) -> None:
    with pytest.raises(UpstreamUnreachable) as failure:
        await soon(upstream.send(UpstreamRequest(url=url, headers=[])))
    assert "hunter2" not in str(failure.value)


async def test_a_header_cannot_smuggle_another(upstream: HttpUpstream) -> None:
    request = UpstreamRequest(url="http://127.0.0.1:1/", headers=[("x-key", f"{SECRET}\r\nx: y")])
    with pytest.raises(ValueError, match="x-key") as failure:
        await upstream.send(request)
    assert SECRET not in str(failure.value)


async def test_ipv6_hosts_are_reached(upstream: HttpUpstream) -> None:
    seen: list[Provided] = []

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(0, reader, writer)
        seen.append(await visit.request())
        visit.answer(b"ok", "Connection: close")
        writer.close()

    try:
        server = await asyncio.start_server(visited, "::1", 0)
    except OSError:
        pytest.skip("no IPv6 here")
    port = server.sockets[0].getsockname()[1]
    assert await fetch(upstream, UpstreamRequest(url=f"http://[::1]:{port}/", headers=[])) == b"ok"
    assert seen[0].headers["host"] == f"[::1]:{port}"
    server.close()


async def test_closing_the_client_ends_what_is_open(provide: Provide) -> None:
    async def script(visit: Visit) -> None:
        if visit.number == 0:
            await visit.request()
            visit.answer(b"ok")
        await visit.request()
        visit.send(CHUNKED_HEAD + chunk(b"hello"))
        await visit.gone()

    provider = await provide(script)
    client = HttpUpstream()
    await fetch(client, post(provider))
    one = await soon(client.send(post(provider)))
    two = await soon(client.send(post(provider)))
    await soon(client.aclose())
    assert client.open_connections == 0
    for response in (one, two):
        with pytest.raises(UpstreamIncomplete):
            await response.read()
    with pytest.raises(UpstreamUnreachable):
        await client.send(post(provider))
