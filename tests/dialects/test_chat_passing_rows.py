"""Chat bodies that pass: what is changed in them, what is kept from the caller, what is seen of them, where they end."""

import json
from typing import Any

import pytest

from portico.core.ask import Ask
from portico.core.dialect import Passing, Seen
from portico.core.errors import (
    BodyNotJson,
    InvalidRequest,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInternal,
    UpstreamRateLimited,
)
from portico.core.usage import Usage
from portico.dialects.openai_chat import DIALECT
from portico.dialects.openai_chat.passing import ChatWatch, lacks_usage, renamed, see, watch_for
from portico.wire.sse import DONE, Frame, SseDecoder

COUNTS = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
USAGE = Usage(input_uncached={"text": 3}, output_visible={"text": 4})
ASKED = b'{"model":"a","messages":[],"stream":true}'


def passing() -> Passing:
    assert DIALECT.passing is not None
    return DIALECT.passing


def chunk(text: str | None = "Hi", finish: str | None = None, **more: Any) -> bytes:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps({"id": "chatcmpl-1", "model": "gpt-x", "choices": [choice], **more}).encode()


def counts(**more: Any) -> bytes:
    return json.dumps({"id": "chatcmpl-1", "choices": [], "usage": COUNTS, **more}).encode()


def passed(watch: ChatWatch, *frames: bytes) -> list[bytes]:
    return [frame.data for one in frames for frame in watch.feed(Frame(one))]


# -- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{"model":"a"}', b'{"model":"M"}'),
        (b'{"model":"M" , "stream" : false}', b'{"model":"M" , "stream" : false}'),
        (b' { "x" : [1.0, {"model":"a"}] , "model" : "a" }\n', b' { "x" : [1.0, {"model":"a"}] , "model" : "M" }\n'),
        (b'{"mod\\u0065l":"a","x":"\\u00e9"}', b'{"mod\\u0065l":"M","x":"\\u00e9"}'),
        (b'{"x":"say \\"model\\": 1","model":"a\\"b"}', b'{"x":"say \\"model\\": 1","model":"M"}'),
        (
            b'{"n":123456789012345678901234567890,"n":1e0,"model":"a"}',
            b'{"n":123456789012345678901234567890,"n":1e0,"model":"M"}',
        ),
        (b'\xef\xbb\xbf{"model":"a"}', b'{"model":"M"}'),
        (b'{"role":"model","model":"a"}', b'{"role":"model","model":"M"}'),
        (b'{"metadata":{"model":"a"},"model":"a"}', b'{"metadata":{"model":"a"},"model":"M"}'),
        (
            b'{"model":"a", "stream": true}',
            b'{"stream_options":{"include_usage":true},"model":"M", "stream": true}',
        ),
        (
            b'{"model":"M","stream":true,"stream_options": null }',
            b'{"model":"M","stream":true,"stream_options": {"include_usage":true} }',
        ),
        (
            b'{"model":"M","stream":true,"stream_options":{ "include_obfuscation" : false }}',
            b'{"model":"M","stream":true,"stream_options":{"include_usage":true, "include_obfuscation" : false }}',
        ),
        (
            b'{"stream_options":{"include_usage" : false},"model":"a","stream":true}',
            b'{"stream_options":{"include_usage" : true},"model":"M","stream":true}',
        ),
        (
            b'{"model":"M","stream":true,"stream_options":{"include_usage":true}}',
            b'{"model":"M","stream":true,"stream_options":{"include_usage":true}}',
        ),
        (b'{"model":"M","stream":true,"stream_options":7}', b'{"model":"M","stream":true,"stream_options":7}'),
        (b'{"model":"M","stream":"yes"}', b'{"model":"M","stream":"yes"}'),
        (
            b'{"model":"M","stream":true,"tools":[{"stream_options":1}]}',
            b'{"stream_options":{"include_usage":true},"model":"M","stream":true,"tools":[{"stream_options":1}]}',
        ),
    ],
)
def test_the_model_and_the_wish_for_counts_are_changed_and_nothing_else(body: bytes, sent: bytes) -> None:
    assert renamed(body, "M") == sent


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        (b"{}", "$.model", "Missing required parameter: 'model'."),
        (b'{"model":null}', "$.model", "Missing required parameter: 'model'."),
        (b'{"model":""}', "$.model", "Missing required parameter: 'model'."),
        (b'{"request":{"model":"a"}}', "$.model", "Missing required parameter: 'model'."),
        (b'{"model":7}', "$.model", "Invalid type for 'model': expected a string, got a number."),
        (b'{"model":{"model":"a"}}', "$.model", "Invalid type for 'model': expected a string, got an object."),
        (b'{"model":"a","model":"b"}', "$.model", "The parameter 'model' is given twice."),
        (b'{"model":"a","mod\\u0065l":"b"}', "$.model", "The parameter 'model' is given twice."),
        (b'{"model":"a","stream":false,"stream":true}', "$.stream", "The parameter 'stream' is given twice."),
        (b"[]", "$", "Invalid type: expected an object, got an array."),
        (b'"x"', "$", "Invalid type: expected an object, got a string."),
    ],
)
def test_a_body_that_does_not_say_once_which_model_is_refused_in_words(body: bytes, param: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        renamed(body, "M")
    assert (caught.value.param, caught.value.message, caught.value.http_status) == (param, says, 400)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"model": }', b'{"model":"a"}}', b'{"model":"\xff"}', b'{"a":' + b"[" * 10**5]
)
def test_a_body_that_is_not_json_is_said_to_be_none(body: bytes) -> None:
    for step in (lambda: renamed(body, "M"), lambda: passing().ask(body)):
        with pytest.raises(BodyNotJson):
            step()
    assert not lacks_usage(body)


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        (ASKED, True),
        (b'{"messages":[{"extra_content":{"google":{"thought_signature":"x"}}}]}', False),
        (b'{"extra_body":{"google":{}}}', False),
        (b'{"messages":[{"content":"say \\"extra_content\\""}]}', True),
    ],
)
def test_a_body_with_what_is_anothers_is_read(body: bytes, passes: bool) -> None:
    assert passing().may_pass(body) is passes


