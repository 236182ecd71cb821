"""What a stream of a dialect said: its text, whether it came to its end, the tokens it took, the error it ended in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

Event: TypeAlias = Mapping[str, Any]
DONE: Final[Event] = {"type": "[DONE]"}
"""What stands for the last line of Chat Completions, which is no JSON."""
_CUT_FOR_LENGTH: Final = frozenset({"length", "max_tokens", "max_output_tokens", "MAX_TOKENS"})


class _Step(NamedTuple):
    """What one event says."""

    text: str = ""
    reason: str | None = None
    """Why the answer ends."""
    last: bool = False


def ended(dialect: str, events: Sequence[Event]) -> bool:
    """Whether the stream came to the end that its dialect has."""
    return any(_STEPS[dialect](event).last for event in events)


def texts_in(dialect: str, events: Sequence[Event]) -> int:
    """How many of the events have text of the answer."""
    return sum(bool(_STEPS[dialect](event).text) for event in events)


def is_empty(dialect: str, events: Sequence[Event]) -> bool:
    """Whether the answer has no text, and that not because thoughts took all the length there was."""
    reasons = {_STEPS[dialect](event).reason for event in events}
    return not texts_in(dialect, events) and reasons.isdisjoint(_CUT_FOR_LENGTH)


def error_in(events: Sequence[Event]) -> str | None:
    """The message of an error that a stream ended in."""
    for event in events:
        error = _at(event, "error") or _at(event, "response", "error")
        if isinstance(error, Mapping) or event.get("type") == "error":
            message = _at(error, "message") or event.get("message")
            return message if isinstance(message, str) else str(dict(event))
    return None


def tokens_of(events: Sequence[Event]) -> int | None:
    """How many were used, by whichever dialect's count came last."""
    total: int | None = None
    parts: dict[str, int] = {}
    for event in events:
        inside = event.get("response") or event.get("message") or event
        usage = _at(inside, "usage") or event.get("usage") or event.get("usageMetadata")
        if not isinstance(usage, dict):
            continue
        total = usage.get("total_tokens") or usage.get("totalTokenCount") or total
        parts |= {name: usage[name] for name in ("input_tokens", "output_tokens") if isinstance(usage.get(name), int)}
    return total or sum(parts.values()) or None


def _chat(event: Event) -> _Step:
    choice = _at(event, "choices", 0)
    return _Step(_text(_at(choice, "delta", "content")), _at(choice, "finish_reason"), event == DONE)


def _responses(event: Event) -> _Step:
    kind = event.get("type")
    text = _text(event.get("delta")) if kind == "response.output_text.delta" else ""
    reason = _at(event, "response", "incomplete_details", "reason")
    return _Step(text, reason, kind in ("response.completed", "response.incomplete"))


def _messages(event: Event) -> _Step:
    return _Step(
        _text(_at(event, "delta", "text")), _at(event, "delta", "stop_reason"), event.get("type") == "message_stop"
    )


def _gemini(event: Event) -> _Step:
    candidate = _at(event, "candidates", 0)
    parts = _at(candidate, "content", "parts")
    texts = [_text(_at(part, "text")) for part in parts if not _at(part, "thought")] if isinstance(parts, list) else []
    reason = _at(candidate, "finishReason")
    return _Step("".join(texts), reason, reason is not None)


_STEPS: Final[Mapping[str, Callable[[Event], _Step]]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini": _gemini,
}


def _at(value: Any, *path: str | int) -> Any:
    """What stands there, None where nothing does."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
