"""The straight way of a stream: from a piece of the provider's to bytes of the caller's, by one look.

Nearly every piece is one event, and that is more of the part that is open. Translated, its text goes between two halves of
a frame that were made once; where both ends speak one dialect, its data do. Everything else goes the careful way
(`relay/piping.py`), and so does the first of what will go straight.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from portico.relay.call import Attempt
from portico.relay.downstream import Downstream
from portico.relay.passthrough import PassingPump
from portico.relay.pump import Pump, Straight
from portico.relay.tab import Tab
from portico.wire.sse import Around, SseDecoder, lone

MOST_AT_ONCE: Final = 16
"""Pieces that are noted as one: what is not noted is kept."""
_encode: Final = msgspec.json.Encoder().encode


P = TypeVar("P", bound=Pump | PassingPump)


class _Way(Generic[P]):
    """Takes the pieces of one attempt's stream as `careful` would. `tab`: what it is paid from, if anything is charged."""

    __slots__ = ("_after", "_attempt", "_before", "_careful", "_decoder", "_downstream", "_pump", "_tab", "_tried")

    def __init__(
        self,
        careful: Callable[[bytes], bool],
        decoder: SseDecoder,
        pump: P,
        downstream: Downstream,
        attempt: Attempt,
        tab: Tab | None,
    ) -> None:
        self._careful = careful
        self._decoder = decoder
        self._pump = pump
        self._downstream = downstream
        self._attempt = attempt
        self._tried = attempt.tried
        self._tab = tab
        self._before: bytes | None = None
        """None: what comes next goes the careful way."""
        self._after = b""

    def _go_carefully(self, data: bytes) -> bool:
        self._before = None
        goes_on = self._careful(data)
        if goes_on and self._attempt.asked is None and (self._tab is None or self._tab.durable_now):
            around = self._around() if self._decoder.between else None
            if around is not None:
                self._before, self._after = self._downstream.framing.around(around)
        return goes_on

    def _around(self) -> Around | None:
        """What stands around what may go straight next."""
        raise NotImplementedError


class StraightWay(_Way[Pump]):
    """Of a stream that is translated."""

    __slots__ = ("_straight",)
    _straight: Straight
    """Set where something may go straight."""

    def take(self, data: bytes) -> bool:
        """See `relay.ports.UpstreamResponse.pipe`."""
        before, tab = self._before, self._tab
        if (
            before is not None
            and (tab is None or not (tab.ran_out or tab.clock() >= tab.checkpoint_at))
            and (frame := lone(data)) is not None
            and (more := (straight := self._straight).more(frame)) is not None
            and more.index == straight.part
            and more.candidate == straight.candidate
        ):
            run = straight.run
            run.append(more.text)
            if len(run) == MOST_AT_ONCE:
                self._pump.note()
            self._tried.events += 1
            return self._downstream.write_bytes(before + _encode(more.text) + self._after)
        return self._go_carefully(data)

    def _around(self) -> Around | None:
        if (straight := self._pump.straight()) is None:
            return None
        self._straight = straight
        return straight.around


class PassingWay(_Way[PassingPump]):
    """Of a stream that passes."""

    __slots__ = ()

    def take(self, data: bytes) -> bool:
        """See `relay.ports.UpstreamResponse.pipe`."""
        before, tab = self._before, self._tab
        if (
            before is not None
            and (tab is None or not (tab.ran_out or tab.clock() >= tab.checkpoint_at))
            and (frame := lone(data)) is not None
            and self._pump.more(frame)
        ):
            self._tried.events += 1
            return self._downstream.write_bytes(before + frame.data + self._after)
        return self._go_carefully(data)

    def _around(self) -> Around | None:
        return self._pump.straight()
