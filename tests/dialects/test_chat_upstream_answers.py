"""Answers of servers that imitate OpenAI, as they really come: each also as a stream, byte by byte."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from portico.core.assembly import assemble
from portico.core.dialect import Reading
from portico.core.errors import (
    UpstreamBadGateway,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInternal,
    UpstreamRateLimited,
    UpstreamRejected,
)
from portico.core.events import Event, Failed
from portico.core.parts import Part, Reasoning, Text, ToolCall
from portico.core.response import Candidate, Finish, FinishReason, Response
from portico.core.usage import Usage
from portico.dialects.openai_chat import DIALECT
from portico.wire.sse import Frame, SseDecoder

SIZES = pytest.mark.parametrize("size", [1, 7, 10**6])
STOP = Finish(FinishReason.STOP, "stop")
CALLED = Finish(FinishReason.TOOL_CALLS, "tool_calls")


def reading(**more: Any) -> Reading:
    ids: Iterator[str] = (f"call_{number}" for number in count(1))
    return Reading(mint=ids.__next__, **more)


def events_of(chunks: list[Any], size: int, *, done: bool = True, known: Reading | None = None) -> list[Event]:
    """A stream's bytes, cut every so many of them, as events."""
    texts = [chunk if isinstance(chunk, str) else f"data: {json.dumps(chunk)}" for chunk in chunks]
    data = "".join(f"{text}\n\n" for text in [*texts, *(["data: [DONE]"] if done else [])]).encode()
    decoder, reader = SseDecoder(), DIALECT.reader(known or reading())
    frames = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    events = [event for frame in [*frames, *decoder.close()] for event in reader.feed(frame)]
    return events + reader.close()


def streamed(chunks: list[Any], size: int, *, done: bool = True, known: Reading | None = None) -> Response:
    return assemble(events_of(chunks, size, done=done, known=known))


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def piece(name: str | None = None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    """A piece of a call; what is None is not there."""
    said = {"name": name, "arguments": arguments}
    return {**fields, "function": {key: value for key, value in said.items() if value is not None}}


def only(response: Response) -> Candidate:
    (candidate,) = response.candidates
    return candidate


# -- thoughts --------------------------------------------------------------------------------------------------------


@SIZES
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"reasoning_content": "Hm, "}, {"reasoning_content": "so."}),
        ({"reasoning": "Hm, "}, {"reasoning": "so."}),
        (
            {"reasoning": "Hm, ", "reasoning_details": [{"type": "reasoning.text", "text": "Hm, "}]},
            {"reasoning": "so.", "reasoning_details": [{"type": "reasoning.text", "text": "so."}]},
        ),
        (
            {"reasoning_details": [{"type": "reasoning.summary", "summary": "Hm, "}]},
            {"reasoning_details": [{"type": "reasoning.text", "text": "so."}, {"type": "reasoning.encrypted"}]},
        ),
        ({"reasoning_content": "Hm, ", "content": ""}, {"reasoning_content": "so.", "content": None}),
    ],
)  # fmt: skip
def test_thoughts_are_found_wherever_they_stand(first: dict[str, Any], second: dict[str, Any], size: int) -> None:
    parts: tuple[Part, ...] = (Reasoning("Hm, so."), Text("Yes"))
    chunks = [delta(**first), delta(**second), delta(content="Yes"), delta("stop")]
    assert only(streamed(chunks, size)) == Candidate(0, parts, STOP)
    texts = {key: value for key, value in first.items() if isinstance(value, str) and value}
    whole = {key: value + second[key] for key, value in texts.items()} or {
        "reasoning_details": first["reasoning_details"] + second["reasoning_details"]
    }
    body = {"choices": [{"message": {**whole, "content": "Yes"}, "finish_reason": "stop"}]}
    assert only(DIALECT.parse_response(body, reading())) == Candidate(0, parts, STOP)


@SIZES
def test_tags_in_the_text_are_text(size: int) -> None:
    chunks = [delta(content="<think>Hm</think>"), delta("stop", content="Yes")]
    assert only(streamed(chunks, size)).parts == (Text("<think>Hm</think>Yes"),)


# -- calls -----------------------------------------------------------------------------------------------------------

ONE, TWO = '{"at":1}', '{"at":2}'
ONE_AND_TWO = (("look", ONE), ("look", TWO))


