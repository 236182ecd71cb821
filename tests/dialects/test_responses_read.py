"""What the reader of Responses streams makes of items that are told in part, late, twice, or not at all."""

from collections.abc import Sequence
from typing import Any

import pytest

from dialects.dialect_rows import Json, framed, reading
from portico.core.assembly import assemble
from portico.core.envelope import wrapped
from portico.core.events import Event, Failed, Finished, PartDelta, PartEnded, PartStarted
from portico.core.parts import Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Citation, FinishReason
from portico.dialects.openai_responses import DIALECT

GOOGLE = Signature("google", "AAA=")
URL = "https://a.example"


def read(bodies: Sequence[Json]) -> list[Event]:
    reader = DIALECT.reader(reading())
    return [event for frame in framed(bodies) for event in reader.feed(frame)] + reader.close()


def only(events: list[Event]) -> Candidate:
    (candidate,) = assemble(events).candidates
    return candidate


def of(kind: str, **fields: Any) -> Json:
    return {"type": f"response.{kind}", **fields}


CREATED = of("created", response={"id": "resp_1", "model": "m", "created_at": 7})


def responses(*bodies: Json, **last: Any) -> list[Event]:
    return read([CREATED, *bodies, of("completed", response={"status": "completed", "output": [], **last})])


def message(*texts: str, at: int = 0, **fields: Any) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return of("output_item.done", output_index=at, item={"type": "message", "content": content, **fields})


def test_a_stream_that_breaks_off_ends_the_parts_that_are_open() -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""}
    events = read(
        [CREATED, of("output_text.delta", delta="a"), of("output_item.added", output_index=1, item=call)],
    )
    assert [type(event) for event in events[-5:]] == [PartStarted, PartStarted, PartEnded, PartEnded, Failed]


def test_a_stream_that_nobody_announced_begins_with_what_comes() -> None:
    events = read([of("output_text.delta", delta="a"), of("completed", response={"output": []})])
    assert [type(event).__name__ for event in events][:2] == ["Started", "PartStarted"]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "error", "code": "server_error", "message": "Broken."},
        {"type": "error", "error": {"code": "server_error", "message": "Broken."}},
        {"error": {"code": "server_error", "message": "Broken."}},
    ],
    ids=["by itself", "in a member", "without a type"],
)
def test_an_error_is_told_in_the_providers_words_wherever_they_stand(body: Json) -> None:
    (*_, last) = read([CREATED, body])
    assert isinstance(last, Failed)
    assert last.error.message == "Broken."


def test_nothing_comes_behind_the_end() -> None:
    reader = DIALECT.reader(reading())
    for frame in framed([CREATED, of("completed", response={"status": "completed", "output": []})]):
        last = reader.feed(frame)
    assert isinstance(last[-1], Finished)
    assert [*reader.feed(framed([of("output_text.delta", delta="a")])[0]), *reader.close()] == []


@pytest.mark.parametrize(
    ("bodies", "texts"),
    [
        ([of("output_text.delta", delta="a"), of("output_text.delta", delta="b"), message("abc")], ["abc"]),
        ([of("output_text.delta", delta="ab"), message("ab"), message("ab")], ["ab"]),
        ([of("output_text.delta", delta="a", content_index=1), message("x", "ab")], ["ab", "x"]),
    ],
    ids=["the rest of it", "nothing that is told again", "what was passed over"],
)
def test_a_whole_item_tells_what_was_not_told_before(bodies: list[Json], texts: list[str]) -> None:
    assert [part.text for part in only(responses(*bodies)).parts if isinstance(part, Text)] == texts


def test_a_piece_that_comes_behind_its_item_is_ended_too() -> None:
    events = responses(of("output_text.delta", delta="a"), message("a"), of("output_text.delta", delta="b"))
    parts = [type(event) for event in events if isinstance(event, (PartStarted, PartEnded))]
    assert parts == [PartStarted, PartEnded] * 2


def summary(text: str, place: int, at: int = 0) -> Json:
    return of("reasoning_summary_text.delta", delta=text, summary_index=place, output_index=at, item_id="rs_1")


def test_entries_of_a_summary_are_thoughts_with_a_line_between() -> None:
    entries = [{"type": "summary_text", "text": text} for text in ("abc", "de")]
    item = {"type": "reasoning", "id": "rs_1", "summary": entries, "encrypted_content": "gAAAA"}
    done = of("output_item.done", output_index=0, item=item)
    events = responses(summary("ab", 0), summary("c", 0), summary("d", 1), summary("e", 1), done)
    ext = {"openai_responses": {"id": "rs_1"}}
    assert only(events).parts == (Reasoning("abc", ext=ext), Reasoning("\n\nde", Signature("openai", "gAAAA"), ext))
    assert sum(isinstance(event, PartEnded) for event in events) == 2


def full(text: str, place: int, at: int = 0) -> Json:
    return of("reasoning_text.delta", delta=text, content_index=place, output_index=at, item_id="rs_1")


@pytest.mark.parametrize(
    ("told", "texts"),
    [
        ([summary("ab", 0)], ["abc", "\n\nde", "fg"]),
        ([summary("abc", 0), summary("d", 1)], ["abc", "\n\nde", "fg"]),
        ([summary("d", 1)], ["\n\nde", "\n\nabc", "fg"]),
        ([summary("a", 0), summary("de", 1)], ["a", "\n\nde", "\n\nbc", "fg"]),
        ([summary("a", 0), summary("d", 1), summary("b", 0)], ["a", "\n\nd", "\n\nbc", "\n\ne", "fg"]),
        ([full("f", 0)], ["fg", "abc", "\n\nde"]),
        ([summary("abc", 0), summary("de", 1), full("fg", 0)], ["abc", "\n\nde", "fg"]),
    ],
    ids=[
        "begun",
        "its second begun",
        "its second alone",
        "its first broken off",
        "crosswise",
        "the other",
        "all of it",
    ],
)
def test_what_deltas_left_out_of_thoughts_is_told_by_the_whole_item_and_nothing_twice(
    told: list[Json], texts: list[str]
) -> None:
    entries = [{"type": "summary_text", "text": text} for text in ("abc", "de")]
    content = [{"type": "reasoning_text", "text": "fg"}]
    item = {"type": "reasoning", "id": "rs_1", "summary": entries, "content": content, "encrypted_content": "gAAAA"}
    events = responses(*told, of("output_item.done", output_index=0, item=item), message("So.", at=1))
    *thoughts, _ = only(events).parts
    assert [part.text for part in thoughts if isinstance(part, Reasoning)] == texts
    seals = [part.signature for part in thoughts if isinstance(part, Reasoning)]
    assert seals == [*[None] * (len(texts) - 1), Signature("openai", "gAAAA")]


def test_thoughts_end_with_their_item_though_its_seal_is_of_something_behind_it() -> None:
    events = responses(summary("ab", 0), sealing(GOOGLE), message("So.", at=1))
    kinds = [type(event) for event in events if isinstance(event, (PartStarted, PartEnded))]
    assert kinds == [PartStarted, PartEnded] * 2


def test_arguments_are_told_once_though_the_whole_call_says_them_again() -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""}
    whole = {**call, "arguments": '{"a":1}'}
    events = responses(
        of("output_item.added", output_index=0, item=call),
        of("function_call_arguments.delta", output_index=0, delta='{"a"'),
        of("output_item.done", output_index=0, item=whole),
    )
    assert [event.text for event in events if isinstance(event, PartDelta)] == ['{"a"', ":1}"]


def cited_at(start: int) -> Json:
    return {"type": "url_citation", "start_index": start, "end_index": start + 1, "url": URL, "title": "A"}


def test_places_of_sources_are_counted_in_all_the_text_however_it_came() -> None:
    second = {"type": "output_text", "text": "cde", "annotations": [cited_at(1)]}
    item = of("output_item.done", output_index=1, item={"type": "message", "content": [second]})
    for first in ([of("output_text.delta", delta="ab"), message("ab")], [message("ab")]):
        assert only(responses(*first, item)).citations == (Citation(3, 4, URL, "A"),)
        longer = [of("output_text.delta", delta="a"), message("ab")]
        assert only(responses(*longer, item)).citations == (Citation(3, 4, URL, "A"),)
        grown = of("output_text.delta", delta="c", output_index=1)
        assert only(responses(*first, grown, item)).citations == (Citation(3, 4, URL, "A"),)


def test_a_source_that_is_told_by_itself_is_told_once() -> None:
    said = of("output_text.annotation.added", output_index=1, content_index=0, annotation=cited_at(1))
    second = {"type": "output_text", "text": "cde", "annotations": [cited_at(1)]}
    whole = of("output_item.done", output_index=1, item={"type": "message", "content": [second]})
    assert only(responses(message("ab"), said, whole)).citations == (Citation(3, 4, URL, "A"),)
    assert only(responses(message("ab"), message("cde", at=1), said)).citations == (Citation(3, 4, URL, "A"),)


def sealing(signature: Signature, call: str = "", at: int = 0) -> Json:
    blob = wrapped(signature, call)
    return of("output_item.done", output_index=at, item={"type": "reasoning", "summary": [], "encrypted_content": blob})


def test_a_seal_alone_is_of_what_it_names_or_of_the_text_behind_it() -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    picture = {"type": "image_generation_call", "id": "ig_1", "result": "iVBO", "status": "completed"}
    bodies = [
        sealing(GOOGLE),
        of("output_text.delta", delta="a", output_index=1),
        of("output_text.delta", delta="b", output_index=1, content_index=1),
        message("a", "b", at=1),
        sealing(GOOGLE, "call_1", at=2),
        of("output_item.done", output_index=3, item=call),
        sealing(GOOGLE, "ig_1", at=4),
        of("output_item.done", output_index=5, item=picture),
        sealing(GOOGLE, at=6),
    ]
    parts = only(responses(*bodies)).parts
    assert [getattr(part, "signature", None) for part in parts] == [GOOGLE, None, GOOGLE, GOOGLE, GOOGLE]
    assert isinstance(parts[-1], Text)


