"""Events <-> response: fold a stream into the answer it told, or tell an answer as a stream.

`assemble(tell(response)) == response` for every response; the laws hold every dialect's reader to the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from portico.core.errors import UpstreamError
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
from portico.core.parts import Media, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Citation, Finish, Response, TokenLogprob
from portico.core.usage import Usage


class _OpenPart:
    """A part while it grows: pieces are joined once, at the end."""

    __slots__ = ("part", "pieces", "signature")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.pieces: list[str] = []
        self.signature: Signature | None = None

    def done(self) -> Part:
        part = self.part
        if self.signature is not None and not isinstance(part, (Text, Reasoning, Media, ToolCall)):
            raise ValueError(f"a {type(part).__name__} part cannot be signed")
        if isinstance(part, (Text, Reasoning)):
            text = part.text + "".join(self.pieces)
            return msgspec.structs.replace(part, text=text, signature=self.signature or part.signature)
        if isinstance(part, ToolCall):
            arguments = part.arguments + "".join(self.pieces)
            return msgspec.structs.replace(part, arguments=arguments, signature=self.signature or part.signature)
        if isinstance(part, Media):
            data = (part.data or "") + "".join(self.pieces) if self.pieces else part.data
            return msgspec.structs.replace(part, data=data, signature=self.signature or part.signature)
        return part


class _OpenCandidate:
    __slots__ = ("citations", "ext", "finish", "logprobs", "parts", "searches")

    def __init__(self) -> None:
        self.parts: dict[int, _OpenPart] = {}
        self.finish: Finish | None = None
        self.ext: dict[str, dict[str, Any]] = {}
        self.citations: tuple[Citation, ...] = ()
        self.searches: tuple[str, ...] = ()
        self.logprobs: list[TokenLogprob] = []


class Assembler:
    """Folds events into a response. `finished` says whether the stream came to its end; `error` why not, if told."""

    def __init__(self) -> None:
        self._started = Started()
        self._candidates: dict[int, _OpenCandidate] = {}
        self._ext: dict[str, dict[str, Any]] = {}
        self.usage: Usage | None = None
        self._service_tier: str | None = None
        self._uses: Mapping[str, int] = {}
        self._raw_usage: Any = None
        self.finished = False
        self.error: UpstreamError | None = None

    def feed(self, event: Event) -> None:
        match event:
            case PartDelta(candidate, index, text):
                self._candidates[candidate].parts[index].pieces.append(text)
            case PartStarted(candidate, index, part):
                self._candidate(candidate).parts[index] = _OpenPart(part)
            case PartEnded(candidate, index, signature):
                if signature is not None:
                    self._candidates[candidate].parts[index].signature = signature
            case UsageReported(usage, service_tier, uses, raw):
                self.usage, self._uses, self._raw_usage = usage, uses, raw
                self._service_tier = service_tier or self._service_tier
            case CandidateFinished(candidate, finish):
                self._candidate(candidate).finish = finish
            case Annotated():
                self._annotate(event)
            case Started():
                self._started = event
            case Finished():
                self.finished = True
            case Failed(error):
                self.error = error

    def response(self) -> Response:
        """The answer told so far."""
        return Response(
            id=self._started.id,
            model=self._started.model,
            created=self._started.created,
            candidates=tuple(
                [
                    Candidate(
                        index=index,
                        parts=tuple([part.done() for _, part in sorted(open_.parts.items())]),
                        finish=open_.finish,
                        ext=open_.ext or None,
                        citations=open_.citations,
                        searches=open_.searches,
                        logprobs=tuple(open_.logprobs),
                    )
                    for index, open_ in sorted(self._candidates.items())
                ]
            ),
            usage=self.usage,
            service_tier=self._service_tier,
            ext=self._ext or None,
            uses=self._uses,
            raw_usage=self._raw_usage,
        )

    def _candidate(self, index: int) -> _OpenCandidate:
        found = self._candidates.get(index)
        if found is None:
            found = self._candidates[index] = _OpenCandidate()
        return found

    def _annotate(self, said: Annotated) -> None:
        into = self._ext
        if said.candidate is not None:
            candidate = self._candidate(said.candidate)
            candidate.citations = said.citations or candidate.citations
            candidate.searches = said.searches or candidate.searches
            candidate.logprobs += said.logprobs
            into = candidate.ext
        for origin, fields in (said.ext or {}).items():
            into.setdefault(origin, {}).update(fields)


def assemble(events: Iterable[Event]) -> Response:
    """The response that a stream told."""
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    return assembler.response()


def tell(response: Response) -> list[Event]:
    """A whole response as the stream it could have been: each part started with all of its content, and ended."""
    events: list[Event] = [Started(response.id, response.model, response.created)]
    if response.ext:
        events.append(Annotated(None, response.ext))
    for candidate in response.candidates:
        for index, part in enumerate(candidate.parts):
            events.append(PartStarted(candidate.index, index, part))
            events.append(PartEnded(candidate.index, index))
        if candidate.ext or candidate.citations or candidate.searches or candidate.logprobs:
            said = Annotated(
                candidate.index, candidate.ext, candidate.citations, candidate.searches, candidate.logprobs
            )
            events.append(said)
    if response.usage is not None:
        events.append(UsageReported(response.usage, response.service_tier, response.uses, response.raw_usage))
    events += [CandidateFinished(c.index, c.finish) for c in response.candidates if c.finish is not None]
    events.append(Finished())
    return events
