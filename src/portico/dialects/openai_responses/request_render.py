"""Neutral request -> a body of POST /v1/responses (mapping.md 7.1, 7.5).

Built from what is known to be accepted. A caller of another dialect gets `store: false` and asks for the sealed
thoughts, so that they come back with its next turn; what the Responses API or the model has nothing for is left out and
told as a loss.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import Rendered
from portico.core.foreign import unplaced
from portico.core.loss import Loss
from portico.core.naming import FreeNames
from portico.core.parts import Text
from portico.core.request import (
    FORMAT_HINT,
    ONE_OF_THESE,
    Builtin,
    OutputFormat,
    Request,
    Role,
    Thinking,
    Tool,
    ToolChoice,
)
from portico.core.small_limits import guarded
from portico.core.target import Target, ThinkingControl, ThinkingSpec
from portico.dialects.openai.efforts import takes_usual
from portico.dialects.openai.formats import held
from portico.dialects.openai.parameters import parameters
from portico.dialects.openai.strictness import is_object
from portico.dialects.openai_responses.content import ORIGIN, SHARED
from portico.dialects.openai_responses.request import EFFORTS, INSTRUCTIONS, LOGPROBS, SEALED, SHARED_FIELDS, is_own
from portico.dialects.openai_responses.request_items import ItemsRenderer, takes_own_tools
from portico.dialects.openai_responses.tools import AUTO_CONTAINER
from portico.wire import jsontext

MIN_OUTPUT_TOKENS: Final = 16
MAX_NAME: Final = 64
_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_NO_ARGUMENTS: Final = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
USER: Final = "safety_identifier"
LONGEST_USER: Final = 64
"""Its characters."""
_WIRE_KINDS: Final[Mapping[str, str]] = {"web_search": "web_search", "code_execution": "code_interpreter"}
_OWN_KINDS: Final = frozenset(
    {
        *("tool_search", "image_generation", "file_search", "mcp", "computer", "computer_use_preview"),
        *("local_shell", "shell", "apply_patch", "programmatic_tool_calling"),
    }
)
"""Tools of OpenAI's own that keep its word. Others are known by the options that came in its words."""
_BUDGETS: Final = ((0, "none"), (2048, "low"), (12288, "medium"))
"""Up to so many tokens of thinking, what effort that is (mapping.md 1.7); beyond: high."""


def render_request(request: Request, target: Target) -> Rendered:
    """The body for an endpoint that speaks the Responses API."""
    losses: list[Loss] = []
    request = guarded(request, target, losses)
    names = _names_of(request)
    messages = request.messages
    body: dict[str, Any] = {"model": target.model or request.model}
    first = messages[0] if messages else None
    if (
        first is not None
        and first.role is Role.SYSTEM
        and first.at == INSTRUCTIONS
        and first.name is None
        and not first.ext
    ):
        (text,) = first.parts if len(first.parts) == 1 else (None,)
        if isinstance(text, Text) and text.signature is None:
            body["instructions"] = text.text
            messages = messages[1:]
    body["input"] = ItemsRenderer(request, target, names, losses).items(messages)
    _add_tools(request, target, names, body, losses)
    _add_sampling(request, target, body, losses)
    reasoning = _reasoning(request.thinking, target, request, losses)
    if reasoning:
        body["reasoning"] = reasoning
    _add_text(request, target, body, losses)
    if request.service_tier is not None:
        body["service_tier"] = request.service_tier
    if (request.modalities and any(word != "text" for word in request.modalities)) or request.speech is not None:
        losses.append(Loss("7.1:modalities", request.where.field("modalities"), "the Responses API answers in text"))
    _add_extras(request, target, body, losses)
    if request.stream:
        body["stream"] = True
    return Rendered(body, losses, {wire: name for name, wire in names.items() if wire != name})


# -- tools -----------------------------------------------------------------------------------------------------------


def _names_of(request: Request) -> dict[str, str]:
    """Tool -> what OpenAI calls it: letters, digits, `_` and `-`, at most 64 of them, no two alike, nor like one that an
    item brings, which keeps its name."""
    names: dict[str, str] = {}
    wire = FreeNames([tool.name for tool in request.tools], MAX_NAME)
    for name in [tool.name for tool in request.tools if not tool.brought]:
        plain = _NOT_IN_NAME.sub("_", name)[:MAX_NAME]
        names[name] = name if plain == name else wire.free(plain)
    return names


