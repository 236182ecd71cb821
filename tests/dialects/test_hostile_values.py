"""Values of a type that nobody expects: a caller's is a 400 with its path, a provider's an answer that nobody can read.

Every value of a rich body is exchanged for each of a row of strange ones, one at a time.
"""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any, Final

import pytest

from dialects.dialect_rows import CATALOG, CHAT, GEMINI, NEW, Json
from portico.core.dialect import Dialect
from portico.core.errors import CallerError, UpstreamError
from portico.dialects import (
    anthropic_messages,
    openai_embeddings,
    openai_images,
    openai_responses,
    openai_speech,
    openai_transcriptions,
)
from portico.dialects.gemini.schema import to_json_schema
from portico.relay.translate import Translator, frames_of
from portico.relay.unfence import unfenced
from portico.vault import TurnRecorder
from portico.wire import jsontext
from portico.wire.sse import Frame

STRANGE: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    2**70,
    "",
    "é",
    [],
    [[]],
    [None],
    {},
    {"a": None},
    {"text": 5},
    {"type": ["x"]},
    "²",
)
RESPONSES: Final = openai_responses.DIALECT
MESSAGES: Final = anthropic_messages.DIALECT
PICTURE: Final = "data:image/png;base64,iVBORw0KGgo="

ASKED: Final[Json] = {
    "model": NEW,
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi", "extra_content": {"google": {"x": 1}}}]},
        {
            "role": "assistant",
            "content": f"ok ![image]({PICTURE})",
            "images": [{"type": "image_url", "image_url": {"url": PICTURE}}],
            "reasoning_details": [{"type": "reasoning.encrypted", "data": "abcd", "id": "c1"}],
            "extra_content": {"google": {"thought_signature": "m", "parts": [{"index": 1, "part": {"toolCall": {}}}]}},
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "f", "arguments": "{}"},
                    "extra_content": {"google": {"thought_signature": "s", "function_call": {"will_continue": False}}},
                }
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": "x",
            "extra_content": {"google": {"function_response": {"scheduling": "SILENT"}}},
        },
    ],
    "tools": [{"type": "function", "function": {"name": "f"}}, {"google_search": {}}],
    "google": {
        "tool_config": {
            "includeServerSideToolInvocations": True,
            "function_calling_config": {"mode": "AUTO", "allowed_function_names": ["f"]},
            "retrieval_config": {"lat_lng": {"latitude": 1}},
        },
        "stream_function_call_arguments": True,
    },
}

GOOGLES: Final[Json] = {
    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "description": "F.",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {
                            "a": {"type": "STRING", "nullable": True, "enum": ["x"], "maxLength": "5"},
                            "b": {"nullable": True, "anyOf": [{"type": "INTEGER"}]},
                        },
                        "required": ["a"],
                    },
                }
            ]
        }
    ],
    "generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "STRING", "enum": ["x"]}},
}

OF_RESPONSES: Final[Json] = {
    "model": NEW,
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "additional_tools", "tools": [{"type": "function", "name": "g"}]},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}, {"type": "web_search"}],
    "max_output_tokens": 100,
    "service_tier": "auto",
}

PASSING: Final[tuple[tuple[Dialect, Json], ...]] = (
    (CHAT, ASKED | {"plugins": [{"id": "web"}], "service_tier": "auto", "n": 1, "max_tokens": 5}),
    (GEMINI, GOOGLES),
    (RESPONSES, OF_RESPONSES),
    (
        MESSAGES,
        {
            "model": NEW,
            "max_tokens": 10,
            "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                        {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "ok"}]},
                    ],
                }
            ],
            "tools": [{"name": "f", "type": "custom"}, {"name": "web_search", "type": "web_search_20250305"}],
            "service_tier": "auto",
            "speed": "fast",
        },
    ),
    (openai_embeddings.DIALECT, {"model": NEW, "input": ["a", "b"], "dimensions": 5, "encoding_format": "float"}),
    (
        openai_images.GENERATIONS,
        {
            "model": NEW,
            "prompt": "a cat",
            "n": 1,
            "size": "1024x1024",
            "quality": "low",
            "output_format": "png",
            "partial_images": 1,
        },
    ),
    (
        openai_images.EDITS,
        {"model": NEW, "prompt": "x", "images": [{"image_url": PICTURE}], "mask": {"image_url": "x"}},
    ),
    (openai_speech.DIALECT, {"model": NEW, "input": "hi", "voice": "alloy", "speed": 1.5, "stream_format": "sse"}),
)

