"""The two ways in which the frames of a stream stand side by side (mapping.md 0, 3.5)."""

import json

import pytest

from portico.wire import raw
from portico.wire.framing import ArrayFraming, EventFraming
from portico.wire.jsontext import NotJson
from portico.wire.sse import Frame, encode_crlf

FRAMES = [Frame(b'{"a": 1}'), Frame('{"é": "]},["}'.encode()), Frame(b" [] ")]


@pytest.mark.parametrize("cut", range(len(FRAMES) + 1))
def test_an_array_is_valid_json_wherever_it_ends(cut: int) -> None:
    framing = ArrayFraming()
    body = b"".join(framing.frames([frame]) for frame in FRAMES[:cut]) + framing.end()
    assert json.loads(body) == [json.loads(frame.data) for frame in FRAMES[:cut]]
    assert body == b"[" + b",\r\n".join(frame.data for frame in FRAMES[:cut]) + b"]"


@pytest.mark.parametrize("split", range(len(FRAMES) + 1))
def test_frames_may_come_together_or_one_by_one(split: int) -> None:
    for framing, whole in ((ArrayFraming(), ArrayFraming()), (EventFraming(encode_crlf), EventFraming(encode_crlf))):
        pieces = framing.frames(FRAMES[:split]) + framing.frames([]) + framing.frames(FRAMES[split:]) + framing.end()
        assert pieces == whole.frames(FRAMES) + whole.end()


def test_events_end_as_google_ends_them() -> None:
    framing = EventFraming(encode_crlf)
    assert framing.frames(FRAMES[:1]) == b'data: {"a": 1}\r\n\r\n'
    assert framing.end() == b""
    assert framing.keep_alive is None


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (b"[]", []),
        (b" [ \n] ", []),
        (b"[1]", [b"1"]),
        (b' [ 1.0 ,"a,]" ,\t{"x":[1,2]}\r\n,[ [] ] , null]', [b"1.0", b'"a,]"', b'{"x":[1,2]}', b"[ [] ]", b"null"]),
    ],
)
def test_the_items_of_an_array_are_found_where_they_stand(body: bytes, items: list[bytes]) -> None:
    assert [body[start:end] for start, end in raw.items(body)] == items


@pytest.mark.parametrize("body", [b"", b"{}", b"7", b"[1", b'["', b"[{]"])
def test_what_is_no_array_has_no_items(body: bytes) -> None:
    with pytest.raises(NotJson):
        raw.items(body)
