"""Answers of POST /v1/messages, read, written and watched (mapping.md 7.2, 7.4)."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from portico.core.dialect import Reading, Reply
from portico.core.envelope import wrapped
from portico.core.errors import UpstreamBadGateway, UpstreamError, UpstreamOverloaded
from portico.core.events import CandidateFinished, Finished, Started
from portico.core.parts import Media, Opaque, Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.core.usage import Usage
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.wire import jsontext

DIALECT = anthropic_messages.DIALECT
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
READING = Reading(mint=lambda: "call_minted")
REPLY = Reply(id="fresh", created=9, thoughts=True, seals=True)
GOOGLE = Signature("google", "AAA=")
WEB: dict[str, Any] = {
    "type": "web_search_result_location",
    "url": "https://example.com",
    "title": "Found",
    "encrypted_index": "E",
    "cited_text": "it",
}
PAGE: dict[str, Any] = {
    "type": "page_location",
    "cited_text": "x",
    "document_index": 0,
    "document_title": None,
    "start_page_number": 1,
    "end_page_number": 2,
}
BODY: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sealed"},
        {"type": "redacted_thinking", "data": "hidden"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "text", "text": "Look: "},
        {"type": "text", "text": "it is.", "citations": [WEB, PAGE]},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1.0}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 3},
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 2},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        "service_tier": "standard",
    },
}


def read(**change: Any) -> Response:
    return DIALECT.parse_response({**BODY, **change}, READING)


def told(*parts: Any, finish: Finish | None = None, reply: Reply = REPLY, **more: Any) -> dict[str, Any]:
    finish = finish or Finish(FinishReason.STOP, "stop")
    response = Response("r", "m", (Candidate(0, parts, finish),), Usage(input_uncached={"text": 3}), **more)
    body = DIALECT.render_response(response, reply).body
    Message.model_validate_json(jsontext.encode(body))
    result: dict[str, Any] = body
    return result


# -- reading


def test_blocks_are_parts_in_their_order() -> None:
    candidate = read().candidates[0]
    assert candidate.parts == (
        Reasoning("hm", Signature("anthropic", "sealed")),
        Reasoning("", Signature("anthropic", "hidden"), redacted=True),
        Opaque("anthropic_messages", BODY["content"][2]),
        Opaque("anthropic_messages", BODY["content"][3]),
        Text("Look: "),
        Text("it is."),
        ToolCall("toolu_1", "f", '{"a":1.0}'),
    )
    assert candidate.citations == (Citation(6, 12, "https://example.com", "Found"),)
    assert candidate.finish == Finish(FinishReason.TOOL_CALLS, "tool_use")


def test_counts_are_disjoint() -> None:
    response = read()
    assert response.usage == Usage(
        input_uncached={"text": 10},
        input_cache_read={"text": 5},
        input_cache_write={"text": 4},
        input_cache_write_1h={"text": 3},
        output_visible={"text": 7},
        output_reasoning={"text": 2},
    )
    assert response.uses == {"web_search": 2, "url_context": 1}
    assert response.service_tier == "default"
    assert response.raw_usage == BODY["usage"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("refusal", FinishReason.CONTENT_FILTER),
        ("pause_turn", FinishReason.OTHER),
        ("something_new", FinishReason.OTHER),
    ],
)
def test_an_ending_is_read_and_told_again(raw: str, reason: FinishReason) -> None:
    response = read(stop_reason=raw)
    assert response.candidates[0].finish == Finish(reason, raw)
    again = DIALECT.render_response(response, REPLY)
    assert again.body["stop_reason"] == (raw if raw != "something_new" else "end_turn")
    assert ("2.5:finish" in {loss.code for loss in again.losses}) == (raw == "something_new")


@pytest.mark.parametrize("use", ["web_search", "url_context"])
def test_uses_of_one_tool_are_told_with_none_of_the_other(use: str) -> None:
    """Anthropic's type leaves neither count out."""
    counts = told(Text("x"), uses={use: 2})["usage"]["server_tool_use"]
    assert sorted(counts.values()) == [0, 2]


def test_why_it_was_refused_is_kept() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    response = read(stop_reason="refusal", stop_details=details)
    assert response.candidates[0].finish == Finish(FinishReason.CONTENT_FILTER, "refusal", "No.")
    assert DIALECT.render_response(response, REPLY).body["stop_details"] == details


def test_what_another_vendor_says_of_an_ending_is_told_beside_it() -> None:
    """`stop_details` are of refusals alone: Google says of every call that the model made one."""
    calls = Finish(FinishReason.TOOL_CALLS, "STOP", "Model generated function call(s).")
    body = told(ToolCall("call_1", "f", "{}"), finish=calls)
    assert "stop_details" not in body
    assert body["finish_message"] == calls.message
    assert DIALECT.parse_response(body, READING).candidates[0].finish == Finish(
        FinishReason.TOOL_CALLS, "tool_use", calls.message
    )
    writer, reader = DIALECT.writer(REPLY), DIALECT.reader(READING)
    for event in (Started("r", "m"), CandidateFinished(0, calls), Finished()):
        for frame in writer.feed(event):
            EVENT.validate_json(frame.data)
            events = reader.feed(frame)
    assert [event for event in events if isinstance(event, CandidateFinished)] == [
        CandidateFinished(0, Finish(FinishReason.TOOL_CALLS, "tool_use", calls.message))
    ]
    withheld = told(Text("I"), finish=Finish(FinishReason.CONTENT_FILTER, "SAFETY", "Not that."))
    assert withheld["stop_details"] == {"type": "refusal", "explanation": "Not that."}


