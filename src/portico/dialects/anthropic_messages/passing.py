"""Messages bodies between two ends that both speak them: the bytes pass, and somebody watches.

One thing of a request is changed: `model`, which is the provider's own name for it. Everything else passes, whether it is
known here or not. Of a stream's events only those members are read that tell of the model, of what is used, of what is
shown and of the end.
"""

import re
from typing import Any, Final

import msgspec

from portico.core.dialect import Seen
from portico.core.envelope import MARK
from portico.core.errors import (
    BodyNotJson,
    InvalidRequest,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamIncomplete,
    UpstreamRefusedAccount,
)
from portico.dialects.anthropic_messages.checks import wrong_type
from portico.dialects.anthropic_messages.errors import parse_error_object, render_error
from portico.dialects.anthropic_messages.more import MORE
from portico.dialects.anthropic_messages.searching import OURS
from portico.dialects.anthropic_messages.usage import parse_usage, tier_of, uses_of
from portico.wire import jsontext, raw
from portico.wire.sse import Frame

_BLANK: Final = ("signature", "encrypted_index")
MARKS: Final = (
    *(MARK.encode(), OURS.encode()),
    *(f'"{name}":{space}""'.encode() for name in _BLANK for space in ("", " ")),
)
"""Sealed blobs of other vendors, in envelopes of ours, what their searches found, and thoughts of others that have no seal,
which Anthropic refuses: a body with one is read, so that they stay here."""
_SPELT_OUT: Final = re.compile(rb"\\u00[4-7]")
"""A letter written as an escape: a name could be hidden by it."""


class _Asked(msgspec.Struct):
    model: Any = None


_ASKED: Final = msgspec.json.Decoder(_Asked)


def renamed(body: bytes, model: str) -> bytes:
    """The body for an upstream model. Raises `BodyNotJson`, and `InvalidRequest` for one that does not say once which model
    it wants."""
    body = body.removeprefix(jsontext.BOM)
    try:
        body.decode()  # what is stepped over is not checked otherwise
        asked = _ASKED.decode(body).model
    except msgspec.ValidationError:
        raise wrong_type("$", "an object", jsontext.decode(body)) from None
    except jsontext.NOT_DECODED as error:
        raise BodyNotJson(f"The request body is not valid JSON: {jsontext.fault(body, error)}") from None
    if asked is None or asked == "":
        raise InvalidRequest("model: Field required", param="$.model")
    if not isinstance(asked, str):
        raise wrong_type("$.model", "a string", asked)
    if body.count(b'"model"') != 1 or (b"\\u" in body and _SPELT_OUT.search(body)):
        found = [name for name, _ in raw.each_member(body) if name in ("model", "stream")]
        if len(found) > len(set(found)):
            raise InvalidRequest("model: given twice", param="$.model")
    return body if asked == model else raw.patch(body, {"model": model})


# -- whole answers ---------------------------------------------------------------------------------------------------


class _Block(msgspec.Struct):
    type: Any = None
    text: Any = None
    thinking: Any = None


class _Message(msgspec.Struct):
    """What is looked at of an answer; the rest is only checked to be JSON."""

    type: Any = None
    model: Any = None
    content: Any = None
    stop_reason: Any = None
    usage: Any = None
    input_tokens: Any = None
    error: Any = None


_MESSAGE: Final = msgspec.json.Decoder(_Message)


def see(body: bytes) -> Seen:
    """What a whole answer tells: a message, or a count. Raises `UpstreamError`."""
    message = _decoded(body)
    if message.error is not None:
        raise parse_error_object({"error": message.error})
    if message.input_tokens is not None:
        return Seen()
    if not isinstance(message.content, list):
        raise UpstreamBadGateway("The provider sent something that is not a message.")
    blocks = [block for block in message.content if isinstance(block, dict)]
    empty = not any(_says(block) for block in blocks) and message.stop_reason in (None, "end_turn", "tool_use")
    shown = sum(len(str(block.get("text") or "").encode()) for block in blocks)
    return _seen(message.model, message.usage, empty=empty, shown=shown)


def _says(block: dict[str, Any]) -> bool:
    """Whether a block shows something: hidden thoughts alone are no answer."""
    kind = block.get("type")
    if kind == "text":
        return bool(block.get("text"))
    return kind not in ("thinking", "redacted_thinking")


