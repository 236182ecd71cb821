"""Cases that reviews found broken: each was wrong once."""

import json
import subprocess
import sys
from typing import Any

import pytest

from dialects.dialect_rows import (
    CHAT,
    GEMINI,
    NEW,
    OLD,
    SKIP,
    Json,
    answer,
    assistant,
    call,
    calls_of,
    chat,
    codes,
    contents,
    deltas,
    function,
    native,
    read,
    refusal,
    rendered,
    result,
    target,
    told,
    user,
    written,
)
from portico.core.errors import CallerError, UpstreamBadGateway
from portico.core.events import Failed
from portico.core.parts import ToolCall, ToolResult
from portico.core.request import ONE_CALL_HINT
from portico.dialects.openai_chat.messages import without_spans
from portico.relay.verdict import tells_error
from portico.vault import TurnRecorder, restore
from portico.wire import jsontext

PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}


def test_the_gemini_api_is_not_told_a_files_name_and_vertex_is() -> None:
    """0, Vertex-only list: the Gemini API refuses displayName"""
    done = rendered(chat(user([PDF])))
    assert codes(done.losses) == ["1.4:name"]
    assert "displayName" not in done.body["contents"][0]["parts"][0]["inlineData"]
    at_vertex = native(chat(user([PDF])), kind="vertex")
    assert at_vertex["contents"][0]["parts"][0]["inlineData"]["displayName"] == "a.pdf"


@pytest.mark.parametrize(
    "extra",
    [
        {"google": {"tool_config": 5}},
        {"google": {"generation_config": {"image_config": 5}, "image_config": {"aspect_ratio": "1:1"}}},
        {"google": {"generation_config": {"foo": 1}}},
        {"google": {"safety_settings": "x"}},
        {"google": {"thinking_config": {"thinking_level": "bogus"}}},
        {"google": {"thinking_config": {"thinking_budget": -5}}},
        {"google": {"thought_tag_marker": "<b>"}},
        {"tools": [{"type": "custom", "custom": {"name": "a", "description": 5}}]},
        {"messages": [user([{"type": "file", "file": {"file_data": "JVBERi0=", "format": {}}}])]},
        {"messages": [user("hi"), {"role": "assistant", "audio": {"id": "audio_1"}}]},
    ],
)
def test_what_google_would_refuse_or_we_cannot_read_is_the_callers_to_mend(extra: dict[str, Any]) -> None:
    with pytest.raises(CallerError):
        rendered({**chat(), **extra})


@pytest.mark.parametrize(("value", "tokens"), [("100", 100), (100.0, 100), ("100.0", 100)])
def test_numbers_of_googles_dialect_may_be_written_as_strings(value: Any, tokens: int) -> None:
    """0, encoding rules of proto3 JSON"""
    body = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"maxOutputTokens": value}}
    assert GEMINI.parse_request(body, model=OLD).sampling.max_tokens == tokens


def test_a_cache_holds_its_own_system_text_and_tools_and_that_is_said() -> None:
    """1.9, 1.16"""
    body = chat({"role": "system", "content": "be brief"}, user("hi"), tools=[function("a")])
    done = rendered({**body, "google": {"cached_content": "cachedContents/x"}})
    assert {"systemInstruction", "tools"}.isdisjoint(done.body)
    assert "1.16:cached_content" in codes(done.losses)


def test_a_result_answers_a_call_of_the_turn_before_it_and_each_call_once() -> None:
    """1.3: Google counts"""
    twice = refusal(chat(user("hi"), assistant(None, call("a")), result("a"), result("a")))
    assert (twice.param, "already" in twice.message) == ("$.messages[3].tool_call_id", True)
    late = refusal(chat(user("hi"), assistant(None, call("a")), result("a"), user("go"), assistant("ok"), result("a")))
    assert late.param == "$.messages[5].tool_call_id"


def test_results_in_any_order_are_paired_in_passing() -> None:
    """A body of many calls, answered last first, must not take time that grows with its square."""
    ids = [f"c{n}" for n in range(2_000)]
    made = contents(user("hi"), assistant(None, *[call(id_) for id_ in ids]), *[result(id_) for id_ in reversed(ids)])
    assert [part["functionResponse"]["id"] for part in made[2]["parts"]] == ids


@pytest.mark.parametrize(
    ("text", "plain", "spans"),
    [
        ("<t>a</t>b<t>c</t>", "b", ["a", "c"]),
        ("<t>" * 10_000, "<t>" * 10_000, []),
        ("a</t>b<t>", "a</t>b<t>", []),
        ("<t></t>", "", [""]),
        ("", "", []),
    ],
)
def test_spans_are_cut_in_one_scan(text: str, plain: str, spans: list[str]) -> None:
    assert without_spans(text, "<t>", "</t>") == (plain, spans)


def test_streamed_arguments_have_a_depth() -> None:
    """3.3: a path of thousands of steps is no argument, and no crash"""
    pieces = [{"jsonPath": "$" + ".a" * 5_000, "stringValue": "x"}]
    events = read([answer({"functionCall": {"name": "f", "partialArgs": pieces}}, finish=None)])
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, UpstreamBadGateway)