# -- streams ---------------------------------------------------------------------------------------------------------


def test_counts_that_the_caller_did_not_ask_for_are_seen_and_kept_from_it() -> None:
    watch = watch_for("fresh", ASKED)
    sent = [chunk(usage=None), chunk(None, "stop", usage=None), counts(), DONE.data]
    assert passed(watch, *sent) == [sent[0], sent[1], sent[3]]
    watch.close()
    assert watch.seen() == Seen("gpt-x", USAGE, raw_usage=COUNTS)


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","stream":true,"stream_options":{"include_usage":true}}',
        b'{"model":"a"}',
        b"",
    ],
)
def test_counts_that_the_caller_asked_for_pass(body: bytes) -> None:
    watch = watch_for("fresh", body)
    sent = [chunk(), chunk(None, "stop"), counts(), DONE.data]
    assert passed(watch, *sent) == sent


@pytest.mark.parametrize(
    "frame",
    [
        chunk(None, "stop", usage=COUNTS),  # counts on a chunk that says something passes with it
        json.dumps({"choices": [], "prompt_filter_results": []}).encode(),  # Azure's first
        json.dumps({"choices": [], "usage": None}).encode(),
        json.dumps({"new": 1}).encode(),
    ],
)
def test_only_a_chunk_of_nothing_but_counts_is_kept(frame: bytes) -> None:
    watch = watch_for("fresh", ASKED)
    assert passed(watch, chunk(), frame) == [chunk(), frame]


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ([{"usage": COUNTS}], USAGE),
        ([{"usage": COUNTS}, {"usage": None}], USAGE),
        ([{"usage": {"prompt_tokens": 1, "completion_tokens": 1}}, {"usage": COUNTS}], USAGE),
        ([{"x_groq": {"usage": COUNTS}}], USAGE),
        ([{"x_groq": {"id": "req"}}], None),
        ([{"usage": {"prompt_tokens": "many"}}], Usage()),
        ([{"usage": 7}], None),
        ([{"usage": [COUNTS]}], None),
    ],
)
def test_the_last_counts_are_seen_wherever_they_stand(told: list[dict[str, Any]], usage: Usage | None) -> None:
    watch = ChatWatch("fresh")
    for more in told:
        watch.feed(Frame(chunk(**more)))
    assert watch.seen().usage == usage
    assert watch.model == "gpt-x"


