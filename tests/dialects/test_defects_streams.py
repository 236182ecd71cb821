"""mapping.md 8, in streams: frames of Google's that a peer tells wrongly, as the chunks that Portico makes of them."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dialects.defects import case, folded
from dialects.dialect_rows import Json, answer, chunks, deltas, finishes

SIG = "c2lnbmF0dXJl"
TEXT: Json = {"text": "4"}
THOUGHT: Json = {"text": "Let me see.", "thought": True}
FIRST: Json = {"functionCall": {"name": "first", "args": {"a": 1}}}
SECOND: Json = {"functionCall": {"name": "second", "args": {"b": "2"}}}
USAGE: Json = {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 4, "totalTokenCount": 9}


def frame(*parts: Json, **fields: Any) -> Json:
    return answer(*parts, finish=None, **fields)


END = answer({"text": ""})
SIGNED_END = answer({"text": "", "thoughtSignature": SIG})


# What a client looks at in the chunks of a stream.


def kinds(sent: Sequence[Any]) -> list[str]:
    """What each delta tells, in order."""
    return [key for delta in deltas(sent) for key in delta]


def calls(sent: Sequence[Any]) -> list[tuple[int, str, Any]]:
    """(index, name, arguments) of every call."""
    told = [entry for delta in deltas(sent) for entry in delta.get("tool_calls", ())]
    return [(one["index"], one["function"]["name"], json.loads(one["function"]["arguments"])) for one in told]


def said(sent: Sequence[Any]) -> tuple[str, str]:
    """(thoughts, content)"""
    message = folded(sent)["choices"][0]["message"]
    return message.get("reasoning_content", ""), message["content"] or ""


def signatures(sent: Sequence[Any]) -> list[str]:
    """Every signature that is told, on a call or on the message."""
    places = [place for delta in deltas(sent) for place in (delta, *delta.get("tool_calls", ()))]
    return [place["extra_content"]["google"]["thought_signature"] for place in places if "extra_content" in place]


def counted(sent: Sequence[Any]) -> list[int]:
    """The total of every chunk that tells usage."""
    return [chunk["usage"]["total_tokens"] for chunk in sent if chunk != "[DONE]" and chunk["usage"]]


BOTH = [(0, "first", {"a": 1}), (1, "second", {"b": "2"})]

# (frames, what is looked at, what is seen)
STREAMS = [
    case(
        "Portkey",
        "the first part of a frame decides what the frame is",
        [frame(THOUGHT, TEXT, FIRST), END],
        kinds,
        ["reasoning_content", "content", "tool_calls"],
    ),
    case(
        "new-api",
        "thought and text of one frame are one",
        [frame(THOUGHT, TEXT), END],
        said,
        ("Let me see.", "4"),
    ),
    case(
        "new-api",
        "thoughts are told as content",
        [frame(THOUGHT), frame(TEXT), END],
        said,
        ("Let me see.", "4"),
    ),
    case(
        "new-api",
        "a frame of a line feed is lost",
        [frame({"text": "a"}), frame({"text": "\n"}), frame({"text": "b"}), END],
        said,
        ("", "a\nb"),
    ),
    case(
        "new-api",
        "the last thought replaces those before it",
        [frame(THOUGHT), frame({"text": " So.", "thought": True}), frame(TEXT), END],
        said,
        ("Let me see. So.", "4"),
    ),
    case("Portkey", "indices of calls start again in every frame", [frame(FIRST), frame(SECOND), END], calls, BOTH),
    case("new-api", "indices of calls start again in every frame", [frame(FIRST), frame(TEXT, SECOND), END], calls, BOTH),
    case("Envoy", "the index of a call is its place in the frame", [frame(THOUGHT, TEXT, FIRST, SECOND), END], calls, BOTH),
    case("Google", "calls may come without an index", [frame(FIRST, SECOND), END], calls, BOTH),
    case(
        "Envoy",
        "calls and text change their order",
        [frame(FIRST), frame(TEXT), frame(SECOND), END],
        kinds,
        ["tool_calls", "content", "tool_calls"],
    ),
    case("Portkey", "a stream with calls ends with stop", [frame(FIRST), END], finishes, [(0, "tool_calls")]),
    case(
        "Portkey",
        "usage is told in every chunk",
        [frame(TEXT, usageMetadata=USAGE), frame(TEXT, usageMetadata=USAGE), answer(usageMetadata=USAGE)],
        counted,
        [9],
    ),
    case("Envoy", "the signature on the empty text at the end is lost", [frame(TEXT), SIGNED_END], signatures, [SIG]),
    case(
        "Vercel",
        "the signature on the empty text at the end is lost where no text is open: after a call",
        [frame({**FIRST, "thoughtSignature": "b3RoZXI="}), SIGNED_END],
        signatures,
        ["b3RoZXI=", SIG],
    ),
    case(
        "Vercel",
        "the signature on the empty text at the end is lost where no text is open: after thoughts",
        [frame(THOUGHT), SIGNED_END],
        signatures,
        [SIG],
    ),
    case(
        "new-api",
        "the real signature of a call is not told in streams",
        [frame({**FIRST, "thoughtSignature": SIG}, SECOND), END],
        signatures,
        [SIG],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("frames", "look", "expected"), STREAMS)
def test_a_stream_tells_what_google_told(frames: list[Json], look: Callable[[Any], Any], expected: Any) -> None:
    assert look(chunks(frames, thoughts=True, include_usage=True)) == expected


IDS = [
    case("Google", "ids of streamed calls are empty", [frame(FIRST), frame(SECOND), END]),
    case(
        "LiteLLM",
        "ids of streamed calls hold the signature",
        [frame({**FIRST, "thoughtSignature": SIG * 300}, SECOND), END],
    ),
]


@pytest.mark.parametrize("frames", IDS)
def test_ids_of_streamed_calls_are_short_and_differ(frames: list[Json]) -> None:
    ids = [entry["id"] for delta in deltas(chunks(frames)) for entry in delta.get("tool_calls", ())]
    assert len(set(ids)) == 2
    assert {len(id_) for id_ in ids} == {29}