def _seen(model: Any, usage: Any, *, empty: bool, shown: int) -> Seen:
    name = model if isinstance(model, str) and model else None
    counts = parse_usage(usage)
    if counts is None:
        return Seen(name, empty=empty, shown=shown)
    return Seen(name, counts, tier_of(usage), uses_of(usage), dict(usage), empty)


def _decoded(data: bytes) -> _Message:
    try:
        data.decode()
        return _MESSAGE.decode(data)
    except msgspec.ValidationError:
        raise UpstreamBadGateway("The provider sent something that is not an answer.") from None
    except jsontext.NOT_DECODED as error:
        raise UpstreamBadGateway(f"The provider sent something that is not JSON: {error}") from None


# -- streams ---------------------------------------------------------------------------------------------------------


class _Event(msgspec.Struct):
    """What is looked at of an event."""

    type: Any = None
    message: Any = None
    content_block: Any = None
    delta: Any = None
    usage: Any = None
    error: Any = None


_EVENT: Final = msgspec.json.Decoder(_Event)
_WORDS: Final = frozenset({"text", "tool_use", "server_tool_use"})


class AnthropicWatch:
    """A stream of Messages while it passes."""

    named: Final = "content_block_delta"

    def __init__(self, fresh_id: str) -> None:
        del fresh_id  # Anthropic always gives one
        self.ended = False
        self.model: str | None = None
        self._usage: dict[str, Any] = {}
        self._begun = False
        self._answers = False
        self._explained = False
        self._stopped = False
        self._shown = 0

    @property
    def counts(self) -> bool:
        return self._answers or self._explained

    def feed(self, frame: Frame) -> list[Frame]:
        if self.ended:
            return []
        try:
            frame.data.decode()
            event = _EVENT.decode(frame.data)
        except msgspec.ValidationError:
            raise UpstreamBadGateway("The provider sent a frame that is not an event.") from None
        except jsontext.NOT_DECODED as error:
            raise UpstreamBadGateway(f"The provider sent a frame that is not JSON: {error}") from None
        if event.error is not None:
            return [self._told(frame, event.error)]
        self._note(event)
        if frame.event is None and isinstance(event.type, str):  # SDKs go by the event's name
            frame = Frame(frame.data, event.type)
        return [frame]

    def more(self, frame: Frame) -> bool:
        try:
            delta = MORE.decode(frame.data).delta
        except jsontext.NOT_DECODED:
            return False
        if self.ended or frame.event not in (None, self.named):
            return False
        if delta.text and delta.block == "text":
            self._answers = True
            self._shown += len(delta.text.encode())
        return True

    def _note(self, event: _Event) -> None:
        match event.type:
            case "content_block_delta":
                text = event.delta.get("text") if isinstance(event.delta, dict) else None
                if isinstance(text, str) and text:
                    self._answers = True
                    self._shown += jsontext.utf8_bytes(text)
            case "message_start":
                self._begun = True
                message = event.message if isinstance(event.message, dict) else {}
                model = message.get("model")
                self.model = model if isinstance(model, str) and model else self.model
                self._count(message.get("usage"))
            case "content_block_start":
                block = event.content_block if isinstance(event.content_block, dict) else {}
                self._answers = self._answers or _says(block)
            case "message_delta":
                self._count(event.usage)
                reason = event.delta.get("stop_reason") if isinstance(event.delta, dict) else None
                if reason is not None:
                    self._stopped = True
                    self._explained = reason not in ("end_turn", "tool_use")
            case "message_stop":
                self._stopped = True

    def _count(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self._usage.update({name: value for name, value in usage.items() if value is not None})

    def _told(self, frame: Frame, said: Any) -> Frame:
        """An error after something was passed goes as it came, unless it speaks of the operator's account."""
        self.ended = True
        error = parse_error_object({"error": said})
        if not self._begun:
            raise error
        if isinstance(error, (UpstreamAuthFailed, UpstreamRefusedAccount)):
            return Frame(jsontext.encode(render_error(error)), "error")
        return frame if frame.event is not None else Frame(frame.data, "error")

    def close(self) -> None:
        if self.ended:
            return
        self.ended = True
        if not self._begun:
            raise UpstreamEmpty
        if not self._stopped:
            raise UpstreamIncomplete

    def seen(self) -> Seen:
        return _seen(self.model, self._usage or None, empty=not self.counts, shown=self._shown)
