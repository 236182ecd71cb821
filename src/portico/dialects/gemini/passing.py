"""Google's bodies between two ends that both speak it: the bytes pass, and somebody watches (mapping.md 3.1, 7.6).

Two things are changed: the model's name inside countTokens and embedding requests, where it must be the path's; and
`responseId`, of which a stream has one (clients.md 1: some clients stop at a second). Everything else passes, whether it
is known here or not. What is watched costs one typed look a frame: text, media and calls are stepped over.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from portico.core.dialect import Seen
from portico.core.errors import (
    BodyNotJson,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamRefusedAccount,
)
from portico.dialects.gemini.embedding import embedding_metadata
from portico.dialects.gemini.errors import masked, parse_error_object, render_error
from portico.dialects.gemini.fields import camelise_deep
from portico.dialects.gemini.grounding import joined_metadata
from portico.dialects.gemini.more import MORE
from portico.dialects.gemini.response import model_name
from portico.dialects.gemini.substance import Substance
from portico.dialects.gemini.usage import parse_usage, service_tier
from portico.dialects.gemini.uses import ToolUses
from portico.wire import jsontext, raw
from portico.wire.sse import Frame

# -- requests --------------------------------------------------------------------------------------------------------


def renamed(body: bytes, model: str) -> bytes:
    """The body with this model wherever it names one: at its top (embedContent), in `generateContentRequest` (countTokens)
    and in each of `requests` (batchEmbedContents). Where it names none, none is added. Raises `BodyNotJson`."""
    try:
        jsontext.decode(body)
        return _renamed(body, f"models/{model}")
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None


def _renamed(body: bytes, name: str) -> bytes:
    """Patched from its end, so that what is still to be patched stays where it was found."""
    spans = raw.members(body) if body.removeprefix(jsontext.BOM).lstrip().startswith(b"{") else {}
    for member, span in sorted(spans.items(), key=lambda item: -item[1].start):
        value = body[span.start : span.end]
        if member == "model":
            value = jsontext.encode(name)
        elif member in ("generateContentRequest", "generate_content_request"):
            value = _renamed(value, name)
        elif member == "requests" and value.startswith(b"["):
            for start, end in reversed(raw.items(value)):
                value = value[:start] + _renamed(value[start:end], name) + value[end:]
        body = body[: span.start] + value + body[span.end :]
    return body


# -- answers ---------------------------------------------------------------------------------------------------------


_ABSENT: Final = msgspec.Raw()


class _Part(msgspec.Struct, rename="camel"):
    """Only whether a tool of the provider is at work is looked at; `tool_call` holds the queries of a search."""

    executable_code: Any = None
    code_execution_result: Any = None
    function_response: Any = None
    tool_call: Any = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: Any = None
    index: int | None = None
    content: _Content | None = None
    grounding_metadata: Any = None
    url_context_metadata: Any = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: Any = None


class _Head(msgspec.Struct, rename="camel", kw_only=True):
    prompt_feedback: _Feedback | None = None
    response_id: Any = None
    model_version: Any = None
    usage_metadata: Any = None
    error: Any = None


class _Answer(_Head, rename="camel", kw_only=True):
    """What is looked at; the rest is only checked to be JSON."""

    candidates: list[_Candidate] = []
    embedding: msgspec.Raw = _ABSENT
    embeddings: msgspec.Raw = _ABSENT


class _BareCandidate(msgspec.Struct, rename="camel"):
    finish_reason: Any = None


class _BareAnswer(_Head, rename="camel", kw_only=True):
    """The same of one whose content is not shaped as contents have been, and is not looked into."""

    candidates: list[_BareCandidate] = []


_DECODER: Final = msgspec.json.Decoder(_Answer)
_BARE_DECODER: Final = msgspec.json.Decoder(_BareAnswer)
_TOTAL: Final = frozenset({"totalTokenCount", "total_token_count"})
_NOTHING: Final = _Part()
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def _look(data: bytes) -> _Answer:
    """Raises `UpstreamBadGateway` for what is not a JSON object."""
    try:
        data.decode()  # what is stepped over is not checked otherwise
        return _DECODER.decode(data)
    except msgspec.ValidationError:
        return _bare(data)
    except jsontext.NOT_DECODED as error:
        raise UpstreamBadGateway(f"The provider sent something that is not JSON: {error}") from None


def _bare(data: bytes) -> _Answer:
    """One in which something watched is not of the type it has had so far."""
    try:
        bare = _BARE_DECODER.decode(data)
    except msgspec.ValidationError:  # only names are looked at
        value = _plain(data)
        if not isinstance(value, Mapping):
            raise UpstreamBadGateway("The provider sent something that is not an answer.") from None
        return _Answer(
            candidates=[_Candidate(True)] if value.get("candidates") else [],
            response_id=value.get("responseId"),
            model_version=value.get("modelVersion"),
            usage_metadata=value.get("usageMetadata"),
            error=value.get("error"),
        )
    except jsontext.NOT_DECODED as error:
        raise UpstreamBadGateway(f"The provider sent something that is not JSON: {error}") from None
    return _Answer(
        candidates=[_Candidate(one.finish_reason) for one in bare.candidates],
        prompt_feedback=bare.prompt_feedback,
        response_id=bare.response_id,
        model_version=bare.model_version,
        usage_metadata=bare.usage_metadata,
        error=bare.error,
    )


def _plain(data: bytes) -> Any:
    try:
        return jsontext.decode(data)
    except jsontext.NotJson as error:
        raise UpstreamBadGateway(f"The provider sent something that is not JSON: {error}") from None


def _seen(model: str | None, metadata: Any, uses: "_Watched") -> Seen:
    """Counts that cannot be read are none, and without any nothing is said of what was used."""
    if isinstance(metadata, Mapping):
        fields = camelise_deep(metadata)
        try:
            if uses.embedding:
                fields = embedding_metadata(fields)
            usage = parse_usage(fields)
            if usage is not None:
                return Seen(model, usage, service_tier(fields), uses.counts(), metadata)
        except (AttributeError, OverflowError, TypeError, ValueError):
            pass
    return Seen(model)


def see(body: bytes) -> Seen:
    """What a whole answer tells, of whichever verb. Raises `UpstreamError`."""
    answer = _look(body)
    if answer.error is not None:
        raise parse_error_object({"error": answer.error})
    uses = _Watched(embedding=not (answer.embedding is _ABSENT and answer.embeddings is _ABSENT))
    for position, candidate in enumerate(answer.candidates):
        uses.look(position, candidate)
    substance = Substance()
    substance.feed(body)
    return _with(substance, _seen(model_name(answer.model_version), answer.usage_metadata, uses))


def _with(substance: Substance, seen: Seen) -> Seen:
    shown = substance.shown if seen.usage is None else 0
    return msgspec.structs.replace(seen, empty=not substance.counts, shown=shown)


class _Watched:
    """The tools of the provider that candidates show as they pass."""

    __slots__ = ("_groundings", "_uses", "embedding")

    def __init__(self, *, embedding: bool = False) -> None:
        self.embedding = embedding
        """There is no candidate: it is an embedding."""
        self._uses = ToolUses()
        self._groundings: dict[int, Any] = {}

    def look(self, position: int, candidate: _Candidate) -> None:
        if candidate.content is not None:
            for part in candidate.content.parts or ():
                if part != _NOTHING:
                    self._uses.parts([{name: value for name, value in _members(part) if value is not None}])
        if candidate.grounding_metadata:
            index = position if candidate.index is None else candidate.index
            joined = joined_metadata(self._groundings.get(index), candidate.grounding_metadata)
            self._groundings[index] = joined
            self._uses.grounded(index, joined)
        if candidate.url_context_metadata:
            self._uses.fetched(candidate.url_context_metadata)

    def counts(self) -> dict[str, int]:
        return self._uses.counts()


def _members(part: _Part) -> tuple[tuple[str, Any], ...]:
    """By Google's names for them."""
    return (
        ("executableCode", part.executable_code),
        ("codeExecutionResult", part.code_execution_result),
        ("functionResponse", part.function_response),
        ("toolCall", part.tool_call),
    )


