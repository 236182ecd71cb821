"""What costs a caller or a provider little costs the gateway little: twice as much of it takes about twice the steps.

Steps are instructions of Python, so that the count is the same on every machine.
"""

import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

from dialects.dialect_rows import CATALOG
from portico.core.dialect import Dialect, Reading, StreamReader
from portico.core.events import Failed
from portico.core.naming import FreeNames
from portico.core.parts import Ext, Opaque, Reasoning, Signature, Text, ToolCall
from portico.core.request import Message, Request, Role, Tool, ToolChoice
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.core.target import UNJUDGED, Target
from portico.core.telling import events_of
from portico.dialects.anthropic_messages.schemas import Closed
from portico.dialects.gemini import errors as gemini_errors
from portico.dialects.gemini.refusals import refused_field
from portico.dialects.openai import errors as openai_errors
from portico.dialects.openai_responses.marks import TextMarks
from portico.relay.translate import DIALECTS, frames_of
from portico.vault import TurnRecord, TurnRecorder, restore
from portico.wire import jsontext
from portico.wire.sse import MAX_STRAY_BYTES, EventTooLong, SseDecoder

if TYPE_CHECKING:
    from _typeshed import TraceFunction

MORE: Final = 4
"""How many times as much there is the second time."""


def steps(act: Callable[[], object]) -> int:
    """How many instructions are run."""
    count = 0

    def note(frame: FrameType, event: str, arg: object) -> "TraceFunction":
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def growth(act: Callable[[Any], object], made: Callable[[int], Any], size: int) -> float:
    """How many times the steps of a size that as many times as much takes."""
    small, large = made(size), made(size * MORE)
    act(small)  # What is imported or remembered at the first time is not counted.
    return steps(lambda: act(large)) / steps(lambda: act(small))


# -- schemas of callers ----------------------------------------------------------------------------------------------


def chain(length: int) -> dict[str, Any]:
    """Definitions each of which names the next."""
    names = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**names, f"d{length}": {"type": "string"}}}


def test_each_definition_of_a_schema_is_followed_once() -> None:
    assert growth(Closed, chain, 100) < MORE * 1.2


# -- tools of callers ------------------------------------------------------------------------------------------------

MODELS: Final = {
    "openai_chat": ("gpt-5.1", "openai"),
    "openai_responses": ("gpt-5.1", "openai"),
    "anthropic_messages": ("claude-opus-4-5", "anthropic"),
}
"""Those that take any number of tools."""


def asked(tools: list[Tool], choice: ToolChoice | None = None) -> Request:
    return Request("m", (Message(Role.USER, (Text("Hi"),)),), tools=tuple(tools), tool_choice=choice)


def names_alike(size: int) -> Request:
    """Tools whose names differ only in what a provider refuses."""
    return asked([Tool(f"a{chr(0x4E00 + at)}", at=at) for at in range(size)])


def names_alike_when_cut(size: int) -> Request:
    """Tools whose names differ only behind what a provider takes, and others that have the cut ones."""
    tools = [Tool(f"{'x' * 60}{at:04}{'!' * 100}", at=at) for at in range(size)]
    return asked(tools + [Tool(f"{'x' * 60}{at:04}", at=at + size) for at in range(size)])


def chosen_among(size: int) -> Request:
    tools = [Tool(f"f{at}", at=at) for at in range(size)]
    return asked(tools, ToolChoice("validated", tuple(tool.name for tool in tools)))


@pytest.mark.parametrize("made", [names_alike, names_alike_when_cut, chosen_among])
@pytest.mark.parametrize("name", MODELS)
def test_a_tool_among_many_is_named_as_fast_as_one_among_few(name: str, made: Callable[[int], Request]) -> None:
    dialect: Dialect = DIALECTS[name]
    model, kind = MODELS[name]
    target = Target(model, kind, CATALOG.capabilities_for(model, kind))
    assert growth(lambda request: dialect.render_request(request, target), made, 50) < MORE * 1.2


# -- conversations of callers ------------------------------------------------------------------------------------------


def thoughts(size: int) -> Request:
    """Of an item of OpenAI's that is sealed at its end."""
    item: Ext = {"openai_responses": {"id": "rs_1"}}
    parts = [Reasoning("\n\nx", ext=item) for _ in range(size)]
    sealed = Reasoning("\n\nx", Signature("openai", "seal"), item)
    return Request("m", (Message(Role.USER, (Text("Hi"),)), Message(Role.ASSISTANT, (*parts, sealed))))


