"""Neutral request -> generateContent body (mapping.md 1.1 to 1.3, 1.6, 1.7, 1.10 to 1.16).

Built from an allow-list: a key Google does not know is a 400, so nothing a caller invented is forwarded. What the model
cannot do is left out and told as a loss; what would change the meaning of the answer is refused.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import Rendered
from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.foreign import unplaced
from portico.core.grammar import grammar_in_words
from portico.core.known import KnownTools
from portico.core.loss import Loss
from portico.core.request import GOOGLE_BUILTINS, ONE_CALL_HINT, Builtin, Request, Tool, ToolChoice
from portico.core.target import Target
from portico.dialects.gemini.backend import settle_backend
from portico.dialects.gemini.builtins import location_hints, render_builtin
from portico.dialects.gemini.contents import FILLER, ContentsRenderer, media_resolution
from portico.dialects.gemini.modalities import settle_image_config, settle_modalities
from portico.dialects.gemini.parts import ORIGIN
from portico.dialects.gemini.pictures import settle_picture
from portico.dialects.gemini.schema_walk import Budget
from portico.dialects.gemini.structured import add_output, format_hint, parameters
from portico.dialects.gemini.thinking import thinking_config
from portico.wire import jsontext

MAX_STOP_SEQUENCES: Final = 5
MAX_DECLARATIONS: Final = 512
MAX_NAME_CHARACTERS: Final = 64
FIRST_WITH_VALIDATED: Final = (2, 5)
"""From this generation on a call can be held to its schema while text stays possible (1.12, 1.13)."""
_SAMPLING: Final = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}
_LOSS_BYTES: Final = 300
"""About what a loss takes in memory beside its message."""
MAX_PENALTY: Final = 1.99
"""Google's penalties end before 2."""

_MODES: Final[Mapping[str, str]] = {"auto": "AUTO", "none": "NONE", "required": "ANY", "validated": "VALIDATED"}
_TIERS: Final[Mapping[str, str]] = {"flex": "flex", "priority": "priority", "fast": "priority"}
_OF_OPERATIONS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("openai_speech", "speed"): ("5.3:speed", "Google's voices have no speed; an instruction may ask for one in words"),
    ("openai_transcriptions", "timestamps"): (
        "5.4:timestamps",
        "the times are what the model makes of the recording, not measured",
    ),
    ("openai_transcriptions", "include"): ("5.4:include", "a transcript comes without logprobs"),
    ("openai_transcriptions", "chunking_strategy"): ("5.4:chunking", "the recording is heard as a whole"),
}
"""Fields of OpenAI's operations beside chat, by their dialect, that no model of Google's has."""
_NO_NAMES: Final[Mapping[str, str]] = {}
_BAD_NAME_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_.:-]")


def render_request(request: Request, target: Target) -> Rendered:
    """The body for `target`. Raises `InvalidRequest` for what Google would refuse, with the path in the caller's body."""
    if len(request.tools) > MAX_DECLARATIONS:
        raise InvalidRequest(f"At most {MAX_DECLARATIONS} tools are possible.", param=request.where.field("tools"))
    names = _names_of(request) if request.tools else _NO_NAMES
    renderer = ContentsRenderer(request, target, names)
    system = renderer.system()
    if request.parallel_tool_calls is False and request.tools and target.capabilities.judged:
        system.append({"text": ONE_CALL_HINT})
    if request.builtins:
        system += [{"text": hint} for hint in location_hints(request.builtins)]
    if request.output is not None and (hint := format_hint(request, target)) is not None:
        system.append({"text": hint})
    contents = renderer.contents()
    losses = renderer.losses
    body: dict[str, Any] = {"contents": contents}
    if system:
        if target.capabilities.system_instruction:
            body["systemInstruction"] = {"parts": system}
        else:
            _inline_system(system, contents)
            losses.append(
                Loss("1.2:system_inline", request.where.field("messages"), "system text opens the first turn")
            )
    config = _generation_config(request, target, losses)
    if request.tools or request.builtins or request.tool_choice is not None:
        tools, tool_config = _tools(request, target, names, losses)
        if tools:
            body["tools"] = tools
        if tool_config:
            body["toolConfig"] = tool_config
    if request.ext or request.service_tier is not None:
        _add_extras(request, target, body, config, losses)
    if target.capabilities.judged:
        if "imageConfig" in config:
            settle_image_config(request, target, config)
        if request.picture is not None:
            settle_picture(request.picture, request.where, target, config, losses)
    if config:
        body["generationConfig"] = config
    if target.capabilities.judged and (request.builtins or request.ext or "toolConfig" in body):
        _settle_backend(request, target, body, losses)
    return Rendered(body, losses, {wire: name for name, wire in names.items()} if names else names)


