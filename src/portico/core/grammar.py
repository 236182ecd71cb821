"""The grammar of a custom tool, in words: for providers that enforce none (mapping.md 1.12)."""

from collections.abc import Mapping
from typing import Any

from portico.core.request import Tool


def grammar_in_words(tool: Tool, *, own: str) -> str | None:
    """What a custom tool's text must follow; None where nobody says, or only the dialect `own`, which tells it itself."""
    if tool.kind != "custom":
        return None
    for origin, fields in (tool.ext or {}).items():
        if origin != own and (told := _told(fields.get("format"))) is not None:
            return told
    return None


def _told(format_: Any) -> str | None:
    grammar = format_.get("grammar", format_) if isinstance(format_, Mapping) else None
    if not isinstance(grammar, Mapping) or not grammar.get("definition"):
        return None
    return f"The input must follow this {grammar.get('syntax') or ''} grammar:\n{grammar['definition']}"
