"""What may be asked of a model, each as a small request in the words of every dialect that has words for it.

`able.py` translates them as serving would. A dialect without an entry has no words for the thing. `said` finds it in the
neutral request again, so that it is seen whether a translation still asks for it.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from portico.core.parts import Media, ToolCall
from portico.core.request import Request
from portico.core.target import Capabilities, ThinkingControl

CHAT, RESPONSES, MESSAGES, GEMINI = "openai_chat", "openai_responses", "anthropic_messages", "gemini"
CALLERS: Final = (CHAT, RESPONSES, MESSAGES, GEMINI)
NAME: Final = "model"
"""Stands for the model in the bodies below."""

Body = dict[str, Any]


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Something that callers ask of models, or get from them."""

    name: str
    """In English."""
    able: Callable[[Capabilities], bool] = lambda _: True
    """Whether a model can do it, as far as the catalog knows."""
    asks: Mapping[str, Body]
    """By the caller's dialect, the body that asks for it."""
    said: Callable[[Request], bool] = lambda _: True
    """Whether a request asks for it."""
    alone: Callable[[Capabilities], bool] = lambda _: True
    """Whether a model can do it in one call, which is all that bytes that pass are."""
    fatal: str = ""
    """The code of the loss that means that it is left out, where no request says so."""
    unasked: frozenset[str] = frozenset()
    """Dialects that have no words for it: it is what a model makes that makes no text."""
    made: Media | None = None
    """What an answer then holds."""
    streamed: bool = False


def _chat(content: Any = "Hello", **fields: Any) -> Body:
    return {"model": NAME, "messages": [{"role": "user", "content": content}], **fields}


def _responses(content: Any = "Hello", **fields: Any) -> Body:
    return {"model": NAME, "input": [{"role": "user", "content": content}], **fields}


def _messages(content: Any = "Hello", **fields: Any) -> Body:
    return {"model": NAME, "max_tokens": 3000, "messages": [{"role": "user", "content": content}], **fields}


def _gemini(*parts: Body, **fields: Any) -> Body:
    return {"contents": [{"role": "user", "parts": list(parts) or [{"text": "Hello"}]}], **fields}


def _configured(**config: Any) -> Body:
    return _gemini(generationConfig=config)


PLAIN: Final[Mapping[str, Body]] = {CHAT: _chat(), RESPONSES: _responses(), MESSAGES: _messages(), GEMINI: _gemini()}
"""A request that asks for nothing but an answer. What it loses, every request does."""

# -- media ---------------------------------------------------------------------------------------------------------------


def _coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


