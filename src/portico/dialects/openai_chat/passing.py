"""Chat bodies between two ends that both speak it: the bytes pass, and somebody watches.

Two things of a request are changed: `model`, which is the provider's own name for it, and, where a stream is asked for
whose counts the caller does not want, `stream_options.include_usage`, since nobody could charge it otherwise. The chunk
that then holds nothing but counts is kept from the caller. Everything else passes, whether it is known here or not: a
`usage` of null that comes with every other chunk too. What is watched costs one typed look a chunk.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import Seen
from portico.core.errors import (
    BodyNotJson,
    InvalidRequest,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamRefusedAccount,
)
from portico.core.response import FinishReason
from portico.dialects.openai.checks import wrong_type
from portico.dialects.openai.errors import decoded, masked, parse_error_object, render_error, tells_error
from portico.dialects.openai_chat.finish import finish_reason
from portico.dialects.openai_chat.more import Delta
from portico.dialects.openai_chat.usage import parse_usage, usage_in, uses_in
from portico.wire import jsontext, raw
from portico.wire.sse import Frame

# -- requests --------------------------------------------------------------------------------------------------------

MARKS: Final = (b'"extra_content"', b'"extra_body"', b'"thought_signature"', b'"provider_specific_fields"')
"""Members of a body that mean something to the gateway, or to Google behind it, and to no provider that speaks Chat: a
body with one of them is read, so that another vendor's signatures stay here. LiteLLM sends what it made of an answer
back as `provider_specific_fields`, which OpenAI refuses."""
_WATCHED: Final = ("model", "stream", "stream_options")
"""Members that decide where a call goes and what of its answer passes: none may be given twice, for a provider might
believe the one that the gateway does not."""
_MODEL: Final = re.compile(rb'"model"[ \t\r\n]*:[ \t\r\n]*("(?:[^"\\]|\\.)*")')
_SPELT_OUT: Final = re.compile(rb"\\u00[4-7]")
"""A letter written as an escape: a name could be hidden by it."""
_INCLUDE: Final = {"include_usage": True}


class _Asked(msgspec.Struct):
    """What is looked at of a request; the rest is only checked to be JSON."""

    model: Any = None
    stream: Any = None
    stream_options: Any = None

    @property
    def lacks_usage(self) -> bool:
        """Whether it asks for a stream without counts. What is no object is left for the provider to refuse."""
        if self.stream is not True:
            return False
        options = self.stream_options
        return options is None or (isinstance(options, dict) and options.get("include_usage") in (None, False))


_ASKED: Final = msgspec.json.Decoder(_Asked)


def _asked(body: bytes) -> _Asked:
    """Raises `BodyNotJson`, and `InvalidRequest` for JSON that is no object or names no model."""
    try:
        body.decode()  # what is stepped over is not checked otherwise
        asked = _ASKED.decode(body)
    except msgspec.ValidationError:
        raise wrong_type("$", "an object", jsontext.decode(body)) from None
    except jsontext.NOT_DECODED as error:
        raise BodyNotJson(f"The request body is not valid JSON: {jsontext.fault(body, error)}") from None
    if asked.model is None or asked.model == "":
        raise InvalidRequest("Missing required parameter: 'model'.", param="$.model")
    if not isinstance(asked.model, str):
        raise wrong_type("$.model", "a string", asked.model)
    return asked


def renamed(body: bytes, model: str) -> bytes:
    """The body for an upstream model. Raises `BodyNotJson`, and `InvalidRequest` for one that does not say once, and in
    words, which model it wants."""
    body = body.removeprefix(jsontext.BOM)
    asked = _asked(body)
    members = _members(body)
    changes: list[tuple[int, int, bytes]] = []
    if asked.model != model:
        start, end = _model_span(body, members)
        changes.append((start, end, jsontext.encode(model)))
    if asked.lacks_usage:
        changes.append(_with_usage(body, asked, members))
    for start, end, value in sorted(changes, reverse=True):
        body = body[:start] + value + body[end:]
    return body


def _members(body: bytes) -> Mapping[str, raw.Span] | None:
    """Where the members stand; None where none that is watched can stand twice, and so nobody has to look."""
    once = all(body.count(b'"%s"' % name.encode()) <= 1 for name in _WATCHED)
    if once and not (b"\\u" in body and _SPELT_OUT.search(body)):
        return None
    found: dict[str, raw.Span] = {}
    for name, span in raw.each_member(body):
        if name in found and name in _WATCHED:
            raise InvalidRequest(f"The parameter '{name}' is given twice.", param=f"$.{name}")
        found[name] = span
    return found


def _model_span(body: bytes, members: Mapping[str, raw.Span] | None) -> tuple[int, int]:
    if members is None and (found := _MODEL.search(body)) is not None:
        return found.span(1)
    span = (members or raw.members(body))["model"]
    return span.start, span.end


def _with_usage(body: bytes, asked: _Asked, members: Mapping[str, raw.Span] | None) -> tuple[int, int, bytes]:
    if b'"stream_options"' not in body and members is None:
        head = body.index(b"{") + 1
        return head, head, b'"stream_options":' + jsontext.encode(_INCLUDE) + b","
    span = (raw.members(body) if members is None else members).get("stream_options")
    if span is None:
        head = body.index(b"{") + 1
        return head, head, b'"stream_options":' + jsontext.encode(_INCLUDE) + b","
    if asked.stream_options is None:
        return span.start, span.end, jsontext.encode(_INCLUDE)
    return span.start, span.end, raw.patch(body[span.start : span.end], _INCLUDE)


def lacks_usage(body: bytes) -> bool:
    """Whether the counts of a stream are for the gateway alone; False for a body that cannot be read."""
    try:
        return _ASKED.decode(body.removeprefix(jsontext.BOM)).lacks_usage
    except jsontext.NOT_DECODED:
        return False


# -- answers ---------------------------------------------------------------------------------------------------------

_ABSENT: Final = msgspec.Raw()
_NOTHING: Final = frozenset({b"", b'""', b"null", b"[]", b"{}"})


class _Said(msgspec.Struct):
    """A message, or a piece of one: whether something is there is looked at, and how much text that is."""

    content: msgspec.Raw = _ABSENT
    reasoning_content: msgspec.Raw = _ABSENT
    reasoning: msgspec.Raw = _ABSENT
    refusal: msgspec.Raw = _ABSENT
    tool_calls: msgspec.Raw = _ABSENT
    function_call: msgspec.Raw = _ABSENT
    audio: msgspec.Raw = _ABSENT
    images: msgspec.Raw = _ABSENT
    annotations: msgspec.Raw = _ABSENT


class _Called(msgspec.Struct):
    """A function or a tool of the caller's, or a piece of such a call."""

    arguments: msgspec.Raw = _ABSENT
    input: msgspec.Raw = _ABSENT


