"""finishReason and blockReason <-> neutral finish (mapping.md 2.5, 2.6)."""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.response import Finish, FinishReason

FINISH: Final[Mapping[str, FinishReason]] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "SAFETY": FinishReason.CONTENT_FILTER,
    "RECITATION": FinishReason.CONTENT_FILTER,
    "BLOCKLIST": FinishReason.CONTENT_FILTER,
    "PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "SPII": FinishReason.CONTENT_FILTER,
    "MODEL_ARMOR": FinishReason.CONTENT_FILTER,
    "IMAGE_SAFETY": FinishReason.CONTENT_FILTER,
    "IMAGE_PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "IMAGE_RECITATION": FinishReason.CONTENT_FILTER,
    "ESCALATION": FinishReason.CONTENT_FILTER,
    "MALFORMED_FUNCTION_CALL": FinishReason.ERROR,
    "MALFORMED_RESPONSE": FinishReason.ERROR,
    "UNEXPECTED_TOOL_CALL": FinishReason.ERROR,
    "MISSING_THOUGHT_SIGNATURE": FinishReason.ERROR,
    "NO_IMAGE": FinishReason.OTHER,
}
"""Google's word -> ours. Every other word, known or of the future, is OTHER."""

_INT_FINISH: Final = {
    0: "FINISH_REASON_UNSPECIFIED",
    1: "STOP",
    2: "MAX_TOKENS",
    3: "SAFETY",
    4: "RECITATION",
    5: "OTHER",
}
"""finishReason as a number, for clients that asked for `enum-encoding=int`."""

_WITH_CALLS: Final = frozenset({"STOP", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"})
"""Google says STOP when it calls tools; with a call among the parts these mean tool_calls."""

WIRE: Final[Mapping[FinishReason, str]] = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.CONTENT_FILTER: "SAFETY",
    FinishReason.ERROR: "MALFORMED_RESPONSE",
    FinishReason.OTHER: "OTHER",
}
"""Ours -> Google's, where the answer came from elsewhere."""


def parse_finish(raw: Any, message: str | None, *, with_calls: bool) -> Finish:
    """How a candidate ended, from Google's word and whether it called tools."""
    word = _INT_FINISH.get(raw, str(raw)) if isinstance(raw, int) else str(raw)
    if with_calls and word in _WITH_CALLS:
        return Finish(FinishReason.TOOL_CALLS, word, message)
    return Finish(FINISH.get(word, FinishReason.OTHER), word, message)


def parse_block(feedback: Mapping[str, Any]) -> Finish | None:
    """A blocked prompt as the finish of an answer that never began; None if it is not blocked."""
    reason = feedback.get("blockReason")
    if not reason or reason in ("BLOCK_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED"):
        return None
    return Finish(FinishReason.CONTENT_FILTER, str(reason), feedback.get("blockReasonMessage"), prompt_blocked=True)


def render_finish(finish: Finish) -> str:
    """Google's word for a finish: its own where it had one."""
    if finish.raw is not None and (finish.raw in FINISH or finish.raw.isupper()):
        return finish.raw
    return WIRE[finish.reason]
