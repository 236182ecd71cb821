"""Streams of POST /v1/messages, written, read and watched (mapping.md 7.3, 7.4)."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from portico.core.assembly import assemble, tell
from portico.core.dialect import Reading, Reply
from portico.core.envelope import wrapped
from portico.core.errors import UpstreamEmpty, UpstreamError, UpstreamIncomplete, UpstreamOverloaded
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
from portico.core.normal import normal
from portico.core.parts import Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.core.usage import Usage
from portico.dialects import anthropic_messages
from portico.wire.sse import Frame, SseDecoder, encode

DIALECT = anthropic_messages.DIALECT
REPLY = Reply(id="fresh", created=9, thoughts=True, seals=True)
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
GOOGLE = Signature("google", "AAA=")
STOP = Finish(FinishReason.STOP, "end_turn")
SEARCH: dict[str, Any] = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND: dict[str, Any] = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
EVERYTHING = Response(
    "msg_1",
    "claude-x",
    (
        Candidate(
            0,
            (
                Reasoning("hm", Signature("anthropic", "sealed")),
                Reasoning("", Signature("anthropic", "hidden"), redacted=True),
                Opaque("anthropic_messages", SEARCH),
                Opaque("anthropic_messages", FOUND),
                Text("Look."),
                ToolCall("toolu_1", "f", '{"a":1.0}', signature=GOOGLE),
                ToolCall("toolu_2", "g", "{}"),
                Text("", GOOGLE),
            ),
            Finish(FinishReason.TOOL_CALLS, "tool_use"),
        ),
    ),
    Usage(input_uncached={"text": 3}, input_cache_write_1h={"text": 4}, output_visible={"text": 2}),
    raw_usage=None,
)
RECORDED: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-x",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sea"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "led"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Grü"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "ße"}},
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {
            "type": "citations_delta",
            "citation": {"type": "web_search_result_location", "url": "https://example.com", "title": "T"},
        },
    },
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {**SEARCH, "input": {}}},
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": '{"query": "x"}'},
    },
    {"type": "content_block_stop", "index": 2},
    {
        "type": "content_block_start",
        "index": 3,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": ": 1.0}"}},
    {"type": "content_block_stop", "index": 3},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"input_tokens": 12, "output_tokens": 30, "output_tokens_details": {"thinking_tokens": 20}},
    },
    {"type": "message_stop"},
]


def written(events: list[Event], reply: Reply = REPLY) -> list[dict[str, Any]]:
    """The events a writer tells; the SDK's own types know all of them."""
    writer = DIALECT.writer(reply)
    frames = [frame for event in events for frame in writer.feed(event)] + writer.close()
    told = []
    for frame in frames:
        body = json.loads(frame.data)
        assert frame.event == body["type"]
        if body["type"] not in ("error", "ping"):
            EVENT.validate_json(frame.data)
        told.append(body)
    return told


def wire(bodies: list[dict[str, Any]]) -> bytes:
    return b"".join(encode(Frame(json.dumps(body).encode(), str(body.get("type")))) for body in bodies)


def read(bodies: list[dict[str, Any]], size: int = 10**6) -> list[Event]:
    data, decoder = wire(bodies), SseDecoder()
    reader = DIALECT.reader(Reading(mint=lambda: "call_minted"))
    frames = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    return [event for frame in frames for event in reader.feed(frame)] + reader.close()


def kinds(bodies: list[dict[str, Any]]) -> list[str]:
    return [str((body.get("content_block") or body.get("delta") or {}).get("type") or body["type"]) for body in bodies]


# -- reading


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
def test_a_stream_is_read_however_its_bytes_are_cut(size: int) -> None:
    response = assemble(read(RECORDED, size))
    (candidate,) = response.candidates
    assert candidate.parts == (
        Reasoning("hm", Signature("anthropic", "sealed")),
        Text("Grüße"),
        Opaque("anthropic_messages", SEARCH),
        ToolCall("toolu_1", "f", '{"a": 1.0}'),
    )
    assert candidate.citations == (Citation(0, 5, "https://example.com", "T"),)
    assert candidate.finish == Finish(FinishReason.TOOL_CALLS, "tool_use")
    assert response.usage == Usage(
        input_uncached={"text": 12},
        input_cache_read={"text": 5},
        output_visible={"text": 10},
        output_reasoning={"text": 20},
    )


def test_every_beginning_of_a_stream_is_a_failure_and_the_whole_is_none() -> None:
    for length in range(len(RECORDED)):
        last = read(RECORDED[:length])[-1]
        if length == len(RECORDED) - 1:  # all but `message_stop`: how it ended is known
            assert isinstance(last, Finished)
            continue
        assert isinstance(last, Failed)
        assert isinstance(last.error, UpstreamEmpty if length == 0 else UpstreamIncomplete)
    assert isinstance(read(RECORDED)[-1], Finished)


