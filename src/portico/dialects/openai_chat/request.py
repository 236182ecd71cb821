"""Chat Completions request <-> neutral request (mapping.md 1.1, 1.7, 1.10 to 1.15).

Reading checks every type and bound and names the parameter that is wrong. Fields the neutral model has no word for are kept
in `ext["openai_chat"]`: the renderer of another dialect says of each that it is lost.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from portico.core.dialect import Rendered
from portico.core.errors import InvalidRequest
from portico.core.foreign import unplaced
from portico.core.loss import Loss, Where
from portico.core.request import Builtin, OutputFormat, Request, Sampling, Speech, Thinking, Tool, ToolChoice
from portico.core.target import Target
from portico.dialects.openai.checks import (
    object_at,
    optional_int,
    optional_number,
    optional_string,
    string_at,
    take_bool,
    take_int,
    take_object,
    take_word,
    wrong_type,
)
from portico.dialects.openai_chat.extra_content import GOOGLE_EXT, GOOGLE_KINDS, ORIGIN
from portico.dialects.openai_chat.google import (
    GoogleExtras,
    is_unknown,
    is_web_search_option,
    render_google,
    safety_settings,
    search_options,
    take_google,
)
from portico.dialects.openai_chat.messages import parse_messages
from portico.dialects.openai_chat.messages_render import render_messages
from portico.dialects.openai_chat.modalities import take_image_config, take_modalities, take_speech
from portico.dialects.openai_chat.request_render import json_schema, render_for
from portico.dialects.openai_chat.tools import parse_tools, render_choice, render_tools

WHERE: Final = Where(
    fields={
        "max_tokens": "$.max_completion_tokens",
        "thinking": "$.reasoning_effort",
        "web_search": "$.web_search_options",
    },
    message="$.messages[{at}]",
    tool="$.tools[{at}]",
)
_LIMIT_BY_ITS_OLD_NAME: Final = Where({**WHERE.fields, "max_tokens": "$.max_tokens"}, WHERE.message, WHERE.tool)
_NO_OPTIONS: Final[Mapping[str, Any]] = {}
_NO_TOOLS: Final[tuple[tuple[Tool, ...], Sequence[Builtin], ToolChoice | None]] = ((), (), None)
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
TIERS: Final = ("auto", "default", "flex", "scale", "priority", "fast")
MAX_TOKENS: Final = 2**31 - 1
_UNSAID: Final[Mapping[str, Any]] = {"logit_bias": {}, "verbosity": "medium"}
"""Fields that the neutral model has no word for, and the value that says as much as leaving them out."""
INT64: Final = 2**63


def parse_request(body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
    """A Chat Completions body as a request. Raises `InvalidRequest` with the path of what is wrong."""
    fields = dict(body if type(body) is dict else object_at(body, "$"))
    asked = fields.pop("model", None)
    asked = (asked if type(asked) is str else optional_string(asked, "$.model")) or model
    if not asked:
        raise InvalidRequest("Missing required parameter: 'model'.", param="$.model")
    if fields.get("messages") is None:
        raise InvalidRequest("Missing required parameter: 'messages'.", param="$.messages")
    if _PLAIN_FIELDS.issuperset(fields):
        return _plain_request(fields, asked, stream)
    where = _where(fields)
    google = take_google(fields) or GoogleExtras()
    image = take_image_config(fields, google.paths)
    messages = parse_messages(fields.pop("messages"), google.thought_tag)
    tools, builtins, choice = parse_tools(fields)
    asks_for_details = fields.get("reasoning") is not None or fields.get("include_reasoning") is True
    asks_to_stream = take_bool(fields, "stream")
    streaming = bool(asks_to_stream if stream is None else stream)
    options = take_object(fields, "stream_options") or {}
    cost = (take_object(fields, "usage") or {}).get("include") is True
    legacy = "functions" in fields
    fields.pop("functions", None)
    return Request(
        model=asked,
        messages=messages,
        tools=tools,
        builtins=(*builtins, *_web_search(fields), *google.builtins),
        tool_choice=choice,
        parallel_tool_calls=take_bool(fields, "parallel_tool_calls"),
        sampling=_sampling(fields),
        thinking=_thinking(fields, google),
        output=_output(fields) or google.output,
        modalities=take_modalities(fields),
        speech=take_speech(fields, streaming=streaming),
        service_tier=take_word(fields, "service_tier", TIERS),
        stream=streaming,
        include_usage=options.get("include_usage") is True or cost,
        include_cost=cost,
        legacy_functions=legacy,
        reasoning_details=asks_for_details,
        thought_tag=google.thought_tag,
        where=where.with_fields({tool.kind: WHERE.at_tool(tool.at) for tool in builtins} | google.paths),
        ext=_ext(fields, google, image),
    )


def _plain_request(fields: dict[str, Any], model: str, stream: bool | None) -> Request:
    """The request of a body with no other fields than nearly all have: the rest need not be asked for."""
    where = _LIMIT_BY_ITS_OLD_NAME if "max_tokens" in fields else WHERE
    if where is not WHERE and (fields["max_tokens"] is None or fields.get("max_completion_tokens") is not None):
        where = WHERE
    messages = parse_messages(fields.pop("messages"))
    tools, builtins, choice = parse_tools(fields) if "tools" in fields or "tool_choice" in fields else _NO_TOOLS
    asks_to_stream = take_bool(fields, "stream") if "stream" in fields else None
    options = (take_object(fields, "stream_options") if "stream_options" in fields else None) or _NO_OPTIONS
    if builtins:
        where = where.with_fields({tool.kind: WHERE.at_tool(tool.at) for tool in builtins})
    return Request(
        model=model,
        messages=messages,
        tools=tools,
        builtins=tuple(builtins),
        tool_choice=choice,
        sampling=_sampling(fields) if fields else UNSAMPLED,
        stream=bool(asks_to_stream if stream is None else stream),
        include_usage=options.get("include_usage") is True,
        where=where,
    )


def _where(fields: Mapping[str, Any]) -> Where:
    """Where the fields that Chat has several names for stand in this body."""
    own: dict[str, str] = {}
    if fields.get("max_completion_tokens") is None and fields.get("max_tokens") is not None:
        own["max_tokens"] = "$.max_tokens"
    for name in ("thinking", "reasoning"):
        if fields.get(name) is not None:
            own["thinking"] = f"$.{name}"
    tool = WHERE.tool if fields.get("functions") is None or fields.get("tools") is not None else "$.functions[{at}]"
    return Where({**WHERE.fields, **own}, WHERE.message, tool) if own or tool != WHERE.tool else WHERE


def _ext(fields: Mapping[str, Any], google: GoogleExtras, image: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
    """What is left: fields of Chat that the neutral model has no word for, and Google's own."""
    own = {name: value for name, value in fields.items() if value is not None and value != _UNSAID.get(name)}
    gemini = dict(google.fields)
    for name, native, check in (
        ("safety_settings", "safetySettings", safety_settings),
        ("cached_content", "cachedContent", string_at),
    ):
        if name in own:
            gemini.setdefault(native, check(own.pop(name), f"$.{name}"))
    if image:
        config = gemini.get("generationConfig", {})
        gemini["generationConfig"] = {**config, "imageConfig": {**image, **config.get("imageConfig", {})}}
    ext = {ORIGIN: own} if own else {}
    if gemini:
        ext[GOOGLE_EXT] = gemini
    return ext or None


_NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
_INTEGERS: Final[Mapping[str, tuple[int, int]]] = {
    "top_k": (1, MAX_TOKENS),
    "seed": (-INT64, INT64 - 1),
    "max_tokens": (1, MAX_TOKENS),
    "n": (1, 128),
    "top_logprobs": (0, 20),
}
"""Fields of sampling and their bounds."""
UNSAMPLED: Final = Sampling()
_PLAIN_FIELDS: Final = frozenset(
    {
        *("messages", "tools", "tool_choice", "stream", "stream_options"),
        *(*_NUMBERS, *_INTEGERS, "max_completion_tokens", "stop", "logprobs"),
    }
)
"""What is left of most bodies once their model is taken out. Each is read alone: no other field changes what it means."""


def _sampling(fields: dict[str, Any]) -> Sampling:
    said: dict[str, Any] = {}
    for name, (low, high) in _NUMBERS.items():
        if name in fields:
            number = fields.pop(name)
            fits = (type(number) is float or type(number) is int) and low <= number <= high
            said[name] = number if fits else optional_number(number, f"$.{name}", low, high)
    for name, (least, most) in _INTEGERS.items():
        if name in fields:
            whole = fields.pop(name)
            fits = type(whole) is int and least <= whole <= most
            said[name] = whole if fits else optional_int(whole, f"$.{name}", least, most)
    if "max_completion_tokens" in fields:
        completion = take_int(fields, "max_completion_tokens", 1, MAX_TOKENS)
        said["max_tokens"] = said.get("max_tokens") if completion is None else completion
    if "stop" in fields:
        said["stop"] = _stop(fields)
    if "logprobs" in fields:
        said["logprobs"] = take_bool(fields, "logprobs")
    return Sampling(**said)


