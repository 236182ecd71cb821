"""What readers of streams make of things that are told late, twice, or not at all: each read by one look where that is
enough, and carefully, to the same answer."""

from collections.abc import Sequence
from typing import Any

import pytest

from dialects.dialect_rows import Json, framed, reading
from portico.core.assembly import assemble
from portico.core.dialect import Dialect
from portico.core.envelope import wrapped
from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Failed,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.normal import normal
from portico.core.parts import Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Citation, FinishReason, Response
from portico.core.telling import events_of
from portico.core.usage import total
from portico.dialects import anthropic_messages, gemini, openai_chat

GEMINI, CLAUDE, CHAT = gemini.DIALECT, anthropic_messages.DIALECT, openai_chat.DIALECT
GOOGLE = Signature("google", "AAA=")
URL = "https://a.example"


def read(dialect: Dialect, bodies: Sequence[Any], **about: Any) -> list[Event]:
    """The events of a stream, read by one look where that is enough."""
    quick, careful = dialect.reader(reading(**about)), dialect.reader(reading(**about))
    events = [event for frame in framed(bodies) for event in events_of(quick, frame)] + quick.close()
    same = [event for frame in framed(bodies) for event in careful.feed(frame)] + careful.close()
    if not isinstance(events[-1], Failed):
        assert normal(assemble(events)) == normal(assemble(same))
    return events


def only(events: list[Event]) -> Candidate:
    (candidate,) = assemble(events).candidates
    return candidate


def asked(response: Response) -> int:
    assert response.usage is not None
    return total(response.usage.input_uncached)


# -- Google's


def gem(*parts: Json, finish: Any = None, about: Json | None = None, **fields: Any) -> Json:
    ended = {} if finish is None else {"finishReason": finish}
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **ended, **(about or {})}
    return {"candidates": [candidate], **fields}


def counts(prompt: int, **more: Any) -> Json:
    return {"usageMetadata": {"promptTokenCount": prompt, **more}}


A, B = {"text": "a"}, {"text": "b"}
THREE, FOUR = counts(3, totalTokenCount=3), counts(4, totalTokenCount=4)
NO_TOTAL = counts(9)


@pytest.mark.parametrize(
    ("frames", "prompt"),
    [
        ([gem(A), gem(B, **THREE), gem(B, **NO_TOTAL), gem(B, finish="STOP")], 3),
        ([gem(A), gem(B, **THREE), gem(B, finish="STOP", about={"safetyRatings": []}, **NO_TOTAL)], 3),
        ([gem(A, **THREE), gem(B, **NO_TOTAL), gem(B, finish="STOP")], 3),
        ([gem(A, **NO_TOTAL), gem(B, **THREE), gem(B, finish="STOP")], 3),
        ([gem(A), gem(B, **NO_TOTAL), gem({"text": ""}, finish="STOP", **FOUR)], 4),
        ([gem(A), gem(B, **THREE), gem(B, **FOUR), gem(B, finish="STOP")], 4),
    ],
    ids=range(6),
)
def test_the_last_counts_with_a_total_are_the_counts_and_others_say_nothing(frames: list[Json], prompt: int) -> None:
    response = assemble(read(GEMINI, frames))
    assert asked(response) == prompt
    assert response.ext is None


@pytest.mark.parametrize(
    "frames",
    [
        [gem(A), gem(B, **NO_TOTAL), gem(B, finish="STOP")],
        [gem(A, **counts(1)), gem(B, **NO_TOTAL), gem(B, finish="STOP")],
        [gem(A), gem(B, **counts(1)), gem({"text": ""}, finish="STOP", **NO_TOTAL)],
    ],
    ids=["by one look", "after others", "carefully"],
)
def test_where_no_counts_have_a_total_the_last_are_kept_as_they_came(frames: list[Json]) -> None:
    response = assemble(read(GEMINI, frames))
    assert (response.usage, response.ext) == (None, {"gemini": {"usageMetadata": {"promptTokenCount": 9}}})


def test_counts_that_cannot_be_read_fail_a_stream_once_at_its_end() -> None:
    events = read(GEMINI, [gem(A), gem(B, **counts(3, totalTokenCount=3, promptTokensDetails=5)), gem(finish="STOP")])
    assert [type(event) for event in events].count(Failed) == 1
    assert isinstance(events[-1], Failed)


