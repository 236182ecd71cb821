"""mapping.md 3.1 to 3.4 and 3.6: streams, both as they come and as they go out."""

from typing import Any

import pytest

from dialects.dialect_rows import (
    CHAT,
    GEMINI,
    Json,
    answer,
    answers,
    byte_by_byte,
    calls_of,
    chunks,
    completion,
    deltas,
    finishes,
    framed,
    read,
    reading,
    told,
    written,
)
from portico.core.assembly import assemble
from portico.core.errors import UpstreamBadGateway, UpstreamEmpty, UpstreamIncomplete, UpstreamOverloaded
from portico.core.events import Event, Failed, Finished, PartDelta, PartEnded, PartStarted, Started
from portico.core.parts import Text
from portico.wire import jsontext
from portico.wire.sse import Frame, SseDecoder, encode_crlf

USAGE: Json = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}


def call(name: str, **fields: Any) -> Json:
    return {"functionCall": {"name": name, **fields}}


def grammatical(events: list[Event]) -> None:
    """The grammar of `core/events.py`: each part is started once and ended once, and nothing follows the end."""
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], (Finished, Failed))
    started: set[tuple[int, int]] = set()
    ended: set[tuple[int, int]] = set()
    for event in events[1:-1]:
        assert not isinstance(event, (Started, Finished, Failed))
        match event:
            case PartStarted(candidate, index, _):
                assert (candidate, index) not in started
                started.add((candidate, index))
            case PartDelta(candidate, index, _):
                assert (candidate, index) in started - ended
            case PartEnded(candidate, index, _):
                assert (candidate, index) in started - ended
                ended.add((candidate, index))
    if isinstance(events[-1], Finished):
        assert started == ended


# -- 3.1 what comes ---------------------------------------------------------------------------------------------------

# (name of the row, frames, content, reasoning_content, names of calls)
STREAMS: list[tuple[str, list[Json], str, str, list[str]]] = [
    ("deltas", [answer({"text": "a"}, finish=None), answer({"text": "b"})], "ab", "", []),
    (
        "several kinds of part in one frame",
        [answer({"text": "hm", "thought": True}, {"text": "a"}, call("f"), {"text": ""})],
        "a",
        "hm",
        ["f"],
    ),
    (
        "parallel calls in one frame",
        [answer(call("f"), call("g"), finish=None), answer({"text": ""})],
        "",
        "",
        ["f", "g"],
    ),
    ("parallel calls, one a frame", [answer(call("f"), finish=None), answer(call("g"))], "", "", ["f", "g"]),
    ("a call and the end in one frame", [answer(call("f"))], "", "", ["f"]),
    (
        "interleaved thoughts",
        [
            answer({"text": "1", "thought": True}, finish=None),
            answer({"text": "a"}, finish=None),
            answer({"text": "2", "thought": True}, finish=None),
            answer({"text": "b"}),
        ],
        "ab",
        "12",
        [],
    ),
    ("the last frame has no parts", [answer({"text": "a"}, finish=None), answer()], "a", "", []),
    (
        "the last frame has no content",
        [answer({"text": "a"}, finish=None), {"candidates": [{"finishReason": "STOP"}]}],
        "a",
        "",
        [],
    ),
    (
        "frames without candidates",
        [{"usageMetadata": {"trafficType": "ON_DEMAND"}}, answer({"text": "a"}), {"usageMetadata": USAGE}],
        "a",
        "",
        [],
    ),
    ("text after calls", [answer(call("f"), finish=None), answer({"text": "a"})], "a", "", ["f"]),
    ("line separators in the text", [answer({"text": "a\u2028b\u2029c\x85d"})], "a\u2028b\u2029c\x85d", "", []),
    ("characters of every width", [answer({"text": "aé漢𝄞"}), answer({"text": "👩‍👩‍👧"})], "aé漢𝄞👩‍👩‍👧", "", []),
    ("only thoughts, cut", [answer({"text": "hm", "thought": True}, finish="MAX_TOKENS")], "", "hm", []),
    ("an answer in an array of one", [[answer({"text": "a"})]], "a", "", []),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("name", "frames", "content", "reasoning", "names"), STREAMS, ids=[row[0] for row in STREAMS])
