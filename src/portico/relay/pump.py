"""Frames of providers -> frames for the caller, held back until something is worth showing.

Each attempt has a `Pump`: its gate holds the attempt's events until they show something, and until then a failure, or an
end that explains nothing, is raised, so that another try may be made. Held is little: hidden thoughts are rarely sent at
all, and of usage only the last report counts. Behind the gates one `Teller` makes of what comes through, of one lane or of
many, the caller's one stream.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from portico.core.dialect import Dialect, Reply, Seen, StreamReader
from portico.core.errors import UpstreamEmpty, UpstreamError
from portico.core.events import (
    CandidateFinished,
    Event,
    Failed,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.loss import Loss
from portico.core.parts import Media, Opaque, Reasoning
from portico.core.response import Finish, FinishReason
from portico.core.telling import events_of
from portico.core.usage import Usage
from portico.relay.fanout import FanIn, Lane, Used
from portico.relay.verdict import delivered_bytes, fault_of, shows
from portico.vault import TurnRecorder
from portico.wire.jsontext import utf8_bytes
from portico.wire.sse import Around, Frame


class Teller:
    """Events of all lanes -> frames of one stream. `failed` turns true once, with the failure that ends it."""

    def __init__(self, dialect: Dialect, reply: Reply, total: int, used: dict[int, Used] | None = None) -> None:
        """`total`: how many answers there will be. `used` is told what each lane of them is charged for."""
        self.thoughts = reply.thoughts
        self.failed = False
        self.prompts = 0
        """Lanes that are answers so far, be they empty ones."""
        self.reported = 0
        """Those of which something is reported."""
        self.failure: UpstreamError | None = None
        """What it failed with."""
        self.seen = Seen()
        """What the answer told of itself so far."""
        self.shown = 0
        """Bytes of text that the caller sees of lanes of which nothing is reported."""
        self.pictures = 0
        """Pictures of those."""
        self.used = {} if used is None else used
        self.writer = dialect.writer(reply)
        self._total = total
        self._fan = FanIn(total)

    @property
    def losses(self) -> list[Loss]:
        """What the caller's dialect could not say of the answer so far."""
        return self.writer.losses

    def is_all(self, lane: Lane) -> bool:
        """Whether a lane has all answers there are, so that its events are told as they come."""
        return lane.count == self._total

    def feed(self, lane: Lane, event: Event) -> list[Frame]:
        """The frames to send now."""
        if self.failed:
            return []
        if self.is_all(lane):
            return self.tell(event)
        return [frame for told in self._fan.feed(lane, event) for frame in self.tell(told)]

    def fail(self, error: UpstreamError) -> list[Frame]:
        """Nothing more comes: that is said in the stream."""
        return self.tell(Failed(error))

    def tell(self, event: Event) -> list[Frame]:
        """The same of an event of a lane that is all."""
        if self.failed:
            return []
        if isinstance(event, UsageReported):
            tier = event.service_tier or self.seen.service_tier
            self.seen = Seen(self.seen.model, event.usage, tier, event.uses, event.raw)
        elif isinstance(event, Started):
            self.seen = msgspec.structs.replace(self.seen, model=event.model)
        elif isinstance(event, Failed):
            self.failed, self.failure = True, event.error
        return self.writer.feed(event)


