"""Whole answers of Anthropic's, as they come and as anybody might send them (mapping.md 7.2)."""

import json
from typing import Any

import pytest

from dialects.dialect_rows import Json, reading, reply
from portico.core.errors import UpstreamBadGateway
from portico.core.parts import Media, ToolCall
from portico.core.response import Candidate, FinishReason, Response
from portico.core.usage import Usage, total
from portico.dialects.anthropic_messages import DIALECT
from portico.dialects.anthropic_messages.usage import parse_usage, tier_of, uses_of


def message(*content: Any, **fields: Any) -> Json:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": list(content), **fields}


@pytest.mark.parametrize(
    "content", [[5], [None], [{"type": "text"}], [{"type": "text", "text": []}], [{"type": "tool_use", "id": 1}], [{}]]
)
def test_content_that_is_none_is_the_providers_fault(content: list[Any]) -> None:
    with pytest.raises(UpstreamBadGateway):
        DIALECT.parse_response(message(*content), reading())


@pytest.mark.parametrize(
    "usage", [5, [], {"input_tokens": "x"}, {"input_tokens": 1, "service_tier": []}, {"server_tool_use": [1]}]
)
def test_odd_usage_does_not_cost_the_answer(usage: Any) -> None:
    answer = DIALECT.parse_response(message({"type": "text", "text": "hi"}, usage=usage, stop_reason=[]), reading())
    assert answer.service_tier is None


@pytest.mark.parametrize(
    ("mime", "kind"), [("audio/wav", "document"), ("video/mp4", "document"), ("image/png", "image"), (None, "image")]
)
def test_what_is_no_picture_is_told_as_a_document_of_its_type(mime: str | None, kind: str) -> None:
    """Claude's dialect has no block for sound; an image of type audio/wav breaks whoever shows pictures."""
    said = Response("m", "c", (Candidate(0, (Media(mime, data="UklGRg=="),), None),), Usage())
    (block,) = DIALECT.render_response(said, reply()).body["content"]
    assert block["type"] == kind
    assert block["source"] == {"type": "base64", "media_type": mime or "image/png", "data": "UklGRg=="}
    (part,) = DIALECT.parse_response(message(block), reading()).candidates[0].parts
    assert isinstance(part, Media)
    assert (part.mime, part.data) == (mime or "image/png", "UklGRg==")


@pytest.mark.parametrize("given", [{"arguments": "ls -la"}, {"arguments": [1]}, {"_raw": "x"}, {}], ids=str)
def test_what_a_tool_is_given_reaches_chats_callers_as_it_is(given: Json) -> None:
    """Also a tool whose one parameter is called `arguments`."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "run", "input": given}
    (call,) = DIALECT.parse_response(message(use), reading()).candidates[0].parts
    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == given


STOPS = [
    ("end_turn", FinishReason.STOP),
    ("stop_sequence", FinishReason.STOP),
    ("pause_turn", FinishReason.OTHER),
    ("max_tokens", FinishReason.LENGTH),
    ("model_context_window_exceeded", FinishReason.LENGTH),
    ("tool_use", FinishReason.TOOL_CALLS),
    ("refusal", FinishReason.CONTENT_FILTER),
    ("something_new", FinishReason.OTHER),
]


@pytest.mark.parametrize(("word", "reason"), STOPS)
def test_each_ending_keeps_anthropics_word(word: str, reason: FinishReason) -> None:
    finish = DIALECT.parse_response(message(stop_reason=word), reading()).candidates[0].finish
    assert finish is not None
    assert (finish.reason, finish.raw) == (reason, word)


def test_writes_to_the_cache_are_told_apart_by_how_long_they_last() -> None:
    usage = parse_usage(
        {
            "input_tokens": 3,
            "output_tokens": 9,
            "cache_creation_input_tokens": 10,
            "cache_read_input_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 6},
            "output_tokens_details": {"thinking_tokens": 2},
        }
    )
    assert usage is not None
    assert [total(bucket) for bucket in (usage.input_cache_write, usage.input_cache_write_1h)] == [4, 6]
    assert [total(bucket) for bucket in (usage.input_uncached, usage.input_cache_read)] == [3, 7]
    assert [total(bucket) for bucket in (usage.output_visible, usage.output_reasoning)] == [7, 2]


def iteration(kind: str, **counts: Any) -> Json:
    return {"type": kind, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, **counts}


COMPACTED: Json = {
    "input_tokens": 229,
    "output_tokens": 5,
    "cache_creation_input_tokens": 0,
    "iterations": [
        iteration(
            "compaction",
            input_tokens=100,
            output_tokens=131,
            cache_read_input_tokens=20,
            cache_creation_input_tokens=55096,
            cache_creation={"ephemeral_5m_input_tokens": 55000, "ephemeral_1h_input_tokens": 96},
        ),
        iteration("message", input_tokens=229, output_tokens=5),
    ],
}
"""As it is recorded: what it took to sum the conversation up is in no count at the top."""


def test_what_compacted_a_conversation_is_used_too() -> None:
    usage = parse_usage(COMPACTED)
    assert usage is not None
    assert [total(bucket) for bucket in (usage.input_uncached, usage.input_cache_read)] == [329, 20]
    assert [total(bucket) for bucket in (usage.input_cache_write, usage.input_cache_write_1h)] == [55000, 96]
    assert [total(bucket) for bucket in (usage.output_visible, usage.output_reasoning)] == [136, 0]


def test_an_advisor_is_asked_at_its_own_price() -> None:
    advised = iteration("advisor_message", model="claude-opus-5-5", input_tokens=2518, output_tokens=22)
    told = {"input_tokens": 3, "output_tokens": 9, "iterations": [iteration("message"), advised, advised]}
    usage = parse_usage(told)
    assert usage is not None
    assert (usage.input_total, usage.output_total) == (3, 9)
    assert uses_of(told) == {"advisor": 2}


@pytest.mark.parametrize("senseless", [5, {}, [5, None, {}, {"type": "compaction", "input_tokens": "many"}]])
def test_passes_that_are_told_senselessly_count_nothing(senseless: Any) -> None:
    told = {"input_tokens": 3, "output_tokens": 9, "iterations": senseless}
    usage = parse_usage(told)
    assert usage is not None
    assert (usage.input_total, usage.output_total, uses_of(told)) == (3, 9, {})


def test_a_fast_answer_and_tools_that_were_used_are_counted() -> None:
    assert tier_of({"service_tier": "standard", "speed": "fast"}) == "fast"
    assert uses_of({"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1}}) == {
        "web_search": 2,
        "url_context": 1,
    }
