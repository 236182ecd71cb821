"""One real call, as a client would make it: at its address, with its key, in its dialect, streamed."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from portico.cli.connect.ask import MARK, NoAnswer, asked
from portico.cli.connect.stream import DONE, Event, ended, error_in, is_empty, texts_in, tokens_of
from portico.clients import Card, Told

_PROMPT: Final = "Count from one to twenty, in words."
_MOST: Final = 512
_STALL_S: Final = 1.5
_OF_VENDOR: Final = {"openai": "openai_responses", "anthropic": "anthropic_messages", "google": "gemini"}


class Call(msgspec.Struct, frozen=True):
    """One call, as the client would make it."""

    dialect: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call."""

    request_id: str
    first_s: float
    """Until its first event."""
    last_s: float
    texts: int
    """The events that have text."""
    tokens: int | None

    @property
    def in_one_piece(self) -> bool:
        """Nothing came for a while, and then all of it at once, though it was said bit by bit."""
        return self.texts > 2 and self.first_s > _STALL_S and self.last_s - self.first_s < self.first_s / 20


def call_of(told: Told, key: str | None) -> Call:
    """The smallest call in the dialect, and at the address, that the client uses."""
    dialect = told.api.dialect or _OF_VENDOR.get(told.model.owner, "openai_chat")
    base = told.address if told.api.dialect else told.base_url + ("/v1beta" if dialect == "gemini" else "/v1")
    url, headers, body = _ASKED[dialect](base, told.model)
    name = {"anthropic_messages": "x-api-key", "gemini": "x-goog-api-key"}.get(dialect, "authorization")
    if key is not None:
        headers = {**headers, name: f"Bearer {key}" if name == "authorization" else key}
    return Call(dialect, url, {"content-type": "application/json", "accept": "text/event-stream", **headers}, body)


def _versioned(base: str, version: str) -> str:
    return base if base.endswith((f"/{version}", "/v1")) else f"{base}/{version}"


def _chat(base: str, card: Card) -> tuple[str, dict[str, str], dict[str, Any]]:
    body = {
        "model": card.id,
        "messages": [{"role": "user", "content": _PROMPT}],
        "max_tokens": _MOST,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return f"{base}/chat/completions", {}, body


def _responses(base: str, card: Card) -> tuple[str, dict[str, str], dict[str, Any]]:
    body = {"model": card.id, "input": _PROMPT, "max_output_tokens": _MOST, "stream": True, "store": False}
    return f"{base}/responses", {}, body


def _messages(base: str, card: Card) -> tuple[str, dict[str, str], dict[str, Any]]:
    body = {
        "model": card.id,
        "messages": [{"role": "user", "content": _PROMPT}],
        "max_tokens": _MOST,
        "stream": True,
    }
    return f"{_versioned(base, 'v1')}/messages", {"anthropic-version": "2023-06-01"}, body


def _gemini(base: str, card: Card) -> tuple[str, dict[str, str], dict[str, Any]]:
    body = {
        "contents": [{"role": "user", "parts": [{"text": _PROMPT}]}],
        "generationConfig": {"maxOutputTokens": _MOST},
    }
    return f"{_versioned(base, 'v1beta')}/models/{card.id}:streamGenerateContent?alt=sse", {}, body


_ASKED: Final = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini": _gemini,
}


def made(call: Call) -> Answered:
    """Makes the call and reads its answer to the end. Raises `NoAnswer`."""
    began = time.monotonic()
    arrivals: list[float] = []
    events: list[Event] = []
    with asked(call.url, call.headers, json.dumps(call.body).encode(), timeout_s=120) as answer:
        if MARK not in answer.headers:
            raise NoAnswer(f"{call.url} answers, but is not a Portico: is the address another's?")
        if "text/event-stream" not in answer.headers.get("content-type", ""):
            raise NoAnswer("The answer is no stream: something in between has changed the request or the answer.")
        for event in _events(answer):
            arrivals.append(time.monotonic() - began)
            events.append(event)
        request_id = answer.headers[MARK]
    if (error := error_in(events)) is not None:
        raise NoAnswer(f"The stream ends in an error: {error}")
    if not events:
        raise NoAnswer("The stream ended without an event: something in between has cut it.")
    if not ended(call.dialect, events):
        raise NoAnswer(f"The stream stops before its end, after {len(events)} events: something in between has cut it.")
    if is_empty(call.dialect, events):
        raise NoAnswer("The stream came to its end, and there is no text in it.")
    return Answered(
        request_id=request_id,
        first_s=arrivals[0],
        last_s=arrivals[-1],
        texts=texts_in(call.dialect, events),
        tokens=tokens_of(events),
    )


def _events(answer: http.client.HTTPResponse) -> Iterator[Event]:
    for line in answer:
        if line.startswith(b"data:") and (data := line[5:].strip()):
            if data == b"[DONE]":
                yield DONE
                continue
            try:
                event = json.loads(data)
            except ValueError:
                raise NoAnswer("The stream is damaged: something in between changes it.") from None
            if isinstance(event, dict):
                yield event


def cost_of(root: str, key: str | None, request_id: str) -> str | None:
    """What the call cost, in dollars, where its receipt tells."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    try:
        with asked(f"{root}/v1/receipts/{request_id}", headers) as answer:
            nanos = json.loads(answer.read(2**20)).get("charge_nanos")
    except (NoAnswer, ValueError, AttributeError):
        return None
    return f"{nanos / 1e9:.6f}" if isinstance(nanos, int) else None
