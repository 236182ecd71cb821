"""One attempt at a provider: how it is made and reported, and the machines that its answer goes through."""

import asyncio
from collections.abc import Callable

from portico.core.errors import PorticoError, UpstreamBadGateway, UpstreamError, UpstreamIncomplete
from portico.providers.quirks import in_stream
from portico.relay.call import Attempt, AttemptOne, BrokenOff, Call
from portico.relay.downstream import Downstream
from portico.relay.fanout import lane_of
from portico.relay.passthrough import PassingPump
from portico.relay.ports import UpstreamResponse
from portico.relay.pump import Pump, Teller
from portico.relay.report import CANCELLED, FAILED, OK
from portico.relay.straight import PassingWay, StraightWay
from portico.relay.unfence import UnfencedReader
from portico.routing import Health, Pace
from portico.wire import jsontext
from portico.wire.sse import EventTooLong, Frame, SseDecoder


async def made(
    call: Call, attempt: Attempt, attempt_one: AttemptOne, health: Health, now: Callable[[], float], *, last: bool
) -> None:
    """Makes an attempt, and reports how it ended, to whoever plans next too."""
    tried, candidate, runner = attempt.tried, attempt.aim.candidate, attempt.runner
    call.report.tries.append(tried)
    if runner is not None:
        tried.beside = runner.beside
        runner.tries.append(tried)
    began = now()
    health.began(candidate, began)
    try:
        await attempt_one(call, attempt, last=last)
    except PorticoError as error:
        tried.outcome = error.code or ""
        if isinstance(error, UpstreamError):
            health.failed(candidate, error, now())
        elif not tried.sent:  # refused before anybody was asked
            call.report.tries.remove(tried)
        raise
    except BrokenOff:
        tried.outcome = call.report.error
        health.failed(candidate, UpstreamIncomplete(), now())
        raise
    except asyncio.CancelledError:
        tried.outcome = CANCELLED
        if attempt.has_lost and not tried.beside:  # another was faster: at least so slow it is
            health.measured(candidate, Pace(now() - began, at=now()), streamed=tried.streamed)
        raise
    finally:
        health.ended(candidate)
    tried.outcome = call.report.error or OK
    if call.report.error:
        health.failed(candidate, UpstreamIncomplete(), now())
    else:
        health.answered(candidate)
        health.measured(candidate, Pace(tried.first_s, tried.per_event_s, now()), streamed=tried.streamed)


def note_failure(call: Call, error: PorticoError) -> None:
    """The answer had been begun: that it failed is told in it, and otherwise only in the report."""
    call.report.outcome, call.report.error = FAILED, error.code or ""


def pump_of(call: Call, attempt: Attempt, *, last: bool) -> Pump | PassingPump:
    if attempt.passing is not None:
        return PassingPump(call.dialect, attempt.passing, call.reply.id, call.exchange.request.body)
    if call.teller is None:
        call.teller = Teller(call.dialect, call.reply, lane_of(call.request).count)
    reader = attempt.dialect.reader(attempt.reading)
    if attempt.unfences:
        reader = UnfencedReader(reader)
    return Pump(call.teller, attempt.lane, reader, attempt.aim.target.signer, last=last)


def decoded(body: bytes) -> object:
    try:
        return jsontext.decode(body)
    except jsontext.NotJson as error:
        raise UpstreamBadGateway(f"The provider's answer is not JSON: {error}") from None


def frames_of(decoder: SseDecoder, data: bytes) -> list[Frame]:
    """What a piece of a provider's stream brings. Raises `UpstreamBadGateway` for an event that does not end."""
    try:
        return decoder.feed(data)
    except EventTooLong as error:
        raise UpstreamBadGateway(str(error)) from None


async def piped(
    call: Call,
    attempt: Attempt,
    pump: Pump | PassingPump,
    upstream: UpstreamResponse,
    downstream: Downstream,
    clock: Callable[[], float],
) -> list[Frame]:
    """Passes a candidate's stream on to the caller, as fast as both can; its last frames, which are not written yet.

    Raises while nothing was shown; afterwards a failure is told in the last frames. What comes before the hold of the call
    is durable is kept until it is, and meanwhile the provider is not read. `clock` is read at the first event and after the
    last: what lies between is only counted.
    """
    paying, continuation, decoder = call.paying, call.continuation, SseDecoder()
    early: list[Frame] = []
    aim, tried, runner, slowed = attempt.aim, attempt.tried, attempt.runner, False
    change = in_stream(aim.provider.quirks_in(aim.spoken)) if attempt.passing is None else None

    def meant(frames: list[Frame]) -> list[Frame]:
        return frames if change is None else [change(frame) for frame in frames]

    def carefully(data: bytes) -> bool:
        if runner is not None and runner.has_lost:
            return False
        frames = frames_of(decoder, data)
        tried.events += len(frames)
        out = pump.feed(frames if change is None else meant(frames))
        if out and attempt.asked is not None:
            call.commit(attempt)
            tried.shown, tried.events = clock(), 1
            call.note_model(pump.model)
        if out and not call.counts:
            call.counts = pump.counts
        if continuation is not None:
            out = continuation.frames(out)
        if not out:
            return not pump.ended
        if paying is not None:
            if not paying.tab.ready():
                early.extend(out)
                return False
            paying.told(pump)
        return downstream.write(out) and not pump.ended

    take = carefully
    if change is None and continuation is None:
        tab = None if paying is None else paying.tab
        if isinstance(pump, Pump):
            take = StraightWay(carefully, decoder, pump, downstream, attempt, tab).take
        else:
            take = PassingWay(carefully, decoder, pump, downstream, attempt, tab).take
    try:
        while not await upstream.pipe(take) and not pump.ended:
            slowed = True
            if paying is not None and early:
                await paying.tab.durable()
                paying.told(pump)
                downstream.write(early)
                early.clear()
            await downstream.drain()
        if tried.shown and not slowed:
            tried.ended = clock()
        out = pump.close(meant(decoder.close()))
        if attempt.asked is not None:
            call.commit(attempt)  # it shows nothing, and its end says why
        return early + out
    except UpstreamError as error:
        if not pump.committed:
            raise
        # The answer keeps it, and its frames would keep the answer.
        return early + pump.fail(error.with_traceback(None))


def last_of(call: Call, frames: list[Frame]) -> list[Frame]:
    """The last frames of a stream, with those that waited for its end; what is kept of the answer is on its way."""
    if call.continuation is None:
        return frames
    told = [*call.continuation.frames(frames), *call.continuation.rest()]
    call.continuation.keep(call)
    return told


def note_stream(call: Call, attempt: Attempt, pump: Pump | PassingPump) -> None:
    """Notes what an attempt's stream told, and what of it is charged for. Nothing of one that another may have been asked
    beside, and that has shown nothing."""
    if attempt.runner is not None and attempt.asked is not None:
        return
    call.note_stream(pump.seen(), pump.prompts)
    call.counts = call.counts or pump.counts
    if isinstance(pump, PassingPump):
        call.note_seen(call.seen)
    else:
        call.shown += pump.shown
        call.pictures += pump.pictures
