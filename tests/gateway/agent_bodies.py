"""What codex, claude-code and OpenClaw send, as observed (clients.md 2, 4, 5): the first request of a turn, and the
next with what they echo of the answer. Shortened where they are long, with every member that they have.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from gateway.house import Json

PICTURE: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ASKED: Final = "Use exec_command, spawn_agent (or multi_agent_v1__spawn_agent) and apply_patch."
"""A prompt in which tools are named, which the simulator then calls, if they are there under that name."""
EPHEMERAL: Final[Json] = {"cache_control": {"type": "ephemeral"}}


class Agent(NamedTuple):
    """One way in which an agent calls: where, with which headers, its first body, and the next given a whole answer."""

    path: str
    headers: dict[str, str]
    first: Callable[[str], Json]
    next: Callable[[Json, Json], Json]
    """(the body that was answered, the answer) -> the body with the results of its calls."""


def _schema(**properties: Json) -> Json:
    """A schema as agents write them: with words that not every provider knows (clients.md 1)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


COMMAND: Final = _schema(
    command={"type": "string", "description": "What to run", "minLength": 1},
    timeout_ms={"type": ["integer", "null"], "exclusiveMinimum": 0, "maximum": 9007199254740991},
    host={"enum": ["sandbox", "gateway"], "default": "sandbox"},
)

# -- codex -----------------------------------------------------------------------------------------------------------

GRAMMAR: Final = (
    'start: begin hunk+ end\nbegin: "*** Begin Patch" LF\nhunk: /.+/ LF\nend: "*** End Patch" LF?\n%import common.LF'
)