def _settle_backend(request: Request, target: Target, body: dict[str, Any], losses: list[Loss]) -> None:
    """What this backend refuses, and what a cache already holds: sending it again is a 400 (0, 1.16)."""
    if request.builtins or ORIGIN in (request.ext or ()):  # nobody else brings what only one of them knows
        losses += settle_backend(body, target.provider_kind, request.where)
    declared = "tools" in body and any("functionDeclarations" in tool for tool in body["tools"])
    if not declared and "toolConfig" in body and body["toolConfig"].pop("functionCallingConfig", None) is not None:
        message = "there are no functions to call"
        losses.append(Loss("1.13:choice", request.where.field("tool_choice"), message))
        if not body["toolConfig"]:
            del body["toolConfig"]
    if "cachedContent" in body:
        held = [name for name in ("systemInstruction", "tools", "toolConfig") if body.pop(name, None) is not None]
        if held:
            message = f"the cached content holds its own {', '.join(held)}; those of the request were not sent"
            losses.append(Loss("1.16:cached_content", request.where.field("cached_content"), message))


def _inline_system(system: list[dict[str, Any]], contents: list[dict[str, Any]]) -> None:
    """Models without a system slot get its text at the head of the first user turn (1.2, Gemma)."""
    first = contents[0]["parts"]
    contents[0]["parts"] = system + [part for part in first if part != FILLER]


# -- generationConfig ------------------------------------------------------------------------------------------------


def _generation_config(request: Request, target: Target, losses: list[Loss]) -> dict[str, Any]:
    sampling, able, where = request.sampling, target.capabilities, request.where
    config: dict[str, Any] = {}
    if not able.sampling:
        _tell_sampling(request, target, losses)
    else:
        if sampling.temperature is not None:
            config["temperature"] = sampling.temperature
        if sampling.top_p is not None:
            config["topP"] = sampling.top_p
        if sampling.top_k is not None:
            config["topK"] = sampling.top_k
    if sampling.max_tokens is not None:
        config["maxOutputTokens"] = min(sampling.max_tokens, able.max_output_tokens)
        if sampling.max_tokens > able.max_output_tokens:
            message = f"{target.model} writes at most {able.max_output_tokens} tokens"
            losses.append(Loss("1.1:max_tokens", where.field("max_tokens"), message))
    if sampling.stop and (stop := [text for text in sampling.stop if text]):
        if len(stop) > MAX_STOP_SEQUENCES:
            message = f"At most {MAX_STOP_SEQUENCES} stop sequences are possible."
            raise InvalidRequest(message, param=where.field("stop"))
        config["stopSequences"] = stop
    if sampling.seed is not None:
        _add_seed(sampling.seed, request, target, config, losses)
    if sampling.presence_penalty is not None or sampling.frequency_penalty is not None:
        _add_penalties(request, target, config, losses)
    if sampling.n is not None or sampling.logprobs or sampling.top_logprobs:
        _add_choices(request, target, config, losses)
    thinking, told = thinking_config(request.thinking, sampling.max_tokens, target, where)
    if told and "thinking" not in request.ours:
        losses += told
    if thinking:
        config["thinkingConfig"] = thinking
    if request.output is not None:
        add_output(request, target, config, losses)
    settle_modalities(request, target, config, losses)
    if not able.part_resolution and (resolution := media_resolution(request)):
        config["mediaResolution"] = resolution
    return config


