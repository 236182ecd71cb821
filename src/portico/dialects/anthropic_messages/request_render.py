"""A request as a Messages body for a Claude model (mapping.md 7.1, 7.5).

What the model cannot be told is left out and told as a loss. Which fields a model takes is asked of its capabilities.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from portico.core.dialect import Rendered
from portico.core.flat_schema import flattened
from portico.core.foreign import CACHE_MARKS, unplaced
from portico.core.grammar import grammar_in_words
from portico.core.loss import Loss
from portico.core.request import FORMAT_HINT, FREE_TEXT, ONE_OF_THESE, Builtin, Request, Tool
from portico.core.small_limits import guarded
from portico.core.target import Target
from portico.dialects.anthropic_messages.messages_render import MessageRenderer, Names
from portico.dialects.anthropic_messages.sampling import render_sampling
from portico.dialects.anthropic_messages.schemas import Closed, fit, strict_schemas
from portico.dialects.anthropic_messages.thinking import Thoughts, render_thinking
from portico.dialects.anthropic_messages.words import DATED, ORIGIN, SERVER_TOOLS, own
from portico.wire import jsontext

CONTINUE: Final = "Continue."
"""What follows an answer that was begun for a model that does not go on from one (mapping.md 7.5, 21)."""
CLOSED: Final = "an enforced schema has no properties beside those it names"
LONGEST_USER: Final = 512
"""Characters of `metadata.user_id`."""
_MOST_MARKS: Final = 4
"""`A maximum of 4 blocks with cache_control may be provided.`"""
_UNSAID: Final[tuple[Any, ...]] = (None, "", [], {})


def render_request(request: Request, target: Target) -> Rendered:
    """The body for one model. Raises `InvalidRequest` for a file of a type that no Claude takes."""
    losses: list[Loss] = []
    request = guarded(request, target, losses)
    names = Names(request)
    renderer = MessageRenderer(request, target, names, losses)
    system, messages = renderer.system(), renderer.messages()
    able = target.capabilities
    body: dict[str, Any] = {"model": target.model, "messages": messages}
    extras = dict((request.ext or {}).get(ORIGIN, {}))
    extras.pop(CACHE_MARKS, None)
    config: dict[str, Any] = dict(extras.pop("output_config", {}))
    tools = _tools(request, target, names, losses)
    opening = _as_it_opened(request) if renderer.keeps_efforts else request
    thoughts = render_thinking(opening, target, messages, losses)
    body |= render_sampling(request, target, losses, thinks=thoughts.on, budget=thoughts.budget)
    if (hint := _output(request, target, config, losses)) is not None:
        system.append({"type": "text", "text": hint})
    if system:
        plain = len(system) == 1 and system[0].keys() == {"type", "text"}
        body["system"] = system[0]["text"] if plain else system
    more = dict(extras.pop("thinking", {}))
    if able.judged and (kind := more.pop("type", None)) is not None and (thoughts.wire or {}).get("type") == "disabled":
        losses.append(Loss("1.7:thinking", request.where.field("thinking"), f"this model has no thinking {kind}"))
    if thoughts.wire is not None:
        body["thinking"] = {**thoughts.wire, **more}
    if thoughts.effort is not None:
        config["effort"] = thoughts.effort
    if config:
        body["output_config"] = config
    if tools:
        body["tools"] = tools
    if not target.own:
        _few_marks([*system, *[block for message in messages for block in message["content"]]])
    _add_choice(body, request, target, thoughts, losses, names)
    said = [message for message in messages if message["content"]]
    if able.judged and said[-1]["role"] == "assistant":
        path, goes_on = request.where.field("messages"), able.prefill and not thoughts.on
        _begin_answer(messages, said[-1]["content"], path, losses, goes_on=goes_on)
    _add_tier(body, request, losses)
    if request.stream:
        body["stream"] = True
    _tell_ext(request, body, losses)
    return Rendered({**body, **extras}, losses, names.back)


def _as_it_opened(request: Request) -> Request:
    """The request, asking for what it says itself of thinking: what its turns say since stands in them."""
    if request.opening is None:
        return request
    where = request.where.with_fields({"thinking": "$.thinking"})
    return replace(request, thinking=replace(request.opening, show=request.thinking.show), where=where)


def _few_marks(blocks: list[Any]) -> None:
    """No more marks of the cache than Anthropic takes: the last, up to which most may be cached."""
    marked: list[dict[str, Any]] = []
    for block in blocks:
        inner = block.get("content")
        marked += [one for one in (inner if isinstance(inner, list) else ()) if "cache_control" in one]
        marked += [block] if "cache_control" in block else []
    for block in marked[:-_MOST_MARKS]:
        del block["cache_control"]


def _begin_answer(
    messages: list[dict[str, Any]], blocks: list[dict[str, Any]], path: str, losses: list[Loss], *, goes_on: bool
) -> None:
    """An answer that the caller began: a model that does not go on from one, or not while it thinks, is asked to."""
    begun = blocks[-1]
    if not goes_on:
        messages.append({"role": "user", "content": [{"type": "text", "text": CONTINUE}]})
        losses.append(Loss("7.5:prefill", path, "this model does not go on from the beginning of an answer"))
    elif begun["type"] == "text" and begun["text"] != begun["text"].rstrip():
        blocks[-1] = {**begun, "text": begun["text"].rstrip()}
        losses.append(Loss("7.5:prefill", path, "the beginning of an answer ends without white space here"))


def _output(request: Request, target: Target, config: dict[str, Any], losses: list[Loss]) -> str | None:
    """The format of the answer; a sentence that asks for it where the model cannot be held to it."""
    output = request.output
    if output is None:
        return None
    able, path = target.capabilities, request.where.field("response_format")
    if output.name is not None or output.strict is not None or output.description is not None:
        losses.append(Loss("1.10:name", path, "a schema has no name and no strict flag at Anthropic"))
    if output.schema is not None and output.kind == "json_schema" and (able.json_schema or not able.judged):
        if not able.judged:
            config["format"] = {"type": "json_schema", "schema": output.schema}
            return None
        closed = Closed(output.schema)
        if closed.schema is not None and fit([closed.schema]):
            if closed.narrowed:
                losses.append(Loss("7.5:closed", path, CLOSED))
            if closed.dropped:
                losses.append(Loss("1.11:schema", path, f"not enforced: {', '.join(sorted(closed.dropped))}"))
            config["format"] = {"type": "json_schema", "schema": closed.schema}
            return None
    losses.append(Loss("1.10:format", path, "the format is asked for in words"))
    if output.schema is None:
        return f"{FORMAT_HINT}JSON, without any text around it."
    schema = jsontext.encode(output.schema).decode()
    if output.kind == "enum":
        return f"{FORMAT_HINT}{ONE_OF_THESE}: {schema}"
    return f"{FORMAT_HINT}JSON that fits this JSON Schema, without any text around it: {schema}"


# -- tools -----------------------------------------------------------------------------------------------------------


def _tools(request: Request, target: Target, names: Names, losses: list[Loss]) -> list[dict[str, Any]]:
    judged = target.capabilities.judged
    strict = strict_schemas(request.tools) if judged else {}
    tools = [
        _tool(tool, request, names, losses, judged=judged, strict=strict.get(place))
        for place, tool in enumerate(request.tools)
    ]
    for builtin in request.builtins:
        made = _builtin(builtin, request, target, losses)
        if made is not None:
            tools.append(made)
    return tools


def _tool(
    tool: Tool,
    request: Request,
    names: Names,
    losses: list[Loss],
    *,
    judged: bool,
    strict: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """`strict`: the schema that the tool is held to, where it can be."""
    schema, description = strict or tool.schema, tool.description
    if tool.kind == "custom":
        schema = FREE_TEXT
        if grammar := grammar_in_words(tool, own=ORIGIN):
            at = request.where.at_tool(tool.at)
            losses.append(Loss("1.12:grammar", at, "a grammar is told in the description and not enforced"))
            description = f"{description or ''}\n\n{grammar}".strip()
    wire: dict[str, Any] = {"name": names.of(tool.name)}
    if description is not None:
        wire["description"] = description
    if judged and schema is not None and (flat := flattened(schema)) is not schema:
        losses.append(Loss("1.11:schema", request.where.at_tool(tool.at), "no unions at the top of a tool's schema"))
        schema = flat
    wire["input_schema"] = _schema(schema, judged=judged)
    if tool.strict and tool.kind != "custom" and strict is not None and strict != tool.schema:
        losses.append(Loss("7.5:closed", request.where.at_tool(tool.at), CLOSED))
    if tool.strict and strict is None and judged:
        losses.append(
            Loss("1.12:strict", request.where.at_tool(tool.at), "this schema cannot be enforced at Anthropic")
        )
    elif tool.strict is not None:
        wire["strict"] = tool.strict
    foreign = [name for origin, fields in (tool.ext or {}).items() if origin != ORIGIN for name in fields]
    if tool.kind == "custom":
        foreign = [name for name in foreign if name != "format"]
    if foreign:
        losses.append(Loss("1.12:tool_ext", request.where.at_tool(tool.at), f"no place for {', '.join(foreign)}"))
    return {**wire, **own(tool.ext)}


def _schema(schema: Mapping[str, Any] | None, *, judged: bool) -> Mapping[str, Any]:
    """Anthropic wants an object's schema that says so."""
    if schema is None:
        return {"type": "object", "properties": {}}
    return schema if "type" in schema or not judged else {"type": "object", **schema}


