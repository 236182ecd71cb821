"""Whatever answer a vendor's own types allow is told in every dialect as that dialect's vendor types it, whole and as a
stream, and a stream of it is read as the whole."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from google.genai import types as google
from google.genai._common import _remove_extra_fields
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion import Choice
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from dialects.dialect_rows import reading
from laws import anthropic_streams, responses_streams
from laws.streams import cut_by_part, cut_by_text
from portico.core.assembly import assemble
from portico.core.dialect import Dialect, Reply
from portico.core.events import Event, Failed
from portico.core.normal import normal
from portico.relay.translate import DIALECTS
from portico.wire import jsontext
from portico.wire.sse import Frame
from properties.typed import LEFT_OUT, Given, Json, Typed

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
REPLIES = (
    Reply(id="law", created=5, include_usage=True, thoughts=True, seals=True),
    Reply(id="law", created=5),
)


def absent(typed: Typed) -> Any:
    del typed
    return LEFT_OUT


GIVEN: dict[str, Given] = {
    "url": lambda typed: f"https://example.com/{typed.word()}",
    "uri": lambda typed: f"https://example.com/{typed.word()}",
    "arguments": lambda typed: json.dumps({typed.word("key"): typed.word()}),
    "created": lambda _: 7,
    "created_at": lambda _: 7,
    "bytes": lambda _: [104, 105],
    "encrypted_content": lambda _: "c2VhbA==",
    "signature": lambda _: "c2VhbA==",
    # A tier is told as it came; batches are another's.
    "service_tier": absent,
    # Of media an answer's types have no place outside of Google's (mapping.md 2.8): tests/media judge those.
    "audio": absent,
    "inline_data": absent,
    "file_data": absent,
    "result": lambda _: None,
    # What the SDK adds.
    "sdk_http_response": absent,
    "automatic_function_calling_history": absent,
    "parsed": absent,
}
TYPES: dict[str, type[BaseModel]] = {
    "openai_chat": ChatCompletion,
    "openai_responses": Response,
    "anthropic_messages": BetaMessage,
    "gemini": google.GenerateContentResponse,
}
EVENTS: dict[str, TypeAdapter[Any]] = {
    "openai_chat": TypeAdapter(ChatCompletionChunk),
    "openai_responses": TypeAdapter(ResponseStreamEvent),
    "anthropic_messages": TypeAdapter(BetaRawMessageStreamEvent),
}


def answer_of(name: str, random: Random) -> Json:
    """An answer of the vendor's type, and of what its reference says beside it."""
    typed = Typed(random, GIVEN, random.choice([0.1, 0.25, 0.5]))
    body: Json = json.loads(json.dumps(typed.of(TYPES[name])))
    settle = {
        "openai_chat": as_chat,
        "openai_responses": as_response,
        "anthropic_messages": as_message,
        "gemini": as_google,
    }
    settle[name](body, typed)
    return body


def as_chat(body: Json, typed: Typed) -> None:
    body["choices"] = body["choices"][:1] or [typed.of(Choice)]
    for choice in body["choices"]:
        choice["index"] = 0
        for call in choice["message"].get("tool_calls") or ():
            if call["type"] == "custom":  # chunks have no type for it
                call |= {"type": "function", "function": {"name": "f", "arguments": "{}"}}
                del call["custom"]
    in_place(body)


def as_response(body: Json, typed: Typed) -> None:
    del typed
    body |= {"error": None, "status": "incomplete" if body.get("incomplete_details") else "completed"}
    for item in body["output"]:
        if "status" in item:
            item["status"] = "completed"
    body["output"] = [item for item in body["output"] if item["type"] not in _UNTYPED_WHILE_OPEN]
    in_place(body)


_UNTYPED_WHILE_OPEN = ("custom_tool_call", "program_output", "apply_patch_call_output")
"""Items that have no type while they come: in chunks, or `in_progress`."""


