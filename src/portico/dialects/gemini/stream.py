"""streamGenerateContent frames <-> events (mapping.md 3.1, 3.3).

Every frame is a whole answer whose parts are deltas. What makes reading it hard is recorded: several kinds of part in one
frame; parallel calls in one frame or one per frame; the signature on a last empty text; finishReason twice with text
between; counters that restart; errors in the middle. So a candidate is finished only when the stream is.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import Reading, Reply
from portico.core.errors import InvalidRequest, PorticoError, UpstreamBadGateway, UpstreamEmpty, UpstreamIncomplete
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
from portico.core.loss import Loss
from portico.core.parts import Media, Part, Reasoning, Text, ToolCall
from portico.core.response import Candidate, Finish
from portico.core.spans import TextSpans
from portico.core.telling import PartTeller
from portico.core.usage import Usage
from portico.dialects.gemini.errors import parse_error_object, render_error
from portico.dialects.gemini.fields import camelise
from portico.dialects.gemini.finish import parse_block, parse_finish
from portico.dialects.gemini.grounding import CITATIONS, GROUNDING, joined_metadata
from portico.dialects.gemini.logprobs import read_logprobs
from portico.dialects.gemini.more import MORE
from portico.dialects.gemini.partial_args import PartialCall
from portico.dialects.gemini.parts import ORIGIN
from portico.dialects.gemini.response import (
    RESPONSE_FIELDS,
    candidate_extras,
    feedback_extras,
    model_name,
    parse_model_parts,
    render_candidate,
    response_id,
    says_nothing,
    take_grounding,
    tell_foreign,
)
from portico.dialects.gemini.usage import parse_usage, render_usage, service_tier
from portico.dialects.gemini.uses import URL_CONTEXT, ToolUses
from portico.wire import jsontext
from portico.wire.sse import Around, Frame

_SOURCES: Final = (GROUNDING, CITATIONS)

_UNREADABLE: Final = (InvalidRequest, AttributeError, TypeError, ValueError)
"""What reading values of unexpected types raises: such a frame is the provider's fault."""


class _Candidate:
    """One candidate as far as it has come."""

    __slots__ = ("calls", "finish", "held", "message", "partial", "sources", "spans", "teller")

    def __init__(self, index: int) -> None:
        self.teller = PartTeller(index)
        self.calls = False
        self.finish: Any = None
        self.message: str | None = None
        self.partial: PartialCall | None = None
        self.held: list[dict[str, Any]] = []
        """Calls of tools that nobody declared, until it shows whether the provider answers them itself."""
        self.spans = TextSpans()
        self.sources: dict[str, Any] = {}
        """Grounding and citations so far: they point into the whole text, so they are told at the end."""


