"""A request for a provider that speaks Chat: OpenAI, Azure, and the servers that imitate them.

What a model takes is asked of its capabilities (`core/target.py`), never of its name. What another dialect's caller asked
for and nobody there understands is left out and told; the provider sees no field that OpenAI's reference does not have, but
those that a caller of this dialect gave itself.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import Rendered
from portico.core.errors import UnsupportedParameter
from portico.core.foreign import unplaced
from portico.core.loss import Loss
from portico.core.parts import Text
from portico.core.request import FORMAT_HINT, ONE_CALL_HINT, ONE_OF_THESE, OutputFormat, Request
from portico.core.small_limits import guarded
from portico.core.target import Target
from portico.dialects.openai.efforts import takes_usual
from portico.dialects.openai.formats import held
from portico.dialects.openai.refusals import MAX_TOKENS_FIELD
from portico.dialects.openai.strictness import is_object
from portico.dialects.openai_chat.effort import reasoning_effort, thinks
from portico.dialects.openai_chat.extra_content import ORIGIN
from portico.dialects.openai_chat.messages_for import MessagesRenderer
from portico.dialects.openai_chat.tools_for import choice_for, tools_for
from portico.dialects.openai_chat.wire_names import wire_names
from portico.wire import jsontext

_OLD_LIMIT: Final = "max_tokens"
_NEW_LIMIT: Final = "max_completion_tokens"
_TIERS: Final[Mapping[str, str]] = {
    **{word: word for word in ("auto", "default", "flex", "priority", "scale")},
    "fast": "priority",
    "standard": "default",
    "standard_only": "default",
}
"""A service tier as anybody says it -> OpenAI's word."""
_SHARED: Final = frozenset({"user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"})
"""Fields that the Responses API has, too, with the same meaning."""
_RESPONSES: Final = "openai_responses"
_HEADS: Final = ("system", "developer")


def render_for(request: Request, target: Target) -> Rendered:
    """The body for an upstream model. Raises `UnsupportedParameter` for functions where the model has none."""
    if request.tools and not target.capabilities.tools:
        message = f"{target.model} cannot call functions."
        raise UnsupportedParameter(message, param=request.where.field("tools"))
    losses: list[Loss] = []
    request = guarded(request, target, losses)
    names = wire_names([tool.name for tool in request.tools])
    messages = MessagesRenderer(request, target, names, losses).render()
    body: dict[str, Any] = {"model": target.model or request.model, "messages": messages}
    effort = reasoning_effort(request, target, losses)
    _add_sampling(body, request, target, losses, thinking=thinks(effort, target))
    _add_limits(body, request, target, losses)
    if effort is not None:
        body["reasoning_effort"] = effort
    _add_tools(body, request, target, names, losses)
    _add_output(body, request, target, losses)
    _add_modalities(body, request, target, losses)
    _add_tier(body, request, target, losses)
    _add_extras(body, request, target, losses)
    if request.stream:
        body["stream"] = True
        if "stream_options" not in target.refused:  # nobody could charge a stream without counts
            body["stream_options"] = {**body.get("stream_options", {}), "include_usage": True}
    return Rendered(body, losses, {wire: name for name, wire in names.items()})


# -- sampling and limits ---------------------------------------------------------------------------------------------


def _add_sampling(
    body: dict[str, Any], request: Request, target: Target, losses: list[Loss], *, thinking: bool
) -> None:
    able, sampling, where = target.capabilities, request.sampling, request.where

    def lose(code: str, name: str, why: str) -> None:
        losses.append(Loss(code, where.field(name), f"{target.model} {why}"))

    drawn = able.sampling and (able.sampling_while_thinking or not thinking)
    for name in ("temperature", "top_p", "top_k"):
        value = getattr(sampling, name)
        if value is None:
            continue
        if not drawn and not takes_usual(name, value, target):
            lose("1.1:sampling", name, f"takes no {name}" if not able.sampling else f"takes no {name} while it thinks")
        elif name == "top_k" and able.judged and not target.own:
            lose("1.1:sampling", name, "takes no top_k")
        elif name == "top_p" and "temperature" in body and not able.temperature_with_top_p:
            lose("1.1:sampling", name, "takes a temperature or top_p, not both")
        elif name == "temperature" and value > able.temperature_max:
            body[name] = able.temperature_max
            lose("1.1:sampling", name, f"takes temperatures up to {able.temperature_max:g}")
        else:
            body[name] = value
    for name in ("presence_penalty", "frequency_penalty"):
        value = getattr(sampling, name)
        if value is not None and able.penalties:
            body[name] = value
        elif value:
            lose("1.1:penalties", name, "takes no penalties")
    if sampling.seed is not None:
        if able.seed:
            body["seed"] = sampling.seed
        else:
            lose("1.1:seed", "seed", "takes no seed")
    if sampling.n is not None and sampling.n > 1:
        if (count := min(sampling.n, able.max_candidates)) > 1:
            body["n"] = count
        if sampling.n > able.max_candidates:
            lose("1.1:n", "n", f"gives at most {able.max_candidates} answer(s) to a call; {sampling.n} were asked for")
    elif sampling.n is not None and target.own:
        body["n"] = sampling.n
    _add_logprobs(body, request, target, losses, drawn=drawn)


