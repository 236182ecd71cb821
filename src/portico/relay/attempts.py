"""One attempt at a provider: how it is made and reported, and the machines that its answer goes through."""

import asyncio
from collections.abc import Callable

from portico.core.errors import PorticoError, UpstreamBadGateway, UpstreamError, UpstreamIncomplete
from portico.relay.call import Attempt, AttemptOne, BrokenOff, Call
from portico.relay.fanout import lane_of
from portico.relay.passthrough import PassingPump
from portico.relay.pump import Pump, Teller
from portico.relay.report import CANCELLED, FAILED, OK
from portico.relay.unfence import UnfencedReader
from portico.routing import Health, Pace
from portico.wire import jsontext
from portico.wire.sse import Frame


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
        call.teller = Teller(call.dialect, call.reply, lane_of(call.request).count, call.used)
    reader = attempt.dialect.reader(attempt.reading)
    if attempt.unfences:
        reader = UnfencedReader(reader)
    return Pump(call.teller, attempt.lane, reader, attempt.aim.target.signer, last=last)


def decoded(body: bytes) -> object:
    try:
        return jsontext.decode(body)
    except jsontext.NotJson as error:
        raise UpstreamBadGateway(f"The provider's answer is not JSON: {error}") from None


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
        call.note_shown()