@pytest.mark.parametrize(
    ("frames", "fault"),
    [
        ([], UpstreamEmpty),
        ([DONE.data], UpstreamEmpty),
        ([chunk()], UpstreamIncomplete),
        ([chunk(), DONE.data], None),
        ([chunk(), chunk(None, "stop")], None),
        ([chunk(), chunk(None, "a_new_word"), DONE.data, chunk()], None),
        (
            [json.dumps({"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}).encode(), chunk()],
            UpstreamIncomplete,
        ),
        ([json.dumps({"choices": "new"}).encode()], None),
        ([json.dumps({"new": 1}).encode()], None),
    ],
)
def test_a_stream_that_never_said_that_it_was_finished_is_not(
    frames: list[bytes], fault: type[UpstreamError] | None
) -> None:
    watch = ChatWatch("fresh")
    passed(watch, *frames)
    if fault is None:
        watch.close()
    else:
        with pytest.raises(fault):
            watch.close()


@pytest.mark.parametrize(
    ("delta", "finish", "something"),
    [
        ({"content": "x"}, None, True),
        ({"content": ""}, None, False),
        ({"role": "assistant", "content": None, "tool_calls": []}, "stop", False),
        ({"reasoning_content": "hm"}, "stop", False),
        ({"tool_calls": [{"index": 0}]}, None, True),
        ({"refusal": "no"}, None, True),
        ({"audio": {"data": "x"}}, None, True),
        ({}, "length", True),
        ({}, "content_filter", True),
        ({"content": [{"type": "text", "text": "x"}]}, None, True),
    ],
)
def test_what_shows_something_or_says_why_not_counts(
    delta: dict[str, Any], finish: str | None, something: bool
) -> None:
    body = json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode()
    watch = ChatWatch("fresh")
    watch.feed(Frame(body))
    assert watch.counts is something
    assert watch.seen().empty is not something
    whole = json.dumps({"choices": [{"index": 0, "message": delta, "finish_reason": finish}]}).encode()
    assert see(whole).empty is not something


def test_an_error_after_something_passes_as_it_is_and_ends_the_stream() -> None:
    error = b'{ "error" : {"message":"Overloaded.", "type":"server_error", "new":[1.0]}}'
    watch = ChatWatch("fresh")
    assert passed(watch, chunk(), error, chunk(), DONE.data) == [chunk(), error]
    assert watch.ended
    watch.close()


@pytest.mark.parametrize(
    ("error", "hidden"),
    [
        (
            {"message": "Rate limit reached in organization org-abc123def", "code": "rate_limit_exceeded"},
            "org-abc123def",
        ),
        ({"message": "Incorrect API key provided: abcd.", "code": "invalid_api_key"}, "abcd"),
    ],
)
def test_an_error_that_speaks_of_the_operator_is_told_without_that(error: dict[str, Any], hidden: str) -> None:
    (_, told) = passed(ChatWatch("fresh"), chunk(), json.dumps({"error": error}).encode())
    assert hidden not in told.decode()
    assert json.loads(told)["error"].keys() == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (Frame(b'{"error":{"message":"x","code":"invalid_api_key"}}'), UpstreamAuthFailed),
        (Frame(b'{"error":{"message":"x","code":429}}'), UpstreamRateLimited),
        (Frame(b'{"error":"broken"}'), UpstreamInternal),
        (Frame(b'{"message":"broken"}', "error"), UpstreamInternal),
        (Frame(b"<html>"), UpstreamBadGateway),
        (Frame(b"[]"), UpstreamBadGateway),
        (Frame(b"\xff"), UpstreamBadGateway),
    ],
)
def test_an_error_that_is_the_whole_stream_is_raised(frame: Frame, kind: type[UpstreamError]) -> None:
    with pytest.raises(kind) as caught:
        ChatWatch("fresh").feed(frame)
    assert type(caught.value) is kind


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_cutting_bytes_differently_changes_nothing(size: int) -> None:
    sent = [chunk("é"), chunk(None, "stop"), counts()]
    data = b"".join(b"data: " + one + b"\n\n" for one in sent) + b": note\n\ndata: [DONE]\n\n"
    decoder, watch = SseDecoder(), watch_for("fresh", ASKED)
    frames = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    assert passed(watch, *[frame.data for frame in frames]) == [*sent[:2], DONE.data]
    assert watch.seen().usage == USAGE


# -- whole answers ---------------------------------------------------------------------------------------------------


def test_a_whole_answer_is_seen() -> None:
    message = {"content": "Hi", "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.example"}}]}
    body = {"model": "gpt-x", "choices": [{"message": message}], "usage": COUNTS, "service_tier": "flex", "new": 1}
    assert see(json.dumps(body).encode()) == Seen("gpt-x", USAGE, "flex", {"web_search": 1}, COUNTS)
    assert see(b'{"choices":[{"message":{"content":"four"}}]}').shown == 4
    told = {**COUNTS, "server_tool_use": {"web_search_requests": 3}}
    assert see(json.dumps({**body, "usage": told}).encode()).uses == {"web_search": 3}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", UpstreamBadGateway),
        (b"", UpstreamBadGateway),
        (b"[]", UpstreamBadGateway),
        (b'{"id":"x"}', UpstreamBadGateway),
        (b'{"error":{"message":"x","type":"rate_limit_error"}}', UpstreamRateLimited),
        (b'{"error":"x"}', UpstreamInternal),
        (b'{"choices":[{"message":{"content":"\xff"}}]}', UpstreamBadGateway),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, kind: type[UpstreamError]) -> None:
    with pytest.raises(kind) as caught:
        see(body)
    assert type(caught.value) is kind


