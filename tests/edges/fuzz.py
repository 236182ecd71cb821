"""Fuzzing what sits around the parser on both sides: `RequestReader` and `UpstreamConnection`.

Messages are put together from pieces that parsers are known to differ about, then damaged. The laws:
- however the bytes are cut, the outcome is the same;
- nothing escapes but `Refusal` on the one side, `UpstreamError` on the other;
- what is kept of an unfinished message is bounded;
- a connection that is kept answers the next request with the next answer;
- what was said in order is heard as it was said, whatever framing was chosen.

`make fuzz` looks for longer than the tests do (MINUTES=10); what it finds is shrunk and printed.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portico.core.errors import UpstreamError, UpstreamIncomplete
from portico.http.address import Origin
from portico.http.answer import Answer
from portico.http.deadlines import Deadlines
from portico.http.limits import Limits
from portico.http.outbox import Outbox
from portico.http.reader import Refusal, RequestReader
from portico.http.upstream import UpstreamConnection
from portico.relay.ports import UpstreamRequest
from portico.wire.http import HttpRequest

HEAD_BYTES = 2000
BODY_BYTES = 3000
LINE_BYTES = 600
"""What is kept of a piece of a head before a limit is looked at: at most one slice, so slices are no longer than that."""


# -- the messages

LINES = [
    b"Content-Length: 0",
    b"Content-Length: 5",
    b"Content-Length: 5",
    b"Content-Length: 005",
    b"Content-Length: 5, 5",
    b"Content-Length: +5",
    b"Content-Length: 3000",
    b"Content-Length: 18446744073709551621",
    b"content-length:5",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding:  Chunked  ",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding:",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: upgrade",
    b"Connection: close, upgrade",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    b"Host: a",
    b"Host: a",
    b"X-A: b",
    b"X-A:",
    b"X-A: " + b"b" * 300,
    b"X-\xe9: \xff",
    b" folded",
    b"Cookie: a=b",
    b"",
]
BODIES = [
    b"",
    b"hello",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5;a=b\r\nhello\r\n0\r\nX-A: b\r\n\r\n",
    b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    b"bb8\r\n" + b"a" * 3000 + b"\r\n0\r\n\r\n",
    b"\x1f\x8b\x08\x00",
]
REQUEST_LINES = [
    b"GET / HTTP/1.1",
    b"POST /v1/chat?a=b HTTP/1.1",
    b"POST / HTTP/1.0",
    b"HEAD / HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"GET http://a/b HTTP/1.1",
    b"CONNECT a:1 HTTP/1.1",
    b"GET / HTTP/2.0",
]
STATUS_LINES = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 103 Early Hints",
    b"HTTP/1.1 101 Switching Protocols",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 500 No",
    b"HTTP/1.1 099 No",
]
DAMAGE = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b"\r\n\r\n",
    b"0",
    b"5",
    b"\xff",
    b"HTTP/1.1",
    b"chunked",
]


def _message(first_lines: list[bytes], always: list[bytes]) -> st.SearchStrategy[bytes]:
    return st.builds(
        lambda first, lines, body: b"\r\n".join([first, *always, *lines, b"", body]),
        st.sampled_from(first_lines),
        st.lists(st.sampled_from(LINES), max_size=4),
        st.sampled_from(BODIES),
    )


def _damaged(data: bytes, damages: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, put in damages:
        at %= len(data) + 1
        data = data[:at] + put + data[at + removed :]
    return data


def _stream(message: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    piece = st.sampled_from(DAMAGE) | st.binary(max_size=3)
    damages = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 4), piece), max_size=3)
    return st.builds(_damaged, st.lists(message, min_size=1, max_size=3).map(b"".join), damages)


REQUESTS = _stream(_message(REQUEST_LINES, [b"Host: a"]) | _message(REQUEST_LINES, []))
ANSWERS = _stream(_message(STATUS_LINES, []))
CUTS = st.just([1]) | st.lists(st.integers(1, LINE_BYTES), min_size=1, max_size=8)
"""Sizes of slices, used in turn."""


def sliced(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at, turn = at + size, turn + 1


# -- messages in order


class Said(NamedTuple):
    """A message as it is meant."""

    body: bytes
    chunks: list[int] | None
    """Sizes of chunks, used in turn; None for a length."""
    extra: bool
    """With what may stand beside the data: extensions and trailers, interim answers, blank lines before it."""

    def framed(self) -> tuple[list[bytes], bytes]:
        """The header lines, and the body as it is sent."""
        if self.chunks is None:
            return [b"Content-Length: %d" % len(self.body)], self.body
        extension, trailer = (b';a="b;c"', b"X-T: u\r\n") if self.extra else (b"", b"")
        chunks = [b"%X%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in sliced(self.body, self.chunks)]
        return [b"Transfer-Encoding: chunked"], b"".join(chunks) + b"0%b\r\n%b\r\n" % (extension, trailer)

    def request(self) -> bytes:
        lines, body = self.framed()
        before = b"\r\n" if self.extra else b""
        return before + b"\r\n".join([b"POST /a?b HTTP/1.1", b"Host: a", *lines, b"X-A: b", b"", body])

    def answer(self) -> bytes:
        lines, body = self.framed()
        before = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" if self.extra else b""
        return before + b"\r\n".join([b"HTTP/1.1 203 Fine", *lines, b"X-A: b", b"", body])


SAID = st.builds(
    Said,
    st.binary(max_size=1500) | st.sampled_from([b"0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]),
    st.none() | st.lists(st.integers(1, 500), min_size=1, max_size=4),
    st.booleans(),
)


# -- the server's side


class Read(NamedTuple):
    """What came of a caller's bytes."""

    requests: list[tuple[HttpRequest, bool, bool]]
    refused: int | None