ANSWERED: Final[Json] = {
    "id": "chatcmpl-1",
    "created": 1,
    "model": "m",
    "service_tier": "default",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "native_finish_reason": "STOP",
            "finish_message": "done",
            "logprobs": {"content": [{"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": []}]},
            "message": {
                "role": "assistant",
                "content": "hi",
                "refusal": "no",
                "reasoning_content": "hm",
                "images": [{"type": "image_url", "image_url": {"url": PICTURE}}],
                "audio": {"id": "a", "data": "AAAA", "mime_type": "audio/wav"},
                "tool_calls": [
                    {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"index": 1, "id": "d", "type": "custom", "custom": {"name": "g", "input": "x"}},
                ],
                "function_call": {"name": "h", "arguments": "{}"},
                "annotations": [
                    {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 2, "url": "u"}},
                ],
                "extra_content": {
                    "google": {
                        "thought_signature": "m",
                        "parts": [{"index": 0, "part": {"toolCall": {}}}],
                        "web_search_queries": ["q"],
                    }
                },
            },
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 2}},
}

MESSAGE: Final[Json] = {
    "type": "message",
    "id": "msg_1",
    "content": [{"type": "output_text", "text": "hi", "annotations": []}, {"type": "refusal", "refusal": "no"}],
}
OF_GPT: Final[Json] = {
    "id": "resp_1",
    "status": "completed",
    "model": "m",
    "service_tier": "default",
    "output": [MESSAGE, {"type": "web_search_call", "id": "ws_1", "action": {"type": "search"}}, {"type": "reasoning"}],
    "usage": {"input_tokens": 5, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 2}},
    "error": None,
}
OF_CLAUDE: Final[Json] = {
    "type": "message",
    "model": "m",
    "content": [{"type": "text", "text": "hi"}, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 5, "output_tokens": 5, "cache_creation": {"ephemeral_1h_input_tokens": 2}},
}
OF_GEMINI: Final[Json] = {
    "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP", "groundingMetadata": {}}],
    "promptFeedback": {},
    "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5, "promptTokensDetails": [{"modality": "TEXT"}]},
    "modelVersion": "m",
}
REFUSED: Final[Json] = {"error": {"message": "no", "type": "x", "code": "y", "param": "z"}}
ANSWERS: Final[tuple[tuple[Dialect, Json], ...]] = (
    (CHAT, ANSWERED),
    (CHAT, REFUSED),
    (RESPONSES, OF_GPT),
    (RESPONSES, OF_GPT | {"status": "failed"} | REFUSED),
    (MESSAGES, OF_CLAUDE),
    (MESSAGES, {"type": "error"} | REFUSED),
    (GEMINI, OF_GEMINI),
    (GEMINI, {"error": {"code": 429, "message": "no", "status": "x", "details": [{"@type": "y"}]}}),
    (
        openai_embeddings.DIALECT,
        {"data": [{"embedding": [0.5], "index": 0}], "model": "m", "usage": {"prompt_tokens": 5}},
    ),
    (openai_images.GENERATIONS, {"data": [{"b64_json": "iVBO", "url": None}], "usage": {"input_tokens": 5}}),
    (openai_transcriptions.DIALECT, {"text": "hi", "usage": {"type": "duration", "seconds": 5}, "segments": []}),
)
"""Whole answers that pass."""
EVENTS: Final[tuple[tuple[Dialect, Json], ...]] = (
    (CHAT, REFUSED),
    (CHAT, {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "hi"}}], "usage": {}}),
    (RESPONSES, {"type": "response.in_progress", "response": OF_GPT}),
    (RESPONSES, {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE}),
    (RESPONSES, {"type": "response.output_text.delta", "delta": "hi"}),
    (RESPONSES, {"type": "response.completed", "response": OF_GPT}),
    (RESPONSES, {"type": "response.failed", "response": OF_GPT | REFUSED}),
    (RESPONSES, {"type": "error"} | REFUSED),
    (MESSAGES, {"type": "message_start", "message": OF_CLAUDE}),
    (MESSAGES, {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    (MESSAGES, {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}),
    (MESSAGES, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
    (MESSAGES, {"type": "error"} | REFUSED),
    (GEMINI, OF_GEMINI),
    (openai_images.GENERATIONS, {"type": "image_generation.partial_image", "b64_json": "iVBO"}),
    (openai_images.GENERATIONS, {"type": "image_generation.completed", "usage": {"input_tokens": 5}}),
    (openai_speech.DIALECT, {"type": "speech.audio.delta", "audio": "AAAA"}),
    (openai_speech.DIALECT, {"type": "speech.audio.done", "usage": {"input_tokens": 5}}),
    (openai_transcriptions.DIALECT, {"type": "transcript.text.delta", "delta": "hi"}),
    (openai_transcriptions.DIALECT, {"type": "transcript.text.done", "text": "hi", "usage": {"input_tokens": 5}}),
)
"""Events of streams that pass."""
NUMBERS: Final = ("1" + "0" * 400, "9" * 5000, "1e400", "NaN")
"""Of JSON, or what some take for it, and no double's."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def strange(body: Json) -> Iterator[Any]:
    """The body with each of its values made strange in turn."""
    for path in places(body):
        for value in STRANGE:
            if not path:
                yield value
                continue
            changed = copy.deepcopy(body)
            holder: Any = changed
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = value
            yield changed


def strange_texts(body: Json) -> Iterator[bytes]:
    """The same as texts, and with each of its values made a number that nobody can hold."""
    yield from map(jsontext.encode, strange(body))
    for path in places(body):
        changed = copy.deepcopy([body])
        holder: Any = changed
        for step in (0, *path)[:-1]:
            holder = holder[step]
        holder[(0, *path)[-1]] = "NUMBER"
        text = jsontext.dumps(changed[0])
        for number in NUMBERS:
            yield text.replace('"NUMBER"', number).encode()


def chunk(body: Json) -> Json:
    """The same answer told by a stream."""
    told = copy.deepcopy(body)
    told["choices"][0]["delta"] = told["choices"][0].pop("message")
    return told


def test_a_request_of_strange_values_is_rendered_or_is_the_callers_to_mend() -> None:
    translator = Translator(CHAT, GEMINI, CATALOG)
    unplaced = 0
    for body in strange(ASKED):
        try:
            jsontext.encode(translator.request(body).body)
        except CallerError as error:
            unplaced += not error.param
    assert unplaced == 0


@pytest.mark.parametrize("to", [CHAT, RESPONSES, MESSAGES], ids=lambda dialect: dialect.name)
def test_a_schema_of_strange_values_is_rendered_or_is_the_callers_to_mend(to: Dialect) -> None:
    translator = Translator(GEMINI, to, CATALOG, model=NEW)
    unplaced = 0
    for body in strange(GOOGLES):
        try:
            jsontext.encode(translator.request(body).body)
        except CallerError as error:
            unplaced += not error.param
    assert unplaced == 0


@pytest.mark.parametrize("length", ["²", "٣", "9" * 5000, "1e3", "-1"], ids=lambda text: text[:5])
def test_a_length_that_is_no_number_of_googles_stays_what_it_was(length: str) -> None:
    schema = {"type": "STRING", "maxLength": length}
    assert to_json_schema(schema) == {"type": "string", "maxLength": length}


@pytest.mark.parametrize(("dialect", "body"), PASSING, ids=[dialect.name for dialect, _ in PASSING])
def test_what_a_body_of_strange_values_may_cost_is_told(dialect: Dialect, body: Json) -> None:
    """The provider says what is wrong with a body that passes; its price has to be told all the same."""
    assert dialect.passing is not None
    for changed in strange(body):
        assert dialect.passing.ask(jsontext.encode(changed)).text_bytes > 0


@pytest.mark.parametrize("field", ["function_call", "functionCall"])
def test_extras_of_a_call_are_an_object(field: str) -> None:
    body = copy.deepcopy(ASKED)
    body["messages"][1]["tool_calls"][0]["extra_content"]["google"] = {field: 5}
    with pytest.raises(CallerError) as caught:
        Translator(CHAT, GEMINI, CATALOG).request(body)
    assert caught.value.param == "$.messages[1].tool_calls[0].extra_content.google.function_call"


def test_extras_of_a_result_are_an_object() -> None:
    body = copy.deepcopy(ASKED)
    body["messages"][2]["extra_content"]["google"]["function_response"] = ["x"]
    with pytest.raises(CallerError) as caught:
        Translator(CHAT, GEMINI, CATALOG).request(body)
    assert caught.value.param == "$.messages[2].extra_content.google.function_response"


@pytest.mark.parametrize("to", [CHAT, GEMINI], ids=lambda dialect: dialect.name)
def test_an_answer_of_strange_values_is_told_or_is_the_providers_fault(to: Dialect) -> None:
    translator = Translator(CHAT, to, CATALOG, thoughts=True)
    for body in strange(ANSWERED):
        try:
            jsontext.encode(translator.response(body).body)
            response = CHAT.parse_response(body, translator._reading())
        except UpstreamError:
            continue
        recorder = TurnRecorder("m@gemini")
        recorder.feed_response(response)
        list(recorder.records())
        unfenced(response)


@pytest.mark.parametrize("to", [CHAT, GEMINI], ids=lambda dialect: dialect.name)
def test_a_stream_of_strange_values_is_told_or_is_the_providers_fault(to: Dialect) -> None:
    translator = Translator(CHAT, to, CATALOG, thoughts=True)
    for body in strange(chunk(ANSWERED)):
        stream = translator.stream()
        stream.feed(frames_of([body, body]))
        stream.close()


@pytest.mark.parametrize(("dialect", "body"), ANSWERS, ids=lambda one: getattr(one, "name", ""))
def test_an_answer_of_strange_values_passes_or_is_the_providers_fault(dialect: Dialect, body: Json) -> None:
    assert dialect.passing is not None
    for text in strange_texts(body):
        with contextlib.suppress(UpstreamError):
            dialect.passing.seen(text, b"")


@pytest.mark.parametrize(("dialect", "body"), EVENTS, ids=lambda one: getattr(one, "name", ""))
@pytest.mark.parametrize("event", [None, "error"])
def test_an_event_of_strange_values_passes_or_is_the_providers_fault(
    dialect: Dialect, body: Json, event: str | None
) -> None:
    assert dialect.passing is not None
    for text in strange_texts(body):
        watch = dialect.passing.watching("id", b"")
        with contextlib.suppress(UpstreamError):
            watch.feed(Frame(text, event))
            watch.more(Frame(text, event))
            watch.feed(Frame(text, event))
            watch.close()
        watch.seen()


def test_arguments_told_as_an_object_are_that_object() -> None:
    """1.3 and 2.3: some endpoints send the arguments of a call as an object, in requests and in answers"""
    body = copy.deepcopy(ANSWERED)
    body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = {"a": 1}
    for said in (
        Translator(CHAT, CHAT, CATALOG).response(body).body["choices"][0]["message"],
        _first_call(chunk(body)),
    ):
        assert said["tool_calls"][0]["function"]["arguments"] == '{"a":1}'


def _first_call(body: Json) -> Json:
    stream = Translator(CHAT, CHAT, CATALOG).stream()
    frames = [*stream.feed(frames_of([body])), *stream.close()]
    deltas = [one["choices"][0]["delta"] for frame in frames if (one := _value(frame.data)) and one["choices"]]
    found: Json = next(delta for delta in deltas if "tool_calls" in delta)
    return found


def _value(data: bytes) -> Any:
    return None if data == b"[DONE]" else jsontext.decode(data)
