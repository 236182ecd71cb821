"""What the writer of Anthropic's streams tells of each part, when, and what it says that it cannot (mapping.md 7.3)."""

from typing import Any

import pytest

from dialects.dialect_rows import Json, codes, fed, reply, whole
from portico.core.envelope import wrapped
from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Citation, Finish, FinishReason, TokenLogprob, TopLogprob
from portico.core.usage import Usage
from portico.dialects.anthropic_messages import DIALECT
from portico.wire import jsontext

GOOGLE = Signature("google", "AAA=")
OWN = Signature("anthropic", "sealed")
STOP = Finish(FinishReason.STOP, "end_turn")
TEXT, THOUGHT, CALL = Text("Hi"), Reasoning("Hm"), ToolCall("call_1", "f", '{"a":')


def told(*events: Event, **about: Any) -> tuple[list[Json], list[str]]:
    """What is told of an answer that ends with these events, and what is said to be lost."""
    writer = DIALECT.writer(reply(**{"thoughts": True, "seals": True, **about}))
    frames = fed(writer, Started("msg_1", "m"), *events, Finished())
    return [jsontext.decode(data) for data in frames], codes(writer.losses)


def blocks(bodies: list[Json]) -> list[Json]:
    return [body["content_block"] for body in bodies if "content_block" in body]


def pieces(bodies: list[Json], name: str) -> list[Any]:
    """(index, piece) of every delta of a kind."""
    return [(body["index"], body["delta"][name]) for body in bodies if name in body.get("delta", {})]


# -- more of an open part, told by one look


@pytest.mark.parametrize(
    ("part", "about"),
    [(TEXT, {}), (THOUGHT, {}), (CALL, {}), (CALL, {"thoughts": False})],
    ids=["text", "thoughts", "a call", "a call of who sees no thoughts"],
)
def test_more_of_an_open_part_is_told_by_one_look_as_it_would_be_otherwise(part: Part, about: Json) -> None:
    writer = DIALECT.writer(reply(**{"thoughts": True, **about}))
    for event in (*whole(0, TEXT), PartStarted(0, 1, part)):
        writer.feed(event)
    around = writer.around(0, 1)
    assert around is not None
    (frame,) = writer.feed(PartDelta(0, 1, "x"))
    assert (around.before + b'"x"' + around.after, around.event) == (frame.data, frame.event)


@pytest.mark.parametrize(
    ("part", "about"),
    [
        (Text(""), {}),
        (Reasoning("Hm", redacted=True), {}),
        (THOUGHT, {"thoughts": False}),
        (ToolCall("call_1", "f", "a", "custom"), {}),
        (Media("image/png", data="iV"), {}),
    ],
    ids=["a text not begun", "thoughts nobody may see", "hidden thoughts", "a call of free text", "a picture"],
)
def test_a_part_without_a_block_on_the_wire_has_no_short_way(part: Part, about: Json) -> None:
    writer = DIALECT.writer(reply(**{"thoughts": True, **about}))
    writer.feed(PartStarted(0, 0, part))
    assert writer.around(0, 0) is None


def test_a_part_that_waits_has_no_short_way() -> None:
    writer = DIALECT.writer(reply())
    writer.feed(PartStarted(0, 0, CALL))
    writer.feed(PartStarted(0, 1, TEXT))
    assert writer.around(0, 1) is None


def test_a_text_that_grew_by_the_short_way_has_its_length() -> None:
    writer = DIALECT.writer(reply())
    cited = (Citation(6, 7, "https://a.example"),)
    for event in (Started(), PartStarted(0, 0, TEXT)):
        writer.feed(event)
    writer.note(PartDelta(0, 0, " you"))
    rest = [PartEnded(0, 0), *whole(1, CALL), PartStarted(0, 2, Text("b")), Annotated(0, citations=cited), Finished()]
    sent = [jsontext.decode(frame.data) for event in rest for frame in writer.feed(event)]
    assert [index for index, _ in pieces(sent, "citation")] == [2]