_PNG: Final = _coded(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buvgAAAABJRU5ErkJggg==")
)
_PDF: Final = _coded(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
_WAV: Final = _coded(
    b"RIFF\x28\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00"
    b"data\x04\x00\x00\x00\x00\x00\x00\x00"
)
_MP4: Final = _coded(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")


def _inline(mime: str, data: str) -> Body:
    return _gemini({"text": "What is this?"}, {"inlineData": {"mimeType": mime, "data": data}})


def _media(request: Request) -> Iterator[Media]:
    return (part for message in request.messages for part in message.parts if isinstance(part, Media))


def _holds(kind: str) -> Callable[[Request], bool]:
    return lambda request: any((part.mime or "").startswith(kind) for part in _media(request))


def _takes(modality: str) -> Callable[[Capabilities], bool]:
    return lambda able: modality in able.input_modalities


def _makes(modality: str) -> Callable[[Capabilities], bool]:
    return lambda able: modality in able.output_modalities


# -- tools, forms ----------------------------------------------------------------------------------------------------------

_SCHEMA: Final[Body] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_TOOL: Final[Body] = {"name": "weather", "description": "The weather of a city."}
_TOOLS: Final[Mapping[str, list[Body]]] = {
    CHAT: [{"type": "function", "function": {**_TOOL, "parameters": _SCHEMA}}],
    RESPONSES: [{"type": "function", **_TOOL, "parameters": _SCHEMA, "strict": False}],
    MESSAGES: [{**_TOOL, "input_schema": _SCHEMA}],
    GEMINI: [{"functionDeclarations": [{**_TOOL, "parametersJsonSchema": _SCHEMA}]}],
}


def _with_tools(**more: Body) -> dict[str, Body]:
    """Each plain request with the tool, and with what is said of it besides."""
    return {name: {**PLAIN[name], "tools": _TOOLS[name], **fields} for name, fields in more.items()}


_CITIES: Final = ("Hong Kong", "Shenzhen")
_ARGUMENTS: Final = ('{"city":"Hong Kong"}', '{"city":"Shenzhen"}')
_CALLED_TWICE: Final[Mapping[str, Body]] = {
    CHAT: {
        "messages": [
            {"role": "user", "content": "Hello"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": f"call_{i}", "type": "function", "function": {"name": "weather", "arguments": text}}
                    for i, text in enumerate(_ARGUMENTS)
                ],
            },
            *[{"role": "tool", "tool_call_id": f"call_{i}", "content": "Sunny."} for i in range(2)],
        ]
    },
    RESPONSES: {
        "input": [
            {"role": "user", "content": "Hello"},
            *[
                {"type": "function_call", "call_id": f"call_{i}", "name": "weather", "arguments": text}
                for i, text in enumerate(_ARGUMENTS)
            ],
            *[{"type": "function_call_output", "call_id": f"call_{i}", "output": "Sunny."} for i in range(2)],
        ]
    },
    MESSAGES: {
        "messages": [
            {"role": "user", "content": "Hello"},
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": f"toolu_{i}", "name": "weather", "input": {"city": city}}
                    for i, city in enumerate(_CITIES)
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": f"toolu_{i}", "content": "Sunny."} for i in range(2)
                ],
            },
        ]
    },
    GEMINI: {
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {
                "role": "model",
                "parts": [{"functionCall": {"name": "weather", "args": {"city": city}}} for city in _CITIES],
            },
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "weather", "response": {"output": "Sunny."}}} for _ in _CITIES],
            },
        ]
    },
}


def _calls(request: Request) -> int:
    return sum(isinstance(part, ToolCall) for message in request.messages for part in message.parts)


def _runs(kind: str) -> Callable[[Request], bool]:
    return lambda request: any(tool.kind == kind for tool in request.builtins)


def _cites(request: Request) -> bool:
    return any("citations" in fields for part in _media(request) for fields in (part.ext or {}).values())


# -- all of them -----------------------------------------------------------------------------------------------------------

