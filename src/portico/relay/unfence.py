"""JSON out of its Markdown fence, for models that could not be held to a format (mapping.md 1.10, "JSON + tools").

Models of generation 2 take functions or a format, not both: the functions are kept, the format is only asked for in
words, and the model often writes its JSON between ```json and ```. A fence line that opens a candidate's text is taken
away, and then the one that closes it. A text without such a line passes byte for byte; what is held back meanwhile is
only what could still be a fence, so it makes no difference how a text is cut.
"""

import re
from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from portico.core.assembly import assemble, tell
from portico.core.dialect import StreamReader
from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Failed,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
)
from portico.core.loss import Loss
from portico.core.parts import Text, ToolCall, text_of
from portico.core.request import Request
from portico.core.response import Response
from portico.core.target import Target
from portico.core.telling import events_of
from portico.wire import jsontext
from portico.wire.sse import Frame

_SPACE: Final = " \t\r\n"
_MOST_SPACE: Final = 64
"""Blanks around a fence that are taken for part of it: what is held back has an end."""
_MOST_TICKS: Final = 8
_FEWEST_TICKS: Final = 3
_OPENING: Final = re.compile(r"[ \t\r\n]{0,64}`{3,8}(?:json)?[ \t]{0,64}\r?\n", re.IGNORECASE)
_COULD_OPEN: Final = re.compile(
    r"[ \t\r\n]{0,64}(?:`{0,8}|`{3,8}(?:j|js|jso)|`{3,8}(?:json)?[ \t]{0,64}\r?)", re.IGNORECASE
)


def may_be_fenced(request: Request, target: Target, losses: Iterable[Loss]) -> bool:
    """Whether an answer may come in a fence: its format was dropped, for this model takes tools or a format (1.10)."""
    able, output = target.capabilities, request.output
    if output is None or output.kind not in ("json", "json_schema") or not able.json_mode or able.json_with_tools:
        return False
    return any(loss.code == "1.10:format" for loss in losses)


class UnfencedReader:
    """A reader whose events tell the text without its fence."""

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader
        self._unfence = Unfence()

    def feed(self, frame: Frame) -> list[Event]:
        return [told for event in events_of(self._reader, frame) for told in self._unfence.feed(event)]

    def more(self, frame: Frame) -> PartDelta | None:  # noqa: ARG002
        """Every text is looked at."""
        return None

    def note(self, more: PartDelta) -> None:
        """There was none."""

    def put_off(self) -> list[Event]:
        return self._reader.put_off()

    def close(self) -> list[Event]:
        return [told for event in self._reader.close() for told in self._unfence.feed(event)]


def unfenced(response: Response) -> Response:
    """The same for a whole answer."""
    unfence = Unfence()
    return assemble([told for event in tell(response) for told in unfence.feed(event)])


def not_json(response: Response, request: Request) -> list[Loss]:
    """What to say of answers that ought to be JSON and are not. One that calls a tool is no answer yet."""
    losses: list[Loss] = []
    for candidate in response.candidates:
        text = text_of(candidate.parts)
        if not text or any(isinstance(part, ToolCall) for part in candidate.parts):
            continue
        try:
            jsontext.decode(text.encode("utf-8", "surrogatepass"))
        except jsontext.NotJson:
            message = (
                "the answer is not the JSON that was asked for: beside tools this model cannot be held to a format"
            )
            losses.append(Loss("1.10:format", request.where.field("response_format"), message))
    return losses


class Unfence:
    """Events -> events, each candidate by itself. Nothing is left inside once a candidate, or the answer, has ended."""

    def __init__(self) -> None:
        self._candidates: dict[int, _Candidate] = {}

    def feed(self, event: Event) -> list[Event]:
        match event:
            case PartStarted() | PartDelta() | PartEnded():
                candidate = self._candidates.get(event.candidate)
                if candidate is None:
                    candidate = self._candidates[event.candidate] = _Candidate()
                return candidate.feed(event)
            case Annotated(int(number)) if event.citations and number in self._candidates:
                return self._candidates[number].cite(event)
            case CandidateFinished(number):
                ended = self._candidates.pop(number, None)
                return [*(ended.end() if ended else []), event]
            case Finished() | Failed():
                rest = [told for _, candidate in sorted(self._candidates.items()) for told in candidate.end()]
                self._candidates.clear()
                return [*rest, event]
        return [event]


_PartEvent = PartStarted | PartDelta | PartEnded


