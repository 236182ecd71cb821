"""generateContent request -> neutral request (mapping.md 0, 1.2, 1.3, 7.6).

Google accepts much: both spellings, one object where a list is meant, null for unset, any case in enums, roles left out.
So does this. What the neutral model has no word for is kept in `ext["gemini"]` under its own name.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from portico.core.errors import InvalidRequest
from portico.core.ids import counted_call_id
from portico.core.loss import Where
from portico.core.pairing import OpenCalls
from portico.core.parts import Ext, Media, Opaque, Part, Signature, Text, ToolCall, ToolResult
from portico.core.request import (
    GOOGLE_BUILTINS,
    Builtin,
    Message,
    OutputFormat,
    Request,
    Role,
    Sampling,
    Speech,
    Thinking,
    Tool,
    ToolChoice,
)
from portico.dialects.gemini.asking import MAX_CANDIDATES
from portico.dialects.gemini.checks import (
    listed,
    numbered,
    object_or_empty,
    optional_object,
    optional_string,
    scalar,
    strings,
)
from portico.dialects.gemini.fields import camelise, camelise_deep
from portico.dialects.gemini.modalities import voice_of
from portico.dialects.gemini.parts import DATA_MEMBERS, ORIGIN, arguments_text, parse_part
from portico.dialects.gemini.schema import in_order, to_json_schema
from portico.dialects.gemini.structured import JSON_FORMAT
from portico.wire import jsontext
from portico.wire.names import json_type

WHERE: Final = Where(
    fields={
        **{
            name: f"$.generationConfig.{wire}"
            for name, wire in {
                "temperature": "temperature",
                "top_p": "topP",
                "top_k": "topK",
                "seed": "seed",
                "presence_penalty": "presencePenalty",
                "frequency_penalty": "frequencyPenalty",
                "stop": "stopSequences",
                "max_tokens": "maxOutputTokens",
                "n": "candidateCount",
                "logprobs": "responseLogprobs",
                "top_logprobs": "logprobs",
                "thinking": "thinkingConfig",
                "response_format": "responseMimeType",
                "modalities": "responseModalities",
                "audio": "speechConfig",
                "audio.voice": "speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName",
                "image_config": "imageConfig",
                "aspect_ratio": "imageConfig.aspectRatio",
                "image_size": "imageConfig.imageSize",
            }.items()
        },
        "messages": "$.contents",
        "tool_choice": "$.toolConfig.functionCallingConfig",
        "service_tier": "$.serviceTier",
        "model": "model",  # it stands in the path of the call, not in its body
    },
    message="$.contents[{at}]",
    tool="$.tools[0].functionDeclarations[{at}]",
)

_MODES: Final[Mapping[str, str]] = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "validated"}
_TIERS: Final[Mapping[str, str]] = {"standard": "default"}


def parse_request(body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
    """A generateContent body as a request. Raises `InvalidRequest` with a path such as `$.contents[0].parts[1].text`."""
    fields = camelise(object_or_empty(body, "$"))
    contents = listed(fields.pop("contents", None), "$.contents")
    if not contents:
        raise InvalidRequest("* GenerateContentRequest.contents: contents is not specified", param="$.contents")
    config = camelise(object_or_empty(fields.pop("generationConfig", {}), "$.generationConfig"))
    tools, builtins = _parse_tools(listed(fields.pop("tools", None), "$.tools"))
    choice, tool_config = _parse_tool_config(object_or_empty(fields.pop("toolConfig", {}), "$.toolConfig"))
    if tools and builtins and tool_config.get("includeServerSideToolInvocations") is True:
        del tool_config["includeServerSideToolInvocations"]  # follows from having both: rendering sets it again (1.12)
    messages = _parse_system(fields.pop("systemInstruction", None))
    messages += _Turns().parse(contents)
    body_model = fields.pop("model", None)
    tier = fields.pop("serviceTier", None)
    sampling, thinking, output, modalities = _parse_config(config)
    extras = {key: value if key == "labels" else camelise_deep(value) for key, value in fields.items()}
    speech = _parse_speech(config)
    if config:
        extras["generationConfig"] = camelise_deep(config)
    if tool_config:
        extras["toolConfig"] = tool_config
    return Request(
        model=model or (body_model if isinstance(body_model, str) else ""),
        messages=tuple(messages),
        tools=tools,
        builtins=builtins,
        tool_choice=choice,
        sampling=sampling,
        thinking=thinking,
        output=output,
        modalities=modalities,
        speech=speech,
        service_tier=None if tier is None else _TIERS.get(str(tier).lower(), str(tier).lower()),
        stream=bool(stream),
        include_usage=True,
        ext={ORIGIN: extras} if extras else None,
        where=WHERE.with_fields({tool.kind: f"$.tools[{tool.at}]" for tool in builtins}),
    )


# -- contents --------------------------------------------------------------------------------------------------------


def _one_member(fields: Mapping[str, Any]) -> None:
    """A part is one thing: Google refuses two data members in one, and reading either would lose the other (0)."""
    if len(fields) > 1:
        held = [name for name in DATA_MEMBERS if fields.get(name) not in (None, "")]
        if len(held) > 1:
            raise InvalidRequest(f"A part holds one of {' and '.join(held)}, not both.", param="")


class _Turns:
    """Reads contents in order, pairing results with the calls they answer.

    Google pairs by id where there is one, else by name and order. Ids may repeat across turns; ours may not. A result
    without an id whose name no call has is paired by order alone: Semantic Kernel spells a function in one way where it is
    called and in another where it answers.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._open = OpenCalls()
        self._by_wire_id: dict[str, list[ToolCall]] = {}
        self._count = 0

    def parse(self, contents: list[Any]) -> list[Message]:
        messages = []
        for at, content in enumerate(contents):
            try:
                messages.append(self._content(content, at))
            except InvalidRequest as error:
                raise error.under(f"$.contents[{at}]") from None
        return messages

    def _content(self, content: Any, at: int) -> Message:
        if isinstance(content, str):  # some SDKs send a bare string for a content
            return Message(Role.USER, (Text(content),), at=at)
        fields = camelise(object_or_empty(content, ""))
        parts = [camelise(object_or_empty(part, f".parts[{i}]")) for i, part in numbered(fields.get("parts"), ".parts")]
        role = str(fields.get("role") or "user").lower()
        only_results = bool(parts) and all("functionResponse" in part for part in parts)
        if role == "model" and not only_results:
            return Message(Role.ASSISTANT, tuple(self._model_parts(parts)), at=at)
        if role in ("user", "function", "model", "tool"):
            return Message(Role.USER, tuple(self._user_parts(parts)), at=at)
        if role == "system":
            return Message(Role.SYSTEM, tuple(self._user_parts(parts)), at=at)
        raise InvalidRequest("Please use a valid role: user, model.", param=".role")

    def _user_parts(self, parts: list[dict[str, Any]]) -> Iterator[Part]:
        for i, fields in enumerate(parts):
            try:
                _one_member(fields)
                if (answer := fields.get("functionResponse")) is not None:
                    yield self._result(camelise(object_or_empty(answer, ".functionResponse")), fields)
                elif (part := parse_part(fields, self.make_call)) is not None:
                    yield part
            except InvalidRequest as error:
                raise error.under(f".parts[{i}]") from None

    def _model_parts(self, parts: list[dict[str, Any]]) -> Iterator[Part]:
        served = served_by_provider(parts)
        for i, fields in enumerate(parts):
            try:
                _one_member(fields)
                if i in served:
                    yield Opaque(ORIGIN, fields)
                elif (part := parse_part(fields, self.make_call)) is not None:
                    yield part
            except InvalidRequest as error:
                raise error.under(f".parts[{i}]") from None

    def make_call(self, fields: Mapping[str, Any], signature: Signature | None, ext: Ext) -> ToolCall:
        wire_id = optional_string(fields.get("id"), ".functionCall.id") or None
        call_id = wire_id if wire_id and wire_id not in self._used else self._fresh_id()
        self._used.add(call_id)
        call = build_call(fields, call_id, signature, ext, minted=wire_id is None, upstream_id=wire_id)
        self._open.add(call)
        if wire_id is not None:
            self._by_wire_id.setdefault(wire_id, []).append(call)
        return call

    def _result(self, answer: Mapping[str, Any], fields: Mapping[str, Any]) -> ToolResult:
        name = optional_string(answer.get("name"), ".functionResponse.name") or None
        wire_id = optional_string(answer.get("id"), ".functionResponse.id") or None
        call = self._answered(wire_id, name)
        if call is not None and (call.minted or name is None):
            name = call.name
        text, structured = result_text(answer.get("response"))
        media = [
            part
            for _, item in numbered(answer.get("parts"), ".functionResponse.parts")
            if isinstance(
                part := parse_part(camelise(object_or_empty(item, ".functionResponse.parts")), self.make_call), Media
            )
        ]
        extras = {k: v for k, v in answer.items() if k not in ("id", "name", "response", "parts")}
        extras.update({k: v for k, v in fields.items() if k not in ("functionResponse", "thoughtSignature")})
        return ToolResult(
            call_id=call.id if call else wire_id or "",
            name=name or "",
            parts=(Text(text), *media),
            structured=structured,
            ext={ORIGIN: {"functionResponse": extras}} if extras else None,
        )

    def _answered(self, wire_id: str | None, name: str | None) -> ToolCall | None:
        """The call that a result answers: the latest with its id, else the first open one of its name, else, of calls and
        results that have no ids, the first open one."""
        found = None
        if wire_id is not None:
            known = self._by_wire_id.get(wire_id, [])
            while known and not self._open.is_open(known[-1]):
                known.pop()
            found = known[-1] if known else None
        if found is None and name is not None:
            found = self._open.first_named(name)
        if found is None and wire_id is None:
            found = self._open.first_minted()
        if found is not None:
            self._open.close(found.id)
        return found

    def _fresh_id(self) -> str:
        self._count += 1
        return counted_call_id(self._count)