def _add_tools(
    request: Request, target: Target, names: Mapping[str, str], body: dict[str, Any], losses: list[Loss]
) -> None:
    tools: list[dict[str, Any]] = []
    seen: set[bytes] = set()
    brought = any(tool.brought for tool in request.tools)
    for tool in request.tools:
        if not tool.brought:
            _add_tool(tools, tool, names[tool.name], request, target, losses)
    for builtin in request.builtins:
        if builtin.brought and takes_own_tools(target):
            brought = True
            continue
        rendered = _builtin(builtin, request, target, losses)
        if rendered is not None and (said := jsontext.encode(rendered)) not in seen:
            seen.add(said)
            tools.append(rendered)
    if tools:
        body["tools"] = tools
    choice = request.tool_choice
    if choice is not None and request.tools:
        body["tool_choice"] = _choice(choice, names, request)
        if choice.mode == "validated" and not choice.names:
            where = request.where.field("tool_choice")
            losses.append(Loss("1.13:choice", where, "calls obey their schemas where the tools are strict"))
    elif choice is not None and choice.mode != "auto":
        if tools or brought:
            body["tool_choice"] = "required" if choice.mode == "validated" else choice.mode
        else:
            where = request.where.field("tool_choice")
            losses.append(Loss("1.13:choice", where, "there are no tools to choose among"))
    if request.parallel_tool_calls is not None and (tools or brought):
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _add_tool(
    tools: list[dict[str, Any]], tool: Tool, name: str, request: Request, target: Target, losses: list[Loss]
) -> None:
    own = dict((tool.ext or {}).get(ORIGIN, {}))
    namespace = own.pop("namespace", None)
    foreign = [key for origin, fields in (tool.ext or {}).items() if origin not in (ORIGIN, SHARED) for key in fields]
    if foreign:
        losses.append(Loss("1.12:tool_ext", request.where.at_tool(tool.at), f"no place for {', '.join(foreign)}"))
    rendered: dict[str, Any] = {"type": tool.kind, "name": namespace["tool"] if namespace else name}
    if tool.description is not None:
        rendered["description"] = tool.description
    if tool.kind == "custom":
        if (format_ := (tool.ext or {}).get(SHARED, {}).get("format")) is not None:
            rendered["format"] = _flat(format_)
    else:
        schema, strict = tool.schema, tool.strict
        if not is_own(request):
            schema, strict = parameters(tool, target, request.where.at_tool(tool.at), losses)
        rendered["parameters"] = _NO_ARGUMENTS if schema is None else schema
        if not tool.unsaid:
            rendered["strict"] = strict is True
    rendered.update(own)
    if not namespace:
        tools.append(rendered)
        return
    last = tools[-1] if tools else {}
    if last.get("type") == "namespace" and last["name"] == namespace["name"]:
        last["tools"].append(rendered)
        return
    about = {"description": namespace["description"]} if "description" in namespace else {}
    tools.append({"type": "namespace", "name": namespace["name"], **about, "tools": [rendered]})


def _flat(format_: Mapping[str, Any]) -> Mapping[str, Any]:
    """A custom tool's format, whose grammar lies one level higher here than in Chat."""
    grammar = format_.get("grammar")
    return {"type": "grammar", **grammar} if isinstance(grammar, Mapping) else format_


def _builtin(tool: Builtin, request: Request, target: Target, losses: list[Loss]) -> dict[str, Any] | None:
    where = request.where
    ext = tool.ext or {}
    own = ext.get(ORIGIN)
    wire = _WIRE_KINDS.get(tool.kind, tool.kind if own is not None or tool.kind in _OWN_KINDS else None)
    if wire is None or (target.capabilities.judged and not target.capabilities.builtin_tools):
        losses.append(Loss("7.1:builtin", where.field(tool.kind), f"{target.model} has no tool {tool.kind} here"))
        return None
    rendered: dict[str, Any] = {"type": wire, **(own or {})}
    for origin, fields in ext.items():
        if origin == ORIGIN:
            continue
        options = dict(fields)
        if origin == SHARED and wire == "web_search":
            rendered |= _search_options(options)
        if options:
            losses.append(Loss("1.14:builtin", where.field(tool.kind), f"{wire} has no place for {', '.join(options)}"))
    if wire == "code_interpreter":
        rendered.setdefault("container", AUTO_CONTAINER)
    return rendered


def _search_options(options: dict[str, Any]) -> dict[str, Any]:
    """Chat's options of a search in the words of this dialect; takes them out of `options`."""
    taken: dict[str, Any] = {}
    if (size := options.pop("search_context_size", None)) is not None:
        taken["search_context_size"] = size
    place = options.get("user_location")
    if isinstance(place, Mapping):
        del options["user_location"]
        told = place.get("approximate")
        taken["user_location"] = {"type": "approximate", **(told if isinstance(told, Mapping) else place)}
    return taken


