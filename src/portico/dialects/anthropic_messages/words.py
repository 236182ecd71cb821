"""Anthropic's words, and ours for them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.core.parts import Ext
from portico.core.response import FinishReason

ORIGIN: Final = "anthropic_messages"
VENDOR: Final = "anthropic"

EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")

FINISH: Final[Mapping[str, FinishReason]] = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "pause_turn": FinishReason.OTHER,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}
"""`stop_reason` (mapping.md 7.2)."""
STOP_REASON: Final[Mapping[FinishReason, str]] = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
    FinishReason.ERROR: "end_turn",
    FinishReason.OTHER: "end_turn",
}

BUILTINS: Final[Mapping[str, str]] = {
    "web_search": "web_search",
    "web_fetch": "url_context",
    "code_execution": "code_execution",
}
"""The name of a tool that Anthropic runs -> the neutral kind; its type has a date behind (`web_search_20250305`)."""
SERVER_TOOLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "web_search": {"type": "web_search_20250305", "name": "web_search"},
    "url_context": {"type": "web_fetch_20250910", "name": "web_fetch"},
    "code_execution": {"type": "code_execution_20250825", "name": "code_execution"},
}
"""How a tool of a neutral kind is declared where nobody said which version."""
DATED: Final = re.compile(r"_\d{8}$")
"""How the types of Anthropic's own tools end."""
USES: Final[Mapping[str, str]] = {"web_search_requests": "web_search", "web_fetch_requests": "url_context"}
"""Counts of `usage.server_tool_use` -> the use that has a price."""
ADVISOR: Final = "advisor"
"""The tool by which one of Anthropic's models asks another, which is named in it and has its own price."""


def own(ext: Ext) -> Mapping[str, Any]:
    """What of an ext is Anthropic's."""
    return ext.get(ORIGIN, _NONE) if ext else _NONE


def ext_of(fields: Mapping[str, Any]) -> Ext:
    """Fields of Anthropic's own as an ext; None for none."""
    kept = {name: value for name, value in fields.items() if value is not None}
    return {ORIGIN: kept} if kept else None


_NONE: Final[Mapping[str, Any]] = {}
