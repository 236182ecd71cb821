"""`finish_reason` <-> the neutral reasons (mapping.md 2.5), in the words of all who imitate OpenAI.

Servers put their engine's own word there: what stopped a model is told in a dozen ways. The word itself travels on as
`Finish.raw`.
"""

from collections.abc import Mapping
from typing import Final

from portico.core.response import FinishReason

FINISH_WORDS: Final[Mapping[FinishReason, str]] = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.ERROR: "stop",
    FinishReason.OTHER: "stop",
}
"""What a caller is told: OpenAI's clients know no other words."""

FINISH: Final[Mapping[str, FinishReason]] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,
    # what stopped an engine: its end token, a stop sequence
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "end": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "complete": FinishReason.STOP,
    "completed": FinishReason.STOP,
    # a limit
    "max_tokens": FinishReason.LENGTH,
    "max_length": FinishReason.LENGTH,
    "max_output_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "tool_call": FinishReason.TOOL_CALLS,
    "safety": FinishReason.CONTENT_FILTER,
    "sensitive": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.CONTENT_FILTER,
}
"""A provider's word, in small letters -> what it means."""


def finish_reason(word: str) -> FinishReason:
    """What a provider's word means; OTHER for one that nobody knows."""
    return FINISH.get(word) or FINISH.get(word.lower(), FinishReason.OTHER)
