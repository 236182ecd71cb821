"""A body of POST /v1/responses -> neutral request (mapping.md 7.1).

`previous_response_id` and item references are resolved before: the relay keeps answers and puts their items in front of the
new ones (`relay/stored.py`). Where it did not, what they name is the provider's to know.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.loss import Where
from portico.core.parts import Text
from portico.core.request import Message, OutputFormat, Request, Role, Sampling, Thinking
from portico.dialects.openai.checks import (
    missing,
    object_at,
    optional_bool,
    optional_int,
    optional_number,
    optional_string,
    optional_word,
    string_at,
    wrong_type,
)
from portico.dialects.openai_responses.content import ORIGIN, SHARED
from portico.dialects.openai_responses.items import MAX_ITEMS, ItemsReader
from portico.dialects.openai_responses.state import NO_BACKGROUND
from portico.dialects.openai_responses.tools import BRINGING, Declared, parse_brought, parse_choice, parse_tools

WHERE: Final = Where(
    fields={
        "max_tokens": "$.max_output_tokens",
        "thinking": "$.reasoning.effort",
        "messages": "$.input",
        "response_format": "$.text.format",
        "verbosity": "$.text.verbosity",
        "logprobs": "$.include",
    },
    message="$.input[{at}]",
    tool="$.tools[{at}]",
)
INSTRUCTIONS: Final = -1
"""`Message.at` of what stands in no item."""
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
SUMMARIES: Final = ("auto", "concise", "detailed", "none")
TIERS: Final = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
VERBOSITIES: Final = ("low", "medium", "high")
TRUNCATIONS: Final = ("auto", "disabled")
MAX_TOKENS: Final = 2**31 - 1
LOGPROBS: Final = "message.output_text.logprobs"
SEALED: Final = "reasoning.encrypted_content"
ECHOED: Final = (
    *("instructions", "tools", "tool_choice", "truncation", "parallel_tool_calls", "text", "temperature", "top_p"),
    *("presence_penalty", "frequency_penalty", "top_logprobs", "reasoning", "max_output_tokens", "max_tool_calls"),
    *("store", "background", "service_tier", "metadata", "safety_identifier", "prompt_cache_key", "user"),
    *("previous_response_id", "prompt_cache_retention", "conversation", "include"),
)
"""Fields that an answer repeats."""
SHARED_FIELDS: Final = (
    *("store", "metadata", "user", "safety_identifier", "moderation"),
    *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
)
"""Fields that Chat Completions has too, where they mean the same."""
_UNSAID: Final[Mapping[str, Any]] = {"truncation": "disabled", "background": False}
"""Fields without a neutral word, and the value that says as much as leaving them out."""
_TYPED: Final = (
    *("metadata", "client_metadata", "stream_options", "prompt_cache_options"),
    *("user", "safety_identifier", "prompt_cache_key", "previous_response_id"),
)


def is_own(request: Request) -> bool:
    """Whether the caller speaks this dialect itself."""
    return request.where.message == WHERE.message


def parse_request(body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
    """A Responses body as a request. Raises `InvalidRequest` with the path of what is wrong."""
    fields = dict(object_at(body, "$"))
    echo = {name: fields[name] for name in ECHOED if fields.get(name) is not None}
    asked = optional_string(fields.pop("model", None), "$.model") or model
    if not asked:
        raise missing("$.model")
    if optional_bool(fields.get("background"), "$.background"):
        raise UnsupportedParameter(NO_BACKGROUND, param="$.background")
    _check(fields)
    declared = parse_tools(fields.pop("tools", None))
    parse_brought(fields.get("input"), declared)
    if declared.brought:
        echo[BRINGING] = [tool for at in declared.brought for tool in fields["input"][at]["tools"]]
    choice, own_choice = parse_choice(fields.pop("tool_choice", None), declared.namespaces)
    asks_to_stream = optional_bool(fields.pop("stream", None), "$.stream")
    fields.pop("stream_options", None)
    include = _include(fields)
    messages = _messages(fields, declared)
    return Request(
        model=asked,
        messages=messages,
        tools=declared.all_tools(),
        builtins=tuple(declared.builtins),
        tool_choice=choice,
        parallel_tool_calls=optional_bool(fields.pop("parallel_tool_calls", None), "$.parallel_tool_calls"),
        sampling=_sampling(fields, logprobs=LOGPROBS in include),
        thinking=_thinking(fields),
        output=_output(fields),
        service_tier=optional_word(fields.pop("service_tier", None), "$.service_tier", TIERS),
        stream=bool(asks_to_stream if stream is None else stream),
        include_usage=True,
        echo=echo,
        where=_where(declared),
        ext=_ext(fields, include, own_choice),
    )


def _check(fields: Mapping[str, Any]) -> None:
    """The types of fields that are told on as they are."""
    for name in _TYPED:
        value = fields.get(name)
        if value is not None:
            (string_at if name in ("user", *_TYPED[4:]) else object_at)(value, f"$.{name}")
    optional_bool(fields.get("store"), "$.store")
    optional_int(fields.get("max_tool_calls"), "$.max_tool_calls", 1, MAX_TOKENS)
    optional_word(fields.get("truncation"), "$.truncation", TRUNCATIONS)


def _where(declared: Declared) -> Where:
    if not declared.builtins and not declared.elsewhere:
        return WHERE
    where = Where(WHERE.fields, WHERE.message, WHERE.tool, declared.elsewhere)
    return where.with_fields({tool.kind: where.at_tool(tool.at) for tool in declared.builtins})


def _include(fields: dict[str, Any]) -> tuple[str, ...]:
    value = fields.pop("include", None)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong_type("$.include", "an array of strings", value)
    return tuple([string_at(word, f"$.include[{i}]") for i, word in enumerate(value)])


def _messages(fields: dict[str, Any], declared: Declared) -> tuple[Message, ...]:
    instructions, given = fields.pop("instructions", None), fields.pop("input", None)
    stands_alone = not (fields.get("previous_response_id") or fields.get("conversation"))
    if given is None and stands_alone and fields.get("prompt") is None:
        raise missing("$.input")
    messages: list[Message] = []
    if instructions is not None:
        text = string_at(instructions, "$.instructions")
        if text:
            messages.append(Message(Role.SYSTEM, (Text(text),), at=INSTRUCTIONS))
    if isinstance(given, str):
        messages.append(Message(Role.USER, (Text(given),), at=0))
    elif given is not None:
        if not isinstance(given, list):
            raise wrong_type("$.input", "a string or an array of items", given)
        if len(given) > MAX_ITEMS:
            raise InvalidRequest(f"At most {MAX_ITEMS} items are possible.", param="$.input")
        messages += ItemsReader(declared.namespaces, stands_alone=stands_alone, brought=declared.brought).parse(given)
    return tuple(messages)


def _sampling(fields: dict[str, Any], *, logprobs: bool) -> Sampling:
    return Sampling(
        temperature=optional_number(fields.pop("temperature", None), "$.temperature", 0, 2),
        top_p=optional_number(fields.pop("top_p", None), "$.top_p", 0, 1),
        presence_penalty=optional_number(fields.pop("presence_penalty", None), "$.presence_penalty", -2, 2),
        frequency_penalty=optional_number(fields.pop("frequency_penalty", None), "$.frequency_penalty", -2, 2),
        max_tokens=optional_int(fields.pop("max_output_tokens", None), "$.max_output_tokens", 1, MAX_TOKENS),
        logprobs=True if logprobs else None,
        top_logprobs=optional_int(fields.pop("top_logprobs", None), "$.top_logprobs", 0, 20),
    )


def _thinking(fields: dict[str, Any]) -> Thinking:
    given = fields.pop("reasoning", None)
    if given is None:
        return Thinking()
    reasoning = dict(object_at(given, "$.reasoning"))
    effort = optional_word(reasoning.pop("effort", None), "$.reasoning.effort", EFFORTS)
    older = optional_word(reasoning.pop("generate_summary", None), "$.reasoning.generate_summary", SUMMARIES)
    summary = optional_word(reasoning.pop("summary", None), "$.reasoning.summary", SUMMARIES) or older
    left = {name: value for name, value in reasoning.items() if value is not None}
    if summary not in (None, "auto", "none"):
        left["summary"] = summary
    if left:
        fields["reasoning"] = left
    return Thinking(effort, show=None if summary is None else summary != "none")


def _output(fields: dict[str, Any]) -> OutputFormat | None:
    given = fields.pop("text", None)
    if given is None:
        return None
    text = dict(object_at(given, "$.text"))
    verbosity = optional_word(text.pop("verbosity", None), "$.text.verbosity", VERBOSITIES)
    if verbosity not in (None, "medium"):
        fields["verbosity"] = verbosity
    format_ = text.pop("format", None)
    left = {name: value for name, value in text.items() if value is not None}
    if left:
        fields["text"] = left
    return None if format_ is None else _format(object_at(format_, "$.text.format"))


def _format(given: Mapping[str, Any]) -> OutputFormat | None:
    path = "$.text.format"
    kind = string_at(given.get("type"), f"{path}.type")
    if kind == "text":
        return None
    if kind == "json_object":
        return OutputFormat("json")
    if kind != "json_schema":
        known = "text, json_object, json_schema"
        raise InvalidRequest(f"Unknown text format {kind[:100]!r}; known are {known}.", param=f"{path}.type")
    return OutputFormat(
        "json_schema",
        object_at(given.get("schema"), f"{path}.schema"),
        name=optional_string(given.get("name"), f"{path}.name"),
        strict=optional_bool(given.get("strict"), f"{path}.strict"),
        description=optional_string(given.get("description"), f"{path}.description"),
        schema_at=f"{path}.schema",
    )


def _ext(fields: dict[str, Any], include: tuple[str, ...], own_choice: Any) -> dict[str, dict[str, Any]] | None:
    """What is left. That sealed thoughts are wanted needs no word: they are always told."""
    told: dict[str, Any] = {name: fields.pop(name, None) for name in (*SHARED_FIELDS, "verbosity")}
    shared = {name: value for name, value in told.items() if value is not None}
    own = {name: value for name, value in fields.items() if value is not None and value != _UNSAID.get(name)}
    if more := [word for word in include if word not in (LOGPROBS, SEALED)]:
        own["include"] = more
    if own_choice is not None:
        own["tool_choice"] = own_choice
    ext = {ORIGIN: own} if own else {}
    if shared:
        ext[SHARED] = shared
    return ext or None
