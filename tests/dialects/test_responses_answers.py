"""Answers of POST /v1/responses, written and read (mapping.md 7.2, 7.4; clients.md 10)."""

from typing import Any

import pytest
from openai.types.responses import Response as OpenAIResponse

from portico.core.dialect import Reading, Reply
from portico.core.envelope import unwrapped, wrapped
from portico.core.errors import UpstreamBadGateway, UpstreamError, UpstreamRateLimited
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.core.usage import Usage
from portico.dialects import openai_responses
from portico.relay.prepare import reply_for
from portico.wire import jsontext

DIALECT = openai_responses.DIALECT
REQUIRED = {
    *("id", "object", "created_at", "completed_at", "status", "incomplete_details", "model", "previous_response_id"),
    *("instructions", "output", "error", "tools", "tool_choice", "truncation", "parallel_tool_calls", "text", "top_p"),
    *(
        "presence_penalty",
        "frequency_penalty",
        "top_logprobs",
        "temperature",
        "reasoning",
        "usage",
        "max_output_tokens",
    ),
    *("max_tool_calls", "store", "background", "service_tier", "metadata", "safety_identifier", "prompt_cache_key"),
}
GOOGLE = Signature("google", "AAA=")
STOP = Finish(FinishReason.STOP, "STOP")


def reading(**more: Any) -> Reading:
    return Reading(mint=lambda: "call_minted", **more)


def answer(*parts: Part, finish: Finish | None = STOP, **more: Any) -> Response:
    candidate = Candidate(0, parts, finish, **more)
    return Response("r1", "gemini-x", (candidate,), Usage(input_uncached={"text": 3}, output_visible={"text": 2}), 7)


def told(response: Response, **reply: Any) -> dict[str, Any]:
    body = DIALECT.render_response(response, Reply(**{"id": "fresh", "created": 9, "thoughts": True, **reply})).body
    OpenAIResponse.model_validate_json(jsontext.encode(body))
    return dict(body)


def test_there_are_31_fields_whatever_was_asked() -> None:
    body = told(answer(Text("Hello")))
    assert len(REQUIRED) == 31
    assert body.keys() >= REQUIRED
    assert body["output"][0]["content"] == [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}]


def test_an_answer_repeats_what_was_asked() -> None:
    asked = {
        "model": "mine",
        "input": "Hi",
        "instructions": "Be brief.",
        "temperature": 0.5,
        "store": False,
        "metadata": {"a": "b"},
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"format": {"type": "json_object"}},
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
        "tool_choice": "required",
        "max_output_tokens": 100,
    }
    reply = reply_for(DIALECT.parse_request(asked), answer_id="fresh", created=9)
    body = DIALECT.render_response(answer(Text("{}")), reply).body
    expected = {**asked, "text": {"format": {"type": "json_object"}, "verbosity": "medium"}}
    del expected["input"]
    expected["tools"] = [{**asked["tools"][0], "description": None, "strict": True}]  # type: ignore[index]
    assert {name: body[name] for name in expected} == expected


def test_items_have_ids_made_of_the_answers() -> None:
    parts = (
        Reasoning("hm"),
        Text("Look:"),
        ToolCall("call_1", "f", '{"a": 1.0}'),
        ToolCall("call_2", "g", "free", "custom"),
    )
    body = told(answer(*parts, finish=Finish(FinishReason.TOOL_CALLS, "STOP")))
    assert (body["id"], body["created_at"]) == ("resp_r1", 7)
    assert [(item["type"], item["id"]) for item in body["output"]] == [
        ("reasoning", "rs_r1_0"),
        ("message", "msg_r1_1"),
        ("function_call", "fc_r1_2"),
        ("custom_tool_call", "ctc_r1_3"),
    ]
    assert body["output"][2]["call_id"] == "call_1"
    assert body["output"][2]["arguments"] == '{"a": 1.0}'
    assert told(Response(None, None, (Candidate(0, (Text("x"),), STOP),)))["id"] == "resp_fresh"


