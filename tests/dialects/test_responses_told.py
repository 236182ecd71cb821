"""What the writer of Responses streams tells of each item, when, and what it says that it cannot (mapping.md 7.3, 7.4)."""

from typing import Any

import pytest

from dialects.dialect_rows import Json, codes, fed, reply, whole
from portico.core.envelope import wrapped
from portico.core.errors import UpstreamOverloaded
from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Failed,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Citation, Finish, FinishReason
from portico.core.usage import Usage
from portico.dialects.openai_responses import DIALECT
from portico.wire import jsontext

GOOGLE, OWN = Signature("google", "AAA="), Signature("openai", "gAAAA")
STOP = Finish(FinishReason.STOP, "STOP")
TEXT, CALL = Text("Hi"), ToolCall("call_1", "f", "{}")
STARTED = Started("r1", "m", 7)


def told(*events: Event, **about: Any) -> tuple[list[Json], list[str]]:
    """What is told of a stream of these events, and what is said to be lost."""
    writer = DIALECT.writer(reply(**{"thoughts": True, **about}))
    return [jsontext.decode(data) for data in fed(writer, *events)], codes(writer.losses)


def answer(*events: Event, **about: Any) -> Json:
    """The response that the last event holds."""
    last: Json = told(STARTED, *events, Finished(), **about)[0][-1]["response"]
    return last


def output(*events: Event, **about: Any) -> list[Json]:
    items: list[Json] = answer(*events, **about)["output"]
    return items


def own(**fields: Any) -> Any:
    return {"openai_responses": fields}


def kinds(items: list[Json]) -> list[str]:
    return [item["type"] for item in items]


# -- beginning and end


def test_only_the_first_candidate_is_told() -> None:
    other: list[Event] = [
        PartStarted(1, 0, Text("no")),
        PartDelta(1, 0, "no"),
        PartEnded(1, 0),
        Annotated(1, citations=(Citation(0, 1, "https://a.example"),)),
        CandidateFinished(1, Finish(FinishReason.LENGTH, "MAX_TOKENS")),
    ]
    first = [*whole(0, TEXT), CandidateFinished(0, STOP)]
    assert told(STARTED, *first, *other, Finished()) == told(STARTED, *first, Finished())
    growing: list[Event] = [PartStarted(0, 0, TEXT), PartDelta(1, 0, "no"), PartEnded(0, 0)]
    assert output(*growing) == output(*whole(0, TEXT))


@pytest.mark.parametrize(("created", "completed"), [(5, 7), (7, 7), (9, 9)])
def test_an_answer_is_not_complete_before_it_was_made(created: int, completed: int) -> None:
    last = told(Started("r1", "m", created), Finished(), created=7)[0][-1]["response"]
    assert (last["created_at"], last["completed_at"]) == (created, completed)


@pytest.mark.parametrize(
    ("reason", "lost"),
    [(FinishReason.STOP, []), (FinishReason.ERROR, ["2.5:finish"]), (FinishReason.OTHER, ["2.5:finish"])],
)
def test_an_ending_without_a_word_is_lost(reason: FinishReason, lost: list[str]) -> None:
    assert told(STARTED, CandidateFinished(0, Finish(reason, "X")), Finished())[1] == lost


def test_what_an_answer_costs_stands_with_its_counts_if_it_has_any() -> None:
    assert answer(cost=lambda: 1_500_000_000)["usage"] is None
    assert answer(UsageReported(Usage()), cost=lambda: 1_500_000_000)["usage"]["cost"] == 1.5


def test_a_stream_that_fails_before_it_begins_begins_all_the_same() -> None:
    sent, _ = told(Failed(UpstreamOverloaded("Too much.")))
    assert kinds(sent) == ["response.created", "response.in_progress", "error", "response.failed"]
    assert (sent[-1]["response"]["output"], sent[-1]["response"]["status"]) == ([], "failed")


