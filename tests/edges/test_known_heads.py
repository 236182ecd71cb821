"""A head that comes again is compared and not parsed: what is delivered is what parsing would have delivered."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edges.sockets import Caller
from portico.http.limits import Limits
from portico.http.reader import Refusal, RequestReader
from portico.http.server import Server
from portico.wire.http import Exchange, HttpRequest

Serve = Callable[..., Awaitable[Server]]
Call = Callable[[Server], Awaitable[Caller]]
HEAD = b"POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: portico.test\r\n%bAuthorization: Bearer x\r\n\r\n"


def message(body: bytes, name: bytes = b"Content-Length", space: bytes = b" ") -> bytes:
    return HEAD % (name + b":" + space + b"%d\r\n" % len(body)) + body


class Read:
    """A reader as a connection uses it."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.reader = RequestReader(
            Limits(max_body_bytes=64), "peer", lambda request, *_: self.requests.append(request)
        )

    def parsed(self, data: bytes) -> None:
        self.reader.feed(data)
        self.reader.learn(data)


@given(
    first=st.binary(max_size=20),
    second=st.binary(max_size=20),
    name=st.sampled_from([b"Content-Length", b"content-length", b"CONTENT-LENGTH"]),
    space=st.sampled_from([b"", b" ", b" \t"]),
)
def test_what_is_known_again_is_what_parsing_gives(first: bytes, second: bytes, name: bytes, space: bytes) -> None:
    knows, parses = Read(), Read()
    knows.parsed(message(first, name, space))
    parses.reader.feed(message(first, name, space))
    assert knows.reader.again(message(second, name, space))
    parses.reader.feed(message(second, name, space))
    assert knows.requests == parses.requests
    assert [*knows.requests[1].headers] == [*parses.requests[1].headers]


@settings(max_examples=300)
@given(at=st.integers(0, len(message(b"hello world")) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_message_that_differs_anywhere_is_parsed_or_the_same(at: int, byte: int, cut: bool) -> None:
    """One byte is changed, or all from there on are missing: nothing is known again that a parser reads otherwise."""
    whole = message(b"hello world")
    changed = whole[:at] if cut else whole[:at] + bytes([byte]) + whole[at + 1 :]
    knows, parses = Read(), Read()
    knows.parsed(whole)
    if not knows.reader.again(changed):
        assert len(knows.requests) == 1
        return
    parses.reader.feed(changed)
    assert parses.requests == knows.requests[1:]


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\na",
        b"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 01\r\n\r\na",
        message(b"one") + message(b"two"),
        message(b"one") + b"POST",
    ],
)
def test_only_a_whole_message_of_a_plain_length_is_remembered(head: bytes) -> None:
    read = Read()
    read.parsed(head)
    assert not read.reader.again(head)


@pytest.mark.parametrize("digits", [b"+1", b"01", b"1 ", b"1,1", b"0x1", b"-1", b"", b"99999999999", "١".encode()])
def test_a_length_that_is_not_one_is_never_known(digits: bytes) -> None:
    read = Read()
    read.parsed(message(b"a"))
    assert not read.reader.again(HEAD % (b"Content-Length: " + digits + b"\r\n") + b"a")


def test_a_body_beyond_the_limit_is_left_to_the_parser_to_refuse() -> None:
    read = Read()
    read.parsed(message(b"a"))
    large = message(b"a" * 65)
    assert not read.reader.again(large)
    with pytest.raises(Refusal) as refused:
        read.reader.feed(large)
    assert refused.value.status == 413


async def test_many_questions_on_one_connection_get_their_own_answers(serve: Serve, call: Call) -> None:
    async def echo(exchange: Exchange) -> None:
        request = exchange.request
        exchange.send(200, [("x-length", request.headers["content-length"])], request.body)

    server = await serve(echo)
    caller = await call(server)
    for size in (0, 5, 9, 10, 11, 99, 100, 5):
        answer = await caller.ask(message(b"b" * size))
        assert (answer.body, answer.headers["x-length"]) == (b"b" * size, str(size))
    for data in (message(b"one") + message(b"two"), message(b"one")[:40]):
        caller.send(data)
    assert [(await caller.reply()).body, (await caller.reply()).body] == [b"one", b"two"]
    caller.send(message(b"one")[40:])
    assert (await caller.reply()).body == b"one"