@pytest.mark.parametrize("at", [0, 5, 12, 20])
def test_an_error_inside_a_stream_ends_it(at: int) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    events = read([*RECORDED[:at], error, *RECORDED[at:]])
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, UpstreamOverloaded)
    assert sum(isinstance(event, Failed) for event in events) == 1


def test_a_call_without_arguments_has_an_empty_object() -> None:
    bodies = [body for body in RECORDED if not (body.get("index") == 3 and "delta" in body)]
    assert assemble(read(bodies)).candidates[0].parts[-1] == ToolCall("toolu_1", "f", "{}")


def test_a_custom_tool_is_told_its_text() -> None:
    reader = DIALECT.reader(Reading(mint=lambda: "", custom=frozenset({"f"})))
    bodies = [
        json.loads(json.dumps(body).replace('{\\"a\\"', '{\\"input\\"').replace(": 1.0", ': \\"x\\"'))
        for body in RECORDED
    ]
    events = [event for body in bodies for event in reader.feed(Frame(json.dumps(body).encode()))]
    assert assemble(events).candidates[0].parts[-1] == ToolCall("toolu_1", "f", "x", "custom")


STRANGE: tuple[Any, ...] = (None, True, 0, -1, 1.5, 2**70, "", "é", [], [[]], [None], {}, {"a": None}, {"text": 5})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def test_strange_values_of_a_stream_never_fail_otherwise() -> None:
    assert DIALECT.passing is not None
    for path in places(RECORDED):
        if not path:
            continue
        for strange in STRANGE:
            bent: Any = copy.deepcopy(RECORDED)
            inner = bent
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = strange
            frames = [Frame(json.dumps(body).encode()) for body in bent]
            try:
                reader = DIALECT.reader(Reading(mint=lambda: "call_minted"))
                events = [event for frame in frames for event in reader.feed(frame)] + reader.close()
                assert isinstance(events[-1], (Finished, Failed))
                writer = DIALECT.writer(REPLY)
                for event in events:
                    writer.feed(event)
            except Exception as error:
                raise AssertionError(f"{path} = {strange!r}") from error
            watch = DIALECT.passing.watch("fresh")
            try:
                for frame in frames:
                    watch.feed(frame)
                watch.close()
                watch.seen()
            except UpstreamError:
                pass
            except Exception as error:
                raise AssertionError(f"watched: {path} = {strange!r}") from error


# -- writing


def test_the_order_of_events_is_anthropics() -> None:
    told = written(tell(EVERYTHING))
    assert [body["type"] for body in told if not body["type"].startswith("content_block")] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    open_: int | None = None
    following = 0
    for body in told:
        match body["type"]:
            case "content_block_start":
                assert open_ is None
                assert body["index"] == following
                open_, following = following, following + 1
            case "content_block_delta":
                assert body["index"] == open_
            case "content_block_stop":
                assert body["index"] == open_
                open_ = None
    assert open_ is None
    assert following == 9


def test_what_is_written_is_read_again() -> None:
    assert normal(assemble(read(written(tell(EVERYTHING))))) == normal(EVERYTHING)


def test_blocks_begin_empty_and_grow() -> None:
    told = written(tell(EVERYTHING))
    starts = [body["content_block"] for body in told if body["type"] == "content_block_start"]
    assert starts[0] == {"type": "thinking", "thinking": "", "signature": ""}
    assert [start["input"] for start in starts if start["type"] in ("tool_use", "server_tool_use")] == [{}, {}, {}]
    thought = [body["delta"] for body in told if body.get("index") == 0 and "delta" in body]
    assert thought[-1] == {"type": "signature_delta", "signature": "sealed"}
    assert starts[5] == {"type": "redacted_thinking", "data": wrapped(GOOGLE, "toolu_1")}
    assert starts[6]["id"] == "toolu_1"


def test_parts_that_come_together_are_told_one_after_the_other() -> None:
    told = written(
        [
            Started("r", "m"),
            PartStarted(0, 0, ToolCall("a", "f", "")),
            PartStarted(0, 1, ToolCall("b", "g", "")),
            PartDelta(0, 1, '{"y":'),
            PartDelta(0, 0, '{"x":'),
            PartDelta(0, 1, "2}"),
            PartEnded(0, 1),
            PartDelta(0, 0, "1}"),
            PartStarted(0, 2, Text("So")),
            PartEnded(0, 0),
            PartEnded(0, 2),
            CandidateFinished(0, STOP),
            Finished(),
        ]
    )
    assert kinds(told) == [
        *("message_start", "tool_use", "input_json_delta", "input_json_delta", "content_block_stop"),
        *("tool_use", "input_json_delta", "input_json_delta", "content_block_stop"),
        *("text", "text_delta", "content_block_stop", "message_delta", "message_stop"),
    ]
    pieces = [body["delta"]["partial_json"] for body in told if "partial_json" in body.get("delta", {})]
    assert pieces == ['{"x":', "1}", '{"y":', "2}"]