def _tell_sampling(request: Request, target: Target, losses: list[Loss]) -> None:
    """That a model takes no temperature, and what goes with it."""
    asked = [name for name in _SAMPLING if getattr(request.sampling, name) is not None and name not in request.ours]
    if asked:
        wire = ", ".join([_SAMPLING[name] for name in asked])
        losses.append(Loss("1.1:sampling", request.where.field(asked[0]), f"{target.model} ignores {wire}"))


def _add_seed(seed: int, request: Request, target: Target, config: dict[str, Any], losses: list[Loss]) -> None:
    path = request.where.field("seed")
    if not target.capabilities.seed:
        losses.append(Loss("1.1:seed", path, f"{target.model} takes no seed"))
        return
    config["seed"] = (seed + 2**31) % 2**32 - 2**31
    if config["seed"] != seed:
        losses.append(Loss("1.1:seed", path, f"folded into 32 bits: {config['seed']}"))


def _add_penalties(request: Request, target: Target, config: dict[str, Any], losses: list[Loss]) -> None:
    for name, wire in (("presence_penalty", "presencePenalty"), ("frequency_penalty", "frequencyPenalty")):
        value = getattr(request.sampling, name)
        if value is None:
            continue
        if not target.capabilities.penalties:
            if value:
                losses.append(Loss("1.1:penalties", request.where.field(name), f"{target.model} takes no penalties"))
            continue
        config[wire] = min(value, MAX_PENALTY)
        if value > MAX_PENALTY:
            losses.append(Loss("1.1:penalties", request.where.field(name), f"clamped to {MAX_PENALTY}"))


def _add_choices(request: Request, target: Target, config: dict[str, Any], losses: list[Loss]) -> None:
    sampling, able = request.sampling, target.capabilities
    if sampling.n is not None and sampling.n > able.max_candidates:
        # Who can asks several times instead (1.1): then no more than that comes here.
        message = f"{target.model} gives at most {able.max_candidates} answer(s) to a call; {sampling.n} were asked for"
        losses.append(Loss("1.1:n", request.where.field("n"), message))
    if sampling.n is not None and min(sampling.n, able.max_candidates) > 1:
        config["candidateCount"] = min(sampling.n, able.max_candidates)
    if sampling.logprobs and "logprobs" in target.refused:
        losses.append(Loss("1.1:logprobs", request.where.field("logprobs"), f"{target.model} gives no logprobs here"))
    elif sampling.logprobs:
        if not able.logprobs and target.provider_kind != "vertex":
            raise UnsupportedParameter(f"{target.model} gives no logprobs.", param=request.where.field("logprobs"))
        config["responseLogprobs"] = True
        if sampling.top_logprobs:
            config["logprobs"] = sampling.top_logprobs
    elif sampling.top_logprobs:
        losses.append(
            Loss("1.1:logprobs", request.where.field("top_logprobs"), "without logprobs there are no top ones")
        )


# -- tools -----------------------------------------------------------------------------------------------------------


def _names_of(request: Request) -> Mapping[str, str]:
    """`wire_names`, found out once for tools that come with every turn."""
    tools = request.tools
    if not isinstance(tools, KnownTools):
        return wire_names(request)
    names: Mapping[str, str] | None = tools.made((ORIGIN, "names"))
    if names is None:
        names = wire_names(request)
        tools.keep((ORIGIN, "names"), names)
    return names


def wire_names(request: Request) -> dict[str, str]:
    """Tool names that Google would refuse -> the names they go by on the wire (1.12).

    A name must start with a letter or `_` and hold letters, digits and `_.:-`, 64 at most; collisions get `_2`.
    """
    taken = {tool.name for tool in request.tools}
    renamed: dict[str, str] = {}
    for tool in request.tools:
        name = _BAD_NAME_CHARACTER.sub("_", tool.name)
        if not (name[:1].isalpha() or name[:1] == "_"):
            name = "_" + name
        name = name[:MAX_NAME_CHARACTERS]
        if name == tool.name:
            continue
        base, number = name, 2
        while name in taken:
            name = f"{base[: MAX_NAME_CHARACTERS - 4]}_{number}"
            number += 1
        taken.add(name)
        renamed[tool.name] = name
    return renamed