@SIZES
@pytest.mark.parametrize(
    "pieces",
    [
        # as OpenAI sends them
        [
            [piece("look", "", index=0, id="a")],
            [piece(None, '{"at":1}', index=0)],
            [piece("look", TWO, index=1, id="b")],
        ],
        # whole, without index
        [[piece("look", ONE, id="a"), piece("look", TWO, id="b")]],
        # without index, in pieces that say the id again
        [[piece("look", '{"at"', id="a")], [piece("look", ":1}", id="a")], [piece("look", TWO, id="b")]],
        # all with index 0
        [
            [piece("look", ONE, index=0, id="a")],
            [piece("look", '{"a', index=0, id="b")],
            [piece(None, 't"', index=0)],
            [piece(None, ":2}", index=0, id="b")],
        ],
        # neither index nor id
        [[piece("look", '{"at"')], [piece(None, ":1}")], [piece("look", TWO)]],
        # an object for arguments, an empty id
        [[piece("look", {"at": 1}, index=0, id="")], [piece("look", {"at": 2}, index=1, id="")]],
        # the name said again with every piece
        [
            [piece("look", '{"at"', index=0, id="a")],
            [piece("look", ":1}", index=0, id="a")],
            [piece("look", TWO, index=1, id="b")],
        ],
        # an id that comes later
        [
            [piece("look", '{"at"', index=0)],
            [piece("look", ":1}", index=0, id="a")],
            [piece("look", TWO, index=1, id="b")],
        ],
        # another id with every piece
        [
            [piece("look", '{"at"', index=0, id="a")],
            [piece(None, ":1}", index=0, id="c")],
            [piece("look", TWO, index=1, id="b")],
        ],
        # a null where nothing is
        [[piece("look", ONE, index=0, id="a", type=None)], [piece("look", TWO, index=1, id=None)]],
    ],
)
def test_calls_are_told_apart_by_whatever_tells_them_apart(pieces: list[list[dict[str, Any]]], size: int) -> None:
    chunks = [*[delta(tool_calls=calls) for calls in pieces], delta("tool_calls")]
    candidate = only(streamed(chunks, size))
    calls = [part for part in candidate.parts if isinstance(part, ToolCall)]
    assert tuple((call.name, call.arguments) for call in calls) == ONE_AND_TWO
    assert len({call.id for call in calls}) == 2
    assert all(call.id for call in calls)
    assert candidate.finish == CALLED


