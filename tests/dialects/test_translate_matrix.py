"""`portico translate` between any two dialects: what is said arrives, in requests, answers and streams, for every kind of
provider. How exactly is the laws' affair; here it is the command's."""

import io
import itertools
from random import Random
from typing import Any, Final

import pytest
from typer.main import get_command

from dialects.dialect_rows import CATALOG, Json
from portico.cli.app import DialectName, KindName, app
from portico.cli.translate import Options, run_translate
from portico.core.assembly import assemble
from portico.core.dialect import Reading
from portico.core.ids import call_ids
from portico.core.parts import Media, Text, ToolCall, ToolResult
from portico.core.request import Role
from portico.core.response import Response
from portico.providers import KINDS
from portico.relay.translate import DIALECTS, PROVIDER_KINDS, Translator, frames_of, speaks
from portico.wire import jsontext
from portico.wire.sse import SseDecoder

PAIRS: Final = list(itertools.product(DIALECTS, DIALECTS))
OTHERS: Final = [pair for pair in PAIRS if pair[0] != pair[1]]
MODELS: Final = {
    "openai_chat": "gpt-4.1",
    "openai_responses": "gpt-5.5",
    "anthropic_messages": "claude-opus-5-5",
    "gemini": "gemini-3.5-flash",
}
"""A model of each dialect's own vendor."""
PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA: Final[Json] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

REQUESTS: Final[dict[str, Json]] = {
    "openai_chat": {
        "model": "gemini-3.5-flash",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Which city, and its weather?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city": "Wien"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "12 °C"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}],
        "max_tokens": 4000,
    },
    "openai_responses": {
        "model": "gemini-3.5-flash",
        "instructions": "Be brief.",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Which city, and its weather?"},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
                ],
            },
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city": "Wien"}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "12 °C"},
        ],
        "tools": [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}],
        "max_output_tokens": 4000,
    },
    "anthropic_messages": {
        "model": "gemini-3.5-flash",
        "system": "Be brief.",
        "max_tokens": 4000,
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Which city, and its weather?"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Wien"}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "12 °C"}]},
        ],
        "tools": [{"name": "weather", "input_schema": SCHEMA}],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Which city, and its weather?"},
                    {"inlineData": {"mimeType": "image/png", "data": PNG}},
                ],
            },
            {
                "role": "model",
                "parts": [{"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Wien"}}}],
            },
            {
                "role": "user",
                "parts": [{"functionResponse": {"id": "call_1", "name": "weather", "response": {"output": "12 °C"}}}],
            },
        ],
        "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": SCHEMA}]}],
        "generationConfig": {"maxOutputTokens": 4000},
    },
}
"""One conversation, in every dialect."""

INSTRUCTS: Final = {Role.DEVELOPER: Role.SYSTEM}
"""OpenAI's newer models have the one word for the other (mapping.md 7.5, 22)."""
_USAGE: Final[Json] = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 14,
}
ANSWERS: Final[dict[str, Json]] = {
    "openai_chat": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "I look.",
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city":"Wien"}'},
                        }
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
    },
    "openai_responses": {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "m",
        "output": [
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
            },
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "weather",
                "arguments": '{"city":"Wien"}',
                "status": "completed",
            },
        ],
        "usage": _USAGE,
    },
    "anthropic_messages": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Wien"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 5},
    },
    "gemini": {
        "candidates": [
            {
                "index": 0,
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "I look."},
                        {"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Wien"}}},
                    ],
                },
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14},
        "modelVersion": "m",
        "responseId": "r1",
    },
}
"""One answer, in every dialect."""


def ran(what: str, source: str, to: str, given: bytes, **options: Any) -> tuple[int, bytes]:
    """Exit code and output of the command."""
    out = io.BytesIO()
    code = run_translate(what, Options(source, to, **options), io.BytesIO(given), out)
    return code, out.getvalue()


def translated(what: str, source: str, to: str, given: Json, **options: Any) -> Json:
    code, out = ran(what, source, to, jsontext.encode(given), **options)
    told: Json = jsontext.decode(out)
    assert code == 0, told
    assert set(told) == {"body", "losses"}
    return told


def reading() -> Reading:
    return Reading(mint=call_ids(Random(0)))


def said(parts: Any, *, ids: bool = True) -> list[Any]:
    """What counts of some parts. `ids`: calls keep theirs, which not every provider gives them (mapping.md 1.3)."""
    told: list[Any] = []
    for part in parts:
        match part:
            case Text(text):
                told.append(text)
            case Media():
                told.append((part.mime, part.data))
            case ToolCall():
                told.append((part.id if ids else None, part.name, jsontext.decode(part.arguments.encode())))
            case ToolResult():
                told.append((part.call_id, said(part.parts)))
            case _:
                told.append(type(part).__name__)
    return told


def counts(answer: Response) -> tuple[int, int]:
    """What went in and what came out."""
    assert answer.usage is not None
    return sum(answer.usage.input_uncached.values()), sum(answer.usage.output_visible.values())