def read(data: bytes, sizes: list[int]) -> Read:
    limits = Limits(max_head_bytes=HEAD_BYTES, max_body_bytes=BODY_BYTES)
    requests: list[tuple[HttpRequest, bool, bool]] = []
    reader = RequestReader(limits, "peer", lambda *delivered: requests.append(delivered))
    try:
        for piece in sliced(data, sizes):
            if not reader.feed(piece):
                break
            assert reader._overhead_bytes <= HEAD_BYTES
            assert reader.body_bytes <= BODY_BYTES
            assert _size(reader.headers) <= HEAD_BYTES + LINE_BYTES
    except Refusal as refusal:
        return Read(requests, refusal.status)
    finally:
        reader.close()
    return Read(requests, None)


def _size(headers: dict[str, str]) -> int:
    return sum(len(name) + len(value) for name, value in headers.items())


def server_law(data: bytes, sizes: list[int]) -> None:
    outcome = read(data, sizes)
    assert outcome == read(data, [LINE_BYTES]) == read(data, [1])
    for request, _, _ in outcome.requests:
        assert len(request.body) <= BODY_BYTES
        assert not any(character in value for value in request.headers.values() for character in "\r\n\0")


def said_to_server_law(said: list[Said], sizes: list[int]) -> None:
    outcome = read(b"".join(message.request() for message in said), sizes)
    assert outcome.refused is None
    assert [request.body for request, _, _ in outcome.requests] == [message.body for message in said]
    for request, keep_alive, old in outcome.requests:
        assert (request.method, request.path, request.query, keep_alive, old) == ("POST", "/a", "b", True, False)
        assert (request.headers["x-a"], "x-t" in request.headers) == ("b", False)


# -- the client's side