class Gate:
    """The events of one attempt's reader. `open` turns true once, with the first thing to show."""

    def __init__(self, reader: StreamReader, *, thoughts: bool, last: bool) -> None:
        """`thoughts`: the caller sees them; `last`: no other try is made of an answer that simply stops."""
        self.reader = reader
        self._thoughts = thoughts
        self._last = last
        self._held: list[Event] = []
        self._usage: UsageReported | None = None
        self._hidden: set[tuple[int, int]] | None = None
        """Parts that the caller does not see."""
        self._finishes: list[Finish] = []
        self.open = False
        self.explained = False
        """It ended with nothing to show, and says why: a limit or a filter."""

    def feed(self, frames: Sequence[Frame]) -> list[Event]:
        """The events to tell now; none while there is nothing to show. Raises `UpstreamError` before that."""
        reader = self.reader
        if self.open:
            return [event for frame in frames for event in events_of(reader, frame)]
        return self._passed([event for frame in frames for event in reader.feed(frame)])

    def put_off(self) -> list[Event]:
        """What was read and not told yet."""
        return self.reader.put_off()

    def close(self, frames: Sequence[Frame]) -> list[Event]:
        """The provider is done: the last events. Raises a fault if nothing was shown and nothing explains it."""
        events = self.feed(frames) + self._passed(self.reader.close())
        if self.open:
            return events
        if (fault := fault_of(self._finishes)) is not None:
            raise fault
        self.explained = any(finish.reason is not FinishReason.STOP for finish in self._finishes)
        if not self._last and not self.explained:
            raise UpstreamEmpty
        return self._released()

    def _passed(self, events: list[Event]) -> list[Event]:
        if self.open:
            return events
        for number, event in enumerate(events, 1):
            if self._shows(event):
                self.open = True
                return self._released() + events[number:]
        return []

    def _released(self) -> list[Event]:
        held, self._held = self._held, []
        return held if self._usage is None else [*held[:-1], self._usage, held[-1]]

    def _shows(self, event: Event) -> bool:
        """Holds an event; whether the caller sees something of it."""
        if isinstance(event, UsageReported):
            self._usage = event
            return False
        self._held.append(event)
        match event:
            case Failed(error):
                raise error
            case CandidateFinished(_, finish):
                self._finishes.append(finish)
            case PartStarted(candidate, index, Reasoning()) if not self._thoughts:
                self._hidden = self._hidden or set()
                self._hidden.add((candidate, index))
            case PartDelta(candidate, index) if self._hidden and (candidate, index) in self._hidden:
                pass
            case _:
                return shows(event, thoughts=self._thoughts)
        return False


class Straight(NamedTuple):
    """How more of an open part goes straight from a provider's frame to one for the caller (`relay/straight.py`)."""

    candidate: int
    part: int
    more: Callable[[Frame], PartDelta | None]
    around: Around
    run: list[str]
    """Takes every piece that went so."""


