"""What writers keep of events that say less than those before them (`core/events.py`), and what Chat's numbers and leaves
out."""

from typing import Any

import pytest

from dialects.dialect_rows import fed, whole
from portico.core.dialect import Dialect, Reply
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
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.dialects.openai_chat.response import REFUSAL
from portico.wire import jsontext

VENDOR = "google"

WRITERS = [openai_chat.DIALECT, openai_responses.DIALECT, anthropic_messages.DIALECT, gemini.DIALECT]
CITED = (Citation(0, 2, "https://a.example", "A"),)
COUNTS = Usage(input_uncached={"text": 3}, output_visible={"text": 5})
TOKENS = (TokenLogprob(TopLogprob("Hi", -0.5)),)
LATE: dict[str, tuple[list[Event], list[Event]]] = {
    "a tier": ([UsageReported(COUNTS, "flex"), UsageReported(COUNTS)], [UsageReported(COUNTS, "flex")]),
    "sources": (
        [Annotated(0, citations=CITED), Annotated(0, searches=("a?",))],
        [Annotated(0, citations=CITED, searches=("a?",))],
    ),
    "searches": (
        [Annotated(0, searches=("a?",)), Annotated(0, citations=CITED)],
        [Annotated(0, citations=CITED, searches=("a?",))],
    ),
    "both, and then how likely the text was": (
        [Annotated(0, citations=CITED, searches=("a?",)), Annotated(0, logprobs=TOKENS)],
        [Annotated(0, citations=CITED, searches=("a?",), logprobs=TOKENS)],
    ),
}


def told(dialect: Dialect, *parts: Part, said: list[Event]) -> list[bytes]:
    """The frames of an answer of which this is said at its end."""
    events: list[Event] = [Started("x", "m")]
    for number, part in enumerate(parts):
        events += whole(number, part)
    events += [*said, CandidateFinished(0, Finish(FinishReason.STOP)), Finished()]
    writer = dialect.writer(Reply("x", 1, model="m", include_usage=True))
    return fed(writer, *events)


@pytest.mark.parametrize("dialect", WRITERS, ids=[one.name for one in WRITERS])
@pytest.mark.parametrize(("said", "same"), LATE.values(), ids=LATE)
def test_what_is_not_told_again_stays(dialect: Dialect, said: list[Event], same: list[Event]) -> None:
    assert told(dialect, Text("Hi"), said=said) == told(dialect, Text("Hi"), said=same)


@pytest.mark.parametrize("dialect", WRITERS, ids=[one.name for one in WRITERS])
def test_the_model_is_called_what_the_caller_calls_it(dialect: Dialect) -> None:
    writer = dialect.writer(Reply("x", 1, model="mine"))
    frames = b"".join(fed(writer, Started("x", "theirs"), *whole(0, Text("Hi")), Finished()))
    assert b'"mine"' in frames
    assert b"theirs" not in frames


def test_the_last_chunk_says_at_which_tier_and_each_when_the_answer_was_made() -> None:
    writer = openai_chat.DIALECT.writer(Reply("x", 1, include_usage=True))
    said = UsageReported(COUNTS, "flex")
    first, *_, last, _ = fed(writer, Started("x", "m", 7), PartStarted(0, 0, Text("Hi")), said, Finished())
    assert (jsontext.decode(first)["created"], jsontext.decode(last)["created"]) == (7, 7)
    assert jsontext.decode(last)["service_tier"] == "flex"


THOUGHT, TEXT, CALL = Reasoning("Hm"), Text("Hi"), ToolCall("call_1", "look", "{}")
OPAQUE = Opaque("gemini", {"executableCode": {"code": "1"}})


@pytest.mark.parametrize(
    ("parts", "lost"),
    [
        ((THOUGHT, TEXT, CALL), 0),
        ((TEXT, TEXT), 0),
        ((TEXT, THOUGHT), 1),
        ((TEXT, THOUGHT, CALL), 1),
        ((CALL, TEXT), 1),
        ((OPAQUE, TEXT), 1),
        ((CALL, OPAQUE), 0),
    ],
)
def test_an_order_that_chat_cannot_tell_is_lost_once(parts: tuple[Part, ...], lost: int) -> None:
    writer = openai_chat.DIALECT.writer(Reply("x", 1, thoughts=True))
    for number, part in enumerate(parts):
        fed(writer, *whole(number, part))
    writer.feed(CandidateFinished(0, Finish(FinishReason.STOP)))
    assert [loss.code for loss in writer.losses] == ["2.2:order"] * lost


@pytest.mark.parametrize(
    ("part", "quick"), [(TEXT, True), (THOUGHT, True), (CALL, False), (Text("", ext=REFUSAL), False)]
)
def test_a_refusal_is_not_told_quickly_for_it_is_no_content(part: Part, quick: bool) -> None:
    writer = openai_chat.DIALECT.writer(Reply("x", 1, thoughts=True))
    writer.feed(PartStarted(0, 0, part))
    assert (writer.around(0, 0) is not None) is quick


def deltas(reply: Reply, *parts: Part) -> list[Any]:
    """What Chat's chunks tell of an answer's parts."""
    writer = openai_chat.DIALECT.writer(reply)
    events: list[Event] = []
    for number, part in enumerate(parts):
        events += [PartStarted(0, number, part), PartDelta(0, number, ""), PartEnded(0, number)]
    chunks = [jsontext.decode(data) for data in fed(writer, *events)]
    return [chunk["choices"][0]["delta"] for chunk in chunks][1:]


def test_of_several_calls_a_client_of_the_older_functions_is_told_the_first() -> None:
    told = deltas(Reply("x", 1, legacy_functions=True), CALL, ToolCall("call_2", "see", "{}"))
    assert [one["function_call"]["name"] for one in told if one.get("function_call", {}).get("name")] == ["look"]
    assert all(set(one) == {"function_call"} for one in told[:2])
    assert len(told) == 2


def test_an_empty_piece_of_a_text_is_not_told() -> None:
    assert deltas(Reply("x", 1), TEXT) == [{"content": "Hi"}]


def test_pictures_are_numbered() -> None:
    picture = Media("image/png", "aGk=")
    told = deltas(Reply("x", 1, image_form="images"), picture, picture)
    assert [one["images"][0]["index"] for one in told] == [0, 1]


def test_details_of_thoughts_and_signed_calls_are_numbered() -> None:
    signed = [ToolCall(f"call_{n}", "look", "{}", signature=Signature(VENDOR, f"sig{n}")) for n in range(2)]
    told = deltas(Reply("x", 1, thoughts=True, reasoning_details=True), THOUGHT, *signed)
    assert [one["index"] for delta in told for one in delta.get("reasoning_details", ())] == [0, 1, 2]