def served_by_provider(parts: list[dict[str, Any]]) -> set[int]:
    """Which parts of a model content are calls that the provider answered itself, and those answers (traffic.md 3.10).

    Server-side MCP puts functionCall and functionResponse into one model content. Such a call must not reach a client.
    """
    answers = [i for i, part in enumerate(parts) if part.get("functionResponse") is not None]
    served = set(answers)
    for i in answers:
        name = camelise(parts[i]["functionResponse"]).get("name")
        calls = (k for k in range(i) if k not in served and (parts[k].get("functionCall") or {}).get("name") == name)
        call = next(calls, None)
        if call is not None:
            served.add(call)
    return served


def build_call(
    fields: Mapping[str, Any],
    call_id: str,
    signature: Signature | None,
    ext: Ext,
    *,
    minted: bool,
    upstream_id: str | None,
) -> ToolCall:
    """A functionCall as a call; members we have no word for ride along."""
    name = fields.get("name")
    if not isinstance(name, str):
        raise InvalidRequest(f"Expected a string, got {json_type(name)}.", param=".functionCall.name")
    extras = {key: value for key, value in fields.items() if key not in ("id", "name", "args")}
    if extras:
        ext = {ORIGIN: {**(ext or {}).get(ORIGIN, {}), "functionCall": extras}}
    return ToolCall(
        id=call_id,
        name=name,
        arguments=arguments_text(fields.get("args")),
        minted=minted,
        upstream_id=upstream_id,
        signature=signature,
        ext=ext,
    )


