"""Google's bodies that pass: what is changed in them, what is seen of them, where they end (mapping.md 3.1, 7.6)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from portico.core.dialect import Seen
from portico.core.errors import (
    BodyNotJson,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamOverloaded,
    UpstreamRateLimited,
)
from portico.core.usage import Usage
from portico.dialects.gemini import DIALECT
from portico.dialects.gemini.passing import GeminiWatch, renamed, see
from portico.wire import jsontext
from portico.wire.sse import Frame, SseDecoder

FRESH = "fresh"
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}


def data(text: str = "Hi", **more: Any) -> bytes:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    return json.dumps({"candidates": [candidate], **more}).encode()


def last(**more: Any) -> bytes:
    return json.dumps({"candidates": [{"finishReason": "STOP"}], **more}).encode()


def passed(*frames: bytes) -> list[bytes]:
    watch = GeminiWatch(FRESH)
    return [frame.data for one in frames for frame in watch.feed(Frame(one))]


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "patched"),
    [
        (b'{"model": "models/alias", "content": {}}', b'{"model": "models/M", "content": {}}'),
        (
            b' { "content" : {"model":"x"} , "model" : "a" }\n',
            b' { "content" : {"model":"x"} , "model" : "models/M" }\n',
        ),
        (b'{"generateContentRequest": {"model" : "models/a", "contents":[1.0]}, "new": 1e3}',) * 2,
        (b'{"generate_content_request":{"contents":[],"model":"models/a"}}',) * 2,
        (b'{"generateContentRequest": {"contents": []}}', b'{"generateContentRequest": {"contents": []}}'),
        (b'{"requests" : [ {"model":"models/a"} ,\t{"content":{}}, {"x":[1,{}],"model" :"models/a"}\n] }',) * 2,
        (b'{"requests":[]}', b'{"requests":[]}'),
        (b'{"requests":[1,"x",null,[{"model":"a"}]]}', b'{"requests":[1,"x",null,[{"model":"a"}]]}'),
        (b'{"requests":{"model":"a"}}', b'{"requests":{"model":"a"}}'),
        (b'{"contents":[{"parts":[{"text":"\\"model\\":1, ]}"}]}]}',) * 2,
        (b"[]", b"[]"),
        (b"7", b"7"),
    ],
)
def test_a_name_is_changed_where_it_stands_and_nothing_else(body: bytes, patched: bytes) -> None:
    expected = patched.replace(b'"models/a"', b'"models/M"') if body == patched else patched
    assert renamed(body, "M") == expected


@pytest.mark.parametrize("body", [b"", b"{", b'{"model": }', b'{"a":1}}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(BodyNotJson):
        renamed(body, "M")


# -- one id a stream -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["a", "a", "a"], ["a", "a", "a"]),
        (["a", None, "b"], ["a", "a", "a"]),
        ([None, None, None], [FRESH, FRESH, FRESH]),
        ([None, "a", "a"], [FRESH, FRESH, FRESH]),
        (["", "a", 7], [FRESH, FRESH, FRESH]),
        ([7, {}, []], [FRESH, FRESH, FRESH]),
    ],
)
def test_a_stream_has_one_id(said: list[Any], told: list[str]) -> None:
    frames = [data("x", **({} if one is None else {"responseId": one})) for one in said]
    assert [json.loads(one)["responseId"] for one in passed(*frames)] == told


def test_a_frame_with_the_right_id_keeps_its_bytes_and_another_all_but_that() -> None:
    first = b'{ "responseId" : "a" ,"candidates":[ {"newThing":1.0,"big":123456789012345678901234567890}]}'
    second = b'{"candidates":[{"content":{"parts":[{"text":"\\u00e9 \xe2\x80\xa8"}]}}],  "unknown":{"responseId":"b"} }'
    assert passed(first, second, first) == [first, second.replace(b"{", b'{"responseId":"a",', 1), first]


# -- what is seen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reports", "usage"),
    [
        ([], None),
        ([USAGE], Usage(input_uncached={"text": 3}, output_visible={"text": 4})),
        ([USAGE, {"trafficType": "ON_DEMAND"}], Usage(input_uncached={"text": 3}, output_visible={"text": 4})),
        ([USAGE, {"promptTokenCount": 9, "totalTokenCount": 9}], Usage(input_uncached={"text": 9})),
        ([USAGE, {"prompt_token_count": 9, "total_token_count": 9}], Usage(input_uncached={"text": 9})),
        ([{"promptTokenCount": 9}], None),
        ([{"totalTokenCount": "seven"}, 7], Usage()),
        ([{"totalTokenCount": 7, "promptTokenCount": "many"}], Usage()),
        ([{"totalTokenCount": 7, "promptTokensDetails": 7}], None),
    ],
)
def test_the_last_usage_with_a_total_is_seen(reports: list[Any], usage: Usage | None) -> None:
    watch = GeminiWatch(FRESH)
    for report in reports:
        watch.feed(Frame(data(usageMetadata=report, modelVersion="models/gemini-x")))
    watch.feed(Frame(last()))
    watch.close()
    assert watch.seen().usage == usage
    assert watch.model == ("gemini-x" if reports else None)


def test_a_whole_answer_is_seen() -> None:
    body = data(usageMetadata={**USAGE, "serviceTier": "standard"}, modelVersion="gemini-x", new={"field": 1})
    usage = Usage(input_uncached={"text": 3}, output_visible={"text": 4})
    assert see(body) == Seen("gemini-x", usage, "default", {}, {**USAGE, "serviceTier": "standard"})
    for nothing in (b'{"totalTokens": 7}', b'{"candidates": [], "usageMetadata": {"promptTokenCount": 1}}'):
        assert see(nothing) == Seen(empty=True)


@pytest.mark.parametrize("member", ["embedding", "embeddings"])
def test_the_usage_of_an_embedding_is_its_prompt_alone(member: str) -> None:
    details = [{"modality": "TEXT", "tokenCount": 1}, {"modality": "VIDEO", "tokenCount": 3}]
    for metadata, usage in (
        ({"promptTokenCount": 4, "promptTokenDetails": details}, Usage(input_uncached={"text": 1, "video": 3})),
        ({"promptTokenCount": 4, "promptTokensDetails": details}, Usage(input_uncached={"text": 1, "video": 3})),
        ({"promptTokenCount": 4}, Usage(input_uncached={"text": 4})),
        ({"promptTokenCount": 4, "totalTokenCount": 4}, Usage(input_uncached={"text": 4})),
        ({}, None),
        (None, None),
    ):
        body = {member: {"values": [0.5, 2]}, "usageMetadata": metadata}
        seen = see(jsontext.encode(body))
        assert seen.usage == usage
        assert seen.raw_usage == (None if usage is None else metadata)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>", UpstreamBadGateway),
        (b"", UpstreamBadGateway),
        (b"[]", UpstreamBadGateway),
        (b"null", UpstreamBadGateway),
        (b'{"candidates": ', UpstreamBadGateway),
        (b"[" * 10_000, UpstreamBadGateway),
        (b'{"candidates": ' + b"[" * 10_000, UpstreamBadGateway),
        (b'{"responseId": "\xff"}', UpstreamBadGateway),
        (b'{"error": {"message": "\xb7"}}', UpstreamBadGateway),
        (b'{"new": "\\ud800"}', UpstreamBadGateway),
        (b'{"new": {"\xff": 1}}', UpstreamBadGateway),
        (b'{"candidates": [{"content": {"parts": [{"text": "\xff"}]}}]}', UpstreamBadGateway),
        (b'{"error": {"code": 503, "status": "UNAVAILABLE"}}', UpstreamOverloaded),
        (b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}, "candidates": 7}', UpstreamRateLimited),
        (b'{"error": "odd"}', UpstreamBadGateway),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, error: type[UpstreamError]) -> None:
    with pytest.raises(error):
        see(body)
    watch = GeminiWatch(FRESH)
    if body.strip() not in (b"", b"[]"):
        with pytest.raises(error):
            watch.feed(Frame(body))


ODD: list[Mapping[str, Any]] = [
    {"candidates": None},
    {"candidates": {"0": {}}},
    {"candidates": [None]},
    {"candidates": ["x"], "promptFeedback": []},
    {"promptFeedback": "no"},
    {"responseId": {}, "modelVersion": 7, "usageMetadata": [1]},
    {"new": [[[]]]},
    {},
]


@pytest.mark.parametrize("body", ODD)
def test_types_that_nobody_has_seen_yet_pass(body: Mapping[str, Any]) -> None:
    out = passed(json.dumps(body).encode(), last())
    assert [json.loads(one) for one in out] == [
        {**body, "responseId": FRESH},
        {"candidates": [{"finishReason": "STOP"}], "responseId": FRESH},
    ]


# -- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        ([], UpstreamEmpty),
        ([b"[]"], UpstreamEmpty),
        ([data()], UpstreamIncomplete),
        ([data(), last()], None),
        ([data(), last(), data()], None),
        ([b'{"promptFeedback": {"blockReason": "SAFETY"}}'], None),
        ([data(), b'{"promptFeedback": {"blockReason": 2}}'], None),
        ([b'{"candidates": [{"finishReason": 1}]}'], None),
        ([b'{"somethingNew": 1}'], None),
        ([data(), b'{"usageMetadata": {}}'], UpstreamIncomplete),
    ],
)
def test_a_stream_that_never_said_that_it_was_finished_is_not(
    frames: list[bytes], error: type[UpstreamError] | None
) -> None:
    watch = GeminiWatch(FRESH)
    for one in frames:
        watch.feed(Frame(one))
    if error is None:
        watch.close()
    else:
        with pytest.raises(error):
            watch.close()


def test_an_error_after_something_passes_as_it_is_and_ends_the_stream() -> None:
    error = b'{\n "error" : {"code":503, "message":"The model is overloaded.", "status":"UNAVAILABLE", "new":[1.0]}\n}'
    watch = GeminiWatch(FRESH)
    watch.feed(Frame(data(responseId="a")))
    assert [frame.data for frame in watch.feed(Frame(error))] == [error.replace(b"\n", b" ")]
    assert watch.ended
    assert watch.feed(Frame(data(responseId="a"))) == []
    watch.close()


@pytest.mark.parametrize(
    ("error", "hidden"),
    [
        (
            {"code": 429, "message": "Quota of projects/mine-1 used up.", "status": "RESOURCE_EXHAUSTED"},
            "my-project",
        ),
        ({"code": 403, "message": "Key of Jane Doe was leaked.", "status": "PERMISSION_DENIED"}, "Jane"),
        ({"code": 400, "message": "Billing of Jane Doe is off.", "status": "FAILED_PRECONDITION"}, "Jane"),
    ],
)
def test_an_error_that_speaks_of_the_operator_is_told_without_that(error: dict[str, Any], hidden: str) -> None:
    (_, told) = passed(data(), json.dumps({"error": error}).encode())
    assert hidden not in told.decode()
    assert json.loads(told)["error"].keys() >= {"code", "message", "status"}


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_error_that_is_the_whole_stream_is_raised(wrapped: bool) -> None:
    body: Any = {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}
    decoder = SseDecoder()
    frames = decoder.feed(json.dumps([body] if wrapped else body, indent=1).encode()) + decoder.close()
    watch = GeminiWatch(FRESH)
    with pytest.raises(UpstreamAuthFailed):
        [watch.feed(frame) for frame in frames]


def test_an_array_where_events_were_asked_for_is_taken_apart() -> None:
    array = b"[" + data("One") + b"\r\n,\r\n" + last(responseId="b") + b"]"
    told = [json.loads(one) for one in passed(array)]
    assert [one["responseId"] for one in told] == [FRESH, FRESH]
    assert told[0]["candidates"][0]["content"]["parts"] == [{"text": "One"}]


def test_data_of_several_lines_becomes_one_line() -> None:
    (frame,) = SseDecoder().feed(b'data: {"a": 1,\r\ndata:  "responseId": "x"}\r\n\r\n')
    assert passed(frame.data) == [b'{"a": 1,  "responseId": "x"}']


def test_other_dialects_read_and_write_anew() -> None:
    assert DIALECT.passing is not None
    assert DIALECT.keep_alive is None
