"""Which calls tell how their model fares: one row for each way a call can end."""

from typing import Any

import pytest

from portico.core.errors import (
    CallerError,
    ContextLengthExceeded,
    InsufficientFunds,
    InvalidRequest,
    PorticoError,
    StorageUnavailable,
    UpstreamAuthFailed,
    UpstreamContentRefused,
    UpstreamDeadlineExceeded,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInternal,
    UpstreamModelNotFound,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefusedAccount,
    UpstreamRejected,
    UpstreamUnreachable,
)
from portico.providers import Verb
from portico.relay.report import ANSWERING, CALLER_GONE, CANCELLED, FAILED, OK, REFUSED, Report, Try
from portico.routing.traffic import TrafficTally, TryTally
from portico.telemetry import traffic

Told = tuple[int, int, dict[int, int]]
"""(calls, failed, waits)"""
NOTHING: Told = (0, 0, {})
FAILED_ONCE: Told = (1, 1, {})


def counted(report: Report) -> Told:
    tally = TrafficTally(lambda: 1.9e9)
    traffic.count(report, tally)
    told = tally.take()
    assert set(told) <= {(1_900_000_000 // 960, "small")}
    return next(((one.calls, one.failed, one.waits) for one in told.values()), NOTHING)


def report(outcome: str = OK, error: str = "", *, tries: list[Try] | None = None, **fields: object) -> Report:
    made = Report(began=10.0, first_byte=10.3, ended=12.0, model="small", verb=Verb.GENERATE, status=200)
    made.outcome, made.error = outcome, error
    made.tries = [Try("one", "m", 10.01, 10.29, error or "ok")] if tries is None else tries
    for name, what in fields.items():
        setattr(made, name, what)
    return made


def failed(error: type[PorticoError], **fields: Any) -> Report:
    return report(REFUSED if error.status < 500 else FAILED, error.code or "", status=error.status, **fields)


def test_a_whole_answer_counts_until_its_first_byte() -> None:
    assert counted(report()) == (1, 0, {315: 1})


@pytest.mark.parametrize(
    ("shown", "first_byte", "bound"),
    [
        ([10.2], 10.201, 250),  # its head goes out with the first event
        ([40.0], 25.0, 31_500),  # a head went out before, to keep the connection alive
        ([10.1], 10.3, 315),  # the hold was not durable yet
        ([0.0, 10.15], 10.15, 160),  # a second candidate answered
        ([10.4, 10.1], 10.1, 100),  # the first lane of several
        ([0.0], 10.049, 50),  # an answer that shows nothing, and says why
    ],
)
def test_a_stream_counts_until_its_caller_sees_something(shown: list[float], first_byte: float, bound: int) -> None:
    tries = [Try("one", "m", 10.0, 10.01, "ok", streamed=True, shown=at) for at in shown]
    told = counted(report(tries=tries, stream=True, verb=Verb.STREAM, first_byte=first_byte))
    assert told == (1, 0, {bound: 1})


def test_what_a_fallback_saved_is_an_answer() -> None:
    tries = [Try("one", "m", 10.0, 0.0, "overloaded"), Try("two", "other", 10.2, 10.25, "ok")]
    assert counted(report(tries=tries)) == (1, 0, {315: 1})


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRateLimited,
        UpstreamModelNotFound,
        UpstreamAuthFailed,
        UpstreamRefusedAccount,
        UpstreamOverloaded,
        UpstreamInternal,
        UpstreamDeadlineExceeded,
        UpstreamUnreachable,
        UpstreamIncomplete,
        UpstreamEmpty,
        UpstreamError,
        StorageUnavailable,
    ],
)
def test_a_fault_that_its_caller_cannot_mend_is_a_failure(error: type[PorticoError]) -> None:
    assert counted(failed(error)) == FAILED_ONCE


@pytest.mark.parametrize(
    "error",
    [UpstreamRejected, ContextLengthExceeded, UpstreamContentRefused, InvalidRequest, InsufficientFunds],
)
def test_a_fault_of_the_callers_own_is_not_counted(error: type[PorticoError]) -> None:
    assert counted(failed(error)) == NOTHING
    assert counted(report(FAILED, error.code or "")) == NOTHING, "told inside a stream that had begun"


def test_what_reached_nobody_is_not_counted() -> None:
    assert counted(report(REFUSED, "model_not_found", tries=[])) == NOTHING
    assert counted(failed(UpstreamRateLimited, tries=[])) == NOTHING, "all of them rest"
    assert counted(failed(StorageUnavailable, tries=[Try("one", outcome="storage_unavailable")])) == NOTHING
    assert counted(report(tries=[])) == NOTHING, "an answer of before that is told again"


def test_a_hold_refused_beside_the_call_is_not_counted() -> None:
    assert counted(report(REFUSED, "rate_limit_exceeded", unfunded=True, status=429)) == NOTHING


def test_a_token_that_cannot_be_had_is_a_failure() -> None:
    assert counted(failed(UpstreamAuthFailed, tries=[Try("one", outcome="upstream_auth")])) == FAILED_ONCE


def test_counting_of_tokens_is_not_counted() -> None:
    assert counted(report(verb=Verb.COUNT_TOKENS)) == NOTHING
    assert counted(report(verb=Verb.EMBED)) == (1, 0, {315: 1})


