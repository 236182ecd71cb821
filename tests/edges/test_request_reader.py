"""Requests out of bytes: cut anywhere they are the same, and what two parsers could read differently is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edges.messages import ABSOLUTE, CHUNKED, CODED, CONFORM, GET, GOOD, LARGE, LENGTH, REFUSED, SMUGGLED, UPGRADE, post
from portico.http.budget import Budget
from portico.http.limits import Limits
from portico.http.reader import Refusal, RequestReader
from portico.wire.http import HttpRequest


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


@pytest.mark.parametrize("host", ["portico.test", "portico.test:8080", "[::1]:8080", "127.0.0.1", "x_y.test", "a%20b"])
def test_the_host_of_an_absolute_target_counts_and_not_the_header(host: str) -> None:
    message = f"GET http://{host}/a HTTP/1.1\r\nHost: elsewhere\r\n\r\n".encode()
    assert [request.headers["host"] for request in read(message)] == [host]
    message = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    assert [request.headers["host"] for request in read(message)] == [host]


def test_a_host_may_be_empty() -> None:
    assert [request.headers["host"] for request in read(b"GET / HTTP/1.1\r\nHost:\r\n\r\n")] == [""]


@pytest.mark.parametrize("message", CONFORM.values(), ids=CONFORM)
def test_what_is_odd_but_of_one_meaning_is_read(message: bytes) -> None:
    pair = message + SMUGGLED
    told = [(request.path, request.body) for request in read(pair)]
    assert told == [("/", b"abc"), ("/smuggled", b"")]
    assert all([(r.path, r.body) for r in read(pair[:at], pair[at:])] == told for at in range(1, len(pair)))


@given(st.lists(st.sampled_from([*GOOD[:-1], *CONFORM.values()]), min_size=1, max_size=6), st.data())
def test_any_series_of_requests_in_any_pieces_is_the_same(series: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(series)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=12)))
    pieces = [whole[start:end] for start, end in pairwise([0, *cuts, len(whole)])]
    assert read(*pieces) == [request for message in series for request in read(message)]


def test_a_header_that_comes_twice_is_joined() -> None:
    message = b"GET / HTTP/1.1\r\nHost: a\r\nAccept: a\r\nAccept: b\r\nCookie: x=1\r\nCookie: y=2\r\n\r\n"
    (request,) = read(message)
    assert (request.headers["accept"], request.headers["cookie"]) == ("a, b", "x=1; y=2")


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(message: bytes) -> None:
    with pytest.raises(Refusal) as whole:
        read(message)
    assert whole.value.status == 400
    with pytest.raises(Refusal):
        read(*(message[at : at + 1] for at in range(len(message))))


SMALL = Limits(max_head_bytes=1000, max_body_bytes=1000)


@pytest.mark.parametrize(("status", "message"), LARGE.values(), ids=LARGE)
def test_what_is_too_large_is_refused(status: int, message: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        read(*(message[at : at + 50] for at in range(0, len(message), 50)), limits=SMALL)
    assert refusal.value.status == status


def test_what_is_just_small_enough_is_read() -> None:
    (request,) = read(post(b"Content-Length: 1000", b"X-A: " + b"a" * 900, body=b"b" * 1000), limits=SMALL)
    assert len(request.body) == 1000


class _Full(Budget):
    def take(self, size: int) -> bool:
        raise MemoryError(size)


@pytest.mark.parametrize(
    "message", [post(b"Content-Length: 9", body=b"b" * 9), post(CODED, body=b"1\r\na\r\n0\r\n\r\n")]
)
def test_who_has_no_memory_for_a_body_is_busy_and_says_nothing_of_the_request(message: bytes) -> None:
    reader = RequestReader(Limits(), "peer", lambda *_: None, _Full())
    with pytest.raises(Refusal) as refusal:
        reader.feed(message)
    assert refusal.value.status == 503
    reader.close()


def test_a_long_body_in_tiny_chunks_is_not_taken_for_a_long_head() -> None:
    (request,) = read(*[post(CODED), *[b"1\r\na\r\n"] * 900, b"0\r\n\r\n"], limits=SMALL)
    assert request.body == b"a" * 900