def test_every_part_of_every_frame_arrives(
    name: str, frames: list[Json], content: str, reasoning: str, names: list[str]
) -> None:
    """3.1"""
    grammatical(read(frames))
    sent = chunks(frames, thoughts=True)
    said = deltas(sent)
    assert "".join([one.get("content", "") for one in said]) == content
    assert "".join([one.get("reasoning_content", "") for one in said]) == reasoning
    calls = [entry for one in said for entry in one.get("tool_calls", ())]
    assert [entry["function"]["name"] for entry in calls] == names
    assert [entry["index"] for entry in calls] == list(range(len(names)))
    assert len({entry["id"] for entry in calls}) == len(names)
    assert finishes(sent) == [(0, "tool_calls" if names else "length" if name.endswith("cut") else "stop")]
    assert sent[-1] == "[DONE]"


def test_candidates_that_interleave_stay_apart() -> None:
    """3.1, 3.2 row 4: tool indices run per choice"""

    def piece(index: int, *parts: Json, finish: str | None = None) -> Json:
        candidate: Json = {"content": {"parts": list(parts)}, "index": index}
        return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}

    frames = [
        piece(0, {"text": "a"}),
        piece(1, call("f")),
        piece(0, call("g")),
        piece(1, call("h"), finish="STOP"),
        piece(0, {"text": "b"}, finish="MAX_TOKENS"),
    ]
    grammatical(read(frames))
    sent = chunks(frames)
    entries = {
        index: [
            (entry["index"], entry["function"]["name"])
            for one in deltas(sent, index)
            for entry in one.get("tool_calls", ())
        ]
        for index in (0, 1)
    }
    assert entries == {0: [(0, "g")], 1: [(0, "f"), (1, "h")]}
    assert finishes(sent) == [(0, "length"), (1, "tool_calls")]
    roles = [one["index"] for chunk in sent[:-1] for one in chunk["choices"] if "role" in one["delta"]]
    assert roles == [0, 1]


def test_grounding_that_is_empty_until_the_end_is_told_once() -> None:
    """3.1: metadata is `{}` in the middle and complete at the end"""
    last = answer({"text": "b"})
    last["candidates"][0]["groundingMetadata"] = {"webSearchQueries": ["x"]}
    middle = answer({"text": "a"}, finish=None)
    middle["candidates"][0]["groundingMetadata"] = {}
    found = told([middle, last]).candidates[0]
    assert (found.searches, found.ext) == (("x",), None)


# -- 3.2 what goes out ------------------------------------------------------------------------------------------------

FRAMES = [
    answer({"text": "hm", "thought": True}, finish=None),
    answer({"text": "a"}, finish=None),
    answer({"text": ""}, finish=None),
    answer({**call("f", args={"x": 1}), "thoughtSignature": "c2ln"}, call("g"), finish=None),
    answer({"text": "", "thoughtSignature": "dGV4dA=="}, usageMetadata=USAGE),
]


def test_the_chunks_come_in_openais_order() -> None:
    """3.2, rows 1 to 10"""
    sent = chunks(FRAMES, thoughts=True, include_usage=True)
    assert sent.pop() == "[DONE]"
    usage = sent.pop()
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 5
    told_deltas = [chunk["choices"][0]["delta"] for chunk in sent]
    assert told_deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert [sorted(delta) for delta in told_deltas[1:]] == [
        ["reasoning_content"],
        ["content"],
        ["tool_calls"],
        ["tool_calls"],
        ["extra_content"],
        [],
    ]
    assert told_deltas[5] == {"extra_content": {"google": {"thought_signature": "dGV4dA=="}}}
    first = told_deltas[3]["tool_calls"][0]
    assert first == {
        "index": 0,
        "id": first["id"],
        "type": "function",
        "function": {"name": "f", "arguments": '{"x":1}'},
        "extra_content": {"google": {"thought_signature": "c2ln"}},
    }
    assert [chunk["choices"][0]["finish_reason"] for chunk in sent] == [None] * (len(sent) - 1) + ["tool_calls"]
    assert all(chunk["choices"][0]["logprobs"] is None for chunk in sent)


@pytest.mark.parametrize("include_usage", [False, True])
def test_every_chunk_has_the_same_envelope(include_usage: bool) -> None:
    """3.2, last line; row 9: usage null on every chunk but the last, and only if asked for"""
    sent = [chunk for chunk in chunks(FRAMES, include_usage=include_usage) if chunk != "[DONE]"]
    envelopes = {(c["id"], c["created"], c["model"], c["object"]) for c in sent}
    assert envelopes == {("chatcmpl-r1", 7, "asked", "chat.completion.chunk")}
    assert ["usage" in chunk for chunk in sent] == [include_usage] * len(sent)
    if include_usage:
        assert [chunk["usage"] is None for chunk in sent] == [True] * (len(sent) - 1) + [False]
        assert [chunk["choices"] == [] for chunk in sent] == [False] * (len(sent) - 1) + [True]
    else:
        assert all(len(chunk["choices"]) == 1 for chunk in sent)


