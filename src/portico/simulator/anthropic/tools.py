"""The forms of tools: the caller's own, and Anthropic's, each under its dated type."""

import itertools

from portico.simulator.anthropic.blocks import CACHE
from portico.simulator.anthropic.forms import Form, array, flag, integer, mapping, record, tagged, text, word

_CALLERS = ("direct", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521")
_ANY: dict[str, Form] = {
    "type": text(),
    "cache_control": CACHE,
    "allowed_callers": array(word(*_CALLERS)),
    "defer_loading": flag,
    "strict": flag,
}
_EXAMPLES: dict[str, Form] = {"input_examples": array(mapping)}
CUSTOM = record(
    _ANY
    | _EXAMPLES
    | {
        "name": text(least=1, pattern="^[a-zA-Z0-9_-]{1,128}$"),
        "description": text(),
        "input_schema": mapping,
        "eager_input_streaming": flag,
    },
    "name",
    "input_schema",
)
_LOCATION = tagged(
    {
        "approximate": record(
            {"type": text(), "city": text(), "region": text(), "country": text(), "timezone": text()},
        )
    }
)
_DOMAINS: dict[str, Form] = {
    "allowed_domains": array(text()),
    "blocked_domains": array(text()),
    "max_uses": integer(1),
}
_SEARCH = _DOMAINS | {"user_location": _LOCATION}
_FETCH = _DOMAINS | {"citations": record({"enabled": flag}), "max_content_tokens": integer(1), "url_sources": mapping}
_INCLUDED: dict[str, Form] = {"response_inclusion": text()}
_CACHED: dict[str, Form] = {"use_cache": flag}
_SCREEN: dict[str, Form] = {
    "display_height_px": integer(1),
    "display_width_px": integer(1),
    "display_number": integer(0),
}
_ADVISOR: dict[str, Form] = {"model": text(), "max_uses": integer(1), "max_tokens": integer(1), "caching": CACHE}
_EDITOR = "str_replace_based_edit_tool"
_BM25, _REGEX = "tool_search_tool_bm25", "tool_search_tool_regex"

# type -> (name, fields beside those of any tool)
_DATED: dict[str, tuple[str, dict[str, Form]]] = {
    "web_search_20250305": ("web_search", _SEARCH),
    "web_search_20260209": ("web_search", _SEARCH),
    "web_search_20260318": ("web_search", _SEARCH | _INCLUDED),
    "web_fetch_20250910": ("web_fetch", _FETCH),
    "web_fetch_20260209": ("web_fetch", _FETCH),
    "web_fetch_20260309": ("web_fetch", _FETCH | _CACHED),
    "web_fetch_20260318": ("web_fetch", _FETCH | _CACHED | _INCLUDED),
    "code_execution_20250522": ("code_execution", {}),
    "code_execution_20250825": ("code_execution", {}),
    "code_execution_20260120": ("code_execution", {}),
    "code_execution_20260521": ("code_execution", {}),
    "tool_search_tool_bm25_20251119": (_BM25, {}),
    "tool_search_tool_bm25": (_BM25, {}),
    "tool_search_tool_regex_20251119": (_REGEX, {}),
    "tool_search_tool_regex": (_REGEX, {}),
    "memory_20250818": ("memory", _EXAMPLES),
    "bash_20241022": ("bash", _EXAMPLES),
    "bash_20250124": ("bash", _EXAMPLES),
    "text_editor_20241022": ("str_replace_editor", _EXAMPLES),
    "text_editor_20250124": ("str_replace_editor", _EXAMPLES),
    "text_editor_20250429": (_EDITOR, _EXAMPLES),
    "text_editor_20250728": (_EDITOR, _EXAMPLES | {"max_characters": integer(1)}),
    "computer_20241022": ("computer", _EXAMPLES | _SCREEN),
    "computer_20250124": ("computer", _EXAMPLES | _SCREEN),
    "computer_20251124": ("computer", _EXAMPLES | _SCREEN | {"enable_zoom": flag}),
    "advisor_20260301": ("advisor", _ADVISOR),
}
_TOOLSETS: dict[str, Form] = {
    "mcp_toolset": record(
        {
            "type": text(),
            "cache_control": CACHE,
            "mcp_server_name": text(),
            "default_config": mapping,
            "configs": mapping,
            "tools": array(mapping),
        },
        "mcp_server_name",
    ),
    "browser_toolset_20260801": record({"type": text(), "cache_control": CACHE, "configs": mapping}),
    "computer_toolset_20260801": record({"type": text(), "cache_control": CACHE, "configs": mapping}),
}
TOOL = tagged(
    {
        "custom": CUSTOM,
        **{kind: record(_ANY | {"name": word(name)} | more, "name") for kind, (name, more) in _DATED.items()},
        **_TOOLSETS,
    },
    default="custom",
)
DATED = frozenset(itertools.chain(_DATED, _TOOLSETS))
"""The types of Anthropic's own tools."""

RUNS_THERE = ("web_search", "web_fetch", "code_execution", "tool_search_tool", "advisor")
"""How the types begin of tools that Anthropic runs itself; the others are called like the caller's own."""