def test_the_first_event_has_the_input_known_by_then_and_the_last_the_final_counts() -> None:
    told = written(
        [
            Started("r", "m"),
            UsageReported(Usage(input_uncached={"text": 8}, output_visible={"text": 5})),
            PartStarted(0, 0, Text("Hi")),
            PartEnded(0, 0),
            UsageReported(Usage(input_uncached={"text": 9}, input_cache_read={"text": 2}, output_visible={"text": 7})),
            CandidateFinished(0, STOP),
            Finished(),
        ]
    )
    first, last = told[0]["message"]["usage"], told[-2]["usage"]
    assert (first["input_tokens"], first["output_tokens"]) == (8, 1)
    assert (last["input_tokens"], last["cache_read_input_tokens"], last["output_tokens"]) == (9, 2, 7)


def test_an_answer_of_nothing_is_still_a_message() -> None:
    told = written(
        [Started(None, None), CandidateFinished(0, Finish(FinishReason.CONTENT_FILTER, "SAFETY")), Finished()]
    )
    assert [body["type"] for body in told] == ["message_start", "message_delta", "message_stop"]
    assert told[0]["message"]["id"] == "msg_fresh"
    assert told[1]["delta"]["stop_reason"] == "refusal"


def test_sources_are_told_inside_their_text() -> None:
    cited = (Citation(0, 2, "https://example.com", "T"),)
    told = written(
        [
            Started("r", "m"),
            PartStarted(0, 0, Text("Hi")),
            Annotated(0, None, cited),
            PartEnded(0, 0),
            CandidateFinished(0, STOP),
            Finished(),
        ]
    )
    assert kinds(told)[1:5] == ["text", "text_delta", "citations_delta", "content_block_stop"]


END: list[Event] = [CandidateFinished(0, STOP), Finished()]
SEALED_END: list[Event] = [PartStarted(0, 1, Text("", Signature("google", "c2ln"))), PartEnded(0, 1)]
CALLED: list[Event] = [PartStarted(0, 1, ToolCall("call_1", "f", "{}")), PartEnded(0, 1)]


@pytest.mark.parametrize("rest", [[], SEALED_END], ids=["a text", "and its seal"])
def test_sources_that_are_told_last_are_told_inside_their_text(rest: list[Event]) -> None:
    """2.7: Google tells sources with its last frame, Gemini 3 behind a text that only holds the signature."""
    cited = (Citation(0, 5, "https://a.example", "A"), Citation(3, 5, "https://b.example", "B"))
    twice = (*cited, Citation(0, 2, "https://a.example", "A"))
    events = [Started("r", "m"), PartStarted(0, 0, Text("Hi")), PartDelta(0, 0, " you"), PartEnded(0, 0), *rest]
    writer = DIALECT.writer(REPLY)
    frames = [frame for event in (*events, Annotated(0, None, twice), *END) for frame in writer.feed(event)]
    told = [json.loads(frame.data) for frame in frames]
    assert kinds(told)[1:-2] == ["text", *["text_delta"] * 2, *["citations_delta"] * 2, "content_block_stop"]
    sources = [body["delta"]["citation"]["url"] for body in told if "citation" in body.get("delta", {})]
    assert sources == ["https://a.example", "https://b.example"]
    losses = [loss.message for loss in writer.losses if loss.code == "7.2:citations"]
    assert losses == ["sources of pieces were told of the whole text"]


def test_a_source_without_an_address_is_told_once_however_often_it_is_said() -> None:
    place = {
        "type": "char_location",
        "document_index": 0,
        "start_char_index": 0,
        "end_char_index": 2,
        "cited_text": "x",
    }
    said = Annotated(0, {"anthropic_messages": {"citations": [{"block": 0, "citations": [place]}]}})
    events: list[Event] = [Started("r", "m"), PartStarted(0, 0, Text("Hi")), said, PartEnded(0, 0), said]
    writer = DIALECT.writer(REPLY)
    told = [json.loads(frame.data) for event in (*events, *END) for frame in writer.feed(event)]
    assert kinds(told)[1:-2] == ["text", "text_delta", "citations_delta", "content_block_stop"]
    assert writer.losses == []


