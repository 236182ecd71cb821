"""Requests out of bytes: cut anywhere they are the same, and what two parsers could read differently is refused."""

import pytest

from portico.http.limits import Limits
from portico.http.reader import Refusal, RequestReader
from portico.wire.http import HttpRequest

GET = b"GET /v1/models?limit=2&after=a%20b HTTP/1.1\r\nHost: portico.test\r\nX-Two:  spaced \t\r\n\r\n"
LENGTH = b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = (
    b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: ignored\r\n\r\n"
)
UPGRADE = (
    b"POST /v1/chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: 11\r\n\r\nhello world"
)
ABSOLUTE = b"GET http://portico.test/v1/models?x=1 HTTP/1.1\r\nHost: portico.test\r\n\r\n"
STAR = b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
AFTER_BLANK_LINES = b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
OLD = b"GET /old HTTP/1.0\r\n\r\n"
GOOD = [GET, LENGTH, CHUNKED, UPGRADE, ABSOLUTE, STAR, AFTER_BLANK_LINES, OLD]


def read(*pieces: bytes, limits: Limits | None = None) -> list[HttpRequest]:
    requests: list[HttpRequest] = []
    reader = RequestReader(limits or Limits(), "peer", lambda request, *_: requests.append(request))
    for piece in pieces:
        if not reader.feed(piece):
            break
    reader.close()
    return requests


def test_a_request_is_read_as_it_was_said() -> None:
    (request,) = read(GET)
    assert request == HttpRequest(
        method="GET",
        path="/v1/models",
        query="limit=2&after=a%20b",
        headers={"host": "portico.test", "x-two": "spaced"},
        body=b"",
        peer="peer",
    )


@pytest.mark.parametrize("message", [LENGTH, CHUNKED, UPGRADE])
def test_a_body_is_read_whole_however_it_is_framed(message: bytes) -> None:
    (request,) = read(message)
    assert (request.path, request.body) == ("/v1/chat", b"hello world")
    assert "x-trailer" not in request.headers


@pytest.mark.parametrize("message", GOOD)
def test_cutting_a_request_anywhere_changes_nothing(message: bytes) -> None:
    whole = read(message)
    assert len(whole) == 1
    for at in range(1, len(message)):
        assert read(message[:at], message[at:]) == whole
    assert read(*(message[at : at + 1] for at in range(len(message)))) == whole


def test_requests_that_follow_one_another_are_told_apart() -> None:
    pair = GET + CHUNKED + UPGRADE + LENGTH
    assert [request.path for request in read(pair)] == ["/v1/models", "/v1/chat", "/v1/chat", "/v1/chat"]
    assert all(read(pair[:at], pair[at:]) == read(pair) for at in range(1, len(pair), 7))


def test_nothing_is_read_after_a_request_that_closes() -> None:
    last = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert [request.path for request in read(last + GET)] == ["/last"]
    assert [request.path for request in read(last, GET)] == ["/last"]


def test_an_absolute_target_is_its_path() -> None:
    assert [(request.path, request.query) for request in read(ABSOLUTE)] == [("/v1/models", "x=1")]
    (request,) = read(b"GET http://portico.test HTTP/1.1\r\nHost: a\r\n\r\n")
    assert request.path == "/"


