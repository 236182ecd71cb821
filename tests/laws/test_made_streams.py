"""Streams that nobody recorded: frames lost, told twice or in another order, and events of odd values, oddly spelt. The
straight way says of them what the careful way says, however they end, and nothing breaks."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laws.corpus import DIALECTS, Exchange, exchanges, files
from laws.test_shortcuts import STRANGE, places
from laws.test_straight import ENDS, both_ways, passing_both_ways
from portico.wire.jsontext import BOM
from portico.wire.sse import Frame

LONGEST = 60
MADE = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
INTO = st.sampled_from(sorted(DIALECTS))
END = st.sampled_from(ENDS)


def recorded() -> list[Exchange]:
    """The streams that are not too long to be told some hundred times."""
    found = [one for path in files() for one in exchanges(path) if one.status == 200 and one.frames is not None]
    return [one for one in found if 2 < len(one.frames or ()) < LONGEST]


RECORDED = recorded()


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, list[Frame]]:
    """A recorded stream with frames lost, told twice, or in each other's place."""
    exchange = draw(st.sampled_from(RECORDED))
    frames = list(exchange.frames or ())
    for _ in range(draw(st.integers(1, 3))):
        at, other = draw(st.integers(0, len(frames) - 1)), draw(st.integers(0, len(frames) - 1))
        match draw(st.sampled_from(["lost", "twice", "swapped", "without its beginning"])):
            case "lost":
                del frames[at]
            case "twice":
                frames.insert(at, frames[other])
            case "swapped":
                frames[at], frames[other] = frames[other], frames[at]
            case _:
                del frames[:at]
        if len(frames) < 2:
            break
    return exchange.dialect.name, frames


@pytest.mark.skipif(not RECORDED, reason="no recordings")
@settings(MADE, max_examples=300)
@given(stream=damaged(), to=INTO, end=END, thoughts=st.booleans())
def test_a_damaged_stream_is_told_the_same_both_ways(
    stream: tuple[str, list[Frame]], to: str, end: str, thoughts: bool
) -> None:
    name, frames = stream
    source = DIALECTS[name]
    pieces = [source.frame(frame) for frame in frames]
    both_ways(source, DIALECTS[to], pieces, thoughts=thoughts, end=end)
    passing_both_ways(source, pieces, end=end)


# -- events made up ----------------------------------------------------------------------------------------------------

TEXTS = st.sampled_from(["a", "", "\n", "\U0001f600", "\u2028", "é", "\0", "\\ud83d", '"', "\x7f", "```json", "<b>"])
COUNTS = st.sampled_from(
    [
        {},
        {"trafficType": "T"},
        *({"promptTokenCount": 3, "candidatesTokenCount": n, "totalTokenCount": 3 + n} for n in range(3)),
    ]
)
PARTS: st.SearchStrategy[Any] = st.one_of(
    *[st.builds(lambda text: {"text": text}, TEXTS)] * 6,
    st.builds(lambda text: {"text": text, "thought": True}, TEXTS),
    st.builds(lambda text: {"text": text, "thoughtSignature": "c2ln"}, TEXTS),
    st.sampled_from(
        [
            {"functionCall": {"name": "f", "args": {"x": 1.0}}},
            {"functionCall": {"name": "f", "willContinue": True}},
            {"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x"}], "willContinue": True}},
            {"functionCall": {}},
            {"executableCode": {"code": "1", "language": "PYTHON"}},
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        ]
    ),
)
CITED = {
    "webSearchQueries": ["q"],
    "groundingChunks": [{"web": {"uri": "http://a", "title": "t"}}],
    "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 1}, "groundingChunkIndices": [0]}],
}


@st.composite
def of_gemini(draw: st.DrawFn) -> Any:
    more: Any
    parts = draw(st.one_of(*[st.lists(PARTS, min_size=1, max_size=1)] * 6, st.lists(PARTS, max_size=3)))
    wire = {"content": {"parts": parts, "role": "model"}, "index": draw(st.sampled_from([0, 0, 0, 0, 1]))}
    wire |= draw(
        st.sampled_from([{}] * 8 + [{"finishReason": "STOP"}, {"finishReason": ""}, {"groundingMetadata": CITED}])
    )
    more = draw(st.sampled_from([{"modelVersion": "m", "responseId": "r"}] * 4 + [{}, {"responseId": "s"}]))
    return {"candidates": [wire], "usageMetadata": draw(COUNTS), **more}


CALL = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
DELTAS: st.SearchStrategy[Any] = st.one_of(
    *[st.builds(lambda text: {"content": text}, TEXTS)] * 6,
    st.builds(lambda text: {"role": "assistant", "content": text, "refusal": None, "tool_calls": None}, TEXTS),
    st.builds(lambda text: {"reasoning_content": text}, TEXTS),
    st.builds(lambda text: {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}, TEXTS),
    st.sampled_from([{"tool_calls": [CALL]}, {"tool_calls": [{**CALL, "index": 1, "id": "b"}]}, {"refusal": "no"}, {}]),
)


@st.composite
def of_chat(draw: st.DrawFn) -> Any:
    more: Any
    ended = draw(st.sampled_from([None] * 8 + ["stop", "", "length"]))
    choice = {"index": draw(st.sampled_from([0, 0, 0, 0, 1])), "delta": draw(DELTAS), "finish_reason": ended}
    counts = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    more = draw(st.sampled_from([{}] * 6 + [{"usage": None}, {"usage": counts}, {"service_tier": "flex"}, {"new": 1}]))
    return {"id": "c", "model": "m", "choices": [choice], **more}


