"""Answers of Google's cut in every way, and put together again as a client does it."""

import json
from itertools import pairwise
from typing import Any

from gateway.house import Events, Json, candidate, frame
from portico.wire.http import Exchange


class Cut:
    """A provider that sends one answer: whole, or as a stream whose events hold `sizes` parts each, cut at `cuts`.

    It keeps the bodies it was sent.
    """

    def __init__(self) -> None:
        self.parts: list[Json] = []
        self.sizes: list[int] = []
        self.cuts: list[int] = []
        self.bodies: list[Json] = []

    async def __call__(self, exchange: Exchange) -> None:
        self.bodies.append(json.loads(exchange.request.body))
        if "alt=sse" not in exchange.request.query:
            body = json.dumps(candidate(*self.parts)).encode()
            exchange.send(200, [("content-type", "application/json")], body)
            return
        exchange.start(200, [("content-type", "text/event-stream")])
        data = b"".join(self.events())
        places = [0, *sorted(cut % (len(data) + 1) for cut in self.cuts), len(data)]
        for start, end in pairwise(places):
            if start < end:
                exchange.write(data[start:end])
                await exchange.drain()
        exchange.finish()

    def events(self) -> list[bytes]:
        left, made = list(self.parts), []
        for size in self.sizes:
            made.append(frame(candidate(*left[:size], finish=None)))
            left = left[size:]
        return [*made, frame(candidate(*left, {"text": ""}))]


def message_of(body: bytes, *, stream: bool) -> Json:
    """The message of an answer, with everything that was told of it."""
    if not stream:
        message = json.loads(body)["choices"][0]["message"]
        assert isinstance(message, dict)
        return message
    events = Events.of(body)
    assert events.done, body
    message = {"role": "assistant", "content": ""}
    for delta in events.deltas:
        for key, value in delta.items():
            if key == "content":
                message[key] = joined(message[key], value or "")
            elif key == "tool_calls":
                calls = [{name: part for name, part in one.items() if name != "index"} for one in value]
                message[key] = [*message.get(key, []), *calls]
            elif key == "images":
                message[key] = [*message.get(key, []), *value]
            else:
                message[key] = value
    return message


def joined(content: Any, more: Any) -> Any:
    """Content and what a delta adds to it: text, or lists of parts where pictures are told so."""
    if isinstance(content, list) or isinstance(more, list):
        return [*as_parts(content), *as_parts(more)]
    return content + more


def as_parts(content: Any) -> list[Json]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []
