"""An answer as the events of a stream.

Blocks come one after another, each opened, told in pieces and closed; a `ping` follows the first opening; what a block of
Anthropic's own tools holds comes whole with its opening; a signature comes as the last delta of its thinking.
"""

import json
from collections.abc import Iterator
from typing import Any

from portico.simulator import logprobs
from portico.simulator.anthropic.telling import BULK_PIECE, Reply
from portico.simulator.refusal import Json

_PIECE = 4
"""Tokens in one text delta."""
_FRAGMENT = 9
"""Characters in one delta of an input."""


def events(reply: Reply) -> Iterator[Json]:
    """Every event, in order."""
    yield {"type": "message_start", "message": reply.envelope()}
    for index, block in enumerate(reply.content()):
        yield {"type": "content_block_start", "index": index, "content_block": _opened(block)}
        if index == 0:
            yield {"type": "ping"}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = reply.stop()
    box = reply.container()
    if box is not None:
        delta["container"] = box
    yield {"type": "message_delta", "delta": delta, "usage": reply.usage(delta=True)}
    yield {"type": "message_stop"}


def _opened(block: Json) -> Json:
    match block["type"]:
        case "text":
            return {"type": "text", "text": ""} | ({"citations": []} if block.get("citations") else {})
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case "tool_use" | "server_tool_use":
            return block | {"input": {}}
        case _:
            return block


def _deltas(block: Json) -> Iterator[Json]:
    match block["type"]:
        case "text":
            for citation in block.get("citations") or ():
                yield {"type": "citations_delta", "citation": citation}
            for piece in pieces(block["text"]):
                yield {"type": "text_delta", "text": piece}
        case "thinking":
            for piece in pieces(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use" | "server_tool_use":
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in _fragments(block["input"]):
                yield {"type": "input_json_delta", "partial_json": piece}


def pieces(text: str) -> Iterator[str]:
    """The text in the pieces a stream brings; none of an empty one. A very long text comes in large ones."""
    if len(text) > BULK_PIECE:
        yield from (text[at : at + BULK_PIECE] for at in range(0, len(text), BULK_PIECE))
        return
    split = logprobs.split(text)
    if "".join(split) != text:  # what the splitter does not know is told letter by letter
        split = list(text)
    yield from ("".join(split[at : at + _PIECE]) for at in range(0, len(split), _PIECE))


def _fragments(given: Any) -> Iterator[str]:
    """The input as JSON, cut without regard to what it means; of an empty one nothing (recorded)."""
    if not given:
        return
    text = json.dumps(given, ensure_ascii=False)
    yield from (text[at : at + _FRAGMENT] for at in range(0, len(text), _FRAGMENT))