def codex(model: str) -> Json:
    """`codex exec`. Instructions are items of the developer; there is no `instructions`."""

    def said(role: str, *texts: str) -> Json:
        return {
            "type": "message",
            "id": f"msg_{role}{len(texts)}",
            "role": role,
            "content": [{"type": "input_text", "text": text} for text in texts],
        }

    return {
        "model": model,
        "stream": True,
        "input": [
            said("developer", "You are Codex.", "<permissions>never ask</permissions>"),
            said("user", "<environment_context><cwd>/work</cwd></environment_context>"),
            said("user", ASKED),
        ],
        "tools": [
            {
                "type": "function",
                "name": "exec_command",
                "description": "Runs a command.",
                "strict": False,
                "parameters": COMMAND,
            },
            {
                "type": "function",
                "name": "update_plan",
                "description": "Updates the plan.",
                "strict": False,
                "parameters": _schema(
                    plan={"type": "array", "items": {"type": "object", "properties": {"step": {"type": "string"}}}}
                ),
            },
            {
                "type": "namespace",
                "name": "multi_agent_v1",
                "description": "Agents beside this one.",
                "tools": [
                    {
                        "type": "function",
                        "name": "spawn_agent",
                        "description": "Starts one.",
                        "strict": False,
                        "parameters": _schema(message={"type": "string"}),
                    },
                    {
                        "type": "function",
                        "name": "wait",
                        "description": "Waits for one.",
                        "strict": False,
                        "parameters": _schema(ids={"type": "array", "items": {"type": "string"}, "maxItems": 8}),
                    },
                ],
            },
            {
                "type": "custom",
                "name": "apply_patch",
                "description": "Edits files. This is a FREEFORM tool, so do not wrap the patch in JSON.",
                "format": {"type": "grammar", "syntax": "lark", "definition": GRAMMAR},
            },
            {
                "type": "tool_search",
                "execution": "client",
                "description": "Finds tools that are not loaded.",
                "parameters": _schema(query={"type": "string"}, limit={"type": "number"}),
            },
            {"type": "web_search", "external_web_access": False},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0199aaaa-0000-7000-8000-000000000000",
        "client_metadata": {"x-codex-installation-id": "0199aaaa-0000-7000-8000-000000000001"},
        "text": {"verbosity": "low"},
    }


def codex_next(body: Json, answer: Json) -> Json:
    """Everything of the answer is echoed, and each call answered; what it searched of tools, too."""
    results: list[Json] = []
    for item in answer["output"]:
        match item["type"]:
            case "function_call":
                output = f"ran {item['name']}"
                results.append(
                    {"type": "function_call_output", "id": "fco_1", "call_id": item["call_id"], "output": output}
                )
            case "custom_tool_call":
                results.append({"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "Done!"})
            case _:
                pass
    more = results or [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on."}]}]
    return {**body, "input": [*body["input"], *answer["output"], *more]}


def codex_long(model: str) -> Json:
    """A later turn of a long session: every kind of item that codex brings back."""
    body = codex(model)
    history: list[Json] = [
        {
            "type": "function_call",
            "id": "fc_1",
            "status": "completed",
            "call_id": "call_" + "a" * 233,
            "name": "exec_command",
            "arguments": '{"command":"ls"}',
        },
        {
            "type": "function_call",
            "call_id": "call_ns",
            "namespace": "multi_agent_v1",
            "name": "spawn_agent",
            "arguments": '{"message":"look"}',
        },
        {
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": "call_patch",
            "name": "apply_patch",
            "input": "*** Begin Patch\n*** End Patch",
        },
        {"type": "function_call_output", "id": "fco_1", "call_id": "call_" + "a" * 233, "output": "a.txt"},
        {
            "type": "function_call_output",
            "call_id": "call_ns",
            "output": [
                {"type": "input_text", "text": "seen"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{PICTURE}"},
            ],
        },
        {"type": "custom_tool_call_output", "call_id": "call_patch", "output": "Done!"},
        {
            "type": "tool_search_call",
            "call_id": "call_search",
            "execution": "client",
            "status": "completed",
            "arguments": {"query": "calendar", "limit": 1},
        },
        {
            "type": "tool_search_output",
            "call_id": "call_search",
            "execution": "client",
            "status": "completed",
            "tools": [
                {
                    "type": "function",
                    "name": "calendar",
                    "description": "Dates.",
                    "strict": False,
                    "defer_loading": True,
                    "parameters": _schema(day={"type": "string"}),
                }
            ],
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Seen."}],
            "phase": "commentary",
        },
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief from now on."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on."}]},
    ]
    return {**body, "input": [*body["input"], *history]}


def codex_schema(model: str) -> Json:
    """`codex exec --output-schema FILE -i=FILE`."""
    body = codex(model)
    shown = {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is on it?"},
            {"type": "input_image", "image_url": f"data:image/png;base64,{PICTURE}"},
        ],
    }
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string"}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "strict": True, "name": "codex_output_schema", "schema": schema}
    return {**body, "input": [*body["input"][:2], shown], "text": {"format": form}}


CODEX_HEADERS: Final = {
    "user-agent": "codex_exec/0.169.0",
    "originator": "codex_exec",
    "session-id": "0199aaaa",
    "thread-id": "0199aaaa",
    "x-codex-turn-metadata": "{}",
}

# -- claude-code -----------------------------------------------------------------------------------------------------


def claude_code(model: str) -> Json:
    """`claude -p` with a model whose name it does not know: adaptive thinking, and a system message in the middle."""
    return {
        "model": model,
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "<system-reminder>Today is Saturday.</system-reminder>"},
                    {"type": "text", "text": ASKED, **EPHEMERAL},
                ],
            },
            {"role": "system", "content": "Deferred tools: WebFetch."},
        ],
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330; cc_entrypoint=sdk-cli;"},
            {"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude.", **EPHEMERAL},
            {"type": "text", "text": "You are an agent.", **EPHEMERAL},
        ],
        "tools": [
            {"name": "exec_command", "description": "Runs a command.", "input_schema": COMMAND},
            {
                "name": "spawn_agent",
                "description": "Starts an agent.",
                "input_schema": _schema(message={"type": "string"}),
                **EPHEMERAL,
            },
            {
                "name": "ToolSearch",
                "description": "Finds tools.",
                "input_schema": _schema(query={"type": "string"}),
                "defer_loading": True,
            },
        ],
        "metadata": {"user_id": '{"device_id":"d0","account_uuid":"","session_id":"0199aaaa"}'},
        "max_tokens": 32000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
        "stream": True,
    }


