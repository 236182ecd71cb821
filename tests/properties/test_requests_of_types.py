"""Whatever request Anthropic's and OpenAI's own types allow, and their stand-ins take, is made one that every other
vendor's strict stand-in takes, or is refused with its place."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import anthropic.types as claude
import openai.types.responses as gpt
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from openai.types.responses.response_input_param import FunctionCallOutput, ImageGenerationCall, McpCall

from portico.core.errors import InvalidRequest
from portico.core.request import Request
from portico.relay.translate import DIALECTS, Translated, Translator
from portico.wire import jsontext
from portico.wire.http import HttpRequest
from properties.asking import CATALOG, SIMULATOR, Memory, at_once
from properties.typed import LEFT_OUT, Given, Json, Typed

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0YK"
SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def always(value: Any) -> Given:
    return lambda _: value


def one_of(*values: Any) -> Given:
    return lambda typed: typed.random.choice(values)


absent = always(LEFT_OUT)

# -- Messages ---------------------------------------------------------------------------------------------------------

PICTURE: Json = {"type": "base64", "media_type": "image/png", "data": PNG}
SOURCES = (
    {"type": "base64", "media_type": "application/pdf", "data": PDF},
    {"type": "text", "media_type": "text/plain", "data": "A note."},
    {"type": "content", "content": [{"type": "text", "text": "A note."}, {"type": "image", "source": PICTURE}]},
)
OF_MESSAGES: dict[str, Given] = {
    "ImageBlockParam.source": always(PICTURE),
    "DocumentBlockParam.source": one_of(*SOURCES),
    "TextBlockParam.citations": absent,
    "input_schema": always(SCHEMA),
    "schema": always(SCHEMA),
    "ttl": always("5m"),
    "id": lambda typed: typed.word("toolu_"),
    "max_tokens": one_of(100, 5000),
    "temperature": one_of(0, 0.5, 1),
    "top_p": always(0.5),
    "top_k": always(5),
    "thinking": one_of({"type": "disabled"}, {"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive"}),
    "defer_loading": absent,
    "container": absent,
    "messages": absent,
    "tools": absent,
    "tool_choice": absent,
    "model": always("m"),
}
SHOWN = (
    claude.TextBlockParam,
    claude.TextBlockParam,
    claude.ImageBlockParam,
    claude.DocumentBlockParam,
    claude.SearchResultBlockParam,
)


def messages(typed: Typed) -> Json:
    random = typed.random
    body: Json = typed.of(MessageCreateParamsNonStreaming)
    tools = [typed.of(claude.ToolParam) for _ in range(random.choice([0, 1, 2]))]
    if tools:
        body["tools"] = tools

    def user(*results: Json) -> Json:
        shown = [
            typed.of(random.choice(SHOWN))
            for _ in range(random.choice([0, 1, 2]) if results else random.choice([1, 2]))
        ]
        return {"role": "user", "content": [*results, *shown]}

    turns = [user()]
    for _ in range(random.choice([0, 1, 2])):
        calls = [typed.of(claude.ToolUseBlockParam) | {"name": random.choice(tools)["name"]} for _ in tools]
        said = [typed.of(claude.TextBlockParam)] if random.random() < 0.6 or not calls else []
        turns.append({"role": "assistant", "content": [*said, *calls]})
        turns.append(user(*[typed.of(claude.ToolResultBlockParam) | {"tool_use_id": call["id"]} for call in calls]))
    return {**body, "messages": turns}


# -- Responses --------------------------------------------------------------------------------------------------------

OF_RESPONSES: dict[str, Given] = {
    "image_url": always(f"data:image/png;base64,{PNG}"),
    "file_url": absent,
    "file_id": absent,
    "file_data": always(f"data:application/pdf;base64,{PDF}"),
    "filename": always("a.pdf"),
    "result": one_of(PNG, None),
    "parameters": always(SCHEMA),
    "schema": always(SCHEMA),
    "arguments": always('{"city": "Bern"}'),
    "encrypted_content": absent,
    "annotations": always([]),
    "ImageGenerationCall.action": absent,
    "context_management": absent,
    "detail": one_of("low", "high", "auto"),
    "ttl": absent,
    "temperature": one_of(0, 0.5, 1),
    "top_p": always(0.5),
    "max_output_tokens": one_of(16, 5000),
    "max_tool_calls": always(3),
    "top_logprobs": always(3),
    "service_tier": one_of("auto", "default", "flex", "priority", "ultrafast"),
    "store": always(False),
    "model": always("m"),
    **dict.fromkeys(("input", "tools", "tool_choice", "previous_response_id", "conversation", "prompt"), absent),
    **dict.fromkeys(("stream_options", "background", "background_options", "comparison_response_id"), absent),
    **dict.fromkeys(("prewarm", "error", "access_programs"), absent),
}
ITEMS = (
    gpt.ResponseReasoningItemParam,
    gpt.ResponseFunctionWebSearchParam,
    gpt.ResponseFileSearchToolCallParam,
    McpCall,
    ImageGenerationCall,
)
PARTS = (
    gpt.ResponseInputTextParam,
    gpt.ResponseInputTextParam,
    gpt.ResponseInputImageParam,
    gpt.ResponseInputFileParam,
)


IDS = {
    "reasoning": "rs_",
    "web_search_call": "ws_",
    "file_search_call": "fs_",
    "mcp_call": "mcp_",
    "image_generation_call": "ig_",
}
NEEDED: dict[str, Json] = {
    "input_image": {"image_url": f"data:image/png;base64,{PNG}"},
    "input_file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
}
"""What a part is not without, though its type leaves it out."""


def responses(typed: Typed) -> Json:
    random = typed.random
    body: Json = typed.of(ResponseCreateParamsNonStreaming)
    tools = [typed.of(gpt.FunctionToolParam) for _ in range(random.choice([0, 1, 2]))]
    if tools:
        body["tools"] = tools

    def content() -> list[Json]:
        parts: list[Json] = [typed.of(random.choice(PARTS)) for _ in range(random.choice([1, 2]))]
        return [NEEDED.get(part["type"], {}) | part for part in parts]

    items: list[Json] = [{"role": "user", "content": content()}]
    for _ in range(random.choice([0, 1, 2])):
        if random.random() < 0.4:
            item = typed.of(random.choice(ITEMS))
            items.append(item | {"id": typed.word(IDS[item["type"]])})
        if random.random() < 0.3:
            items.append({"role": random.choice(["system", "developer"]), "content": typed.word()})
        if random.random() < 0.6:
            said = typed.of(gpt.ResponseOutputMessageParam) | {"id": typed.word("msg_"), "status": "completed"}
            items.append(said | {"content": said["content"] or [{"type": "refusal", "refusal": "No."}]})
        for tool in tools:
            call = typed.of(gpt.ResponseFunctionToolCallParam) | {"id": typed.word("fc_"), "name": tool["name"]}
            result = typed.of(FunctionCallOutput) | {
                "call_id": call["call_id"],
                "output": random.choice(["ok", content()]),
            }
            items += [call, {name: value for name, value in result.items() if name != "id"}]
        items.append({"role": "user", "content": content()})
    return {**body, "input": items}


# -- who takes it ------------------------------------------------------------------------------------------------------

MAKERS: dict[str, tuple[Callable[[Typed], Json], dict[str, Given]]] = {
    "anthropic_messages": (messages, OF_MESSAGES),
    "openai_responses": (responses, OF_RESPONSES),
}
HOME = {
    "anthropic_messages": [("anthropic", "claude-haiku-4-5"), ("anthropic", "claude-opus-5-5")],
    "openai_responses": [("openai", "gpt-4.1"), ("openai", "gpt-6-sol")],
}
ASKED = (
    ("gemini", "gemini", "gemini-3.5-flash"),
    ("gemini", "gemini", "gemini-2.5-flash"),
    ("openai_chat", "openai", "gpt-4.1"),
    ("openai_chat", "openai", "gpt-6-sol"),
    ("openai_responses", "openai", "gpt-6-sol"),
    ("anthropic_messages", "anthropic", "claude-haiku-4-5"),
    ("anthropic_messages", "anthropic", "claude-opus-5-5"),
)
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
}
HEADERS = {
    "x-goog-api-key": "a-key",
    "x-api-key": "a-key",
    "anthropic-version": "2023-06-01",
    "authorization": "Bearer a-key",
}
BETAS = {"anthropic-beta": "files-api-2025-04-14"}


def answered(name: str, model: str, body: Json) -> Memory:
    path = PATHS.get(name, f"/v1beta/models/{model}:generateContent")
    body = {**body, "model": model} if name in PATHS else body
    kept = {"x-goog-api-key"} if name == "gemini" else HEADERS.keys() - {"x-goog-api-key"}
    headers = {header: value for header, value in HEADERS.items() if header in kept}
    exchange = Memory(HttpRequest("POST", path, "", {**headers, **BETAS}, jsontext.encode(body)))
    at_once(SIMULATOR(exchange))
    return exchange


@pytest.mark.parametrize("name", MAKERS)
@settings(deadline=None, derandomize=True, max_examples=80, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_a_request_of_a_vendors_type_is_taken_by_everybody(name: str, seed: int) -> None:
    random = Random(seed)
    make, known = MAKERS[name]
    body: Json = json.loads(json.dumps(make(Typed(random, known, random.choice([0.05, 0.12, 0.3])))))
    assume(any(answered(name, model, body).status == 200 for _, model in HOME[name]))
    request = DIALECTS[name].parse_request({**body, "model": "m"})
    for to, kind, model in ASKED:
        if to == name:
            continue
        told = asked(Translator(DIALECTS[name], DIALECTS[to], CATALOG, model=model, provider=kind), request, model)
        if isinstance(told, InvalidRequest):
            assert told.param is not None
            continue
        answer = answered(to, model, told.body)
        assert answer.status == 200, (model, bytes(answer.data).decode())


def asked(translator: Translator, request: Request, model: str) -> Translated | InvalidRequest:
    """What a model is asked, or why not."""
    try:
        return translator.rendered(replace(request, model=model))
    except InvalidRequest as refused:
        return refused
