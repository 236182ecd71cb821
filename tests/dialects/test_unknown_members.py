"""What a vendor adds tomorrow breaks no answer: a type that nobody here knows is kept whole, and the rest is read."""

from typing import Any

import pytest

from dialects.dialect_rows import Json, reading
from portico.core.assembly import assemble
from portico.core.dialect import Reply
from portico.core.events import Failed
from portico.core.parts import Opaque, Reasoning, Text, text_of
from portico.core.response import Candidate, Response
from portico.relay.translate import DIALECTS
from portico.wire import jsontext
from portico.wire.sse import Frame, SseDecoder, encode

NEW: Json = {"type": "hologram", "beams": [1, {"x": None}], "text": "not to be read"}

MESSAGE: Json = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [NEW, {"type": "output_text", "text": "Hi", "annotations": []}],
}
THOUGHT: Json = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "hologram"}, {"type": "summary_text", "text": "hm"}],
}
RESPONSE: Json = {"id": "r", "object": "response", "model": "m", "status": "completed", "output": [THOUGHT, MESSAGE]}
CHAT: Json = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
CLAUDE: Json = {"id": "m", "type": "message", "role": "assistant", "model": "c", "stop_sequence": None}
COUNTS: Json = {"input_tokens": 1, "output_tokens": 1}

WHOLE: dict[str, Json] = {
    "openai_responses": RESPONSE,
    "openai_chat": {
        **CHAT,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": [NEW, {"type": "text", "text": "Hi"}], "hologram": NEW},
                "finish_reason": "stop",
            }
        ],
    },
    "anthropic_messages": {
        **CLAUDE,
        "content": [NEW, {"type": "text", "text": "Hi", "hologram": 1}],
        "stop_reason": "end_turn",
        "usage": {**COUNTS, "hologram_tokens": {"beams": 1}},
    },
    "gemini": {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"hologram": NEW}, {"text": "Hi"}]},
                "finishReason": "STOP",
                "hologramMetadata": NEW,
            }
        ],
        "hologramStatus": {},
    },
}


def chunk(delta: Json, finish: str | None = None) -> Json:
    return {
        **CHAT,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def item(kind: str, at: int, value: Json) -> Json:
    return {"type": f"response.output_item.{kind}", "output_index": at, "item": value}


def of_block(kind: str, at: int, **fields: Any) -> Json:
    return {"type": f"content_block_{kind}", "index": at, **fields}


STREAMED: dict[str, list[Any]] = {
    "openai_responses": [
        {"type": "response.created", "response": {**RESPONSE, "output": [], "status": "in_progress"}},
        {"type": "response.hologram.delta", "delta": {"beams": 1}},
        item("added", 0, {**THOUGHT, "summary": []}),
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 1, "delta": "hm"},
        item("done", 0, THOUGHT),
        item("added", 1, {**MESSAGE, "content": []}),
        {"type": "response.content_part.added", "output_index": 1, "content_index": 0, "part": NEW},
        {"type": "response.output_text.delta", "output_index": 1, "content_index": 1, "delta": "Hi"},
        item("done", 1, MESSAGE),
        {"type": "response.completed", "response": RESPONSE},
    ],
    "openai_chat": [
        chunk({"role": "assistant", "content": [NEW]}),
        chunk({"content": "Hi", "hologram": NEW}),
        chunk({}, "stop"),
        "[DONE]",
    ],
    "anthropic_messages": [
        {"type": "message_start", "message": {**CLAUDE, "content": [], "stop_reason": None, "usage": COUNTS}},
        {"type": "hologram", "beams": 1},
        of_block("start", 0, content_block={**NEW, "text": ""}),
        of_block("delta", 0, delta={"type": "text_delta", "text": "not to be read"}),
        of_block("delta", 0, delta={"type": "hologram_delta", "beams": {"x": 1}}),
        of_block("stop", 0),
        of_block("start", 1, content_block={"type": "text", "text": ""}),
        of_block("delta", 1, delta={"type": "hologram_delta", "beams": "x"}),
        of_block("delta", 1, delta={"type": "text_delta", "text": "Hi"}),
        of_block("stop", 1),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "hologram": 1}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ],
    "gemini": [
        {"candidates": [{"content": {"role": "model", "parts": [{"hologram": NEW}]}}], "hologramStatus": {}},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]},
    ],
}


def data_of(event: Any) -> bytes:
    return event.encode() if isinstance(event, str) else jsontext.encode(event)


def streamed(name: str, size: int) -> Response:
    data = b"".join(encode(Frame(data_of(event))) for event in STREAMED[name])
    decoder, reader = SseDecoder(), DIALECTS[name].reader(reading())
    frames = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
    events = [event for frame in [*frames, *decoder.close()] for event in reader.feed(frame)] + reader.close()
    assert not [event for event in events if isinstance(event, Failed)]
    return assemble(events)


def is_read(candidate: Candidate, name: str) -> None:
    assert text_of(candidate.parts) == "Hi"
    (kept,) = [part for part in candidate.parts if isinstance(part, Opaque)]
    assert kept.origin == name
    assert "beams" in str(kept.value)
    assert candidate.finish is not None
    if name == "openai_responses":
        assert [part.text for part in candidate.parts if isinstance(part, Reasoning)][-1].strip() == "hm"


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_with_something_new_is_read(name: str) -> None:
    response = DIALECTS[name].parse_response(WHOLE[name], reading())
    is_read(response.candidates[0], name)
    for dialect in DIALECTS.values():
        told = dialect.render_response(response, Reply(id="x", created=1))
        body = jsontext.encode(told.body).decode()
        assert "Hi" in body
        assert "beams" in body or "1.2:opaque" in {loss.code for loss in told.losses}


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_with_something_new_is_read(name: str, size: int) -> None:
    is_read(streamed(name, size).candidates[0], name)


def test_a_part_of_an_answer_that_nobody_knows_is_told_again_in_its_own_dialect() -> None:
    responses = DIALECTS["openai_responses"]
    told = responses.render_response(responses.parse_response(RESPONSE, reading()), Reply(id="x", created=1)).body
    contents = [one["content"] for one in told["output"] if one["type"] == "message"]
    assert contents[0] == [NEW]
    assert contents[1][0]["text"] == "Hi"
    assert len({one["id"] for one in told["output"]}) == len(told["output"])


def test_a_text_block_is_no_block_that_nobody_knows() -> None:
    body = {**WHOLE["anthropic_messages"], "content": [{"type": "text", "text": "Hi", "hologram": 1}]}
    (part,) = DIALECTS["anthropic_messages"].parse_response(body, reading()).candidates[0].parts
    assert isinstance(part, Text)