THINGS: Final = (
    Thing(
        name="Text",
        asks=PLAIN,
        able=lambda able: "text" in able.input_modalities and "text" in able.output_modalities,
        said=lambda request: bool(request.messages),
    ),
    Thing(
        name="Instructions",
        able=lambda able: able.multi_turn,
        asks={
            CHAT: {**_chat(), "messages": [{"role": "system", "content": "Be brief."}, *_chat()["messages"]]},
            RESPONSES: _responses(instructions="Be brief."),
            MESSAGES: _messages(system="Be brief."),
            GEMINI: _gemini(systemInstruction={"parts": [{"text": "Be brief."}]}),
        },
        said=lambda request: len(request.messages) > 1,
    ),
    Thing(
        name="Pictures you send",
        able=_takes("image"),
        asks={
            CHAT: _chat([{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}}]),
            RESPONSES: _responses([{"type": "input_image", "image_url": f"data:image/png;base64,{_PNG}"}]),
            MESSAGES: _messages(
                [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PNG}}]
            ),
            GEMINI: _inline("image/png", _PNG),
        },
        said=_holds("image/"),
    ),
    Thing(
        name="PDF files you send",
        able=_takes("document"),
        asks={
            CHAT: _chat(
                [
                    {"type": "text", "text": "What is this?"},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{_PDF}"}},
                ]
            ),
            RESPONSES: _responses(
                [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{_PDF}"},
                ]
            ),
            MESSAGES: _messages(
                [
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": _PDF}},
                    {"type": "text", "text": "What is this?"},
                ]
            ),
            GEMINI: _inline("application/pdf", _PDF),
        },
        said=_holds("application/pdf"),
    ),
    Thing(
        name="Audio you send",
        able=_takes("audio"),
        asks={
            CHAT: _chat([{"type": "input_audio", "input_audio": {"data": _WAV, "format": "wav"}}]),
            RESPONSES: _responses([{"type": "input_audio", "input_audio": {"data": _WAV, "format": "wav"}}]),
            GEMINI: _inline("audio/wav", _WAV),
        },
        said=_holds("audio/"),
    ),
    Thing(
        name="Video you send",
        able=_takes("video"),
        asks={
            CHAT: _chat([{"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{_MP4}"}}]),
            GEMINI: _inline("video/mp4", _MP4),
        },
        said=_holds("video/"),
    ),
    Thing(
        name="Pictures it makes",
        able=_makes("image"),
        asks={
            CHAT: _chat(modalities=["text", "image"]),
            RESPONSES: _responses(),
            MESSAGES: _messages(),
            GEMINI: _configured(responseModalities=["TEXT", "IMAGE"]),
        },
        made=Media("image/png", _PNG),
    ),
    Thing(
        name="Speech it makes",
        able=_makes("audio"),
        asks={
            CHAT: _chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}),
            RESPONSES: _responses(),
            GEMINI: _configured(responseModalities=["AUDIO"]),
        },
        unasked=frozenset({RESPONSES}),
        made=Media("audio/wav", _WAV),
    ),
    Thing(
        name="Tools",
        able=lambda able: able.tools,
        asks=_with_tools(**{name: {} for name in CALLERS}),
        said=lambda r: bool(r.tools),
    ),
    Thing(
        name="Several tool calls at once",
        able=lambda able: able.tools,
        asks=_with_tools(**_CALLED_TWICE),
        said=lambda request: _calls(request) == len(_CITIES),
    ),
    Thing(
        name="One tool call at a time",
        able=lambda able: able.tools,
        asks=_with_tools(
            openai_chat={"parallel_tool_calls": False},
            openai_responses={"parallel_tool_calls": False},
            anthropic_messages={"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        said=lambda request: request.parallel_tool_calls is False,
    ),
    Thing(
        name="Forced tool calls",
        able=lambda able: able.tools and able.forced_tools,
        asks=_with_tools(
            openai_chat={"tool_choice": "required"},
            openai_responses={"tool_choice": "required"},
            anthropic_messages={"tool_choice": {"type": "any"}},
            gemini={"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
        ),
        said=lambda request: request.tool_choice is not None and request.tool_choice.mode == "required",
    ),
    Thing(
        name="JSON answers",
        able=lambda able: able.json_mode,
        asks={
            CHAT: _chat(response_format={"type": "json_object"}),
            RESPONSES: _responses(text={"format": {"type": "json_object"}}),
            GEMINI: _configured(responseMimeType="application/json"),
        },
        said=lambda request: request.output is not None,
    ),
    Thing(
        name="JSON Schema",
        able=lambda able: able.json_schema,
        asks={
            CHAT: _chat(response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": _SCHEMA}}),
            RESPONSES: _responses(text={"format": {"type": "json_schema", "name": "place", "schema": _SCHEMA}}),
            MESSAGES: _messages(output_config={"format": {"type": "json_schema", "schema": _SCHEMA}}),
            GEMINI: _configured(responseMimeType="application/json", responseJsonSchema=_SCHEMA),
        },
        said=lambda request: request.output is not None and request.output.schema is not None,
    ),
    Thing(
        name="Thinking effort",
        able=lambda able: able.thinking.control is not ThinkingControl.NONE,
        asks={
            CHAT: _chat(reasoning_effort="high"),
            RESPONSES: _responses(reasoning={"effort": "high"}),
            MESSAGES: _messages(output_config={"effort": "high"}),
            GEMINI: _configured(thinkingConfig={"thinkingLevel": "high"}),
        },
        said=lambda request: request.thinking.steered,
    ),
    Thing(
        name="Streaming",
        able=lambda able: able.streaming,
        asks={
            CHAT: _chat(stream=True),
            RESPONSES: _responses(stream=True),
            MESSAGES: _messages(stream=True),
            GEMINI: _gemini(),
        },
        said=lambda request: request.stream,
        streamed=True,
    ),
    Thing(
        name="Temperature",
        able=lambda able: able.sampling,
        asks={
            CHAT: _chat(temperature=0.5),
            RESPONSES: _responses(temperature=0.5),
            MESSAGES: _messages(temperature=0.5),
            GEMINI: _configured(temperature=0.5),
        },
        said=lambda request: request.sampling.temperature is not None,
    ),
    Thing(
        name="Stop sequences",
        able=lambda able: able.stop_max > 0,
        asks={
            CHAT: _chat(stop=["END"]),
            MESSAGES: _messages(stop_sequences=["END"]),
            GEMINI: _configured(stopSequences=["END"]),
        },
        said=lambda request: bool(request.sampling.stop),
    ),
    Thing(
        name="Several answers",
        alone=lambda able: able.max_candidates > 1,
        fatal="1.1:n",
        asks={CHAT: _chat(n=2), GEMINI: _configured(candidateCount=2)},
    ),
    Thing(
        name="Log probabilities",
        able=lambda able: able.logprobs,
        asks={
            CHAT: _chat(logprobs=True, top_logprobs=2),
            RESPONSES: _responses(include=["message.output_text.logprobs"], top_logprobs=2),
            GEMINI: _configured(responseLogprobs=True, logprobs=2),
        },
        said=lambda request: bool(request.sampling.logprobs),
    ),
    Thing(
        name="Seed",
        able=lambda able: able.seed,
        asks={CHAT: _chat(seed=7), GEMINI: _configured(seed=7)},
        said=lambda request: request.sampling.seed is not None,
    ),
    Thing(
        name="Penalties",
        able=lambda able: able.penalties,
        asks={CHAT: _chat(presence_penalty=0.5), GEMINI: _configured(presencePenalty=0.5)},
        said=lambda request: request.sampling.presence_penalty is not None,
    ),
    Thing(
        name="Cached prompts",
        able=lambda able: able.cache_min_tokens > 0,
        asks={
            CHAT: _chat(prompt_cache_key="a"),
            RESPONSES: _responses(prompt_cache_key="a"),
            MESSAGES: _messages(system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]),
            GEMINI: _gemini(),
        },
    ),
    Thing(
        name="Web search",
        able=lambda able: able.builtin_tools,
        asks={
            CHAT: _chat(web_search_options={}),
            RESPONSES: _responses(tools=[{"type": "web_search"}]),
            MESSAGES: _messages(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
            GEMINI: _gemini(tools=[{"googleSearch": {}}]),
        },
        said=_runs("web_search"),
    ),
    Thing(
        name="Code execution",
        able=lambda able: able.builtin_tools,
        asks={
            RESPONSES: _responses(tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]),
            MESSAGES: _messages(tools=[{"type": "code_execution_20250825", "name": "code_execution"}]),
            GEMINI: _gemini(tools=[{"codeExecution": {}}]),
        },
        said=_runs("code_execution"),
    ),
    Thing(
        name="Citations of documents",
        able=_takes("document"),
        asks={
            MESSAGES: _messages(
                [
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": _PDF},
                        "citations": {"enabled": True},
                    },
                    {"type": "text", "text": "What is this?"},
                ]
            ),
        },
        said=_cites,
    ),
)
"""In the order of the page."""