def claude_code_known(model: str) -> Json:
    """The same with a model whose name it knows: a budget, and no system message in the middle."""
    body = claude_code(model)
    thinking = {"type": "enabled", "budget_tokens": 31999, "display": "summarized"}
    return {**body, "thinking": thinking, "messages": body["messages"][:1], "output_config": {}}


def claude_next(body: Json, answer: Json) -> Json:
    """Blocks are echoed whole, thinking and its signature with them."""
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": f"ran {block['name']}", "is_error": False}
        for block in answer["content"]
        if block["type"] == "tool_use"
    ]
    if results:
        results[-1] |= EPHEMERAL
    told = {"role": "assistant", "content": answer["content"]}
    more = [{"role": "user", "content": results or "Go on."}]
    return {**body, "messages": [*[_unmarked(one) for one in body["messages"]], told, *more]}


def _unmarked(message: Json) -> Json:
    """The mark of what is cached moves on to the newest message."""
    if isinstance(message["content"], str):
        return message
    blocks = [{name: value for name, value in block.items() if name != "cache_control"} for block in message["content"]]
    return {**message, "content": blocks}


CLAUDE_HEADERS: Final = {
    "user-agent": "claude-cli/2.1.330 (external, sdk-cli)",
    "x-app": "cli",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": (
        "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
        "prompt-caching-scope-2026-01-05,effort-2025-11-24,advanced-tool-use-2025-11-20"
    ),
    "x-claude-code-session-id": "0199aaaa",
}

# -- OpenClaw --------------------------------------------------------------------------------------------------------

SYSTEM: Final = "You are a personal assistant running inside OpenClaw."
INTERNAL: Final = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nThe time is late.\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>"
OPENCLAW_TOOLS: Final = ("exec_command", "spawn_agent", "view_image")


def openclaw_chat(model: str) -> Json:
    tools = [
        {"type": "function", "function": {"name": name, "description": name, "parameters": COMMAND, "strict": False}}
        for name in OPENCLAW_TOOLS
    ]
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": ASKED},
            {"role": "user", "content": INTERNAL},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": tools,
        "tool_choice": "auto",
        "max_completion_tokens": 32000,
        "reasoning_effort": "high",
    }


def short(id_: str) -> str:
    """An id as OpenClaw keeps it."""
    return "".join([character for character in id_ if character.isalnum()])[:40]


def openclaw_chat_next(body: Json, answer: Json) -> Json:
    message = answer["choices"][0]["message"]
    calls = [
        {
            "id": short(call["id"]),
            "type": "function",
            "function": {name: call["function"][name] for name in ("name", "arguments")},
        }
        for call in message.get("tool_calls") or ()
    ]
    told: Json = {"role": "assistant", "content": message.get("content")}
    if calls:
        told["tool_calls"] = calls
    if message.get("reasoning_content"):
        told["reasoning_content"] = message["reasoning_content"]
    shown: list[Json] = [
        {"type": "text", "text": "Image(s) from tool result #1 (view_image):"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
    ]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "ran"} for call in calls]
    return {**body, "messages": [*body["messages"], told, *results, {"role": "user", "content": shown}]}


def openclaw_responses(model: str) -> Json:
    return {
        "model": model,
        "input": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": [{"type": "input_text", "text": ASKED}]},
        ],
        "stream": True,
        "max_output_tokens": 32000,
        "store": False,
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "tools": [
            {"type": "function", "name": name, "description": name, "parameters": COMMAND, "strict": False}
            for name in OPENCLAW_TOOLS
        ],
    }


def openclaw_responses_next(body: Json, answer: Json) -> Json:
    """Reasoning is echoed, ids up to 64 characters, a picture stands in the result."""
    echoed: list[Json] = []
    results: list[Json] = []
    for item in answer["output"]:
        if item["type"] == "function_call":
            echoed.append({**item, "call_id": item["call_id"][:64]})
            output = [
                {"type": "input_text", "text": "ran"},
                {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PICTURE}"},
            ]
            results.append({"type": "function_call_output", "call_id": item["call_id"][:64], "output": output})
        elif item["type"] == "message":
            parts = [{"type": "output_text", "text": part["text"], "annotations": []} for part in item["content"]]
            kept = {name: item[name] for name in ("type", "role", "status", "id")}
            echoed.append({**kept, "content": parts})
        else:
            echoed.append(item)
    more = results or [{"role": "user", "content": [{"type": "input_text", "text": "Go on."}]}]
    return {**body, "input": [*body["input"], *echoed, *more]}


