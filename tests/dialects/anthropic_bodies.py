"""Bodies as Claude Code and OpenClaw send them to POST /v1/messages (clients.md 5), in our own words and shortened."""

from typing import Any, Final

EPHEMERAL: Final = {"type": "ephemeral"}
PNG: Final = "iVBORw0KGgo="

CLAUDE_CODE: dict[str, Any] = {
    "model": "gemini-3.5-flash",
    "max_tokens": 32_000,
    "stream": True,
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=sdk-cli;"},
        {"type": "text", "text": "You help with code.", "cache_control": EPHEMERAL},
        {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ],
    "metadata": {"user_id": '{"device_id":"d","session_id":"s"}'},
    "thinking": {"type": "adaptive", "display": "omitted"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
    "tools": [
        {
            "name": "Bash",
            "description": "Runs a command.",
            "input_schema": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {"command": {"type": "string"}, "timeout": {"type": "number"}},
                "required": ["command"],
                "additionalProperties": False,
            },
        },
        {
            "name": "WebFetch",
            "description": "Found later.",
            "input_schema": {"type": "object", "properties": {}},
            "defer_loading": True,
            "cache_control": EPHEMERAL,
        },
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "List the files.", "cache_control": EPHEMERAL}]},
        {"role": "system", "content": "Skills: none."},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "", "signature": "EqQBsealed"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}},
                {"type": "tool_use", "id": "toolu_2", "name": "Bash", "input": {"command": "cat x"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a.txt", "is_error": False},
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_2",
                    "content": [{"type": "text", "text": "no such file"}],
                    "is_error": True,
                    "cache_control": EPHEMERAL,
                },
                {"type": "text", "text": "<system-reminder>Be careful.</system-reminder>"},
            ],
        },
    ],
}

OPENCLAW: dict[str, Any] = {
    "model": "gemini-2.5-flash",
    "max_tokens": 8192,
    "stream": True,
    "system": [{"type": "text", "text": "You are at home.", "cache_control": EPHEMERAL}],
    "thinking": {"type": "enabled", "budget_tokens": 4096},
    "tools": [
        {
            "name": "read",
            "description": "Reads a file.",
            "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
            "eager_input_streaming": True,
        },
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
    ],
    "tool_choice": {"type": "auto"},
    "messages": [
        {"role": "user", "content": "What is on the picture?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "call_read_1", "name": "read", "input": {"path": "a.png"}}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call_read_1",
                    "content": [
                        {"type": "text", "text": "a.png"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                    ],
                }
            ],
        },
    ],
}

RICH: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 1000,
    "system": "Be brief.",
    "stop_sequences": ["END"],
    "temperature": 0.5,
    "top_k": 5,
    "service_tier": "standard_only",
    "metadata": {"user_id": "u"},
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}},
    "tools": [
        {"name": "f", "input_schema": {"type": "object"}, "strict": True, "input_examples": [{}]},
        {"type": "code_execution_20250825", "name": "code_execution"},
        {"type": "computer_20250124", "name": "computer", "display_width_px": 9, "display_height_px": 9},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                    "title": "Book",
                    "context": "old",
                    "citations": {"enabled": True},
                },
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "inner"}]}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                {
                    "type": "search_result",
                    "source": "https://example.com",
                    "title": "Found",
                    "content": [{"type": "text", "text": "It says."}],
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sealed"},
                {"type": "redacted_thinking", "data": "hidden"},
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                {"type": "text", "text": "So."},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1.0}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"},
                {"type": "text", "text": "And?"},
            ],
        },
    ],
}
"""Every kind of block and field."""
