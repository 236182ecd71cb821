"""Neutral tools -> the tools of a provider that speaks Chat (mapping.md 1.12, 1.13, from the other side)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.loss import Loss
from portico.core.request import FREE_TEXT, Request, Tool, ToolChoice
from portico.core.target import Target
from portico.dialects.openai.parameters import parameters
from portico.dialects.openai_chat.extra_content import ORIGIN
from portico.dialects.openai_chat.wire_names import called

_GRAMMAR: Final = "The input has to match this grammar"


def tools_for(request: Request, target: Target, names: Mapping[str, str], losses: list[Loss]) -> list[dict[str, Any]]:
    """The declarations; where only some tools may be named and the server has no word for that, only those."""
    chosen = _only(request, target)
    return [
        _tool(tool, request, target, names, losses) for tool in request.tools if chosen is None or tool.name in chosen
    ]


def _only(request: Request, target: Target) -> frozenset[str] | None:
    choice = request.tool_choice
    if choice is None or not choice.names or target.capabilities.allowed_tools:
        return None
    if len(choice.names) == 1 and choice.mode == "required":
        return None
    return frozenset(choice.names)


def _tool(tool: Tool, request: Request, target: Target, names: Mapping[str, str], losses: list[Loss]) -> dict[str, Any]:
    path = request.where.at_tool(tool.at)
    foreign = [name for origin, fields in (tool.ext or {}).items() if origin != ORIGIN for name in fields]
    if foreign:
        losses.append(Loss("1.12:tool_ext", path, f"no place for {', '.join(foreign)}"))
    own = (tool.ext or {}).get(ORIGIN, {})
    name = called(tool.name, names)
    if tool.kind == "custom" and target.capabilities.custom_tools:
        custom = {"name": name, **own}
        if tool.description is not None:
            custom["description"] = tool.description
        return {"type": "custom", "custom": custom}
    function: dict[str, Any] = {"name": name}
    description, schema = tool.description, tool.schema
    if tool.kind == "custom":
        schema = FREE_TEXT
        if (grammar := _grammar(own.get("format"))) is not None:
            description = f"{description or ''}\n\n{_GRAMMAR}:\n{grammar}".strip()
            losses.append(Loss("1.12:grammar", path, "the grammar is told in the description and not enforced"))
    if description is not None:
        function["description"] = description
    strict = tool.strict
    if "strict" in target.refused:
        if strict:
            losses.append(Loss("1.12:strict", path, f"{target.model} has no strict tools here"))
        strict = None
    if not target.own and tool.kind != "custom":
        schema, strict = parameters(msgspec.structs.replace(tool, strict=strict), target, path, losses)
    if schema is not None:
        function["parameters"] = schema
    if strict is not None:
        function["strict"] = strict
    return {"type": "function", "function": function}


def _grammar(format_: Any) -> str | None:
    if not isinstance(format_, Mapping) or format_.get("type") != "grammar":
        return None
    grammar = format_.get("grammar")
    grammar = grammar if isinstance(grammar, Mapping) else format_
    return f"{grammar.get('syntax', '')}\n{grammar.get('definition', '')}".strip()


def choice_for(
    choice: ToolChoice, request: Request, target: Target, names: Mapping[str, str], losses: list[Loss]
) -> Any:
    """What may be called. Chat has no word for calls that obey and text that stays possible."""
    able, path = target.capabilities, request.where.field("tool_choice")
    mode = choice.mode
    if mode == "validated":
        mode = "auto"
        if not choice.names:
            losses.append(Loss("1.12:validated", path, "calls are held to their schemas where a tool is strict"))
    if mode == "required" and not able.forced_tools:
        losses.append(Loss("1.13:choice", path, f"{target.model} cannot be made to call"))
        mode = "auto"
    if not choice.names or mode == "none":
        return mode
    custom = {tool.name for tool in request.tools if tool.kind == "custom" and able.custom_tools}
    entries = [_named(name, "custom" if name in custom else "function", names) for name in choice.names]
    if len(entries) == 1 and mode == "required":
        return entries[0]
    if not able.allowed_tools:
        return mode  # only these are declared
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": entries}}


def _named(name: str, kind: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {"type": kind, kind: {"name": called(name, names)}}