def _builtin(builtin: Builtin, request: Request, target: Target, losses: list[Loss]) -> dict[str, Any] | None:
    said, path = own(builtin.ext), request.where.field(builtin.kind)
    known = SERVER_TOOLS.get(builtin.kind)
    if known is None and DATED.search(builtin.kind):
        known = {"type": builtin.kind, "name": DATED.sub("", builtin.kind)}
    if known is None or (target.capabilities.judged and not target.capabilities.builtin_tools):
        losses.append(Loss("7.1:builtin", path, f"Anthropic has no tool {builtin.kind}"))
        return None
    if any(fields for origin, fields in (builtin.ext or {}).items() if origin != ORIGIN):
        losses.append(Loss("1.14:builtin", path, "an option of a built-in tool that Anthropic has no place for"))
    return {**known, **said}


def _add_choice(
    body: dict[str, Any], request: Request, target: Target, thoughts: Thoughts, losses: list[Loss], names: Names
) -> None:
    choice, able = request.tool_choice, target.capabilities
    wire: dict[str, Any] = {}
    where = request.where.field("tool_choice")
    if choice is not None and "tools" not in body:
        losses.append(Loss("1.13:choice", where, "a tool choice without tools"))
        choice = None
    if choice is not None:
        if choice.mode == "validated":
            losses.append(Loss("1.12:validated", where, "Anthropic has no mode of its own for calls that must fit"))
        wire = {"type": {"none": "none", "required": "any"}.get(choice.mode, "auto")}
        if choice.mode == "required" and len(choice.names) == 1:
            wire = {"type": "tool", "name": names.of(choice.names[0])}
        elif choice.names:
            losses.append(Loss("1.13:choice", where, "Anthropic's choice is of one tool or of all"))
        forced = wire["type"] in ("any", "tool")
        if able.judged and forced and (not able.forced_tools or (thoughts.on and not able.forced_tools_while_thinking)):
            losses.append(Loss("1.13:choice", where, "this model cannot be made to call a tool while it thinks"))
            wire = {"type": "auto"}
    if request.parallel_tool_calls is not None and "tools" in body:
        wire = {**(wire or {"type": "auto"}), "disable_parallel_tool_use": not request.parallel_tool_calls}
        if wire["type"] == "none" or (request.parallel_tool_calls and choice is None):
            del wire["disable_parallel_tool_use"]
            wire = wire if choice is not None else {}
    if wire:
        body["tool_choice"] = wire