class GeminiReader:
    """Frames of streamGenerateContent -> events."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._candidates: dict[int, _Candidate] = {}
        self._started = False
        self._failed = False
        self._block: Finish | None = None
        self._counted = False
        self._uses = ToolUses()
        self._told = UsageReported(Usage())
        """The counts that were told last."""
        self._uncounted: dict[str, Any] | None = None
        """usageMetadata without a total: kept as an extra if no counts ever come."""
        self._put_off: bytes | None = None
        """A frame with counts and a piece of text. The next one brings others, so they are read when they are asked for."""

    def feed(self, frame: Frame) -> list[Event]:
        if self._failed:
            return []
        try:
            body = jsontext.decode(frame.data)
        except jsontext.NotJson as error:
            return self._fail(UpstreamBadGateway(f"The provider sent a frame that is not JSON: {error}"))
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if not isinstance(body, dict):
            return self._fail(UpstreamBadGateway("The provider sent a frame that is not an answer."))
        if body.get("error") is not None:
            return self._fail(parse_error_object(body))
        events: list[Event] = []
        try:
            self._read(camelise(body), events)
        except _UNREADABLE:
            events += self._fail(UpstreamBadGateway())
        return events

    def more(self, frame: Frame) -> PartDelta | None:
        try:
            body = MORE.decode(frame.data)
        except jsontext.NOT_DECODED:
            return None
        (wire,) = body.candidates
        (part,) = wire.content.parts
        candidate = self._candidates.get(wire.index)
        if candidate is None or candidate.held or candidate.partial is not None or not part.text or self._failed:
            return None
        teller = candidate.teller
        if teller.open is None or teller.kind is not (Reasoning if part.thought else Text):
            return None
        if (counts := body.usage) is not None:
            if counts.total is not None:
                self._put_off, self._counted = frame.data, True
            elif not self._counted:
                self._put_off = frame.data
        if wire.finish is not None:
            candidate.finish = wire.finish
        return PartDelta(wire.index, teller.open, part.text)

    def note(self, more: PartDelta) -> None:
        candidate = self._candidates[more.candidate]
        if candidate.teller.kind is Text:
            candidate.spans.add(more.text)

    def put_off(self) -> list[Event]:
        """The counts that no event has told yet, and the uses of tools that came after theirs."""
        frame, self._put_off = self._put_off, None
        events: list[Event] = []
        if frame is not None:
            try:
                self._read_usage(jsontext.decode(frame)["usageMetadata"], events)
            except _UNREADABLE:
                return self._fail(UpstreamBadGateway())
        if self._counted and (uses := self._uses.counts()) != self._told.uses:
            self._told = msgspec.structs.replace(self._told, uses=uses)
            events.append(self._told)
        return events

    def close(self) -> list[Event]:
        """The connection is closed: that is how this dialect says that it is done."""
        if self._failed:
            return []
        if not self._started:
            return self._fail(UpstreamEmpty())
        events = self.put_off()
        if any(isinstance(event, Failed) for event in events):
            return events
        finished: list[Event] = []
        complete = bool(self._candidates) or self._block is not None
        for index, candidate in sorted(self._candidates.items()):
            self._end_partial(candidate, events)
            self._read_parsed(candidate, [], events)
            candidate.teller.end(events)
            self._tell_sources(index, candidate, events)
            if candidate.finish is None:
                complete = False
            else:
                finish = parse_finish(candidate.finish, candidate.message, with_calls=candidate.calls)
                finished.append(CandidateFinished(index, finish))
        if self._block is not None and not self._candidates:
            finished.append(CandidateFinished(0, self._block))
        if self._uncounted:
            events.append(Annotated(None, {ORIGIN: {"usageMetadata": self._uncounted}}))
        if not complete:
            return [*events, *self._fail(UpstreamIncomplete() if self._candidates else UpstreamEmpty())]
        return [*events, *finished, Finished()]

    def _fail(self, error: Any) -> list[Event]:
        """What was used until then is told before."""
        events = self.put_off()
        if not self._failed:
            self._failed = True
            events.append(Failed(error))
        return events

    def _read(self, body: dict[str, Any], events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(Started(response_id(body.get("responseId")), model_name(body.get("modelVersion"))))
        for position, wire in enumerate(body.get("candidates") or ()):
            wire = camelise(wire)
            index = wire.get("index")
            self._read_candidate(position if index is None else int(index), wire, events)
        feedback = body.get("promptFeedback") or {}
        self._block = parse_block(feedback) or self._block
        extras = {key: value for key, value in body.items() if key not in RESPONSE_FIELDS}
        if rest := feedback_extras(feedback):
            extras["promptFeedback"] = rest
        usage = body.get("usageMetadata")
        if usage:
            self._read_usage(usage, events)
        if extras:
            events.append(Annotated(None, {ORIGIN: extras}))

    def _read_usage(self, raw: dict[str, Any], events: list[Event]) -> None:
        metadata = camelise(raw)
        usage = parse_usage(metadata)
        if usage is not None:
            self._put_off = None
            self._uncounted = None
            self._counted = True
            self._told = UsageReported(usage, service_tier(metadata), self._uses.counts(), raw)
            events.append(self._told)
        elif not self._counted:
            self._put_off = None
            self._uncounted = metadata

    def _read_candidate(self, index: int, wire: dict[str, Any], events: list[Event]) -> None:
        candidate = self._candidates.get(index)
        if candidate is None:
            candidate = self._candidates[index] = _Candidate(index)
        content = wire.get("content") or {}
        parts = [camelise(part) for part in content.get("parts") or ()]
        if parts:
            self._uses.parts(parts)
            self._read_parts(candidate, parts, events)
        if wire.get("finishReason") is not None:
            candidate.finish = wire["finishReason"]
            candidate.message = wire.get("finishMessage", candidate.message)
        if extras := candidate_extras(wire):
            for name in _SOURCES:
                if name in extras:
                    candidate.sources[name] = joined_metadata(candidate.sources.get(name), extras.pop(name))
            if GROUNDING in candidate.sources:
                self._uses.grounded(index, candidate.sources[GROUNDING])
            if URL_CONTEXT in extras:
                self._uses.fetched(extras[URL_CONTEXT])
            logprobs = read_logprobs(extras)
            if extras or logprobs:
                events.append(Annotated(index, {ORIGIN: extras} if extras else None, logprobs=logprobs))

    def _tell_sources(self, index: int, candidate: _Candidate, events: list[Event]) -> None:
        if candidate.sources:
            found = take_grounding(candidate.sources, candidate.spans)
            ext = {ORIGIN: candidate.sources} if candidate.sources else None
            events.append(Annotated(index, ext, found.citations, found.searches))

    def _read_parts(self, candidate: _Candidate, parts: list[dict[str, Any]], events: list[Event]) -> None:
        whole: list[dict[str, Any]] = []
        for fields in parts:
            call = fields.get("functionCall")
            if call == {} and candidate.partial is None:
                continue  # ends a call whose pieces have ended already (3.3)
            if call is not None and (candidate.partial is not None or "willContinue" in call or "partialArgs" in call):
                self._read_parsed(candidate, whole, events)
                whole = []
                self._read_partial_call(candidate, fields, events)
            else:
                whole.append(fields)
        undecided = self._undecided(whole)
        self._read_parsed(candidate, whole[: len(whole) - len(undecided)], events)
        candidate.held = undecided

    def _undecided(self, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The calls at the end of a frame which server-side MCP may yet answer in the next (traffic.md 3.10)."""
        start = len(fields)
        while start and (call := fields[start - 1].get("functionCall")) and call.get("name") not in self._reading.tools:
            start -= 1
        return fields[start:]

    def _read_parsed(self, candidate: _Candidate, fields: list[dict[str, Any]], events: list[Event]) -> None:
        if candidate.held:
            fields, candidate.held = candidate.held + fields, []
        for part in parse_model_parts(fields, self._reading):
            if isinstance(part, Text):
                candidate.spans.add(part.text)
            if isinstance(part, (Text, Reasoning)) and part.signature is None and part.ext is None:
                candidate.teller.text(part, events)
            else:
                candidate.calls = candidate.calls or isinstance(part, ToolCall)
                candidate.teller.whole(part, events)

    # -- arguments that come in pieces (3.3)

    def _read_partial_call(self, candidate: _Candidate, fields: dict[str, Any], events: list[Event]) -> None:
        call = camelise(fields["functionCall"])
        if call.get("name"):
            self._end_partial(candidate, events)
            candidate.partial = PartialCall(fields, call)
        if candidate.partial is None:
            return
        candidate.partial.add(call)
        if not call.get("willContinue"):
            self._end_partial(candidate, events)

    def _end_partial(self, candidate: _Candidate, events: list[Event]) -> None:
        """The pieces so far are the call: the terminal piece may be missing (3.3), but a cut-off string is no argument."""
        partial, candidate.partial = candidate.partial, None
        if partial is not None and (candidate.finish not in ("MAX_TOKENS", 2) or not partial.unfinished):
            for part in parse_model_parts([partial.fields()], self._reading):
                candidate.calls = True
                candidate.teller.whole(part, events)


