"""What a call does when somebody has failed it: who is asked next, whether all are tried again, which failure is told.

    one failed       -> the next is asked, while attempts and time are left
                        who was silent, or could not be reached: its other keys come behind all other deployments
    all have failed  -> if any failure of the round may pass, a pause, and another round: of all but those who said
                        something that will not pass, or were silent
    nothing is left  -> the most useful of all failures is told

Pure: what happened so far, the time and the dice are arguments.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol, TypeAlias

import msgspec

from portico.catalog import Model
from portico.core.errors import (
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInternal,
    UpstreamModelNotFound,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefusedAccount,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from portico.routing.deployment import Candidate

PASSING: Final = (
    UpstreamOverloaded,
    UpstreamInternal,
    UpstreamBadGateway,
    UpstreamUnreachable,
    UpstreamIncomplete,
    UpstreamRateLimited,
)
"""Failures that may be gone in a moment."""
_SILENT: Final = (UpstreamTimeout, UpstreamUnreachable)
"""What another key of the same deployment would most likely meet too."""
_USEFUL: Final[Sequence[type[UpstreamError]]] = (
    UpstreamRateLimited,
    UpstreamOverloaded,
    UpstreamTimeout,
    UpstreamInternal,
    UpstreamIncomplete,
    UpstreamBadGateway,
    UpstreamUnreachable,
    UpstreamModelNotFound,
    UpstreamRefusedAccount,
    UpstreamAuthFailed,
)
"""Of several failures the first of these is told."""

Step: TypeAlias = tuple[Model, Candidate]
Failure: TypeAlias = tuple[Candidate, UpstreamError]


class Limits(Protocol):
    """How long a call is tried for. Times are seconds."""

    @property
    def retries(self) -> int:
        """How often, after all candidates have failed."""

    @property
    def attempts(self) -> int:
        """All in all."""

    @property
    def deadline_s(self) -> float:
        """A call that has taken so long without an answer asks nobody else."""

    @property
    def first_pause_s(self) -> float: ...

    @property
    def longest_pause_s(self) -> float: ...


class Past(msgspec.Struct):
    """What lies behind a call, or a lane of it."""

    began: float
    """Seconds since 1970."""
    attempts: int = 0
    rounds: int = 0
    """How often it was tried again."""
    failures: list[Failure] = []
    before: int = 0
    """How many of them are of earlier rounds."""

    def begin_round(self) -> None:
        self.before = len(self.failures)


def may_ask(past: Past, limits: Limits, now: float) -> bool:
    """Whether anybody may be asked: who is asked first always is."""
    in_time = not past.attempts or now - past.began <= limits.deadline_s
    return past.attempts < limits.attempts and in_time


def in_turn(past: Past, steps: Sequence[Step]) -> list[Step]:
    """These in the order they are asked in, without those of whom nothing else is to be expected in this call."""
    out = {_key(one) for one, error in past.failures if not isinstance(error, PASSING)}
    silent = {one.deployment.name: n for n, (one, error) in enumerate(past.failures) if isinstance(error, _SILENT)}
    left = [step for step in steps if _key(step[1]) not in out]
    return sorted(left, key=lambda step: silent.get(step[1].deployment.name, -1))


def pause_s(past: Past, limits: Limits, *, back_at: float | None, now: float, dice: float) -> float | None:
    """How long a call waits before all are tried again; None: they are not. `back_at`: when the first of those is back
    that rest, in seconds since 1970. `dice`: 0 to 1, so that calls that failed together do not come back together."""
    if past.rounds >= limits.retries or past.attempts >= limits.attempts:
        return None
    if past.failures:
        if not any(isinstance(error, PASSING) for _, error in past.failures[past.before :]):
            return None
    elif back_at is None:
        return None  # whoever is left out stays so until a person has looked
    pause = min(limits.first_pause_s * 2.0 ** min(past.rounds, 30), limits.longest_pause_s) * (0.5 + 0.5 * dice)
    if back_at is not None:
        pause = max(pause, back_at - now)
    in_time = now + pause - past.began <= limits.deadline_s
    return pause if in_time and pause <= limits.longest_pause_s else None


def share_s(past: Past, limits: Limits, now: float) -> float:
    """How long one who shows no sign of life may keep a call from all others: half of the time that it has left."""
    return max(0.0, past.began + limits.deadline_s - now) / 2


def most_useful(errors: Iterable[UpstreamError]) -> UpstreamError | None:
    """Which of several failures is told: what says when to come back first, what the operator has to mend last."""
    return min(errors, key=_usefulness, default=None)


def _usefulness(error: UpstreamError) -> tuple[int, float]:
    rank = next((n for n, kind in enumerate(_USEFUL) if isinstance(error, kind)), len(_USEFUL))
    return rank, error.retry_after_s if error.retry_after_s is not None else float("inf")


def _key(candidate: Candidate) -> tuple[str, str]:
    return candidate.deployment.name, candidate.credential.mark
