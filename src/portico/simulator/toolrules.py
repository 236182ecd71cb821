"""Rules of `tools` and `toolConfig`: declarations, and which tools go together on which model."""

import re

from portico.simulator import subset
from portico.simulator.models import Model
from portico.simulator.refusal import Json, Refused

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}\Z")
MOST_DECLARATIONS = 512


def declarations(request: Json) -> list[Json]:
    """Every function declared in the request."""
    return [one for tool in request.get("tools", []) for one in tool.get("functionDeclarations", [])]


def check(request: Json, model: Model, *, vertex: bool, lenient: bool) -> None:
    """Raises `Refused` for tools or a toolConfig Google refuses."""
    tools = request.get("tools", [])
    for number, tool in enumerate(tools):
        if not any(value or (value == {} and key != "functionDeclarations") for key, value in tool.items()):
            text = "required one_of 'tool_type' must have one initialized field"
            raise Refused(f"* GenerateContentRequest.tools[{number}].tool_type: {text}\n")
    declared = declarations(request)
    _declarations(declared, vertex=vertex, lenient=lenient)
    built_in = {key for tool in tools for key in tool if key != "functionDeclarations"}
    if (declared or built_in - {"googleSearch"}) and not model.tools:
        raise Refused(f"Function calling is not enabled for models/{model.name}")
    config = request.get("toolConfig", {})
    _together(bool(declared), built_in, request, model, vertex=vertex)
    if "functionCallingConfig" in config:
        _calling(config["functionCallingConfig"], {one.get("name", "") for one in declared})


def _declarations(declared: list[Json], *, vertex: bool, lenient: bool) -> None:
    if len(declared) > MOST_DECLARATIONS:
        raise Refused(f"At most {MOST_DECLARATIONS} function declarations are allowed, got {len(declared)}.")
    names: set[str] = set()
    for number, one in enumerate(declared):
        path = f"GenerateContentRequest.tools[0].function_declarations[{number}]"
        name = one.get("name", "")
        if not _NAME.match(name):
            raise Refused(
                f"* {path}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric "
                "(a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.\n"
            )
        if name in names:
            raise Refused(f"Duplicate function declaration found: {name}")
        names.add(name)
        for old, new in (("parameters", "parametersJsonSchema"), ("response", "responseJsonSchema")):
            if old in one and one.get(new) is not None:
                raise Refused(f"* {path}: only one of {old} and {new} may be set\n")
        if "parameters" in one:
            if one["parameters"].get("type", "OBJECT") not in ("OBJECT", "TYPE_UNSPECIFIED"):
                raise Refused(f"* {path}.parameters.type: schema type for function parameters should be OBJECT\n")
            subset.check(one["parameters"], f"{path}.parameters", vertex=vertex, lenient=lenient)
        if one.get("parametersJsonSchema") is not None:
            subset.check_json_schema(one["parametersJsonSchema"], f"{path}.parameters_json_schema", tool=True)


def _together(declared: bool, built_in: set[str], request: Json, model: Model, *, vertex: bool) -> None:
    config = request.get("generationConfig", {})
    structured = config.get("responseMimeType") in ("application/json", "text/x.enum")
    circulate = request.get("toolConfig", {}).get("includeServerSideToolInvocations")
    if model.modern:
        if declared and built_in and not vertex and not circulate and built_in != {"mcpServers"}:
            raise Refused(
                "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function "
                "calling."
            )
        return
    if circulate:
        raise Refused(f"Tool call context circulation is not enabled for models/{model.name}")
    if declared and built_in - {"mcpServers"}:
        raise Refused("Tool use with function calling is unsupported")
    if structured and declared:
        raise Refused("Function calling with a response mime type: 'application/json' is unsupported")
    if structured and built_in:
        raise Refused("Tool use with a response mime type: 'application/json' is unsupported")


def _calling(config: Json, declared: set[str]) -> None:
    if not declared:
        raise Refused("Function calling config is set without function_declarations.")
    mode, allowed = config.get("mode", "AUTO"), config.get("allowedFunctionNames", [])
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise Refused("Allowed function names should be set only when function calling mode is ANY or VALIDATED.")
    for name in allowed:
        if name not in declared:
            raise Refused(f"Allowed function name {name} is not found in the function declarations.")