# -- parts and their seals


def test_all_that_waited_for_a_part_is_told_when_it_ends() -> None:
    calls = [ToolCall(f"call_{number}", "f", "{}") for number in range(3)]
    started = [PartStarted(0, number, call) for number, call in enumerate(calls)]
    sent, _ = told(*started, *[PartEnded(0, number) for number in (2, 1, 0)])
    assert [block["id"] for block in blocks(sent)] == ["call_0", "call_1", "call_2"]


SEAL = {"type": "redacted_thinking", "data": wrapped(GOOGLE)}
PICTURE = {"type": "base64", "media_type": "image/png", "data": "iVBO"}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (whole(0, Text("Hi", GOOGLE)), [SEAL, {"type": "text", "text": ""}]),
        (
            [PartStarted(0, 0, Media("image/png", data="iV")), PartDelta(0, 0, "BO"), PartEnded(0, 0)],
            [{"type": "image", "source": PICTURE}],
        ),
        (
            whole(0, ToolCall("call_1", "f", "x", "custom"), GOOGLE),
            [
                {"type": "redacted_thinking", "data": wrapped(GOOGLE, "call_1")},
                {"type": "tool_use", "id": "call_1", "name": "f", "input": {}},
            ],
        ),
    ],
    ids=["before a signed text its seal", "a picture in pieces", "before a signed call of free text its seal"],
)
def test_what_is_told_whole_is_told_in_blocks_of_its_own(events: list[Event], expected: list[Json]) -> None:
    assert blocks(told(*events)[0]) == expected


def test_a_call_of_free_text_is_told_all_its_text() -> None:
    call = ToolCall("call_1", "f", "ab", "custom")
    sent, _ = told(PartStarted(0, 0, call), PartDelta(0, 0, "c"), PartEnded(0, 0))
    assert pieces(sent, "partial_json") == [(0, '{"input":"abc"}')]


def test_a_tool_that_was_given_nothing_is_told_no_arguments() -> None:
    used = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    sent, _ = told(*whole(0, Opaque("anthropic_messages", used)))
    assert (blocks(sent), pieces(sent, "partial_json")) == ([used], [])


@pytest.mark.parametrize(
    ("about", "shown", "signed"),
    [
        ({"thoughts": True, "seals": False}, ["Hm"], True),
        ({"thoughts": False, "seals": True}, [], True),
        ({"thoughts": False, "seals": False}, [], False),
    ],
    ids=["who sees thoughts", "who only brings them back", "who asked for none"],
)
def test_a_seal_is_told_to_who_sees_thoughts_or_brings_them_back(about: Json, shown: list[str], signed: bool) -> None:
    sent, _ = told(*whole(0, THOUGHT, OWN), **about)
    assert [text for _, text in pieces(sent, "thinking")] == shown
    assert pieces(sent, "signature") == ([(0, "sealed")] if signed else [])
    assert len(blocks(sent)) == (1 if shown or signed else 0)


def test_the_seal_that_thoughts_end_with_is_theirs() -> None:
    sent, _ = told(*whole(0, Reasoning("Hm", Signature("anthropic", "first")), OWN))
    assert pieces(sent, "signature") == [(0, "sealed")]


# -- sources


A = Citation(0, 2, "https://a.example")


@pytest.mark.parametrize(
    ("events", "at", "lost"),
    [
        ([Annotated(0, citations=(A,)), *whole(0, TEXT), *whole(1, CALL)], [0], []),
        ([*whole(0, TEXT), *whole(1, CALL), PartStarted(0, 2, Text("b")), Annotated(0, citations=(A,))], [], [1]),
        ([PartStarted(0, 0, TEXT), Annotated(1, citations=(A,)), PartEnded(0, 0)], [], []),
        ([PartStarted(0, 0, Reasoning("Hm")), Annotated(0, citations=(A,)), PartEnded(0, 0)], [], [1]),
        ([Annotated(0, citations=(Citation(0, 0, "https://a.example"),)), *whole(0, THOUGHT)], [], [1]),
    ],
    ids=["before their text", "after another text began", "of another candidate", "among thoughts", "without a text"],
)
def test_sources_are_told_in_the_block_they_are_of_or_said_to_be_lost(
    events: list[Event], at: list[int], lost: list[int]
) -> None:
    sent, losses = told(*events)
    assert [index for index, _ in pieces(sent, "citation")] == at
    assert losses == ["7.2:citations" for _ in lost]