@SIZES
@pytest.mark.parametrize("word", ["stop", "tool_calls", "tool_use", None])
def test_an_answer_that_calls_ended_with_a_call_whatever_it_says(word: str | None, size: int) -> None:
    call = piece("look", "{}", index=0, id="a")
    candidate = only(streamed([delta(tool_calls=[call]), delta(word)], size))
    assert candidate.finish == Finish(FinishReason.TOOL_CALLS, word)
    if word is not None:
        body = {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": word}]}
        assert only(DIALECT.parse_response(body, reading())) == candidate


@SIZES
def test_a_custom_tool_that_was_declared_as_a_function_is_called_with_its_text(size: int) -> None:
    known = reading(custom=frozenset({"grep it"}), tool_names={"grep_it": "grep it"})
    pieces = [piece("grep_it", '{"in', index=0, id="a"), piece(None, 'put":"a\\n"}', index=0)]
    chunks = [*[delta(tool_calls=[one]) for one in pieces], delta("tool_calls")]
    expected = (ToolCall("a", "grep it", "a\n", kind="custom"),)
    assert only(streamed(chunks, size, known=known)).parts == expected
    message = {"tool_calls": [piece("grep_it", '{"input":"a\\n"}', id="a")]}
    assert only(DIALECT.parse_response({"choices": [{"message": message}]}, known)).parts == expected
    strange = [delta(tool_calls=[piece("grep_it", '{"x":1}', index=0, id="a")]), delta("stop")]
    assert only(streamed(strange, size, known=known)).parts == (ToolCall("a", "grep it", '{"x":1}'),)


# -- counts ----------------------------------------------------------------------------------------------------------

TOLD = {"prompt_tokens": 5, "completion_tokens": 7}
FIVE = {"text": 5}
HALF_CACHED = Usage(input_uncached={"text": 3}, input_cache_read={"text": 2}, output_visible={"text": 7})
COUNTED = Usage(input_uncached={"text": 5}, output_visible={"text": 7})


@SIZES
@pytest.mark.parametrize(
    "chunks",
    [
        [delta(content="Hi"), delta("stop"), {"choices": [], "usage": TOLD}],
        [delta(content="Hi"), {**delta("stop"), "usage": TOLD}],
        [{**delta(content="Hi"), "usage": {**TOLD, "completion_tokens": 1}}, {**delta("stop"), "usage": TOLD}],
        [delta(content="Hi"), {**delta("stop"), "x_groq": {"id": "r", "usage": TOLD}}],
        [{**delta(content="Hi"), "usage": None}, {"choices": None}, delta("stop"), {"usage": TOLD}],
        [{"choices": [], "prompt_filter_results": []}, delta(content="Hi"), delta("stop"), {"choices": [], "usage": TOLD}],
        [": waiting", delta(content="Hi"), delta("stop"), ": waiting", {"choices": [], "usage": TOLD}],
    ],
)  # fmt: skip
def test_counts_are_found_in_whatever_chunk_they_come(chunks: list[Any], size: int) -> None:
    response = streamed(chunks, size)
    assert (response.usage, response.raw_usage) == (COUNTED, TOLD)
    assert only(response).parts == (Text("Hi"),)


def thought(tokens: int) -> dict[str, Any]:
    return {"completion_tokens_details": {"reasoning_tokens": tokens}}


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (TOLD, COUNTED),
        ({**TOLD, "prompt_tokens_details": None, "completion_tokens_details": None}, COUNTED),
        ({**TOLD, "prompt_cache_hit_tokens": 2}, HALF_CACHED),
        ({**TOLD, "cached_tokens": 2}, HALF_CACHED),
        ({**TOLD, "total_tokens": 12, **thought(4)}, Usage(FIVE, output_visible={"text": 3}, output_reasoning={"text": 4})),
        ({**TOLD, "total_tokens": 16, **thought(4)}, Usage(FIVE, output_visible={"text": 7}, output_reasoning={"text": 4})),
        ({**TOLD, **thought(99)}, Usage(FIVE, output_reasoning={"text": 7})),
        ({"total_tokens": 12}, None),
        ([], None),
    ],
)  # fmt: skip
def test_counts_are_read_as_their_servers_mean_them(told: Any, usage: Usage | None) -> None:
    assert DIALECT.parse_response({"choices": [], "usage": told}, reading()).usage == usage


@SIZES
def test_searches_are_counted_for_their_price(size: int) -> None:
    place = {"start_index": 0, "end_index": 2, "url": "https://a.example", "title": "A"}
    cited = {"type": "url_citation", "url_citation": place}
    chunks = [delta(content="Hi", annotations=[cited]), delta("stop"), {"choices": [], "usage": TOLD}]
    assert streamed(chunks, size).uses == {"web_search": 1}
    body = {"choices": [{"message": {"content": "Hi", "annotations": [cited]}}], "usage": TOLD}
    assert DIALECT.parse_response(body, reading()).uses == {"web_search": 1}
    told = {**TOLD, "num_search_queries": 3}
    assert DIALECT.parse_response({**body, "usage": told}, reading()).uses == {"web_search": 3}


# -- the end ---------------------------------------------------------------------------------------------------------


@SIZES
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("eos", FinishReason.STOP),
        ("EOS_TOKEN", FinishReason.STOP),
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_length", FinishReason.LENGTH),
        ("sensitive", FinishReason.CONTENT_FILTER),
        ("error", FinishReason.ERROR),
        ("insufficient_system_resource", FinishReason.OTHER),
    ],
)
def test_odd_words_for_the_end_are_understood(word: str, reason: FinishReason, size: int) -> None:
    assert only(streamed([delta(content="Hi"), delta(word)], size)).finish == Finish(reason, word)
    body = {"choices": [{"message": {"content": "Hi"}, "finish_reason": word}]}
    assert only(DIALECT.parse_response(body, reading())).finish == Finish(reason, word)


@SIZES
def test_a_stream_that_is_ended_in_order_is_complete_though_nobody_says_how(size: int) -> None:
    assert only(streamed([delta(content="Hi")], size)).finish == Finish(FinishReason.STOP)
    assert only(streamed([delta(content="Hi"), delta("stop")], size, done=False)).finish == STOP
    cut = events_of([delta(content="Hi")], size, done=False)[-1]
    assert isinstance(cut, Failed)
    assert isinstance(cut.error, UpstreamIncomplete)


