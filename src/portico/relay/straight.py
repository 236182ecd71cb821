"""The straight way of a stream: from a piece of the provider's to bytes of the caller's, by one look.

Nearly every piece is one event, and that is more of the part that is open: its text goes between two halves of a frame that
were made once. Everything else goes the careful way (`relay/attempts.py`), and so does the first of what will go straight.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from portico.relay.call import Attempt
from portico.relay.downstream import Downstream
from portico.relay.pump import Pump, Straight
from portico.relay.tab import Tab
from portico.wire.sse import SseDecoder, lone

MOST_AT_ONCE: Final = 16
"""Pieces that are noted as one: what is not noted is kept."""
_encode: Final = msgspec.json.Encoder().encode


class StraightWay:
    """`take` takes the pieces of one attempt's stream, as `careful` would."""

    __slots__ = (
        "_after",
        "_attempt",
        "_before",
        "_careful",
        "_decoder",
        "_downstream",
        "_pump",
        "_straight",
        "_tab",
        "_tried",
    )

    def __init__(
        self,
        careful: Callable[[bytes], bool],
        decoder: SseDecoder,
        pump: Pump,
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
        self._straight: Straight | None = None
        self._before = self._after = b""

    def take(self, data: bytes) -> bool:
        """See `relay.ports.UpstreamResponse.pipe`."""
        straight, tab = self._straight, self._tab
        if (
            straight is not None
            and (tab is None or not (tab.ran_out or tab.clock() >= tab.checkpoint_at))
            and (frame := lone(data)) is not None
            and (more := straight.more(frame)) is not None
            and more.index == straight.index
            and more.candidate == straight.candidate
        ):
            run = straight.run
            run.append(more.text)
            if len(run) == MOST_AT_ONCE:
                self._pump.note()
            self._tried.events += 1
            return self._downstream.write_bytes(self._before + _encode(more.text) + self._after)
        self._straight = None
        goes_on = self._careful(data)
        if goes_on and self._attempt.asked is None and (tab is None or tab.durable_now) and self._decoder.between:
            straight = self._straight = self._pump.straight()
            if straight is not None:
                self._before, self._after = self._downstream.framing.around(straight.around)
        return goes_on