ODD = counts(3, totalTokenCount=3, promptTokensDetails=5)
ERROR: Json = {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize(
    ("frames", "before"),
    [
        ([gem(A), gem(B, **THREE), ERROR], [Started, PartStarted, PartDelta, UsageReported]),
        ([gem(A), gem({"text": "é", "thoughtSignature": "AAA="}, **ODD)], [Started, *[PartStarted, PartEnded] * 2]),
        ([gem(A, **ODD)], [Started, PartStarted]),
    ],
    ids=["counts", "parts of the same frame", "the first frame"],
)
def test_what_came_before_a_failure_is_told_before_it(frames: list[Json], before: list[type[Event]]) -> None:
    assert [type(event) for event in read(GEMINI, frames)] == [*before, Failed]


def test_sources_are_told_of_the_characters_that_came_by_one_look() -> None:
    support = {"segment": {"startIndex": 3, "endIndex": 4, "text": "c"}, "groundingChunkIndices": [0]}
    found = {"groundingChunks": [{"web": {"uri": URL, "title": "A"}}], "groundingSupports": [support]}
    frames = [gem(A), gem({"text": "é"}), gem({"text": "c"}, finish="STOP", about={"groundingMetadata": found})]
    assert only(read(GEMINI, frames)).citations == (Citation(2, 3, URL, "A"),)


CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}


@pytest.mark.parametrize(
    ("frames", "uses"),
    [
        ([gem(CODE, **THREE), gem(A, finish="STOP")], [{"code_execution": 1}]),
        ([gem(A, **THREE), gem(CODE, finish="STOP")], [{}, {"code_execution": 1}]),
        ([gem(CODE), gem(A, finish="STOP")], []),
    ],
    ids=["before the counts", "after them", "without any"],
)
def test_uses_of_tools_are_told_with_the_counts_and_again_where_more_came(frames: list[Json], uses: list[Any]) -> None:
    assert [event.uses for event in read(GEMINI, frames) if isinstance(event, UsageReported)] == uses


def test_uses_are_told_again_once() -> None:
    reader = GEMINI.reader(reading())
    for frame in framed([gem(A, **THREE), gem(CODE)]):
        reader.feed(frame)
    assert [len(reader.put_off()), len(reader.put_off())] == [1, 0]


def test_why_a_candidate_ended_stays_said_though_its_end_is_said_again() -> None:
    said = gem(A, finish="OTHER", about={"finishMessage": "Because."})
    finish = only(read(GEMINI, [said, gem(B, finish="OTHER")])).finish
    assert finish is not None
    assert finish.message == "Because."


BLOCKED: Json = {"promptFeedback": {"blockReason": "SAFETY"}}


@pytest.mark.parametrize(
    ("frames", "blocked"),
    [
        ([BLOCKED], [True]),
        ([BLOCKED, {"responseId": "r"}], [True]),
        ([{**gem(A, finish="STOP"), **BLOCKED}], [False]),
    ],
    ids=["alone", "and then nothing", "beside a candidate"],
)
def test_a_prompt_is_blocked_where_no_candidate_answers_it(frames: list[Json], blocked: list[bool]) -> None:
    finishes = [event.finish for event in read(GEMINI, frames) if isinstance(event, CandidateFinished)]
    assert [finish.prompt_blocked for finish in finishes] == blocked


def cut(piece: Json, finish: Any) -> list[Json]:
    call = {"name": "look", "partialArgs": [{"jsonPath": "$.at", **piece}], "willContinue": True}
    return [gem({"functionCall": call}), gem(finish=finish)]


OPEN = {"stringValue": "Par", "willContinue": True}
PARIS = ['{"at":"Par"}']


@pytest.mark.parametrize("finish", ["MAX_TOKENS", 2])
@pytest.mark.parametrize(
    ("piece", "called"), [(OPEN, []), ({"stringValue": "Par"}, PARIS)], ids=["in a text", "between arguments"]
)
def test_a_limit_takes_a_call_whose_text_it_cut(piece: Json, called: list[str], finish: Any) -> None:
    parts = only(read(GEMINI, cut(piece, finish))).parts
    assert [part.arguments for part in parts if isinstance(part, ToolCall)] == called


# -- Anthropic's


def opened(kind: str, index: int | None = 0, **fields: Any) -> Json:
    at = {} if index is None else {"index": index}
    return {"type": "content_block_start", **at, "content_block": {"type": kind, **fields}}


