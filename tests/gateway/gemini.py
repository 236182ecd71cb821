"""What a caller says who speaks Google's dialect, and what they make of the answers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.house import KEY, Act, Answer, House, Json, as_bytes, frame
from portico.wire.http import Exchange

MODEL = "gemini-3.5-flash"
PIECES: list[bytes] = [
    b'{"candidates": [{"content": {"parts": [{"text": "One \\u00e9"}],"role": "model"},"index": 0}],"responseId": "r1"}',
    '{"candidates":[{"content":{"parts":[{"text":"é\u2028 two"}]}}] , "responseId":"r1", "new":{"x":1.0}}'.encode(),
    b'{"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}, "responseId": "r1"}',
    (
        b'{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"responseId":"r1","modelVersion":"m",'
        b'"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7}}'
    ),
]
"""The data of one stream, oddly spelt: two pieces of text, usage alone, the end."""


def prompt(text: str = "Hello", **more: Any) -> Json:
    """The smallest body, and what a test adds to it."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


def address(verb: str = "generateContent", query: str = "", *, model: str = MODEL, prefix: str = "/v1beta") -> str:
    return f"{prefix}/models/{model}:{verb}" + (f"?{query}" if query else "")


async def ask(
    house: House,
    body: Any = None,
    verb: str = "generateContent",
    query: str = "",
    *,
    model: str = MODEL,
    prefix: str = "/v1beta",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One call as google-genai makes it."""
    path = address(verb, query, model=model, prefix=prefix)
    fields = {"x-goog-api-key": KEY} if headers is None else headers
    return await house.ask(prompt() if body is None else body, path=path, key=None, headers=fields)


def streams(*bodies: Any, cut: bool = False) -> Act:
    """A provider's stream of these events, each body as JSON or as the bytes it is; `cut` drops the connection after."""

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for body in bodies:
            exchange.write(frame(body))
        if cut:
            await exchange.drain()
            exchange.abort()
        else:
            exchange.finish()

    return act


def events(body: bytes) -> list[bytes]:
    """The data of each event of a stream as Google frames it, and nothing but events."""
    if not body:
        return []
    assert body.endswith(b"\r\n\r\n")
    blocks = body[:-4].split(b"\r\n\r\n")
    assert all(block.startswith(b"data: ") and b"\n" not in block for block in blocks), body
    return [block.removeprefix(b"data: ") for block in blocks]


def told(answer: Answer, *, array: bool = False) -> list[Json]:
    """What a streamed answer told, in whichever frame."""
    assert answer.status == 200, answer.body
    if array:
        assert answer.headers["content-type"] == "application/json"
        told = answer.json()
        assert isinstance(told, list)
        return told
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    return [json.loads(data) for data in events(answer.body)]


def text_of(bodies: list[Json]) -> str:
    return "".join(part.get("text", "") for part in parts_of(bodies) if not part.get("thought"))


def parts_of(bodies: list[Json]) -> Iterator[Json]:
    for body in bodies:
        for candidate in body.get("candidates", ()):
            yield from candidate.get("content", {}).get("parts", ())


def error_of(answer: Answer, status: int, word: str, *, array: bool = False) -> Json:
    """Google's error object, checked to be one."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    if array:
        (body,) = body
    return google_error(body, status, word)


def google_error(body: Any, status: int, word: str) -> Json:
    assert isinstance(body, dict)
    assert body.keys() == {"error"}
    error = body["error"]
    assert error.keys() in ({"code", "message", "status"}, {"code", "message", "status", "details"})
    assert (error["code"], error["status"]) == (status, word)
    assert isinstance(error["message"], str)
    assert error["message"]
    assert "Traceback" not in error["message"]
    return dict(error)


def fails_oddly(status: int, body: Any) -> Act:
    """Something that is not quite Google's error."""

    async def act(exchange: Exchange) -> None:
        exchange.send(status, [("content-type", "text/html")], as_bytes(body))

    return act
