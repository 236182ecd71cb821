"""JSON out of its fence: what is taken away, what is never touched, and that no cut makes a difference."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.core.assembly import assemble, tell
from portico.core.errors import UpstreamIncomplete
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
)
from portico.core.parts import Part, Reasoning, Signature, Text, ToolCall, text_of
from portico.core.request import OutputFormat, Request
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.relay.unfence import Unfence, not_json, unfenced

STOP = Finish(FinishReason.STOP)
CALL = ToolCall("call_1", "look_up", "{}")


def answer(*parts: Part) -> Response:
    return Response("id", "model", (Candidate(0, parts, STOP),))


def plain(text: str) -> str:
    """A text without its fence, by a rule written apart: an opening line, then the closing one at the very end."""
    opening = re.match(r"[ \t\r\n]{0,64}`{3,8}(?:[jJ][sS][oO][nN])?[ \t]{0,64}\r?\n", text)
    if opening is None:
        return text
    text = text[opening.end() :]
    return re.sub(r"[ \t\r\n]{0,64}`{3,8}[ \t\r\n]{0,64}\Z", "", text, count=1)


CASES = [
    ('```json\n{"a": 1}\n```', '{"a": 1}'),
    ('```\n{"a": 1}\n```\n', '{"a": 1}'),
    ('\n ```JSON \r\n{"a": 1}\r\n```  \n', '{"a": 1}'),
    ('````json\n{"a": 1}\n````', '{"a": 1}'),
    ('```json\n{"a": 1}', '{"a": 1}'),  # cut off, or never closed
    ('```json\n{"a": "```"}\n```', '{"a": "```"}'),
    ('```json\n{"a": 1}\n```\nThat is all.', '{"a": 1}\n```\nThat is all.'),
    ('```json\n{"a": 1}\n``', '{"a": 1}\n``'),
    ("```json\n```", ""),
    ('{"a": 1}', '{"a": 1}'),
    ('{"a": 1}\n```', '{"a": 1}\n```'),
    ("```python\nprint()\n```", "```python\nprint()\n```"),
    ("```json", "```json"),
    ("```jsonc\n{}\n```", "```jsonc\n{}\n```"),
    ("``json\n{}\n``", "``json\n{}\n``"),
    ("Here:\n```json\n{}\n```", "Here:\n```json\n{}\n```"),
    ("", ""),
    (" \n", " \n"),
    ("`", "`"),
    ("  ```", "  ```"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_fence_is_taken_away_and_nothing_else(text: str, expected: str) -> None:
    assert plain(text) == expected
    assert text_of(unfenced(answer(Text(text))).candidates[0].parts) == expected


# Words that fences are made of, and what could be taken for one.
PIECES = st.lists(
    st.sampled_from(["```", "`", "``", "json", "JSON", "\n", "\r\n", "\r", " ", "\t", "{", "}", '"a"', "x", " " * 70]),
    max_size=14,
).map("".join)
TEXTS = st.one_of(
    PIECES,
    PIECES.map(lambda text: f"```json\n{text}\n```"),
    PIECES.map(lambda text: f"```\n{text}```\n"),
    st.text(max_size=20).map(lambda text: f"```json\n{text}\n```"),
)


def told(events: Iterable[Event]) -> list[Event]:
    unfence = Unfence()
    return [one for event in events for one in unfence.feed(event)]


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, list[Event]]:
    """A text, and a stream of it cut anywhere, into deltas and into parts, other parts between them."""
    text = draw(TEXTS)
    at = sorted(set(draw(st.lists(st.integers(0, len(text)), max_size=8))))
    pieces = [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True) if a != b]
    events: list[Event] = [Started("id", "model")]
    index, is_open = -1, False

    def end() -> None:
        nonlocal is_open
        if is_open:
            events.append(PartEnded(0, index))
        is_open = False

    for piece in pieces:
        step = draw(st.sampled_from(["delta", "delta", "part", "call", "thought"]))
        if is_open and step == "delta":
            events.append(PartDelta(0, index, piece))
            continue
        end()
        if step in ("call", "thought"):
            index += 1
            part = CALL if step == "call" else Reasoning("hm")
            events.extend([PartStarted(0, index, part), PartEnded(0, index)])
        index += 1
        signature = draw(st.sampled_from([None, None, Signature("google", "s")]))
        events.append(PartStarted(0, index, Text(piece, signature)))
        is_open = True
    end()
    return text, [*events, CandidateFinished(0, STOP), Finished()]


@settings(deadline=None, derandomize=True, max_examples=700, database=None)
@given(streams())
def test_cutting_a_text_differently_changes_nothing(case: tuple[str, list[Event]]) -> None:
    text, events = case
    out = told(events)
    response = assemble(out)
    assert text_of(response.candidates[0].parts) == plain(text)
    assert unfenced(answer(Text(text))).candidates[0].parts in ((Text(plain(text)),), () if not plain(text) else None)
    others = [part for part in response.candidates[0].parts if not isinstance(part, Text)]
    assert others == [part for part in assemble(events).candidates[0].parts if not isinstance(part, Text)]
    signed = [
        event.part.signature for event in events if isinstance(event, PartStarted) and isinstance(event.part, Text)
    ]
    kept = [part.signature for part in response.candidates[0].parts if isinstance(part, Text)]
    assert [one for one in kept if one] == [one for one in signed if one]
    started: set[int] = set()
    for event in out:
        match event:
            case PartStarted(_, index):
                assert index not in started
                started.add(index)
            case PartDelta(_, index) | PartEnded(_, index):
                assert index in started
    assert (type(out[0]), type(out[-1])) == (Started, Finished)


@settings(deadline=None, derandomize=True, max_examples=500, database=None)
@given(streams())
def test_a_text_without_a_fence_passes_event_by_event(case: tuple[str, list[Event]]) -> None:
    text, events = case
    if plain(text) == text:
        assert assemble(told(events)) == assemble(events)


OPENING = r"[ \t\r\n]{0,64}(`{0,8}|`{3,8}(j|js|jso|json)?[ \t]{0,64}\r?)"
CLOSING = r"[ \t\r\n]{0,64}(`{1,8}|`{3,8}[ \t\r\n]{0,64})?"


@settings(deadline=None, derandomize=True, max_examples=500, database=None)
@given(TEXTS)
def test_only_what_could_be_a_fence_is_held_back(text: str) -> None:
    unfence = Unfence()
    shown = ""
    for number, letter in enumerate(text, 1):
        event: Event = PartDelta(0, 0, letter) if number > 1 else PartStarted(0, 0, Text(letter))
        for one in unfence.feed(event):
            shown += (
                one.text if isinstance(one, PartDelta) else text_of([one.part] if isinstance(one, PartStarted) else [])
            )
        due = plain(text[:number] + "x").removesuffix("x")  # what more text would bring to light
        assert due.startswith(shown)
        opened = due != text[:number]
        assert re.fullmatch(CLOSING if opened else OPENING, due.removeprefix(shown), re.IGNORECASE)


@pytest.mark.parametrize("end", [Finished(), Failed(UpstreamIncomplete())])
def test_nothing_stays_inside_when_the_answer_ends(end: Event) -> None:
    out = told([Started(), PartStarted(0, 0, Text("``")), PartStarted(1, 0, Text("```json\n{}\n``")), end])
    assert [text_of(candidate.parts) for candidate in assemble(out).candidates] == ["``", "{}\n``"]
    assert out[-1] == end


def test_candidates_are_unfenced_each_by_itself() -> None:
    response = Response("id", "m", (Candidate(0, (Text("```\n1\n```"),), STOP), Candidate(1, (Text("2"), CALL), STOP)))
    first, second = unfenced(response).candidates
    assert (first.parts, second.parts) == ((Text("1"),), (Text("2"), CALL))


def test_a_whole_answer_without_fence_is_the_same() -> None:
    response = answer(Reasoning("hm"), Text("a", Signature("google", "s")), CALL, Text("b"))
    assert unfenced(response) == response == assemble(tell(response))


ASKED = Request(model="m", messages=(), output=OutputFormat("json"))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((Text('{"a": 1}'),), []),
        ((Text("[1]"), Text(" ")), []),
        ((Text("sorry"),), ["1.10:format"]),
        ((Text('{"a": '),), ["1.10:format"]),
        ((Text("\ud800"),), ["1.10:format"]),
        ((), []),
        ((Text("calling"), CALL), []),
    ],
)
def test_what_is_not_json_is_said(parts: tuple[Part, ...], said: list[Any]) -> None:
    assert [loss.code for loss in not_json(answer(*parts), ASKED)] == said


@pytest.mark.parametrize(
    ("text", "cited", "expected"),
    [
        ('```json\n{"a": 1}\n```', (8, 16), (0, 8)),
        ('```json\n{"a": 1}\n```', (0, 20), (0, 8)),
        ('```json\n{"a": 1}', (9, 12), (1, 4)),
        ('{"a": 1}', (1, 4), (1, 4)),
        ("``", (0, 2), (0, 2)),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_citations_point_at_the_same_words_without_the_fence(
    text: str, cited: tuple[int, int], expected: tuple[int, int], size: int
) -> None:
    """2.7: what is taken out of the text shifts what points into it"""
    source = Citation(*cited, "https://a.example")
    whole = Response("id", "model", (Candidate(0, (Text(text),), STOP, citations=(source,)),))
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    events: list[Event] = [Started("id", "model"), PartStarted(0, 0, Text(pieces[0]))]
    events += [PartDelta(0, 0, piece) for piece in pieces[1:]]
    events += [PartEnded(0, 0), Annotated(0, citations=(source,)), CandidateFinished(0, STOP), Finished()]
    unfence = Unfence()
    streamed = assemble([told for event in events for told in unfence.feed(event)])
    for response in (unfenced(whole), streamed):
        assert [(found.start, found.end) for found in response.candidates[0].citations] == [expected]