def what_nobody_else_knows(size: int) -> Request:
    """Turns of which another vendor's model is told nothing, between what its caller says."""
    pair = Message(Role.ASSISTANT, (Opaque("openai_responses", {"type": "x"}),)), Message(Role.USER, (Text("x"),))
    return Request("m", pair * size)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("made", [thoughts, what_nobody_else_knows])
@pytest.mark.parametrize("name", DIALECTS)
def test_a_late_part_of_a_conversation_is_told_in_as_many_steps_as_an_early_one(
    name: str, made: Callable[[int], Request], own: bool
) -> None:
    model, kind = {**MODELS, "gemini": ("gemini-3.1-pro-preview", "gemini")}[name]
    target = Target(model, kind, UNJUDGED if own else CATALOG.capabilities_for(model, kind), own=own)
    assert growth(lambda request: DIALECTS[name].render_request(request, target), made, 50) < MORE * 1.2


def test_a_name_is_given_once_and_never_one_that_somebody_has() -> None:
    names = FreeNames(["a", "a_3"], 10)
    assert [names.free(name) for name in ("a", "a", "b", "b", "a_3", "abcdefghij")] == [
        "a_2",
        "a_4",
        "b",
        "b_2",
        "a_3_2",
        "abcdefghij",
    ]
    assert names.free("abcdefghij") == "abcdefgh_2"
    assert names.free("abcdefghijk"[:10]) == "abcdefgh_3"


# -- sources of providers --------------------------------------------------------------------------------------------


def test_a_source_is_placed_as_fast_among_many_texts_as_among_few() -> None:
    def cited(size: int) -> None:
        marks = TextMarks()
        for at in range(size):
            marks.begin({"annotations": []}, at, 0, None)
            marks.add("text")
            marks.cite(Citation(at * 4, at * 4 + 4, "https://example.com", None))

    assert growth(cited, int, 50) < MORE * 1.2


# -- errors of providers, in which a caller's own words may be quoted --------------------------------------------------


@pytest.mark.parametrize("words", ["files ", "tools is ", "https://a", "invalid value "])
@pytest.mark.parametrize("status", [400, 404, 429])
@pytest.mark.parametrize("name", DIALECTS)
def test_the_words_of_an_error_are_looked_at_to_a_length(name: str, status: int, words: str) -> None:
    body = jsontext.encode({"error": {"message": words * 1000, "status": "INVALID_ARGUMENT"}})
    error = DIALECTS[name].parse_error(status, body)
    assert len(error.message) <= 4096


def test_of_a_long_sentence_of_googles_its_beginning_is_looked_at() -> None:
    assert refused_field(f"temperature {'x' * 900} is unsupported") == "sampling"
    assert refused_field(f"temperature {'x' * 1000} is unsupported") is None


@pytest.mark.parametrize("module", [openai_errors, gemini_errors])
def test_what_stands_behind_an_address_is_hidden_wherever_it_begins(module: ModuleType) -> None:
    assert module.masked("at https://a.b/c?key=d now") == "at https://[hidden] now"
    assert module.masked("at x://https://a.b/c?key=d") == "at x://https://[hidden]"
    assert module.masked("at https://a.b/c now?") == "at https://a.b/c now?"


# -- streams of providers --------------------------------------------------------------------------------------------


def reader_of(name: str) -> StreamReader:
    return DIALECTS[name].reader(Reading(mint=lambda: "call_1"))


def read(name: str, events: list[Any]) -> StreamReader:
    """A stream that was read like one that is being told."""
    reader = reader_of(name)
    for frame in frames_of(events):
        events_of(reader, frame)
    return reader


def chunk(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta}], **more}


def counted_beside_files(size: int) -> list[Any]:
    """Counts with every piece, and with every piece a source that is no address."""
    counts = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return [chunk({"content": "x", "annotations": [{"type": "file"}]}, usage=counts)] * size