@pytest.mark.parametrize(
    ("finish", "status", "details"),
    [
        (Finish(FinishReason.STOP, "STOP"), "completed", None),
        (Finish(FinishReason.TOOL_CALLS, "STOP"), "completed", None),
        (Finish(FinishReason.LENGTH, "MAX_TOKENS"), "incomplete", {"reason": "max_output_tokens"}),
        (Finish(FinishReason.CONTENT_FILTER, "SAFETY"), "incomplete", {"reason": "content_filter"}),
    ],
)
def test_how_it_ended_is_the_status(finish: Finish, status: str, details: Any) -> None:
    body = told(answer(Text("x"), finish=finish))
    assert (body["status"], body["incomplete_details"]) == (status, details)
    assert (body["completed_at"] is None) is (status == "incomplete")


def test_a_blocked_prompt_is_a_refusal_and_incomplete() -> None:
    finish = Finish(FinishReason.CONTENT_FILTER, "PROHIBITED_CONTENT", prompt_blocked=True)
    body = told(answer(finish=finish))
    assert body["status"] == "incomplete"
    assert body["output"][0]["content"] == [{"type": "refusal", "refusal": "Prompt blocked: PROHIBITED_CONTENT"}]
    again = DIALECT.parse_response(body, reading())
    assert again.candidates == (Candidate(0, (), finish),)


def test_another_vendors_seal_stands_in_an_envelope_before_its_part() -> None:
    body = told(answer(Text("Hello", GOOGLE), ToolCall("call_1", "f", "{}", signature=GOOGLE)))
    before_text, message, before_call, call = body["output"]
    assert [item["type"] for item in body["output"]] == ["reasoning", "message", "reasoning", "function_call"]
    assert unwrapped(before_text["encrypted_content"]).call == ""  # type: ignore[union-attr]
    assert unwrapped(before_call["encrypted_content"]).call == "call_1"  # type: ignore[union-attr]
    history = [{"role": "user", "content": "Hi"}, before_text, message, before_call, call]
    turn = DIALECT.parse_request({"model": "m", "input": history}).messages[1]
    assert [part.signature for part in turn.parts if isinstance(part, (Text, ToolCall))] == [GOOGLE, GOOGLE]


def test_openais_own_seal_is_told_as_it_is() -> None:
    sealed = Signature("openai", "gAAAA")
    (item,) = told(answer(Reasoning("", sealed)), thoughts=False)["output"]
    assert (item["summary"], item["encrypted_content"]) == ([], "gAAAA")


def test_hidden_thoughts_are_not_shown_and_their_seals_are_kept() -> None:
    sealed = Signature("anthropic", "EqM")
    body = told(answer(Reasoning("secret", sealed), Reasoning("more"), Text("x")), thoughts=False)
    assert "secret" not in str(body)
    assert [item["type"] for item in body["output"]] == ["reasoning", "message"]
    assert body["output"][0]["encrypted_content"] == wrapped(sealed)


def test_sources_are_told_of_the_text_that_holds_them() -> None:
    parts = (Text("Ünï "), ToolCall("call_1", "f", "{}"), Text("code"))
    body = told(
        answer(*parts, citations=(Citation(0, 3, "https://a.example"), Citation(4, 8, "https://b.example", "B")))
    )
    first, _, second = body["output"]
    assert first["content"][0]["annotations"][0]["end_index"] == 3
    assert second["content"][0]["annotations"] == [
        {"type": "url_citation", "start_index": 0, "end_index": 4, "url": "https://b.example", "title": "B"}
    ]
    assert DIALECT.parse_response(body, reading()).candidates[0].citations == (
        Citation(0, 3, "https://a.example"),
        Citation(4, 8, "https://b.example", "B"),
    )


def test_a_picture_is_the_call_that_made_it() -> None:
    (item,) = told(answer(Media("image/png", data="iVBO", signature=GOOGLE)))["output"][1:]
    assert (item["type"], item["result"], item["output_format"]) == ("image_generation_call", "iVBO", "png")


