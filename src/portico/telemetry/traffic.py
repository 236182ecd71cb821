"""Which calls tell how a model fares, and what of them: what its callers got, whoever answered.

not counted   what never reached a provider; the caller's own fault (a request the provider rejects, no funds); a caller
              who left before anything was there; counting of tokens, which asks the model nothing
failed        any other fault, the provider's limits and the gateway's credential included
answered      all the rest, also by a fallback, and where its caller left in the middle

Beside it, of each provider that was tried: what it answered or failed by its own fault, whatever its caller got in the end.
"""

from typing import Final

from portico.core.errors import (
    CallerError,
    PorticoError,
    UpstreamAuthFailed,
    UpstreamConflict,
    UpstreamError,
    UpstreamModelNotFound,
    UpstreamRateLimited,
    UpstreamRejected,
)
from portico.providers import Verb
from portico.relay.report import CALLER_GONE, OK, REFUSED, Report, Try
from portico.routing.traffic import TrafficTally, TryTally

PROVIDERS: Final = frozenset({error.code for error in (UpstreamConflict, UpstreamModelNotFound, UpstreamRateLimited)})
"""4xx that are told for a fault of the provider's or its credential's. Callers may be told the same of their own doing, but
not once a provider was asked."""
_NO_TOKEN: Final = UpstreamAuthFailed.code


def count(report: Report, tally: TrafficTally) -> None:
    """Counts a request that is over, if it tells something of its model."""
    if not report.tries or report.unfunded or report.verb is Verb.COUNT_TOKENS:
        return
    outcome = report.outcome
    if outcome in (OK, CALLER_GONE):
        if report.error or report.status != 200:
            return
        first = _first_shown(report) if report.stream else report.first_byte
        if first:
            tally.answered(report.model, first - report.began)
    elif (report.error in PROVIDERS if outcome == REFUSED else not _is_callers(report.error)) and _was_sent(report):
        tally.failed(report.model)


def count_tries(report: Report, tally: TryTally) -> None:
    """Counts every attempt of a request that is over, if it tells something of the provider that was tried."""
    if report.verb is Verb.COUNT_TOKENS:
        return
    for one in report.tries:
        first_s, fine = one.first_s, one.outcome == OK
        if not fine and _is_providers(one.outcome):
            if _is_sent(one):
                tally.failed((report.model, one.provider))
        elif fine and first_s is None and one.answered:  # a stream that showed nothing, and says why
            tally.answered((report.model, one.provider), one.answered - one.sent)
        elif first_s is not None and (fine or (one.streamed and not _is_callers(one.outcome))):
            tally.answered((report.model, one.provider), first_s)


def _is_callers(code: str) -> bool:
    """Whether a caller's own doing is told as this, also where it is told inside of a stream."""
    return code not in PROVIDERS and code in _codes(CallerError, UpstreamRejected)


def _is_providers(outcome: str) -> bool:
    """Whether an attempt ends so by a fault of the provider's, or of the credential that it is asked with."""
    return outcome in _codes(UpstreamError) and not _is_callers(outcome)


def _codes(*errors: type[PorticoError]) -> set[str]:
    """Of all kinds that there are by now: some are known only to who has loaded what raises them."""
    found = {error.code for error in errors if error.code is not None}
    return found.union(*[_codes(*error.__subclasses__()) for error in errors])


def _was_sent(report: Report) -> bool:
    return any(_is_sent(one) for one in report.tries)


def _is_sent(one: Try) -> bool:
    """Whether a provider was asked, or could not be for want of a token."""
    return bool(one.sent) or one.outcome == _NO_TOKEN


def _first_shown(report: Report) -> float:
    """When there was something of a stream for its caller; 0.0: never. Its head may go out before that, to keep the
    connection alive, or after it, where the hold is not durable yet."""
    shown = [one.shown for one in report.tries if one.shown]
    if shown:
        return max(min(shown), report.first_byte)
    return report.first_byte if report.outcome == OK else 0.0
