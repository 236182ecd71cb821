"""Streams of POST /v1/responses, written, read and watched (mapping.md 7.3)."""

import json
from typing import Any

import msgspec
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from portico.core.assembly import assemble, tell
from portico.core.dialect import Reading, Reply
from portico.core.errors import (
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamOverloaded,
    UpstreamRateLimited,
)
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
from portico.core.normal import normal
from portico.core.parts import Media, Opaque, Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.core.usage import Usage
from portico.dialects import openai_responses
from portico.wire.sse import Frame, SseDecoder

DIALECT = openai_responses.DIALECT
REPLY = Reply(id="fresh", created=9, thoughts=True)
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
GOOGLE = Signature("google", "AAA=")
CODE = {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "1", "container_id": "x"}
MCP = {"type": "mcp_call", "id": "mcp_1", "name": "f", "server_label": "s", "arguments": "{}", "error": {"x": 1}}
STOP = Finish(FinishReason.STOP, "STOP")
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
EVERYTHING = Response(
    "r1",
    "m",
    (
        Candidate(
            0,
            (
                Reasoning("hm", ext={"openai_responses": {"id": "rs_9"}}),
                Reasoning("\n\nso", Signature("openai", "gAAAA"), {"openai_responses": {"id": "rs_9"}}),
                Opaque("openai_responses", SEARCH),
                Text("Look: ", ext={"openai_responses": {"id": "msg_9", "phase": "commentary"}}),
                ToolCall("call_1", "f", '{"a": 1.0}', signature=GOOGLE),
                ToolCall("call_2", "g", "free", "custom"),
                Media("image/png", data="iVBO"),
                Text("No.", ext={"openai_chat": {"refusal": True}}),
                Text("", GOOGLE),
            ),
            Finish(FinishReason.TOOL_CALLS, "STOP"),
        ),
    ),
    Usage(input_uncached={"text": 3}, output_visible={"text": 2}),
    7,
)


def written(events: list[Event], reply: Reply = REPLY) -> list[Frame]:
    writer = DIALECT.writer(reply)
    return [frame for event in events for frame in writer.feed(event)] + writer.close()


def bodies(frames: list[Frame]) -> list[dict[str, Any]]:
    return [json.loads(frame.data) for frame in frames]


def read(frames: list[Frame]) -> list[Event]:
    reader = DIALECT.reader(Reading(mint=lambda: "call_minted"))
    return [event for frame in frames for event in reader.feed(frame)] + reader.close()


def types(frames: list[Frame]) -> list[str]:
    return [body["type"].removeprefix("response.") for body in bodies(frames)]


# -- writing


def test_a_text_is_told_in_the_order_that_clients_wait_for() -> None:
    events: list[Event] = [
        Started("r1", "m", 7),
        PartStarted(0, 0, Text("Hel")),
        PartDelta(0, 0, "lo"),
        PartEnded(0, 0),
        Annotated(0, citations=(Citation(0, 5, "https://a.example"),)),
        UsageReported(Usage(output_visible={"text": 1})),
        CandidateFinished(0, STOP),
        Finished(),
    ]
    assert types(written(events)) == [
        *(
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
        ),
        *("output_text.annotation.added", "output_text.done", "content_part.done", "output_item.done", "completed"),
    ]