def test_usage_that_nobody_reported_is_null() -> None:
    """3.2, row 9; 2.9: None, not 0"""
    sent = chunks([answer({"text": "a"})], include_usage=True)
    assert sent[-2]["choices"] == []
    assert sent[-2]["usage"] is None


def test_usage_is_told_once_however_often_it_came() -> None:
    """3.2, row 9"""
    frames = [answer({"text": "a"}, finish=None, usageMetadata=USAGE)] * 4 + [answer(usageMetadata=USAGE)]
    sent = chunks(frames, include_usage=True)
    assert [chunk["usage"] for chunk in sent[:-1] if chunk["usage"] is not None] == [sent[-2]["usage"]]


def test_hidden_thoughts_make_no_chunk_of_their_own() -> None:
    """3.2, row 2"""
    assert not any("reasoning_content" in one for one in deltas(chunks(FRAMES)))


def test_an_unsigned_empty_text_makes_no_chunk() -> None:
    """3.2, row 3: skip empty strings"""
    sent = chunks([answer({"text": ""}, finish=None), answer({"text": "a"}, finish=None), answer({"text": ""})])
    assert deltas(sent) == [{"content": "a"}]


def test_a_stream_says_what_the_whole_answer_would() -> None:
    """3.2, against 2.1 to 2.4: id, content, calls, finish, signatures"""
    parts = [part for frame in FRAMES for part in frame["candidates"][0]["content"]["parts"]]
    whole = completion(answer(*parts, usageMetadata=USAGE), thoughts=True)
    sent = chunks(FRAMES, thoughts=True, include_usage=True)
    said = deltas(sent)
    message = whole["choices"][0]["message"]
    assert "".join([one.get("content", "") for one in said]) == message["content"]
    entries = [{k: v for k, v in e.items() if k != "index"} for one in said for e in one.get("tool_calls", ())]
    assert entries == message["tool_calls"]
    assert said[-1]["extra_content"] == message["extra_content"]
    assert sent[-2]["usage"] == whole["usage"]
    assert finishes(sent) == [(0, whole["choices"][0]["finish_reason"])]


# -- 3.3 streamed arguments -------------------------------------------------------------------------------------------


def partial(*pieces: Json, **fields: Any) -> Json:
    body: Json = {"partialArgs": list(pieces)} if pieces else {}
    return {"functionCall": {**body, **fields}}


def put(path: str, value: Any, *, more: bool = False) -> Json:
    kind = {str: "stringValue", bool: "boolValue", type(None): "nullValue"}.get(type(value), "numberValue")
    return {"jsonPath": path, kind: value} | ({"willContinue": True} if more else {})


# (name of the row, parts of the frames before the last, [(name, arguments)])
ARGUMENTS: list[tuple[str, list[Json], list[tuple[str, Any]]]] = [
    (
        "name, pieces, terminal",
        [
            {**call("f", willContinue=True), "thoughtSignature": "c2ln"},
            partial(put("$.city", "Par", more=True), willContinue=True),
            partial(put("$.city", "is", more=True), willContinue=True),
            partial(put("$.city", ""), willContinue=True),
            partial(put("$.days", 5), willContinue=True),
            {"functionCall": {}},
        ],
        [("f", {"city": "Paris", "days": 5})],
    ),
    (
        "every kind of value",
        [partial(put("$.s", "x"), put("$.n", 1.5), put("$.b", True), put("$.z", None), name="f")],
        [("f", {"s": "x", "n": 1.5, "b": True, "z": None})],
    ),
    (
        "paths into objects and arrays",
        [
            partial(put("$.a.b[0].c", "x"), put("$.a.b[1].c", "y"), name="f", willContinue=True),
            partial(put("$.a.b[1].d", 2), put("$['odd name']", 3)),
        ],
        [("f", {"a": {"b": [{"c": "x"}, {"c": "y", "d": 2}]}, "odd name": 3})],
    ),
    ("no arguments at all", [call("f", willContinue=True), {"functionCall": {}}], [("f", {})]),
    ("just a name", [call("f")], [("f", {})]),
    (
        "the next name closes it",
        [
            call("f", willContinue=True),
            partial(put("$.a", 1), willContinue=True),
            call("g", willContinue=True),
            partial(put("$.b", 2), willContinue=True),
            {"functionCall": {}},
        ],
        [("f", {"a": 1}), ("g", {"b": 2})],
    ),
    (
        "the finish closes it",
        [call("f", willContinue=True), partial(put("$.a", 1), willContinue=True)],
        [("f", {"a": 1})],
    ),
    (
        "a closed string begins anew",
        [call("f", willContinue=True), partial(put("$.a", "x"), willContinue=True), partial(put("$.a", "y"))],
        [("f", {"a": "y"})],
    ),
]


