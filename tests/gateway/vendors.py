"""OpenAI's and Anthropic's ends of the wire, as scripts play them, and what callers of both send."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.house import KEY, Act, Answer, House, Json, as_bytes
from portico.wire.http import Exchange

ANTHROPIC: Mapping[str, str] = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
CLAUDE = "claude-sonnet-5"
GPT = "gpt-5.5"
GEMINI = "gemini-3.5-flash"


async def ask_messages(house: House, body: Any, path: str = "/v1/messages", **more: str) -> Answer:
    """A call as Anthropic's clients make it."""
    return await house.ask(body, path=path, key=None, headers={**ANTHROPIC, **more})


def message(text: str = "Hello", *, model: str = CLAUDE, **more: Any) -> Json:
    """The smallest request of Messages, and what a test adds to it."""
    return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


def response(given: Any = "Hello", *, model: str = GPT, **more: Any) -> Json:
    """The smallest request of Responses, and what a test adds to it."""
    return {"model": model, "input": given, **more}


# -- Anthropic -------------------------------------------------------------------------------------------------------


def claude_says(*blocks: Json, stop: str = "end_turn", **more: Any) -> Json:
    return {
        "id": "msg_01scripted",
        "type": "message",
        "role": "assistant",
        "model": CLAUDE,
        "content": list(blocks),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 7},
        **more,
    }


def claude_text(text: str) -> Json:
    return {"type": "text", "text": text}


def claude_events(text: str) -> list[Json]:
    begun = claude_says() | {"stop_reason": None, "usage": {"input_tokens": 12, "output_tokens": 1}}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": claude_text("")},
        {"type": "ping"},
        *[{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": one}} for one in text],
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 7},
        },
        {"type": "message_stop"},
    ]


# -- Responses -------------------------------------------------------------------------------------------------------


def gpt_message(text: str, id_: str = "msg_scripted1") -> Json:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": id_, "status": "completed", "role": "assistant", "content": [part]}


def gpt_says(*output: Json, id_: str = "resp_scripted1", **more: Any) -> Json:
    return {
        "id": id_,
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": GPT,
        "output": list(output),
        "store": False,
        "previous_response_id": None,
        "usage": {
            "input_tokens": 12,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 19,
        },
        **more,
    }


def gpt_events(text: str, **more: Any) -> list[Json]:
    item = gpt_message(text)
    begun = gpt_says(**more) | {"status": "in_progress", "usage": None}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    told: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **place, "part": gpt_message("")["content"][0]},
        *[{"type": "response.output_text.delta", **place, "delta": one, "logprobs": []} for one in text],
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": item["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": gpt_says(item, **more)},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(told)]


# -- the wire ----------------------------------------------------------------------------------------------------------


def named(*events: Json) -> bytes:
    """A stream as both vendors send it."""
    return b"".join(b"event: " + event["type"].encode() + b"\ndata: " + as_bytes(event) + b"\n\n" for event in events)


def streams_named(*events: Json, size: int = 10**6, cut: bool = False) -> Act:
    """A stream of these, some bytes at a time; `cut` drops the connection after."""
    data = named(*events)

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
        if cut:
            exchange.abort()
        else:
            exchange.finish()

    return act


def events_of(body: bytes) -> list[Json]:
    """The events of a stream, each of which says its own name; comments are passed over."""
    told: list[Json] = []
    for block in body.decode().split("\n\n"):
        lines = block.split("\n")
        if not block.strip() or block.startswith(":"):
            continue
        assert [line.partition(": ")[0] for line in lines] == ["event", "data"], block
        event = json.loads(lines[1].removeprefix("data: "))
        assert event["type"] == lines[0].removeprefix("event: ")
        told.append(event)
    return told


def types_of(events: Sequence[Json]) -> list[str]:
    return [event["type"] for event in events]


def text_of_response(body: Json) -> str:
    parts = [part for item in body["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part["text"] for part in parts if part["type"] == "output_text")


def anthropic_error(answer: Answer, status: int, kind: str) -> str:
    """The message of an error of Anthropic's, checked to be one."""
    assert answer.status == status, answer.body
    return anthropic_error_of(answer.json(), kind)


def anthropic_error_of(body: Any, kind: str) -> str:
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    told = body["error"]["message"]
    assert isinstance(told, str)
    assert told
    assert "Traceback" not in told
    return told