class Pipe(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False
        self.paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:  # noqa: ARG002
        assert not self.closed

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_write_buffer_size(self) -> int:
        return 0


class Pool:
    """The owner of one connection."""

    idle_limit_s = 60.0
    max_head_bytes = HEAD_BYTES

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.deadlines = Deadlines(loop)
        self.outbox = Outbox(loop)
        self.free_connections: list[UpstreamConnection] = []

    def opened(self, connection: UpstreamConnection) -> None:
        pass

    def free(self, connection: UpstreamConnection) -> None:
        self.free_connections.append(connection)

    def lost(self, connection: UpstreamConnection) -> None:
        pass


class Heard(NamedTuple):
    """What came of a provider's bytes."""

    status: int | None
    headers: dict[str, str]
    body: bytes
    failure: type[UpstreamError] | None
    kept: bool


async def _take(connection: UpstreamConnection, method: str, heard: list[Answer], body: list[bytes]) -> None:
    answer = connection.ask(UpstreamRequest("http://a.test/", (), method=method), b"head")
    await answer.wait_for_head()
    heard.append(answer)
    async for piece in answer:
        body.append(piece)  # noqa: PERF401


async def hear(data: bytes, sizes: list[int], method: str) -> Heard:
    loop = asyncio.get_running_loop()
    pool, pipe = Pool(loop), Pipe()
    connection = UpstreamConnection(pool, Origin("http", "a.test", 80), loop)
    connection.connection_made(pipe)
    heard: list[Answer] = []
    body: list[bytes] = []
    task = loop.create_task(_take(connection, method, heard, body))
    await asyncio.sleep(0)
    connection.flush()
    for piece in sliced(data, sizes):
        while pipe.paused:  # noqa: ASYNC110
            await asyncio.sleep(0)
        if pipe.closed:
            break
        connection.data_received(piece)
        assert connection._overhead_bytes <= HEAD_BYTES + len(piece)
        assert _size(connection._headers) <= HEAD_BYTES
        await asyncio.sleep(0)
    kept = bool(pool.free_connections) and not pipe.closed
    if kept:
        assert await _next(connection) == (200, b"ok")
    else:
        connection.connection_lost(None)
    failure = None
    try:
        await task
    except UpstreamError as error:
        failure = type(error)
    pool.deadlines.close()
    status = heard[0].status if heard else None
    return Heard(status, dict(heard[0].headers) if heard else {}, b"".join(body), failure, kept)


async def _next(connection: UpstreamConnection) -> tuple[int, bytes]:
    """What a kept connection gives to who asks next."""
    heard: list[Answer] = []
    body: list[bytes] = []
    task = asyncio.get_running_loop().create_task(_take(connection, "POST", heard, body))
    await asyncio.sleep(0)
    connection.flush()
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    await task
    connection.connection_lost(None)
    return heard[0].status, b"".join(body)


async def client_law(data: bytes, sizes: list[int], method: str) -> None:
    outcome = await hear(data, sizes, method)
    for others in ([LINE_BYTES], [1]):
        other = await hear(data, others, method)
        assert outcome._replace(kept=other.kept) == other
        # The parser passes over blank lines before an answer; those that come later, alone, are out of turn.
        assert outcome.kept == other.kept or data.endswith((b"\r", b"\n"))
    assert outcome.kept <= (outcome.failure is None)
    assert (outcome.status is None) <= (outcome.failure is not None)
    assert outcome.status is None or outcome.status >= 200
    assert outcome.failure is not UpstreamIncomplete or not outcome.kept


async def said_to_client_law(said: Said, sizes: list[int]) -> None:
    outcome = await hear(said.answer(), sizes, "POST")
    assert (outcome.status, outcome.body, outcome.failure, outcome.kept) == (203, said.body, None, True)
    assert (outcome.headers["x-a"], {"x-t", "link"} & outcome.headers.keys()) == ("b", set())


METHODS = st.sampled_from(["POST", "GET", "HEAD"])


# -- longer than in the tests


ROUND = 2000
_LONGER = settings(
    max_examples=ROUND, deadline=None, derandomize=False, suppress_health_check=list(HealthCheck), print_blob=True
)


def main() -> int:
    """Looks for the given time, an equal part of it for each law. What breaks a law is raised, shrunk."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--minutes", type=float, default=1.0)
    minutes: float = parser.parse_args().minutes
    tried = 0

    with asyncio.Runner() as runner:

        @_LONGER
        @given(data=REQUESTS, sizes=CUTS)
        def server(data: bytes, sizes: list[int]) -> None:
            server_law(data, sizes)

        @_LONGER
        @given(data=ANSWERS, sizes=CUTS, method=METHODS)
        def client(data: bytes, sizes: list[int], method: str) -> None:
            runner.run(client_law(data, sizes, method))

        @_LONGER
        @given(said=st.lists(SAID, min_size=1, max_size=3), sizes=CUTS)
        def said_to_server(said: list[Said], sizes: list[int]) -> None:
            said_to_server_law(said, sizes)

        @_LONGER
        @given(said=SAID, sizes=CUTS)
        def said_to_client(said: Said, sizes: list[int]) -> None:
            runner.run(said_to_client_law(said, sizes))

        laws = (server, client, said_to_server, said_to_client)
        for law in laws:
            until = time.monotonic() + minutes * 60 / len(laws)
            while time.monotonic() < until:
                law()
                tried += ROUND
    print(f"{tried} messages, and no law broken.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