def test_the_end_of_streamed_arguments_is_no_call() -> None:
    """3.3: `functionCall: {}` only ends what is open"""
    response = told(
        [answer({"functionCall": {"name": "f", "args": {"a": 1}}}, finish=None), answer({"functionCall": {}})]
    )
    assert [one.name for one in calls_of(response)] == ["f"]


@pytest.mark.parametrize(
    ("body", "is_error"),
    [
        ({"error": {"code": 503}}, True),
        ([{"error": {"code": 503}}], True),
        ({"error": None, "candidates": []}, False),
        ({"candidates": [], "error": {}}, False),
        ([], False),
        ("error", False),
    ],
)
def test_an_error_body_is_one_whatever_its_status(body: Any, is_error: bool) -> None:
    assert tells_error(body) is is_error


def test_parallel_calls_are_asked_not_to_be() -> None:
    """1.13, parallel_tool_calls: no switch, so a hint"""
    made = native(chat(tools=[function("a")], parallel_tool_calls=False))
    assert made["systemInstruction"]["parts"] == [{"text": ONE_CALL_HINT}]
    assert "systemInstruction" not in native(chat(parallel_tool_calls=False))


@pytest.mark.parametrize(
    ("arguments", "name", "signed"),
    [
        ('{"a": 1, "b": 2}', "f", True),
        ('{"b":2,"a":1}', "f", True),
        ('{"a":1}', "f", False),
        ('{"a":1,"b":2}', "g", False),
    ],
)
def test_a_kept_signature_goes_only_to_the_call_it_was_made_for(arguments: str, name: str, signed: bool) -> None:
    """2.4, rule e: respelt arguments are the same, edited ones are not"""
    recorder = TurnRecorder("gemini-3@gemini")
    part = {"functionCall": {"name": "f", "args": {"a": 1, "b": 2}}, "thoughtSignature": "c2ln"}
    response = told([answer(part)], signer="gemini-3@gemini")
    recorder.feed_response(response)
    (keys, record), *_ = recorder.records()
    (made,) = calls_of(response)
    body = chat(user("hi"), assistant(None, call(made.id, name, arguments)), result(made.id))
    again = restore(CHAT.parse_request(body), dict.fromkeys(keys, record))
    (sent,) = [one for message in again.messages for one in message.parts if isinstance(one, ToolCall)]
    assert (sent.signature is not None) is signed
    wire = GEMINI.render_request(again, target(NEW)).body["contents"][1]["parts"][0]
    assert wire["thoughtSignature"] == ("c2ln" if signed else SKIP)


def test_custom_calls_stream_as_custom() -> None:
    """1.12: a tool that takes free text is answered as one, in streams too"""
    pieces = [answer({"functionCall": {"name": "run", "args": {"input": "ls"}}})]
    sent = written(read(pieces, tools={"run": None}, custom=frozenset({"run"})))
    (made,) = [one for delta in deltas(sent) for one in delta.get("tool_calls", [])]
    assert (made["type"], made["custom"]) == ("custom", {"name": "run", "input": "ls"})


def test_every_line_of_a_batch_is_answered_even_an_empty_one() -> None:
    lines = [json.dumps(chat()), "", "{", json.dumps({**chat(), "tools": 5}), json.dumps(chat())]
    command = [
        sys.executable,
        "-m",
        "portico",
        "translate",
        "request",
        "--from",
        "openai_chat",
        "--to",
        "gemini",
        "--jsonl",
    ]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert ["error" in json.loads(line) for line in done.stdout.splitlines()] == [False, True, True, True, False]


def test_a_value_too_deep_to_be_written_is_said_so() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(jsontext.NotJson):
        jsontext.encode(deep)


@pytest.mark.parametrize(
    "part",
    [
        {"text": "look", "inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        {"functionCall": {"name": "f"}, "text": "and"},
        {"inline_data": {"mime_type": "image/png", "data": ""}, "file_data": {"file_uri": "gs://a/b"}},
    ],
)
def test_a_part_of_two_things_is_refused_as_google_does(part: dict[str, Any]) -> None:
    """0, part fields: exactly one data member"""
    with pytest.raises(CallerError) as caught:
        GEMINI.parse_request({"contents": [{"parts": [{"text": "hi"}]}, {"role": "user", "parts": [part]}]}, model=OLD)
    assert caught.value.param == "$.contents[1].parts[0]"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"reasoning_effort": "none"}, "$.reasoning_effort"),
        ({"reasoning": {"effort": "none"}}, "$.reasoning"),
        ({"thinking": {"type": "disabled"}}, "$.thinking"),
        ({"google": {"thinking_config": {"thinking_budget": 0}}}, "$.google.thinking_config"),
        ({"extra_body": {"google": {"thinkingConfig": {"thinkingBudget": 0}}}}, "$.extra_body.google.thinkingConfig"),
    ],
)
def test_a_loss_names_the_field_that_the_caller_wrote(fields: dict[str, Any], path: str) -> None:
    assert [loss.path for loss in rendered(chat(**fields)).losses] == [path]