@pytest.mark.parametrize(
    ("part", "between"),
    [
        (
            Reasoning("hm"),
            [
                *("reasoning_summary_part.added", "reasoning_summary_text.delta"),
                *("reasoning_summary_text.done", "reasoning_summary_part.done"),
            ],
        ),
        (
            Reasoning("hm", ext={"openai_responses": {"content": True}}),
            ["reasoning_text.delta", "reasoning_text.done"],
        ),
        (ToolCall("c", "f", "{}"), ["function_call_arguments.delta", "function_call_arguments.done"]),
        (ToolCall("c", "f", "x", "custom"), ["custom_tool_call_input.delta", "custom_tool_call_input.done"]),
        (
            Text("No.", ext={"openai_chat": {"refusal": True}}),
            ["content_part.added", "refusal.delta", "refusal.done", "content_part.done"],
        ),
        (
            Media("image/png", data="iVBO"),
            [
                "image_generation_call.in_progress",
                "image_generation_call.generating",
                "image_generation_call.completed",
            ],
        ),
        (
            Opaque("openai_responses", SEARCH),
            ["web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed"],
        ),
        (
            Opaque("openai_responses", CODE),
            [
                *("code_interpreter_call.in_progress", "code_interpreter_call_code.delta"),
                *("code_interpreter_call_code.done", "code_interpreter_call.interpreting"),
                "code_interpreter_call.completed",
            ],
        ),
        (
            Opaque("openai_responses", MCP),
            ["mcp_call.in_progress", "mcp_call_arguments.delta", "mcp_call_arguments.done", "mcp_call.failed"],
        ),
        (Opaque("openai_responses", {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}), []),
    ],
)
def test_each_kind_of_item_has_its_own_events(part: Any, between: list[str]) -> None:
    frames = written(tell(Response("r1", "m", (Candidate(0, (part,), STOP),))))
    assert types(frames) == [
        *("created", "in_progress", "output_item.added"),
        *between,
        *("output_item.done", "completed"),
    ]


@pytest.mark.parametrize(("asked", "shown"), [(None, 0), (0, 0), (1, 1), (3, 1)])
def test_a_picture_on_the_way_is_shown_to_who_asked_for_one(asked: int | None, shown: int) -> None:
    tool = {"type": "image_generation", "partial_images": asked}
    reply = msgspec.structs.replace(REPLY, echo={"tools": [{"type": "web_search"}, tool]})
    picture = Candidate(0, (Media("image/png", data="iVBO"),), STOP)
    frames = written(tell(Response("r1", "m", (picture,))), reply)
    events = [json.loads(frame.data) for frame in frames]
    between = [event for event in events if event["type"].startswith("response.image_generation_call.")]
    kinds = ["in_progress", "generating", *["partial_image"] * shown, "completed"]
    assert [event["type"].rpartition(".")[2] for event in between] == kinds
    for event in between[2:-1]:
        assert EVENT.validate_python(event).type == event["type"]
        assert (event["partial_image_index"], event["partial_image_b64"]) == (0, "iVBO")


def test_every_event_is_one_that_openais_own_types_know() -> None:
    for frame in written(tell(EVERYTHING)):
        EVENT.validate_json(frame.data)


def test_numbers_names_and_places_are_consistent() -> None:
    frames = written(tell(EVERYTHING))
    told = bodies(frames)
    assert [body["sequence_number"] for body in told] == list(range(len(told)))
    assert [frame.event for frame in frames] == [body["type"] for body in told]
    output = told[-1]["response"]["output"]
    for body in told:
        if "item_id" in body:
            assert output[body["output_index"]]["id"] == body["item_id"]
    done = [body for body in told if body["type"] == "response.output_item.done"]
    assert sorted(body["output_index"] for body in done) == list(range(len(output)))
    assert [body["item"] for body in sorted(done, key=lambda body: body["output_index"])] == output


def test_deltas_spell_what_the_last_event_holds() -> None:
    told = bodies(written(tell(EVERYTHING)))
    texts: dict[Any, str] = {}
    for body in told:
        if body["type"].endswith(".delta"):
            key = (body["output_index"], body.get("content_index"), body.get("summary_index"))
            texts[key] = texts.get(key, "") + body["delta"]
    assert sorted(texts.values()) == sorted(["hm", "so", "Look: ", '{"a": 1.0}', "free", "No."])


def test_a_stream_is_what_a_whole_answer_is() -> None:
    last = bodies(written(tell(EVERYTHING)))[-1]
    assert last["type"] == "response.completed"
    assert last["response"] == json.loads(json.dumps(DIALECT.render_response(EVERYTHING, REPLY).body))


def test_sources_of_a_text_that_is_over_are_told_all_the_same() -> None:
    cited = (Citation(0, 4, "https://a.example", "A"),)
    parts = (Text("Look: "), ToolCall("call_1", "f", "{}"))
    events = tell(Response("r1", "m", (Candidate(0, parts, STOP, citations=cited),)))
    frames = written(events)
    assert types(frames)[-2:] == ["output_text.annotation.added", "completed"]
    assert assemble(read(frames)).candidates[0].citations == cited