# -- errors where an answer was promised -----------------------------------------------------------------------------


@SIZES
@pytest.mark.parametrize(
    ("chunk", "kind"),
    [
        ({"error": {"message": "Slow down.", "code": 429}}, UpstreamRateLimited),
        ({"error": {"message": "No.", "code": "rate_limit_exceeded"}, "choices": []}, UpstreamRateLimited),
        ({"error": "Broken."}, UpstreamInternal),
        ({"object": "error", "message": "No.", "code": 400}, UpstreamRejected),
        ({"detail": "Broken."}, UpstreamInternal),
        ('event: error\ndata: {"message": "Broken."}', UpstreamInternal),
        ("data: Internal Server Error", UpstreamBadGateway),
        ("<html>", UpstreamBadGateway),
        ("data: []", UpstreamBadGateway),
        ({"choices": [7]}, UpstreamBadGateway),
        (delta(tool_calls=[{"function": {"arguments": "{}"}}]), UpstreamBadGateway),
    ],
)
def test_an_error_inside_a_stream_is_its_end(chunk: Any, kind: type[UpstreamError], size: int) -> None:
    for before in ([], [delta(content="Hi")]):
        failed = events_of([*before, chunk], size, done=False)[-1]
        assert isinstance(failed, Failed)
        assert type(failed.error) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "Slow down.", "code": 429}}, UpstreamRateLimited),
        ({"object": "error", "message": "No.", "code": 400}, UpstreamRejected),
        ({"detail": "Broken."}, UpstreamInternal),
        ({"choices": {}}, UpstreamBadGateway),
        ({}, UpstreamBadGateway),
        ([], UpstreamBadGateway),
        ("x", UpstreamBadGateway),
    ],
)
def test_a_body_that_is_no_answer_is_an_error(body: Any, kind: type[UpstreamError]) -> None:
    with pytest.raises(kind) as caught:
        DIALECT.parse_response(body, reading())
    assert type(caught.value) is kind


# -- several answers, and what comes when all is said ------------------------------------------------------------------


def answer(index: int | None, text: str, finish: str | None = None) -> dict[str, Any]:
    said = {} if index is None else {"index": index}
    return {"id": "x", "choices": [{**said, "delta": {"content": text}, "finish_reason": finish}]}


@SIZES
def test_an_answer_is_known_by_its_index_else_by_its_place(size: int) -> None:
    found = streamed([answer(1, "b", "stop"), answer(None, "a", "stop")], size)
    assert {one.index: one.parts for one in found.candidates} == {0: (Text("a"),), 1: (Text("b"),)}


@SIZES
def test_where_one_of_several_answers_has_no_end_the_stream_has_none(size: int) -> None:
    *_, last = events_of([answer(0, "a", "stop"), answer(1, "b")], size, done=False)
    assert isinstance(last, Failed)
    assert type(last.error) is UpstreamIncomplete


@SIZES
def test_what_comes_after_the_end_is_not_read(size: int) -> None:
    found = streamed([answer(0, "a", "stop"), "data: [DONE]", answer(0, "b"), answer(1, "c")], size)
    assert only(found).parts == (Text("a"),)


@pytest.mark.parametrize("text", ["b", ""])
def test_the_quick_way_reads_nothing_after_the_end_and_nothing_that_is_empty(text: str) -> None:
    reader = DIALECT.reader(reading())
    more = Frame(json.dumps(answer(0, text)).encode())
    reader.feed(Frame(json.dumps(answer(0, "a")).encode()))
    assert (reader.more(more) is not None) is bool(text)
    reader.feed(Frame(b"[DONE]"))
    assert reader.more(more) is None


@SIZES
def test_a_source_that_was_told_is_a_search_whatever_is_told_later(size: int) -> None:
    source = {"type": "url_citation", "url_citation": {"url": "https://a.example", "start_index": 0, "end_index": 1}}
    counts = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}}
    cited = [delta(content="a", annotations=[source]), delta("stop", annotations=[{"type": "file_path"}])]
    assert streamed([*cited, counts], size).uses == {"web_search": 1}