def test_a_source_is_told_as_soon_as_it_is_known() -> None:
    writer = DIALECT.writer(reply())
    writer.feed(PartStarted(0, 0, TEXT))
    (frame,) = writer.feed(Annotated(0, citations=(A,)))
    assert jsontext.decode(frame.data)["delta"]["type"] == "citations_delta"


def test_a_source_of_a_text_that_is_still_to_come_waits_for_it_whatever_else_is_said() -> None:
    later = Annotated(0, citations=(Citation(2, 4, "https://a.example"),))
    sent, _ = told(PartStarted(0, 0, TEXT), later, LIKELY, PartEnded(0, 0), *whole(1, CALL), *whole(2, Text("bb")))
    assert [index for index, _ in pieces(sent, "citation")] == [2]


def test_a_source_that_names_no_block_that_is_told_is_lost() -> None:
    said = Annotated(0, {"anthropic_messages": {"citations": [{"block": 7, "citations": [{"type": "x"}]}]}})
    sent, losses = told(*whole(0, TEXT), said)
    assert (pieces(sent, "citation"), losses) == ([], ["2.1:answer_ext"])


# -- what is said beside the parts


CONTAINER = Annotated(None, {"anthropic_messages": {"container": {"id": "c"}}})


def test_what_is_said_of_the_whole_is_told_at_the_beginning_or_else_at_the_end() -> None:
    sent, _ = told(CONTAINER, *whole(0, TEXT))
    assert (sent[0]["message"]["container"], sent[-2]["delta"].get("container")) == ({"id": "c"}, None)
    sent, _ = told(*whole(0, TEXT), CONTAINER)
    assert (sent[0]["message"].get("container"), sent[-2]["delta"]["container"]) == (None, {"id": "c"})


def test_how_the_first_candidate_ended_is_how_the_message_ended() -> None:
    length = Finish(FinishReason.LENGTH, "max_tokens")
    place = Annotated(0, {"anthropic_messages": {"stop_sequence": "END"}})
    sent, _ = told(*whole(0, TEXT), place, CandidateFinished(0, STOP), CandidateFinished(1, length))
    assert sent[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": "END"}


def test_the_last_counts_tell_the_uses_of_tools() -> None:
    sent, _ = told(*whole(0, TEXT), UsageReported(Usage(), uses={"web_search": 2}))
    assert sent[-2]["usage"]["server_tool_use"]["web_search_requests"] == 2


LIKELY = Annotated(0, logprobs=(TokenLogprob(TopLogprob("Hi", -0.5)),))


@pytest.mark.parametrize(
    ("events", "lost"),
    [
        ([LIKELY, LIKELY], ["7.5:logprobs"]),
        ([Annotated(0, searches=("a?",))], ["7.2:searches"]),
        ([UsageReported(Usage(ext={"gemini": {"x": 1}}))], ["2.1:answer_ext"]),
        ([UsageReported(Usage(), "flex")], ["1.1:service_tier"]),
        ([CandidateFinished(0, Finish(FinishReason.OTHER, "LANGUAGE"))], ["2.5:finish"]),
    ],
    ids=["how likely tokens were", "searches", "counts of another provider", "a tier", "an ending"],
)
def test_what_a_stream_of_anthropics_cannot_say_is_lost_once(events: list[Event], lost: list[str]) -> None:
    assert told(*whole(0, TEXT), *events)[1] == lost