def result_text(response: Any) -> tuple[str, bool]:
    """functionResponse.response as (text, structured).

    `{"output": text}` is its text, unless that text could be taken for an object itself (mapping.md 1.3).
    """
    if response is None:
        return "{}", True
    if isinstance(response, Mapping) and response.keys() == {"output"} and isinstance(response["output"], str):
        text = response["output"]
        if not text.lstrip().startswith("{"):
            return text, False
    return jsontext.dumps(response), True


# -- everything else -------------------------------------------------------------------------------------------------


def _parse_system(instruction: Any) -> list[Message]:
    if instruction is None:
        return []
    if isinstance(instruction, str):
        return [Message(Role.SYSTEM, (Text(instruction),))]
    fields = camelise(object_or_empty(instruction, "$.systemInstruction"))
    parts = []
    for i, part in numbered(fields.get("parts"), "$.systemInstruction.parts"):
        parsed = parse_part(camelise(object_or_empty(part, f"$.systemInstruction.parts[{i}]")), _no_call)
        if parsed is not None:
            parts.append(parsed)
    return [Message(Role.SYSTEM, tuple(parts))] if parts else []


def _no_call(_fields: Mapping[str, Any], _signature: Signature | None, _ext: Ext) -> ToolCall:
    raise InvalidRequest("A system instruction cannot call functions.", param="$.systemInstruction.parts")


