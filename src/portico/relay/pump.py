"""Frames of one attempt -> frames for the caller, held back until something is worth showing.

What is held is what the caller will be sent, not what came: hidden thoughts and usage make nothing, so a model that
thinks for minutes costs no memory. Until then a failure, or an end that explains nothing, is raised, and another try
may be made.
"""

from collections.abc import Iterable

from portico.core.dialect import Dialect, Reply, StreamReader
from portico.core.errors import UpstreamEmpty, UpstreamError
from portico.core.events import CandidateFinished, Event, Failed, Started
from portico.core.loss import Loss
from portico.core.response import Finish, FinishReason
from portico.relay.verdict import fault_of, shows
from portico.vault import TurnRecorder
from portico.wire.sse import Frame


class Pump:
    """One attempt's reader, writer and recorder, coupled. `committed` turns true once, with the first thing shown."""

    def __init__(self, dialect: Dialect, reply: Reply, reader: StreamReader, signer: str, *, last: bool) -> None:
        self._writer = dialect.writer(reply)
        self._thoughts = reply.thoughts
        self._reader = reader
        self._last = last
        self._held: list[Frame] = []
        self._finishes: list[Finish] = []
        self.recorder = TurnRecorder(signer)
        self.committed = False
        self.model: str | None = None

    @property
    def losses(self) -> list[Loss]:
        """What the caller's dialect could not say of the answer so far."""
        return self._writer.losses

    def feed(self, frames: Iterable[Frame]) -> list[Frame]:
        """The frames to send now; none while nothing is committed. Raises `UpstreamError` before that."""
        for frame in frames:
            self._tell(self._reader.feed(frame))
        return self._taken() if self.committed else []

    def close(self, frames: Iterable[Frame]) -> list[Frame]:
        """The provider is done: the last frames. Raises a fault if nothing was shown and nothing explains it."""
        for frame in frames:
            self._tell(self._reader.feed(frame))
        self._tell(self._reader.close())
        if not self.committed:
            if (fault := fault_of(self._finishes)) is not None:
                raise fault
            if not self._last and all(finish.reason is FinishReason.STOP for finish in self._finishes):
                raise UpstreamEmpty
        return self._taken()

    def fail(self, error: UpstreamError) -> list[Frame]:
        """The provider broke off after the answer was committed: that is said in the stream."""
        self._tell([Failed(error)])
        return self._taken()

    def _taken(self) -> list[Frame]:
        held, self._held = self._held, []
        return held

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if not self.committed:
                self._consider(event)
            self.recorder.feed(event)
            self._held += self._writer.feed(event)

    def _consider(self, event: Event) -> None:
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, CandidateFinished):
            self._finishes.append(event.finish)
        elif isinstance(event, Started):
            self.model = event.model
        self.committed = shows(event, thoughts=self._thoughts)