def _choice(choice: ToolChoice, names: Mapping[str, str], request: Request) -> Any:
    kinds = {tool.name: tool for tool in request.tools}

    def named(name: str) -> dict[str, Any]:
        tool = kinds.get(name)
        namespace = ((tool.ext if tool else None) or {}).get(ORIGIN, {}).get("namespace")
        kind = tool.kind if tool is not None else "function"
        if namespace:
            return {"type": kind, "name": namespace["tool"], "namespace": namespace["name"]}
        return {"type": kind, "name": names.get(name, name)}

    if not choice.names:
        return "auto" if choice.mode == "validated" else choice.mode
    if choice.mode == "required" and len(choice.names) == 1:
        return named(choice.names[0])
    mode = "required" if choice.mode == "required" else "auto"
    return {"type": "allowed_tools", "mode": mode, "tools": [named(name) for name in choice.names]}


# -- settings --------------------------------------------------------------------------------------------------------


def _add_sampling(request: Request, target: Target, body: dict[str, Any], losses: list[Loss]) -> None:
    sampling, able, where = request.sampling, target.capabilities, request.where
    asked = {name: value for name in ("temperature", "top_p") if (value := getattr(sampling, name)) is not None}
    if not _samples(request, target):
        lost = [name for name, value in asked.items() if not takes_usual(name, value, target)]
        losses += [Loss("1.1:sampling", where.field(name), f"{target.model} takes no {name}") for name in lost]
        asked = {name: value for name, value in asked.items() if name not in lost}
    body.update(asked)
    if sampling.top_k is not None:
        losses.append(Loss("1.1:sampling", where.field("top_k"), "the Responses API has no top_k"))
    for code, name, said in (
        ("1.1:seed", "seed", sampling.seed is not None),
        ("7.1:stop", "stop", bool(sampling.stop)),
        ("1.1:n", "n", (sampling.n or 1) > 1),
        ("1.1:penalties", "presence_penalty", bool(sampling.presence_penalty)),
        ("1.1:penalties", "frequency_penalty", bool(sampling.frequency_penalty)),
    ):
        if said:
            losses.append(Loss(code, where.field(name), f"the Responses API has no {name}"))
    if sampling.max_tokens is not None:
        held = sampling.max_tokens
        if able.judged or not is_own(request):
            held = max(MIN_OUTPUT_TOKENS, min(held, able.max_output_tokens))
        if held != sampling.max_tokens:
            text = f"an answer has room for {MIN_OUTPUT_TOKENS} to {able.max_output_tokens} tokens; it is {held} now"
            losses.append(Loss("1.1:max_tokens", where.field("max_tokens"), text))
        body["max_output_tokens"] = held
    if (sampling.logprobs or sampling.top_logprobs) and not (able.logprobs and _samples(request, target)):
        why = " while it thinks" if able.logprobs else ""
        path = where.field("logprobs" if sampling.logprobs else "top_logprobs")
        losses.append(Loss("1.1:logprobs", path, f"{target.model} tells no logprobs{why}"))
        return
    if sampling.logprobs:
        body["include"] = [LOGPROBS]
    if sampling.top_logprobs is not None:
        body["top_logprobs"] = sampling.top_logprobs


def _samples(request: Request, target: Target) -> bool:
    """Whether temperature and top_p may be sent: some models take them only while they do not think."""
    able = target.capabilities
    if not able.sampling or able.sampling_while_thinking:
        return able.sampling
    if request.thinking.effort is not None or request.thinking.budget is not None:
        return request.thinking.effort == "none" or request.thinking.budget == 0
    return not able.thinking.on_by_default


def _reasoning(thinking: Thinking, target: Target, request: Request, losses: list[Loss]) -> dict[str, Any]:
    spec, where = target.capabilities.thinking, request.where.field("thinking")
    if spec.control is ThinkingControl.NONE:
        if thinking.steered or thinking.show:
            losses.append(Loss("1.7:none", where, f"{target.model} does not think"))
        return {}
    rendered: dict[str, Any] = {}
    effort, exact = _effort(thinking, spec)
    if effort is not None:
        rendered["effort"] = effort
    if not exact:
        text = f"what was asked for became {effort or 'the default'}"
        losses.append(Loss("1.7:thinking", where, f"{target.model}: {text}"))
    if thinking.show:
        rendered["summary"] = "auto"
    elif thinking.show is False and is_own(request):
        rendered["summary"] = "none"
    return rendered


def _effort(thinking: Thinking, spec: ThinkingSpec) -> tuple[str | None, bool]:
    """OpenAI's word for the amount of thinking, and whether it is just what was asked for."""
    if not thinking.steered:
        return None, True
    if thinking.budget is not None:
        if thinking.budget < 0:
            return thinking.effort, False
        asked = next((word for most, word in _BUDGETS if thinking.budget <= most), "high")
    else:
        asked = (thinking.level or thinking.effort or "").lower()
    exact = thinking.budget is None and thinking.level is None
    if spec.control is ThinkingControl.ANY:
        return (asked if asked in EFFORTS else "high"), exact and asked in EFFORTS
    meant = spec.effort.get(asked)
    if isinstance(meant, str):
        return meant, exact and meant == asked
    if asked in spec.levels:
        return asked, exact
    return (spec.levels[-1] if spec.levels else None), False


