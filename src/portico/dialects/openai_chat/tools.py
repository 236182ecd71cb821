"""tools, tool_choice and the older functions <-> neutral tools (mapping.md 1.12 to 1.14)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.core.errors import InvalidRequest
from portico.core.known import declared
from portico.core.loss import Loss
from portico.core.request import GOOGLE_BUILTINS, Builtin, Request, Tool, ToolChoice
from portico.dialects.openai.checks import array_at, missing, object_at, string_at, wrong_type
from portico.dialects.openai_chat.extra_content import GOOGLE_EXT, ORIGIN, ext_of, extra_content, read_google
from portico.dialects.openai_chat.google import read_builtins
from portico.wire.names import snake

_MODES: Final = frozenset({"auto", "none", "required", "validated"})


def parse_tools(fields: dict[str, Any]) -> tuple[tuple[Tool, ...], list[Builtin], ToolChoice | None]:
    """Takes everything about tools out of a request's fields (`functions` is left for the caller to see)."""
    wire = fields.pop("tools", None)
    tools, builtins = declared(wire, ORIGIN, _parse_declared) if wire is not None else ((), ())
    legacy = fields.get("functions")
    if legacy is None:
        fields.pop("functions", None)
    else:
        older_tools = [
            _parse_function(object_at(item, f"$.functions[{at}]"), f"$.functions[{at}]", at)
            for at, item in enumerate(array_at(legacy, "$.functions"))
        ]
        tools = (*tools, *older_tools)
    choice = _parse_choice(fields.pop("tool_choice", None), "$.tool_choice")
    older = fields.pop("function_call", None)
    if older is not None and choice is None:
        choice = _parse_legacy_choice(older)
    return tools, list(builtins), choice


def _parse_declared(wire: Any) -> tuple[tuple[Tool, ...], tuple[Builtin, ...]]:
    tools: list[Tool] = []
    builtins: list[Builtin] = []
    for at, item in enumerate(array_at(wire, "$.tools")):
        path = f"$.tools[{at}]"
        parsed = _parse_tool(object_at(item, path), path, at)
        if isinstance(parsed, Tool):
            tools.append(parsed)
        else:
            builtins += parsed
    return tuple(tools), tuple(builtins)


BUILTIN_KINDS: Final[Mapping[str, str]] = {
    "web_search": "web_search",
    "google_search": "web_search",
    "code_interpreter": "code_execution",
    "code_execution": "code_execution",
    "web_fetch": "url_context",
    "url_context": "url_context",
}
"""What the dialects call the tools that a provider runs (1.14)."""
_BUILTIN_TYPE: Final = re.compile(rf"({'|'.join(BUILTIN_KINDS)})(_preview)?(_\d{{4}}_?\d\d_?\d\d)?")
"""Those names, with the dates that some vendors put behind them."""


_GOOGLE_NAMES: Final = {**GOOGLE_BUILTINS, **{snake(name): kind for name, kind in GOOGLE_BUILTINS.items()}}


def _named_builtin(function: Mapping[str, Any], at: int) -> Builtin | None:
    """A function that is only a name, and that of a tool of Google's: how other gateways' callers ask for it (1.14)."""
    name = function.get("name")
    kind = _GOOGLE_NAMES.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    schema = function.get("parameters")
    bare = not function.get("description") and not (isinstance(schema, Mapping) and schema.get("properties"))
    return Builtin(kind, at=at) if bare else None


def _parse_tool(item: Mapping[str, Any], path: str, at: int) -> Tool | list[Builtin]:
    kind = item.get("type")
    if kind == "function" or (kind is None and ("function" in item or "parameters" in item)):
        nested = item.get("function")
        function = object_at(nested, f"{path}.function") if nested is not None else item
        tool_path = f"{path}.function" if nested is not None else path
        if (named := _named_builtin(function, at)) is not None:
            return [named]
        return _parse_function(function, tool_path, at, read_google(item))
    if kind == "custom":
        nested = item.get("custom")
        custom = object_at(nested, f"{path}.custom") if nested is not None else item
        name = string_at(custom.get("name"), f"{path}.custom.name")
        description, format_ = custom.get("description"), custom.get("format")
        if description is not None:
            string_at(description, f"{path}.custom.description")
        ext = {ORIGIN: {"format": format_}} if format_ is not None else None
        return Tool(name, description, kind="custom", at=at, ext=ext)
    if kind is None and (not item or "name" in item):  # of nothing, or of a function in another API's shape
        raise missing(f"{path}.type")
    if kind is None:
        return read_builtins(item, path, at)
    if isinstance(kind, str) and (provided := _BUILTIN_TYPE.fullmatch(kind)) is not None:
        options = {name: value for name, value in item.items() if name not in ("type", "name") and value is not None}
        return [Builtin(BUILTIN_KINDS[provided.group(1)], at=at, ext={ORIGIN: options} if options else None)]
    known = f"function, custom, {', '.join(BUILTIN_KINDS)}"
    raise InvalidRequest(f"Unknown tool type {kind!r}; known are {known}.", param=f"{path}.type")


