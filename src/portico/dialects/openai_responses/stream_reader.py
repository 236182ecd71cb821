"""Frames of a Responses stream -> events (mapping.md 7.3). Types that nobody here knows are passed over."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from portico.core.dialect import Reading, StreamReader
from portico.core.errors import UpstreamBadGateway, UpstreamEmpty, UpstreamError, UpstreamIncomplete
from portico.core.events import Event, Failed, Finished, Started
from portico.dialects.openai.checks import object_at, string_at
from portico.dialects.openai.errors import parse_error_object
from portico.dialects.openai_responses.reading import OutputReader
from portico.dialects.openai_responses.response import UNREADABLE, ending, failure, started
from portico.wire import jsontext
from portico.wire.sse import Frame


class ResponsesReader(StreamReader):
    """Reads one stream."""

    def __init__(self, reading: Reading) -> None:
        self._output = OutputReader(reading)
        self._started = False
        self._ended = False

    def feed(self, frame: Frame) -> list[Event]:
        if self._ended or frame.data.strip() == b"[DONE]":
            return []
        try:
            body = jsontext.decode(frame.data)
        except jsontext.NotJson as error:
            return self._fail(UpstreamBadGateway(f"The provider sent a frame that is not JSON: {error}"))
        if not isinstance(body, dict):
            return self._fail(UpstreamBadGateway("The provider sent a frame that is not an event."))
        events: list[Event] = []
        try:
            self._read(body, events)
        except UNREADABLE:
            self._ended = True
            events.append(Failed(UpstreamBadGateway()))
        return events

    def put_off(self) -> list[Event]:
        return []

    def close(self) -> list[Event]:
        if self._ended:
            return []
        if not self._started:
            return self._fail(UpstreamEmpty())
        events: list[Event] = []
        self._output.close(events)
        return [*events, *self._fail(UpstreamIncomplete())]

    def _fail(self, error: UpstreamError) -> list[Event]:
        self._ended = True
        return [Failed(error)]

    def _read(self, body: Mapping[str, Any], events: list[Event]) -> None:
        kind = body.get("type")
        if kind == "error" or (kind is None and body.get("error") is not None):
            told = body["error"] if isinstance(body.get("error"), Mapping) else body
            events += self._fail(parse_error_object({"error": told}))
        elif not isinstance(kind, str):
            return
        elif kind in _WHOLE:
            self._whole(object_at(body.get("response"), ".response"), events, last=_WHOLE[kind])
        elif (reader := _READERS.get(kind)) is not None:
            if not self._started:  # nobody said so
                self._started = True
                events.append(Started())
            reader(self._output, body, events)

    def _whole(self, response: Mapping[str, Any], events: list[Event], *, last: bool) -> None:
        if not self._started:
            self._started = True
            events.append(started(response))
        if not last:
            return
        if (error := failure(response)) is not None:
            events += self._fail(error)
            return
        events += ending(response, self._output)
        self._ended = True
        events.append(Finished())


_WHOLE: Final[Mapping[str, bool]] = {
    "response.created": False,
    "response.queued": False,
    "response.in_progress": False,
    "response.completed": True,
    "response.incomplete": True,
    "response.failed": True,
}
"""Events that hold the whole object, and whether they are the last."""
_Read = Callable[[OutputReader, Mapping[str, Any], list[Event]], None]


def _at(body: Mapping[str, Any], name: str = "output_index") -> int:
    value = body.get(name)
    return 0 if value is None else int(value)


def _added(output: OutputReader, body: Mapping[str, Any], events: list[Event]) -> None:
    output.added(_at(body), object_at(body.get("item"), ".item"), events)


def _done(output: OutputReader, body: Mapping[str, Any], events: list[Event]) -> None:
    output.done(_at(body), object_at(body.get("item"), ".item"), events)


def _text(output: OutputReader, body: Mapping[str, Any], events: list[Event]) -> None:
    output.text(_at(body), _at(body, "content_index"), string_at(body.get("delta"), ".delta"), events)


def _refusal(output: OutputReader, body: Mapping[str, Any], events: list[Event]) -> None:
    text = string_at(body.get("delta"), ".delta")
    output.text(_at(body), _at(body, "content_index"), text, events, refusal=True)


def _summary(output: OutputReader, body: Mapping[str, Any], events: list[Event]) -> None:
    text, place = string_at(body.get("delta"), ".delta"), _at(body, "summary_index")
    output.thought(_at(body), "summary", place, text, body.get("item_id"), events)


def _thought(output: OutputReader, body: Mapping[str, Any], events: list[Event]) -> None:
    text, place = string_at(body.get("delta"), ".delta"), _at(body, "content_index")
    output.thought(_at(body), "content", place, text, body.get("item_id"), events)


def _arguments(output: OutputReader, body: Mapping[str, Any], events: list[Event]) -> None:
    output.arguments(_at(body), string_at(body.get("delta"), ".delta"), events)


def _annotation(output: OutputReader, body: Mapping[str, Any], events: list[Event]) -> None:  # noqa: ARG001
    output.late_annotation(_at(body), _at(body, "content_index"), body.get("annotation"))


_READERS: Final[Mapping[str, _Read]] = {
    "response.output_item.added": _added,
    "response.output_item.done": _done,
    "response.output_text.delta": _text,
    "response.refusal.delta": _refusal,
    "response.output_text.annotation.added": _annotation,
    "response.reasoning_summary_text.delta": _summary,
    "response.reasoning_text.delta": _thought,
    "response.function_call_arguments.delta": _arguments,
    "response.custom_tool_call_input.delta": _arguments,
}
"""Events that hold something new; all others repeat it or say how a tool gets on."""