class _Call(msgspec.Struct):
    function: _Called | None = None
    custom: _Called | None = None


_CALLS: Final = msgspec.json.Decoder(list[_Call] | None)
_CALLED: Final = msgspec.json.Decoder(_Called | None)


class _Part(msgspec.Struct):
    """Of a content that is a list: a text, or thoughts, which are a list again."""

    text: msgspec.Raw = _ABSENT
    thinking: msgspec.Raw = _ABSENT


_PARTS: Final = msgspec.json.Decoder(list[_Part])


def _size_of_parts(content: bytes) -> int:
    """How many bytes of text there are in parts; 0 where it is none that are known."""
    try:
        parts = _PARTS.decode(content)
        parts += [inner for part in parts if bytes(part.thinking)[:1] == b"[" for inner in _PARTS.decode(part.thinking)]
    except jsontext.NOT_DECODED:
        return 0
    return sum([jsontext.size_of_text(bytes(part.text)) for part in parts])


def _written(said: _Said) -> int:
    """How many bytes of text there are beside the content: thoughts, a refusal, what calls are made with."""
    size = sum([jsontext.size_of_text(bytes(text)) for text in (said.reasoning_content, said.reasoning, said.refusal)])
    called: list[_Called | None] = []
    try:
        if said.tool_calls:
            called = [one for call in _CALLS.decode(said.tool_calls) or () for one in (call.function, call.custom)]
        if said.function_call:
            called.append(_CALLED.decode(said.function_call))
    except jsontext.NOT_DECODED:
        return size
    texts = [text for one in called if one is not None for text in (one.arguments, one.input)]
    return size + sum([jsontext.size_of_text(bytes(text)) for text in texts])


