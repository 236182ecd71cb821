"""`wire/`: event streams cut anywhere (mapping.md 3.1), and JSON text as the house reads it (mapping.md 0)."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.wire import jsontext
from portico.wire.jsontext import NotJson
from portico.wire.sse import Frame, SseDecoder, encode, encode_crlf

SIZES = (1, 2, 3, 7, 64, 10**6)


def decoded(data: bytes, size: int) -> list[Frame]:
    decoder = SseDecoder()
    frames = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    return frames + decoder.close()


# (name, bytes, frames)
STREAMS: list[tuple[str, bytes, list[Frame]]] = [
    ("LF", b'data: {"a":1}\n\ndata: {"b":2}\n\n', [Frame(b'{"a":1}'), Frame(b'{"b":2}')]),
    ("CRLF", b'data: {"a":1}\r\n\r\ndata: {"b":2}\r\n\r\n', [Frame(b'{"a":1}'), Frame(b'{"b":2}')]),
    ("CR", b'data: {"a":1}\r\rdata: {"b":2}\r\r', [Frame(b'{"a":1}'), Frame(b'{"b":2}')]),
    ("mixed", b"data: 1\r\n\ndata: 2\n\r\ndata: 3\r\n\rdata: 4\r\r\n", [Frame(b"%d" % n) for n in (1, 2, 3, 4)]),
    ("no space", b"data:1\n\n", [Frame(b"1")]),
    ("one space is taken", b"data:  1\n\n", [Frame(b" 1")]),
    ("several lines", b"data: 1\ndata: 2\n\n", [Frame(b"1\n2")]),
    ("an event's name", b"event: ping\ndata: 1\n\ndata: 2\n\n", [Frame(b"1", "ping"), Frame(b"2")]),
    ("comments", b": keep-alive\n\n:\n\ndata: 1\n: x\n\n", [Frame(b"1")]),
    ("id and retry", b"id: 7\nretry: 100\ndata: 1\n\n", [Frame(b"1")]),
    ("empty data", b"data:\n\ndata: \n\ndata: 1\n\n", [Frame(b"1")]),
    ("no blank line at the end", b"data: 1\n\ndata: 2", [Frame(b"1"), Frame(b"2")]),
    ("nothing", b"", []),
    ("only line ends", b"\r\n\r\n\n\n\r", []),
    ("done", b"data: [DONE]\n\n", [Frame(b"[DONE]")]),
    (
        "U+2028 and its like",
        "data: a\u2028b\u2029c\x85d\x0be\x0cf\n\n".encode(),
        [Frame("a\u2028b\u2029c\x85d\x0be\x0cf".encode())],
    ),
    ("characters of every width", "data: aé漢𝄞\r\n\r\n".encode(), [Frame("aé漢𝄞".encode())]),
    ("JSON without data:", b'{"error": {\n  "code": 503\n}}\n', [Frame(b'{"error": {\n  "code": 503\n}}')]),
    ("JSON after events", b'data: 1\n\n[{"error":\r\n{}}]', [Frame(b"1"), Frame(b'[{"error":\n{}}]')]),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "data", "frames"), STREAMS, ids=[row[0] for row in STREAMS])
def test_only_line_ends_end_lines_however_the_bytes_are_cut(
    name: str, data: bytes, frames: list[Frame], size: int
) -> None:
    """3.1: CR, LF and CRLF, also a CRLF cut in two"""
    assert decoded(data, size) == frames


def test_an_event_of_many_lines_takes_no_more_room_than_its_bytes() -> None:
    """Each line took a hundred bytes."""
    lines = 200_000
    text, decoder = b"data: x\n" * 1000, SseDecoder()
    tracemalloc.start()
    try:
        for _ in range(lines // 1000):
            assert decoder.feed(text) == []
        (frame,) = decoder.feed(b"\n")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert frame.data == b"\n".join([b"x"] * lines)
    assert peak < 2 * lines * len(b"data: x\n")


def test_a_frame_comes_with_its_blank_line_and_not_later() -> None:
    """3.1: nothing waits for the next frame, also when CRLF CRLF is cut after any of its bytes"""
    for end in (b"\n\n", b"\r\n\r\n"):
        decoder = SseDecoder()
        assert decoder.feed(b"data: 1" + end[:-1]) in ([], [Frame(b"1")])
        rest = decoder.feed(end[-1:]) + decoder.close()
        assert len(rest) <= 1
    decoder = SseDecoder()
    assert decoder.feed(b"data: 1\n\n") == [Frame(b"1")]
    assert decoder.feed(b"data: 2\r\n\r\n") == [Frame(b"2")]


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=5),
    cuts=st.lists(st.integers(0, 400), max_size=8),
    framing=st.sampled_from([encode, encode_crlf]),
)
def test_what_was_framed_is_what_is_read(texts: list[str], cuts: list[int], framing: Any) -> None:
    """3.1: any JSON text, cut anywhere"""
    frames = [Frame(jsontext.encode({"text": text})) for text in texts]
    data = b"".join([framing(frame) for frame in frames])
    decoder, found, start = SseDecoder(), [], 0
    for cut in sorted(cuts):
        found += decoder.feed(data[start:cut])
        start = max(start, cut)
    found += decoder.feed(data[start:]) + decoder.close()
    assert found == frames
    assert [jsontext.decode(frame.data)["text"] for frame in found] == texts


# -- JSON -------------------------------------------------------------------------------------------------------------

# (text, value): read, and written again as it was
SAME: list[tuple[str, Any]] = [
    ("1.0", 1.0),
    ("5", 5),
    ("-0.5", -0.5),
    (str(2**53 + 1), 2**53 + 1),
    (str(10**30), 10**30),
    (str(-(10**30)), -(10**30)),
    ('"漢𝄞"', "漢𝄞"),
    (rb'"\u2028"'.decode("unicode_escape"), "\u2028"),
    (r'"a\\nb"', r"a\nb"),
    ('{"b":1,"a":2}', {"b": 1, "a": 2}),
    ("[]", []),
    ("null", None),
]


@pytest.mark.parametrize(("text", "value"), SAME, ids=lambda value: str(value)[:20])
def test_json_is_read_and_written_as_it_was(text: str, value: Any) -> None:
    """0: integers of any size, floats that stay floats, key order, no escapes"""
    assert jsontext.decode(text) == value
    assert type(jsontext.decode(text)) is type(value)
    assert jsontext.dumps(jsontext.decode(text)) == text
    assert jsontext.encode(jsontext.decode(text.encode())) == text.encode()


def test_a_byte_order_mark_is_passed_over() -> None:
    assert jsontext.decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_an_escaped_pair_is_one_character() -> None:
    assert jsontext.decode(r'"\ud834\udd1e"') == "𝄞"


@pytest.mark.parametrize(
    "text",
    [
        b"", b" ", b"{", b'{"a":}', b'{"a":1,}', b"[1,]", b"'a'", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"01",
        b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xff"', b"\xff\xfe", b'"\n"', b"{} {}", b"nul", b'{"a" 1}', b'"\\x41"',
    ],
)  # fmt: skip
def test_what_is_no_json_is_one_error(text: bytes) -> None:
    """Malformed, truncated, lone surrogates, bad UTF-8, numbers no double holds"""
    with pytest.raises(NotJson):
        jsontext.decode(text)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_text_nested_too_deeply_is_that_error_too(opening: str) -> None:
    """A body of brackets must not end the process."""
    with pytest.raises(NotJson):
        jsontext.decode(opening * 200_000)
    closing = "]" if opening == "[" else "}"
    with pytest.raises(NotJson):
        jsontext.decode(opening * 100_000 + "1" + closing * 100_000)