_STOP: Final = "STOP"
_HERE: Final = "\0"
"""A text that stands for another."""


class GeminiWriter:
    """Events -> frames as Google sends them. A call is held until its arguments are complete."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.losses: list[Loss] = []
        self._id = reply.id
        self._model = reply.model
        self._held: dict[tuple[int, int], tuple[Part, list[str]]] = {}
        self._kinds: dict[tuple[int, int], type[Part]] = {}
        self._usage: dict[str, Any] | None = None
        self._tier: str | None = None
        self._finishes: list[Candidate] = []
        self._block: Finish | None = None
        self._extras: dict[int | None, dict[str, Any]] = {}
        self._sources: dict[int, Annotated] = {}
        self._spans: defaultdict[int, TextSpans] = defaultdict(TextSpans)
        self._called: set[int] | None = None
        """The candidates of which a call was told."""

    def feed(self, event: Event) -> list[Frame]:
        match event:
            case PartDelta(candidate, index, text):
                return self._delta(candidate, index, text)
            case PartStarted(candidate, index, part):
                return self._part_started(candidate, index, part)
            case PartEnded(candidate, index, signature):
                return self._part_ended(candidate, index, signature)
            case UsageReported(usage, tier):
                self._tier = tier or self._tier
                self._usage = render_usage(usage, self._tier)
            case Started(id_, model, _):
                self._id = (id_ or self._id).removeprefix("chatcmpl-")
                self._model = self._model or model
            case Annotated():
                return self._annotated(event)
            case CandidateFinished(candidate, finish):
                if finish.prompt_blocked:
                    self._block = finish
                else:
                    self._finishes.append(Candidate(candidate, (), finish))
            case Finished():
                return self._finished()
            case Failed(error):
                return [self.error_frame(error)]
        return []

    def around(self, candidate: int, index: int) -> Around | None:
        kind = self._kinds[candidate, index]
        if kind is not Text and kind is not Reasoning:
            return None
        frame = self._frame(Candidate(candidate, (kind(_HERE),), None))
        pieces = frame.data.split(jsontext.encode(_HERE))
        return Around(pieces[0], pieces[1]) if len(pieces) == 2 else None

    def note(self, more: PartDelta) -> None:
        if self._kinds[more.candidate, more.index] is Text:
            self._spans[more.candidate].add(more.text)

    def close(self) -> list[Frame]:
        return []

    def error_frame(self, error: PorticoError) -> Frame:
        return Frame(jsontext.encode(render_error(error)))

    def _annotated(self, said: Annotated) -> list[Frame]:
        """Extras and sources are told at the end, logprobs with the tokens they are of."""
        index = said.candidate
        self._extras.setdefault(index, {}).update((said.ext or {}).get(ORIGIN, {}))
        tell_foreign(said.ext, self.losses, "$" if index is None else f"$.candidates[{index}]")
        if index is None:
            return []
        if said.citations or said.searches:
            before = self._sources.get(index, said)
            citations, searches = said.citations or before.citations, said.searches or before.searches
            self._sources[index] = Annotated(index, None, citations, searches)
        return [self._frame(Candidate(index, (), None, logprobs=said.logprobs))] if said.logprobs else []

    def _part_started(self, candidate: int, index: int, part: Part) -> list[Frame]:
        self._kinds[candidate, index] = type(part)
        if isinstance(part, Text):
            self._spans[candidate].add(part.text)
        if isinstance(part, (Text, Reasoning)):
            return self._frames(candidate, part) if part.text or part.signature is not None else []
        self._held[candidate, index] = (part, [])
        return []

    def _delta(self, candidate: int, index: int, text: str) -> list[Frame]:
        held = self._held.get((candidate, index))
        if held is not None:
            held[1].append(text)
            return []
        kind = self._kinds[candidate, index]
        if kind is Text:
            self._spans[candidate].add(text)
        part: Part = Reasoning(text) if kind is Reasoning else Text(text)
        return [self._frame(Candidate(candidate, (part,), None))]

    def _part_ended(self, candidate: int, index: int, signature: Any) -> list[Frame]:
        held = self._held.pop((candidate, index), None)
        if held is None:
            if signature is None:
                return []
            kind = self._kinds[candidate, index]
            return self._frames(candidate, kind("", signature=signature))  # type: ignore[call-arg]
        part, pieces = held
        if isinstance(part, ToolCall):
            part = msgspec.structs.replace(part, arguments=part.arguments + "".join(pieces))
        elif isinstance(part, Media) and pieces:
            part = msgspec.structs.replace(part, data=(part.data or "") + "".join(pieces))
        if signature is not None and isinstance(part, (ToolCall, Media)):
            part = msgspec.structs.replace(part, signature=signature)
        return [self._frame(Candidate(candidate, (part,), None))]

    def _finished(self) -> list[Frame]:
        """The last frame: every finish, what was annotated, and the usage."""
        candidates = []
        for candidate in self._finishes:
            extras = self._extras.get(candidate.index)
            sources = self._sources.get(candidate.index, Annotated(candidate.index))
            candidate = msgspec.structs.replace(
                candidate,
                ext={ORIGIN: extras} if extras else None,
                citations=sources.citations,
                searches=sources.searches,
            )
            told = render_candidate(candidate, self.losses, self._spans[candidate.index])
            if told.get("finishReason") == _STOP and "parts" not in told.get("content", {}):
                told["content"] = {"parts": [{"text": ""}], "role": "model"}  # recorded; instructor reads parts[0]
            candidates.append(told)
        body = self._body(candidates)
        if self._block is not None:
            body["promptFeedback"] = {"blockReason": self._block.raw or "OTHER"}
            if self._block.message is not None:
                body["promptFeedback"]["blockReasonMessage"] = self._block.message
        for name, value in self._extras.get(None, {}).items():
            body[name] = {**value, **body[name]} if isinstance(body.get(name), Mapping) else value
        return [Frame(jsontext.encode(body))]

    def _frames(self, candidate: int, part: Part) -> list[Frame]:
        """The frame of a text or a thought; none for the bare seal of another vendor, which is a loss."""
        frame = self._frame(Candidate(candidate, (part,), None))
        return [] if says_nothing(part) else [frame]

    def _frame(self, candidate: Candidate) -> Frame:
        called = self._called is not None and candidate.index in self._called
        if any(isinstance(part, ToolCall) for part in candidate.parts):
            self._called = self._called or set()
            self._called.add(candidate.index)
        return Frame(jsontext.encode(self._body([render_candidate(candidate, self.losses, called=called)])))

    def _body(self, candidates: list[dict[str, Any]]) -> dict[str, Any]:
        body: dict[str, Any] = {"candidates": candidates} if candidates else {}
        if self._usage is not None:
            body["usageMetadata"] = self._usage
        body["modelVersion"] = self._model or ""
        body["responseId"] = self._id
        return body
