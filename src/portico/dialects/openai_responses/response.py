"""A response object -> neutral answer (mapping.md 7.2). Read as the stream it could have been, so both ways agree."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.assembly import Assembler
from portico.core.dialect import Reading
from portico.core.errors import InvalidRequest, UpstreamBadGateway, UpstreamError
from portico.core.events import Annotated, CandidateFinished, Event, Started, UsageReported
from portico.core.response import Candidate, Citation, Response
from portico.dialects.openai.checks import array_at, object_at
from portico.dialects.openai.errors import parse_error_object
from portico.dialects.openai_responses.around import parse_finish
from portico.dialects.openai_responses.reading import OutputReader
from portico.dialects.openai_responses.usage import parse_usage

UNREADABLE: Final = (InvalidRequest, AttributeError, TypeError, ValueError, KeyError, OverflowError)
"""What reading values of unexpected types raises: such an answer is the provider's fault."""


def name_in(body: Mapping[str, Any], field: str) -> str | None:
    """What an answer calls itself, its model or its tier, if it is a name."""
    value = body.get(field)
    return value if isinstance(value, str) and value else None


def started(body: Mapping[str, Any]) -> Started:
    """How an answer introduces itself."""
    created = body.get("created_at")
    at = int(created) if isinstance(created, (int, float)) and not isinstance(created, bool) else None
    return Started(name_in(body, "id"), name_in(body, "model"), at)


def tier_of(body: Mapping[str, Any]) -> str | None:
    """The tier an answer was served in; `auto` is what was asked for and says nothing."""
    tier = name_in(body, "service_tier")
    return None if tier == "auto" else tier


def failure(body: Mapping[str, Any]) -> UpstreamError | None:
    """The error that an answer tells in its place; None where it tells none."""
    if body.get("error") is not None:
        return parse_error_object(body)
    if body.get("status") in ("failed", "cancelled"):
        return UpstreamBadGateway(f"The provider's answer is {body['status']}.")
    return None


def ending(body: Mapping[str, Any], output: OutputReader) -> list[Event]:
    """What the last object of an answer tells beside its items."""
    events: list[Event] = []
    for at, item in enumerate(array_at(body.get("output") or [], ".output")):
        if not output.holds(at):
            output.done(at, object_at(item, f".output[{at}]"), events)
    output.close(events)
    extras = body.get("extra_content")
    if isinstance(extras, Mapping):
        candidate = extras.get("candidate")
        searches = tuple([str(query) for query in extras.get("searches") or ()])
        citations = tuple(msgspec.convert(extras.get("citations") or [], list[Citation]))
        if candidate or searches or citations:
            events.append(Annotated(0, candidate or None, citations, searches))
        if extras.get("answer"):
            events.append(Annotated(None, extras["answer"]))
    usage = parse_usage(body.get("usage"))
    if usage is not None:
        events.append(UsageReported(usage, tier_of(body), dict(output.uses), body.get("usage")))
    finish = parse_finish(body, calls=output.calls)
    if finish is not None:
        events.append(CandidateFinished(0, finish))
    return events


def parse_response(body: Any, reading: Reading) -> Response:
    """A response object. Raises `UpstreamBadGateway` for what is none, and the error that it tells."""
    if not isinstance(body, Mapping) or not isinstance(body.get("output"), list):
        if isinstance(body, Mapping) and (error := failure(body)) is not None:
            raise error
        raise UpstreamBadGateway
    if (error := failure(body)) is not None:
        raise error
    assembler = Assembler()
    try:
        for event in [started(body), *ending(body, OutputReader(reading))]:
            assembler.feed(event)
    except UNREADABLE as wrong:
        raise UpstreamBadGateway from wrong
    answer = assembler.response()
    if answer.candidates:
        return answer
    return Response(answer.id, answer.model, (Candidate(0, (), None),), answer.usage, answer.created)