def _stop(fields: dict[str, Any]) -> tuple[str, ...]:
    stop = fields.pop("stop", None)
    if stop is None:
        return ()
    if isinstance(stop, str):
        return (stop,) if stop else ()
    if not isinstance(stop, list):
        raise wrong_type("$.stop", "a string or an array of strings", stop)
    return tuple([text for i, text in enumerate(stop) if string_at(text, f"$.stop[{i}]")])


UNSTEERED: Final = Thinking()
_OF_THINKING: Final = frozenset({"reasoning_effort", "include_reasoning", "reasoning", "thinking"})


def _thinking(fields: dict[str, Any], google: GoogleExtras) -> Thinking:
    """Every spelling of "think this hard" in use: OpenAI's, OpenRouter's, Anthropic's, Google's (which wins)."""
    if google.thinking is None and fields.keys().isdisjoint(_OF_THINKING):
        return UNSTEERED
    effort = take_word(fields, "reasoning_effort", EFFORTS)
    show = take_bool(fields, "include_reasoning")
    budget: int | None = None
    reasoning = dict(take_object(fields, "reasoning") or {})
    if reasoning:
        effort = take_word(reasoning, "effort", EFFORTS) or effort
        budget = take_int(reasoning, "max_tokens", 0, MAX_TOKENS)
        if reasoning.get("enabled") is False:
            effort = "none"
        if isinstance(reasoning.get("exclude"), bool):
            show = not reasoning["exclude"]
    anthropic = dict(take_object(fields, "thinking") or {})
    if anthropic.get("type") == "disabled":
        effort = "none"
    elif anthropic.get("type") == "enabled":
        budget = take_int(anthropic, "budget_tokens", 0, MAX_TOKENS)
        show = anthropic.get("display") != "omitted"
    own = google.thinking or Thinking()
    show = own.show if own.show is not None else show
    if own.steered:
        return Thinking(effort, own.budget, own.level, show)
    return Thinking(effort, budget, show=show)


def _output(fields: dict[str, Any]) -> OutputFormat | None:
    format_ = take_object(fields, "response_format")
    if format_ is None:
        return None
    kind = format_.get("type")
    path = "$.response_format"
    if kind == "text":
        return None
    if kind == "json_object":
        at = "schema" if format_.get("schema") else "response_schema"
        if not format_.get(at):
            return OutputFormat("json")
        at_path = f"{path}.{at}"
        return OutputFormat("json_schema", object_at(format_[at], at_path), schema_at=at_path)
    if kind != "json_schema":
        raise InvalidRequest(
            f"Unknown response format {kind!r}; known are text, json_object, json_schema.", param=f"{path}.type"
        )
    given = object_at(format_.get("json_schema"), f"{path}.json_schema")
    schema = given.get("schema")
    name, description = given.get("name"), given.get("description")
    return OutputFormat(
        "json" if schema is None else "json_schema",
        None if schema is None else object_at(schema, f"{path}.json_schema.schema"),
        name=None if name is None else string_at(name, f"{path}.json_schema.name"),
        strict=given.get("strict") if isinstance(given.get("strict"), bool) else None,
        description=None if description is None else string_at(description, f"{path}.json_schema.description"),
        schema_at=f"{path}.json_schema.schema",
    )


