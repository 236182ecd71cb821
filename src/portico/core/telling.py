"""Telling the parts of one candidate as events: what every stream reader does once it knows what came."""

from portico.core.dialect import StreamReader
from portico.core.events import Event, PartDelta, PartEnded, PartStarted
from portico.core.parts import Part, Reasoning, Text
from portico.wire.sse import Frame


def events_of(reader: StreamReader, frame: Frame) -> list[Event]:
    """The events of a frame, found by one look where that is enough."""
    more = reader.more(frame)
    if more is None:
        return reader.feed(frame)
    reader.note(more)
    return [more]


class PartTeller:
    """Numbers the parts of a candidate, continues the text that is open, and ends it when something else begins."""

    __slots__ = ("_candidate", "_next", "kind", "open")

    def __init__(self, candidate: int) -> None:
        self._candidate = candidate
        self._next = 0
        self.open: int | None = None
        """The number of the text or the thoughts that more may come of."""
        self.kind: type[Part] | None = None

    def text(self, part: Text | Reasoning, events: list[Event]) -> None:
        """More text: of the open part if it is of that kind, else of a new one. Empty text is nothing."""
        if not part.text:
            return
        if self.open is not None and self.kind is type(part):
            events.append(PartDelta(self._candidate, self.open, part.text))
            return
        index = self.start(part, events)
        self.open, self.kind = index, type(part)

    def start(self, part: Part, events: list[Event]) -> int:
        """A part begins; whoever starts it ends it. Returns its number."""
        self.end(events)
        index = self._next
        self._next += 1
        events.append(PartStarted(self._candidate, index, part))
        return index

    def whole(self, part: Part, events: list[Event]) -> None:
        """A part that came complete: a call, media, signed text."""
        index = self.start(part, events)
        events.append(PartEnded(self._candidate, index))

    def end(self, events: list[Event]) -> None:
        """Nothing more comes for the open text."""
        if self.open is not None:
            events.append(PartEnded(self._candidate, self.open))
            self.open = self.kind = None