def test_a_loss_of_the_providers_own_tool_is_told_where_it_was_asked_for() -> None:
    """1.14: among the tools, at the top, or in Google's extension"""
    asked = [{"google_search": {}}, {"type": "code_interpreter", "container": {"type": "auto"}}]
    done = rendered(chat(tools=asked))
    assert [loss.path for loss in done.losses] == ["$.tools[1]"]
    done = rendered(chat(tools=[function("f"), {"type": "web_search", "search_context_size": "high"}]))
    assert [loss.path for loss in done.losses] == ["$.tools[1]"]
    done = rendered(chat(web_search_options={"search_context_size": "high"}))
    assert [loss.path for loss in done.losses] == ["$.web_search_options"]


@pytest.mark.parametrize("order", [1, -1])
def test_googles_tool_config_and_the_switch_for_pieces_of_arguments_are_both_said(order: int) -> None:
    """1.9: neither key of the extension takes the place of the other, and spellings are one"""
    keys = [
        ("tool_config", {"retrieval_config": {"languageCode": "de"}, "function_calling_config": {"mode": "NONE"}}),
        ("stream_function_call_arguments", True),
    ]
    body = native(chat(tools=[function("f")], google=dict(keys[::order])), kind="vertex")
    assert body["toolConfig"] == {
        "retrievalConfig": {"languageCode": "de"},
        "functionCallingConfig": {"mode": "NONE", "streamFunctionCallArguments": True},
    }


@pytest.mark.parametrize(
    ("part", "data"),
    [
        ({"type": "file", "file": {"file_data": "\n data:application/pdf;base64,JVBERi0="}}, "JVBERi0="),
        ({"type": "input_audio", "input_audio": {"data": " data:audio/wav;base64,UklGRg=="}}, "UklGRg=="),
        ({"type": "image_url", "image_url": 'data:text/plain;name="a,b.txt";base64,aGVsbG8='}, "aGVsbG8="),
        ({"type": "image_url", "image_url": 'data:text/plain;name="a;base64,aGVsbG8='}, "aGVsbG8="),
    ],
)
def test_a_data_uri_in_an_odd_spelling_is_still_that_data(part: Json, data: str) -> None:
    """1.4: white space in front, commas in a quoted parameter, a quote that is never closed"""
    assert native(chat(user([part])))["contents"][0]["parts"][0]["inlineData"]["data"] == data


def test_thousands_of_tools_with_names_of_one_wire_name_are_refused_at_once() -> None:
    """1.12: 512 declarations are the most; names are not made unique for more"""
    tools = [function(chr(0x4E00 + number)) for number in range(20_000)]
    assert refusal(chat(tools=tools)).param == "$.tools"


def test_thousands_of_calls_of_one_id_are_paired_in_one_pass() -> None:
    """7.6: Google's ids may repeat"""
    calls = [{"functionCall": {"id": "a", "name": "f"}}] * 30_000
    answers = [{"functionResponse": {"id": "a", "name": "f", "response": {}}}] * 30_000
    body = {"contents": [{"role": "model", "parts": calls}, {"role": "user", "parts": answers}]}
    said = GEMINI.parse_request(body, model=NEW).messages
    made = {part.id for part in said[0].parts if isinstance(part, ToolCall)}
    assert {part.call_id for part in said[1].parts if isinstance(part, ToolResult)} == made


def test_results_without_ids_whose_names_no_call_has_answer_in_order() -> None:
    """1.3: Semantic Kernel calls `P-f` and answers for `P__f`"""
    calls = [{"functionCall": {"name": name}} for name in ("P-f", "P-g", "h")]
    answers: list[Json] = [{"functionResponse": {"name": name, "response": {}}} for name in ("h", "P__f", "P__g")]
    body = {"contents": [{"role": "model", "parts": calls}, {"role": "function", "parts": answers}]}
    asked, answered = GEMINI.parse_request(body, model=NEW).messages
    names = {part.id: part.name for part in asked.parts if isinstance(part, ToolCall)}
    results = [part for part in answered.parts if isinstance(part, ToolResult)]
    assert [names[part.call_id] for part in results] == ["h", "P-f", "P-g"] == [part.name for part in results]


def test_a_result_of_another_name_does_not_answer_a_call_with_an_id() -> None:
    calls = [{"functionCall": {"name": "f", "id": "a"}}] * 30_000
    answers = [{"functionResponse": {"name": "g", "response": {}}}] * 30_000
    body = {"contents": [{"role": "model", "parts": calls}, {"role": "user", "parts": answers}]}
    answered = GEMINI.parse_request(body, model=NEW).messages[1]
    assert {part.call_id for part in answered.parts if isinstance(part, ToolResult)} == {""}


@pytest.mark.parametrize("extra", [{"logit_bias": {}}, {"verbosity": "medium"}])
def test_what_a_caller_says_of_no_effect_is_no_loss(extra: Json) -> None:
    """1.1: a strict call is refused for what is lost, and these lose nothing"""
    assert rendered(chat(**extra)).losses == []
