"""One attempt at a provider: how it is made and reported, and the machines that its answer goes through."""

from portico.core.errors import PorticoError, UpstreamBadGateway
from portico.relay.call import Attempt, AttemptOne, BrokenOff, Call
from portico.relay.fanout import lane_of
from portico.relay.passthrough import PassingPump
from portico.relay.pump import Pump, Teller
from portico.relay.report import FAILED, OK
from portico.relay.unfence import UnfencedReader
from portico.wire import jsontext


async def made(call: Call, attempt: Attempt, attempt_one: AttemptOne, *, last: bool) -> None:
    """Makes an attempt, and reports how it ended."""
    tried = attempt.tried
    call.report.tries.append(tried)
    try:
        await attempt_one(call, attempt, last=last)
    except PorticoError as error:
        tried.outcome = error.code or ""
        raise
    except BrokenOff:
        tried.outcome = call.report.error
        raise
    tried.outcome = call.report.error or OK


def note_failure(call: Call, error: PorticoError) -> None:
    """The answer had been begun: that it failed is told in it, and otherwise only in the report."""
    call.report.outcome, call.report.error = FAILED, error.code or ""


def pump_of(call: Call, attempt: Attempt, *, last: bool) -> Pump | PassingPump:
    if attempt.passing is not None:
        return PassingPump(call.dialect, attempt.passing, call.reply.id)
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


def note_stream(call: Call, pump: Pump | PassingPump) -> None:
    """Notes what an attempt's stream told, and what of it is charged for."""
    call.seen = pump.seen()
    if pump.counts:
        call.counts = True
        call.prompts += 1
    if isinstance(pump, PassingPump):
        call.shown = call.seen.shown
    else:
        call.shown += pump.shown
        call.pictures += pump.pictures