def test_calls_that_are_open_at_once_keep_their_places() -> None:
    events: list[Event] = [
        Started("r1", "m", 7),
        PartStarted(0, 0, ToolCall("call_1", "f", "")),
        PartStarted(0, 1, ToolCall("call_2", "g", "")),
        PartDelta(0, 0, '{"a":1}'),
        PartDelta(0, 1, '{"b":2}'),
        PartEnded(0, 0, GOOGLE),
        PartEnded(0, 1),
        CandidateFinished(0, Finish(FinishReason.TOOL_CALLS, "STOP")),
        Finished(),
    ]
    first, second = assemble(read(written(events))).candidates[0].parts
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert (first.id, first.arguments, first.signature) == ("call_1", '{"a":1}', GOOGLE)
    assert (second.id, second.arguments, second.signature) == ("call_2", '{"b":2}', None)


@pytest.mark.parametrize(
    ("finish", "last"),
    [(STOP, "completed"), (Finish(FinishReason.LENGTH, "MAX_TOKENS"), "incomplete")],
)
def test_the_last_event_is_named_for_how_it_ended(finish: Finish, last: str) -> None:
    frames = written(tell(Response("r1", "m", (Candidate(0, (Text("x"),), finish),))))
    assert types(frames)[-1] == last


def test_a_stream_that_breaks_off_says_so_twice() -> None:
    events: list[Event] = [
        Started("r1", "m", 7),
        PartStarted(0, 0, Text("Hel")),
        Failed(UpstreamOverloaded("Too much.")),
    ]
    frames = written(events)
    assert types(frames)[-2:] == ["error", "failed"]
    error, failed = bodies(frames)[-2:]
    assert (error["message"], error["error"]["message"]) == ("Too much.", "Too much.")
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {"code": "overloaded", "message": "Too much."}
    assert failed["response"]["output"][0]["content"][0]["text"] == "Hel"
    assert isinstance(read(frames)[-1], Failed)


# -- reading


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
def test_cutting_bytes_differently_changes_nothing(size: int) -> None:
    data = b"".join(DIALECT.frame(frame) for frame in written(tell(EVERYTHING)))
    decoder = SseDecoder()
    frames = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    frames += decoder.close()
    assert normal(assemble(read(frames))) == normal(EVERYTHING)


@pytest.mark.parametrize("kept", ["output_item.done", "completed"])
def test_an_endpoint_that_tells_no_deltas_is_read_all_the_same(kept: str) -> None:
    """Some compatible servers send whole items alone, some nothing but the end."""
    wanted = {"response.created", "response.completed", f"response.{kept}"}
    frames = [frame for frame in written(tell(EVERYTHING)) if frame.event in wanted]
    assert normal(assemble(read(frames))) == normal(EVERYTHING)


@pytest.mark.parametrize("told", [[""], [], ["{", "}"]], ids=["nothing", "no word", "an object"])
def test_a_function_that_is_called_with_nothing_is_called_with_an_object(told: list[str]) -> None:
    """Some compatible servers write no text at all; callers who read streams parse what comes."""
    item = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "".join(told)}
    bodies = [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "arguments": ""}},
        *[{"type": "response.function_call_arguments.delta", "output_index": 0, "delta": one} for one in told],
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]
    events = read([Frame(json.dumps(body).encode()) for body in bodies])
    assert "".join([event.text for event in events if isinstance(event, PartDelta)]) == "{}"


def test_a_stream_without_its_end_is_a_failure() -> None:
    frames = written(tell(EVERYTHING))
    last = read(frames[:-1])[-1]
    assert isinstance(last, Failed)
    assert isinstance(last.error, UpstreamIncomplete)
    nothing = read([])[-1]
    assert isinstance(nothing, Failed)
    assert isinstance(nothing.error, UpstreamEmpty)


