"""Quirks of servers that claim to speak Chat Completions: each a function that changes what it should and nothing else."""

import copy
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.core.assembly import assemble
from portico.core.dialect import Reading
from portico.core.errors import UpstreamContentRefused, UpstreamRateLimited
from portico.core.parts import Reasoning, Text
from portico.dialects.openai_chat import DIALECT
from portico.providers.quirks import QUIRKS, in_answer, in_request, in_stream
from portico.wire.sse import Frame, SseDecoder

TEXTS = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example"}}
STRICT = {"type": "function", "function": {"name": "f", "strict": True}}
BARE = {"type": "function", "function": {"name": "f"}}
EMPTY = {"type": "object", "properties": {}}


def calling(call_id: str) -> dict[str, Any]:
    call = {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    return {"messages": [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": call_id}]}


@pytest.mark.parametrize(
    ("name", "body", "sent"),
    [
        ("joined_text", {"messages": [{"content": TEXTS}]}, {"messages": [{"content": "a\n\nb"}]}),
        ("joined_text", {"messages": [{"content": [*TEXTS, IMAGE]}]}, None),
        ("joined_text", {"messages": [{"content": "a"}, {"content": None}, 7]}, None),
        ("without_stream_options", {"stream": True, "stream_options": {}}, {"stream": True}),
        ("without_strict", {"tools": [STRICT, BARE]}, {"tools": [BARE, BARE]}),
        ("with_parameters", {"tools": [BARE]}, {"tools": [{**BARE, "function": {"name": "f", "parameters": EMPTY}}]}),
        ("with_parameters", {"tools": [{"type": "custom", "custom": {}}]}, None),
        ("nine_character_ids", calling("abcDEF123"), None),
        ("thinking_type", {"reasoning_effort": "low", "n": 1}, {"n": 1, "thinking": {"type": "enabled"}}),
        ("thinking_type", {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ("thinking_type", {"n": 1}, None),
        ("enable_thinking", {"reasoning_effort": "none"}, {"enable_thinking": False}),
        (
            "template_thinking",
            {"reasoning_effort": "high", "chat_template_kwargs": {"x": 1}},
            {"chat_template_kwargs": {"x": 1, "enable_thinking": True}},
        ),
    ],
)
def test_a_request_is_changed_as_the_server_wants_it(name: str, body: dict[str, Any], sent: Any) -> None:
    before = copy.deepcopy(body)
    assert in_request([QUIRKS[name]], body) == (body if sent is None else sent)
    assert body == before


def test_ids_of_nine_characters_pair_calls_with_results() -> None:
    sent = in_request([QUIRKS["nine_character_ids"]], calling("call_abc"))
    (call,) = sent["messages"][0]["tool_calls"]
    assert call["id"] == sent["messages"][1]["tool_call_id"]
    assert len(call["id"]) == 9
    assert call["id"].isalnum()


@pytest.mark.parametrize(
    "body", [{}, {"messages": 7, "tools": {}, "choices": None}, {"messages": [None], "choices": [7, {}]}]
)
def test_what_is_shaped_otherwise_stays(body: dict[str, Any]) -> None:
    for quirk in QUIRKS.values():
        assert in_request([quirk], body) == body
        assert in_answer([quirk], body) == body


def test_every_quirk_says_whose_it_is() -> None:
    for name, quirk in QUIRKS.items():
        assert quirk.name == name
        assert quirk.says.endswith(".")
        assert quirk.request or (quirk.answer and quirk.stream)


# -- thoughts between tags -------------------------------------------------------------------------------------------

TAGGED = [
    ("<think>\nHm</think>\n\nYes", "Hm", "Yes"),
    ("\n<think>Hm</think>Yes </think>", "Hm", "Yes </think>"),
    ("<think></think>Yes", "", "Yes"),
    ("<think>cut off </thi", "cut off </thi", ""),
    ("a <think>Hm</think>", "", "a <think>Hm</think>"),
    ("<thinking>", "", "<thinking>"),
    ("<th", "", "<th"),
    ("", "", ""),
    ("\n\nYes", "", "\n\nYes"),
]
TAGS = [QUIRKS["think_tags"]]


@pytest.mark.parametrize(("content", "thoughts", "text"), TAGGED)
def test_thoughts_between_tags_are_thoughts(content: str, thoughts: str, text: str) -> None:
    body = in_answer(TAGS, {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]})
    message = body["choices"][0]["message"]
    assert (message.get("reasoning_content", ""), message["content"]) == (thoughts, text)


def streamed(pieces: list[str]) -> tuple[str, str]:
    change = in_stream(TAGS)
    assert change is not None
    thoughts = text = ""
    chunks: list[Any] = [*[({"content": piece}, None) for piece in pieces], ({}, "stop")]
    for delta, finish in chunks:
        chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        told = json.loads(change(Frame(json.dumps(chunk).encode())).data)["choices"][0]["delta"]
        thoughts += told.get("reasoning_content") or ""
        text += told.get("content") or ""
    return thoughts, text


@given(case=st.sampled_from(TAGGED), cuts=st.lists(st.integers(0, 40), max_size=8))
def test_tags_are_found_however_a_stream_is_cut(case: tuple[str, str, str], cuts: list[int]) -> None:
    content, thoughts, text = case
    at = sorted({0, len(content), *[cut for cut in cuts if cut < len(content)]})
    pieces = [content[start:end] for start, end in pairwise(at)]
    assert streamed(pieces) == (thoughts, text)
    assert streamed(list(content)) == (thoughts, text)


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_a_stream_with_tags_is_read_byte_by_byte(size: int) -> None:
    pieces = ("<thi", "nk>Hm", "</think>\n", "\nYes")
    deltas: list[Any] = [*[({"content": piece}, None) for piece in pieces], ({}, "stop")]
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} for delta, finish in deltas]
    data = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    decoder, change, reader = SseDecoder(), in_stream(TAGS), DIALECT.reader(Reading(mint=lambda: "call_1"))
    assert change is not None
    frames = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    events = [event for frame in frames for event in reader.feed(change(frame))] + reader.close()
    assert assemble(events).candidates[0].parts == (Reasoning("Hm"), Text("Yes"))


def test_thoughts_that_are_parts_of_the_content_are_thoughts() -> None:
    quirk = [QUIRKS["thinking_parts"]]
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    body = in_answer(quirk, {"choices": [{"message": {"content": [thought, {"type": "text", "text": "Yes"}]}}]})
    (candidate,) = DIALECT.parse_response(body, Reading(mint=lambda: "call_1")).candidates
    assert candidate.parts == (Reasoning("Hm"), Text("Yes"))
    change = in_stream(quirk)
    assert change is not None
    told = json.loads(change(Frame(json.dumps({"choices": [{"delta": {"content": [thought]}}]}).encode())).data)
    assert told["choices"][0]["delta"] == {"content": None, "reasoning_content": "Hm"}
    assert change(Frame(b"[DONE]")) == Frame(b"[DONE]")


@pytest.mark.parametrize(("code", "kind"), [(1002, UpstreamRateLimited), (1026, UpstreamContentRefused)])
def test_an_answer_that_says_no_in_a_place_of_its_own_is_an_error(code: int, kind: type[Exception]) -> None:
    refused = in_answer(
        [QUIRKS["base_resp"]], {"choices": None, "base_resp": {"status_code": code, "status_msg": "No."}}
    )
    with pytest.raises(kind, match="No"):
        DIALECT.parse_response(refused, Reading(mint=lambda: "call_1"))
    fine = {"choices": [], "base_resp": {"status_code": 0}}
    assert in_answer([QUIRKS["base_resp"]], fine) == fine
    assert in_stream([QUIRKS["without_strict"]]) is None