def _parse_tools(wire: list[Any]) -> tuple[tuple[Tool, ...], tuple[Builtin, ...]]:
    tools: list[Tool] = []
    builtins: list[Builtin] = []
    for i, item in enumerate(wire):
        for key, value in camelise(object_or_empty(item, f"$.tools[{i}]")).items():
            if key != "functionDeclarations":
                extras = {key: camelise_deep(value)} if value else {}
                builtins.append(Builtin(GOOGLE_BUILTINS.get(key, key), at=i, ext={ORIGIN: extras} if extras else None))
                continue
            for k, declaration in numbered(value, f"$.tools[{i}].functionDeclarations"):
                path = f"$.tools[{i}].functionDeclarations[{k}]"
                tools.append(_parse_declaration(camelise(object_or_empty(declaration, path)), path, at=k))
    return tuple(tools), tuple(builtins)


def _parse_declaration(fields: dict[str, Any], path: str, at: int) -> Tool:
    name = fields.pop("name", None)
    if not isinstance(name, str) or not name:
        raise InvalidRequest("A function declaration needs a name.", param=f"{path}.name")
    json_schema = optional_object(fields.pop("parametersJsonSchema", None), f"{path}.parametersJsonSchema")
    openapi = optional_object(fields.pop("parameters", None), f"{path}.parameters")
    return Tool(
        name=name,
        description=optional_string(fields.pop("description", None), f"{path}.description"),
        schema=in_order(json_schema) if json_schema is not None else to_json_schema(openapi),
        at=at,
        ext={ORIGIN: fields} if fields else None,
        schema_at=".parameters" if json_schema is None else ".parametersJsonSchema",
    )


def _parse_tool_config(wire: Mapping[str, Any]) -> tuple[ToolChoice | None, dict[str, Any]]:
    config = camelise_deep(wire)
    path = "$.toolConfig.functionCallingConfig"
    calling = dict(object_or_empty(config.pop("functionCallingConfig", None), path))
    mode = calling.pop("mode", None)
    names = strings(calling.pop("allowedFunctionNames", None), f"{path}.allowedFunctionNames")
    choice = None
    if mode is not None or names:
        neutral = _MODES.get(str(mode or "AUTO").upper())
        if neutral is None:
            if str(mode).upper() != "MODE_UNSPECIFIED":
                raise InvalidRequest(f"Unknown mode {mode!r}.", param=f"{path}.mode")
            neutral = "auto"
        choice = ToolChoice(neutral, tuple(names))
    if calling:
        config["functionCallingConfig"] = calling
    return choice, {key: value for key, value in config.items() if value is not None}


_SAMPLING: Final[Mapping[str, str]] = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "maxOutputTokens": "max_tokens",
    "candidateCount": "n",
    "responseLogprobs": "logprobs",
    "logprobs": "top_logprobs",
}