def test_a_header_that_comes_twice_is_joined() -> None:
    message = b"GET / HTTP/1.1\r\nHost: a\r\nAccept: a\r\nAccept: b\r\nCookie: x=1\r\nCookie: y=2\r\n\r\n"
    (request,) = read(message)
    assert (request.headers["accept"], request.headers["cookie"]) == ("a, b", "x=1; y=2")


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
CODED = b"Transfer-Encoding: chunked"
REFUSED = {
    "two lengths that differ": post(b"Content-Length: 0", b"Content-Length: 36", body=SMUGGLED),
    "two lengths that agree": post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
    "a list of lengths": post(b"Content-Length: 3, 3", body=b"abc"),
    "a signed length": post(b"Content-Length: +3", body=b"abc"),
    "a negative length": post(b"Content-Length: -3", body=b"abc"),
    "a hexadecimal length": post(b"Content-Length: 0x3", body=b"abc"),
    "an empty length": post(b"Content-Length: ", body=b"abc"),
    "a length beyond counting": post(b"Content-Length: 99999999999999999999999", body=b"abc"),
    "a space before the colon": post(b"Content-Length : 3", body=b"abc"),
    "length, then coding": post(b"Content-Length: 6", CODED, body=b"0\r\n\r\nG"),
    "coding, then length": post(CODED, b"Content-Length: 6", body=b"0\r\n\r\nG"),
    "another coding": post(b"Transfer-Encoding: identity", body=SMUGGLED),
    "almost chunked": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked behind a control": post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "a coding before chunked": post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "a coding after chunked": post(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"),
    "chunked twice": post(CODED, CODED, body=b"0\r\n\r\n"),
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": post(b"X-A: one", b" Content-Length: 5", body=b"hello"),
    "a folded first header": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "bare LF after the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF after a header": b"GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n",
    "bare LF for the empty line": b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    "bare CR in a header": post(b"X-A: one\rtwo"),
    "NUL in a header": post(b"X-A: one\0two"),
    "bare LF after a chunk size": post(CODED, body=b"1\na\r\n0\r\n\r\n"),
    "bare LF after chunk data": post(CODED, body=b"1\r\na\n0\r\n\r\n"),
    "bare LF in a chunk extension": post(CODED, body=b"1;a\nb\r\na\r\n0\r\n\r\n"),
    "a chunk longer than it says": post(CODED, body=b"1\r\naXX0\r\n\r\n"),
    "a chunk size with 0x": post(CODED, body=b"0x1\r\na\r\n0\r\n\r\n"),
    "a chunk size with a space": post(CODED, body=b"1 \r\na\r\n0\r\n\r\n"),
    "a chunk size beyond counting": post(CODED, body=b"FFFFFFFFFFFFFFFFFF\r\na\r\n0\r\n\r\n"),
    "a length in a trailer": post(CODED, body=b"0\r\nContent-Length: 5\r\n\r\n"),
    "a header without a colon": post(b"X-A"),
    "a header without a name": post(b": value"),
    "a bracket in a header name": post(b"X(: a"),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/0.9 by name": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "HTTP/2 by name": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a raw byte in the target": b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment in the target": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "another scheme": b"GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown method": b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a lower-case method": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a smuggled length behind an upgrade": b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    b"Transfer-Encoding: gzip, chunked\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(message: bytes) -> None:
    with pytest.raises(Refusal) as whole:
        read(message)
    assert whole.value.status == 400
    with pytest.raises(Refusal):
        read(*(message[at : at + 1] for at in range(len(message))))


SMALL = Limits(max_head_bytes=1000, max_body_bytes=1000)
LARGE = {
    "one header": (431, post(b"X-A: " + b"a" * 1000)),
    "many headers": (431, post(*[b"X-A: b"] * 200)),
    "a header that does not end": (431, b"GET / HTTP/1.1\r\nX: " + b"a" * 4000),
    "a name that does not end": (431, b"GET / HTTP/1.1\r\n" + b"a" * 4000),
    "a target": (431, b"GET /" + b"a" * 1000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target that does not end": (431, b"GET /" + b"a" * 4000),
    "trailers": (431, post(CODED, body=b"0\r\n" + b"X-A: b\r\n" * 200 + b"\r\n")),
    "a trailer that does not end": (431, post(CODED, body=b"0\r\nX-A: " + b"a" * 4000)),
    "a chunk extension that does not end": (431, post(CODED, body=b"1;a=" + b"a" * 4000)),
    "a declared body": (413, post(b"Content-Length: 1001")),
    "a chunked body": (413, post(CODED, body=b"1ff\r\n" + b"a" * 0x1FF + b"\r\n1ff\r\n" + b"a" * 0x1FF)),
}


@pytest.mark.parametrize(("status", "message"), LARGE.values(), ids=LARGE)
def test_what_is_too_large_is_refused(status: int, message: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        read(*(message[at : at + 50] for at in range(0, len(message), 50)), limits=SMALL)
    assert refusal.value.status == status


def test_what_is_just_small_enough_is_read() -> None:
    (request,) = read(post(b"Content-Length: 1000", b"X-A: " + b"a" * 900, body=b"b" * 1000), limits=SMALL)
    assert len(request.body) == 1000


def test_a_long_body_in_tiny_chunks_is_not_taken_for_a_long_head() -> None:
    (request,) = read(*[post(CODED), *[b"1\r\na\r\n"] * 900, b"0\r\n\r\n"], limits=SMALL)
    assert request.body == b"a" * 900
