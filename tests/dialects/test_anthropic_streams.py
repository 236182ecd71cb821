"""Streams of Anthropic's, read and written, whole and byte by byte (mapping.md 7.3)."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect_rows import Json, byte_by_byte, reading, reply
from portico.core.dialect import StreamReader
from portico.core.errors import UpstreamInternal
from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Failed,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.parts import Reasoning, Signature, Text, ToolCall
from portico.core.response import Citation, Finish, FinishReason
from portico.core.usage import total
from portico.dialects.anthropic_messages import DIALECT
from portico.wire import jsontext
from portico.wire.sse import Frame, encode

START: Json = {"type": "message_start", "message": {"id": "msg_1", "model": "c", "usage": {"input_tokens": 5}}}
STOPPED: list[Json] = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]


def opened(kind: str, index: Any = 0, **fields: Any) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def delta(kind: str, index: Any = 0, **fields: Any) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def _fed(reader: StreamReader, frames: Iterable[Frame]) -> list[Event]:
    return [*[event for frame in frames for event in reader.feed(frame)], *reader.close()]


def read(*bodies: Any) -> list[Event]:
    """The events of a stream, whichever way its bytes are cut."""
    frames = [Frame(jsontext.encode(body), body.get("type") if isinstance(body, dict) else None) for body in bodies]
    whole = _fed(DIALECT.reader(reading()), frames)
    cut = byte_by_byte(b"".join([encode(Frame(one.data, "x")) for one in frames]))
    assert repr(_fed(DIALECT.reader(reading()), cut)) == repr(whole)
    return whole


def written(*events: Event, **about: Any) -> list[Json]:
    writer = DIALECT.writer(reply(**about))
    frames = [*[frame for event in events for frame in writer.feed(event)], *writer.close()]
    assert byte_by_byte(b"".join([encode(frame) for frame in frames])) == frames
    return [jsontext.decode(frame.data) for frame in frames]


def text_of(bodies: Iterable[Json]) -> list[str]:
    return [body["delta"]["text"] for body in bodies if body.get("delta", {}).get("type") == "text_delta"]


HOSTILE: list[list[Any]] = [
    [{"type": []}],
    [{"type": {}}, START],
    [START, opened("text", index=[], text="")],
    [START, opened("text", index="a", text=""), opened("text", index=0, text=""), *STOPPED],
    [START, opened("thinking", thinking=5)],
    [START, opened("thinking", thinking="", signature=7), {"type": "content_block_stop", "index": 0}],
    [START, opened("thinking", thinking=""), delta("thinking_delta", thinking=["x"])],
    [START, opened("thinking", thinking=""), delta("signature_delta", signature=[1]), *STOPPED[:1]],
    [START, opened("text", text=""), delta("text_delta", text=["x"])],
    [START, opened("tool_use", id="a", name="f", input={}), delta("input_json_delta", partial_json={"a": 1})],
    [START, opened("server_tool_use", id="a", name="f"), delta("input_json_delta", partial_json="{"), *STOPPED[:1]],
]


@pytest.mark.parametrize("bodies", HOSTILE, ids=range(len(HOSTILE)))
def test_a_stream_that_cannot_be_read_fails_once_at_its_end(bodies: list[Any]) -> None:
    events = read(*bodies)
    assert [isinstance(event, Failed) for event in events].count(True) == 1
    assert isinstance(events[-1], Failed)


WHOLE: list[Json] = [
    START,
    {"type": "ping"},
    opened("thinking", thinking="", signature=""),
    delta("thinking_delta", thinking="hm"),
    delta("signature_delta", signature="abc"),
    {"type": "content_block_stop", "index": 0},
    opened("text", 1, text="", citations=[]),
    delta("text_delta", 1, text="hi"),
    delta("citations_delta", 1, citation={"type": "x", "url": "https://a.example"}),
    {"type": "content_block_stop", "index": 1},
    opened("tool_use", 2, id="toolu_1", name="f", input={}),
    delta("input_json_delta", 2, partial_json='{"a":1}'),
    {"type": "content_block_stop", "index": 2},
    *STOPPED,
]
PATHS = [(at, *path) for at, body in enumerate(WHOLE) for path in [(key,) for key in body]] + [
    (at, key, inner)
    for at, body in enumerate(WHOLE)
    for key, value in body.items()
    if isinstance(value, dict)
    for inner in value
]


@given(
    path=st.sampled_from(PATHS), new=st.sampled_from([None, True, -1, 1.5, 10**30, "", "x", [], [[]], {}, {"a": []}])
)
def test_a_wrong_value_anywhere_ends_a_stream_or_is_passed_over(path: tuple[Any, ...], new: Any) -> None:
    bodies = jsontext.decode(jsontext.encode(WHOLE))
    place = bodies[path[0]]
    for key in path[1:-1]:
        place = place[key]
    place[path[-1]] = new
    events = read(*bodies)
    assert isinstance(events[-1], (Finished, Failed))
    written(*events, thoughts=True, seals=True)


def test_a_write_for_an_hour_is_kept_when_the_end_counts_again() -> None:
    counted = {"cache_creation_input_tokens": 8, "cache_creation": {"ephemeral_1h_input_tokens": 8}}
    start = {**START, "message": {"usage": {"input_tokens": 1, **counted}}}
    end = {**STOPPED[0], "usage": {"input_tokens": 1, "cache_creation_input_tokens": 8, "output_tokens": 3}}
    reported = [event for event in read(start, end, STOPPED[1]) if isinstance(event, UsageReported)]
    assert total(reported[-1].usage.input_cache_write_1h) == 8
    assert total(reported[-1].usage.input_cache_write) == 0


def test_parts_that_interleave_are_blocks_one_after_the_other() -> None:
    sent = written(
        Started(),
        PartStarted(0, 0, ToolCall("a", "f", "")),
        PartStarted(0, 1, ToolCall("b", "g", "")),
        PartDelta(0, 1, '{"y":2}'),
        PartDelta(0, 0, '{"x":1}'),
        PartEnded(0, 1),
        PartEnded(0, 0),
        CandidateFinished(0, Finish(FinishReason.TOOL_CALLS)),
        Finished(),
    )
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert [body["type"] for body in sent] == ["message_start", *block, *block, "message_delta", "message_stop"]
    assert [body["index"] for body in sent if "index" in body] == [0, 0, 0, 1, 1, 1]


def test_parts_that_were_left_open_are_told_to_their_end() -> None:
    sent = written(
        Started(),
        PartStarted(0, 0, Text("a")),
        PartStarted(0, 1, Text("b")),
        PartDelta(0, 1, "c"),
        PartStarted(0, 2, Text("d")),
        CandidateFinished(0, Finish(FinishReason.STOP)),
        Finished(),
    )
    assert text_of(sent) == ["a", "b", "c", "d"]
    assert [body["type"] for body in sent].count("content_block_stop") == 3


def test_a_seal_that_comes_last_is_told_with_thoughts_that_are_hidden() -> None:
    sealed = Signature("anthropic", "abc")
    sent = written(
        Started(), PartStarted(0, 0, Reasoning("", redacted=True)), PartEnded(0, 0, sealed), Finished(), thoughts=True
    )
    assert sent[1]["content_block"] == {"type": "redacted_thinking", "data": "abc"}


def test_sources_are_told_with_the_block_they_are_of_in_any_order() -> None:
    later, first = Citation(2, 4, "https://b.example"), Citation(0, 2, "https://a.example")
    sent = written(
        Started(),
        PartStarted(0, 0, Text("aa")),
        Annotated(0, citations=(later, first)),
        PartEnded(0, 0),
        PartStarted(0, 1, Text("bb")),
        PartEnded(0, 1),
        Finished(),
    )
    told = [
        (body["index"], body["delta"]["citation"]["url"])
        for body in sent
        if body.get("delta", {}).get("type") == "citations_delta"
    ]
    assert told == [(0, "https://a.example"), (1, "https://b.example")]


def test_a_failure_after_the_beginning_is_an_error_and_nothing_more() -> None:
    sent = written(Started(), PartStarted(0, 0, Text("a")), Failed(UpstreamInternal()))
    assert [body["type"] for body in sent] == ["message_start", "content_block_start", "content_block_delta", "error"]