class Pump:
    """One attempt of one lane: gate, recorder and teller, coupled. `committed` turns true once, with the first thing shown;
    `ended` when nothing of what still comes would be told, for this lane or another has failed.

    Nobody is told of a piece that goes straight. Whoever watches (reader, recorder, writer, the count of what was shown) is
    told of many of them as one, before anything else is told or asked."""

    def __init__(self, teller: Teller, lane: Lane, reader: StreamReader, signer: str, *, last: bool) -> None:
        self._teller = teller
        self._lane = lane
        self._alone = teller.is_all(lane)
        self._gate = Gate(reader, thoughts=teller.thoughts, last=last)
        self._recorder = TurnRecorder(signer)
        self._used = Used()
        self._open: tuple[int, int] | None = None
        """The part that was begun, or went on, last."""
        self._run: list[str] = []
        """What came of it straight, and was noted nowhere yet."""
        self._unseen: set[tuple[int, int]] | None = None
        """Parts of which it sees nothing."""
        self._counted = False
        """The teller knows that it is an answer."""
        self._told_late: list[Frame] = []
        """What a look at the counts told: that they cannot be read."""

    @property
    def committed(self) -> bool:
        return self._gate.open or self.ended

    @property
    def counts(self) -> bool:
        """Whether it is an answer: something was shown, or its end says why not."""
        return self._gate.open or self._gate.explained

    @property
    def prompts(self) -> int:
        """How many lanes of its call have told what they used so far."""
        return self._teller.reported

    @property
    def ended(self) -> bool:
        return self._teller.failed

    @property
    def recorder(self) -> TurnRecorder:
        """What is to be kept of the answer."""
        if self._run:
            self.note()
        return self._recorder

    @property
    def unreported(self) -> int:
        """Bytes of text that the caller sees of all lanes of which nothing is reported."""
        if self._run:
            self.note()
        return self._teller.shown

    @property
    def failure(self) -> UpstreamError | None:
        return self._teller.failure

    @property
    def model(self) -> str | None:
        return self._teller.seen.model

    @property
    def losses(self) -> list[Loss]:
        """What the caller's dialect could not say of the answer so far."""
        return self._teller.losses

    def seen(self) -> Seen:
        """What the answer told of itself so far."""
        self._told(self._gate.put_off())
        return self._teller.seen

    def counted(self) -> Usage | None:
        """What was used so far. Looks at counts that would otherwise be put off until they are asked for."""
        self._told_late += self._told(self._gate.put_off())
        return self._teller.seen.usage

    def feed(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames to send now; none while nothing is committed. Raises `UpstreamError` before that."""
        if self._teller.failed:
            return []
        if self._run:
            self.note()
        return self._told(self._gate.feed(frames))

    def straight(self) -> Straight | None:
        """How more of the part that is open may go straight, until another frame is fed."""
        part = self._open
        if part is None or not self._alone or self._teller.failed or (self._unseen and part in self._unseen):
            return None
        around = self._teller.writer.around(*part)
        return None if around is None else Straight(*part, self._gate.reader.more, around, self._run)

    def note(self) -> None:
        """Tells whoever watches of what went straight, if anything did."""
        if self._run and self._open is not None:
            more = PartDelta(*self._open, "".join(self._run))
            self._run.clear()
            self._gate.reader.note(more)
            self._recorder.feed(more)
            self._count_more(more)
            self._teller.writer.note(more)

    def close(self, frames: Sequence[Frame] = ()) -> list[Frame]:
        """The provider is done: the last frames. Raises a fault if nothing was shown and nothing explains it."""
        if self.ended:
            return self._told_late
        if self._run:
            self.note()
        return self._told(self._gate.close(frames))

    def fail(self, error: UpstreamError) -> list[Frame]:
        """The provider broke off after the answer was committed: that is said in the stream, after what was used."""
        return self._told([*self._gate.put_off(), Failed(error)])

    def _told(self, events: list[Event]) -> list[Frame]:
        if self._run:
            self.note()
        frames: list[Frame] = []
        teller, recorder = self._teller, self._recorder
        if not self._counted and self.counts:
            self._counted = True
            teller.prompts += 1
            teller.used[self._lane.first] = self._used
        for event in events:
            if isinstance(event, PartDelta):
                self._open = event.candidate, event.index
                recorder.feed(event)
                self._count_more(event)
            elif isinstance(event, PartStarted):
                self._open = event.candidate, event.index
                recorder.feed(event)
                self._count_part(event)
            elif isinstance(event, PartEnded):
                self._open = None
                recorder.feed(event)
            elif isinstance(event, UsageReported):
                if not self._alone and not self.counts:
                    continue  # a lane that is no answer costs nothing
                self._is_reported(event)
            frames += teller.tell(event) if self._alone else teller.feed(self._lane, event)
        return frames

    def _saw(self, size: int, pictures: int = 0) -> None:
        """So much more of it is seen."""
        used = self._used
        if used.usage is not None:
            return
        used.shown += size
        used.pictures += pictures
        self._teller.shown += size
        self._teller.pictures += pictures

    def _is_reported(self, told: UsageReported) -> None:
        """From now on it is charged for what is reported, be it so far."""
        used = self._used
        if used.usage is None:
            self._teller.reported += 1
            self._teller.shown -= used.shown
            self._teller.pictures -= used.pictures
            used.shown = used.pictures = 0
        used.usage, used.uses = told.usage, told.uses
        used.service_tier = told.service_tier or used.service_tier

    def _count_more(self, event: PartDelta) -> None:
        if not self._unseen or (event.candidate, event.index) not in self._unseen:
            self._saw(utf8_bytes(event.text))

    def _count_part(self, event: PartStarted) -> None:
        part, thoughts = event.part, self._teller.thoughts
        self._saw(delivered_bytes(part, thoughts=thoughts), isinstance(part, Media) and not part.thought)
        if isinstance(part, (Media, Opaque)) or (isinstance(part, Reasoning) and not thoughts):
            self._unseen = self._unseen or set()
            self._unseen.add((event.candidate, event.index))