# -- the rest --------------------------------------------------------------------------------------------------------


def _add_tier(body: dict[str, Any], request: Request, losses: list[Loss]) -> None:
    match request.service_tier:
        case "default":
            body["service_tier"] = "standard_only"
        case None | "auto":
            pass
        case other:
            where = request.where.field("service_tier")
            losses.append(Loss("1.1:service_tier", where, f"Anthropic has no tier {other}"))


def _tell_ext(request: Request, body: dict[str, Any], losses: list[Loss]) -> None:
    """Fields of other dialects: who the user is has a place here."""
    if (made := [one for one in request.modalities if one != "text"]) and request.speech is None:
        where = request.where.field("modalities")
        losses.append(Loss("7.1:modalities", where, f"Claude answers in text and makes no {', '.join(made)}"))
    if request.speech is not None:
        losses.append(Loss("1.15:speech", request.where.field("audio"), "Claude does not speak"))
    for origin, fields in (request.ext or {}).items():
        if origin == ORIGIN:
            continue
        user = fields.get("safety_identifier") or fields.get("user")
        if isinstance(user, str) and 0 < len(user) <= LONGEST_USER:
            body["metadata"] = {"user_id": user}
        for name, value in fields.items():
            if value in _UNSAID:
                continue
            code = "1.1:ignored" if name == "logprobs" else "1.1:unsupported"
            losses += unplaced(name, value, request.where, code, f"Anthropic has nothing for {name}")