def test_events_that_nobody_knows_are_passed_over() -> None:
    frames = written(tell(EVERYTHING))
    strange = [Frame(b'{"type":"response.tomorrow","x":1}'), Frame(b'{"x":1}'), Frame(b"[DONE]")]
    assert read([*frames[:5], *strange, *frames[5:]]) == read(frames)


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense",
        b"[]",
        b'{"type":"response.created","response":5}',
        b'{"type":"response.output_item.added","output_index":"x","item":{"type":"message"}}',
        b'{"type":"response.output_item.added","output_index":0,"item":5}',
        b'{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":5}}',
        b'{"type":"response.output_text.delta","output_index":0,"delta":5}',
        b'{"type":"response.completed","response":{"output":5}}',
        b'{"type":"error","code":"server_error","message":"Broken."}',
        b'{"type":"error","error":{"code":"server_error","message":"Broken."}}',
        b'{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"Broken."}}}',
    ],
)
def test_a_frame_of_a_strange_shape_is_the_providers_fault(data: bytes) -> None:
    frames = [*written(tell(EVERYTHING))[:4], Frame(data), *written(tell(EVERYTHING))[4:]]
    events = read(frames)
    assert isinstance(events[-1], Failed)
    assert sum(isinstance(event, Failed) for event in events) == 1


# -- watching


def watched(frames: list[Frame]) -> Any:
    assert DIALECT.passing is not None
    watch = DIALECT.passing.watch("fresh")
    assert [out for frame in frames for out in watch.feed(frame)] == frames
    watch.close()
    return watch


def test_a_stream_passes_as_it_is_and_is_seen() -> None:
    watch = watched(written(tell(EVERYTHING)))
    seen = watch.seen()
    assert (seen.model, seen.usage, seen.empty) == ("m", EVERYTHING.usage, False)
    assert seen.uses == {"web_search": 1, "image_generation": 1}


def test_thoughts_alone_are_no_answer() -> None:
    assert DIALECT.passing is not None
    frames = written(tell(Response("r1", "m", (Candidate(0, (Reasoning("hm"),), STOP),))))
    watch = DIALECT.passing.watch("fresh")
    for frame in frames:
        watch.feed(frame)
        assert not watch.counts
    with pytest.raises(UpstreamEmpty):
        watch.close()


def test_an_error_before_anything_is_raised_and_a_later_one_is_told() -> None:
    assert DIALECT.passing is not None
    frames = written(tell(EVERYTHING))
    error = Frame(b'{"type":"error","error":{"code":"server_error","message":"Broken."}}', "error")
    watch = DIALECT.passing.watch("fresh")
    watch.feed(frames[0])
    with pytest.raises(UpstreamError, match="Broken"):
        watch.feed(error)
    later = DIALECT.passing.watch("fresh")
    for frame in frames[:6]:
        later.feed(frame)
    assert later.feed(error) == [error]
    assert later.ended


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        ({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slower."}}, UpstreamRateLimited),
        ({}, UpstreamBadGateway),
    ],
)
def test_a_stream_that_passes_and_fails_does_so_for_the_reason_it_gives(response: Any, kind: type[Exception]) -> None:
    assert DIALECT.passing is not None
    watch = DIALECT.passing.watch("fresh")
    with pytest.raises(UpstreamError) as failed:
        watch.feed(Frame(json.dumps({"type": "response.failed", "response": response}).encode()))
    assert type(failed.value) is kind


def test_only_the_models_name_is_changed_in_a_request() -> None:
    assert DIALECT.passing is not None
    body = b' { "input" : "Hi" , "model":"mine", "n": 1.0 }'
    assert DIALECT.passing.renamed(body, "gpt-5.5") == b' { "input" : "Hi" , "model":"gpt-5.5", "n": 1.0 }'


def test_the_sizes_of_a_body_that_passes_are_seen() -> None:
    assert DIALECT.passing is not None
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 1000}
    body = {
        "model": "m",
        "input": [{"role": "user", "content": [image]}],
        "tools": [{"type": "web_search_preview"}, {"type": "function", "name": "f"}],
        "max_output_tokens": 100,
        "service_tier": "flex",
        "novel": 1,
    }
    data = json.dumps(body).encode()
    ask = DIALECT.passing.ask(data)
    assert ask.media == {"image": 1}
    assert ask.text_bytes < len(data) - 1000
    assert (ask.tools, ask.own_tools) == (frozenset({"web_search"}), True)
    assert (ask.max_output_tokens, ask.service_tier, ask.unknown) == (100, "flex", ("novel",))