def test_sources_of_a_text_before_a_call_come_too_late() -> None:
    cited = (Citation(0, 2, "https://a.example", "A"),)
    events = [Started("r", "m"), PartStarted(0, 0, Text("Hi")), PartEnded(0, 0), *CALLED, Annotated(0, None, cited)]
    writer = DIALECT.writer(REPLY)
    told = [json.loads(frame.data) for event in (*events, *END) for frame in writer.feed(event)]
    assert kinds(told)[1:5] == ["text", "text_delta", "content_block_stop", "tool_use"]
    assert [loss.message for loss in writer.losses] == ["sources were told after the text they are of"]


def test_a_failure_is_an_error_event() -> None:
    told = written([Started("r", "m"), PartStarted(0, 0, Text("Hi")), Failed(UpstreamOverloaded("Overloaded"))])
    assert told[-1] == {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def test_who_asked_for_no_thoughts_is_told_none() -> None:
    told = written(tell(EVERYTHING), Reply(id="fresh", created=9))
    assert not {"thinking", "redacted_thinking", "thinking_delta", "signature_delta"} & set(kinds(told))


# -- passing


def test_a_stream_passes_unchanged_and_is_watched() -> None:
    assert DIALECT.passing is not None
    watch = DIALECT.passing.watch("fresh")
    frames = [Frame(json.dumps(body).encode(), str(body["type"])) for body in RECORDED]
    assert [passed for frame in frames for passed in watch.feed(frame)] == frames
    watch.close()
    seen = watch.seen()
    assert (seen.model, seen.empty) == ("claude-x", False)
    assert seen.usage == assemble(read(RECORDED)).usage


def test_a_watch_says_what_was_no_answer() -> None:
    assert DIALECT.passing is not None
    frames = [Frame(json.dumps(body).encode(), str(body["type"])) for body in RECORDED]
    with pytest.raises(UpstreamEmpty):
        DIALECT.passing.watch("fresh").close()
    cut = DIALECT.passing.watch("fresh")
    for frame in frames[:9]:
        cut.feed(frame)
    with pytest.raises(UpstreamIncomplete):
        cut.close()
    error = Frame(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "error")
    with pytest.raises(UpstreamOverloaded):
        DIALECT.passing.watch("fresh").feed(error)
    late = DIALECT.passing.watch("fresh")
    late.feed(frames[0])
    assert late.feed(error) == [error]
    assert late.ended


SEALED = Reply(id="fresh", created=9, thoughts=True, seals=True)


@pytest.mark.parametrize(
    "parts",
    [
        (Reasoning("hm"), Text("Hi", GOOGLE)),
        (Text("Hi"), Text("", GOOGLE)),
        (Reasoning("hm"), Text("Hi"), Text("", GOOGLE), Text("", GOOGLE)),
    ],
)
def test_the_text_that_ends_an_answer_is_its_last_block(parts: tuple[Part, ...]) -> None:
    """claude-code takes the last block for the answer; what is sealed behind it the vault keeps (`claude -p`)."""
    late: list[Event] = [
        Started("r", "m"),
        *(
            event
            for at, part in enumerate(parts)
            for event in (
                PartStarted(0, at, msgspec.structs.replace(part, signature=None) if isinstance(part, Text) else part),
                PartEnded(0, at, part.signature if isinstance(part, Text) else None),
            )
        ),
        CandidateFinished(0, STOP),
        Finished(),
    ]
    for events in (late, tell(Response("r", "m", (Candidate(0, parts, STOP),)))):
        told = written(events, SEALED)
        starts = [body["content_block"]["type"] for body in told if body["type"] == "content_block_start"]
        assert starts[-1] == "text"
        indexes = [body["index"] for body in told if body["type"] == "content_block_start"]
        assert indexes == list(range(len(starts)))
    whole = anthropic_messages.DIALECT.render_response(Response("r", "m", (Candidate(0, parts, STOP),)), SEALED)
    assert whole.body["content"][-1]["type"] == "text"


def test_a_signature_before_a_call_is_told_behind_its_text() -> None:
    told = written(
        [
            Started("r", "m"),
            PartStarted(0, 0, Text("Hi")),
            PartEnded(0, 0, GOOGLE),
            PartStarted(0, 1, ToolCall("call_1", "f", "{}")),
            PartEnded(0, 1),
            CandidateFinished(0, STOP),
            Finished(),
        ],
        SEALED,
    )
    starts = [body["content_block"]["type"] for body in told if body["type"] == "content_block_start"]
    assert starts == ["text", "redacted_thinking", "tool_use"]