MESSAGE = {"type": "message_start", "message": {"id": "i", "model": "m", "usage": {"input_tokens": 1}}}
OPENINGS: list[Any] = [
    {"type": "text", "text": ""},
    {"type": "text", "text": "x"},
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
    {"type": "redacted_thinking", "data": "x"},
]
CITATION = {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c", "encrypted_index": "e"}
MORE: st.SearchStrategy[Any] = st.one_of(
    *[st.builds(lambda text: {"type": "text_delta", "text": text}, TEXTS)] * 4,
    st.builds(lambda text: {"type": "thinking_delta", "thinking": text}, TEXTS),
    st.builds(
        lambda text: {"type": "input_json_delta", "partial_json": text}, st.sampled_from(['{"a":', "1}", "", "{}"])
    ),
    st.sampled_from(
        [{"type": "signature_delta", "signature": "c2ln"}, {"type": "citations_delta", "citation": CITATION}]
    ),
)


@st.composite
def of_claude(draw: st.DrawFn) -> Any:
    index = draw(st.sampled_from([0, 0, 0, 1]))
    counts = {"output_tokens": draw(st.integers(0, 9))}
    opening, more = {"type": "content_block_start"}, {"type": "content_block_delta"}
    return draw(
        st.one_of(
            *[st.builds(lambda delta: {**more, "index": index, "delta": delta}, MORE)] * 5,
            st.builds(lambda block: {**opening, "index": index, "content_block": block}, st.sampled_from(OPENINGS)),
            st.sampled_from(
                [
                    {"type": "content_block_stop", "index": index},
                    {"type": "ping"},
                    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": counts},
                    {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
                    MESSAGE,
                ]
            ),
        )
    )


EVENTS = {"gemini": of_gemini(), "openai_chat": of_chat(), "anthropic_messages": of_claude()}
FIRST: dict[str, list[Any]] = {
    "gemini": [{"candidates": [{"content": {"parts": [{"text": "one"}]}}], "modelVersion": "m", "responseId": "r"}],
    "openai_chat": [{"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one"}}]}],
    "anthropic_messages": [MESSAGE, {"type": "content_block_start", "index": 0, "content_block": OPENINGS[0]}],
}
LAST: dict[str, list[Any]] = {
    "gemini": [{"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP", "index": 0}]}],
    "openai_chat": [{"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}],
    "anthropic_messages": [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ],
}
NAMES = st.sampled_from(
    [
        *(
            "new",
            "text",
            "thought",
            "index",
            "finishReason",
            "finish_reason",
            "usage",
            "usageMetadata",
            "error",
            "content",
        ),
        *("delta", "x_groq", "service_tier", "extra_content", "reasoning", "tool_calls", "annotations", "logprobs"),
        *("type", "message", "signature", "promptFeedback", "citationMetadata", "object", "detail", "parts"),
    ]
)


@st.composite
def bent(draw: st.DrawFn, events: st.SearchStrategy[Any]) -> Any:
    """An event; in one of four a value replaced, a member left out, or one added."""
    event = copy.deepcopy(draw(events))
    if draw(st.integers(0, 3)):
        return event
    place, holder = draw(st.sampled_from(places(event))), event
    for key in place[:-1]:
        holder = holder[key]
    match draw(st.sampled_from(["another", "none", "more"])):
        case "none":
            del holder[place[-1]]
        case "more" if isinstance(holder, dict):
            holder[draw(NAMES)] = copy.deepcopy(draw(STRANGE))
        case _:
            holder[place[-1]] = copy.deepcopy(draw(STRANGE))
    return event


@st.composite
def spelling(draw: st.DrawFn, name: str, event: Any) -> bytes:
    """An event as a provider may send it: in any order, with spaces, escapes, a member told twice, a name or none."""
    order = list(event.items())
    if not draw(st.integers(0, 5)):
        order.reverse()
    separators = (", ", ": ") if not draw(st.integers(0, 5)) else (",", ":")
    data = json.dumps(dict(order), ensure_ascii=draw(st.booleans()), separators=separators).encode()
    if order and not draw(st.integers(0, 9)):
        twice = json.dumps({draw(st.sampled_from(order))[0]: draw(STRANGE)}).encode()
        data = twice[:-1] + b"," + data[1:]
    if not draw(st.integers(0, 19)):
        data = draw(st.sampled_from([BOM + data, data + b" ", data[:-1], data.replace(b"a", b"\xff", 1)]))
    if name == "anthropic_messages" and draw(st.integers(0, 9)):
        return b"event: %b\ndata: %b\n\n" % (str(event.get("type")).encode("utf-8", "replace"), data)
    return DIALECTS[name].frame(Frame(data))


@st.composite
def made(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A stream of a dialect, as the pieces it comes in; one in six is cut anywhere."""
    name = draw(st.sampled_from(sorted(EVENTS)))
    first = FIRST[name] if draw(st.integers(0, 9)) else FIRST[name][1:]
    events = [*first, *draw(st.lists(bent(EVENTS[name]), min_size=1, max_size=20)), *LAST[name]]
    pieces = [draw(spelling(name, event)) for event in events]
    if draw(st.integers(0, 5)):
        return name, pieces
    whole, size = b"".join(pieces), draw(st.sampled_from([1, 7, 64, 300, len(pieces[0])]))
    return name, [whole[at : at + size] for at in range(0, len(whole), size)]


@settings(MADE, max_examples=800)
@given(stream=made(), to=INTO, end=END, thoughts=st.booleans())
def test_a_made_up_stream_is_told_the_same_both_ways(
    stream: tuple[str, list[bytes]], to: str, end: str, thoughts: bool
) -> None:
    name, pieces = stream
    both_ways(DIALECTS[name], DIALECTS[to], pieces, thoughts=thoughts, end=end)
    passing_both_ways(DIALECTS[name], pieces, end=end)
