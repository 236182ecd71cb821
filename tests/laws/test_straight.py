"""The straight way of a stream says what the careful way says: to the byte, and of everything that is noted beside it."""

from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.corpus import DIALECTS, exchanges, files
from laws.test_answers import REPLY
from laws.test_shortcuts import STRANGE, places, without_counts
from portico.core.dialect import Dialect, Reading, StreamReader
from portico.core.errors import UpstreamError, UpstreamIncomplete
from portico.core.events import Event, Failed
from portico.core.parts import Reasoning, Text
from portico.core.telling import events_of
from portico.relay.fanout import Lane
from portico.relay.passthrough import PassingPump
from portico.relay.pump import Pump, Teller
from portico.relay.straight import MOST_AT_ONCE, PassingWay, StraightWay
from portico.wire.framing import ArrayFraming, EventFraming, Framing
from portico.wire.sse import Frame, SseDecoder

EACH_FILE = pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
EACH_DIALECT = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)


CLOSED, CUT, LEFT = ENDS = ("closed", "cut", "left")
"""How a stream ends: as it should, broken off by the provider, given up because its caller left."""


class Written:
    """What a caller is sent: `relay.downstream.Downstream` without a caller."""

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self.data = b""
        self.straight = 0

    def write(self, frames: list[Frame]) -> bool:
        self.data += self.framing.frames(frames)
        return True

    def write_bytes(self, data: bytes) -> bool:
        self.data += data
        self.straight += 1
        return True


class LooksAtAll(StreamReader):
    """A reader that finds nothing by one look: each frame is fed."""

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader

    def feed(self, frame: Frame) -> list[Event]:
        return self._reader.feed(frame)

    def put_off(self) -> list[Event]:
        return self._reader.put_off()

    def close(self) -> list[Event]:
        return self._reader.close()


class Stream:
    """One stream from pieces of bytes to bytes, with or without the straight way; `looks_at_all`: without any short one."""

    def __init__(
        self,
        source: Dialect,
        to: Dialect,
        framing: Framing,
        *,
        straight: bool,
        thoughts: bool = True,
        looks_at_all: bool = False,
    ) -> None:
        numbers = count(1)
        reader = source.reader(Reading(mint=lambda: f"call_{next(numbers)}"))
        if looks_at_all:
            reader = LooksAtAll(reader)
        self.teller = Teller(to, msgspec.structs.replace(REPLY, thoughts=thoughts), total=1)
        self.pump = Pump(self.teller, Lane(0, 1), reader, "signer", last=True)
        self.decoder = SseDecoder()
        self.written = Written(framing)
        self.attempt = SimpleNamespace(asked=None, tried=SimpleNamespace(events=0))
        attempt: Any = self.attempt
        downstream: Any = self.written
        self.take = self.carefully
        if straight:
            self.take = StraightWay(self.carefully, self.decoder, self.pump, downstream, attempt, None).take

    def carefully(self, data: bytes) -> bool:
        frames = self.decoder.feed(data)
        self.attempt.tried.events += len(frames)
        out = self.pump.feed(frames)
        return (not out or self.written.write(out)) and not self.pump.ended

    def told(self, pieces: list[bytes], end: str = CLOSED) -> tuple[Any, ...]:
        """All that is told and noted of pieces; of a stream that fails before it says anything, only how."""
        try:
            ended(self, pieces, end)
        except UpstreamError as error:
            return type(error), str(error)
        pump, seen = self.pump, self.pump.seen()
        failure = None if pump.failure is None else (type(pump.failure), str(pump.failure))
        noted = (
            list(pump.recorder.records()),
            pump.unreported,
            self.teller.pictures,
            pump.losses,
            seen,
            pump.counts,
            failure,
        )
        return self.written.data, *noted, self.attempt.tried.events


class PassingStream:
    """The same between two ends of one dialect."""

    def __init__(self, dialect: Dialect, framing: Framing, *, straight: bool) -> None:
        assert dialect.passing is not None
        self.pump = PassingPump(dialect, dialect.passing, "fresh")
        self.decoder = SseDecoder()
        self.written = Written(framing)
        self.attempt = SimpleNamespace(asked=None, tried=SimpleNamespace(events=0))
        attempt: Any = self.attempt
        downstream: Any = self.written
        self.take = self.carefully
        if straight:
            self.take = PassingWay(self.carefully, self.decoder, self.pump, downstream, attempt, None).take

    def carefully(self, data: bytes) -> bool:
        frames = self.decoder.feed(data)
        self.attempt.tried.events += len(frames)
        out = self.pump.feed(frames)
        return self.written.write(out) if out else not self.pump.ended

    def told(self, pieces: list[bytes], end: str = CLOSED) -> tuple[Any, ...]:
        try:
            ended(self, pieces, end)
        except UpstreamError as error:
            return type(error), str(error)
        pump = self.pump
        failure = None if pump.failure is None else (type(pump.failure), str(pump.failure))
        return self.written.data, pump.seen(), pump.counts, pump.ended, failure, self.attempt.tried.events