def _add_logprobs(body: dict[str, Any], request: Request, target: Target, losses: list[Loss], *, drawn: bool) -> None:
    sampling, where = request.sampling, request.where
    if not sampling.logprobs and not sampling.top_logprobs:
        if sampling.logprobs is not None and target.own:
            body["logprobs"] = sampling.logprobs
        return
    if not sampling.logprobs:
        path = where.field("top_logprobs")
        losses.append(Loss("1.1:logprobs", path, "without logprobs there are no top ones"))
        return
    if not target.capabilities.logprobs:
        raise UnsupportedParameter(f"{target.model} gives no logprobs.", param=where.field("logprobs"))
    if "logprobs" in target.refused or not drawn:
        losses.append(Loss("1.1:logprobs", where.field("logprobs"), f"{target.model} gives no logprobs here"))
        return
    body["logprobs"] = True
    if sampling.top_logprobs is not None:
        body["top_logprobs"] = sampling.top_logprobs


def _add_limits(body: dict[str, Any], request: Request, target: Target, losses: list[Loss]) -> None:
    able, sampling, where = target.capabilities, request.sampling, request.where
    if sampling.max_tokens is not None:
        field = able.max_tokens_field
        if target.own and not able.judged:
            field = _OLD_LIMIT if where.field("max_tokens") == f"$.{_OLD_LIMIT}" else _NEW_LIMIT
        if MAX_TOKENS_FIELD in target.refused:
            field = _NEW_LIMIT if field == _OLD_LIMIT else _OLD_LIMIT
        body[field] = min(sampling.max_tokens, able.max_output_tokens)
        if sampling.max_tokens > able.max_output_tokens:
            message = f"{target.model} writes at most {able.max_output_tokens} tokens"
            losses.append(Loss("1.1:max_tokens", where.field("max_tokens"), message))
    if stop := [text for text in sampling.stop if text]:
        most = 0 if "stop" in target.refused else able.stop_max
        if most:
            body["stop"] = stop[:most]
        if len(stop) > most:
            message = f"{target.model} takes {most or 'no'} stop sequences; {len(stop)} were given"
            losses.append(Loss("7.1:chat_stop", where.field("stop"), message))


# -- tools -----------------------------------------------------------------------------------------------------------


def _add_tools(
    body: dict[str, Any], request: Request, target: Target, names: Mapping[str, str], losses: list[Loss]
) -> None:
    where = request.where
    for tool in request.builtins:
        if tool.kind == "web_search" and target.capabilities.search_in_chat and target.capabilities.builtin_tools:
            body["web_search_options"] = dict((tool.ext or {}).get(ORIGIN, {}))
        else:
            message = f"{target.model} has no {tool.kind} in Chat Completions"
            losses.append(Loss("7.1:builtin", where.field(tool.kind), message))
    choice = request.tool_choice
    if not request.tools:
        if choice is not None and choice.mode not in ("auto", "none"):
            path = where.field("tool_choice")
            losses.append(Loss("1.13:choice", path, "there are no functions to choose among"))
        return
    body["tools"] = tools_for(request, target, names, losses)
    if choice is not None:
        body["tool_choice"] = choice_for(choice, request, target, names, losses)
    if request.parallel_tool_calls is None:
        return
    if target.capabilities.parallel_choice and "parallel_tool_calls" not in target.refused:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    elif not request.parallel_tool_calls:
        _say(body, ONE_CALL_HINT, target)
        message = f"{target.model} has no switch for parallel calls; it was told in words, which it may not heed"
        losses.append(Loss("1.13:parallel", where.field("parallel_tool_calls"), message))


def _say(body: dict[str, Any], hint: str, target: Target) -> None:
    """Puts words of the gateway's own behind the system text."""
    messages: list[dict[str, Any]] = body["messages"]
    behind = next((at for at, message in enumerate(messages) if message["role"] not in _HEADS), len(messages))
    role = messages[0]["role"] if behind else target.capabilities.system_role
    messages.insert(behind, {"role": role, "content": hint})