def _tools(
    request: Request, target: Target, names: Mapping[str, str], losses: list[Loss]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All functions in one Tool object, then the provider's own tools; and toolConfig."""
    where, able = request.where, target.capabilities
    if request.tools and not able.tools:
        raise UnsupportedParameter(f"{target.model} cannot call functions.", param=where.field("tools"))
    validated = bool(request.tools and request.tools[0].strict) and _all_validated(request, target)
    if validated:
        message = "strict tools are enforced all together, by the mode VALIDATED"
        losses.append(Loss("1.12:validated", where.field("tools"), message))
    declarations = _known_declarations(request, target, names, losses, validated=validated) if request.tools else []
    tools: list[dict[str, Any]] = [{"functionDeclarations": declarations}] if declarations else []
    for builtin in _provided(request, target, losses, functions=bool(declarations)) if request.builtins else ():
        if (provided := render_builtin(builtin, losses, request)) not in tools:  # asked for in two ways, it is one tool
            tools.append(provided)
    config: dict[str, Any] = {}
    calling = _calling_config(request, names) if declarations and request.tool_choice is not None else {}
    if validated:
        calling = {"mode": "VALIDATED"}
    if calling:
        config["functionCallingConfig"] = calling
    if request.tool_choice is not None and request.tool_choice.mode != "auto" and not declarations:
        losses.append(Loss("1.13:choice", where.field("tool_choice"), "there are no functions to choose among"))
    if tools[bool(declarations) :] and not able.builtin_tools:
        raise UnsupportedParameter(f"{target.model} has no tools of its own.", param=where.field("tools"))
    mixed = declarations and tools[1:]
    if mixed and not able.builtin_with_functions:
        message = f"{target.model} takes either functions or its own tools, not both."
        raise UnsupportedParameter(message, param=where.field("tools"))
    if mixed and target.provider_kind == "gemini":
        config["includeServerSideToolInvocations"] = True
    if request.parallel_tool_calls is False and declarations:
        message = "Gemini has no switch for parallel calls; it was told to make one at a time, which it may not heed"
        losses.append(Loss("1.13:parallel", where.field("parallel_tool_calls"), message))
    return tools, config


def _provided(request: Request, target: Target, losses: list[Loss], *, functions: bool) -> Iterator[Builtin]:
    """The tools of the provider's own that are asked for. What agents declare as a matter of course is left out where
    Google has none, or none beside functions."""
    able = target.capabilities
    impossible = not able.builtin_tools or (functions and not able.builtin_with_functions)
    for builtin in request.builtins:
        unknown = builtin.kind not in GOOGLE_BUILTINS.values()
        if builtin.spare and (unknown or impossible):
            text = f"{target.model} has no tool {builtin.kind}" + (
                " beside functions" if functions and not unknown else ""
            )
            losses.append(Loss("7.1:builtin", request.where.field(builtin.kind), text))
        else:
            yield builtin


def _known_declarations(
    request: Request, target: Target, names: Mapping[str, str], losses: list[Loss], *, validated: bool
) -> Any:
    """The declarations of all tools. For tools that come with every turn they are kept, ready to be sent, and so are their
    losses: they follow from the tools, from how paths are told, and from what of the target `_declarations` looks at."""
    tools, able = request.tools, target.capabilities
    if not isinstance(tools, KnownTools):
        return _declarations(request, target, names, losses, validated=validated)
    key = (ORIGIN, request.where.tool, validated, able.judged, able.json_schema_form)
    made = tools.made(key)
    if made is None:
        told: list[Loss] = []
        body = jsontext.encode(_declarations(request, target, names, told, validated=validated))
        made = msgspec.Raw(body), told
        tools.keep(key, made, len(body) + sum([_LOSS_BYTES + len(loss.message) for loss in told]))
    losses += made[1]
    return made[0]


def _declarations(
    request: Request, target: Target, names: Mapping[str, str], losses: list[Loss], *, validated: bool
) -> list[dict[str, Any]]:
    where = request.where
    seen: set[str] = set()
    declarations = []
    budget = Budget()
    for tool in request.tools:
        if tool.name in seen:
            raise InvalidRequest(f"Duplicate tool name {tool.name!r}.", param=where.at_tool(tool.at))
        seen.add(tool.name)
        if tool.strict and not validated:
            message = "one tool cannot be made strict at Google; calls follow their schema as far as the model does"
            losses.append(Loss("1.12:strict", where.at_tool(tool.at), message))
        declaration = _declaration(tool, names, losses, request)
        declaration.update(parameters(tool, request, target, budget, losses))
        declarations.append(declaration)
    return declarations


def _all_validated(request: Request, target: Target) -> bool:
    """Whether the mode VALIDATED says what the tools say: all are strict, and calling them is free (1.12)."""
    choice = request.tool_choice
    free = choice is None or (choice.mode == "auto" and not choice.names)
    newer = target.capabilities.generation >= FIRST_WITH_VALIDATED
    return bool(request.tools) and free and newer and all(tool.strict for tool in request.tools)


def _declaration(tool: Tool, names: Mapping[str, str], losses: list[Loss], request: Request) -> dict[str, Any]:
    declaration: dict[str, Any] = {"name": names.get(tool.name, tool.name)}
    if tool.ext is None:
        if tool.description is not None:
            declaration["description"] = tool.description
        return declaration
    grammar = grammar_in_words(tool, own=ORIGIN)
    description = "\n\n".join([text for text in (tool.description, grammar) if text is not None])
    if description or tool.description is not None:
        declaration["description"] = description
    extras = dict((tool.ext or {}).get(ORIGIN, {}))
    declaration.update(extras)
    foreign = [name for origin, fields in (tool.ext or {}).items() if origin != ORIGIN for name in fields]
    if grammar is not None:
        foreign.remove("format")
        message = "a grammar is told in the description and not enforced"
        losses.append(Loss("1.12:grammar", request.where.at_tool(tool.at), message))
    if foreign:
        losses.append(Loss("1.12:tool_ext", request.where.at_tool(tool.at), f"no place for {', '.join(foreign)}"))
    return declaration


def _calling_config(request: Request, names: Mapping[str, str]) -> dict[str, Any]:
    choice: ToolChoice | None = request.tool_choice
    if choice is None or (choice.mode == "auto" and not choice.names):
        return {}
    declared = {tool.name for tool in request.tools}
    for name in choice.names:
        if name not in declared:
            message = f"The tool choice names {name!r}, which is not among the tools."
            raise InvalidRequest(message, param=request.where.field("tool_choice"))
    mode = "VALIDATED" if choice.names and choice.mode == "auto" else _MODES[choice.mode]
    config: dict[str, Any] = {"mode": mode}
    if choice.names:
        config["allowedFunctionNames"] = [names.get(name, name) for name in choice.names]
    return config


# -- what only Google or only the caller's dialect has ---------------------------------------------------------------


def _add_extras(
    request: Request, target: Target, body: dict[str, Any], config: dict[str, Any], losses: list[Loss]
) -> None:
    where = request.where
    tier = request.service_tier
    if tier is not None and tier not in ("auto", "default", "scale"):
        if target.provider_kind != "gemini":
            losses.append(Loss("1.1:service_tier", where.field("service_tier"), "Vertex takes the tier as a header"))
        elif (word := tier if target.own else _TIERS.get(tier)) is not None:
            body["serviceTier"] = word
        else:
            losses.append(Loss("1.1:service_tier", where.field("service_tier"), f"Gemini has no tier {tier}"))
    for origin, fields in (request.ext or {}).items():
        if origin == ORIGIN:
            _merge_own(fields, body, config)
            continue
        for name, value in fields.items():
            usual = "1.1:unsupported", f"Gemini has nothing for {name}"
            code, message = _OF_OPERATIONS.get((origin, name), usual)
            losses += unplaced(name, value, where, code, message)


def _merge_own(fields: Mapping[str, Any], body: dict[str, Any], config: dict[str, Any]) -> None:
    """Google's own fields go back where they came from; what the neutral model said stands."""
    for name, value in fields.items():
        if name == "generationConfig":
            config.update(value)
        elif name == "toolConfig":
            into = body.setdefault("toolConfig", {})
            for key, item in value.items():
                into[key] = {**item, **into.get(key, {})} if isinstance(item, dict) else item
        else:
            body.setdefault(name, value)
