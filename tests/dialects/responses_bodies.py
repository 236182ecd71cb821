"""Bodies as codex and OpenClaw send them to POST /v1/responses (clients.md 2 and 4), in our own words and shortened."""

from typing import Any

SHELL: dict[str, Any] = {
    "type": "object",
    "properties": {"command": {"type": "array", "items": {"type": "string"}}},
    "required": ["command"],
    "additionalProperties": False,
}

CODEX: dict[str, Any] = {
    "model": "gpt-5.5",
    "stream": True,
    "input": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "developer",
            "content": [{"type": "input_text", "text": "Be brief."}],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "List the files."}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAsealed"},
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_" + "x" * 233,
            "name": "shell",
            "arguments": '{"command":["ls"]}',
            "status": "completed",
        },
        {"type": "function_call_output", "id": "fco_1", "call_id": "call_" + "x" * 233, "output": "a.txt"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
    ],
    "tools": [
        {"type": "function", "name": "shell", "description": "Runs it.", "strict": False, "parameters": SHELL},
        {
            "type": "namespace",
            "name": "multi_agent_v1",
            "description": "Other agents.",
            "tools": [
                {
                    "type": "function",
                    "name": "spawn",
                    "description": "Starts one.",
                    "strict": False,
                    "parameters": SHELL,
                },
                {"type": "function", "name": "wait", "description": "Waits.", "strict": False, "parameters": SHELL},
            ],
        },
        {
            "type": "custom",
            "name": "apply_patch",
            "description": "Changes files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "x"'},
        },
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object", "properties": {}}},
        {"type": "web_search", "external_web_access": True},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "thread-1",
    "client_metadata": {"session": "1"},
    "text": {"verbosity": "low"},
}

CODEX_PROGRAMS: dict[str, Any] = {
    "model": "gpt-6.1-sol",
    "stream": True,
    "input": [
        {
            "type": "additional_tools",
            "id": "at_1",
            "role": "developer",
            "tools": [
                {
                    "type": "namespace",
                    "name": "functions",
                    "description": "",
                    "tools": [
                        {
                            "type": "custom",
                            "name": "exec",
                            "description": "Runs a program.",
                            "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "x"'},
                        },
                        {
                            "type": "function",
                            "name": "wait",
                            "description": "Waits.",
                            "strict": False,
                            "parameters": SHELL,
                        },
                    ],
                },
                {"type": "web_search", "external_web_access": True},
            ],
        },
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "Be brief."}],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "List the files."}]},
        {
            "type": "custom_tool_call",
            "id": "ctc_1",
            "call_id": "call_1",
            "name": "exec",
            "namespace": "functions",
            "input": "ls()",
        },
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "a.txt"},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "low", "context": "all_turns"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "thread-1",
    "text": {"verbosity": "low"},
}
"""For OpenAI's newest models it declares nothing: its tools come in an item."""

OPENCLAW: dict[str, Any] = {
    "model": "gpt-5.5",
    "stream": True,
    "max_output_tokens": 32000,
    "store": False,
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "input": [
        {"role": "system", "content": "You are a claw."},
        {"role": "user", "content": [{"type": "input_text", "text": "Look."}]},
        {"type": "function_call", "call_id": "call_1", "name": "view_image", "arguments": '{"path":"a.png"}'},
        {
            "type": "function_call_output",
            "call_id": "call_1",
            "output": [
                {"type": "input_text", "text": "done"},
                {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,iVBORw0KGgo="},
            ],
        },
    ],
    "tools": [{"type": "function", "name": "view_image", "parameters": {"type": "object", "properties": {}}}],
}