# -- what it may cost ------------------------------------------------------------------------------------------------


def part(kind: str, value: Any) -> dict[str, Any]:
    """A body with one message of one such part."""
    return {"messages": [{"content": [{"type": kind, kind: value}]}]}


PDF = "data:application/pdf;base64,AA"
PICTURE = "data:image/png;base64," + "A" * 400


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_tokens": 5}, {"max_output_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 9}, {"max_output_tokens": 9}),
        ({"n": 3}, {"candidates": 3}),
        ({"n": 0}, {"candidates": 1}),
        ({"n": 10**9}, {"candidates": 128}),
        ({"n": "many", "max_tokens": True, "service_tier": 7}, {}),
        ({"service_tier": "flex"}, {"service_tier": "flex"}),
        ({"web_search_options": {}}, {"tools": {"web_search"}}),
        ({"tools": [{"type": "function"}, {"type": "custom"}, {}]}, {"own_tools": True}),
        ({"tools": [{"type": "web_search_preview"}, {}]}, {"tools": {"web_search"}, "own_tools": True}),
        ({"tools": [{"type": "computer"}]}, {"tools": {"computer"}, "own_tools": True}),
        ({"plugins": [{"id": "web"}]}, {"tools": {"web_search"}}),
        ({"prompt_cache_retention": "24h"}, {"long_cache": True}),
        ({"new_thing": 1, "user": "u"}, {"unknown": ("new_thing",)}),
        (part("image_url", {"url": PICTURE}), {"media": {"image": 1}, "media_bytes": {"image": len(PICTURE)}}),
        (part("image_url", "https://a.example/x"), {"media": {"file": 1}}),
        (part("input_audio", {"data": "AAAA"}), {"media": {"audio": 1}, "media_bytes": {"audio": 4}}),
        (part("file", {"file_data": PDF}), {"media": {"document": 1}, "media_bytes": {"document": len(PDF)}}),
        (part("file", {"file_id": "file-1"}), {"media": {"file": 1}}),
        ({"messages": [None, 7, {"content": 7}, {"content": [None, {"image_url": 7, "file": 7}]}]}, {}),
        ({"messages": {}, "tools": [7, None], "plugins": [7]}, {"own_tools": True}),
        ({"tools": 7}, {"own_tools": True}),
    ],
)
def test_what_changes_the_price_is_seen(fields: dict[str, Any], told: dict[str, Any]) -> None:
    body = json.dumps({"model": "a", **fields}).encode()
    ask = passing().ask(body)
    expected = Ask(text_bytes=len(body) - sum(ask.media_bytes.values()), own_tools=False)
    for name, value in told.items():
        assert getattr(ask, name) == value
    unsaid = [name for name in Ask.__struct_fields__ if name not in told]
    assert [getattr(ask, name) for name in unsaid] == [getattr(expected, name) for name in unsaid]