def test_what_is_said_of_nothing_makes_no_field() -> None:
    note = Annotated(0, {"openai_chat": {"annotations": [{"type": "file_citation", "file_id": "f"}]}})
    assert "extra_content" not in answer(*whole(0, TEXT), note)


def test_sources_without_a_text_stand_beside_the_answer() -> None:
    cited = Citation(0, 1, "https://a.example")
    assert answer(Annotated(0, citations=(cited,)))["extra_content"]["citations"][0]["url"] == "https://a.example"


def test_sources_are_numbered_in_their_text_and_told_once() -> None:
    one, two = Citation(0, 1, "https://a.example"), Citation(1, 2, "https://b.example")
    sent, _ = told(STARTED, *whole(0, TEXT), Annotated(0, citations=(one,)), Annotated(0, citations=(one, two)))
    notes = [body for body in sent if "annotation" in body]
    assert [(body["annotation_index"], body["annotation"]["url"]) for body in notes] == [(0, one.url), (1, two.url)]


def test_what_is_lost_is_said_once() -> None:
    draft = Media("image/png", data="iVBO", thought=True)
    assert told(STARTED, *whole(0, draft), *whole(1, draft), Finished())[1] == ["2.2:draft"]


# -- messages


def test_a_message_is_in_progress_until_it_is_complete() -> None:
    sent, _ = told(STARTED, *whole(0, TEXT), Finished())
    items = [body["item"] for body in sent if "item" in body]
    assert [(item["status"], len(item["content"])) for item in items] == [("in_progress", 0), ("completed", 1)]


PHASED = own(id="msg_1", phase="commentary")


@pytest.mark.parametrize(
    ("parts", "contents"),
    [
        ([TEXT, TEXT], [["output_text"]]),
        (
            [TEXT, Text("No.", ext={"openai_chat": {"refusal": True}}), TEXT],
            [["output_text", "refusal", "output_text"]],
        ),
        ([Text("a", ext=own(id="msg_1")), Text("b", ext=own(id="msg_2"))], [["output_text"]] * 2),
        ([Text("a", ext=PHASED), Text("b", ext=PHASED)], [["output_text"]]),
        ([Text("a", ext=PHASED), TEXT], [["output_text"]] * 2),
    ],
    ids=["texts", "a refusal between", "of two messages", "of one phase", "of a phase and of none"],
)
def test_texts_share_a_message_as_far_as_they_are_of_one(parts: list[Part], contents: list[list[str]]) -> None:
    items = output(*[event for number, part in enumerate(parts) for event in whole(number, part)])
    assert [[entry["type"] for entry in item["content"]] for item in items] == contents


def test_a_part_begins_empty_and_ends_whole() -> None:
    blocked = Finish(FinishReason.CONTENT_FILTER, "SAFETY", "No.", prompt_blocked=True)
    sent, _ = told(STARTED, CandidateFinished(0, blocked), Finished())
    assert [body["part"]["refusal"] for body in sent if "part" in body] == ["", "No."]


def seals(items: list[Json]) -> list[str]:
    return [item["encrypted_content"] if item["type"] == "reasoning" else item["type"] for item in items]


SEAL = wrapped(GOOGLE)
PICTURE = Media("image/png", data="iVBO", ext=own(id="ig_1"))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([*whole(0, TEXT, GOOGLE), *whole(1, CALL)], ["message", SEAL, "function_call"]),
        ([*whole(0, Text("Hi", GOOGLE)), *whole(1, CALL)], [SEAL, "message", "function_call"]),
        ([PartStarted(0, 0, Text("", GOOGLE)), PartDelta(0, 0, "Hi"), PartEnded(0, 0)], [SEAL, "message"]),
        (whole(0, Text("", GOOGLE), OWN), [SEAL, "gAAAA"]),
        (whole(0, Reasoning("", GOOGLE, redacted=True)), [wrapped(GOOGLE, "redacted_thinking")]),
        (whole(0, PICTURE, GOOGLE), [wrapped(GOOGLE, "ig_1"), "image_generation_call"]),
    ],
    ids=["behind a text", "before it", "before a text that grows", "twice", "of what nobody may see", "of a picture"],
)
def test_a_seal_stands_in_an_item_of_its_own(events: list[Event], expected: list[str]) -> None:
    assert seals(output(*events)) == expected