def ended(stream: Stream | PassingStream, pieces: list[bytes], end: str) -> None:
    """Takes the pieces, and what comes of their end, as `relay.attempts.piped` does."""
    try:
        for piece in pieces:
            if not stream.take(piece):
                break
        if end == CUT:
            raise UpstreamIncomplete
        if end == CLOSED:
            stream.written.write(stream.pump.close(stream.decoder.close()))
    except UpstreamError as error:
        if not stream.pump.committed:
            raise
        stream.written.write(stream.pump.fail(error))


def passing_both_ways(dialect: Dialect, pieces: list[bytes], *, end: str = CLOSED) -> Written:
    """Holds the two together; what was written."""
    straight = PassingStream(dialect, EventFraming(dialect.frame), straight=True)
    careful = PassingStream(dialect, EventFraming(dialect.frame), straight=False)
    assert straight.told(pieces, end) == careful.told(pieces, end)
    return straight.written


def both_ways(
    source: Dialect, to: Dialect, pieces: list[bytes], *, array: bool = False, thoughts: bool = True, end: str = CLOSED
) -> Written:
    """Holds the straight way to the careful one, and both to one that takes no short way at all; what was written."""
    framings = [ArrayFraming() if array else EventFraming(to.frame) for _ in range(3)]
    straight, careful, slow = [
        Stream(source, to, framing, straight=number == 0, thoughts=thoughts, looks_at_all=number == 2)
        for number, framing in enumerate(framings)
    ]
    told, long = straight.told(pieces, end), slow.told(pieces, end)
    assert told == careful.told(pieces, end)
    if to.name == "gemini" and source.name == "gemini":  # counts that come with every frame are put off
        assert told[1:] == long[1:]
        assert counted_once(straight.written) == counted_once(slow.written)
    else:
        assert told == long
    return straight.written


def counted_once(written: Written) -> list[Any]:
    """Google's frames, without the counts in them."""
    found = [line.removeprefix(b"data: ").strip(b"[,") for line in written.data.split(b"\r\n")]
    frames = [msgspec.json.decode(line) for line in found if line]
    return [{name: value for name, value in frame.items() if name != "usageMetadata"} for frame in frames]


def read_both_ways(source: Dialect, frames: list[Frame]) -> None:
    """What a reader finds by one look is what it finds with care. (Google's counts are put off.)"""
    found: list[list[Event | str]] = []
    for read in (events_of, lambda reader, frame: reader.feed(frame)):
        numbers = count(1)
        reader = source.reader(Reading(mint=lambda: f"call_{next(numbers)}"))  # noqa: B023 -- called within the turn
        events = [event for frame in frames for event in read(reader, frame)] + reader.close()
        found.append(without_counts(events) if source.name == "gemini" else told_of(events))
    assert found[0] == found[1]


def told_of(events: list[Event]) -> list[Event | str]:
    return [str(event.error) if isinstance(event, Failed) else event for event in events]


def spelt(dialect: Dialect, frames: list[Frame]) -> list[bytes]:
    """Each frame as its provider sends it."""
    return [dialect.frame(frame) for frame in frames]


@EACH_FILE
@EACH_DIALECT
@pytest.mark.parametrize("thoughts", [True, False])
def test_recorded_streams_go_straight_as_they_go_carefully(dialect: Dialect, thoughts: bool, path: Path) -> None:
    for exchange in exchanges(path):
        if exchange.frames is not None and exchange.status == 200:
            both_ways(exchange.dialect, dialect, spelt(exchange.dialect, exchange.frames), thoughts=thoughts)


