"""Responses bodies between two ends that both speak them: the bytes pass, and somebody watches (mapping.md 7.6).

One thing is changed in a request: the model's name. Answers and streams pass as they are. What is watched costs one look a
frame, and frames of deltas, which are nearly all, are only looked at for their type.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import LooksAtAll, Seen
from portico.core.errors import (
    BodyNotJson,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamRefusedAccount,
)
from portico.dialects.openai.errors import decoded, parse_error_object, render_error
from portico.dialects.openai_responses.reading import use_of
from portico.dialects.openai_responses.response import failure, name_in, tier_of
from portico.dialects.openai_responses.usage import parse_usage
from portico.wire import jsontext, raw
from portico.wire.sse import Frame

_LAST: Final = frozenset({"response.completed", "response.incomplete"})
_BEGUN: Final = frozenset({"response.created", "response.in_progress", "response.queued"})
_DELTA: Final = b'.delta"'
_HEAD: Final = 96
"""Within so many bytes a frame of a delta names its type, as OpenAI spells it; elsewhere it is looked for by reading."""


def renamed(body: bytes, model: str) -> bytes:
    """The body with this model at its top; one that names it already stays as it is spelt. Raises `BodyNotJson`."""
    try:
        value = jsontext.decode(body)
        if isinstance(value, dict) and value.get("model") == model:
            return body
        return raw.patch(body, {"model": model})
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None


def see(body: bytes) -> Seen:
    """What a whole answer tells. Raises `UpstreamError` if it tells an error, or is no answer."""
    answer = _object(body)
    if (error := failure(answer)) is not None:
        raise error
    if not isinstance(answer.get("output"), list):
        raise UpstreamBadGateway("The provider sent something that is not an answer.")
    return _seen(answer, name_in(answer, "model"))


def _object(data: bytes) -> Mapping[str, Any]:
    value = decoded(data)
    if not isinstance(value, dict):
        raise UpstreamBadGateway("The provider sent something that is not an answer.")
    return value


def _seen(answer: Mapping[str, Any], model: str | None) -> Seen:
    """Counts that cannot be read are none."""
    output = answer.get("output")
    items = [item for item in output if isinstance(item, Mapping)] if isinstance(output, list) else []
    uses: dict[str, int] = {}
    for item in items:
        if (word := use_of(item)) is not None:
            uses[word] = uses.get(word, 0) + 1
    try:
        usage = parse_usage(answer.get("usage"))
    except (AttributeError, OverflowError, TypeError, ValueError):
        usage = None
    empty = answer.get("status") != "incomplete" and not any(_says(item) for item in items)
    shown = 0 if usage is not None else sum(_shown(item) for item in items)
    if usage is None:
        return Seen(model, empty=empty, shown=shown)
    return Seen(model, usage, tier_of(answer), uses, answer.get("usage"), empty)


def _says(item: Mapping[str, Any]) -> bool:
    """Whether an item is an answer: a thought alone is none, nor is a message with nothing in it."""
    kind = item.get("type")
    if kind == "reasoning":
        return False
    return _shown(item) > 0 if kind == "message" else True


def _shown(item: Mapping[str, Any]) -> int:
    """Bytes of text that an item shows: what it says or thinks, or calls a tool with."""
    told = [item.get("arguments"), item.get("input")]
    for parts in (item.get("content"), item.get("summary")):
        shown = [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
        told += [part.get("text") or part.get("refusal") for part in shown]
    return sum([jsontext.utf8_bytes(text) for text in told if isinstance(text, str)])


class ResponsesWatch(LooksAtAll):
    """A stream while it passes."""

    def __init__(self, fresh_id: str) -> None:  # noqa: ARG002 (every answer has an id of its own here)
        self.ended = False
        self.model: str | None = None
        self.counts = False
        self._passed = False
        self._last: Mapping[str, Any] | None = None
        self._shown = 0

    def feed(self, frame: Frame) -> list[Frame]:
        if self.ended or self._last is not None:
            return []
        if _DELTA in frame.data[:_HEAD]:
            return self._delta(frame)
        if frame.data.strip() == b"[DONE]":
            return [frame]
        body = _object(frame.data)
        kind = name_in(body, "type")
        if kind == "error" or (kind is None and body.get("error") is not None):
            told = body["error"] if isinstance(body.get("error"), Mapping) else body
            return [self._told(frame, parse_error_object({"error": told}))]
        response = body.get("response")
        if isinstance(response, Mapping):
            self.model = self.model or name_in(response, "model")
            if kind == "response.failed":
                error = failure(response) or UpstreamBadGateway()
                return [self._told(frame, error)]
            if kind in _LAST:
                self._end(response)
        elif kind is not None and kind.endswith(".delta"):
            return self._delta(frame)
        elif kind == "response.output_item.done" and isinstance(body.get("item"), Mapping):
            self.counts = self.counts or _says(body["item"])
        if kind not in _BEGUN:
            self._passed = True
        return [frame]

    def close(self) -> None:
        if self.ended:
            return
        self.ended = True
        if self._last is not None:
            if not self.counts:
                raise UpstreamEmpty
            return
        raise UpstreamIncomplete if self._passed or self.model else UpstreamEmpty

    def seen(self) -> Seen:
        if self._last is not None:
            return _seen(self._last, self.model)
        return Seen(self.model, empty=not self.counts, shown=self._shown)

    def _delta(self, frame: Frame) -> list[Frame]:
        """More of something. Thoughts are no answer yet."""
        self._passed = True
        if b'"response.reasoning' not in frame.data:
            self.counts = True
        self._shown += jsontext.size_of_member(frame.data, b"delta")
        return [frame]

    def _end(self, response: Mapping[str, Any]) -> None:
        self._last = response
        self.counts = self.counts or not _seen(response, None).empty

    def _told(self, frame: Frame, error: UpstreamError) -> Frame:
        """An error after something was passed goes as it came, unless it speaks of the operator's account."""
        self.ended = True
        if not self._passed:
            raise error
        if not isinstance(error, (UpstreamAuthFailed, UpstreamRefusedAccount)):
            return frame
        told = {"type": "error", **render_error(error)["error"], **render_error(error)}
        return Frame(jsontext.encode({**told, "type": "error"}), "error")
