"""Asking the simulator as Anthropic, and judging its answers by the types of Anthropic's own SDK."""

import json
from collections.abc import Mapping
from typing import Any

from anthropic.types import Message, RawMessageStreamEvent
from pydantic import BaseModel, TypeAdapter

from portico.simulator import Simulator
from simulator.sim_memory import Json, Memory, exchange

HEADERS = {"x-api-key": "a-key", "anthropic-version": "2023-06-01"}
MESSAGES = "/v1/messages"
THINKER = "claude-haiku-4-5"
"""Takes a budget, a prefill and a temperature."""
NEWEST = "claude-opus-5-5"
CITY: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


async def post(sim: Simulator, body: Any, *, path: str = MESSAGES, headers: Mapping[str, str] | None = None) -> Memory:
    """The exchange of one POST, done."""
    one = exchange(path, body, headers=HEADERS | dict(headers or {}))
    await sim(one)
    return one


async def answer(sim: Simulator, body: Any, *, headers: Mapping[str, str] | None = None) -> Json:
    """The message that answers a request which is not refused; the SDK's own type knows all of it."""
    one = await post(sim, body, headers=headers)
    assert one.status == 200, one.data
    result: Json = one.json()
    known(Message.model_validate_json(one.data, strict=True))
    return result


async def refused(sim: Simulator, body: Any, *, headers: Mapping[str, str] | None = None) -> str:
    """What is said of a request that is refused as a bad one."""
    one = await post(sim, body, headers=headers)
    assert one.status == 400, one.data
    told: Json = one.json()
    assert set(told) == {"type", "error", "request_id"}
    assert (told["type"], told["error"]["type"]) == ("error", "invalid_request_error")
    said: str = told["error"]["message"]
    return said


async def events(sim: Simulator, body: Json, *, headers: Mapping[str, str] | None = None) -> list[Json]:
    """The events of a stream, strictly framed; the SDK's own types know all of them."""
    one = await post(sim, body | {"stream": True}, headers=headers)
    assert one.status == 200, one.data
    assert one.finished
    told = framed(one.data)
    for event in told:
        if event["type"] != "ping":
            known(EVENT.validate_json(json.dumps(event), strict=True))
    return told


def framed(data: bytes) -> list[Json]:
    """The events of an SSE body, each under the name of its type."""
    frames = data.decode().split("\n\n")
    assert frames.pop() == ""
    made = []
    for frame in frames:
        name, _, rest = frame.partition("\n")
        assert rest.startswith("data: ")
        event = json.loads(rest.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        made.append(event)
    return made


def known(value: Any, path: str = "") -> None:
    """Asserts that no field is there which the SDK's type does not have, but for those Anthropic sends beside them."""
    match value:
        case BaseModel():
            assert not value.model_extra, (path, type(value).__name__, value.model_extra)
            for name in type(value).model_fields:
                known(getattr(value, name), f"{path}.{name}")
        case list():
            for one in value:
                known(one, path)


def folded(told: list[Json]) -> Json:
    """The message that a stream's events make, joined by an independent hand."""
    message: Json = told[0]["message"]
    blocks: list[Json] = []
    texts: list[str] = []
    for event in told[1:]:
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(blocks)
                blocks.append(dict(event["content_block"]))
                texts = []
            case "content_block_delta":
                assert event["index"] == len(blocks) - 1
                _apply(event["delta"], blocks[-1], texts)
            case "content_block_stop" if texts:
                blocks[-1]["input"] = json.loads("".join(texts) or "{}")
            case "message_delta":
                message = message | event["delta"]
                message["usage"] = message["usage"] | event["usage"]
    return message | {"content": blocks}


def _apply(delta: Json, block: Json, texts: list[str]) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] += delta["signature"]
        case "citations_delta":
            block["citations"] = [*block["citations"], delta["citation"]]
        case "input_json_delta":
            texts.append(delta["partial_json"])


def user(content: Any, /, **more: Any) -> Json:
    """A request with one user message."""
    return {"model": THINKER, "max_tokens": 8000, "messages": [{"role": "user", "content": content}], **more}


def said(role: str, *blocks: Any) -> Json:
    """A message of these blocks; a string is a text."""
    content = [{"type": "text", "text": one} if isinstance(one, str) else one for one in blocks]
    return {"role": role, "content": content}


def tools(*names: str) -> list[Json]:
    """Functions that take a city and a number of days."""
    return [{"name": name, "input_schema": CITY} for name in names]


def kinds(message: Json) -> list[str]:
    """The types of the blocks."""
    return [block["type"] for block in message["content"]]


def text(message: Json) -> str:
    """What the text blocks say."""
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


def having(message: Json, kind: str) -> list[Json]:
    """The blocks of this type."""
    return [block for block in message["content"] if block["type"] == kind]


def results(message: Json) -> Json:
    """The user message that answers every call of a message."""
    blocks = [
        {"type": "tool_result", "tool_use_id": one["id"], "content": "fine"} for one in having(message, "tool_use")
    ]
    return {"role": "user", "content": blocks}