def request_said(dialect: str, body: Json) -> list[Any]:
    request = DIALECTS[dialect].parse_request(body, model=body.get("model") or "m")
    told = [(INSTRUCTS.get(message.role, message.role), said(message.parts)) for message in request.messages]
    tools = [(tool.name, tool.schema) for tool in request.tools]
    return [told, tools, request.sampling.max_tokens]


@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_a_conversation_arrives_in_every_dialect(source: str, to: str) -> None:
    told = translated("request", source, to, REQUESTS[source], model=MODELS[to])
    assert request_said(to, told["body"]) == request_said(source, REQUESTS[source])
    codes = {loss["code"] for loss in told["losses"]}
    assert codes <= {"2.4:skip_signature"}, told["losses"]
    if to != "gemini":
        assert told["body"]["model"] == MODELS[to]


@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_an_answer_arrives_in_every_dialect(source: str, to: str) -> None:
    told = translated("response", source, to, ANSWERS[source])
    assert told["losses"] == []
    [before] = DIALECTS[source].parse_response(ANSWERS[source], reading()).candidates
    after = DIALECTS[to].parse_response(told["body"], reading())
    [one] = after.candidates
    assert said(one.parts, ids=False) == said(before.parts, ids=False)
    assert one.finish is not None
    assert before.finish is not None
    assert one.finish.reason == before.finish.reason
    assert counts(after) == (9, 5)


def stream_of(dialect: str) -> bytes:
    """The answer as a stream of a dialect: made of Gemini's, whose events are whole parts."""
    events = Translator(DIALECTS["gemini"], DIALECTS[dialect], CATALOG).stream()
    frames = [*events.feed(frames_of([ANSWERS["gemini"]])), *events.close()]
    return b"".join([DIALECTS[dialect].frame(frame) for frame in frames])


@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_a_stream_arrives_in_every_dialect(source: str, to: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = ran("stream", source, to, stream_of(source))
    assert code == 0
    assert jsontext.decode(capsys.readouterr().err.encode()) == {"losses": []}
    reader = DIALECTS[to].reader(reading())
    decoder = SseDecoder()
    frames = [*decoder.feed(out), *decoder.close()]
    answer = assemble([*[event for frame in frames for event in reader.feed(frame)], *reader.close()])
    [one] = answer.candidates
    assert said(one.parts, ids=False) == ["I look.", (None, "weather", {"city": "Wien"})]
    assert counts(answer) == (9, 5)


@pytest.mark.parametrize(("source", "to"), OTHERS)
def test_an_error_arrives_in_every_dialect(source: str, to: str) -> None:
    native = Translator(DIALECTS["gemini"], DIALECTS[source], CATALOG).response(
        {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}
    )
    told = translated("response", source, to, native.body)["body"]
    assert told["error"]["message"] == "Slow down."
    assert DIALECTS[to].parse_error(429, jsontext.encode(told)).http_status == 429


# -- for whom --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_is_rendered_for_every_kind_of_provider(kind: str) -> None:
    for to in [name for name, dialect in DIALECTS.items() if speaks(KINDS[kind], dialect)]:
        for source in DIALECTS:
            told = translated("request", source, to, REQUESTS[source], model=MODELS[to], provider=kind)
            assert request_said(to, told["body"]) == request_said(source, REQUESTS[source])


def test_what_is_sent_is_what_that_kind_takes() -> None:
    body = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5, "user": "u"}
    to_claude = translated("request", "openai_chat", "anthropic_messages", body, model="claude-opus-5-5")
    assert "temperature" not in to_claude["body"]
    assert "1.1:sampling" in {loss["code"] for loss in to_claude["losses"]}
    native = {"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"temperature": 0.5}}
    judged = translated("request", "gemini", "openai_chat", native, model="gpt-5.5")
    assert "temperature" not in judged["body"]
    away = translated("request", "gemini", "openai_chat", native, model="claude-opus-5-5", provider="openai-compatible")
    assert away["body"]["temperature"] == 0.5


@pytest.mark.parametrize(
    ("what", "to", "provider", "words"),
    [
        ("request", "gemini", "openai", "openai does not speak gemini; it speaks openai_chat, openai_responses."),
        ("request", "anthropic_messages", "vertex", "vertex does not speak anthropic_messages; it speaks gemini."),
        ("response", "gemini", "gemini", "--provider is whom a request is for"),
    ],
)
def test_a_provider_that_makes_no_sense_is_said(
    what: str, to: str, provider: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(what, "openai_chat", to, b"{}", provider=provider) == (2, b"")
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_untouched_path_names_the_model_where_a_body_does(dialect: str) -> None:
    given = b'{ "model" : "m",\t"z": 1.0, "n": 12345678901234567890 }'
    code, out = ran("request", dialect, dialect, given, raw=True, model="other")
    assert code == 0
    expected = given if dialect == "gemini" else given.replace(b'"m"', b'"other"')
    assert expected in out


def test_the_command_knows_every_dialect_and_kind_and_its_help_shows_each() -> None:
    assert {one.value for one in DialectName} == set(DIALECTS) == set(PROVIDER_KINDS)
    assert {one.value for one in KindName} == set(KINDS)
    told = get_command(app).commands["translate"].help  # type: ignore[attr-defined]
    assert all(name in told for name in DIALECTS)