class GeminiWatch:
    """A stream of streamGenerateContent while it passes."""

    named: Final = None

    def __init__(self, fresh_id: str) -> None:
        self.ended = False
        self._fresh_id = fresh_id
        self._id: str | None = None
        """The `responseId` of every frame; None while none has passed."""
        self.model: str | None = None
        self._usage: Mapping[str, Any] | None = None
        self._last: bytes | None = None
        """A frame whose counts are later than that. The next one brings others: they are read when they are asked for."""
        self._answering = False
        self._finished = False
        self._uses = _Watched()
        self._substance = Substance()

    @property
    def counts(self) -> bool:
        return self._substance.counts

    def seen(self) -> Seen:
        last, self._last = self._last, None
        if last is not None:
            with suppress(jsontext.NotJson):  # a number that no double holds: it was stepped over
                self._usage = jsontext.decode(last)["usageMetadata"]
        return _with(self._substance, _seen(self.model, self._usage, self._uses))

    def more(self, frame: Frame) -> bool:
        if self._usage is None or not self._substance.counts or not self._answering or self.ended:
            return False
        try:
            frame.data.decode()  # what is stepped over is not checked otherwise
            body = MORE.decode(frame.data)
        except jsontext.NOT_DECODED:
            return False
        if self.model is None or body.response_id != self._id or body.candidates[0].finish is not None:
            return False
        if (counts := body.usage) is not None:
            if counts.total is None:
                return False
            self._last = frame.data
        return True

    def feed(self, frame: Frame) -> list[Frame]:
        if frame.data.lstrip().startswith(b"["):
            return [passed for item in self._items(frame.data) for passed in self._feed(Frame(item))]
        return self._feed(frame)

    def close(self) -> None:
        if self.ended:
            return
        self.ended = True
        if self._id is None:
            raise UpstreamEmpty
        if self._answering and not self._finished:
            raise UpstreamIncomplete

    def _feed(self, frame: Frame) -> list[Frame]:
        if self.ended:
            return []
        answer = _look(frame.data)
        if b"\n" in frame.data:  # several `data:` lines: a line end in JSON is a space, and some clients read one line
            frame = Frame(frame.data.replace(b"\n", b" "))
        if answer.error is not None:
            return [self._told(frame, parse_error_object({"error": answer.error}))]
        if self._usage is None or not self._substance.counts:
            self._substance.feed(frame.data)
        self._note(answer)
        return [self._with_id(frame, answer.response_id)]

    def _note(self, answer: _Answer) -> None:
        """The last usage with a total counts (mapping.md 3.1): read at the end, for it comes on every frame."""
        self.model = self.model or model_name(answer.model_version)
        if isinstance(answer.usage_metadata, Mapping) and not _TOTAL.isdisjoint(answer.usage_metadata):
            self._usage, self._last = answer.usage_metadata, None
        for position, candidate in enumerate(answer.candidates):
            self._uses.look(position, candidate)
        if not self._finished:
            self._answering = self._answering or bool(answer.candidates)
            blocked = answer.prompt_feedback is not None and answer.prompt_feedback.block_reason is not None
            self._finished = blocked or any(one.finish_reason is not None for one in answer.candidates)

    def _items(self, data: bytes) -> list[bytes]:
        """The frames of a stream that came as an array though events were asked for; also a lone error (3.1)."""
        try:
            return [bytes(item) for item in _ITEMS.decode(data)]
        except jsontext.NOT_DECODED as error:
            raise UpstreamBadGateway(f"The provider sent something that is not JSON: {error}") from None

    def _with_id(self, frame: Frame, said: Any) -> Frame:
        own = said if isinstance(said, str) and said else None
        if self._id is None:
            self._id = own or self._fresh_id
        return frame if own == self._id else Frame(raw.patch(frame.data, {"responseId": self._id}))

    def _told(self, frame: Frame, error: UpstreamError) -> Frame:
        """An error after something was passed goes as Google sent it, unless it speaks of the operator's account."""
        self.ended = True
        if self._id is None:
            raise error
        text = frame.data.decode("utf-8", "replace")
        if masked(text) == text and not isinstance(error, (UpstreamAuthFailed, UpstreamRefusedAccount)):
            return frame
        return Frame(jsontext.encode(render_error(error)))
