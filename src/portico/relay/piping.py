"""One candidate's stream on its way to the caller: read, told, held back until it is paid for, and ended."""

from collections.abc import Callable

from portico.core.errors import UpstreamBadGateway, UpstreamError
from portico.providers.quirks import in_stream
from portico.relay.call import Attempt, Call
from portico.relay.downstream import Downstream
from portico.relay.passthrough import PassingPump
from portico.relay.ports import UpstreamResponse
from portico.relay.pump import Pump
from portico.relay.straight import PassingWay, StraightWay
from portico.wire.sse import EventTooLong, Frame, SseDecoder


class Piping:
    """What comes before the hold of the call is durable is kept until it is, and meanwhile the provider is not read."""

    __slots__ = ("_attempt", "_call", "_change", "_clock", "_decoder", "_downstream", "_early", "_pump")

    def __init__(
        self,
        call: Call,
        attempt: Attempt,
        pump: Pump | PassingPump,
        downstream: Downstream,
        clock: Callable[[], float],
    ) -> None:
        """`clock` is read at the first event and after the last: what lies between is only counted."""
        self._call, self._attempt, self._pump = call, attempt, pump
        self._downstream, self._clock = downstream, clock
        self._decoder = SseDecoder()
        self._early: list[Frame] = []
        aim = attempt.aim
        self._change = in_stream(aim.provider.quirks_in(aim.spoken)) if attempt.passing is None else None

    async def through(self, upstream: UpstreamResponse) -> list[Frame]:
        """Passes the stream on, as fast as both sides can; its last frames, which are not written yet.

        Raises while nothing was shown; afterwards a failure is told in the last frames.
        """
        pump, early, slowed = self._pump, self._early, False
        try:
            take = self._way()
            while not await upstream.pipe(take) and not pump.ended:
                slowed = True
                if early:
                    await self._pay()
                await self._downstream.drain()
            return early + self._ended(slowed=slowed)
        except UpstreamError as error:
            if not pump.committed:
                raise
            # The answer keeps it, and its frames would keep the answer.
            return early + pump.fail(error.with_traceback(None))

    def _way(self) -> Callable[[bytes], bool]:
        """What takes the pieces."""
        call, pump = self._call, self._pump
        if self._change is not None or call.continuation is not None:
            return self._take
        tab = None if call.paying is None else call.paying.tab
        if isinstance(pump, Pump):
            return StraightWay(self._take, self._decoder, pump, self._downstream, self._attempt, tab).take
        return PassingWay(self._take, self._decoder, pump, self._downstream, self._attempt, tab).take

    def _take(self, data: bytes) -> bool:
        """The careful way of a piece; see `relay.ports.UpstreamResponse.pipe`."""
        call, attempt, pump = self._call, self._attempt, self._pump
        if attempt.has_lost:
            return False
        frames = frames_of(self._decoder, data)
        attempt.tried.events += len(frames)
        out = pump.feed(self._meant(frames))
        if out and attempt.asked is not None:
            call.commit(attempt)
            attempt.tried.shown, attempt.tried.events = self._clock(), 1
            call.note_model(pump.model)
        if out and not call.counts:
            call.counts = pump.counts
        if call.continuation is not None:
            out = call.continuation.frames(out)
        if not out:
            return not pump.ended
        if (paying := call.paying) is not None:
            if not paying.tab.ready():
                self._early += out
                return False
            paying.told(pump)
        return self._downstream.write(out) and not pump.ended

    def _meant(self, frames: list[Frame]) -> list[Frame]:
        """As the dialect has them, where this provider writes otherwise."""
        change = self._change
        return frames if change is None else [change(frame) for frame in frames]

    async def _pay(self) -> None:
        """Lets go what was kept back, once it is paid for."""
        paying, early = self._call.paying, self._early
        if paying is not None:
            await paying.tab.durable()
            paying.told(self._pump)
        self._downstream.write(early)
        early.clear()

    def _ended(self, *, slowed: bool) -> list[Frame]:
        """The provider is done: what is still to be told."""
        attempt = self._attempt
        if attempt.tried.shown and not slowed:
            attempt.tried.ended = self._clock()
        out = self._pump.close(self._meant(self._decoder.close()))
        if attempt.asked is not None:
            self._call.commit(attempt)  # it shows nothing, and its end says why
        return out


def frames_of(decoder: SseDecoder, data: bytes) -> list[Frame]:
    """What a piece of a provider's stream brings. Raises `UpstreamBadGateway` for an event that does not end."""
    try:
        return decoder.feed(data)
    except EventTooLong as error:
        raise UpstreamBadGateway(str(error)) from None
