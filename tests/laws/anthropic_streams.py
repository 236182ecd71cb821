"""Messages cut into streams, written apart from the code under test.

As Anthropic sends them: a block's fields that grow come empty with its start, then in pieces; a signature comes last; the
usage of the end repeats that of the beginning.
"""

import json
from typing import Any

GROWING = {"text": ("text", "text_delta"), "thinking": ("thinking", "thinking_delta")}


def cut(body: dict[str, Any], size: int | None) -> list[dict[str, Any]]:
    """A body as a stream, text in pieces of `size` characters; None: each in one."""
    ends = ("stop_reason", "stop_sequence", "stop_details")
    head = {name: value for name, value in body.items() if name not in (*ends, "content")}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**head, "content": []}}, {"type": "ping"}]
    for index, block in enumerate(body["content"]):
        events += _block(index, block, size)
    delta = {name: body[name] for name in ends if name in body}
    events.append({"type": "message_delta", "delta": delta, "usage": body.get("usage") or {}})
    events.append({"type": "message_stop"})
    return events


def _block(index: int, block: dict[str, Any], size: int | None) -> list[dict[str, Any]]:
    start, deltas = dict(block), list[dict[str, Any]]()
    kind = block["type"]
    if kind in GROWING:
        member, delta = GROWING[kind]
        start[member] = ""
        deltas += [{"type": delta, member: piece} for piece in _pieces(block[member], size)]
        if "signature" in block:
            start["signature"] = ""
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        deltas = [{"type": "citations_delta", "citation": one} for one in start.pop("citations", None) or ()] + deltas
    elif kind in ("tool_use", "server_tool_use"):
        start["input"] = {}
        deltas += [
            {"type": "input_json_delta", "partial_json": piece} for piece in _pieces(json.dumps(block["input"]), size)
        ]
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *[{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas],
        {"type": "content_block_stop", "index": index},
    ]


def _pieces(text: str, size: int | None) -> list[str]:
    return [text] if size is None else [text[at : at + size] for at in range(0, len(text), size)]


def joined(events: list[dict[str, Any]]) -> dict[str, Any]:
    """A recorded stream as the one body it told."""
    body: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        match event.get("type"):
            case "message_start":
                body = {**event["message"]}
                body["usage"] = {**(body.get("usage") or {})}
            case "content_block_start":
                blocks[event["index"]] = {**event["content_block"], "json": "", "cited": []}
            case "content_block_delta":
                _grow(blocks[event["index"]], event["delta"])
            case "message_delta":
                body.update({name: value for name, value in event["delta"].items() if value is not None})
                body.update({k: v for k, v in event.items() if k not in ("type", "delta", "usage") and v is not None})
                body["usage"].update({k: v for k, v in (event.get("usage") or {}).items() if v is not None})
    body["content"] = [_whole(block) for _, block in sorted(blocks.items())]
    return body


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    match delta["type"]:
        case "input_json_delta":
            block["json"] += delta["partial_json"]
        case "citations_delta":
            block["cited"].append(delta["citation"])
        case _:
            for member, more in delta.items():
                if member not in ("type", "estimated_tokens") and isinstance(more, str):
                    block[member] = (block.get(member) or "") + more


def _whole(block: dict[str, Any]) -> dict[str, Any]:
    text, cited = block.pop("json"), block.pop("cited")
    if text:
        block["input"] = json.loads(text)
    if cited:
        block["citations"] = [*(block.get("citations") or ()), *cited]
    return block