@EACH_FILE
@pytest.mark.parametrize("end", [CUT, LEFT])
def test_recorded_streams_end_in_their_middle_as_they_do_carefully(end: str, path: Path) -> None:
    """3.7: the last counts that came are those that are charged for."""
    for exchange in exchanges(path):
        if exchange.frames is not None and exchange.status == 200:
            pieces = spelt(exchange.dialect, exchange.frames[: -(len(exchange.frames) // 3) or None])
            both_ways(exchange.dialect, DIALECTS["openai_chat"], pieces, end=end)
            passing_both_ways(exchange.dialect, pieces, end=end)


@EACH_FILE
def test_recorded_streams_are_read_by_one_look_as_with_care(path: Path) -> None:
    for exchange in exchanges(path):
        if exchange.frames is not None and exchange.status == 200:
            read_both_ways(exchange.dialect, exchange.frames)


@EACH_FILE
def test_recorded_streams_pass_straight_as_they_pass_carefully(path: Path) -> None:
    for exchange in exchanges(path):
        if exchange.frames is not None and exchange.status == 200:
            passing_both_ways(exchange.dialect, spelt(exchange.dialect, exchange.frames))


def gemini(text: str, **more: Any) -> bytes:
    wire = {"content": {"parts": [{"text": text, **more.pop("part", {})}], "role": "model"}, **more.pop("wire", {})}
    counts = {"promptTokenCount": 2, "totalTokenCount": 3, "candidatesTokenCount": 1}
    body = {"candidates": [{**wire, "index": 0}], "usageMetadata": counts, "modelVersion": "m", "responseId": "r"}
    return b"data: %b\r\n\r\n" % msgspec.json.encode({**body, **more})


def chat(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None, **more}
    return b"data: %b\n\n" % msgspec.json.encode({"id": "c", "model": "m", "choices": [choice], "usage": None})


def claude(**event: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))


def claude_text(text: str) -> bytes:
    return claude(type="content_block_delta", index=0, delta={"type": "text_delta", "text": text})


TEXTS = ["one ", 'a "quoted" word, ', "naïve ", "漢字 ", "line\nend ", "\U0001f600", "\u2028", "<b>"] * 6
STREAMS: dict[str, list[bytes]] = {
    "gemini": [*map(gemini, TEXTS), gemini("", wire={"finishReason": "STOP"})],
    "openai_chat": [*map(chat, TEXTS), chat("", finish_reason="stop"), b"data: [DONE]\n\n"],
    "anthropic_messages": [
        claude(type="message_start", message={"id": "i", "model": "m", "usage": {"input_tokens": 1}}),
        claude(type="content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *map(claude_text, TEXTS),
        claude(type="content_block_stop", index=0),
        claude(type="message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2}),
        claude(type="message_stop"),
    ],
}


@pytest.mark.parametrize("source", STREAMS)
@pytest.mark.parametrize("to", ["gemini", "openai_chat", "anthropic_messages"])
def test_plain_text_goes_straight(source: str, to: str) -> None:
    written = both_ways(DIALECTS[source], DIALECTS[to], STREAMS[source])
    assert written.straight >= len(TEXTS) - 2


@pytest.mark.parametrize("dialect", STREAMS)
def test_plain_text_passes_straight(dialect: str) -> None:
    written = passing_both_ways(DIALECTS[dialect], STREAMS[dialect])
    assert written.straight >= len(TEXTS) - 2
    assert written.data == b"".join(STREAMS[dialect])


@pytest.mark.parametrize("source", STREAMS)
@pytest.mark.parametrize("size", [1, 7, 64, 200, 10**6])
def test_however_a_stream_is_cut(source: str, size: int) -> None:
    whole = b"".join(STREAMS[source])
    cut = [whole[at : at + size] for at in range(0, len(whole), size)]
    told = {both_ways(DIALECTS[source], DIALECTS["openai_chat"], pieces).data for pieces in (cut, STREAMS[source])}
    assert len(told) == 1


def test_an_array_goes_straight_too() -> None:
    written = both_ways(DIALECTS["openai_chat"], DIALECTS["gemini"], STREAMS["openai_chat"], array=True)
    assert written.straight
    assert msgspec.json.decode(written.data + b"]")


ODD: list[bytes] = [
    gemini("thought", part={"thought": True}),
    gemini("signed", part={"thoughtSignature": "c2ln"}),
    gemini("ended", wire={"finishReason": "STOP"}),
    gemini("cited", wire={"groundingMetadata": {}}),
    gemini("twice", candidates=[]),
    gemini("of none", usageMetadata={"trafficType": "ON_DEMAND"}),
    gemini("", promptFeedback={}),
    gemini("created", createTime="2026-01-01T00:00:00Z"),
    b'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"index":0}]}\r\n\r\n',
    b'data: {"candidates":[{"content":{"parts":[{"text":"second"}]},"index":1}]}\r\n\r\n',
    b'data: {"error":{"code":500,"message":"broke","status":"INTERNAL"}}\r\n\r\n',
    b"data: nothing\r\n\r\n",
    b": a comment\r\n\r\n",
    b"event: named\r\ndata: {}\r\n\r\n",
    gemini("lone")[:-2],
    gemini("two") + gemini("events"),
    b"\r\n",
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("to", ["gemini", "openai_chat", "anthropic_messages"])
@pytest.mark.parametrize("at", [1, 2, MOST_AT_ONCE, 2 * MOST_AT_ONCE + 1])
def test_what_comes_between_is_told_in_its_place(at: int, to: str, odd: bytes) -> None:
    pieces = [gemini(text) for text in TEXTS]
    ending = [gemini("more"), gemini("", wire={"finishReason": "STOP"})]
    both_ways(DIALECTS["gemini"], DIALECTS[to], [*pieces[:at], odd, *pieces[at:], *ending])
    both_ways(DIALECTS["gemini"], DIALECTS[to], [*pieces[:at], odd, odd, *pieces[at:], *ending], thoughts=False)


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("at", [1, 2, 5])
def test_what_comes_between_passes_in_its_place(at: int, odd: bytes) -> None:
    pieces = [gemini(text) for text in TEXTS]
    ending = [gemini("more"), gemini("", wire={"finishReason": "STOP"})]
    passing_both_ways(DIALECTS["gemini"], [*pieces[:at], odd, *pieces[at:], *ending])


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("to", ["gemini", "openai_chat", "anthropic_messages", "openai_responses"])
@pytest.mark.parametrize("odd", [*ODD, gemini("signed", part={"thoughtSignature": "c2ln"}, usageMetadata={"x": 1})])
def test_counts_without_a_total_are_those_that_came_last(odd: bytes, to: str, end: str) -> None:
    """Vertex tells `trafficType` alone before it counts anything (mapping.md 3.1)."""
    first, *rest = [gemini(text, usageMetadata={"trafficType": str(at)}) for at, text in enumerate(TEXTS[:5])]
    last = gemini("", wire={"finishReason": "STOP"}, usageMetadata=None)
    both_ways(DIALECTS["gemini"], DIALECTS[to], [first, *rest, odd, last], end=end)


def test_counts_that_are_no_json_are_not_read_when_a_stream_has_passed() -> None:
    numberless = gemini("more").replace(b'"totalTokenCount":3', b'"totalTokenCount":3,"new":1e999')
    stream = PassingStream(DIALECTS["gemini"], EventFraming(DIALECTS["gemini"].frame), straight=True)
    for piece in (gemini("one"), gemini("two"), numberless):
        stream.take(piece)
    assert stream.pump.counted() == stream.pump.seen().usage
    assert stream.pump.seen().usage is not None


PLACES: dict[str, list[tuple[Any, ...]]] = {
    name: places(msgspec.json.decode(stream[4].partition(b"data: ")[2])) for name, stream in STREAMS.items()
}


@settings(max_examples=400)
@given(source=st.sampled_from(sorted(STREAMS)), to=st.sampled_from(sorted(STREAMS)), data=st.data())
def test_an_event_changed_anywhere_is_told_the_same_both_ways(source: str, to: str, data: st.DataObject) -> None:
    """One value of one event replaced, or a field added beside it."""
    stream = STREAMS[source]
    lead, mark, body = stream[4].partition(b"data: ")
    value, place = msgspec.json.decode(body), data.draw(st.sampled_from(PLACES[source]))
    holder = value
    for key in place[:-1]:
        holder = holder[key]
    extra = data.draw(st.none() | st.sampled_from(["new", "text", "thought", "content", "error", "usage", "index"]))
    holder[place[-1] if extra is None or not isinstance(holder, dict) else extra] = data.draw(STRANGE)
    odd = lead + mark + msgspec.json.encode(value) + body[len(body.rstrip()) :]
    pieces = [*stream[:8], odd, *stream[8:]]
    read_both_ways(DIALECTS[source], [frame for piece in pieces for frame in SseDecoder().feed(piece)])
    both_ways(DIALECTS[source], DIALECTS[to], pieces)
    passing_both_ways(DIALECTS[source], pieces)


def test_what_is_noted_is_asked_for_at_any_time() -> None:
    """A caller that leaves in the middle: what was shown until then is kept, and counted."""
    streams = [
        Stream(DIALECTS["openai_chat"], DIALECTS["gemini"], EventFraming(DIALECTS["gemini"].frame), straight=way)
        for way in (True, False)
    ]
    for number, text in enumerate(TEXTS[:10], 1):
        for stream in streams:
            stream.take(chat(text))
        straight, careful = [(one.pump.unreported, one.pump.counted(), one.written.data) for one in streams]
        assert straight == careful
        assert straight[0] == len("".join(TEXTS[:number]).encode())


@pytest.mark.parametrize("to", ["gemini", "openai_chat", "anthropic_messages"])
@pytest.mark.parametrize("kind", [Text, Reasoning])
def test_a_part_that_cannot_go_straight_is_not_taken(to: str, kind: type[Any]) -> None:
    """Nobody is told of thoughts that are hidden."""
    part = {"thought": True} if kind is Reasoning else {}
    pieces = [gemini("shown"), *[gemini(text, part=part) for text in TEXTS], gemini("", wire={"finishReason": "STOP"})]
    written = both_ways(DIALECTS["gemini"], DIALECTS[to], pieces, thoughts=False)
    assert (written.straight > 0) is (kind is Text)