class _Candidate:
    """The text of one candidate, over all its text parts.

    `_held` are the events whose text could still be a fence, in order, with whatever came between them.
    """

    def __init__(self) -> None:
        self._held: deque[_PartEvent] = deque()
        self._text = ""
        """The text of the held events."""
        self._texts: set[int] = set()
        """Which parts are text."""
        self._bare: dict[int, PartStarted] = {}
        """Parts that began with the fence: told when something else comes of them, and not at all if nothing does."""
        self._opened: bool | None = None
        """Whether the text began with a fence; None while that is undecided."""
        self._length = 0
        self._before = 0
        """How long the text was that could have a fence, and the fence that it began with."""
        self._cited: list[Annotated] = []
        """Citations, until it is known where the text ends that they point into."""

    def feed(self, event: _PartEvent) -> list[Event]:
        if isinstance(event, PartStarted) and isinstance(event.part, Text):
            self._texts.add(event.index)
        text = "" if self._opened is False else self._text_of(event)
        if not text and not self._held:
            return self._told(event)
        self._held.append(event)
        self._text += text
        self._length += len(text)
        return self._decided() if text else []

    def cite(self, event: Annotated) -> list[Event]:
        """Citations of a text that has lost its fence point elsewhere."""
        if self._opened is False:
            return [event]
        self._cited.append(event)
        return []

    def end(self) -> list[Event]:
        """Nothing more comes: what is held is the closing fence, or text after all."""
        closed = bool(self._opened) and self._text.strip(_SPACE).startswith("`" * _FEWEST_TICKS)
        length = self._length - self._before - (len(self._text) if closed else 0)
        told = self._let_go(len(self._text), dropped=closed)
        return told + [_moved(said, self._before, length) if self._opened else said for said in self._cited]

    def _decided(self) -> list[Event]:
        """What can be told now that this text is here."""
        told: list[Event] = []
        if self._opened is None:
            opening = _OPENING.match(self._text)
            if opening is None and _COULD_OPEN.fullmatch(self._text):
                return []
            self._opened = opening is not None
            if opening is not None:
                self._before = opening.end()
                told += self._let_go(opening.end(), dropped=True)
        return told + self._let_go(_closing(self._text) if self._opened else len(self._text))

    def _let_go(self, count: int, *, dropped: bool = False) -> list[Event]:
        """The events up to the first `count` characters of what is held; or those events without these characters."""
        out: list[Event] = []
        self._text = self._text[count:]
        while self._held:
            event = self._held[0]
            size = len(self._text_of(event))
            if size and not count:
                break
            self._held.popleft()
            if size > count:
                event, rest = _cut(event, count)
                self._held.appendleft(rest)
            out += self._emptied(event) if dropped and size else self._told(event)
            count -= min(size, count)
        return out

    def _emptied(self, event: _PartEvent) -> list[Event]:
        """An event all of whose text was fence."""
        event, _ = _cut(event, 0)
        if not isinstance(event, PartStarted):
            return []
        if event.part == Text(""):
            self._bare[event.index] = event
            return []
        return [event]

    def _told(self, event: _PartEvent) -> list[Event]:
        start = self._bare.get(event.index) if self._bare else None
        if start is None:
            return [event]
        del self._bare[event.index]
        if isinstance(event, PartDelta):
            return [PartStarted(event.candidate, event.index, Text(event.text))]
        return [start, event] if isinstance(event, PartEnded) and event.signature is not None else []

    def _text_of(self, event: _PartEvent) -> str:
        if event.index not in self._texts:
            return ""
        match event:
            case PartStarted(_, _, Text(text)) | PartDelta(_, _, text):
                return text
        return ""


def _moved(said: Annotated, back: int, length: int) -> Annotated:
    """Citations of a text that begins so many characters later, and is so long."""
    moved = [
        msgspec.structs.replace(cited, start=_within(cited.start - back, length), end=_within(cited.end - back, length))
        for cited in said.citations
    ]
    return msgspec.structs.replace(said, citations=tuple(moved))


def _within(place: int, length: int) -> int:
    return max(0, min(place, length))


def _cut(event: _PartEvent, count: int) -> tuple[_PartEvent, PartDelta]:
    """An event that tells text, in two: up to `count` characters, and the rest."""
    match event:
        case PartStarted(candidate, index, Text(text) as part):
            head: _PartEvent = PartStarted(candidate, index, msgspec.structs.replace(part, text=text[:count]))
        case PartDelta(candidate, index, text):
            head = PartDelta(candidate, index, text[:count])
        case _:
            raise ValueError("this event tells no text")
    return head, PartDelta(candidate, index, text[count:])


def _closing(text: str) -> int:
    """Where that begins which may yet be the closing fence, at the end of a text: blanks, ticks, blanks."""
    end = len(text.rstrip(_SPACE))
    blanks = len(text) - end
    ticks = min(end - len(text[:end].rstrip("`")), _MOST_TICKS)
    if blanks > _MOST_SPACE or ticks == 0 or (ticks < _FEWEST_TICKS and blanks):
        return max(end, len(text) - _MOST_SPACE)
    start = end - ticks
    return max(len(text[:start].rstrip(_SPACE)), start - _MOST_SPACE)