@pytest.mark.parametrize("kinds", [["added", "done"], ["done"]])
def test_a_seal_that_no_text_follows_stands_alone_before_what_does(kinds: list[str]) -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    calls = [of(f"output_item.{kind}", output_index=1, item=call) for kind in kinds]
    parts = only(responses(sealing(GOOGLE), *calls, message("a", at=2))).parts
    assert parts == (Text("", GOOGLE), ToolCall("call_1", "f", "{}"), Text("a"))


@pytest.mark.parametrize(("id_", "minted"), [("call_9", False), ("", True), (None, True)])
def test_a_call_without_an_id_is_given_one(id_: str | None, minted: bool) -> None:
    call = {"type": "function_call", "call_id": id_, "name": "f", "arguments": "{}"}
    (part,) = only(responses(of("output_item.done", output_index=0, item=call))).parts
    assert isinstance(part, ToolCall)
    assert (bool(part.id), part.minted) == (True, minted)


def test_a_seal_of_a_call_that_is_named_while_it_is_told_is_the_calls() -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""}
    bodies = [
        of("output_item.added", output_index=0, item=call),
        sealing(GOOGLE, "call_1", at=1),
        of("output_item.done", output_index=0, item={**call, "arguments": "{}"}),
    ]
    (part,) = only(responses(*bodies)).parts
    assert isinstance(part, ToolCall)
    assert part.signature == GOOGLE


def test_what_only_retells_that_the_prompt_was_blocked_is_no_text() -> None:
    item = {"type": "message", "prompt_blocked": True, "content": []}
    whole = {**item, "content": [{"type": "refusal", "refusal": "No."}]}
    bodies = [
        of("output_item.added", output_index=0, item=item),
        of("refusal.delta", output_index=0, content_index=0, delta="No."),
        of("output_item.done", output_index=0, item=whole),
    ]
    assert not [event for event in responses(*bodies) if isinstance(event, PartStarted)]


def test_a_message_of_nothing_is_a_part_where_it_says_something_of_its_own() -> None:
    assert only(responses(message("", id="msg_1", phase="commentary"))).parts != ()
    assert not [event for event in responses(message("")) if isinstance(event, PartStarted)]


@pytest.mark.parametrize(
    ("last", "tier"), [({"service_tier": "auto"}, None), ({"service_tier": "flex"}, "flex")], ids=["auto", "flex"]
)
def test_the_tier_that_was_asked_for_is_no_answer(last: Json, tier: str | None) -> None:
    counts_ = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    assert assemble(responses(message("a"), usage=counts_, **last)).service_tier == tier


@pytest.mark.parametrize(
    ("status", "details", "reason", "raw"),
    [
        ("incomplete", {"reason": "max_output_tokens"}, FinishReason.LENGTH, "incomplete:max_output_tokens"),
        ("incomplete", {"reason": "content_filter"}, FinishReason.CONTENT_FILTER, "incomplete:content_filter"),
        ("incomplete", None, FinishReason.OTHER, "incomplete:unknown"),
        ("completed", None, FinishReason.STOP, "completed"),
    ],
)
def test_why_an_answer_is_incomplete_is_how_it_ended(status: str, details: Any, reason: FinishReason, raw: str) -> None:
    finish = only(responses(message("a"), status=status, incomplete_details=details)).finish
    assert finish is not None
    assert (finish.reason, finish.raw) == (reason, raw)


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_answer_that_is_still_being_made_has_not_ended(status: str) -> None:
    assert only(responses(message("a"), status=status)).finish is None


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_answer_that_failed_or_was_cancelled_is_a_failure_though_it_gives_no_error(status: str) -> None:
    assert isinstance(responses(message("a"), status=status)[-1], Failed)


def test_sources_of_a_part_are_where_it_stands_though_more_parts_came_before_the_end() -> None:
    """The end of an item tells the sources of each of its parts, all of which have been told by then."""
    cite = {"type": "url_citation", "url": URL, "title": "T", "start_index": 1, "end_index": 2}
    texts = ("Look:", "see", "that")
    whole = {
        "type": "message",
        "content": [{"type": "output_text", "text": text, "annotations": [cite]} for text in texts],
    }
    deltas = [of("output_text.delta", output_index=1, content_index=at, delta=text) for at, text in enumerate(texts)]
    for told in (deltas, deltas[:2], []):
        events = responses(message("Hi"), *told, of("output_item.done", output_index=1, item=whole))
        assert [one.start for one in only(events).citations] == [3, 8, 11]