@pytest.mark.parametrize("together", [False, True], ids=["one a frame", "in one frame"])
@pytest.mark.parametrize(("name", "parts", "expected"), ARGUMENTS, ids=[row[0] for row in ARGUMENTS])
def test_arguments_in_pieces_are_told_whole(
    name: str, parts: list[Json], expected: list[tuple[str, Any]], together: bool
) -> None:
    """3.3"""
    frames = [answer(*parts, finish=None)] if together else [answer(part, finish=None) for part in parts]
    frames.append(answer(finish="STOP"))
    grammatical(read(frames))
    response = told(frames)
    assert [(one.name, jsontext.decode(one.arguments)) for one in calls_of(response)] == expected
    assert (next(calls_of(response)).signature is not None) is ("thoughtSignature" in parts[0])
    assert finishes(chunks(frames)) == [(0, "tool_calls")]


def test_a_call_cut_in_the_middle_of_a_string_is_not_delivered() -> None:
    """3.3; 2.5, MAX_TOKENS: a truncated call is never delivered"""
    frames = [
        answer(call("f", willContinue=True), finish=None),
        answer(partial(put("$.a", "Par", more=True), willContinue=True), finish=None),
        answer(finish="MAX_TOKENS"),
    ]
    assert list(calls_of(told(frames))) == []
    assert finishes(chunks(frames)) == [(0, "length")]


@pytest.mark.parametrize("path", ["$.a[999999999]", "$.a[0]", "$.a.b"])
def test_a_path_that_makes_no_sense_is_a_failure_and_no_crash(path: str) -> None:
    """3.3: hostile paths"""
    first = put("$.a", "x") if path != "$.a[999999999]" else put("$.b", 1)
    events = read([answer(partial(first, put(path, 1), name="f"))])
    assert isinstance(events[-1], Failed)


# -- 3.4 hygiene ------------------------------------------------------------------------------------------------------


def test_a_keep_alive_is_a_comment_on_chat_and_nothing_on_gemini() -> None:
    """3.4"""
    assert CHAT.keep_alive == b": keep-alive\n\n"
    assert GEMINI.keep_alive is None
    assert SseDecoder().feed(CHAT.keep_alive) == []


def test_frames_end_as_each_dialect_ends_them() -> None:
    """3.1, 3.4: CRLF from Google, LF to Chat clients"""
    assert GEMINI.frame(Frame(b"{}")) == b"data: {}\r\n\r\n"
    assert CHAT.frame(Frame(b"{}")) == b"data: {}\n\n"


# -- 3.6 errors in the middle -----------------------------------------------------------------------------------------

ERROR: Json = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}

# (name of the row, frames, class of the failure, OpenAI's code)
FAILURES: list[tuple[str, list[Any], type[Exception], str]] = [
    ("nothing at all", [], UpstreamEmpty, "upstream_empty"),
    ("closed without a finish", [answer({"text": "a"}, finish=None)], UpstreamIncomplete, "upstream_incomplete"),
    ("closed after a call", [answer(call("f"), finish=None)], UpstreamIncomplete, "upstream_incomplete"),
    ("an error after text", [answer({"text": "a"}, finish=None), ERROR], UpstreamOverloaded, "overloaded"),
    ("an error first", [ERROR], UpstreamOverloaded, "overloaded"),
    ("an error in an array", [[ERROR]], UpstreamOverloaded, "overloaded"),
    ("no JSON", [answer({"text": "a"}, finish=None), "oops"], UpstreamBadGateway, "bad_gateway"),
    ("JSON of another kind", [answer({"text": "a"}, finish=None), 5], UpstreamBadGateway, "bad_gateway"),
    ("a frame of nonsense", [{"candidates": [5]}], UpstreamBadGateway, "bad_gateway"),
    ("one candidate of two unfinished", [
        {"candidates": [{"index": 1, "content": {"parts": [{"text": "a"}]}}]},
        {"candidates": [{"index": 0, "content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"}]},
    ], UpstreamIncomplete, "upstream_incomplete"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "frames", "kind", "code"), FAILURES, ids=[row[0] for row in FAILURES])
