"""The form of a Messages request: every field Anthropic takes, and which of them a beta has to unlock."""

import re
from collections.abc import Collection

from portico.simulator.anthropic.blocks import CACHE, EFFORTS, MESSAGE, TEXT
from portico.simulator.anthropic.forms import (
    Form,
    anything,
    array,
    either,
    flag,
    integer,
    mapping,
    number,
    record,
    tagged,
    text,
    under,
    word,
)
from portico.simulator.anthropic.refusal import Refused, at
from portico.simulator.anthropic.tools import TOOL
from portico.simulator.refusal import Json

_TYPE: dict[str, Form] = {"type": text()}
_DISPLAY: dict[str, Form] = {"display": word("summarized", "omitted", "updates")}
_BINDING: dict[str, Form] = {"block_binding": record({"prefix_mismatch_behavior": word("error", "drop_block")})}
_THINKING = tagged(
    {
        "enabled": record(_TYPE | _DISPLAY | _BINDING | {"budget_tokens": integer(1024)}, "budget_tokens"),
        "adaptive": record(_TYPE | _DISPLAY | _BINDING),
        "disabled": record(_TYPE),
        "between_tools": record(_TYPE),
    }
)
_PARALLEL: dict[str, Form] = {"disable_parallel_tool_use": flag}
_CHOICE = tagged(
    {
        "auto": record(_TYPE | _PARALLEL),
        "any": record(_TYPE | _PARALLEL),
        "tool": record(_TYPE | _PARALLEL | {"name": text(least=1)}, "name"),
        "none": record(_TYPE),
    }
)
_FORMAT = tagged({"json_schema": record(_TYPE | {"schema": mapping, "name": text()}, "schema")})
_OUTPUT = record({"effort": word(*EFFORTS), "format": _FORMAT, "task_budget": mapping})
_SERVER = record(
    {
        "type": word("url"),
        "name": text(least=1),
        "url": text(least=1),
        "authorization_token": text(),
        "tool_configuration": record({"enabled": flag, "allowed_tools": array(text())}),
    },
    "type",
    "name",
    "url",
)
_COUNTED: dict[str, Form] = {
    "model": text(least=1, most=256),
    "messages": array(MESSAGE),
    "system": either((str, text()), (list, array(tagged({"text": TEXT})))),
    "tools": array(TOOL),
    "tool_choice": _CHOICE,
    "thinking": _THINKING,
    "output_config": _OUTPUT,
    "cache_control": CACHE,
    "speed": word("standard", "fast"),
}
_BETA: dict[str, tuple[Form, str]] = {
    "mcp_servers": (array(_SERVER), "mcp-client-"),
    "context_management": (mapping, "context-management-|compact-"),
    "output_format": (_FORMAT, "structured-outputs-"),
    "fallbacks": (anything, "server-side-fallback-"),
    "compaction": (mapping, "compact-"),
    "thread": (mapping, "message-threads-"),
}
"""Fields that are unknown without a beta, and how the names begin of those that unlock them."""

_MESSAGES: dict[str, Form] = _COUNTED | {
    "max_tokens": integer(1),
    "stream": flag,
    "temperature": number(0, 1),
    "top_p": number(0, 1),
    "top_k": integer(0),
    "stop_sequences": array(text()),
    "metadata": record({"user_id": text(most=512)}),
    "service_tier": word("auto", "standard_only"),
    "container": either((str, text(least=1)), (dict, mapping)),
    "inference_geo": text(),
    "diagnostics": mapping,
    "user_profile_id": text(),
    "workspace_id": text(),
}
_BY_TURN = ("per-turn-control-", "mid-conversation-output-config-")
"""Betas of a system message's own effort: as Claude Code names it, and as Anthropic's page does."""
_KNOWN_BETA = re.compile(r"[a-z0-9-]+-20\d\d(?:-\d\d-\d\d|\d{4})")


def betas(header: str) -> tuple[str, ...]:
    """The betas of the `anthropic-beta` header; raises `Refused` for one that is none."""
    names = tuple(name for one in header.split(",") if (name := one.strip()))
    wrong = [name for name in names if not _KNOWN_BETA.fullmatch(name)]
    if wrong:
        told = ", ".join(f"`{name}`" for name in wrong)
        link = "docs.claude.com"
        raise Refused(
            f"Unexpected value(s) {told} for the `anthropic-beta` header. Please consult our documentation at {link} or "
            "try again without the header."
        )
    return names


def check(body: object, names: Collection[str], *, counts: bool = False, vertex: bool = False) -> Json:
    """The body, if it has the form of a request; `counts`: of one that is only counted."""
    fields = dict(_COUNTED if counts else _MESSAGES)
    for name, (form, beta) in _BETA.items():
        if any(re.match(beta, one) for one in names):
            fields[name] = form
    required = ["model", "messages"] if counts else ["model", "messages", "max_tokens"]
    if vertex:
        fields |= {"anthropic_version": word("vertex-2023-10-16"), "anthropic_beta": array(text())}
        required.append("anthropic_version")
    record(fields, *required)(body, "")
    if not isinstance(body, dict):
        raise at("", "Input does not match the expected shape.")
    _gated(body, names)
    return body


def _gated(body: Json, names: Collection[str]) -> None:
    """What inside the thinking and the messages needs a beta, and what is not played here."""
    if body.get("thread") is not None:
        details = {"error_code": "thread_unsupported_request", "unsupported": ["simulation"]}
        raise Refused("thread: this request cannot be part of a thread", details=details)
    thinking = body.get("thinking") or {}
    if thinking.get("block_binding") is not None and not _has(names, "thinking-binding-controls-"):
        raise at(f"thinking.{thinking['type']}.block_binding", "Extra inputs are not permitted")
    for place, message in enumerate(body["messages"]):
        told = message["role"] == "system" and any(_has(names, beta) for beta in _BY_TURN)
        if message.get("output_config") is not None and not told:
            raise at(under(under("messages", place), "output_config"), "Extra inputs are not permitted")
        content = message["content"] if isinstance(message["content"], list) else []
        for number_, block in enumerate(content):
            path = under(under("messages", place), f"content.{number_}")
            if block["type"] in ("tool_addition", "tool_removal") and not _has(names, "mid-conversation-tool-changes-"):
                raise at(
                    path, f"Input tag '{block['type']}' found using 'type' does not match any of the expected tags"
                )
            source = block.get("source")
            if isinstance(source, dict) and source["type"] == "file" and not _has(names, "files-api-"):
                kinds = "'base64', 'url'" if block["type"] == "image" else "'base64', 'content', 'text', 'url'"
                said = f"Input tag 'file' found using 'type' does not match any of the expected tags: {kinds}"
                raise at(f"{path}.{block['type']}.source", said)


def _has(names: Collection[str], beta: str) -> bool:
    return any(name.startswith(beta) for name in names)