def test_a_call_goes_back_into_its_namespace() -> None:
    inner = {"type": "function", "name": "f", "parameters": {}}
    namespace = {"type": "namespace", "name": "n", "description": "N.", "tools": [inner]}
    for echo in ({"tools": [namespace]}, {"additional_tools": [namespace]}):
        (item,) = told(answer(ToolCall("call_1", "n__f", "{}")), echo=echo)["output"]
        assert (item["namespace"], item["name"]) == ("n", "f")


def test_counts_contain_each_other_as_openai_counts() -> None:
    usage = Usage(
        input_uncached={"text": 10, "image": 5},
        input_cache_read={"text": 4},
        input_cache_write={"text": 2},
        input_cache_write_1h={"text": 1},
        input_tool={"text": 3},
        output_visible={"text": 6},
        output_reasoning={"text": 7},
    )
    body = told(Response("r1", "m", (Candidate(0, (Text("x"),), STOP),), usage))
    counted = body["usage"]
    assert (counted["input_tokens"], counted["output_tokens"], counted["total_tokens"]) == (25, 13, 38)
    assert counted["input_tokens_details"]["cached_tokens"] == 4
    assert counted["input_tokens_details"]["cache_write_tokens"] == 3
    assert counted["output_tokens_details"]["reasoning_tokens"] == 7
    assert DIALECT.parse_response(body, reading()).usage == usage


# -- reading


def test_a_summary_is_one_thought_an_entry_and_its_seal_the_last_ones() -> None:
    entries = [{"type": "summary_text", "text": text} for text in ("one", "two")]
    item = {"type": "reasoning", "id": "rs_1", "summary": entries, "encrypted_content": "gAAAA"}
    parts = DIALECT.parse_response({"output": [item], "status": "completed"}, reading()).candidates[0].parts
    own = {"openai_responses": {"id": "rs_1"}}
    assert parts == (Reasoning("one", ext=own), Reasoning("\n\ntwo", Signature("openai", "gAAAA"), own))


def test_tools_that_openai_ran_are_kept_whole_and_counted() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
    counted = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    response = DIALECT.parse_response({"output": [item, item], "status": "completed", "usage": counted}, reading())
    assert response.candidates[0].parts == (Opaque("openai_responses", item), Opaque("openai_responses", item))
    assert response.uses == {"web_search": 2}


def test_a_tool_goes_by_the_callers_name() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "a_b", "arguments": "{}"}
    body = {"output": [call, {**call, "name": "f", "namespace": "n"}], "status": "completed"}
    response = DIALECT.parse_response(body, reading(tool_names={"a_b": "a.b"}, tools={"n__f": None}))
    assert [part.name for part in response.candidates[0].parts if isinstance(part, ToolCall)] == ["a.b", "n__f"]
    assert response.candidates[0].finish == Finish(FinishReason.TOOL_CALLS, "completed")


def test_an_error_in_an_answer_is_an_error() -> None:
    error = {"code": "rate_limit_exceeded", "message": "Slow down."}
    with pytest.raises(UpstreamRateLimited, match="Slow down"):
        DIALECT.parse_response({"status": "failed", "error": error, "output": []}, reading())
    with pytest.raises(UpstreamError):
        DIALECT.parse_response({"status": "cancelled", "error": None, "output": []}, reading())


@pytest.mark.parametrize(
    "output",
    [
        None,
        "x",
        [5],
        [{}],
        [{"type": 5}],
        [{"type": "message", "content": "x"}],
        [{"type": "message", "content": [5]}],
        [{"type": "message", "content": [{"type": "output_text", "text": 5}]}],
        [{"type": "message", "content": [{"type": "output_text", "text": "x", "annotations": 5}]}],
        [{"type": "message", "content": [{"type": "output_text", "text": "x", "logprobs": [5]}]}],
        [{"type": "function_call", "name": 5, "arguments": "{}"}],
        [{"type": "function_call", "name": "f", "arguments": 5}],
        [{"type": "reasoning", "summary": [{"text": 5}]}],
        [{"type": "reasoning", "summary": [], "encrypted_content": 5}],
    ],
)
def test_an_answer_of_a_strange_shape_is_the_providers_fault(output: Any) -> None:
    with pytest.raises(UpstreamBadGateway):
        DIALECT.parse_response({"status": "completed", "output": output}, reading())