def as_message(body: Json, typed: Typed) -> None:
    del typed
    ends = "refusal" if body.get("stop_details") else "stop_sequence" if body.get("stop_sequence") else "end_turn"
    body["stop_reason"] = ends if ends != "end_turn" else body.get("stop_reason") or ends


_MEMBERS = (
    "text",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)


def as_google(body: Json, typed: Typed) -> None:
    drop_nulls(body)
    body["candidates"] = (body.get("candidates") or [{}])[:1]
    for candidate in body["candidates"]:
        candidate |= {"index": 0, "finishReason": candidate.get("finishReason") or "STOP"}
        content = candidate["content"] = candidate.get("content") or typed.of(google.Content)
        content |= {"role": "model", "parts": content.get("parts") or [{"text": typed.word()}]}
        for part in content["parts"]:
            held = [member for member in _MEMBERS if part.get(member) is not None]
            keep = typed.random.choice(held) if held else "text"
            for member in held:
                if member != keep:
                    del part[member]
            if keep == "text":
                part["text"] = part.get("text") or typed.word()
            if keep == "functionCall":
                call = part["functionCall"]
                call["name"] = call.get("name") or "f"
                call.pop("partialArgs", None)
                call.pop("willContinue", None)


def drop_nulls(value: Any) -> None:
    """Google leaves out what is not there."""
    if isinstance(value, dict):
        for name in [name for name, one in value.items() if one is None]:
            del value[name]
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        drop_nulls(one)


def in_place(value: Any) -> None:
    """Sources stand in what they are sources of."""
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        in_place(one)
    if isinstance(value, dict) and {"start_index", "end_index"} <= value.keys():
        value |= {"start_index": 0, "end_index": 2}


def is_of(name: str, body: Any) -> None:
    """Fails unless a body is what the dialect's vendor types as an answer."""
    if name == "gemini":
        body = copy.deepcopy(body)
        _remove_extra_fields(google.GenerateContentResponse, body)  # as its SDK does before
    TYPES[name].model_validate(body)


def is_event_of(name: str, frame: Frame) -> None:
    if frame.data == b"[DONE]":
        return
    body = jsontext.decode(frame.data)
    if name == "gemini":
        is_of(name, body)
    else:
        EVENTS[name].validate_python(body)


def pieces_of(name: str, body: Json) -> Iterator[list[Any]]:
    """The answer as streams: by parts, and by characters."""
    match name:
        case "anthropic_messages":
            yield from (anthropic_streams.cut(body, size) for size in (None, 1))
        case "openai_responses":
            yield from (responses_streams.cut(body, size) for size in (None, 1))
        case "gemini":
            yield from (cut_by_part(body), cut_by_text(body, 1))


def events_of(dialect: Dialect, pieces: list[Any]) -> list[Event]:
    reader = dialect.reader(reading())
    events = [event for piece in pieces for event in reader.feed(Frame(jsontext.encode(piece)))] + reader.close()
    assert not [event for event in events if isinstance(event, Failed)]
    return events


@pytest.mark.parametrize("name", TYPES)
@settings(deadline=None, derandomize=True, max_examples=60, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_an_answer_of_a_vendors_type_is_told_as_everybodys(name: str, seed: int) -> None:
    body = answer_of(name, Random(seed))
    dialect = DIALECTS[name]
    response = dialect.parse_response(body, reading())
    for to, other in DIALECTS.items():
        for reply in REPLIES:
            is_of(to, jsontext.decode(jsontext.encode(other.render_response(response, reply).body)))
    for pieces in pieces_of(name, body):
        events = events_of(dialect, pieces)
        assert normal(assemble(events)) == normal(response)
        for to, other in DIALECTS.items():
            for reply in REPLIES:
                writer = other.writer(reply)
                for frame in [frame for event in events for frame in writer.feed(event)] + writer.close():
                    is_event_of(to, frame)
