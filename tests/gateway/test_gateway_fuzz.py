"""Bodies nobody would write: a valid one with anything anywhere, from the caller's side and from the provider's."""

import http.client
import json
from contextlib import closing
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.house import KEY, Events, Json, error_of, frame, house_in_a_thread
from portico.wire.http import Exchange

QUIET = settings(
    max_examples=300,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "F.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"anyOf": [{"type": "integer"}]}},
            "required": ["a"],
        },
    },
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "f", "arguments": '{"a":"x"}'},
    "extra_content": {"google": {"thought_signature": "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="}},
}
PICTURE = "data:image/png;base64,iVBORw0KGgo="
REQUEST: Json = {
    "model": "gemini-3.5-flash",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "Hello"},
                {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
            ],
        },
        {"role": "assistant", "content": "Hm.", "reasoning_content": "thinking", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"ok":true}'},
    ],
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "top_p": 0.5,
    "n": 1,
    "max_completion_tokens": 4000,
    "stop": ["END"],
    "seed": 7,
    "stream": False,
    "stream_options": {"include_usage": True},
    "reasoning_effort": "low",
    "reasoning": {"max_tokens": 100, "exclude": False},
    "thinking": {"type": "enabled", "budget_tokens": 100},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    "metadata": {"a": "b"},
    "modalities": ["text"],
    "extra_body": {"google": {"thinking_config": {"include_thoughts": True}}},
    "logit_bias": {"1": 2},
}
ANSWER: Json = {
    "candidates": [
        {
            "index": 0,
            "content": {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"text": "Hello", "thoughtSignature": "AAAA"},
                    {
                        "functionCall": {"name": "f", "args": {"a": "x", "b": 1.0}, "id": "abc"},
                        "thoughtSignature": "AA==",
                    },
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                ],
            },
            "finishReason": "STOP",
            "finishMessage": "Done.",
            "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}],
            "groundingMetadata": {"webSearchQueries": ["q"], "groundingChunks": [{"web": {"uri": "https://x.test"}}]},
            "avgLogprobs": -0.1,
        }
    ],
    "promptFeedback": {"safetyRatings": []},
    "usageMetadata": {
        "promptTokenCount": 10,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 2,
        "totalTokenCount": 17,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
    },
    "modelVersion": "gemini-3.5-flash",
    "responseId": "abc",
}
ERROR: Json = {
    "error": {
        "code": 429,
        "message": "Quota exceeded. Please retry in 1.5s.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "X", "metadata": {"service": "s"}},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"},
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": "contents[0]", "description": "no"}],
            },
        ],
    }
}

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> list[Path]:
    """The path of every value in a body, itself not counted."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, inner in items:
        found += [(*path, key), *places(inner, (*path, key))]
    return found


WORDS = ["", "x", "f", "user", "assistant", "tool", "system", "stop", "auto", "none", "text", "function", "object"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS),
    st.text(max_size=8),
)
KEYS = st.one_of(st.sampled_from(["type", "name", "google", "content", "text", "args", "$ref"]), st.text(max_size=5))
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


@st.composite
def mutated(draw: st.DrawFn, original: Json) -> Any:
    """A body with one to four values replaced, left out, doubled, or put somewhere else."""
    body = deepcopy(original)
    for _ in range(draw(st.integers(1, 4))):
        paths = places(body)
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        holder: Any = body
        for step in path[:-1]:
            holder = holder[step]
        key: Any = path[-1]
        match draw(st.sampled_from(["replace", "replace", "leave out", "add", "copy"])):
            case "replace":
                holder[key] = draw(ANYTHING)
            case "leave out":
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(KEYS)] = draw(ANYTHING)
            case "copy":
                other: Any = body
                for step in draw(st.sampled_from(paths)):
                    other = other[step]
                holder[key] = deepcopy(other)
            case _:
                holder.insert(key, draw(ANYTHING))
    return body


class Caller:
    """A client that keeps its connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        self._connection.request("POST", "/v1/chat/completions", body, headers)
        response = self._connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def close(self) -> None:
        self._connection.close()


def check_shape(status: int, headers: dict[str, str], body: bytes) -> None:
    """A whole answer, a stream that ends properly, or an error in OpenAI's shape."""
    assert headers["x-portico-request-id"].startswith("req_")
    if status != 200:
        error = error_of(json.loads(body))
        assert error["code"] is not None, error
    elif headers["content-type"].startswith("text/event-stream"):
        told = Events.of(body)
        assert told.done or error_of(told.chunks[-1])["code"] is not None
    else:
        assert json.loads(body)["object"] == "chat.completion"


def test_whatever_a_caller_sends_is_answered_or_refused() -> None:
    with house_in_a_thread() as house, closing(Caller(house.port)) as caller:

        @QUIET
        @given(mutated(REQUEST))
        def check(body: Any) -> None:
            status, headers, answer = caller.ask(json.dumps(body).encode())
            assert status == 200 or 400 <= status < 500, answer
            check_shape(status, headers, answer)

        check()


def test_any_json_at_all_is_refused_or_answered() -> None:
    with house_in_a_thread() as house, closing(Caller(house.port)) as caller:

        @QUIET
        @given(ANYTHING | st.binary(max_size=40))
        def check(body: Any) -> None:
            status, headers, answer = caller.ask(body if isinstance(body, bytes) else json.dumps(body).encode())
            assert 400 <= status < 500, answer
            check_shape(status, headers, answer)

        check()


class Puppet:
    """A provider that answers whatever it was last told."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[Any] = []

    async def __call__(self, exchange: Exchange) -> None:
        stream = "alt=sse" in exchange.request.query and self.status == 200
        data = b"".join(map(frame, self.bodies)) if stream else json.dumps(self.bodies[0]).encode()
        exchange.send(self.status, [("content-type", "text/event-stream" if stream else "application/json")], data)


def test_whatever_a_provider_sends_is_no_error_of_our_own() -> None:
    puppet = Puppet()
    with house_in_a_thread(puppet) as house, closing(Caller(house.port)) as caller:

        @QUIET
        @given(st.lists(mutated(ANSWER), min_size=1, max_size=3), st.booleans())
        def check(bodies: list[Any], stream: bool) -> None:
            puppet.status, puppet.bodies = 200, bodies
            request = {**REQUEST, "tool_choice": "auto", "stream": stream}
            status, headers, answer = caller.ask(json.dumps(request).encode())
            assert status in (200, 400, 404, 413, 429, 500, 502, 503, 504), answer
            check_shape(status, headers, answer)

        check()


def test_whatever_error_a_provider_sends_is_told_in_our_shape() -> None:
    puppet = Puppet()
    with house_in_a_thread(puppet) as house, closing(Caller(house.port)) as caller:

        @QUIET
        @given(
            mutated(ERROR) | ANYTHING,
            st.sampled_from([400, 401, 403, 404, 409, 413, 429, 499, 500, 502, 503, 504, 529]),
        )
        def check(body: Any, status: int) -> None:
            puppet.status, puppet.bodies = status, [body]
            told, headers, answer = caller.ask(json.dumps(REQUEST).encode())
            assert told >= 400
            assert told not in (401, 403)
            check_shape(told, headers, answer)

        check()
