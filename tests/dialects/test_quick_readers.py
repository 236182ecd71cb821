"""When the quick way of a reader (`more`) has to leave a frame to the other: a call, counts or an end are still to come;
and what becomes of a call that is cut off."""

import json
from typing import Any

import pytest

from portico.core.assembly import assemble
from portico.core.dialect import Reading, StreamReader
from portico.core.events import CandidateFinished, Event, Failed, Started, UsageReported
from portico.core.parts import Text, ToolCall
from portico.dialects import anthropic_messages, gemini
from portico.wire.sse import Frame

TEXT = {"text": "a"}
CALL = {"functionCall": {"name": "look", "args": {}}}
BEGUN = {"functionCall": {"name": "look", "willContinue": True}}


def frame(*parts: dict[str, Any], finish: str | None = None, **fields: Any) -> Frame:
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    ended = {} if finish is None else {"finishReason": finish}
    return Frame(json.dumps({"candidates": [{**candidate, **ended}], **fields}).encode())


def after(*frames: Frame) -> StreamReader:
    reader = gemini.DIALECT.reader(Reading(mint=lambda: "call_1"))
    for one in frames:
        reader.feed(one)
    return reader


@pytest.mark.parametrize(
    ("before", "quick"),
    [
        ([frame(TEXT)], True),
        ([], False),
        ([frame(TEXT, CALL)], False),
        ([frame(TEXT), frame(BEGUN)], False),
        ([frame({**TEXT, "thought": True})], False),
    ],
    ids=["text", "nothing", "a call that nobody declared", "a call in pieces", "a thought"],
)
def test_a_text_is_read_quickly_behind_nothing_but_text(before: list[Frame], quick: bool) -> None:
    assert (after(*before).more(frame(TEXT)) is not None) is quick


def counts(total: int | None) -> dict[str, Any]:
    said = {} if total is None else {"totalTokenCount": total}
    return {"usageMetadata": {"promptTokenCount": 3, **said}}


def totals(events: list[Event]) -> list[int]:
    return [event.usage.input_total + event.usage.output_total for event in events if isinstance(event, UsageReported)]


def test_counts_of_the_quick_way_are_told_at_the_end_unless_later_ones_were() -> None:
    reader = after(frame(TEXT))
    assert reader.more(frame(TEXT, **counts(3))) is not None
    assert totals(reader.close()) == [3]
    reader = after(frame(TEXT))
    reader.more(frame(TEXT, **counts(3)))
    assert totals(reader.feed(frame(TEXT, finish="STOP", usageMetadata={"promptTokenCount": 4, "totalTokenCount": 4})))
    assert totals(reader.close()) == []


def test_an_end_of_the_quick_way_is_the_end() -> None:
    reader = after(frame(TEXT))
    assert reader.more(frame(TEXT, finish="MAX_TOKENS")) is not None
    (ended,) = [event for event in reader.close() if isinstance(event, CandidateFinished)]
    assert ended.finish.raw == "MAX_TOKENS"


def test_an_empty_call_behind_one_that_has_ended_is_none() -> None:
    reader = gemini.DIALECT.reader(Reading(mint=lambda: "call_1"))
    frames = [frame(TEXT), frame({"functionCall": {}}), frame({"text": "b"}, finish="STOP")]
    events = [event for one in frames for event in reader.feed(one)]
    (candidate,) = assemble([*events, *reader.close()]).candidates
    assert candidate.parts == (Text("ab"),)


@pytest.mark.parametrize(
    ("finish", "called"), [("STOP", ['{"at":"Par"}']), ("MAX_TOKENS", [])], ids=["ended", "cut off by the limit"]
)
def test_a_text_that_is_cut_off_is_no_argument(finish: str, called: list[str]) -> None:
    piece = {"jsonPath": "$.at", "stringValue": "Par", "willContinue": True}
    begun = {"functionCall": {"name": "look", "partialArgs": [piece], "willContinue": True}}
    reader = after()
    events = [event for one in (frame(begun), frame(finish=finish)) for event in reader.feed(one)]
    (candidate,) = assemble([*events, *reader.close()]).candidates
    assert [part.arguments for part in candidate.parts if isinstance(part, ToolCall)] == called


def said(**event: Any) -> Frame:
    return Frame(json.dumps(event).encode(), event["type"])


BEGINS = said(type="message_start", message={"id": "msg_1", "model": "m", "usage": {"input_tokens": 3}})


def test_a_message_begins_once_and_with_an_error_not_at_all() -> None:
    reader = anthropic_messages.DIALECT.reader(Reading(mint=lambda: "call_1"))
    assert isinstance(reader.feed(BEGINS)[0], Started)
    assert reader.feed(BEGINS) == []
    failed = anthropic_messages.DIALECT.reader(Reading(mint=lambda: "call_1"))
    (only,) = failed.feed(said(type="error", error={"type": "overloaded_error", "message": "x"}))
    assert isinstance(only, Failed)


def test_nothing_is_read_quickly_once_a_message_has_ended() -> None:
    reader = anthropic_messages.DIALECT.reader(Reading(mint=lambda: "call_1"))
    more = said(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "a"})
    for one in (BEGINS, said(type="content_block_start", index=0, content_block={"type": "text", "text": ""})):
        reader.feed(one)
    assert reader.more(more) is not None
    reader.feed(said(type="error", error={"type": "overloaded_error", "message": "x"}))
    assert reader.more(more) is None