def openclaw_messages(model: str) -> Json:
    """With `--thinking high`."""
    tools: list[Json] = [
        {"name": name, "description": name, "input_schema": COMMAND, "eager_input_streaming": True}
        for name in OPENCLAW_TOOLS
    ]
    tools[-1] |= EPHEMERAL
    return {
        "model": model,
        "messages": [{"role": "user", "content": [{"type": "text", "text": ASKED, **EPHEMERAL}]}],
        "max_tokens": 48384,
        "stream": True,
        "system": [
            {"type": "text", "text": SYSTEM, **EPHEMERAL},
            {"type": "text", "text": INTERNAL},
        ],
        "tools": tools,
        "thinking": {"type": "enabled", "budget_tokens": 16384},
    }


def openclaw_gemini(model: str) -> Json:
    declarations = [{"name": name, "description": name, "parametersJsonSchema": COMMAND} for name in OPENCLAW_TOOLS]
    return {
        "model": model,
        "contents": [{"role": "user", "parts": [{"text": ASKED}]}],
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "tools": [{"functionDeclarations": declarations}],
        "generationConfig": {
            "maxOutputTokens": 32000,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "HIGH"},
        },
    }


def openclaw_gemini_next(body: Json, answer: Json) -> Json:
    content = answer["candidates"][0]["content"]
    results: list[Json] = [
        {
            "functionResponse": {
                "id": call["functionCall"].get("id"),
                "name": call["functionCall"]["name"],
                "response": {"output": "ran"},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": PICTURE}}],
            }
        }
        for call in content["parts"]
        if "functionCall" in call
    ]
    more: Json = {"role": "user", "parts": results or [{"text": "Go on."}]}
    return {**body, "contents": [*body["contents"], content, more]}


OPENCLAW_CHAT_HEADERS: Final = {"user-agent": "OpenAI/JS 7.15.0", "x-stainless-lang": "js", "traceparent": "00-a-b-01"}
OPENCLAW_ANTHROPIC: Final = {
    "user-agent": "undici",
    "anthropic-version": "2023-06-01",
    "anthropic-dangerous-direct-browser-access": "true",
}

AGENTS: Final[dict[str, Agent]] = {
    "codex": Agent("/v1/responses", CODEX_HEADERS, codex, codex_next),
    "codex, a long session": Agent("/v1/responses", CODEX_HEADERS, codex_long, codex_next),
    "codex, a schema": Agent("/v1/responses", CODEX_HEADERS, codex_schema, codex_next),
    "claude-code": Agent("/v1/messages?beta=true", CLAUDE_HEADERS, claude_code, claude_next),
    "claude-code, a known name": Agent("/v1/messages?beta=true", CLAUDE_HEADERS, claude_code_known, claude_next),
    "OpenClaw, chat": Agent("/v1/chat/completions", OPENCLAW_CHAT_HEADERS, openclaw_chat, openclaw_chat_next),
    "OpenClaw, responses": Agent("/v1/responses", OPENCLAW_CHAT_HEADERS, openclaw_responses, openclaw_responses_next),
    "OpenClaw, messages": Agent("/v1/messages", OPENCLAW_ANTHROPIC, openclaw_messages, claude_next),
    "OpenClaw, gemini": Agent("gemini", {}, openclaw_gemini, openclaw_gemini_next),
}


def sent(agent: Agent, body: Json, *, stream: bool) -> tuple[str, Any]:
    """Where a body goes, and how: an agent streams, and the same is asked whole."""
    body = dict(body)
    if agent.path == "gemini":
        model = body.pop("model")
        return f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}", body
    body["stream"] = stream
    if not stream:
        body.pop("stream_options", None)
    return agent.path, json.dumps(body).encode()