def test_a_broken_stream_is_an_error_and_never_a_made_up_stop(
    name: str, frames: list[Any], kind: type[Exception], code: str
) -> None:
    """3.6: an error object, no finish chunk, no [DONE]"""
    events = read(frames)
    assert isinstance(events[-1], Failed)
    assert type(events[-1].error) is kind
    assert not any(isinstance(event, Finished) for event in events)
    sent = written(events, include_usage=True)
    assert finishes(sent) == []
    assert set(sent[-1]) == {"error"}
    assert set(sent[-1]["error"]) == {"message", "type", "param", "code"}
    assert sent[-1]["error"]["code"] == code
    stream = answers().stream()
    translated = stream.feed(framed(frames)) + stream.close()
    assert jsontext.decode(translated[-1].data) == sent[-1]
    assert Frame(b"[DONE]") not in translated


def test_after_a_failure_nothing_comes() -> None:
    """3.6; the grammar of events"""
    reader = GEMINI.reader(reading())
    [frame, *rest] = framed([ERROR, answer({"text": "a"})])
    assert isinstance(reader.feed(frame)[-1], Failed)
    assert [event for one in rest for event in reader.feed(one)] == []
    assert reader.close() == []


PRETTY = """{
  "error": {
    "code": 503,
    "message": "The model is overloaded.",
    "status": "UNAVAILABLE"
  }
}
"""


@pytest.mark.parametrize("body", [PRETTY, f"[{PRETTY}]", PRETTY.replace("\n", "\r\n")], ids=["bare", "array", "crlf"])
@pytest.mark.parametrize("before", [[], [answer({"text": "a"}, finish=None)]], ids=["first", "after text"])
def test_an_error_that_is_no_event_is_understood(body: str, before: list[Json]) -> None:
    """3.1, errors (c): pretty-printed JSON though alt=sse was asked for"""
    data = b"".join([encode_crlf(frame) for frame in framed(before)]) + body.encode()
    whole = SseDecoder()
    frames = [*whole.feed(data), *whole.close()]
    assert byte_by_byte(data) == frames
    reader = GEMINI.reader(reading())
    events = [event for frame in frames for event in reader.feed(frame)] + reader.close()
    assert isinstance(events[-1], Failed)
    assert type(events[-1].error) is UpstreamOverloaded


# -- a Chat stream, read ----------------------------------------------------------------------------------------------


def chunk(delta: Json, finish: str | None = None, index: int = 0, **fields: Any) -> Json:
    return {"id": "x", "choices": [{"index": index, "delta": delta, "finish_reason": finish}], **fields}


def entry(index: int | None, **fields: Any) -> Json:
    return {"tool_calls": [fields if index is None else {"index": index, **fields}]}


# (name, chunks, arguments of the calls)
CHAT_CALLS: list[tuple[str, list[Json], list[tuple[str, str]]]] = [
    (
        "by index",
        [
            chunk(entry(0, id="a", function={"name": "f", "arguments": ""})),
            chunk(entry(0, function={"arguments": '{"x":'})),
            chunk(entry(1, id="b", function={"name": "g", "arguments": "{}"})),
            chunk(entry(0, function={"arguments": "1}"})),
        ],
        [("f", '{"x":1}'), ("g", "{}")],
    ),
    (
        "without an index, as Google's compatible endpoint sends them",
        [
            chunk(entry(None, id="", function={"name": "f", "arguments": "{}"})),
            chunk(entry(None, id="", function={"name": "g", "arguments": "{}"})),
        ],
        [("f", "{}"), ("g", "{}")],
    ),
]


@pytest.mark.parametrize(("name", "frames", "expected"), CHAT_CALLS, ids=[row[0] for row in CHAT_CALLS])
def test_the_calls_of_a_chat_stream_are_put_together(
    name: str, frames: list[Json], expected: list[tuple[str, str]]
) -> None:
    """3.2, row 4, read"""
    events = read([*frames, chunk({}, "tool_calls"), "[DONE]"], CHAT)
    grammatical(events)
    assert [(one.name, one.arguments) for one in calls_of(assemble(events))] == expected


def test_a_chat_stream_without_its_end_is_a_failure() -> None:
    """3.6"""
    for frames in ([chunk({"content": "a"})], []):
        assert isinstance(read(frames, CHAT)[-1], Failed)


def test_parts_are_told_as_they_come() -> None:
    """3.1: a delta is a delta, nothing is held back"""
    reader = GEMINI.reader(reading())
    first, second, last = framed([answer({"text": "a"}, finish=None), answer({"text": "b"}, finish=None), answer()])
    assert PartStarted(0, 0, Text("a")) in reader.feed(first)
    assert reader.feed(second) == [PartDelta(0, 0, "b")]
    reader.feed(last)
    assert isinstance(reader.close()[-1], Finished)