class _Choice(msgspec.Struct):
    index: int | None = None
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Head(msgspec.Struct, kw_only=True):
    model: Any = None
    usage: Any = None
    x_groq: Any = None
    service_tier: Any = None
    error: Any = None


class _Answer(_Head, kw_only=True):
    """A whole answer or a chunk of one; the rest is only checked to be JSON."""

    choices: list[_Choice] | None = None


_DECODER: Final = msgspec.json.Decoder(_Answer)
_BARE_DECODER: Final = msgspec.json.Decoder(_Head)
_STRANGE: Final = [_Choice(0, _Said(msgspec.Raw(b"0")), finish_reason="stop")]
"""What stands for choices that are shaped as nothing has been so far: whatever they are, they are something."""


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
    try:
        head = _BARE_DECODER.decode(data)
    except jsontext.NOT_DECODED:
        raise UpstreamBadGateway("The provider sent something that is not an answer.") from None
    return _Answer(
        choices=_STRANGE,
        model=head.model,
        usage=head.usage,
        x_groq=head.x_groq,
        service_tier=head.service_tier,
        error=head.error,
    )


class _MoreSaid(Delta, kw_only=True):
    content: msgspec.Raw
    """As it is written."""


class _MoreChoice(msgspec.Struct, gc=False):
    delta: _MoreSaid
    index: int = 0
    finish_reason: None = None
    message: None = None


class _More(msgspec.Struct, gc=False):
    """What nearly every chunk of a stream is: more of one choice, and nothing that is looked at beside it."""

    choices: tuple[_MoreChoice]
    service_tier: str | None = None
    usage: None = None
    x_groq: None = None
    error: None = None


_MORE: Final = msgspec.json.Decoder(_More)


class _Watched:
    """What answers, or the chunks of one, tell as they pass."""

    __slots__ = ("counts", "model", "searched", "shown", "tier", "usage")

    def __init__(self) -> None:
        self.model: str | None = None
        self.usage: Any = None
        self.tier: str | None = None
        self.counts = False
        """Something is in it, or a limit or a filter says why not. Thoughts alone are nothing."""
        self.shown = 0
        """Bytes of its texts, and of what calls are made with."""
        self.searched = False

    def look(self, answer: _Answer) -> None:
        self.model = self.model or _name(answer.model)
        self.tier = _name(answer.service_tier) or self.tier
        usage = usage_in({"usage": answer.usage, "x_groq": answer.x_groq})
        self.usage = self.usage if usage is None else usage
        for choice in answer.choices or ():
            for said in (choice.delta, choice.message):
                if said is not None:
                    self._look_at(said)
            if choice.finish_reason is not None and finish_reason(choice.finish_reason) in _EXPLAINED:
                self.counts = True

    def _look_at(self, said: _Said) -> None:
        content = bytes(said.content)
        if content not in _NOTHING:
            self.counts = True
            self.shown += jsontext.size_of_text(content) or _size_of_parts(content)
        elif not self.counts:
            others = (said.refusal, said.tool_calls, said.function_call, said.audio, said.images)
            self.counts = any(bytes(other) not in _NOTHING for other in others)
        self.shown += _written(said)
        self.searched = self.searched or b'"url_citation"' in bytes(said.annotations)

    def seen(self) -> Seen:
        """Counts that cannot be read are none, and without any nothing is said of what was used."""
        empty = not self.counts
        try:
            usage = parse_usage(self.usage)
            if usage is not None:
                uses = uses_in(self.usage, searched=self.searched)
                return Seen(self.model, usage, self.tier, uses, self.usage, empty=empty)
        except (AttributeError, OverflowError, TypeError, ValueError):
            pass
        return Seen(self.model, empty=empty, shown=self.shown)