# -- what the answer shall be ----------------------------------------------------------------------------------------


def _add_output(body: dict[str, Any], request: Request, target: Target, losses: list[Loss]) -> None:
    output, able = request.output, target.capabilities
    if output is None:
        return
    path = output.schema_at or request.where.field("response_format")
    if target.own:
        named = output.schema is not None or output.name is not None  # OpenAI takes a name alone for any JSON
        body["response_format"] = json_schema(output) if named else {"type": "json_object"}
        return
    if able.json_schema and output.kind == "json_schema" and is_object(output.schema):
        body["response_format"] = json_schema(held(output, target, path, losses))
        return
    if output.schema is not None:
        what = ONE_OF_THESE if output.kind == "enum" else "JSON that matches this JSON Schema"
        _say(body, f"{FORMAT_HINT}{what}:\n{jsontext.dumps(output.schema)}", target)
        losses.append(Loss("1.10:format", path, f"{target.model} cannot be held to this format; it is asked in words"))
    if output.kind == "enum" or not (output.schema is None or is_object(output.schema)):
        return
    if able.json_mode:
        body["response_format"] = {"type": "json_object"}
        if output.schema is None and not _speaks_of_json(request):
            _say(body, f"{FORMAT_HINT}JSON.", target)  # a body that does not is a 400 at OpenAI
    elif output.schema is None:
        _say(body, f"{FORMAT_HINT}JSON, without a code fence around it.", target)
        losses.append(Loss("1.10:format", path, f"{target.model} cannot be held to JSON; it is asked in words"))


def json_schema(output: OutputFormat) -> dict[str, Any]:
    """A format that is held to a schema. OpenAI demands a name."""
    described: dict[str, Any] = {"name": output.name or "response"}
    if output.description is not None:
        described["description"] = output.description
    if output.strict is not None:
        described["strict"] = output.strict
    if output.schema is not None:
        described["schema"] = output.schema
    return {"type": "json_schema", "json_schema": described}


def _speaks_of_json(request: Request) -> bool:
    parts = (part for message in request.messages for part in message.parts)
    return any("json" in part.text.lower() for part in parts if isinstance(part, Text))


def _add_modalities(body: dict[str, Any], request: Request, target: Target, losses: list[Loss]) -> None:
    wanted = [one for one in request.modalities if one != "text"]
    made = target.capabilities.output_modalities if target.capabilities.judged else {*wanted, "audio"}
    strange = [one for one in wanted if one not in made]
    if strange:
        path = request.where.field("modalities")
        losses.append(Loss("7.1:chat_modalities", path, f"{target.model} makes no {', '.join(strange)}"))
    kept = [one for one in request.modalities if one not in strange]
    if kept and kept != ["text"]:
        body["modalities"] = kept
    if request.speech is None:
        return
    if "audio" not in made:
        losses.append(Loss("1.15:speech", request.where.field("audio"), f"{target.model} does not speak"))
        return
    said = {"voice": request.speech.voice, "format": request.speech.format}
    body["audio"] = {name: value for name, value in said.items() if value is not None}
    if not target.own:
        body["audio"].setdefault("voice", "alloy")
        body["audio"].setdefault("format", "pcm16" if request.stream else "wav")


def _add_tier(body: dict[str, Any], request: Request, target: Target, losses: list[Loss]) -> None:
    tier = request.service_tier
    if tier is None:
        return
    word = tier if target.own else _TIERS.get(tier)
    if word is None or "service_tier" in target.refused:
        path = request.where.field("service_tier")
        losses.append(Loss("7.1:chat_tier", path, f"{target.model} is served in no tier {tier!r} here"))
    else:
        body["service_tier"] = word


def _add_extras(body: dict[str, Any], request: Request, target: Target, losses: list[Loss]) -> None:
    """Fields that the neutral model has no word for: a Chat caller's go as they are, what the Responses API shares too."""
    for origin, fields in (request.ext or {}).items():
        for name, value in fields.items():
            shared = origin == ORIGIN or (origin == _RESPONSES and name in _SHARED)
            refused = name in target.refused or (name == "verbosity" and not target.capabilities.verbosity)
            if shared and not refused:
                body[name] = {**body[name], **value} if name == "audio" and "audio" in body else value
                continue
            message = f"{target.model} has nothing for {name} here"
            losses += unplaced(name, value, request.where, "1.1:unsupported", message)