def _add_text(request: Request, target: Target, body: dict[str, Any], losses: list[Loss]) -> None:
    text: dict[str, Any] = dict((request.ext or {}).get(ORIGIN, {}).get("text", {}))
    if request.output is not None:
        _add_format(request.output, request, target, body, text, losses)
    verbosity = (request.ext or {}).get(SHARED, {}).get("verbosity")
    if verbosity is not None:
        if target.capabilities.verbosity:
            text["verbosity"] = verbosity
        else:
            losses.append(Loss("7.1:setting", request.where.field("verbosity"), f"{target.model} takes no verbosity"))
    if text:
        body["text"] = text


def _add_format(
    output: OutputFormat,
    request: Request,
    target: Target,
    body: dict[str, Any],
    text: dict[str, Any],
    losses: list[Loss],
) -> None:
    """The format where the model can be held to it, else words that ask for it, in front of the input."""
    able, path = target.capabilities, output.schema_at or request.where.field("response_format")
    if is_own(request):
        text["format"] = _format(output)
        return
    if output.kind == "json_schema" and able.json_schema and is_object(output.schema):
        text["format"] = _format(held(output, target, path, losses))
        return
    any_json = output.kind != "enum" and able.json_mode and (output.schema is None or is_object(output.schema))
    if any_json:
        text["format"] = {"type": "json_object"}
    asked = "JSON."
    if output.schema is not None:
        what = ONE_OF_THESE if output.kind == "enum" else "JSON that matches this JSON Schema"
        asked = f"{what}:\n{jsontext.dumps(output.schema)}"
    elif any_json and _speaks_of_json(request):
        return  # a body that does not is a 400 at OpenAI
    body["input"] = [{"role": able.system_role, "content": FORMAT_HINT + asked}, *body["input"]]
    if output.schema is not None or not any_json:
        losses.append(Loss("1.10:format", path, f"{target.model} cannot be held to this format; it is asked in words"))


def _speaks_of_json(request: Request) -> bool:
    """In the input: OpenAI does not look into the instructions."""
    parts = (part for message in request.messages if message.at != INSTRUCTIONS for part in message.parts)
    return any("json" in part.text.lower() for part in parts if isinstance(part, Text))


def _format(output: OutputFormat) -> dict[str, Any]:
    """All on one level; a schema has a name here."""
    if output.schema is None:
        return {"type": "json_object"}
    rendered: dict[str, Any] = {"type": "json_schema", "name": output.name or "response", "schema": output.schema}
    if output.description is not None:
        rendered["description"] = output.description
    if output.strict is not None:
        rendered["strict"] = output.strict
    return rendered


def _brings_seals(request: Request) -> bool:
    """Whether thoughts come back as a provider sealed them: their caller has asked for them, and does again."""
    return any(getattr(part, "signature", None) is not None for message in request.messages for part in message.parts)


def _user_of(metadata: Any) -> str | None:
    """Who asks, where that is all that a caller of another dialect says of it, in as many characters as OpenAI takes."""
    user = metadata.get("user_id") if isinstance(metadata, Mapping) and len(metadata) == 1 else None
    return user if isinstance(user, str) and 0 < len(user) <= LONGEST_USER else None


def _add_extras(request: Request, target: Target, body: dict[str, Any], losses: list[Loss]) -> None:
    """What has no neutral word, and what is always asked for on behalf of callers of other dialects."""
    include = body.pop("include", [])
    for origin, fields in (request.ext or {}).items():
        for name, value in fields.items():
            if origin == ORIGIN:
                if name == "reasoning":
                    body["reasoning"] = {**body.get("reasoning", {}), **value}
                elif name == "include":
                    include = [*include, *value]
                elif name != "text":
                    body[name] = value
            elif origin == SHARED and name in SHARED_FIELDS:
                body[name] = value
            elif name == "metadata" and USER not in target.refused and (user := _user_of(value)) is not None:
                body[USER] = user
            elif origin != SHARED or name != "verbosity":
                text = f"the Responses API has nothing for {name}"
                losses += unplaced(name, value, request.where, "7.1:setting", text)
    control = target.capabilities.thinking.control
    if not is_own(request):
        body.setdefault("store", False)
    unknown = control is ThinkingControl.ANY and is_own(request)
    if control is not ThinkingControl.NONE and (not unknown or _brings_seals(request)):
        include = [*include, SEALED]
    if include:
        body["include"] = include