def more(kind: str, index: int = 0, **fields: Any) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stopped(index: int = 0) -> Json:
    return {"type": "content_block_stop", "index": index}


def ended(reason: Any = "end_turn", **fields: Any) -> Json:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **fields}}


BEGINS: Json = {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 3}}}
STOPS: Json = {"type": "message_stop"}
SOURCE: Json = {"type": "web_search_result_location", "url": URL, "title": "A"}
PLACE: Json = {"type": "char_location", "cited_text": "x"}


def claude(*bodies: Json, **about: Any) -> list[Event]:
    return read(CLAUDE, [BEGINS, *bodies, STOPS], **about)


CITED = [opened("text", 1, text=""), more("text_delta", 1, text="you"), more("citations_delta", 1, citation=SOURCE)]


@pytest.mark.parametrize(
    ("before", "place"),
    [
        ([opened("text", text=""), more("text_delta", text="Hi"), more("text_delta", text=" "), stopped()], (3, 6)),
        ([opened("text", text="Hi"), more("text_delta", text=" "), stopped()], (3, 6)),
        ([opened("thinking", thinking=""), more("thinking_delta", thinking="Hm"), stopped()], (0, 3)),
        ([], (0, 3)),
    ],
    ids=["a text", "a text that was begun with some", "thoughts", "nothing"],
)
def test_sources_are_told_of_their_block_in_all_the_text(before: list[Json], place: tuple[int, int]) -> None:
    assert only(claude(*before, *CITED, stopped(1), ended())).citations == (Citation(*place, URL, "A"),)


def test_sources_without_an_address_are_told_by_the_number_of_their_block() -> None:
    bodies = [opened("text", text="a"), stopped(), opened("text", 1, text="b", citations=[PLACE]), stopped(1), ended()]
    assert only(claude(*bodies)).ext == {"anthropic_messages": {"citations": [{"block": 1, "citations": [PLACE]}]}}


def test_a_block_without_an_index_is_the_next() -> None:
    bodies = [opened("text", text="a"), stopped(), opened("text", None, text=""), more("text_delta", 1, text="b")]
    assert only(claude(*bodies, stopped(1), ended())).parts == (Text("a"), Text("b"))


def test_of_a_text_without_sources_nothing_is_said_but_the_text() -> None:
    assert not [event for event in claude(opened("text", text="a"), stopped(), ended()) if isinstance(event, Annotated)]


@pytest.mark.parametrize(
    ("start", "pieces", "part"),
    [
        ({"signature": ""}, ["sea", "led"], Reasoning("Hm", Signature("anthropic", "sealed"))),
        ({"signature": "sea"}, ["led"], Reasoning("Hm", Signature("anthropic", "sealed"))),
        ({}, [], Reasoning("Hm")),
        ({}, [wrapped(Signature("openai", "gAAAA"))], Reasoning("Hm", Signature("openai", "gAAAA"))),
        ({"signature": wrapped(Signature("openai", "gA"))}, [], Reasoning("Hm", Signature("openai", "gA"))),
    ],
    ids=["in pieces", "begun at once", "none", "another's", "another's at once"],
)
def test_thoughts_are_sealed_by_all_that_came_of_their_seal(start: Json, pieces: list[str], part: Part) -> None:
    seals = [more("signature_delta", signature=piece) for piece in pieces]
    bodies = [opened("thinking", thinking="Hm", **start), *seals, stopped(), ended()]
    assert only(claude(*bodies)).parts == (part,)


@pytest.mark.parametrize("at_once", [True, False])
def test_googles_seal_on_thoughts_is_of_the_text_that_follows(at_once: bool) -> None:
    blob = wrapped(GOOGLE)
    start = opened("thinking", thinking="Hm", signature=blob if at_once else "")
    rest = [] if at_once else [more("signature_delta", signature=blob)]
    bodies = [start, *rest, stopped(), opened("text", 1, text=""), more("text_delta", 1, text="a"), stopped(1), ended()]
    assert only(claude(*bodies)).parts == (Reasoning("Hm"), Text("a", GOOGLE))


def test_a_block_that_is_nothing_but_googles_seal_is_no_thought() -> None:
    start = opened("thinking", thinking="", signature=wrapped(GOOGLE))
    bodies = [start, stopped(), opened("text", 1, text="a"), stopped(1), ended()]
    assert only(claude(*bodies)).parts == (Text("a", GOOGLE),)