def test_a_caller_who_left_in_the_middle_was_answered_and_one_who_left_before_was_not() -> None:
    tries = [Try("one", "m", 10.0, 10.01, CANCELLED, streamed=True, shown=10.2)]
    gone = report(CALLER_GONE, tries=tries, stream=True, verb=Verb.STREAM, first_byte=10.21)
    assert counted(gone) == (1, 0, {250: 1})
    tries[0].shown = 0.0
    assert counted(gone) == NOTHING, "only the head had gone out"
    assert counted(report(CALLER_GONE, status=0, first_byte=0.0)) == NOTHING
    assert counted(report(CALLER_GONE, "upstream_incomplete")) == NOTHING, "nobody saw that it failed"


def test_a_stream_that_breaks_off_failed_whatever_was_shown() -> None:
    tries = [Try("one", "m", 10.0, 10.01, "upstream_incomplete", streamed=True, shown=10.2)]
    assert counted(report(FAILED, "upstream_incomplete", tries=tries, stream=True, verb=Verb.STREAM)) == FAILED_ONCE


def test_every_error_is_somebodys_fault() -> None:
    """Whoever adds an error decides here: what fails over is the provider's, what does not is the caller's."""
    rejected = tree(UpstreamRejected)
    for error in tree(CallerError) | rejected:
        told = counted(failed(error))
        assert told == (FAILED_ONCE if error.code in traffic.PROVIDERS else NOTHING), error
    for error in tree(UpstreamError) - rejected:
        assert counted(failed(error)) == FAILED_ONCE, error
        assert counted(report(FAILED, error.code or "")) == FAILED_ONCE, error


def test_whose_fault_an_error_is_does_not_hang_on_when_it_became_known() -> None:
    class LateRefusal(UpstreamRejected):
        code = "late_refusal"

    class LateFault(UpstreamError):
        code = "late_fault"

    streamed = [
        Try("one", "m", 10.0, 10.01, error.code, streamed=True, shown=10.2) for error in (LateRefusal, LateFault)
    ]
    assert counted(report(FAILED, LateRefusal.code)) == NOTHING
    assert counted(report(FAILED, LateFault.code)) == FAILED_ONCE
    assert [tried(one) for one in streamed] == [{}, {"one": FAILED_ONCE}]


def tried(*tries: Try, **fields: Any) -> dict[str, Told]:
    """By provider, what is counted of its attempts."""
    tally = TryTally(lambda: 1.9e9)
    traffic.count_tries(report(tries=list(tries), **fields), tally)
    told = tally.take()
    assert {(slot, model) for slot, (model, _) in told} <= {(1_900_000_000 // 960, "small")}
    return {provider: (one.calls, one.failed, one.waits) for (_, (_, provider)), one in told.items()}


def test_what_a_fallback_saved_was_a_failure_of_who_was_asked_first() -> None:
    first = Try("one", "m", 10.0, 0.0, UpstreamOverloaded.code or "")
    again = Try("one", "m", 10.1, 0.0, UpstreamInternal.code or "")
    assert tried(first, again, Try("two", "other", 10.2, 10.245, OK)) == {"one": (2, 2, {}), "two": (1, 0, {50: 1})}


@pytest.mark.parametrize(
    ("attempt", "told"),
    [
        (Try("one", "m", 10.0, 10.3, OK), (1, 0, {315: 1})),
        (Try("one", "m", 10.0, 10.01, OK, streamed=True, shown=10.19), (1, 0, {200: 1})),
        (Try("one", "m", 10.0, 10.3, OK, streamed=True), (1, 0, {315: 1})),  # an answer that shows nothing
        (Try("one", "m", 10.0, 10.01, CANCELLED, streamed=True, shown=10.19), (1, 0, {200: 1})),
        (Try("one", "m", 10.0, 10.01, CANCELLED, streamed=True), None),  # nobody knows what would have come
        (Try("one", "m", 10.0, 10.01, CANCELLED), None),
        (Try("one", "m", 10.0, 0.0, ANSWERING), None),
        (Try("one", "m", 10.0, 10.1, UpstreamRejected.code or ""), None),  # its caller's own fault
        (Try("one", "m", 10.0, 10.1, UpstreamRateLimited.code or ""), (1, 1, {})),
        (Try("one", "m", 0.0, 0.0, UpstreamAuthFailed.code or ""), (1, 1, {})),  # no token for it could be had
        (Try("one", "m", 0.0, 0.0, UpstreamUnreachable.code or ""), None),  # it was never asked
        (Try("one", "m", 10.0, 10.1, StorageUnavailable.code or ""), None),  # ours, not the provider's
        (Try("one", "m", 10.0, 10.1, UpstreamIncomplete.code or "", streamed=True, shown=10.2), (1, 1, {})),
    ],
)
def test_an_attempt_tells_of_its_provider_what_the_provider_did(attempt: Try, told: Told | None) -> None:
    assert tried(attempt) == ({} if told is None else {"one": told})
    assert tried(attempt, verb=Verb.COUNT_TOKENS) == {}


def tree(error: type[PorticoError]) -> set[type[PorticoError]]:
    """It and its kinds, as far as they are Portico's own."""
    kinds = [kind for kind in error.__subclasses__() if kind.__module__.startswith("portico.")]
    return {error}.union(*[tree(kind) for kind in kinds])