def test_an_answer_is_told_again_as_it_was() -> None:
    again = DIALECT.render_response(read(), REPLY)
    assert again.losses == []
    assert again.body["content"][:5] == BODY["content"][:5]
    assert again.body["content"][6:] == BODY["content"][6:]
    assert [one["type"] for one in again.body["content"][5]["citations"]] == [WEB["type"], PAGE["type"]]
    assert again.body["usage"] == BODY["usage"]
    Message.model_validate_json(jsontext.encode(again.body))


def test_calls_have_the_callers_names_and_custom_tools_their_text() -> None:
    reading = Reading(mint=lambda: "", tool_names={"a_b": "a.b"}, custom=frozenset({"a.b"}))
    block = {"type": "tool_use", "id": "t", "name": "a_b", "input": {"input": "free"}}
    response = DIALECT.parse_response({**BODY, "content": [block]}, reading)
    assert response.candidates[0].parts == (ToolCall("t", "a.b", "free", "custom"),)


@pytest.mark.parametrize(
    "body", [None, 5, [], {}, {"content": None}, {"content": [5]}, {"content": [{"type": "text"}]}]
)
def test_what_is_no_message_is_the_providers_fault(body: Any) -> None:
    with pytest.raises(UpstreamBadGateway):
        DIALECT.parse_response(body, READING)


STRANGE: tuple[Any, ...] = (None, True, 0, -1, 1.5, 2**70, "", "é", [], [[]], [None], {}, {"a": None}, {"text": 5})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def test_strange_values_of_an_answer_never_fail_otherwise() -> None:
    dialects = (DIALECT, gemini.DIALECT, openai_chat.DIALECT, openai_responses.DIALECT)
    for path in places(BODY):
        for strange in STRANGE:
            bent: Any = copy.deepcopy(BODY)
            inner = bent
            for key in path[:-1]:
                inner = inner[key]
            if path:
                inner[path[-1]] = strange
            else:
                bent = strange
            try:
                response = DIALECT.parse_response(bent, READING)
                for dialect in dialects:
                    jsontext.encode(dialect.render_response(response, REPLY).body)
                assert DIALECT.passing is not None
                DIALECT.passing.response(jsontext.encode(bent))
            except UpstreamError:
                pass
            except Exception as error:
                raise AssertionError(f"{path} = {strange!r}") from error


# -- writing


def test_an_answer_of_another_vendor_is_a_message() -> None:
    body = told(
        Reasoning("hm"),
        Text("Look."),
        ToolCall("call_1", "f", '{"x": 1}', signature=GOOGLE),
        ToolCall("call_2", "g", "free", "custom"),
        finish=Finish(FinishReason.TOOL_CALLS, "STOP"),
    )
    assert body["id"] == "r"
    assert body["stop_reason"] == "tool_use"
    assert body["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "Look."},
        {"type": "redacted_thinking", "data": wrapped(GOOGLE, "call_1")},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "call_2", "name": "g", "input": {"input": "free"}},
    ]


def test_who_asked_for_no_thoughts_is_told_none() -> None:
    body = told(
        Reasoning("hm", Signature("anthropic", "sealed")),
        ToolCall("c", "f", "{}", signature=GOOGLE),
        reply=Reply(id="fresh", created=9),
    )
    assert [block["type"] for block in body["content"]] == ["tool_use"]


def test_hidden_thoughts_keep_their_seal() -> None:
    body = told(Reasoning("hm", Signature("anthropic", "sealed")), reply=Reply(id="fresh", created=9, seals=True))
    assert body["content"] == [{"type": "thinking", "thinking": "", "signature": "sealed"}]


def test_text_is_cut_where_a_piece_of_it_has_a_source() -> None:
    cited = (Citation(4, 6, "https://example.com", "Found"),)
    candidate = Candidate(0, (Text("And it is."),), Finish(FinishReason.STOP, "STOP"), None, cited)
    body = DIALECT.render_response(Response("r", "m", (candidate,), Usage()), REPLY).body
    assert [block["text"] for block in body["content"]] == ["And ", "it", " is."]
    (source,) = body["content"][1]["citations"]
    assert (source["url"], source["cited_text"]) == ("https://example.com", "it")


def test_a_picture_is_a_block() -> None:
    response = Response("r", "m", (Candidate(0, (Media("image/png", "iVBO"),), None),), Usage())
    (block,) = DIALECT.render_response(response, REPLY).body["content"]
    assert block == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}


# -- passing


def test_only_the_model_is_changed_in_a_body_that_passes() -> None:
    passing = DIALECT.passing
    assert passing is not None
    body = b'{ "messages":[{"role":"user","content":"\\u0041 1.0"}],\t"model" : "mine" , "max_tokens":1e2}'
    assert passing.renamed(body, "claude-x") == body.replace(b'"mine"', b'"claude-x"')
    assert passing.renamed(body, "mine") == body


def test_what_an_answer_says_of_itself_is_seen() -> None:
    passing = DIALECT.passing
    assert passing is not None
    seen = passing.response(json.dumps(BODY).encode())
    assert (seen.model, seen.usage, seen.uses) == (BODY["model"], read().usage, {"web_search": 2, "url_context": 1})
    assert not seen.empty
    assert passing.response(json.dumps({**BODY, "content": [], "stop_reason": "end_turn"}).encode()).empty
    assert not passing.response(json.dumps({**BODY, "content": [], "stop_reason": "refusal"}).encode()).empty
    with pytest.raises(UpstreamOverloaded):
        passing.response(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')


def test_a_body_with_an_envelope_of_ours_does_not_pass() -> None:
    passing = DIALECT.passing
    assert passing is not None
    assert passing.may_pass(json.dumps(BODY).encode())
    assert not passing.may_pass(json.dumps({"data": wrapped(GOOGLE)}).encode())
