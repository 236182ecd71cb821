"""What is known of one request when it is over: told once to an observer, who may count it and write it down.

The gateway opens a report, the relay adds whom it asked and what the answer told, and nobody reads it before its end. It
holds names, numbers and sizes: no header, no query, no part of a body, no message of an error.
"""

import json
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from portico.core.usage import Usage
from portico.providers import Verb

OK: Final = "ok"
REFUSED: Final = "refused"
CALLER_GONE: Final = "caller_gone"
FAILED: Final = "failed"
OUTCOMES: Final = (OK, REFUSED, CALLER_GONE, FAILED)
"""Answered; refused for a reason the caller can mend (4xx); nobody waited for the end; failed for another's fault."""

ATTEMPTS_HEADER: Final = "x-portico-attempts"
CANCELLED: Final = "cancelled"
"""How an attempt ends that nobody waits for any more."""
ANSWERING: Final = "answering"
"""What is told of an attempt that has not ended: the one whose answer this is the head of."""


FEWEST_GAPS: Final = 4
"""Fewer gaps between events say nothing of how fast they come."""


class Try(msgspec.Struct, eq=False):
    """One attempt at a provider. Times are the clock's, in seconds; 0.0: it did not come to that."""

    provider: str = ""
    model: str = ""
    """The provider's name of it."""
    sent: float = 0.0
    answered: float = 0.0
    """When the head of its answer was here."""
    outcome: str = ANSWERING
    """`ok`, `cancelled`, or the code of the error it ended with."""
    beside: bool = False
    """It was asked beside another that had shown nothing (`relay/hedge.py`)."""
    streamed: bool = False
    shown: float = 0.0
    """When the first event of a stream was, that its caller sees something of."""
    ended: float = 0.0
    """When the last one was, unless the caller was slower than the provider."""
    events: int = 0
    """How many came, as the provider tells them apart."""

    @property
    def first_s(self) -> float | None:
        """How long the first event of a stream took, or a whole answer; None: it never came to that."""
        first = self.shown if self.streamed else self.answered
        return first - self.sent if first else None

    @property
    def per_event_s(self) -> float | None:
        """How far events were apart, on average; None where the caller was in their way, or there are too few."""
        gaps = self.events - 1
        return (self.ended - self.shown) / gaps if self.ended and gaps >= FEWEST_GAPS else None


def tries_header(tries: Sequence[Try], limit_bytes: int = 2048) -> str:
    """Who was tried, and how it ended, as the `x-portico-attempts` header: ASCII JSON; of too many the last ones."""
    told = [_told(one) for one in tries]
    while len(text := json.dumps(told, separators=(",", ":"))) > limit_bytes and len(told) > 1:
        del told[0]
    return text


def _told(tried: Try) -> dict[str, str | bool]:
    told: dict[str, str | bool] = {"provider": tried.provider, "model": tried.model, "outcome": tried.outcome}
    return told | {"beside": True} if tried.beside else told


class Report(msgspec.Struct, eq=False):
    """One request and its answer. Times are the clock's, in seconds; 0.0: it did not come to that."""

    request_id: str = ""
    method: str = ""
    path: str = ""
    """Raw, without the query."""
    peer: str = ""
    user_agent: str = ""
    bytes_in: int = 0
    """Of the body, as of the answer's."""
    began: float = 0.0
    """The request had been read."""
    route: str = ""
    """A name from `http.routes.ROUTE_NAMES`."""
    dialect: str = ""
    tenant: str = ""
    asked: str = ""
    """The model as the caller named it, if there is one of that name."""
    model: str = ""
    """The same as the catalog names it."""
    verb: Verb | None = None
    """What it was asked to do; None: it did not come to that."""
    stream: bool = False
    tries: list[Try] = []
    usage: Usage | None = None
    """As the provider counted; None: it did not."""
    charge_nanos: int = 0
    unfunded: bool = False
    """A provider was asked beside a hold that was then refused."""
    status: int = 0
    """What the answer began with; 0: none was begun."""
    first_byte: float = 0.0
    bytes_out: int = 0
    ended: float = 0.0
    outcome: str = OK
    error: str = ""
    """The code of the error that was told, or of what ended the answer early."""

    @property
    def decisive(self) -> Try | None:
        """The attempt whose answer or error was told: the last, but not one that was only beside it."""
        tries = self.tries
        if len(tries) < 2:
            return tries[0] if tries else None
        return next((one for one in reversed(tries) if one.outcome != CANCELLED), tries[-1])


class Observer(Protocol):
    """Is told of requests. Called on the path of every one of them: it must not block and must not raise."""

    def opened(self, report: Report) -> None:
        """A call begins (not a list of models, nor what could not be read)."""

    def closed(self, report: Report) -> None:
        """The call is over. Its report is complete, but for what `finished` is told."""

    def finished(self, report: Report) -> None:
        """A request is over, whatever it was."""


class _Nobody:
    def opened(self, report: Report) -> None: ...

    def closed(self, report: Report) -> None: ...

    def finished(self, report: Report) -> None: ...


NOBODY: Final[Observer] = _Nobody()
