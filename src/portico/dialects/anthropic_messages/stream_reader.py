"""Anthropic's event stream -> events (mapping.md 7.3).

    message_start (content_block_start content_block_delta* content_block_stop)* message_delta message_stop

`ping` may come anywhere, `error` too. Counts are cumulative; those of `message_delta` win.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import Reading, StreamReader
from portico.core.envelope import unwrapped
from portico.core.errors import InvalidRequest, UpstreamBadGateway, UpstreamEmpty, UpstreamError, UpstreamIncomplete
from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Failed,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.parts import Reasoning, Signature, ToolCall
from portico.core.response import Citation, Finish
from portico.dialects.anthropic_messages.blocks import Blocks
from portico.dialects.anthropic_messages.checks import string_at, wrong_type
from portico.dialects.anthropic_messages.errors import parse_error_object
from portico.dialects.anthropic_messages.more import MORE
from portico.dialects.anthropic_messages.response import FINISH_MESSAGE, HEAD, cite, ends, finish_of, renamed
from portico.dialects.anthropic_messages.usage import parse_usage, tier_of, uses_of
from portico.dialects.anthropic_messages.words import VENDOR, ext_of
from portico.wire import jsontext
from portico.wire.sse import Frame


class _Block:
    """The block that is open. Text, thoughts and calls are told as they come, all others when they are whole."""

    __slots__ = ("cited", "fields", "grown", "part", "pieces", "sealed", "start")

    def __init__(self, fields: dict[str, Any], start: int) -> None:
        self.fields = fields
        self.part: int | None = None
        """Its number as a part, if it is told as it comes."""
        self.pieces: list[str] = []
        self.sealed: list[str] = []
        self.grown: dict[str, list[str]] = {}
        """What came of its other fields since it was begun."""
        self.cited: list[Any] = []
        self.start = start
        """Where its text begins in the text of the answer."""


class AnthropicReader(StreamReader):
    """Frames -> events."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._blocks = Blocks(reading.signer)
        self._open: dict[int, _Block] = {}
        self._of_parts: dict[int, _Block] = {}
        """Those of them that are told as they come, by the number of their part."""
        self._next = 0
        self._length = 0
        self._number = 0
        self._started = False
        self._ended = False
        self._usage: dict[str, Any] = {}
        self._finish: Finish | None = None
        self._last: Mapping[str, Any] = {}
        self._citations: dict[Citation, None] = {}
        self._others: list[dict[str, Any]] = []

    def feed(self, frame: Frame) -> list[Event]:
        if self._ended:
            return []
        try:
            body = jsontext.decode(frame.data)
        except jsontext.NotJson as error:
            return self._fail(UpstreamBadGateway(f"The provider sent a frame that is not JSON: {error}"))
        if not isinstance(body, dict):
            return self._fail(UpstreamBadGateway("The provider sent a frame that is not an event."))
        kind = body.get("type")
        read = _READERS.get(kind) if isinstance(kind, str) else None
        if read is None:
            return self._fail(parse_error_object(body)) if body.get("error") is not None else []
        events: list[Event] = []
        if not self._started and kind not in _FIRST:
            self._started = True
            events.append(Started())
        try:
            read(self, body, events)
        except _UNREADABLE:
            return [*events, *self._fail(UpstreamBadGateway(_CANNOT))]
        return events

    def more(self, frame: Frame) -> PartDelta | None:
        try:
            event = MORE.decode(frame.data)
        except jsontext.NOT_DECODED:
            return None
        block, delta = self._open.get(event.index), event.delta
        if block is None or block.part is None or not delta.text or self._ended:
            return None
        return PartDelta(0, block.part, delta.text) if block.fields.get("type") == delta.block else None

    def note(self, more: PartDelta) -> None:
        block = self._of_parts[more.index]
        block.pieces.append(more.text)
        if block.fields["type"] == "text":
            self._length += len(more.text)

    def put_off(self) -> list[Event]:
        return []

    def close(self) -> list[Event]:
        if self._ended:
            return []
        if not self._started:
            return self._fail(UpstreamEmpty())
        if self._finish is None:
            return self._fail(UpstreamIncomplete())
        events: list[Event] = []
        try:
            return self._finished(events)
        except _UNREADABLE:
            return [*events, *self._fail(UpstreamBadGateway(_CANNOT))]

    def _fail(self, error: UpstreamError) -> list[Event]:
        self._ended = True
        return [Failed(error)]

    # -- one reader for each type of event

    def on_message_start(self, body: dict[str, Any], events: list[Event]) -> None:
        message = body["message"]
        if self._started:
            return
        self._started = True
        id_, model = message.get("id"), message.get("model")
        events.append(Started(id_ if isinstance(id_, str) else None, model if isinstance(model, str) else None))
        if extras := ext_of({name: value for name, value in message.items() if name not in HEAD}):
            events.append(Annotated(None, extras))
        self._count(message.get("usage"), events)
        for number, block in enumerate(message.get("content") or ()):  # nobody sends any so far
            self.on_block_start({"index": number, "content_block": block}, events)
            self.on_block_stop({"index": number}, events)

    def on_block_start(self, body: dict[str, Any], events: list[Event]) -> None:
        fields = dict(body["content_block"])
        index = body.get("index", self._number)
        if not isinstance(index, int):
            raise wrong_type("$.index", "an integer", index)
        block = self._open[index] = _Block(fields, self._length)
        block.cited = list(fields.pop("citations", None) or ())
        match fields.get("type"):
            case "text":
                said = self._blocks.block({**fields, "text": fields.get("text") or ""}, "$.content")[0]
                self._begin(block, said, events)
                self._length += len(fields.get("text") or "")
            case "thinking":
                blob = string_at(fields.get("signature") or "", "$.signature")
                block.sealed.append(blob)
                if unwrapped(blob) is None:
                    text = string_at(fields.get("thinking") or "", "$.thinking")
                    part = Reasoning(text, ext=_rest(fields, "type", "thinking", "signature"))
                    self._begin(block, part, events)
            case "tool_use":
                given = fields.get("input")
                call = self._blocks.block({**fields, "input": given or {}}, "$.content")[0]
                call = renamed(call, self._reading)
                if isinstance(call, ToolCall) and call.kind != "custom":
                    text = jsontext.encode(given).decode() if given else ""
                    block.pieces.append(text)
                    self._begin(block, msgspec.structs.replace(call, arguments=text), events)

    def _begin(self, block: _Block, part: Any, events: list[Event]) -> None:
        block.part = self._next
        self._of_parts[block.part] = block
        self._next += 1
        events.append(PartStarted(0, block.part, part))

    def on_block_delta(self, body: dict[str, Any], events: list[Event]) -> None:
        block = self._open.get(body.get("index", 0))
        delta = body["delta"]
        if block is None:
            return
        match delta.get("type"):
            case "text_delta" if block.part is not None:
                text = string_at(delta["text"], "$.text")
                self._length += len(text)
                self._more(block, text, events)
            case "thinking_delta":
                self._more(block, string_at(delta["thinking"], "$.thinking"), events)
            case "input_json_delta":
                self._more(block, string_at(delta["partial_json"], "$.partial_json"), events)
            case "signature_delta":
                block.sealed.append(string_at(delta["signature"], "$.signature"))
            case "citations_delta":
                block.cited.append(delta["citation"])
            case _:  # of a block that is told whole: it grows by whatever comes
                for name, more in delta.items():
                    if name != "type" and isinstance(more, str):
                        block.grown.setdefault(name, []).append(more)

    def _more(self, block: _Block, text: str, events: list[Event]) -> None:
        if text:
            block.pieces.append(text)
            if block.part is not None:
                events.append(PartDelta(0, block.part, text))

    def on_block_stop(self, body: dict[str, Any], events: list[Event]) -> None:
        block = self._open.pop(body.get("index", 0), None)
        if block is None:
            return
        for name, pieces in block.grown.items():
            block.fields[name] = f"{block.fields.get(name) or ''}{''.join(pieces)}"
        kind = block.fields.get("type")
        if block.part is not None:
            del self._of_parts[block.part]
        if block.part is None:
            self._whole(block, events)
        elif kind == "tool_use":
            if not "".join(block.pieces):
                events.append(PartDelta(0, block.part, "{}"))
            events.append(PartEnded(0, block.part))
        elif kind == "thinking":
            events.append(PartEnded(0, block.part, self._seal("".join(block.sealed))))
        else:
            if block.cited:
                cite(block.cited, block.start, self._length, self._number, self._citations, self._others)
                events.append(Annotated(0, ends(self._last, self._others), tuple(self._citations)))
            events.append(PartEnded(0, block.part))
        self._number += 1

    def _seal(self, blob: str) -> Signature | None:
        """What a thinking block was signed with; the signature of another vendor's part that follows waits for it."""
        if (found := unwrapped(blob)) is None:
            return Signature(VENDOR, blob, self._reading.signer) if blob else None
        if found.signature.origin != "google":
            return found.signature
        self._blocks.block({"type": "redacted_thinking", "data": blob}, "$.content")
        return None

    def _whole(self, block: _Block, events: list[Event]) -> None:
        """A block that is read when it is complete: another vendor's, of a tool that Anthropic ran, one nobody knows."""
        fields = block.fields
        text = "".join(block.pieces)
        if fields.get("type") == "thinking":
            fields = {**fields, "thinking": (fields.get("thinking") or "") + text, "signature": "".join(block.sealed)}
        elif text:
            fields = {**fields, "input": jsontext.decode(text)}
        searches = len(self._blocks.searches)
        parts = self._blocks.block(fields, "$.content")
        if len(self._blocks.searches) > searches:
            events.append(Annotated(0, None, (), tuple(self._blocks.searches)))
        for part in parts:
            part = renamed(part, self._reading)
            events.append(PartStarted(0, self._next, part))
            events.append(PartEnded(0, self._next))
            self._next += 1

    def on_message_delta(self, body: dict[str, Any], events: list[Event]) -> None:
        delta = body.get("delta") or {}
        self._last = {**self._last, **{name: value for name, value in delta.items() if value is not None}}
        self._finish = finish_of(self._last)
        if extras := ext_of({name: value for name, value in {**body, **delta}.items() if name not in _DELTA}):
            events.append(Annotated(None, extras))
        self._count(body.get("usage"), events)

    def _count(self, usage: Any, events: list[Event]) -> None:
        if not isinstance(usage, dict):
            return
        self._usage.update({name: value for name, value in usage.items() if value is not None})
        counts = parse_usage(self._usage)
        if counts is not None:
            raw = dict(self._usage)
            events.append(UsageReported(counts, tier_of(raw), uses_of(raw), raw))

    def on_message_stop(self, body: dict[str, Any], events: list[Event]) -> None:  # noqa: ARG002
        self._finished(events)

    def on_error(self, body: dict[str, Any], events: list[Event]) -> None:
        events += self._fail(parse_error_object(body))

    def _finished(self, events: list[Event]) -> list[Event]:
        self._ended = True
        for number in sorted(self._open):
            self.on_block_stop({"index": number}, events)
        for part in self._blocks.rest():
            events += [PartStarted(0, self._next, part), PartEnded(0, self._next)]
            self._next += 1
        if extras := ends(self._last, self._others):
            events.append(Annotated(0, extras))
        if self._finish is not None:
            events.append(CandidateFinished(0, self._finish))
        events.append(Finished())
        return events


_UNREADABLE: Final = (InvalidRequest, AttributeError, KeyError, TypeError, ValueError)
_CANNOT: Final = "The provider sent an event that cannot be read."
_FIRST: Final = frozenset({"message_start", "error"})
"""What may come where nothing has begun. With anything else a message has, though nobody said so."""
_DELTA: Final = frozenset({"type", "delta", "usage", "stop_reason", "stop_sequence", "stop_details", FINISH_MESSAGE})
_READERS: Final[Mapping[str, Callable[[AnthropicReader, dict[str, Any], list[Event]], None]]] = {
    "message_start": AnthropicReader.on_message_start,
    "content_block_start": AnthropicReader.on_block_start,
    "content_block_delta": AnthropicReader.on_block_delta,
    "content_block_stop": AnthropicReader.on_block_stop,
    "message_delta": AnthropicReader.on_message_delta,
    "message_stop": AnthropicReader.on_message_stop,
    "error": AnthropicReader.on_error,
}


def _rest(fields: Mapping[str, Any], *known: str) -> Any:
    return ext_of({name: value for name, value in fields.items() if name not in known})