_EXPLAINED: Final = (FinishReason.LENGTH, FinishReason.CONTENT_FILTER)
"""Ends that say why there is nothing."""


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def see(body: bytes) -> Seen:
    """What a whole answer tells. Raises `UpstreamError`."""
    answer = _look(body)
    if answer.choices is None:
        if tells_error(told := decoded(body)):
            raise parse_error_object(told)
        raise UpstreamBadGateway("The provider sent something that is not an answer.")
    watched = _Watched()
    watched.look(answer)
    return watched.seen()


class ChatWatch:
    """A stream of chunks while it passes. `hides_usage`: the counts were asked for by the gateway alone."""

    named: Final = None

    def __init__(self, fresh_id: str, *, hides_usage: bool = False) -> None:
        del fresh_id  # chunks have an id; clients read past a missing one
        self.ended = False
        self._hides_usage = hides_usage
        self._watched = _Watched()
        self._passed = False
        self._done = False
        self._open: dict[int, bool] = {}
        """Choices -> whether one has not said how it ended."""

    @property
    def model(self) -> str | None:
        return self._watched.model

    @property
    def counts(self) -> bool:
        return self._watched.counts

    def seen(self) -> Seen:
        return self._watched.seen()

    def feed(self, frame: Frame) -> list[Frame]:
        if self.ended or self._done:
            return []
        if frame.data.strip() == b"[DONE]":
            if not self._passed:
                return []  # nothing was answered; `close` says so
            self._done = True
            return [frame]
        answer = _look(frame.data)
        if b"\n" in frame.data:  # several `data:` lines: a line end in JSON is a space, and some clients read one line
            frame = Frame(frame.data.replace(b"\n", b" "), frame.event)
        if answer.error is not None or frame.event == "error" or (answer.choices is None and _is_error(frame.data)):
            return [self._told(frame)]
        self._watched.look(answer)
        self._note(answer)
        if self._hides_usage and not answer.choices and answer.usage is not None:
            return []
        self._passed = True
        return [frame]

    def more(self, frame: Frame) -> bool:
        try:
            frame.data.decode()  # what is stepped over is not checked otherwise
            body = _MORE.decode(frame.data)
        except jsontext.NOT_DECODED:
            return False
        (choice,), watched = body.choices, self._watched
        content = bytes(choice.delta.content)
        if (
            choice.index not in self._open
            or content in _NOTHING
            or watched.model is None
            or body.service_tier != watched.tier
            or frame.event is not None
            or self._done
            or self.ended
        ):
            return False
        watched.counts = True
        watched.shown += jsontext.size_of_text(content)
        return True

    def close(self) -> None:
        if self.ended:
            return
        self.ended = True
        if not self._passed:
            raise UpstreamEmpty
        if not self._done and any(self._open.values()):
            raise UpstreamIncomplete

    def _note(self, answer: _Answer) -> None:
        for position, choice in enumerate(answer.choices or ()):
            index = position if choice.index is None else choice.index
            if choice.finish_reason:
                self._open[index] = False
            else:
                self._open.setdefault(index, True)

    def _told(self, frame: Frame) -> Frame:
        """An error after something was passed goes as the provider sent it, unless it speaks of the operator's account."""
        self.ended = True
        error: UpstreamError = parse_error_object(decoded(frame.data))
        if not self._passed:
            raise error
        text = frame.data.decode("utf-8", "replace")
        if masked(text) == text and not isinstance(error, (UpstreamAuthFailed, UpstreamRefusedAccount)):
            return frame
        return Frame(jsontext.encode(render_error(error)))


def _is_error(data: bytes) -> bool:
    return (b'"detail"' in data or b'"error"' in data) and tells_error(decoded(data))


def watch_for(fresh_id: str, body: bytes) -> ChatWatch:
    """A watch on the stream that answers a caller's body."""
    return ChatWatch(fresh_id, hides_usage=lacks_usage(body))