# -- thoughts


def thoughts(items: list[Json]) -> list[Any]:
    """Of every reasoning item what it holds, summed up and in full."""
    return [
        ([one["text"] for one in item["summary"]], [one["text"] for one in item.get("content", ())]) for item in items
    ]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([Reasoning("a", ext=own(id="rs_1")), Reasoning("b", ext=own(id="rs_2"))], [(["a"], []), (["b"], [])]),
        ([Reasoning("a"), Reasoning("b", ext=own(content=True))], [(["a"], ["b"])]),
        ([Reasoning("a", ext=own(content=True)), Reasoning("b"), Reasoning("c")], [(["bc"], ["a"])]),
        ([Reasoning("a"), Reasoning("\n\nb")], [(["a", "b"], [])]),
        ([Reasoning(""), Reasoning("\n\nb")], [(["\n\nb"], [])]),
    ],
    ids=["of two items", "then in full", "in full first", "of two entries", "of one"],
)
def test_thoughts_are_entries_of_the_item_they_are_of(parts: list[Part], expected: list[Any]) -> None:
    assert thoughts(output(*[event for number, part in enumerate(parts) for event in whole(number, part)])) == expected


def test_an_entry_of_thoughts_begins_empty_in_an_item_that_does_too() -> None:
    sent, _ = told(STARTED, *whole(0, Reasoning("Hm", OWN)), Finished())
    (added,) = [body["item"] for body in sent if body["type"] == "response.output_item.added"]
    assert added["summary"] == []
    assert [body["part"]["text"] for body in sent if "part" in body] == ["", "Hm"]


def test_thoughts_that_are_sealed_late_end_nothing_else() -> None:
    events: list[Event] = [PartStarted(0, 0, Reasoning("Hm")), PartStarted(0, 1, Text("Hi")), PartEnded(0, 0, OWN)]
    items = output(*events, PartDelta(0, 1, " you"), PartEnded(0, 1))
    assert kinds(items) == ["reasoning", "message"]
    assert (items[0]["encrypted_content"], items[1]["content"][0]["text"]) == ("gAAAA", "Hi you")


def test_hidden_thoughts_that_are_sealed_keep_their_items_name() -> None:
    (item,) = output(*whole(0, Reasoning("Hm", ext=own(id="rs_9")), OWN), thoughts=False)
    assert item == {"id": "rs_9", "type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}


# -- calls and what comes whole


def test_a_call_is_told_as_it_is_and_not_as_its_item_said() -> None:
    kept = own(id="fc_1", status="incomplete", name="other", arguments="old", created_by="x")
    (item,) = output(*whole(0, ToolCall("call_1", "f", "", ext=kept)))
    assert item == {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "f",
        "arguments": "{}",
        "created_by": "x",
    }


def test_a_call_of_free_text_has_no_status_while_it_is_in_progress() -> None:
    sent, _ = told(STARTED, PartStarted(0, 0, ToolCall("call_1", "f", "x", "custom")))
    (item,) = [body["item"] for body in sent if "item" in body]
    assert "status" not in item


def test_a_picture_in_pieces_is_told_whole() -> None:
    (item,) = output(PartStarted(0, 0, Media("image/png", data="iV")), PartDelta(0, 0, "BO"), PartEnded(0, 0))
    assert item["result"] == "iVBO"


def test_a_tool_of_another_provider_is_lost() -> None:
    sent, losses = told(STARTED, *whole(0, Opaque("gemini", {"x": 1})), Finished())
    assert (sent[-1]["response"]["output"], losses) == ([], ["1.2:opaque"])
