"""What is asked, and what the stand-in for a provider answers: bodies made here, the same for every gateway.

`small` is two messages, about 300 bytes. `agent` is a turn of an agent's loop as recorded traffic shows them: 62
messages, 20 calls with their results, 20 tool declarations, 52 KB. `image` carries 5 MB of base64. Bodies are as compact
as SDKs send them.
"""

import base64
import random
from typing import Any, Final

import msgspec

Body = dict[str, Any]
_WORDS: Final = "the a file path list of edit run test read write module returns value error line which when not all"


def encoded(body: Body) -> bytes:
    """A body as an SDK sends it."""
    return msgspec.json.encode(body)


def _words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choices(_WORDS.split(), k=count))


def _tools(count: int, rng: random.Random) -> list[Body]:
    tools: list[Body] = []
    for number in range(count):
        properties = {
            f"field_{i}": {"type": rng.choice(["string", "integer", "boolean"]), "description": _words(rng, 14)}
            for i in range(5)
        }
        schema = {"type": "object", "properties": properties, "required": ["field_0"], "additionalProperties": False}
        function = {"name": f"tool_{number}", "description": _words(rng, 40), "parameters": schema}
        tools.append({"type": "function", "function": function})
    return tools


_SYSTEM: Final = "You are a helpful assistant that answers in one short paragraph."
_QUESTION: Final = "Explain in plain words how a rainbow comes about, and why it is round."


def small(model: str) -> Body:
    """A system sentence and a question."""
    messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _QUESTION}]
    return {"model": model, "messages": messages, "temperature": 0.7, "max_tokens": 4096}


def small_to_gemini() -> Body:
    """The same as Google's own API takes it."""
    return {
        "systemInstruction": {"parts": [{"text": _SYSTEM}]},
        "contents": [{"role": "user", "parts": [{"text": _QUESTION}]}],
        "generationConfig": {"temperature": 0.7, "maxOutputTokens": 4096},
    }


def agent(model: str) -> Body:
    """A turn of an agent that has called 20 tools."""
    rng = random.Random(7)
    messages: list[Body] = [
        {"role": "system", "content": _words(rng, 1000)},
        {"role": "user", "content": _words(rng, 60)},
    ]
    for number in range(20):
        call_id = f"call_{number:024d}"
        arguments = msgspec.json.encode({"field_0": _words(rng, 12), "field_1": number}).decode()
        call = {"id": call_id, "type": "function", "function": {"name": f"tool_{number}", "arguments": arguments}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": _words(rng, 190)},
            {"role": "user", "content": _words(rng, 30)},
        ]
    return {"model": model, "messages": messages, "tools": _tools(20, rng), "max_tokens": 8192}


def image(model: str) -> Body:
    """5 MB of base64 in a data URI."""
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.Random(3).randbytes(3_750_000)).decode()
    url = {"url": f"data:image/png;base64,{data}"}
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": url}]
    return {"model": model, "messages": [{"role": "user", "content": content}]}


# -- answers ---------------------------------------------------------------------------------------------------------

GEMINI_USAGE: Final = {
    "promptTokenCount": 38,
    "candidatesTokenCount": 61,
    "totalTokenCount": 99,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 38}],
}
OPENAI_USAGE: Final = {"prompt_tokens": 38, "completion_tokens": 61, "total_tokens": 99}
TEXT: Final = (
    "Sunlight enters a raindrop, bends, is thrown back by its far side and bends again as it leaves. Each colour bends by "
    "its own angle, so the drops that send you red stand at one angle from the point opposite the sun, and those of violet "
    "at another: all such directions make a circle."
)
LARGE_TEXT: Final = _words(random.Random(5), 45_000)[:200_000]


def gemini_answer(text: str, *, finish: str | None = "STOP") -> bytes:
    """An answer of generateContent, or an event of its stream (the last says `finish`)."""
    candidate: Body = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    known = {"usageMetadata": GEMINI_USAGE, "modelVersion": "gemini-3.5-flash", "responseId": "bench0"}
    return encoded({"candidates": [candidate], **known})


def openai_answer(text: str) -> bytes:
    """chat.completion, for gateways that are measured with OpenAI's API at both ends."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    head = {"id": "chatcmpl-bench", "object": "chat.completion", "created": 1, "model": "bench"}
    return encoded({**head, "choices": [choice], "usage": OPENAI_USAGE})


def openai_event(text: str, *, finish: str | None) -> bytes:
    """chat.completion.chunk; the one that says `finish` has the usage too."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    head = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return encoded({**head, "choices": [choice], **({"usage": OPENAI_USAGE} if finish else {})})


def anthropic_events(text: str, count: int) -> list[bytes]:
    """The events of Anthropic's stream of an answer whose text comes in so many pieces."""
    counts = {"input_tokens": 38, "output_tokens": 1}
    message: Body = {"id": "msg_bench", "type": "message", "role": "assistant", "model": "bench", "content": []}
    events: list[Body] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": counts}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    more = {"type": "text_delta", "text": text}
    events += [{"type": "content_block_delta", "index": 0, "delta": more} for _ in range(count)]
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    events += [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 61}},
        {"type": "message_stop"},
    ]
    return [b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encoded(event)) for event in events]