def _web_search(fields: dict[str, Any]) -> list[Builtin]:
    options = take_object(fields, "web_search_options")
    if options is None:
        return []
    given = {name: value for name, value in options.items() if value is not None}
    return [Builtin("web_search", ext={ORIGIN: given} if given else None)]


# -- the other way ---------------------------------------------------------------------------------------------------


def render_request(request: Request, target: Target) -> Rendered:
    """The body for an endpoint that speaks Chat Completions. One of Google's kinds knows what this dialect says by Google's
    extension (mapping.md 1.9); others are told what OpenAI has words for."""
    if target.provider_kind not in GOOGLE_KINDS:
        return render_for(request, target)
    losses: list[Loss] = []
    body: dict[str, Any] = {"model": target.model or request.model, "messages": render_messages(request, losses)}
    sampling = request.sampling
    for name in ("temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty", "n", "logprobs"):
        value = getattr(sampling, name)
        if value is not None:
            body[name] = value
    if sampling.top_logprobs is not None:
        body["top_logprobs"] = sampling.top_logprobs
    if sampling.max_tokens is not None:
        body["max_completion_tokens"] = sampling.max_tokens
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if request.tools:
        body["tools"] = render_tools(request, losses)
    if request.tool_choice is not None and request.tools:
        body["tool_choice"] = render_choice(request.tool_choice)
    elif request.tool_choice is not None and request.tool_choice.mode != "auto":
        losses.append(Loss("1.13:choice", request.where.field("tool_choice"), "there are no functions to choose among"))
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    if request.thinking.effort is not None:
        body["reasoning_effort"] = request.thinking.effort
    if request.output is not None and request.output.kind != "enum":
        body["response_format"] = _render_output(request.output)
    if request.modalities:
        body["modalities"] = list(request.modalities)
    if request.service_tier is not None:
        body["service_tier"] = request.service_tier
    for tool in request.builtins:
        if is_web_search_option(tool):
            body["web_search_options"] = search_options(tool, request.where, losses)
        elif is_unknown(tool):
            losses.append(Loss("7.1:builtin", request.where.field(tool.kind), f"Chat has no tool {tool.kind}"))
        elif options := [
            name for origin, fields in (tool.ext or {}).items() if origin != GOOGLE_EXT for name in fields
        ]:
            text = f"{tool.kind} has no place for {', '.join(options)}"
            losses.append(Loss("1.14:builtin", request.where.field(tool.kind), text))
    if request.include_cost:
        body["usage"] = {"include": True}
    if request.stream:
        body["stream"] = True
        if request.include_usage:
            body["stream_options"] = {"include_usage": True}
    for origin, fields in (request.ext or {}).items():
        if origin == ORIGIN:
            body.update(fields)
        elif origin != GOOGLE_EXT:
            for name, value in fields.items():
                losses += unplaced(name, value, request.where, "7.1:setting", f"Chat has nothing for {name}")
    if request.speech is not None:
        body["audio"] = {**body.get("audio", {}), **_render_speech(request.speech)}
    google = render_google(request)
    if google:
        body["extra_body"] = {"google": google}
    return Rendered(body, losses)


def _render_speech(speech: Speech) -> dict[str, Any]:
    said = {"voice": speech.voice, "format": speech.format}
    return {name: value for name, value in said.items() if value is not None}


def _render_output(output: OutputFormat) -> dict[str, Any]:
    return {"type": "json_object"} if output.schema is None and output.name is None else json_schema(output)