@pytest.mark.parametrize(("pieces", "arguments"), [(['{"a"', ":1}"], '{"a":1}'), ([""], "{}"), ([], "{}")])
def test_a_call_is_given_what_came_in_pieces_or_an_empty_object(pieces: list[str], arguments: str) -> None:
    more_ = [more("input_json_delta", partial_json=piece) for piece in pieces]
    bodies = [opened("tool_use", id="toolu_1", name="f", input={}), *more_, stopped(), ended("tool_use")]
    assert only(claude(*bodies)).parts == (ToolCall("toolu_1", "f", arguments),)


def test_a_null_beside_how_a_message_ended_says_nothing() -> None:
    assert not [event for event in claude(*TEXT, {**ended(), "context": None}) if isinstance(event, Annotated)]


TEXT = [opened("text", text="a"), stopped()]


@pytest.mark.parametrize(
    "bodies",
    [
        [ended("stop_sequence", stop_sequence="END"), ended(None, stop_sequence=None)],
        [ended(None, stop_sequence="END"), ended("stop_sequence")],
    ],
    ids=["then nothing", "in pieces"],
)
def test_how_a_message_ended_is_all_that_was_said_of_it(bodies: list[Json]) -> None:
    candidate = only(claude(*TEXT, *bodies))
    assert candidate.finish is not None
    assert (candidate.finish.reason, candidate.finish.raw) == (FinishReason.STOP, "stop_sequence")
    assert candidate.ext == {"anthropic_messages": {"stop_sequence": "END"}}


def test_counts_that_are_null_later_stay_and_each_report_is_its_own() -> None:
    end = {**ended(), "usage": {"input_tokens": None, "output_tokens": 2}}
    first, last = [event for event in claude(*TEXT, end) if isinstance(event, UsageReported)]
    assert (first.raw, last.raw) == ({"input_tokens": 3}, {"input_tokens": 3, "output_tokens": 2})
    assert total(last.usage.input_uncached) == 3


# -- Chat's


def chunk(finish: str | None = None, about: Json | None = None, **delta: Any) -> Json:
    return {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **(about or {})}]}


def google(**fields: Any) -> Json:
    return {"extra_content": {"google": fields}}


FEEDBACK = google(prompt_feedback={"block_reason": "SAFETY"})


@pytest.mark.parametrize(
    ("ends", "parts"),
    [([chunk("content_filter")], ("No.",)), ([chunk(**FEEDBACK), chunk("content_filter")], ())],
    ids=["of the model", "of the prompt"],
)
def test_a_refusal_is_a_text_unless_it_retells_that_the_prompt_was_blocked(
    ends: list[Json], parts: tuple[str, ...]
) -> None:
    texts = only(read(CHAT, [chunk(refusal="No."), *ends])).parts
    assert tuple(part.text for part in texts if isinstance(part, Text)) == parts


def test_a_signed_text_among_parts_is_a_part_of_its_own() -> None:
    signed = {"type": "text", "text": "b", **google(thought_signature="c2lnbg==")}
    parts = only(read(CHAT, [chunk(content="a"), chunk(content=[signed]), chunk(content="c"), chunk("stop")])).parts
    assert parts == (Text("a"), Text("b", Signature("google", "c2lnbg==")), Text("c"))


@pytest.mark.parametrize("logprobs", [None, {}, {"content": []}, {"content": None}])
def test_of_no_token_nothing_is_told(logprobs: Any) -> None:
    events = read(CHAT, [chunk(content="a", about={"logprobs": logprobs}), chunk("stop")])
    assert not [event for event in events if isinstance(event, Annotated)]


def test_addresses_cited_once_are_a_search_however_many_chunks_follow() -> None:
    cited = {"type": "url_citation", "url_citation": {"url": URL, "title": "A", "start_index": 0, "end_index": 1}}
    note = {"type": "file_citation", "file_citation": {"file_id": "f"}}
    used = {**chunk("stop"), "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
    once = read(CHAT, [chunk(content="a", annotations=[cited]), used])
    more_ = read(CHAT, [chunk(content="a", annotations=[cited]), chunk(annotations=[note]), used])
    assert assemble(once).uses == assemble(more_).uses