def blocks_that_stay_open(size: int) -> list[Any]:
    text = {"type": "text", "text": ""}
    begun = [{"type": "content_block_start", "index": at, "content_block": text} for at in range(size)]
    more = {"type": "text_delta", "text": "x"}
    return begun + [{"type": "content_block_delta", "index": at, "delta": more} for at in range(size)]


@pytest.mark.parametrize(
    ("name", "made"),
    [("openai_chat", counted_beside_files), ("anthropic_messages", blocks_that_stay_open)],
    ids=["counts", "open blocks"],
)
def test_a_frame_late_in_a_stream_is_read_as_fast_as_an_early_one(name: str, made: Callable[[int], list[Any]]) -> None:
    assert growth(lambda events: read(name, events), made, 50) < MORE * 1.2


def piece(path: str) -> dict[str, Any]:
    call = {"partialArgs": [{"jsonPath": path, "stringValue": "x"}], "willContinue": True}
    return {"candidates": [{"content": {"parts": [{"functionCall": call}]}}]}


BEGUN: Final = {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "willContinue": True}}]}}]}


@pytest.mark.parametrize(
    "paths", [["$.a[99999]"], [f"$.a{at}[9000]" for at in range(2)]], ids=["one place", "many arrays"]
)
def test_arguments_with_more_gaps_than_values_are_no_answer(paths: list[str]) -> None:
    reader = read("gemini", [BEGUN, *map(piece, paths[:-1])])
    (last,) = frames_of([piece(paths[-1])])
    assert isinstance(reader.feed(last)[-1], Failed)


def test_arguments_may_come_in_any_order() -> None:
    reader = read("gemini", [BEGUN, *[piece(f"$.a[{at}]") for at in reversed(range(1000))]])
    assert not any(isinstance(event, Failed) for event in reader.feed(frames_of([piece("$.a[1000]")])[0]))


def fed(piece: bytes, times: int) -> SseDecoder:
    decoder = SseDecoder(max_event_bytes=1000)
    for _ in range(times):
        decoder.feed(piece)
    return decoder


@pytest.mark.parametrize("piece", [b"data: x", b"data: x\n", b"event: x\n", b"x"])
def test_of_an_event_that_does_not_end_only_so_much_is_held(piece: bytes) -> None:
    with pytest.raises(EventTooLong):
        fed(piece, 2000)


def test_of_text_that_is_no_event_only_the_beginning_is_held() -> None:
    (frame,) = fed(b"no event " * 100 + b"\n", 3000).close()
    assert len(frame.data) <= MAX_STRAY_BYTES + 1000


@pytest.mark.parametrize("piece", [b": ping\n\n", b"data: x\n\n", b"x\n\ndata: ", b"\n\n"])
def test_a_stream_of_short_events_may_be_as_long_as_it_likes(piece: bytes) -> None:
    fed(piece, 1000)


# -- what is put back into a request ----------------------------------------------------------------------------------


def calls_of_one_answer(size: int) -> tuple[list[ToolCall], dict[str, TurnRecord]]:
    calls = [ToolCall(f"call_{at:024}", "f", "{}", signature=Signature("google", "AA==")) for at in range(size)]
    recorder = TurnRecorder("gemini-3")
    recorder.feed_response(Response("r", "m", (Candidate(0, tuple(calls), Finish(FinishReason.STOP)),)))
    return calls, {key: record for keys, record in recorder.records() for key in keys}


def in_one_message(size: int) -> tuple[Request, dict[str, TurnRecord]]:
    """All calls of an answer but one, which the client dropped."""
    calls, found = calls_of_one_answer(size)
    return Request("m", (Message(Role.ASSISTANT, tuple(calls[1:])),)), found


def in_a_message_each(size: int) -> tuple[Request, dict[str, TurnRecord]]:
    calls, found = calls_of_one_answer(size)
    return Request("m", tuple([Message(Role.ASSISTANT, (call,)) for call in calls])), found


@pytest.mark.parametrize("made", [in_one_message, in_a_message_each])
def test_calls_of_a_long_answer_get_their_signatures_back_one_look_each(
    made: Callable[[int], tuple[Request, dict[str, TurnRecord]]],
) -> None:
    request, found = made(5)
    restored = [part for message in restore(request, found).messages for part in message.parts]
    assert all(isinstance(part, ToolCall) and part.signature is not None for part in restored)
    assert growth(lambda both: restore(*both), made, 50) < MORE * 1.2
