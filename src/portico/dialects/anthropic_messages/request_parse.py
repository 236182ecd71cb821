"""A Messages body as a request (mapping.md 7.1). Raises `InvalidRequest` with the path of what is wrong.

Fields the neutral model has no word for are kept in `ext["anthropic_messages"]`: the renderer of another dialect says of
each that it is lost.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from portico.core.errors import InvalidRequest
from portico.core.foreign import CACHE_MARKS
from portico.core.known import declared
from portico.core.loss import Where
from portico.core.parts import Part
from portico.core.request import Builtin, Message, OutputFormat, Request, Role, Sampling, Thinking, Tool, ToolChoice
from portico.dialects.anthropic_messages.blocks import Blocks
from portico.dialects.anthropic_messages.checks import (
    array_at,
    missing,
    object_at,
    string_at,
    take_bool,
    take_int,
    take_number,
    take_object,
    take_string,
    wrong_type,
)
from portico.dialects.anthropic_messages.errors import ThreadNotHeld
from portico.dialects.anthropic_messages.references import whole_references
from portico.dialects.anthropic_messages.words import BUILTINS, DATED, EFFORTS, ORIGIN, SERVER_TOOLS, ext_of

WHERE: Final = Where(
    fields={
        "stop": "$.stop_sequences",
        "response_format": "$.output_config.format",
        "parallel_tool_calls": "$.tool_choice.disable_parallel_tool_use",
        "thinking": "$.thinking",
    },
    message="$.messages.{at}",
    tool="$.tools.{at}",
)
MAX_TOKENS: Final = 2**31 - 1
_ROLES: Final[Mapping[str, Role]] = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_MODES: Final[Mapping[str, str]] = {"auto": "auto", "none": "none", "any": "required"}


def parse_request(body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
    """The request in a body of `POST /v1/messages`, or of its `count_tokens`."""
    fields = dict(object_at(body, "$"))
    asked = take_string(fields, "model") or model
    if not asked:
        raise missing("$.model")
    if fields.get("messages") is None:
        raise missing("$.messages")
    if fields.get("thread") is not None:  # what came before is nowhere in the body
        raise ThreadNotHeld(param="$.thread")
    blocks = Blocks()
    messages = [*_system(fields.pop("system", None), blocks), *_messages(fields.pop("messages"), blocks)]
    tools, builtins = declared(fields.pop("tools", None), ORIGIN, _tools)
    choice, parallel = _choice(fields.pop("tool_choice", None))
    config = dict(take_object(fields, "output_config") or {})
    output = _output(config.pop("format", None), "$.output_config.format") or _output(
        fields.pop("output_format", None), "$.output_format"
    )
    effort = _effort(config, "$.output_config")
    turn = next((message for message in reversed(messages) if message.effort is not None), None)
    opening, display = _thinking(fields.pop("thinking", None), effort)
    thinking = opening if turn is None else _since(opening, turn)
    streaming = take_bool(fields, "stream")
    sampling = Sampling(
        temperature=take_number(fields, "temperature", 0, 1),
        top_p=take_number(fields, "top_p", 0, 1),
        top_k=take_int(fields, "top_k", 0, MAX_TOKENS) or None,
        stop=_stops(fields.pop("stop_sequences", None)),
        max_tokens=take_int(fields, "max_tokens", 1, MAX_TOKENS),
    )
    tier = take_string(fields, "service_tier")
    extras = {**fields, **display, **({"output_config": config} if config else {})}
    if blocks.marked is not None:
        extras[CACHE_MARKS] = blocks.marked
    return Request(
        model=asked,
        messages=tuple(messages),
        tools=tools,
        builtins=builtins,
        tool_choice=choice,
        parallel_tool_calls=parallel,
        sampling=sampling,
        thinking=thinking,
        opening=None if turn is None else opening,
        output=output,
        service_tier="default" if tier == "standard_only" else None,
        stream=bool(streaming if stream is None else stream),
        include_usage=True,
        ext=ext_of(extras),
        where=_where(builtins, None if thinking.budget is not None else turn),
    )


def _since(opening: Thinking, turn: Message) -> Thinking:
    """How hard to think since a turn that has an effort of its own. A budget counts before any effort."""
    return replace(opening, effort=turn.effort, budget=None if opening.budget == -1 else opening.budget)


def _where(builtins: Sequence[Builtin], turn: Message | None) -> Where:
    """`turn`: where how hard to think stands in one."""
    paths = {tool.kind: WHERE.at_tool(tool.at) for tool in builtins}
    if turn is not None:
        paths["thinking"] = f"{WHERE.at_message(turn.at)}.output_config.effort"
    return WHERE.with_fields(paths)


def _system(value: Any, blocks: Blocks) -> list[Message]:
    if value is None or value == "" or value == []:
        return []
    return [Message(Role.SYSTEM, tuple(blocks.content(value, "$.system")))]


def _messages(value: Any, blocks: Blocks) -> list[Message]:
    messages = []
    for at, item in enumerate(array_at(value, "$.messages")):
        path = f"$.messages.{at}"
        message = object_at(item, path)
        said = message.get("role")
        role = _ROLES.get(said) if isinstance(said, str) else None
        if role is None:
            raise InvalidRequest(f"messages.{at}.role: one of user, assistant and system.", param=f"{path}.role")
        content = message.get("content")
        if len(message) == 2 and content is not None:  # nearly always
            messages.append(Message(role, tuple(blocks.content(content, f"{path}.content")), None, at))
            continue
        extras = {name: item for name, item in message.items() if name not in ("role", "content")}
        config = dict(take_object(extras, "output_config", path) or {})
        effort = _effort(config, f"{path}.output_config")
        if config:
            extras["output_config"] = config
        if content is None and effort is None:
            raise missing(f"{path}.content")
        parts: list[Part] = [] if content is None else blocks.content(content, f"{path}.content")
        messages.append(Message(role, tuple(parts), None, at, ext_of(extras), effort))
    return messages


def _tools(value: Any) -> tuple[tuple[Tool, ...], tuple[Builtin, ...]]:
    tools: list[Tool] = []
    builtins: list[Builtin] = []
    for at, item in enumerate([] if value is None else array_at(value, "$.tools")):
        path = f"$.tools.{at}"
        fields = dict(object_at(item, path))
        kind = fields.pop("type", None)
        if kind in (None, "custom"):
            tools.append(_tool(fields, at, path))
            continue
        kind = string_at(kind, f"{path}.type")
        stem = DATED.sub("", kind)
        plain = BUILTINS.get(stem)
        usual = {"type": kind, "name": stem} if plain is None else SERVER_TOOLS[plain]
        said = {name: value for name, value in {**fields, "type": kind}.items() if usual.get(name) != value}
        builtins.append(Builtin(plain or kind, at, ext_of(said), spare=True))
    return tuple(tools), tuple(builtins)


def _tool(fields: dict[str, Any], at: int, path: str) -> Tool:
    name = take_string(fields, "name", path)
    if not name:
        raise missing(f"{path}.name")
    schema = take_object(fields, "input_schema", path)
    return Tool(
        name=name,
        description=take_string(fields, "description", path),
        schema=whole_references(schema) if schema is not None else {"type": "object", "properties": {}},
        strict=take_bool(fields, "strict", path),
        at=at,
        ext=ext_of(fields),
        schema_at=".input_schema",
    )


def _choice(value: Any) -> tuple[ToolChoice | None, bool | None]:
    if value is None:
        return None, None
    fields = dict(object_at(value, "$.tool_choice"))
    disabled = take_bool(fields, "disable_parallel_tool_use", "$.tool_choice")
    parallel = None if disabled is None else not disabled
    kind = fields.get("type")
    if kind == "tool":
        name = string_at(fields.get("name"), "$.tool_choice.name")
        return ToolChoice("required", (name,)), parallel
    mode = _MODES.get(kind) if isinstance(kind, str) else None
    if mode is None:
        raise InvalidRequest("tool_choice.type: one of auto, any, tool and none.", param="$.tool_choice.type")
    return ToolChoice(mode), parallel


def _effort(config: dict[str, Any], path: str) -> str | None:
    """Of the request, or of a turn on its own (the beta of control by the turn); takes it out."""
    effort = take_string(config, "effort", path)
    if effort is not None and effort not in EFFORTS:
        message = f"{path.removeprefix('$.')}.effort: one of {', '.join(EFFORTS)}."
        raise InvalidRequest(message, param=f"{path}.effort")
    return effort


def _thinking(value: Any, effort: str | None) -> tuple[Thinking, dict[str, Any]]:
    """How hard to think, and whether to show it. Thoughts are shown unless `display` says otherwise."""
    if value is None:
        return Thinking(effort=effort), {}
    fields = dict(object_at(value, "$.thinking"))
    kind, display = fields.get("type"), fields.get("display")
    show = display != "omitted"
    rest = {name: one for name, one in fields.items() if name not in ("type", "budget_tokens", "display")}
    extras: dict[str, Any] = {"thinking": rest} if rest else {}
    match kind:
        case "enabled":
            budget = take_int(fields, "budget_tokens", 0, MAX_TOKENS, "$.thinking")
            return Thinking(budget=budget if budget is not None else -1, effort=effort, show=show), extras
        case "adaptive":
            return Thinking(budget=None if effort else -1, effort=effort, show=show), extras
        case "disabled":
            return Thinking(budget=0, effort=effort), extras
        case "between_tools":
            return Thinking(budget=0, effort=effort), {"thinking": {**rest, "type": kind}}
    raise InvalidRequest(
        "thinking.type: one of enabled, adaptive, disabled and between_tools.", param="$.thinking.type"
    )


def _output(value: Any, path: str) -> OutputFormat | None:
    if value is None:
        return None
    fields = object_at(value, path)
    if fields.get("type") != "json_schema":
        raise InvalidRequest(f"{path.removeprefix('$.')}.type: only json_schema is known.", param=f"{path}.type")
    schema = object_at(fields.get("schema"), f"{path}.schema")
    name = fields.get("name")
    name = name if isinstance(name, str) else None
    return OutputFormat("json_schema", schema, name, schema_at=f"{path}.schema", enforced=True)


def _stops(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong_type("$.stop_sequences", "an array", value)
    return tuple([string_at(text, f"$.stop_sequences.{at}") for at, text in enumerate(value)])