def _parse_function(function: Mapping[str, Any], path: str, at: int, google: Mapping[str, Any] | None = None) -> Tool:
    name = string_at(function.get("name"), f"{path}.name")
    if not name:
        raise InvalidRequest("A tool needs a name.", param=f"{path}.name")
    description, schema, strict = function.get("description"), function.get("parameters"), function.get("strict")
    if description is not None:
        string_at(description, f"{path}.description")
    if schema is not None:
        object_at(schema, f"{path}.parameters")
    if strict is not None and not isinstance(strict, bool):
        raise wrong_type(f"{path}.strict", "a boolean", strict)
    schema_at = ".function.parameters" if path.endswith(".function") else ".parameters"
    return Tool(name, description, schema, strict, at=at, ext=ext_of(google) if google else None, schema_at=schema_at)


def _parse_choice(value: Any, path: str) -> ToolChoice | None:
    if value is None:
        return None
    if isinstance(value, str):
        if value in _MODES:
            return ToolChoice(value)
        if value == "any":
            return ToolChoice("required")
        raise InvalidRequest(f"Unknown tool_choice {value!r}; known are auto, none, required or a tool.", param=path)
    given = object_at(value, path)
    match given.get("type"):
        case "function" | "custom" as kind:
            nested = given.get(kind)
            named = object_at(nested, f"{path}.{kind}") if nested is not None else given
            return ToolChoice("required", (string_at(named.get("name"), f"{path}.{kind}.name"),))
        case "allowed_tools":
            nested = given.get("allowed_tools")
            allowed = object_at(nested, f"{path}.allowed_tools") if nested is not None else given
            return _parse_allowed(allowed, f"{path}.allowed_tools")
        case "auto" | "none" | "required" as mode:
            return ToolChoice(mode)
        case other:
            raise InvalidRequest(f"Unknown tool_choice type {other!r}.", param=f"{path}.type")


def _parse_allowed(allowed: Mapping[str, Any], path: str) -> ToolChoice:
    names = []
    for i, item in enumerate(array_at(allowed.get("tools"), f"{path}.tools")):
        tool = object_at(item, f"{path}.tools[{i}]")
        named = tool.get("function") or tool.get("custom") or tool
        names.append(string_at(object_at(named, f"{path}.tools[{i}]").get("name"), f"{path}.tools[{i}].function.name"))
    return ToolChoice("required" if allowed.get("mode") == "required" else "validated", tuple(names))


def _parse_legacy_choice(value: Any) -> ToolChoice:
    if isinstance(value, str):
        if value in ("auto", "none"):
            return ToolChoice(value)
        raise InvalidRequest(f"Unknown function_call {value!r}.", param="$.function_call")
    named = object_at(value, "$.function_call")
    return ToolChoice("required", (string_at(named.get("name"), "$.function_call.name"),))


# -- the other way ---------------------------------------------------------------------------------------------------


def render_tools(request: Request, losses: list[Loss]) -> list[dict[str, Any]]:
    tools = []
    for tool in request.tools:
        if tool.kind == "custom":
            custom = {"name": tool.name, **(tool.ext or {}).get(ORIGIN, {})}
            if tool.description is not None:
                custom["description"] = tool.description
            tools.append({"type": "custom", "custom": custom})
            continue
        function: dict[str, Any] = {"name": tool.name}
        if tool.description is not None:
            function["description"] = tool.description
        if tool.schema is not None:
            function["parameters"] = tool.schema
        if tool.strict is not None:
            function["strict"] = tool.strict
        foreign = [name for origin, f in (tool.ext or {}).items() if origin not in (ORIGIN, GOOGLE_EXT) for name in f]
        if foreign:
            losses.append(Loss("1.12:tool_ext", request.where.at_tool(tool.at), f"no place for {', '.join(foreign)}"))
        tools.append({"type": "function", "function": function, **extra_content(None, tool.ext)})
    return tools


def render_choice(choice: ToolChoice) -> Any:
    if not choice.names:
        return choice.mode
    if choice.mode == "required" and len(choice.names) == 1:
        return {"type": "function", "function": {"name": choice.names[0]}}
    allowed = [{"type": "function", "function": {"name": name}} for name in choice.names]
    mode = "required" if choice.mode == "required" else "auto"
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": allowed}}