_WHOLE: Final = frozenset({"top_k", "seed", "max_tokens", "n", "top_logprobs"})
_THINKING: Final = "$.generationConfig.thinkingConfig"


def _parse_config(
    config: dict[str, Any],
) -> tuple[Sampling, Thinking, OutputFormat | None, tuple[str, ...]]:
    """Takes out of generationConfig what the neutral model has words for; what stays is Google's own."""
    sampling: dict[str, Any] = {}
    for wire, name in _SAMPLING.items():
        value = config.pop(wire, None)
        if value is not None:
            sampling[name] = scalar(value, f"$.generationConfig.{wire}", whole=name in _WHOLE)
    if not 0 <= sampling.get("n", 0) <= MAX_CANDIDATES:  # each may be a call of its own
        message = f"Expected at most {MAX_CANDIDATES} candidates, got {str(sampling['n'])[:40]}."
        raise InvalidRequest(message, param="$.generationConfig.candidateCount")
    stop = strings(config.pop("stopSequences", None), "$.generationConfig.stopSequences")
    if stop:
        sampling["stop"] = stop
    thinking = camelise(object_or_empty(config.pop("thinkingConfig", {}), "$.generationConfig.thinkingConfig"))
    level = thinking.get("thinkingLevel")
    budget = thinking.get("thinkingBudget")
    modalities = strings(config.pop("responseModalities", None), "$.generationConfig.responseModalities")
    return (
        Sampling(**sampling),
        Thinking(
            budget=None if budget is None else int(scalar(budget, f"{_THINKING}.thinkingBudget", whole=True)),
            level=None if level is None or level == "THINKING_LEVEL_UNSPECIFIED" else str(level).lower(),
            show=None if thinking.get("includeThoughts") is None else bool(thinking["includeThoughts"]),
        ),
        _parse_output(config),
        tuple([modality.lower() for modality in modalities]),
    )


def _parse_speech(config: dict[str, Any]) -> Speech | None:
    """A voice alone; several speakers and a language are Google's own and stay in the config (1.15)."""
    voice = voice_of(camelise_deep(config.get("speechConfig")))
    if voice is None:
        return None
    del config["speechConfig"]
    return Speech(voice)


def _parse_format(value: Any) -> OutputFormat | None:
    """`responseFormat` that asks for JSON text and nothing else, as it must be spelt beside Google Maps (1.10)."""
    text = camelise(value).get("text") if isinstance(value, Mapping) and len(value) == 1 else None
    fields = camelise(text) if isinstance(text, Mapping) else {}
    if fields.get("mimeType") != JSON_FORMAT or fields.keys() - {"mimeType", "schema"}:
        return None
    at = "$.generationConfig.responseFormat.text.schema"
    if "schema" not in fields:
        return OutputFormat("json")
    schema = in_order(optional_object(fields["schema"], at))
    return OutputFormat("json_schema", schema, schema_at=at, enforced=True)


def _parse_output(config: dict[str, Any]) -> OutputFormat | None:
    if (spelt := _parse_format(config.get("responseFormat"))) is not None and "responseMimeType" not in config:
        del config["responseFormat"]
        return spelt
    mime = config.pop("responseMimeType", None)
    json_schema = optional_object(config.pop("responseJsonSchema", None), "$.generationConfig.responseJsonSchema")
    openapi = optional_object(config.pop("responseSchema", None), "$.generationConfig.responseSchema")
    schema = in_order(json_schema) if json_schema is not None else to_json_schema(openapi)
    at = f"$.generationConfig.{'responseSchema' if json_schema is None else 'responseJsonSchema'}"
    if mime == "text/x.enum":
        return OutputFormat("enum", schema, schema_at=at)
    if schema is not None:
        return OutputFormat("json_schema", schema, schema_at=at, enforced=True)
    if mime == "application/json":
        return OutputFormat("json")
    if mime not in (None, "text/plain"):
        config["responseMimeType"] = mime
    return None
