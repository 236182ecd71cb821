"""Google's bodies between two ends that both speak it: the bytes pass, and somebody watches (mapping.md 3.1, 7.6).

Two things are changed: the model's name inside countTokens and embedding requests, where it must be the path's; and
`responseId`, of which a stream has one (clients.md 1: some clients stop at a second). Everything else passes, whether it
is known here or not. What is watched costs one typed look a frame: text, media and calls are stepped over.
"""

from collections.abc import Mapping
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
from portico.core.response import FinishReason
from portico.dialects.gemini.errors import masked, parse_error_object, render_error
from portico.dialects.gemini.fields import camelise_deep
from portico.dialects.gemini.finish import parse_finish
from portico.dialects.gemini.response import model_name
from portico.dialects.gemini.usage import parse_usage, service_tier
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
    spans = raw.members(body) if body.lstrip().startswith(b"{") else {}
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


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: Any = None


class _Content(msgspec.Struct):
    parts: list[dict[str, msgspec.Raw]] = []


class _WholeCandidate(msgspec.Struct, rename="camel"):
    finish_reason: Any = None
    content: _Content | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: Any = None


class _Answer(msgspec.Struct, rename="camel"):
    """What is looked at; the rest is only checked to be JSON."""

    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None
    response_id: Any = None
    model_version: Any = None
    usage_metadata: Any = None
    error: Any = None


class _WholeAnswer(msgspec.Struct, rename="camel"):
    """The same, and what parts there are."""

    candidates: list[_WholeCandidate] = []
    prompt_feedback: _Feedback | None = None
    response_id: Any = None
    model_version: Any = None
    usage_metadata: Any = None
    error: Any = None


_DECODER: Final = msgspec.json.Decoder(_Answer)
_WHOLE: Final = msgspec.json.Decoder(_WholeAnswer)
_UNSHOWN: Final = frozenset({"text", "thought", "thoughtSignature", "thought_signature"})
"""Members of a part that show nothing: a text, if it is empty or a thought."""
_FREE_FINISHES: Final = (FinishReason.STOP, FinishReason.ERROR, FinishReason.OTHER)
"""How an answer ends of which nothing is charged if nothing is in it."""
_TOTAL: Final = frozenset({"totalTokenCount", "total_token_count"})
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Counting:
    """Whether there is an answer at all to be charged, piece by piece."""

    def __init__(self) -> None:
        self.counts = False
        """Something is in it, or a limit or a filter says why not."""
        self.shown = 0

    def note(self, answer: "_Answer | _WholeAnswer") -> None:
        for candidate in answer.candidates:
            if isinstance(candidate, _WholeCandidate):
                for part in candidate.content.parts if candidate.content is not None else ():
                    self._note_part(part)
            if candidate.finish_reason is not None:
                finish = parse_finish(candidate.finish_reason, None, with_calls=False)
                self.counts = self.counts or finish.reason not in _FREE_FINISHES
        if answer.prompt_feedback is not None and answer.prompt_feedback.block_reason is not None:
            self.counts = True

    def _note_part(self, part: Mapping[str, msgspec.Raw]) -> None:
        text = memoryview(part["text"]).nbytes - 2 if "text" in part else 0
        self.shown += max(0, text)
        hidden = "thought" in part and bytes(part["thought"]) == b"true"
        if (text > 0 and not hidden) or not part.keys() <= _UNSHOWN:
            self.counts = True

    def told(self, seen: Seen) -> Seen:
        return msgspec.structs.replace(seen, empty=not self.counts, shown=self.shown if seen.usage is None else 0)


def _look(data: bytes, *, whole: bool) -> _Answer | _WholeAnswer:
    """Raises `UpstreamBadGateway` for what is not a JSON object. `whole`: its parts are looked at."""
    try:
        data.decode()  # what is stepped over is not checked otherwise
        return _WHOLE.decode(data) if whole else _DECODER.decode(data)
    except msgspec.ValidationError:  # something watched is not of the type it has had so far: only names are looked at
        value = _plain(data)
        if not isinstance(value, Mapping):
            raise UpstreamBadGateway("The provider sent something that is not an answer.") from None
        return _Answer(
            [_Candidate(True)] if value.get("candidates") else [],
            None,
            *[value.get(name) for name in ("responseId", "modelVersion", "usageMetadata", "error")],
        )
    except _NOT_JSON as error:
        raise UpstreamBadGateway(f"The provider sent something that is not JSON: {error}") from None


def _plain(data: bytes) -> Any:
    try:
        return jsontext.decode(data)
    except jsontext.NotJson as error:
        raise UpstreamBadGateway(f"The provider sent something that is not JSON: {error}") from None


def _seen(model: str | None, metadata: Any) -> Seen:
    """Counts that cannot be read are none."""
    if isinstance(metadata, Mapping):
        fields = camelise_deep(metadata)
        try:
            return Seen(model, parse_usage(fields), service_tier(fields))
        except (AttributeError, OverflowError, TypeError, ValueError):
            pass
    return Seen(model)


def see(body: bytes) -> Seen:
    """What a whole answer tells, of whichever verb. Raises `UpstreamError`."""
    answer = _look(body, whole=True)
    if answer.error is not None:
        raise parse_error_object({"error": answer.error})
    counting = _Counting()
    counting.note(answer)
    return counting.told(_seen(model_name(answer.model_version), answer.usage_metadata))


class GeminiWatch:
    """A stream of streamGenerateContent while it passes."""

    def __init__(self, fresh_id: str) -> None:
        self.ended = False
        self._fresh_id = fresh_id
        self._id: str | None = None
        """The `responseId` of every frame; None while none has passed."""
        self.model: str | None = None
        self._usage: Mapping[str, Any] | None = None
        self._answering = False
        self._finished = False
        self._counting = _Counting()

    @property
    def counts(self) -> bool:
        return self._counting.counts

    def seen(self) -> Seen:
        return self._counting.told(_seen(self.model, self._usage))

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
        answer = _look(frame.data, whole=self._usage is None or not self._counting.counts)
        if b"\n" in frame.data:  # several `data:` lines: a line end in JSON is a space, and some clients read one line
            frame = Frame(frame.data.replace(b"\n", b" "))
        if answer.error is not None:
            return [self._told(frame, parse_error_object({"error": answer.error}))]
        self._note(answer)
        return [self._with_id(frame, answer.response_id)]

    def _note(self, answer: _Answer | _WholeAnswer) -> None:
        """The last usage with a total counts (mapping.md 3.1): read at the end, for it comes on every frame."""
        self._counting.note(answer)
        self.model = self.model or model_name(answer.model_version)
        if isinstance(answer.usage_metadata, Mapping) and not _TOTAL.isdisjoint(answer.usage_metadata):
            self._usage = answer.usage_metadata
        if not self._finished:
            self._answering = self._answering or bool(answer.candidates)
            blocked = answer.prompt_feedback is not None and answer.prompt_feedback.block_reason is not None
            self._finished = blocked or any(one.finish_reason is not None for one in answer.candidates)

    def _items(self, data: bytes) -> list[bytes]:
        """The frames of a stream that came as an array though events were asked for; also a lone error (3.1)."""
        try:
            return [bytes(item) for item in _ITEMS.decode(data)]
        except _NOT_JSON as error:
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
