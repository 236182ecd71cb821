"""Many answers from a model that gives few to a call: split into lanes, and put together again (mapping.md 1.1, `n`).

A lane is one upstream call and the numbers its answers have for the caller. Whole answers are `merged`; streams flow
through a `FanIn`, out of which comes one stream in the grammar of `core/events.py`. Everything here is pure.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any, Final

import msgspec

from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Failed,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.request import Request
from portico.core.response import Response
from portico.core.usage import Usage, added, plus

MAX_AT_ONCE: Final = 8
"""Upstream calls that one caller's call makes at a time."""


class Lane(msgspec.Struct, frozen=True):
    """Some of the answers that a caller wants: those numbered from `first`. The provider numbers them from 0."""

    first: int
    count: int

    def split(self, max_candidates: int) -> list["Lane"]:
        """The lanes that a model makes of this one which gives so many answers to a call."""
        if self.count <= max_candidates:
            return [self]
        lanes: list[Lane] = []
        first = self.first
        for count in calls_for(self.count, max_candidates):
            lanes.append(Lane(first, count))
            first += count
        return lanes


class Used(msgspec.Struct):
    """What the answer of a lane is charged for, so far."""

    usage: Usage | None = None
    """None: nothing is reported."""
    uses: Mapping[str, int] = {}
    service_tier: str | None = None
    shown: int = 0
    """Bytes of text that the caller sees, while nothing is reported."""
    pictures: int = 0


def lane_of(request: Request) -> Lane:
    """All that a request asks for."""
    return Lane(0, request.sampling.n or 1)


def calls_for(n: int, max_candidates: int) -> list[int]:
    """How many answers each call is asked for, so that there are `n` together and at most `max_candidates` of one call."""
    most = max(1, max_candidates)
    return [min(most, n - first) for first in range(0, n, most)]


def share(request: Request, lane: Lane) -> Request:
    """What a lane asks for. Equal seeds give equal answers, so each lane has its own."""
    if not lane.first and lane.count == (request.sampling.n or 1):
        return request
    sampling = msgspec.structs.replace(request.sampling, n=lane.count if lane.count > 1 else None)
    if lane.first and sampling.seed is not None:
        # A seed made here fits every provider (32 bits); only that of the caller can be too large.
        seed = (sampling.seed + lane.first + 2**31) % 2**32 - 2**31
        sampling = msgspec.structs.replace(sampling, seed=seed)
    return msgspec.structs.replace(request, sampling=sampling)


class _Numbers:
    """The caller's number of an answer. One that nobody asked for gets a number beyond them all."""

    def __init__(self, total: int) -> None:
        self._next = total
        self._beyond: dict[tuple[int, int], int] = {}

    def of(self, lane: Lane, candidate: int) -> int:
        if 0 <= candidate < lane.count:
            return lane.first + candidate
        number = self._beyond.setdefault((lane.first, candidate), self._next)
        self._next = max(self._next, number + 1)
        return number


# -- whole answers ---------------------------------------------------------------------------------------------------


def merged(answers: Iterable[tuple[Lane, Response]]) -> Response:
    """The answers of all lanes as one: renumbered, their usage summed, the rest of the first that says it."""
    ordered = list(answers)
    if len(ordered) == 1:
        return ordered[0][1]
    ordered.sort(key=lambda answer: answer[0].first)
    responses = [response for _, response in ordered]
    numbers = _Numbers(sum(lane.count for lane, _ in ordered))
    candidates = [
        msgspec.structs.replace(candidate, index=numbers.of(lane, candidate.index))
        for lane, response in ordered
        for candidate in response.candidates
    ]
    return Response(
        id=_first([response.id for response in responses]),
        model=_first([response.model for response in responses]),
        created=next((response.created for response in responses if response.created is not None), None),
        candidates=tuple(sorted(candidates, key=lambda candidate: candidate.index)),
        usage=total_usage([response.usage for response in responses]),
        service_tier=_first([response.service_tier for response in responses]),
        ext=_first_ext(responses),
        uses=reduce(plus, [response.uses for response in responses]),
        raw_usage=_raws([response.raw_usage for response in responses]),
    )


def total_usage(reports: Iterable[Usage | None]) -> Usage | None:
    """What was used together; a call that reported nothing adds nothing, and None is that none did."""
    known = [usage for usage in reports if usage is not None]
    return reduce(added, known) if known else None


def _raws(raws: list[Any]) -> list[Any] | None:
    return [raw for raw in raws if raw is not None] or None


def _first(values: list[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)


def _first_ext(responses: list[Response]) -> dict[str, dict[str, object]] | None:
    ext: dict[str, dict[str, object]] = {}
    for response in responses:
        for origin, fields in (response.ext or {}).items():
            known = ext.setdefault(origin, {})
            known.update({name: value for name, value in fields.items() if name not in known})
    return ext or None


# -- streams ---------------------------------------------------------------------------------------------------------


class FanIn:
    """Events of all lanes, in whatever order they come -> the events of one answer.

    Started once, as the first lane to start says it; answers renumbered; usage the sum of what each lane last reported;
    Finished when every lane is; Failed when any lane fails, and nothing after it.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._numbers = _Numbers(total)
        self._started = False
        self._failed = False
        self._finished = 0
        self._tier: str | None = None
        self._settled: Usage | None = None
        """Of the lanes that are finished, so that no more are summed up per event than run at a time."""
        self._running: dict[int, Usage] = {}
        self._told: dict[int, UsageReported] = {}
        """The last report of each lane, for what no sum is made of at every event: a few references."""

    def feed(self, lane: Lane, event: Event) -> list[Event]:
        if lane.count == self._total:
            return [event]
        if self._failed:
            return []
        match event:
            case PartDelta() | PartStarted() | PartEnded() | CandidateFinished():
                return [msgspec.structs.replace(event, candidate=self._numbers.of(lane, event.candidate))]
            case Annotated(candidate):
                number = None if candidate is None else self._numbers.of(lane, candidate)
                return [msgspec.structs.replace(event, candidate=number)]
            case UsageReported():
                return self._used(lane, event)
            case Started():
                told: list[Event] = [] if self._started else [event]
                self._started = True
                return told
            case Finished():
                return self._lane_finished(lane)
            case Failed():
                self._failed = True
                return [event]

    def _used(self, lane: Lane, told: UsageReported) -> list[Event]:
        self._running[lane.first] = told.usage
        self._tier = self._tier or told.service_tier
        self._told[lane.first] = told
        summed = total_usage([self._settled, *[used for _, used in sorted(self._running.items())]])
        if summed is None:
            return []
        reports = [report for _, report in sorted(self._told.items())]
        uses = reduce(plus, [report.uses for report in reports])
        return [UsageReported(summed, self._tier, uses, _raws([report.raw for report in reports]))]

    def _lane_finished(self, lane: Lane) -> list[Event]:
        self._settled = total_usage([self._settled, self._running.pop(lane.first, None)])
        self._finished += lane.count
        return [Finished()] if self._finished == self._total else []
